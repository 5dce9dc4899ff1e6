import { stringify } from 'csv-stringify/sync';
import { printable } from '../text.ts';

/** A column of a table that people open in a spreadsheet. */
export interface CsvColumn<T> {
  readonly title: string;
  readonly of: (row: T) => string | undefined;
}

/** Several values in one cell. */
export const BETWEEN = '; ';

/**
 * Rows as CSV for people: a header, commas, UTF-8. Cells are cleaned, and one that a spreadsheet would take for a formula gets a `'` in front
 * (OWASP, CSV injection): names and titles come from devices.
 */
export function peopleCsv<T>(rows: readonly T[], columns: readonly CsvColumn<T>[]): string {
  const cells = rows.map((row) => columns.map(({ of }) => printable(of(row) ?? '')));
  return stringify([columns.map(({ title }) => title), ...cells], { escape_formulas: true });
}
