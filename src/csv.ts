import { CsvError, parse } from 'csv-parse/sync';

/** The most specific first: where a first line can be read in several ways, a tab is no accident. */
const SEPARATORS = ['\t', ';', '|', ','] as const;
/** A cell with more lines than this is one whose quotes are never closed. */
const MAX_LINES = 100;
const MAX_RECORD = 1024 * 1024; // characters
/** A table begins within so many lines of its file. */
const MAX_TITLE_LINES = 10;
/** So many lines are parsed at once, and fewer where something is wrong in them: a parser for each record costs more than the parsing. Fewer than MAX_LINES. */
const BLOCK_LINES = [64, 8] as const;

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
  /** The line of the headings, from 1; 0 where there are none. */
  readonly headingLine: number;
  /** Whether lines before it are no headings, such as the title that phpIPAM writes over its table. */
  readonly titled: boolean;
  readonly rows: readonly CsvRow[];
}

/**
 * Reads CSV: separated by `,` `;` `|` or tabs, with any line ends, after a first line `sep=;` (Excel) or `#TYPE …` (Windows PowerShell), or after the
 * title of the table. A row that is no row costs that row only.
 * @param isKnown whether a heading is one that is looked for: the separator is that which makes the most of them
 */
export function readCsvText(text: string, isKnown: (heading: string) => boolean): CsvTable {
  const { lines, at, separator: declared } = csvLines(text);
  if (at >= lines.length) return { headings: [], headingLine: 0, titled: false, rows: [] };
  const start = headingsOf(lines, at, declared, isKnown);
  const separator = declared ?? start.separator;
  let headings: readonly string[] | undefined;
  let headingLine = 0;
  const rows: CsvRow[] = [];
  for (const { line, cells, wrong } of recordsOf(lines, start.at, separator)) {
    if (headings !== undefined) rows.push({ line, ...(wrong === undefined ? shaped(cells, headings.length) : { cells, wrong }) });
    else {
      headings = wrong === undefined ? cells : (lines[line - 1] ?? '').split(separator);
      headingLine = line;
    }
  }
  return { headings: headings ?? [], headingLine, titled: start.at > at, rows };
}

/** The lines of a CSV file, the first of them that is no blank, `sep=` or `#TYPE`, and the separator that the file names. */
export function csvLines(text: string): { readonly lines: readonly string[]; readonly at: number; readonly separator: string | undefined } {
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
  return { lines, at, separator };
}

/** The records from a line on, in order, without those that are blank. */
export function* recordsOf(lines: readonly string[], from: number, separator: string): Generator<CsvRow> {
  for (let at = from; at < lines.length;) {
    const block = firstBlock(lines, at, separator);
    if (block === undefined) {
      const record = readRecord(lines, at, separator);
      if ('reason' in record) yield { line: at + 1, cells: [], wrong: record.reason };
      else if (!isBlankRecord(record.cells)) yield { line: at + 1, cells: record.cells };
      at += record.lines;
      continue;
    }
    for (const { line, cells } of block.records) if (!isBlankRecord(cells)) yield { line: at + line, cells };
    at += block.lines;
  }
}

function isBlankRecord(cells: readonly string[]): boolean {
  return cells.every((cell) => cell.trim() === '');
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
    return parse(text, { ...PARSING, delimiter: separator, record_delimiter: ['\0'], trim: separator !== '\t' })[0] ?? [''];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'open' : 'broken';
  }
}

const PARSING = { relax_quotes: true, relax_column_count: true, max_record_size: 2 * MAX_RECORD } as const;

interface Block {
  readonly lines: number;
  /** Lines count from 1, the first of the block. */
  readonly records: readonly { readonly line: number; readonly cells: readonly string[] }[];
}

/** The records of the next lines, as many as can be read at once; undefined where a quote is never closed in them, or something is wrong. */
function firstBlock(lines: readonly string[], from: number, separator: string): Block | undefined {
  for (const size of BLOCK_LINES) {
    const block = readBlock(lines.slice(from, from + size), separator);
    if (block !== undefined) return block;
  }
  return undefined;
}

function readBlock(lines: readonly string[], separator: string): Block | undefined {
  try {
    const parsed = parse(lines.join('\n'), {
      ...PARSING,
      delimiter: separator,
      record_delimiter: ['\n'],
      trim: separator !== '\t',
      info: true,
    }) as unknown as readonly { readonly record: string[]; readonly info: { readonly lines: number } }[];
    let line = 1;
    const records = parsed.map(({ record, info }) => {
      const begin = line;
      line = info.lines + 1;
      return { line: begin, cells: record };
    });
    return { lines: lines.length, records };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return undefined;
  }
}

/** Where the headings stand, and their separator: in the first line, unless that knows none and one soon after it knows two at least. */
function headingsOf(
  lines: readonly string[],
  from: number,
  declared: string | undefined,
  isKnown: (heading: string) => boolean,
): { readonly at: number; readonly separator: string } {
  const separators = declared === undefined ? SEPARATORS : [declared];
  const first = { at: from, ...separatorOf(lines, from, separators, isKnown) };
  if (first.known > 0) return first;
  for (let at = from + 1; at < Math.min(from + MAX_TITLE_LINES, lines.length); at += 1) {
    const fit = { at, ...separatorOf(lines, at, separators, isKnown) };
    if (fit.known > 1) return fit;
  }
  return first;
}

/** The separator with which a line has the most known headings; where there is but one heading, a tab, so that its cells may hold lists. */
function separatorOf(
  lines: readonly string[],
  at: number,
  separators: readonly string[],
  isKnown: (heading: string) => boolean,
): { readonly separator: string; readonly known: number } {
  const fits = separators.map((separator) => {
    const record = readRecord(lines, at, separator);
    const headings = 'cells' in record ? record.cells.filter((cell) => /[\p{L}\p{N}]/u.test(cell)) : [];
    return { separator, known: headings.filter(isKnown).length, all: headings.length };
  });
  const [best] = fits.toSorted((a, b) => b.known - a.known || b.all - a.all);
  return { separator: best?.separator ?? ',', known: best?.known ?? 0 };
}
