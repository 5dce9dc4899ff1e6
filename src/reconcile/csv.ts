import { readCsvText } from '../csv.ts';
import { isKnownHeading } from './headings.ts';
import type { ListTable } from './table.ts';

/** Reads a list as CSV. */
export function readCsv(text: string, file: string): ListTable {
  const { headings, rows } = readCsvText(text, isKnownHeading);
  return {
    headings,
    rows: rows.map(({ line, cells, wrong }) => {
      const source = { file, line };
      return { source, place: source, cells: cells.map((cell) => [cell]), ...(wrong === undefined ? {} : { wrong }) };
    }),
  };
}
