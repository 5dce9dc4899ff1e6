import { type CsvTable, readCsvText } from '../../csv.ts';
import { inputError, type Place, type Problem, problem } from '../../errors.ts';
import { decodeText } from '../../input.ts';
import type { Facts } from '../../vocabulary.ts';
import { readEvents } from './event-xml.ts';
import type { EvidenceRecord } from './record.ts';

/** A longer text is none that a device says of itself. */
const MAX_TEXT = 4096;

/** What an export says is attached to a computer, or was. */
export interface Attached {
  /** As the export names it. */
  readonly computer?: string | undefined;
  /** What of the computer it is, the same in every export where that can be. */
  readonly part: string;
  readonly probe: 'usb' | 'edid';
  readonly facts: Facts;
  readonly at?: string | undefined;
  /** It was attached before, and is not now. */
  readonly gone?: boolean;
}

/** A file as what it holds, before it is known which export it is. */
export type Content =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'text'; readonly text: string }
  /** Rows of CSV, or objects of JSON. */
  | { readonly kind: 'records'; readonly records: readonly EvidenceRecord[] };

export interface EvidenceFormat {
  /** As people call it. */
  readonly name: string;
  fits(content: Content): boolean;
  /** @param report is told of what is left out */
  read(content: Content, report: (one: Problem) => void): Attached[];
}

/** Where an EDID begins: VESA E-EDID section 3.3. */
export const EDID_HEADER = Buffer.from('00ffffffffffff00', 'hex');

/** Finds out what a file holds. @throws {InputError} where it is damaged */
export function contentOf(file: string, bytes: Buffer, headings: ReadonlySet<string>, report: (one: Problem) => void): Content {
  if (bytes.length === 0)
    throw inputError('bad-evidence', { reason: 'it is empty: the command that made it found nothing, or failed' }, { file });
  if (bytes.subarray(0, 8).equals(EDID_HEADER)) return { kind: 'bytes', bytes };
  const text = decodeText(bytes).text.replace(/^\ufeff/, '');
  if (text.includes('\0')) throw inputError('bad-evidence', { reason: 'it is neither text nor an EDID: export it again' }, { file });
  const first = text.trimStart();
  if (first === '')
    throw inputError('bad-evidence', { reason: 'it holds no text: the command that made it found nothing, or failed' }, { file });
  if (first.startsWith('{') || first.startsWith('[')) return { kind: 'records', records: readJson(file, text, report) };
  if (first.startsWith('<')) return { kind: 'records', records: readEvents(file, text, report) };
  if (/^P: \/|^Bus \d{3} Device \d{3}: ID /m.test(text) || /^[0-9a-f\s]+$/i.test(text)) return { kind: 'text', text };
  const records = readRows(file, text, headings, report);
  return { kind: 'records', records };
}

function readRows(file: string, text: string, headings: ReadonlySet<string>, report: (one: Problem) => void): EvidenceRecord[] {
  const table: CsvTable = readCsvText(text, (heading) => headings.has(heading.trim().toLowerCase()));
  if (!table.headings.some((heading) => headings.has(heading.trim().toLowerCase()))) return [];
  return table.rows.flatMap(({ line, cells, wrong }) => {
    if (wrong !== undefined) {
      report(problem('bad-evidence', { reason: `${wrong}; it is left out` }, { file, line }));
      return [];
    }
    return [{ place: { file, line }, fields: Object.fromEntries(table.headings.map((heading, i) => [heading.trim(), cells[i] ?? ''])) }];
  });
}

function readJson(file: string, text: string, report: (one: Problem) => void): EvidenceRecord[] {
  const lines = text.trim().split(/\r?\n/);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // A log: a line of JSON for each result.
    const isLog = lines.length > 1 && parsed(lines[0] ?? '') !== undefined;
    if (!isLog) throw inputError('bad-evidence', { reason: damage(error) }, { file, ...lineOf(error, text) });
    const offset = text.slice(0, text.length - text.trimStart().length).split('\n').length;
    return lines.flatMap((line, i) => {
      if (line.trim() === '') return [];
      const place = { file, line: i + offset };
      const one = parsed(line);
      if (one === undefined) report(problem('bad-evidence', { reason: 'it is not JSON, as the other lines are; it is left out' }, place));
      return isObject(one) ? [{ place, fields: one }] : [];
    });
  }
  return unwrapped(value).flatMap((one, i) => (isObject(one) ? [{ place: { file: `${file}[${i}]` }, fields: one }] : []));
}

/** Lists stand by themselves, or in what an API or an older PowerShell puts around them. */
function unwrapped(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (isObject(value))
    for (const [name, inside] of Object.entries(value)) if (/^(results|value)$/i.test(name) && Array.isArray(inside)) return inside;
  return [value];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function damage(error: unknown): string {
  const reason = error instanceof Error ? error.message.replace(/, (?:\.{3})?".*| in JSON at position.*/s, '') : String(error);
  return `it is damaged JSON (${reason.slice(0, 120)}): export it again, and let the command end`;
}

function lineOf(error: unknown, text: string): Place {
  const message = error instanceof Error ? error.message : '';
  const told = /\(line (\d+) column (\d+)\)/.exec(message);
  if (told !== null) return { line: Number(told[1]), column: Number(told[2]) };
  return /end of JSON/.test(message) ? { line: text.trimEnd().split('\n').length } : {};
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first of some fields that holds a text, whatever its case. What PowerShell writes of a list in a cell (`System.String[]`) is none. */
export function textOf(fields: Readonly<Record<string, unknown>>, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const key = Object.hasOwn(fields, name) ? name : Object.keys(fields).find((one) => one.toLowerCase() === name.toLowerCase());
    const text = key === undefined ? undefined : cleanText(fields[key]);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** A text as it is kept: trimmed, bounded; undefined where there is none. */
export function cleanText(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const text = String(value).slice(0, MAX_TEXT).trim();
  return text === '' || /^System\.\w+\[\]$/.test(text) ? undefined : text;
}

/** Whether any record has one of these fields. */
export function hasField(content: Content, ...names: readonly string[]): boolean {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return (
    content.kind === 'records' && content.records.some(({ fields }) => Object.keys(fields).some((name) => wanted.has(name.toLowerCase())))
  );
}

/** Facts without those that are not known. */
export function known(facts: Readonly<Record<string, string | readonly string[] | undefined>>): Facts {
  return Object.fromEntries(Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** A number of four hex digits, as `0x1d6b`, `1D6B` or `1d6b  (Linux Foundation)`. */
export function hexId(text: string | undefined): string | undefined {
  return /^(?:0x)?([0-9a-f]{1,4})\b/i
    .exec(text ?? '')?.[1]
    ?.toLowerCase()
    .padStart(4, '0');
}
