import { printable, shortened } from '../../text.ts';

/** Characters of a cell. Of 17 columns at three bytes a character a row stays below 10 KB. */
const MAX_CELL = 180;
const MAX_LIST = 600;

/**
 * A text as a cell: on one line, without control characters and those that change the direction of writing, cut. What a spreadsheet would take
 * for a formula stays: a changed cell would not join.
 */
export function cell(text: string | undefined, max = MAX_CELL): string {
  return shortened(
    printable((text ?? '').replace(/[\r\n\t\u2028\u2029]+/g, ' '))
      .toWellFormed()
      .trim(),
    max,
  ).toWellFormed();
}

/** Several values in one cell, joined by `;`. Whole values are left out where there are too many. */
export function listCell(values: readonly string[]): string {
  const kept: string[] = [];
  let length = 0;
  for (const value of values.map((text) => cell(text.replaceAll(';', ',')))) {
    length += value.length + 1;
    if (length > MAX_LIST) break;
    kept.push(value);
  }
  return kept.join(';');
}

/** `2026-11-22T18:00:00Z`. */
export function timeCell(time: string | undefined): string {
  return time === undefined ? '' : `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** `2026-11-22`, in UTC. */
export function dayCell(time: string | undefined): string {
  return timeCell(time).slice(0, 10);
}
