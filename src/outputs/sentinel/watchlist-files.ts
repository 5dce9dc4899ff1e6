import { stringify } from 'csv-stringify/sync';
import { jsonDocument, jsonLines } from '../json.ts';
import { armLiteral, armTemplate, type ArmValue } from './arm.ts';
import type { Row, Watchlist } from './columns.ts';
import type { ListChanges } from './items.ts';
import { bytesOf, LIMITS, partsOf } from './limits.ts';

/** A file of the bundle, by its name in the folder. */
export interface BundleFile {
  readonly name: string;
  readonly text: string;
}

/** One watchlist of a bundle: what changes in it, its files, and how they are called. */
export interface BundleList extends ListChanges {
  readonly watchlist: Watchlist;
  readonly files: readonly BundleFile[];
  readonly names: {
    /** The list without rows, as a REST body. */
    readonly empty: string;
    /** The whole list: as CSV, as a REST body, as a template; several where one would be too large. */
    readonly csv: readonly string[];
    readonly bodies: readonly string[];
    readonly templates: readonly string[];
    /** What changes: rows with their ids, ids to delete, rows as flat objects. */
    readonly items: string;
    readonly deleted: string;
    readonly flat: string;
  };
}

/** Every form in which Microsoft Sentinel takes a watchlist. */
export function bundleList(watchlist: Watchlist, changes: ListChanges): BundleList {
  const { items, changed, deleted } = changes;
  const { alias, key } = watchlist;
  const lines = csvLines(
    watchlist,
    items.map(({ row }) => row),
  );
  const [header = '', ...rows] = lines;
  const csvParts = splitCsv(header, rows, LIMITS.csvBytes);
  const csv = csvParts.map((text, i) => ({ name: `${alias}${numbered(i, csvParts)}.csv`, text }));
  const bodies = csvParts.map((text, i) => ({
    name: `${alias}${numbered(i, csvParts)}.body.json`,
    text: jsonDocument({ properties: withRows(watchlist, text) }),
  }));
  const armParts = splitCsv(header, rows, LIMITS.templateBytes);
  const templates = armParts.map((text, i) => ({
    name: `${alias}${numbered(i, armParts)}.arm.json`,
    text: jsonDocument(watchlistTemplate(watchlist, text)),
  }));
  const single = {
    empty: { name: `${alias}.list.json`, text: jsonDocument({ properties: withoutRows(watchlist) }) },
    items: {
      name: `${alias}.items.ndjson`,
      text: jsonLines(changed.map(({ id, row }) => ({ id, body: { properties: { itemsKeyValue: row } } }))),
    },
    deleted: { name: `${alias}.deleted.ndjson`, text: jsonLines(deleted.map(({ id, row }) => ({ id, searchKey: row[key] ?? '' }))) },
    flat: { name: `${alias}.changed.json`, text: jsonDocument(changed.map(({ row }) => row)) },
  };
  return {
    watchlist,
    ...changes,
    files: [...csv, ...bodies, ...templates, ...Object.values(single)],
    names: {
      empty: single.empty.name,
      csv: csv.map(({ name }) => name),
      bodies: bodies.map(({ name }) => name),
      templates: templates.map(({ name }) => name),
      items: single.items.name,
      deleted: single.deleted.name,
      flat: single.flat.name,
    },
  };
}

function numbered(i: number, parts: readonly unknown[]): string {
  return parts.length === 1 ? '' : `-${i + 1}`;
}

/** The lines of a CSV with its header, each with its CRLF. Cells hold no line break, so a line is a row. */
function csvLines({ columns }: Watchlist, rows: readonly Row[]): string[] {
  const names = columns.map(({ name }) => name);
  const text = stringify([names, ...rows.map((row) => names.map((name) => row[name] ?? ''))], { record_delimiter: '\r\n' });
  return text.match(/[^\n]*\n/g) ?? [];
}

/** One CSV, or several that each have the header, where one would be too large. */
function splitCsv(header: string, lines: readonly string[], max: number): string[] {
  const parts = partsOf(lines, bytesOf, max, bytesOf(header));
  return parts.length === 0 ? [header] : parts.map((part) => header + part.join(''));
}

/**
 * `WatchlistProperties` of api-version 2025-09-01 (Azure/azure-rest-api-specs, Microsoft.SecurityInsights/stable/2025-09-01/Watchlists.json).
 * Without `rawContent` the list is made, and holds no item.
 */
function withoutRows({ alias, displayName, description, key }: Watchlist): Record<string, string> {
  return { displayName, provider: 'kvmsweep', source: `${alias}.csv`, sourceType: 'Local', description, itemsSearchKey: key };
}

function withRows(watchlist: Watchlist, csv: string): Record<string, string | number> {
  return { ...withoutRows(watchlist), contentType: 'text/csv', numberOfLinesToSkip: 0, rawContent: csv };
}

/** A template that deploys to the resource group of the workspace. */
function watchlistTemplate(watchlist: Watchlist, csv: string): ArmValue {
  return armTemplate({
    parameters: { workspaceName: { type: 'string' } },
    resources: [
      {
        type: 'Microsoft.OperationalInsights/workspaces/providers/watchlists',
        apiVersion: '2025-09-01',
        name: `[concat(parameters('workspaceName'),'/Microsoft.SecurityInsights/${watchlist.alias}')]`,
        properties: armLiteral(withRows(watchlist, csv)),
      },
    ],
  });
}
