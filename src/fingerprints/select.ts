import type { Facts, FactValue } from '../vocabulary.ts';
import type { Condition } from './schema.ts';

/** What is compared of one value: titles are short, bodies are cut at 64 KiB by the probe; nothing longer gets here from other tools. */
export const MAX_TEXT = 64 * 1024;

/** Where conditions look: several may look at one place. */
export interface Selector {
  readonly fact: string;
  readonly of: string | undefined;
  readonly field: string | undefined;
  readonly json: readonly (string | number)[] | undefined;
  /** One for each place. */
  readonly key: string;
}

export function selectorOf({ fact, of, field: given, json: path }: Condition): Selector {
  const field = fact === 'http.pages' ? (given ?? 'body') : undefined;
  const json = typeof path === 'string' ? parsePath(path) : path;
  return { fact, of, field, json, key: JSON.stringify([fact, of, field, json]) };
}

const NONE: readonly FactValue[] = [];

/** The values at a place: one for a scalar, all elements of a list; empty where there is none. */
export function valuesAt(facts: Facts, { fact, of, field, json }: Selector): readonly FactValue[] {
  let value = facts[fact];
  if (value === undefined) return NONE;
  if (fact === 'http.pages') value = pageValue(value, of, field ?? 'body');
  else if (of !== undefined) value = member(value, of);
  if (json !== undefined) value = inJson(value, json);
  if (value === undefined || value === null) return NONE;
  if (fact === 'http.redirects' && Array.isArray(value))
    return value.flatMap((redirect) => member(redirect as FactValue, 'location') ?? []);
  return Array.isArray(value) ? (value as readonly FactValue[]) : [value];
}

function pageValue(pages: FactValue, path: string | undefined, field: string): FactValue | undefined {
  const page = path === undefined ? undefined : member(pages, path);
  return page === undefined ? undefined : member(page, field);
}

function member(value: FactValue, key: string | number): FactValue | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return typeof key === 'number' ? (value as readonly FactValue[])[key] : undefined;
  return Object.hasOwn(value, key) ? (value as Readonly<Record<string, FactValue>>)[key] : undefined;
}

/** The body parsed last: many conditions look at the same page one after the other. */
let last: { readonly text: string; readonly parsed: FactValue | undefined } | undefined;

function inJson(value: FactValue | undefined, path: readonly (string | number)[]): FactValue | undefined {
  let at = typeof value === 'string' ? parseBody(value) : value;
  for (const key of path) {
    if (at === undefined) return undefined;
    at = member(at, key);
  }
  return at;
}

function parseBody(text: string): FactValue | undefined {
  if (last?.text !== text) last = { text, parsed: parseJson(text) };
  return last.parsed;
}

function parseJson(text: string): FactValue | undefined {
  // Most pages are HTML: an exception for each would cost more than all rules.
  if (!/^\s*[[{"]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as FactValue;
  } catch {
    return undefined; // a page that is not JSON has no members
  }
}

/** `Oem.Hpe.Manager[0].ManagerType` as keys. A key with a dot in it (`@odata.id`) is written in the list form. */
export function parsePath(path: string): (string | number)[] {
  return path.split('.').flatMap((part) => {
    const [name = '', ...indexes] = part.split('[');
    return [...(name === '' ? [] : [name]), ...indexes.map((index) => Number.parseInt(index, 10))];
  });
}
