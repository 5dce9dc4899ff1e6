import { inputError, systemReason } from '../errors.ts';
import { device42Values, infobloxValues, lansweeperValues } from './systems/others.ts';
import { glpiRecords, isGlpi } from './systems/glpi.ts';
import { netboxKind, type NetboxEntry } from './systems/netbox.ts';
import { servicenowValues } from './systems/servicenow.ts';
import { snipeValues } from './systems/snipe-it.ts';
import { allTexts, isObject, type JsonObject } from './systems/values.ts';
import { type Entry, type ListTable, tableOf } from './table.ts';

/** A list, or the part of one that NetBox has in this file: its parts are put together when all files are read. */
export type JsonList = ({ readonly table: ListTable } | { readonly netbox: readonly NetboxEntry[] }) & {
  readonly pages: readonly PageCount[];
};

/** How many records a page has, and how many there are. */
export interface PageCount {
  readonly list: string;
  readonly here: number;
  readonly total: number;
}

/** Where systems keep their list. */
const LISTS = ['assets', 'result', 'results', 'rows', 'Devices', 'items'] as const;

/** Reads a list as JSON: an array of objects, `{ "assets": [...] }`, or what an inventory system answers. Keys are the headings. @throws {InputError} `bad-approved` */
export function readJson(text: string, file: string): JsonList {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw inputError('bad-approved', { reason: `it is not JSON: ${systemReason(error)}` }, { file });
  }
  if (isGlpi(value) || (Array.isArray(value) && value.length > 0 && value.every(isGlpi)))
    return { table: glpiTable(value, file), pages: [] };
  const pages = pagesOf(value);
  if (pages === undefined)
    throw inputError(
      'bad-approved',
      {
        reason: `it is neither a list of objects nor an object with a list ${LISTS.slice(0, -1)
          .map((name) => `"${name}"`)
          .join(', ')} or "${LISTS.at(-1)}"`,
      },
      { file },
    );
  const counts = pages.flatMap((page) => page.count ?? []);
  const entries = pages.flatMap(({ list, name, place }) =>
    list.map((object, index) => ({ object, source: sourceOf(file, place, name, index) })),
  );
  const netbox = entries.flatMap(({ object, source }): NetboxEntry[] => {
    const kind = isObject(object) ? netboxKind(object) : undefined;
    return isObject(object) && kind !== undefined ? [{ kind, object, source }] : [];
  });
  if (netbox.length > 0 && netbox.length === entries.length) return { netbox, pages: counts };
  const references = new Set<string>();
  const listed = entries.map(({ object, source }): Entry => {
    const place = { file: `${file}${source.list === undefined ? '' : `#${source.list}`}[${source.index}]` };
    if (!isObject(object)) return { source, place, values: {}, wrong: 'it is no object' };
    return { source, place, values: valuesOf(object, source.list, references) };
  });
  const unnamed =
    references.size === 0
      ? []
      : [
          `references that are given by number only are not read (${[...references].join(', ')}); fetch them with sysparm_display_value=true`,
        ];
  return { table: tableOf(listed, { notes: unnamed }), pages: counts };
}

function sourceOf(file: string, place: string, name: string | undefined, index: number): { file: string; index: number; list?: string } {
  const list = `${place}${name ?? ''}`;
  return { file, index, ...(list === '' ? {} : { list }) };
}

function glpiTable(value: unknown, file: string): ListTable {
  const list = Array.isArray(value) ? value.filter(isGlpi) : [value].filter(isGlpi);
  const entries = list.flatMap((inventory, index) => {
    const source = Array.isArray(value) ? { file, index } : { file };
    return glpiRecords(inventory, { source, place: Array.isArray(value) ? { file: `${file}[${index}]` } : { file } });
  });
  return tableOf(entries);
}

/** The form of an entry is that of the system whose list it is in, or whose marks it bears. */
function valuesOf(object: JsonObject, list: string | undefined, references: Set<string>): Record<string, readonly string[]> {
  if (typeof object['_ref'] === 'string') return infobloxValues(object);
  switch (list?.replace(/^.*[.\]]/, '')) {
    case 'result':
      return servicenowValues(object, references);
    case 'rows':
      return snipeValues(object);
    case 'Devices':
      return device42Values(object);
    case 'items':
      return isObject(object['assetBasicInfo']) ? lansweeperValues(object) : allTexts(object);
    default:
      return allTexts(object);
  }
}

interface Page {
  readonly list: readonly unknown[];
  /** What the list is called in its object. */
  readonly name?: string;
  /** Where the object stands, if the file holds several: `[1].` */
  readonly place: string;
  readonly count?: PageCount;
}

/** The lists of a file: one, or several pages in an array, as `jq -s` makes them. */
function pagesOf(value: unknown): Page[] | undefined {
  if (Array.isArray(value)) {
    const pages = value.map((one, at) => pageOf(one, `[${at}].`));
    const whole = pages.filter((page) => page !== undefined);
    return value.length > 0 && whole.length === value.length ? whole : [{ list: value, place: '' }];
  }
  const page = pageOf(value, '');
  return page === undefined ? undefined : [page];
}

function pageOf(value: unknown, place: string): Page | undefined {
  if (!isObject(value)) return undefined;
  const inner = lansweeperResources(value);
  const object = inner ?? value;
  const name = LISTS.find((one) => Array.isArray(object[one]));
  if (name === undefined || (name === 'assets' && place !== '')) return undefined;
  const list = object[name] as readonly unknown[];
  const total = object['count'] ?? object['total'] ?? object['total_count'];
  const called = inner === undefined ? name : `data.site.assetResources.${name}`;
  return {
    list,
    place,
    // The list of our own form needs no name.
    ...(name === 'assets' ? {} : { name: called }),
    ...(typeof total === 'number' ? { count: { list: called, here: list.length, total } } : {}),
  };
}

function lansweeperResources(value: JsonObject): JsonObject | undefined {
  const data = isObject(value['data']) ? value['data'] : value;
  const site = isObject(data['site']) ? data['site'] : {};
  return isObject(site['assetResources']) ? site['assetResources'] : undefined;
}
