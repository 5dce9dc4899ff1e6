import fc from 'fast-check';
import { expect, test } from 'vitest';
import { factVocabulary } from '../../src/fingerprints/facts.ts';
import { judge } from '../../src/fingerprints/judge.ts';
import { Matcher } from '../../src/fingerprints/match.ts';
import { CAPTURES } from '../../src/fingerprints/schema.ts';
import { printable } from '../../src/text.ts';
import type { Facts, FactValue } from '../../src/vocabulary.ts';
import { ownSet } from './definitions.ts';

const matcher = new Matcher(ownSet());
const judged = (facts: Facts): ReturnType<typeof judge> =>
  judge(matcher.match({ host: '192.0.2.1', transport: 'tcp', port: 443, probes: [], outcomes: {}, facts }));

/** The texts that rules of the set look for, so that noise gets past their first condition. */
const KNOWN = [
  ...new Set(
    ownSet().flatMap(({ examples }) =>
      examples.flatMap(({ facts = {}, endpoints = [] }) => [facts, ...endpoints].flatMap((each) => Object.values(each))),
    ),
  ),
] as FactValue[];

const value = fc.oneof(
  fc.constantFrom(...KNOWN),
  fc.jsonValue({ maxDepth: 4 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.integer(),
  fc.constant(null),
) as fc.Arbitrary<FactValue>;
const page = fc.dictionary(fc.constantFrom('status', 'type', 'bytes', 'sha256', 'etag', 'body'), value);
const paths = ownSet().flatMap(({ asks = [] }) => asks.map(({ path }) => path));
const facts = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...factVocabulary().keys()), value, { maxKeys: 20 }),
    fc.option(fc.dictionary(fc.constantFrom(...paths), page)),
  )
  .map(([some, pages]) => (pages === null ? some : { ...some, 'http.pages': pages }));

test('any facts, of the right kind or not, are judged', () =>
  fc.assert(
    fc.property(facts, (noise) => {
      for (const { certainty, values, evidence } of judged(noise)) {
        for (const one of Object.values(certainty)) expect(one >= 0 && one <= 100 && Number.isInteger(one)).toBe(true);
        for (const [name, text] of Object.entries(values)) {
          expect(CAPTURES).toContain(name);
          expect(text.length).toBeLessThanOrEqual(200);
          expect(printable(text)).toBe(text);
        }
        for (const { text } of evidence) expect(text.length).toBeLessThanOrEqual(160);
      }
    }),
    { numRuns: 400 },
  ));

/** The least of some tries, in milliseconds: the machine may be busy with others. */
function leastMs(work: () => void, tries = 5): number {
  return Math.min(
    ...Array.from({ length: tries }, () => {
      const start = performance.now();
      work();
      return performance.now() - start;
    }),
  );
}

const FULL = 64 * 1024;
const fill = (text: string): string => text.repeat(Math.ceil(FULL / text.length)).slice(0, FULL);
/** A page of the size of the others, in which no rule finds its first word. */
const PLAIN: Facts = { 'http.title': 'x'.repeat(512), 'http.body': fill('lorem ipsum '), 'http.status': 200 };

test.for<{ readonly name: string; readonly facts: Facts }>([
  { name: 'spaces', facts: { 'http.title': ' '.repeat(512), 'http.body': fill(' ') } },
  { name: 'titles that nearly fit', facts: { 'http.title': `${'HPE Integrated Lights-Out '.repeat(20)}!`, 'http.body': fill('a') } },
  { name: 'a first word of a body without end', facts: { 'http.body': fill('<PN>Integrated Lights-Out ') } },
  {
    name: 'nearly an identity page',
    facts: {
      'http.pages': {
        '/xmldata?item=all': { status: 200, body: fill('<RIMP><PN>Integrated Lights-Out <SPN> <SBSN> <DESCRIPTION>iLO 5</DESCRIPTION>') },
      },
    },
  },
  { name: 'nearly a login page', facts: { 'http.body': fill('isSCenabled iDRAC ATEN International RpPageHeader titleFwver Firmware ') } },
  {
    name: 'metrics without end',
    facts: { 'http.pages': { '/metrics': { status: 200, body: fill('jetkvm_build_info{a="b",version="') } } },
  },
  { name: 'brackets without end', facts: { 'http.pages': { '/device': { status: 200, body: fill('[') } }, 'http.body': fill('{"a":') } },
])('time stays in proportion: $name', ({ facts: hostile }) => {
  judged(PLAIN);
  judged(hostile);
  const plain = leastMs(() => judged(PLAIN));
  // On the plain page no pattern is tried, on the others each linear pattern costs tens of times as much. One that backtracks would pass this by orders of magnitude.
  expect(leastMs(() => judged(hostile))).toBeLessThan(400 * Math.max(plain, 0.5));
});

/** A body of about so many bytes, in which many rules find their first word. */
const busy = (bytes: number): Facts => ({ 'http.body': 'isSCenabled iDRAC titleFwver Firmware ATEN International '.repeat(bytes / 57) });

test('twice the text takes no more than a few times as long', () => {
  judged(busy(FULL));
  const half = leastMs(() => judged(busy(FULL / 2)));
  expect(leastMs(() => judged(busy(FULL)))).toBeLessThan(8 * Math.max(half, 0.5));
});
