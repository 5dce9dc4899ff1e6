import type { Place } from '../errors.ts';
import type { AssetSource } from './asset.ts';
import type { Meaning } from './headings.ts';

/** One record as it was written. */
export interface ListRow {
  readonly source: AssetSource;
  readonly place: Place;
  /** By column; a cell of a JSON list may hold several values. */
  readonly cells: readonly (readonly string[])[];
  /** Why it is no record, where it is none. */
  readonly wrong?: string;
  /** Why it approves nothing, where its system says so in another way than by a status. */
  readonly why?: string;
  /** A computer whose controller has a record of its own. */
  readonly computer?: true;
}

/** A list as headings and rows, whatever it was written in. */
export interface ListTable {
  readonly headings: readonly string[];
  readonly rows: readonly ListRow[];
  /** What this system means by headings that others mean something else by. */
  readonly own?: ReadonlyMap<string, Meaning>;
  /** What is to be known of how it was read. */
  readonly notes?: readonly string[];
}

/** A record as a system's reader makes it: what it says by heading. */
export interface Entry extends Omit<ListRow, 'cells'> {
  readonly values: Readonly<Record<string, readonly string[]>>;
}

/** Entries as a table: each heading that any of them has is a column. */
export function tableOf(entries: readonly Entry[], rest: Pick<ListTable, 'own' | 'notes'> = {}): ListTable {
  const headings = [...new Set(entries.flatMap(({ values }) => Object.keys(values)))];
  return {
    headings,
    rows: entries.map(({ values, ...row }) => ({ ...row, cells: headings.map((heading) => values[heading] ?? []) })),
    ...rest,
  };
}
