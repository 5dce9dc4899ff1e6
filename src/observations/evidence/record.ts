import type { Place } from '../../errors.ts';

/** A row of CSV, an object of JSON, an event of XML: its fields by their names, and where it stands. */
export interface EvidenceRecord {
  readonly place: Place;
  readonly fields: Readonly<Record<string, unknown>>;
}
