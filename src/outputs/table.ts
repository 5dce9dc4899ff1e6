import { styleText } from 'node:util';
import width from 'fast-string-width';
import { printable, shortened } from '../text.ts';

type Style = Parameters<typeof styleText>[0];

export interface Column<T> {
  readonly title: string;
  readonly of: (row: T) => string;
  /** The widest that the column gets where space is short. */
  readonly max?: number;
  /** Goes on below where it does not fit, instead of being cut: for sentences. */
  readonly wraps?: boolean;
  /** How its cells look, by their row. */
  readonly style?: (row: T) => Style | undefined;
}

export interface TableOptions {
  /** Width of the terminal; where there is none (a pipe) nothing is cut. */
  readonly columns?: number | undefined;
  readonly stream?: NodeJS.WriteStream;
}

const GAP = 2;
const LEAST = 6;
const LEAST_WRAPPED = 30;

/** Rows as a table for a terminal, without the columns that are empty in all of them. Cells are cleaned, and cut or wrapped to the width. */
export function table<T>(
  rows: readonly T[],
  all: readonly Column<T>[],
  { columns: terminal, stream = process.stdout }: TableOptions = {},
): string {
  const columns = all.filter(({ of }) => rows.some((row) => of(row) !== ''));
  const cells = rows.map((row) => columns.map(({ of, max }) => clean(of(row), terminal === undefined ? undefined : max)));
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((row) => width(row[i] ?? ''))));
  if (terminal !== undefined) narrow(widths, terminal - GAP * (columns.length - 1), columns);
  const lines = (texts: readonly string[], style: (i: number) => Style | undefined): string => {
    const wrapped = texts.map((text, i) => (columns[i]?.wraps === true ? wrap(text, widths[i] ?? 0) : [fit(text, widths[i] ?? 0)]));
    const height = Math.max(...wrapped.map(({ length }) => length));
    return Array.from({ length: height }, (_, row) =>
      wrapped
        .map((parts, i) => {
          const text = parts[row] ?? '';
          const padded = i === texts.length - 1 ? text : text + ' '.repeat(Math.max(0, (widths[i] ?? 0) - width(text)));
          const look = text === '' ? undefined : style(i);
          return look === undefined ? padded : styleText(look, padded, { stream });
        })
        .join(' '.repeat(GAP))
        .trimEnd(),
    ).join('\n');
  };
  const titles = columns.map(({ title }) => title);
  return [lines(titles, () => 'dim'), ...rows.map((row, r) => lines(cells[r] ?? [], (i) => columns[i]?.style?.(row)))].join('\n');
}

function clean(text: string, max: number | undefined): string {
  const printed = printable(text);
  return max === undefined ? printed : shortened(printed, max);
}

/** Takes width from the columns that wrap, then from the widest others, until all fit, down to a least width each. */
function narrow<T>(widths: number[], space: number, columns: readonly Column<T>[]): void {
  for (const wraps of [true, false]) {
    const least = wraps ? LEAST_WRAPPED : LEAST;
    const which = [...widths.keys()].filter((i) => (columns[i]?.wraps === true) === wraps);
    while (which.length > 0 && widths.reduce((a, b) => a + b, 0) > space) {
      const widest = which.reduce((best, i) => ((widths[i] ?? 0) > (widths[best] ?? 0) ? i : best));
      if ((widths[widest] ?? 0) <= least) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  }
}

function fit(text: string, space: number): string {
  if (width(text) <= space) return text;
  let cut = '';
  for (const char of text) {
    if (width(cut + char) > space - 1) break;
    cut += char;
  }
  return `${cut}…`;
}

/** Lines of at most so many columns, broken at blanks; a word that is longer is broken too. */
function wrap(text: string, space: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (width(longer) <= space) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = '';
    for (const char of word) {
      if (width(line + char) > space) {
        lines.push(line);
        line = '';
      }
      line += char;
    }
  }
  return [...lines, line];
}
