import width from 'fast-string-width';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Forecast, ProgressLine, ProgressLog } from '../../src/cli/progress.ts';
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

const PROGRESS = { packets: 0, alive: 0, found: 0, talking: 0, tailMs: 2000 };

test('the progress line tells share, rate, what was found and what is left', () => {
  const line = new ProgressLine({ quiet: true });
  line.text({ ...PROGRESS, done: 0, total: 1000, elapsedMs: 0 });
  expect(line.text({ ...PROGRESS, done: 250, total: 1000, packets: 500, alive: 7, found: 2, talking: 3, elapsedMs: 30_000 })).toBe(
    '25%  250 of 1,000 packets  17 packets/s  7 alive  2 found  talking to 3  1:32 left',
  );
});

test('the progress says for what nothing is sent, instead of how long it takes', () => {
  const line = new ProgressLine({ quiet: true });
  const waiting = { ...PROGRESS, done: 250, total: 1000, packets: 500, alive: 7, found: 2, elapsedMs: 30_000, waiting: 'until 22:00' };
  line.text({ ...PROGRESS, done: 0, total: 1000, elapsedMs: 0 });
  expect(line.text(waiting)).toBe('25%  250 of 1,000 packets  17 packets/s  7 alive  2 found  waiting until 22:00');
  const lines: string[] = [];
  new ProgressLog((text) => lines.push(text)).show(waiting);
  expect(JSON.parse(lines.join(''))).toMatchObject({ kind: 'progress', waiting: 'until 22:00' });
});

test('the progress as JSON comes once a second, and how it ended', () => {
  const lines: string[] = [];
  const log = new ProgressLog((line) => lines.push(line));
  for (let at = 0; at <= 2250; at += 250) log.show({ ...PROGRESS, done: at, total: 2250, packets: at, alive: 1, elapsedMs: at });
  log.end();
  log.end();
  expect(lines.map((line) => JSON.parse(line))).toEqual(
    [0, 1000, 2000, 2250].map((at) => ({
      kind: 'progress',
      percent: Math.floor((at / 2250) * 100),
      packets: at,
      alive: 1,
      found: 0,
      talking: 0,
      elapsedMs: at,
      ...(at === 0 ? {} : { leftMs: 2250 - at + 2000 }),
    })),
  );
});

test('what is left is told by how it went of late', () => {
  const forecast = new Forecast();
  let left: number | undefined;
  // A hundred packets a second for a minute, then ten.
  for (let at = 0; at <= 60_000; at += 250) left = forecast.leftMs({ done: at / 10, total: 10_000, tailMs: 0, elapsedMs: at });
  expect(left).toBeCloseTo(40_000);
  for (let at = 60_250; at <= 90_000; at += 250)
    left = forecast.leftMs({ done: 6000 + (at - 60_000) / 100, total: 10_000, tailMs: 0, elapsedMs: at });
  expect(left).toBeCloseTo(370_000);
});
