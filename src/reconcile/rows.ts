import { printable, shortened } from '../text.ts';
import type { ApprovedAsset } from './asset.ts';
import {
  classOf,
  cleanCell,
  type DateFormat,
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
import type { DeviceClass } from '../vocabulary.ts';
import { type Column, type Columns, isJoined, type Meaning } from './headings.ts';
import type { ListRow } from './table.ts';
import { type TimeWindow, parseWindow } from '../windows.ts';

const MAX_TEXT = 200;

/** A row, and what became of it. */
export interface ReadRow {
  readonly asset: ApprovedAsset;
  readonly wrong: readonly string[];
  /** Why the record approves nothing. */
  readonly why?: string;
  readonly unknownClass?: string;
}

const NOTHING = { serials: [], macs: [], uuids: [], names: [], addresses: [], windows: [] };

/** Reads a record. @param dateFormat how dates are written that are not ISO 8601 */
export function readRow(row: ListRow, columns: Columns, dateFormat?: DateFormat): ReadRow {
  // Where a separator is missing or too many, no cell is sure to stand under its heading.
  if (row.wrong !== undefined) return { asset: { ...NOTHING, source: row.source }, wrong: [row.wrong] };
  const cells = new Cells(row, columns);
  const { wrong } = cells;
  const numbers = {
    serials: cells.each('serial', (cell) => [readSerial(cell)]),
    macs: cells.each('mac', readMacs),
    uuids: cells.each('uuid', readUuids),
  };
  const hosts = [...cells.each('address', (cell) => readHosts(cell, 'address')), ...cells.each('host', (cell) => readHosts(cell, 'host'))];
  const names = hosts.flatMap((host) => ('name' in host ? [host.name] : []));
  const label = cells.text('name');
  // A name for people that could be a host's may be one.
  if (names.length === 0 && label !== undefined) names.push(...[hostName(label)].filter((name) => name !== undefined));
  const validity = readValidity(cells, dateFormat);
  const classText = cells.text('class');
  const kind = readClass(cells.of('class'));
  const asset: ApprovedAsset = {
    ...known({ id: cells.text('id'), ticket: cells.text('ticket'), name: label ?? (names.length > 1 ? names[0] : cells.text('host')) }),
    ...numbers,
    names: [...new Set(names)],
    addresses: [...new Set(hosts.flatMap((host) => ('address' in host ? [host.address] : [])))],
    ...(kind === undefined ? {} : { class: kind }),
    ...known({ vendor: cells.text('vendor'), product: cells.text('product'), model: cells.text('model'), version: cells.text('version') }),
    ...known({ certificate: cells.one('certificate', readSpki), owner: cells.text('owner'), site: cells.text('site') }),
    ...validity,
    ...(row.computer === undefined ? {} : { computer: row.computer }),
    source: row.source,
  };
  if (![...Object.values(numbers), asset.names, asset.addresses].some((list) => list.length > 0) && wrong.length === 0)
    wrong.push('nothing in it names a device (a serial number, MAC, UUID, host name or IP address)');
  const why = row.why ?? whyNotApproved(cells, columns, validity.ignored !== undefined);
  return {
    asset,
    wrong,
    ...(why === undefined ? {} : { why }),
    ...(classText !== undefined && kind === undefined ? { unknownClass: classText } : {}),
  };
}

/** Why a record approves nothing: it has ended, or says no. */
export function whyNotApproved(cells: Cells, columns: Columns, ignored: boolean): string | undefined {
  const approval = ignored ? undefined : approvalOf(columns, cells);
  if (approval !== undefined && 'wrong' in approval) cells.wrong.push(approval.wrong);
  return endedBecause(cells.of('status')) ?? (approval !== undefined && 'why' in approval ? approval.why : undefined);
}

/** When an approval counts, and whether it is an exception instead. */
export type Validity = Pick<ApprovedAsset, 'validFrom' | 'validUntil' | 'windows' | 'ignored'>;

export function readValidity(cells: Cells, dateFormat: DateFormat | undefined): Validity {
  const { wrong } = cells;
  const windows = cells.one<readonly TimeWindow[]>('window', readWindows) ?? [];
  const validFrom = cells.one('validFrom', (cell) => readDate(cell, 'begin', dateFormat));
  const validUntil = cells.one('validUntil', (cell) => readDate(cell, 'end', dateFormat));
  if (validFrom !== undefined && validUntil !== undefined && validFrom > validUntil)
    wrong.push(`the approval ends (${dateText(validUntil)}) before it begins (${dateText(validFrom)})`);
  const ignored = cells.one('ignore', readYesNo) === true;
  const reason = cells.text('reason');
  if (ignored && reason === undefined) wrong.push('an exception needs a reason');
  return {
    ...known({ validFrom, validUntil }),
    windows,
    ...(ignored && reason !== undefined ? { ignored: { reason } } : {}),
  };
}

/** The first word in some cells that is one of our classes; a cell may hold several (`server|bmc`). */
function readClass(cells: readonly Cell[]): DeviceClass | undefined {
  return cells
    .flatMap(({ text, heading }) => [text, ...text.split(/[|;,]/)].map((word) => classOf(word, heading)))
    .find((kind) => kind !== undefined);
}

interface Cell {
  readonly heading: string;
  readonly text: string;
}

/** The cells of a row by what they mean, and all that is wrong with those that were read. */
export class Cells {
  readonly wrong: string[] = [];
  readonly #row: ListRow;
  readonly #columns: Columns;

  constructor(row: ListRow, columns: Columns) {
    this.#row = row;
    this.#columns = columns;
  }

  /** What stands under the most specific heading of a meaning that is filled in this row. */
  of(meaning: Meaning): readonly Cell[] {
    let first: Column | undefined;
    const found: Cell[] = [];
    for (const column of this.#columns.of.get(meaning) ?? []) {
      if (first !== undefined && !(isJoined(meaning) && column.group === first.group)) break;
      for (const raw of this.#row.cells[column.index] ?? []) {
        const text = cleanCell(raw);
        if (isBlank(text)) continue;
        first = column;
        found.push({ heading: column.heading, text });
      }
    }
    return found;
  }

  text(meaning: Meaning): string | undefined {
    return this.of(meaning)[0]?.text;
  }

  each<T>(meaning: Meaning, read: (cell: string) => readonly Item<T>[]): T[] {
    const cells = this.of(meaning);
    if (cells.length === 0) return [];
    const values = new Set<T>();
    for (const item of cells.flatMap(({ text }) => read(text))) {
      if (item === undefined) continue;
      if ('wrong' in item) this.wrong.push(item.wrong);
      else values.add(item.value);
    }
    return [...values];
  }

  one<T>(meaning: Meaning, read: (cell: string) => Item<T>): T | undefined {
    return this.each(meaning, (cell) => [read(cell)])[0];
  }
}

export function known<K extends string>(values: Readonly<Record<K, string | undefined>>): { readonly [key in K]?: string } {
  const found: { [key in K]?: string } = {};
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) found[key] = shortened(printable(value), MAX_TEXT);
  }
  return found;
}

/** Several windows are separated by `;` or stand on lines of their own. */
function readWindows(cell: string): Item<readonly TimeWindow[]> {
  const read = cell
    .split(/[;\n]/)
    .filter((part) => part.trim() !== '')
    .map((text) => parseWindow(text));
  const wrong = read.flatMap((window) => ('reason' in window ? [window.reason] : []));
  return wrong.length > 0 ? { wrong: wrong.join('; ') } : { value: read.flatMap((window) => ('reason' in window ? [] : [window])) };
}

/** What a column `Approved` says against the record; undefined where there is none, or it says yes. */
function approvalOf(columns: Columns, cells: Cells): { readonly why: string } | { readonly wrong: string } | undefined {
  const [column] = columns.of.get('approved') ?? [];
  if (column === undefined) return undefined;
  const [cell] = cells.of('approved');
  const read = readYesNo(cell?.text ?? '');
  if (read !== undefined && 'wrong' in read) return { wrong: read.wrong };
  if (read?.value === true) return undefined;
  return { why: cell === undefined ? `its "${column.heading}" is empty` : `its "${cell.heading}" is ${shown(cell.text)}` };
}

function endedBecause(statuses: readonly Cell[]): string | undefined {
  const ended = statuses.find(({ text, heading }) => isEnded(text, heading));
  return ended === undefined ? undefined : `its "${ended.heading}" is ${shown(ended.text)}`;
}
