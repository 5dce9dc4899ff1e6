import { InputError, inputError, type Problem, problem } from '../errors.ts';
import { count, printable, shortened } from '../text.ts';
import type { ApprovedAsset, ApprovedList, SetAside } from './asset.ts';
import {
  classOf,
  cleanCell,
  dateText,
  hostName,
  isBlank,
  isEnded,
  type Item,
  readDate,
  readHosts,
  readMacs,
  readSerial,
  readSpki,
  readUuids,
  readYesNo,
  shown,
} from './cells.ts';
import { readCsv } from './csv.ts';
import { readListText } from './decode.ts';
import { type Columns, isJoined, type Meaning, readHeadings } from './headings.ts';
import { readJson } from './json.ts';
import type { ListRow } from './table.ts';
import { type ApprovalWindow, parseWindow } from './windows.ts';

const MAX_LISTED = 20;
const MAX_TEXT = 200;

/**
 * Reads the list of approved assets: CSV with the headings of the usual inventory systems, or JSON. docs/reconcile.md describes both.
 * A record with something wrong in it is left out and reported, in one problem for each, and the others are kept.
 * @throws {InputError} where the file cannot be read, has no column that names a device, or no record that can be used; with all that was found
 */
export function readApproved(file: string): ApprovedList {
  const { text, note } = readListText(file);
  const { headings, rows } = /^\s*[[{]/.test(text) ? readJson(text, file) : readCsv(text, file);
  if (headings.length === 0) throw inputError('empty-file', { file, what: 'approved assets' });
  const columns = readHeadings(headings);
  if (!columns.identifying)
    throw inputError('no-identifier-column', { headings: headings.map((heading) => shown(heading.trim())).join(', ') }, { file });
  const problems: Problem[] = [];
  const assets: ApprovedAsset[] = [];
  const leftOut: SetAside[] = [];
  const notApproved: SetAside[] = [];
  const unknownClasses = new Map<string, number>();
  for (const row of rows) {
    const { asset, wrong, why, unknownClass } = readRow(row, columns);
    if (why !== undefined) notApproved.push({ asset, why });
    else if (wrong.length > 0) {
      problems.push(problem('bad-approved', { reason: `${wrong.join('; ')} (the record is left out)` }, row.place));
      leftOut.push({ asset, why: 'it is left out because of what is wrong in it' });
    } else {
      assets.push(asset);
      if (unknownClass !== undefined) unknownClasses.set(unknownClass, (unknownClasses.get(unknownClass) ?? 0) + 1);
    }
  }
  if (assets.length === 0) throw new InputError([...problems, problem('no-approved', {}, { file })]);
  const notes = [
    ...(note === undefined ? [] : [note]),
    ...columns.notes,
    ...notApprovedNote(notApproved),
    ...[...unknownClasses].map(
      ([word, records]) => `the class ${shown(word)} is none of ours and is not compared (${count(records, 'record')})`,
    ),
    ...(leftOut.length === 0 ? [] : [`${count(leftOut.length, 'record')} of ${rows.length} left out because of what is wrong in them`]),
  ];
  return { assets, problems, notes: notes.map((one) => `${file}: ${one}`), setAside: [...leftOut, ...notApproved] };
}

function notApprovedNote(setAside: readonly SetAside[]): string[] {
  if (setAside.length === 0) return [];
  const places = setAside.slice(0, MAX_LISTED).map(({ asset: { source } }) => source.line ?? `[${source.index}]`);
  const more = setAside.length > MAX_LISTED ? ' …' : '';
  return [`${count(setAside.length, 'record')} approve nothing, by their status or because they say so: ${places.join(', ')}${more}`];
}

interface ReadRow {
  readonly asset: ApprovedAsset;
  readonly wrong: readonly string[];
  /** Why the record approves nothing. */
  readonly why?: string;
  readonly unknownClass?: string;
}

const NOTHING = { serials: [], macs: [], uuids: [], names: [], addresses: [], windows: [] };

function readRow(row: ListRow, columns: Columns): ReadRow {
  // Where a separator is missing or too many, no cell is sure to stand under its heading.
  if (row.wrong !== undefined) return { asset: { ...NOTHING, source: row.source }, wrong: [row.wrong] };
  const wrong: string[] = [];
  const cells = (meaning: Meaning): readonly Cell[] => cellsOf(row, columns, meaning);
  const text = (meaning: Meaning): string | undefined => cells(meaning)[0]?.text;
  const keep = <T>(items: readonly Item<T>[]): T[] =>
    items.flatMap((item) => {
      if (item !== undefined && 'wrong' in item) wrong.push(item.wrong);
      return item !== undefined && 'value' in item ? [item.value] : [];
    });
  const each = <T>(meaning: Meaning, read: (cell: string) => readonly Item<T>[]): T[] => [
    ...new Set(keep(cells(meaning).flatMap((cell) => read(cell.text)))),
  ];
  const one = <T>(meaning: Meaning, read: (cell: string) => Item<T>): T | undefined => each(meaning, (cell) => [read(cell)])[0];

  const numbers = { serials: each('serial', (cell) => [readSerial(cell)]), macs: each('mac', readMacs), uuids: each('uuid', readUuids) };
  const hosts = [...each('address', (cell) => readHosts(cell, 'address')), ...each('host', (cell) => readHosts(cell, 'host'))];
  const names = hosts.flatMap((host) => ('name' in host ? [host.name] : []));
  const label = text('name');
  // A name for people that could be a host's may be one.
  if (names.length === 0 && label !== undefined) names.push(...[hostName(label)].filter((name) => name !== undefined));
  const windows = one<readonly ApprovalWindow[]>('window', readWindows) ?? [];
  const validFrom = one('validFrom', (cell) => readDate(cell, 'begin'));
  const validUntil = one('validUntil', (cell) => readDate(cell, 'end'));
  if (validFrom !== undefined && validUntil !== undefined && validFrom > validUntil)
    wrong.push(`the approval ends (${dateText(validUntil)}) before it begins (${dateText(validFrom)})`);
  const ignored = one('ignore', readYesNo) === true;
  const reason = text('reason');
  if (ignored && reason === undefined) wrong.push('an exception needs a reason');
  const classText = text('class');
  const kind = classText === undefined ? undefined : classOf(classText);
  const asset: ApprovedAsset = {
    ...known({ id: text('id'), ticket: text('ticket'), name: label ?? text('host') }),
    ...numbers,
    names: [...new Set(names)],
    addresses: [...new Set(hosts.flatMap((host) => ('address' in host ? [host.address] : [])))],
    ...(kind === undefined ? {} : { class: kind }),
    ...known({ vendor: text('vendor'), product: text('product'), model: text('model'), version: text('version') }),
    ...known({ certificate: one('certificate', readSpki), owner: text('owner'), site: text('site'), validFrom, validUntil }),
    windows,
    ...(ignored && reason !== undefined ? { ignored: { reason } } : {}),
    source: row.source,
  };
  if (![...Object.values(numbers), asset.names, asset.addresses].some((list) => list.length > 0) && wrong.length === 0)
    wrong.push('nothing in it names a device (a serial number, MAC, UUID, host name or IP address)');
  const approval = ignored ? undefined : approvalOf(columns, cells);
  if (approval !== undefined && 'wrong' in approval) wrong.push(approval.wrong);
  const why = endedBecause(cells('status')) ?? (approval !== undefined && 'why' in approval ? approval.why : undefined);
  return {
    asset,
    wrong,
    ...(why === undefined ? {} : { why }),
    ...(classText !== undefined && kind === undefined ? { unknownClass: classText } : {}),
  };
}

interface Cell {
  readonly heading: string;
  readonly text: string;
}

/** What stands under the most specific heading of a meaning that is filled in this row. */
function cellsOf(row: ListRow, columns: Columns, meaning: Meaning): readonly Cell[] {
  const filled = (columns.of.get(meaning) ?? []).flatMap((column) =>
    (row.cells[column.index] ?? [])
      .map(cleanCell)
      .filter((text) => !isBlank(text))
      .map((text) => ({ column, heading: column.heading, text })),
  );
  const first = filled[0]?.column;
  return filled.filter(({ column }) => column === first || (isJoined(meaning) && column.group === first?.group));
}

function known<K extends string>(values: Readonly<Record<K, string | undefined>>): { readonly [key in K]?: string } {
  const found: { [key in K]?: string } = {};
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) found[key] = shortened(printable(value), MAX_TEXT);
  }
  return found;
}

/** Several windows are separated by `;` or stand on lines of their own. */
function readWindows(cell: string): Item<readonly ApprovalWindow[]> {
  const read = cell
    .split(/[;\n]/)
    .filter((part) => part.trim() !== '')
    .map(parseWindow);
  const wrong = read.flatMap((window) => ('reason' in window ? [window.reason] : []));
  return wrong.length > 0 ? { wrong: wrong.join('; ') } : { value: read.flatMap((window) => ('reason' in window ? [] : [window])) };
}

/** What a column `Approved` says against the record; undefined where there is none, or it says yes. */
function approvalOf(
  columns: Columns,
  cells: (meaning: Meaning) => readonly Cell[],
): { readonly why: string } | { readonly wrong: string } | undefined {
  const [column] = columns.of.get('approved') ?? [];
  if (column === undefined) return undefined;
  const [cell] = cells('approved');
  const read = readYesNo(cell?.text ?? '');
  if (read !== undefined && 'wrong' in read) return { wrong: read.wrong };
  if (read?.value === true) return undefined;
  return { why: cell === undefined ? `its "${column.heading}" is empty` : `its "${cell.heading}" is ${shown(cell.text)}` };
}

function endedBecause(statuses: readonly Cell[]): string | undefined {
  const ended = statuses.find(({ text, heading }) => isEnded(text, heading));
  return ended === undefined ? undefined : `its "${ended.heading}" is ${shown(ended.text)}`;
}
