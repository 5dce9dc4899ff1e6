import type { Place } from '../errors.ts';
import type { AssetSource } from './asset.ts';

/** One record as it was written. */
export interface ListRow {
  readonly source: AssetSource;
  readonly place: Place;
  /** By column; a cell of a JSON list may hold several values. */
  readonly cells: readonly (readonly string[])[];
  /** Why it is no record, where it is none. */
  readonly wrong?: string;
}

/** A list as headings and rows, whatever it was written in. */
export interface ListTable {
  readonly headings: readonly string[];
  readonly rows: readonly ListRow[];
}
