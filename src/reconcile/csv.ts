import { readCsvText } from '../csv.ts';
import { isKnownHeading } from './headings.ts';
import { isInfoblox, readInfoblox } from './systems/infoblox.ts';
import { isNetboxHeadings, netboxRow } from './systems/netbox-csv.ts';
import { type ListTable, tableOf } from './table.ts';

/** Reads a list as CSV. @param isKnown what counts as a heading besides those that are known */
export function readCsv(text: string, file: string, isMapped: (heading: string) => boolean): ListTable {
  if (isInfoblox(text)) return readInfoblox(text, file);
  const { headings, headingLine, titled, rows } = readCsvText(text, (heading) => isMapped(heading) || isKnownHeading(heading));
  const notes = titled ? [`its headings are in line ${headingLine}; what stands above is not read`] : [];
  const listed = rows.map(({ line, cells, wrong }) => {
    const source = { file, line };
    return { source, place: source, cells: cells.map((cell) => [cell]), ...(wrong === undefined ? {} : { wrong }) };
  });
  if (!isNetboxHeadings(headings, isMapped)) return { headings, rows: listed, notes };
  return tableOf(
    listed.flatMap((row) => netboxRow(row, headings)),
    { notes: [...notes, 'it is read as an export of NetBox'] },
  );
}
