import { CsvError, parse } from 'csv-parse/sync';

/** The most specific first: where a first line can be read in several ways, a tab is no accident. */
const SEPARATORS = ['\t', ';', '|', ','] as const;
/** A cell with more lines than this is one whose quotes are never closed. */
const MAX_LINES = 100;
const MAX_RECORD = 1024 * 1024; // characters

/** One record as it was written. */
export interface CsvRow {
  /** Where it begins; counts from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** Why it is no record, where it is none. */
  readonly wrong?: string;
}

export interface CsvTable {
  readonly headings: readonly string[];
  readonly rows: readonly CsvRow[];
}

/**
 * Reads CSV: separated by `,` `;` `|` or tabs, with any line ends, after a first line `sep=;` (Excel) or `#TYPE …` (Windows PowerShell).
 * A row that is no row costs that row only.
 * @param isKnown whether a heading is one that is looked for: the separator is that which makes the most of them
 */
export function readCsvText(text: string, isKnown: (heading: string) => boolean): CsvTable {
  const lines = text.split(/\r\n|\n|\r/);
  let at = 0;
  let separator: string | undefined;
  const skipBlank = (): void => {
    while (at < lines.length && lines[at]?.trim() === '') at += 1;
  };
  skipBlank();
  for (let preamble = true; preamble; skipBlank()) {
    const line = lines[at] ?? '';
    const declared = /^"?sep=(.)"?$/i.exec(line.trimEnd() === 'sep=' ? line : line.trim())?.[1];
    preamble = declared !== undefined || /^"?#TYPE /.test(line);
    separator = declared ?? separator;
    if (preamble) at += 1;
  }
  if (at >= lines.length) return { headings: [], rows: [] };
  separator ??= separatorOf(lines, at, isKnown);
  let headings: readonly string[] | undefined;
  const rows: CsvRow[] = [];
  while (at < lines.length) {
    const line = at + 1;
    const record = readRecord(lines, at, separator);
    at += record.lines;
    if ('reason' in record) {
      if (headings === undefined) headings = (lines[at - record.lines] ?? '').split(separator);
      else rows.push({ line, cells: [], wrong: record.reason });
      continue;
    }
    if (record.cells.every((cell) => cell.trim() === '')) continue;
    if (headings === undefined) headings = record.cells;
    else rows.push({ line, ...shaped(record.cells, headings.length) });
  }
  return { headings: headings ?? [], rows };
}

/** Cells that a spreadsheet adds behind the last column, all empty, are no fault. */
function shaped(cells: readonly string[], columns: number): Omit<CsvRow, 'line'> {
  const used = cells.findLastIndex((cell) => cell.trim() !== '') + 1;
  const wrong =
    used > columns
      ? `it has ${used} cells, and there are ${columns} headings; a value that holds the separator stands in quotes`
      : cells.length < columns
        ? `it has ${cells.length} cells, and there are ${columns} headings`
        : undefined;
  return { cells, ...(wrong === undefined ? {} : { wrong }) };
}

type CsvRecord = { readonly lines: number; readonly cells: readonly string[] } | { readonly lines: number; readonly reason: string };

/** The record that begins at a line: that line, and those after it that its quotes reach over. */
function readRecord(lines: readonly string[], from: number, separator: string): CsvRecord {
  let text = '';
  for (let taken = 1; taken <= MAX_LINES && from + taken <= lines.length && text.length < MAX_RECORD; taken += 1) {
    const line = lines[from + taken - 1] ?? '';
    // Only a quote can end what a quote began.
    text = taken === 1 ? line : `${text}\n${line}`;
    if (taken > 1 && !line.includes('"')) continue;
    const cells = parseRecord(text, separator);
    if (Array.isArray(cells)) return { lines: taken, cells };
    if (cells !== 'open') return { lines: 1, reason: 'text stands behind a closing quote; a quote within quotes is doubled ("")' };
  }
  return { lines: 1, reason: 'its quotes are never closed' };
}

function parseRecord(text: string, separator: string): string[] | 'open' | 'broken' {
  try {
    return (
      parse(text, {
        delimiter: separator,
        record_delimiter: ['\0'],
        relax_quotes: true,
        trim: separator !== '\t',
        max_record_size: 2 * MAX_RECORD,
      })[0] ?? ['']
    );
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'open' : 'broken';
  }
}

/** The separator with which the first line has the most known headings; where there is but one heading, a tab, so that its cells may hold lists. */
function separatorOf(lines: readonly string[], from: number, isKnown: (heading: string) => boolean): string {
  const fits = SEPARATORS.map((separator) => {
    const record = readRecord(lines, from, separator);
    const headings = 'cells' in record ? record.cells.filter((cell) => /[\p{L}\p{N}]/u.test(cell)) : [];
    return { separator, known: headings.filter(isKnown).length, all: headings.length };
  });
  const [best] = fits.toSorted((a, b) => b.known - a.known || b.all - a.all);
  return best?.separator ?? ',';
}
