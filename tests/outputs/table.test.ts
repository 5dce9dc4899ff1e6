import width from 'fast-string-width';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProgressLine } from '../../src/cli/progress.ts';
import { type Column, table } from '../../src/outputs/table.ts';
import { printable } from '../../src/text.ts';

interface Row {
  readonly name: string;
  readonly text: string;
  readonly empty?: string;
}
const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', of: ({ name }) => name, max: 12 },
  { title: 'EMPTY', of: ({ empty }) => empty ?? '' },
  { title: 'TEXT', of: ({ text }) => text, wraps: true },
];

test('a pipe gets every cell whole, a terminal lines that fit, with sentences going on below', () => {
  const rows = [{ name: 'a name that is long', text: 'one two three four five six seven eight nine ten eleven twelve' }];
  expect(table(rows, COLUMNS)).toBe(
    'NAME                 TEXT\na name that is long  one two three four five six seven eight nine ten eleven twelve',
  );
  expect(table(rows, COLUMNS, { columns: 44 })).toBe(
    [
      'NAME          TEXT',
      'a name that…  one two three four five six',
      '              seven eight nine ten eleven',
      '              twelve',
    ].join('\n'),
  );
});

test('whatever a device says, a table has its lines and columns, and no control character', () => {
  const hostile = fc.string({ unit: fc.constantFrom('a', ' ', '\u001b[31m', '\n', '\r', '\t', '\u202e', '世', '🙂', '\u0000') });
  fc.assert(
    fc.property(
      fc.array(fc.record({ name: hostile, text: hostile }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 50, max: 120 }),
      (rows, columns) => {
        for (const line of table(rows, COLUMNS, { columns }).split('\n')) {
          expect(width(line)).toBeLessThanOrEqual(columns);
          expect(line).toBe(printable(line));
        }
      },
    ),
  );
});

test('the progress line tells share, rate, what was found and what is left', () => {
  const line = new ProgressLine({ quiet: true });
  line.text({ done: 0, total: 1000, packets: 0, alive: 0, found: 0, talking: 0, elapsedMs: 0 });
  expect(line.text({ done: 250, total: 1000, packets: 500, alive: 7, found: 2, talking: 3, elapsedMs: 30_000 })).toBe(
    '25%  250 of 1,000 probes  17 packets/s  7 alive  2 found  talking to 3  1:30 left',
  );
});
