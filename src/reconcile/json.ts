import { inputError, systemReason } from '../errors.ts';
import type { ListRow, ListTable } from './table.ts';

/** Reads a list as JSON: an array of objects, or `{ "assets": [...] }`. Keys are the headings. @throws {InputError} `bad-approved` */
export function readJson(text: string, file: string): ListTable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw inputError('bad-approved', { reason: `it is not JSON: ${systemReason(error)}` }, { file });
  }
  const entries: unknown = isObject(value) ? value['assets'] : value;
  if (!Array.isArray(entries))
    throw inputError('bad-approved', { reason: 'it is neither a list of objects nor an object with a list "assets"' }, { file });
  const list: readonly unknown[] = entries;
  const headings = [...new Set(list.flatMap((entry) => (isObject(entry) ? Object.keys(entry) : [])))];
  return { headings, rows: list.map((entry, index) => rowOf(entry, index, headings, file)) };
}

function rowOf(entry: unknown, index: number, headings: readonly string[], file: string): ListRow {
  const source = { file, index };
  // A line would be that of the file; the index says more.
  const place = { file: `${file}[${index}]` };
  if (!isObject(entry)) return { source, place, cells: [], wrong: 'it is no object' };
  return { source, place, cells: headings.map((heading) => valuesOf(entry[heading])) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What references and choices of inventory systems call the text that people read (ServiceNow, NetBox, Snipe-IT). */
const TEXT_KEYS = ['display_value', 'address', 'label', 'name', 'display', 'value'];

function valuesOf(value: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.flatMap((one) => textOf(isObject(one) ? one[TEXT_KEYS.find((name) => textOf(one[name]).length > 0) ?? ''] : one));
}

function textOf(value: unknown): string[] {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : [];
}
