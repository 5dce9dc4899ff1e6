import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCsvText } from '../src/csv.ts';

const known = new Set(['name', 'ip', 'note']);
const isKnown = (heading: string): boolean => known.has(heading.trim().toLowerCase());

/** Rows as they are written, with how many lines they take and what is to come of them. */
const row = fc.oneof(
  { weight: 20, arbitrary: fc.constant({ text: 'a,10.0.0.1,x', lines: 1, cells: ['a', '10.0.0.1', 'x'] }) },
  { weight: 4, arbitrary: fc.constant({ text: '"b ""c""",10.0.0.2,"x,y"', lines: 1, cells: ['b "c"', '10.0.0.2', 'x,y'] }) },
  {
    weight: 4,
    arbitrary: fc.constant({ text: 'd,"10.0.0.3\n10.0.0.4\n\n10.0.0.5",z', lines: 4, cells: ['d', '10.0.0.3\n10.0.0.4\n\n10.0.0.5', 'z'] }),
  },
  { weight: 2, arbitrary: fc.constant({ text: '', lines: 1, cells: undefined }) },
  { weight: 1, arbitrary: fc.constant({ text: '"e"f,10.0.0.6,x', lines: 1, cells: [] }) },
  { weight: 1, arbitrary: fc.constant({ text: 'g,10.0.0.7', lines: 1, cells: ['g', '10.0.0.7'] }) },
);

test('every row has its own line, in long files too, with broken rows and cells of several lines', () =>
  fc.assert(
    fc.property(fc.array(row, { minLength: 0, maxLength: 300, size: 'max' }), fc.constantFrom('\n', '\r\n'), (rows, end) => {
      const { rows: read } = readCsvText(['Name,IP,Note', ...rows.map(({ text }) => text)].join('\n').replaceAll('\n', end), isKnown);
      let line = 2;
      const expected = rows.flatMap(({ lines, cells }) => {
        const at = line;
        line += lines;
        return cells === undefined ? [] : [{ line: at, cells }];
      });
      expect(read.map(({ line: at, cells }) => ({ line: at, cells }))).toEqual(expected);
    }),
    { numRuns: 60 },
  ));

test.for([
  { name: 'a title above them', text: 'Management DC1,,\n10.9.0.0/16,,\n\nName,IP,Note\na,10.0.0.1,x\n', line: 4, titled: true },
  { name: 'a title with another number of cells', text: 'Assets of 2026\nName;IP\na;10.0.0.1\n', line: 2, titled: true },
  { name: 'one known heading only', text: 'Colour,Shelf\nName,red\n', line: 1, titled: false },
  { name: 'a row that repeats them', text: 'Name,IP\nName,IP\n', line: 1, titled: false },
])('where the headings stand: $name', ({ text, line, titled }) =>
  expect(readCsvText(text, isKnown)).toMatchObject({ headingLine: line, titled }),
);
