import { styleText } from 'node:util';
import width from 'fast-string-width';
import { printable, shortened } from '../text.ts';

export interface Column<T> {
  readonly title: string;
  readonly of: (row: T) => string;
  /** The widest that the column gets where space is short. */
  readonly max?: number;
  /** How its cells look, by their row. */
  readonly style?: (row: T) => Parameters<typeof styleText>[0] | undefined;
}

const GAP = 2;
const LEAST = 6;

/** Rows as a table for a terminal, without the columns that are empty in all of them. Cells are cleaned and cut to the width; where there is none (a pipe), nothing is cut. */
export function table<T>(
  rows: readonly T[],
  all: readonly Column<T>[],
  { columns: terminal, stream = process.stdout }: { columns?: number | undefined; stream?: NodeJS.WriteStream } = {},
): string {
  const columns = all.filter(({ of }) => rows.some((row) => of(row) !== ''));
  const cells = rows.map((row) => columns.map(({ of, max }) => clean(of(row), terminal === undefined ? undefined : max)));
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((row) => width(row[i] ?? ''))));
  if (terminal !== undefined) narrow(widths, terminal - GAP * (columns.length - 1));
  const line = (texts: readonly string[], style: (i: number) => Parameters<typeof styleText>[0] | undefined): string =>
    texts
      .map((text, i) => {
        const cut = fit(text, widths[i] ?? 0);
        const padded = i === texts.length - 1 ? cut : cut + ' '.repeat(Math.max(0, (widths[i] ?? 0) - width(cut)));
        const look = style(i);
        return look === undefined ? padded : styleText(look, padded, { stream });
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return [
    line(
      columns.map(({ title }) => title),
      () => 'dim',
    ),
    ...rows.map((row, r) => line(cells[r] ?? [], (i) => columns[i]?.style?.(row))),
  ].join('\n');
}

function clean(text: string, max: number | undefined): string {
  const printed = printable(text);
  return max === undefined ? printed : shortened(printed, max);
}

/** Takes width from the widest columns until all fit, down to a least width each. */
function narrow(widths: number[], space: number): void {
  while (widths.reduce((a, b) => a + b, 0) > space) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= LEAST) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
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
