import fc from 'fast-check';
import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import { LiteralFinder } from '../../src/fingerprints/finder.ts';
import { markOf, requiredLiterals } from '../../src/fingerprints/literals.ts';
import { type Condition, conditionsOf } from '../../src/fingerprints/schema.ts';
import { ownSet } from './definitions.ts';

test.for<[pattern: string, literals: readonly string[] | undefined]>([
  ['^RackView (?P<model>R\\d+)', ['rackview ']],
  ['(?i)^Rack[ -]View$', ['rack']],
  ['^(?:iLO|iDRAC) \\d', ['ilo ', 'idrac ']],
  ['^(?:iLO|\\d+)$', undefined],
  ['ab+c?defg', ['defg', 'cdefg']],
  ['x{0,2}yz', ['yz']],
  ['(?:abc){2}', ['abc']],
  ['colou?r', ['color', 'colour']],
  ['N[Ee][Tt]M[Aa][Nn] \\d', ['netman ']],
  ['^1\\.3\\.6\\.1\\.4\\.1\\.(?:534|705)(?:\\.|$)', ['1.3.6.1.4.1.534.', '1.3.6.1.4.1.534', '1.3.6.1.4.1.705.', '1.3.6.1.4.1.705']],
  ['Sentry (?:Switched|Smart).*[CP]DU,? Version ', ['sentry switched', 'sentry smart']],
  ['a+?longer', ['longer']],
  ['a\\.b\\/c', ['a.b/c']],
  ['[a]bc', ['abc']],
  ['[^a]bc', ['bc']],
  ['[[:alpha:]]bc[]x]', ['bc']],
  ['\\d+', undefined],
  ['.', undefined],
  ['^$', undefined],
  ['\\bKVM\\b', ['kvm']],
  ['\\x41bc', ['bc']],
  ['\\p{Lu}bc\\pN', ['bc']],
  ['caf\u00e9 bar', [' bar']],
  ['(?<model>ab)c', ['abc']],
  ['(?i:AB)c', ['abc']],
  ['\\Qa.b\\E', undefined],
  ['a(b', undefined],
  ['a)b', undefined],
  ['a{b', ['a{b']],
])('what %s must see', ([pattern, literals]) => {
  expect(requiredLiterals(pattern)).toEqual(literals);
});

const PIECES = ['a', 'B', '\\d', '[xy]', '.', 'Rack', '-', '\\.', '\\s', '[^q]'] as const;
const pattern = fc.letrec<{ whole: string; part: string; atom: string }>((tie) => ({
  whole: fc.array(tie('part'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
  part: fc.tuple(tie('atom'), fc.constantFrom('', '', '?', '*', '+', '{2}', '+?')).map(([atom, count]) => `${atom}${count}`),
  atom: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    fc.constantFrom(...PIECES),
    fc.tuple(tie('whole'), tie('whole')).map(([a, b]) => `(?:${a}|${b})`),
    tie('whole').map((a) => `(${a})`),
  ),
})).whole;

test('whatever a pattern is found in holds one of its literals', () => {
  fc.assert(
    fc.property(
      pattern.chain((source) => fc.record({ source: fc.constant(source), text: fc.stringMatching(new RegExp(source), { size: 'small' }) })),
      ({ source, text }) => {
        const literals = requiredLiterals(source);
        if (literals === undefined || !RE2JS.compile(source).matcher(text).find()) return;
        expect(literals.some((literal) => text.toLowerCase().includes(literal))).toBe(true);
      },
    ),
    { numRuns: 150 },
  );
});

/** One key of a map or of JSON, such as one object of SNMP, is rare enough. */
function hangs({ of, json, equals, in: oneOf, contains, prefix, exists, regex }: Condition): boolean {
  return (
    [equals, oneOf, contains, prefix].some((value) => value !== undefined) ||
    of !== undefined ||
    json !== undefined ||
    exists === true ||
    (regex !== undefined && requiredLiterals(regex) !== undefined)
  );
}

/** What nearly every endpoint says. What is rare may be tried each time. */
const COMMON = /^(?:http\.(?:title|body|server|headers|links|forms|redirects)|tls\.(?:subject|issuer)|snmp\.sys|ssh|telnet|ftp|dns|mac)/;

test('every rule over what all devices say has a whole value or a literal to hang on', () => {
  const loose = ownSet().flatMap(({ id, rules }) =>
    rules
      .filter((rule) => conditionsOf(rule).every((one) => COMMON.test(one.fact) && !hangs(one)))
      .map((rule) => `${id} "${rule.name ?? ''}"`),
  );
  expect(loose).toEqual([]);
});

test.for<[string, string | undefined]>([
  ['RackView', 'rackview'],
  ['\u00e9', undefined],
  ['caf\u00e9 Rack', ' rack'],
])('the mark of %s', ([literal, mark]) => {
  expect(markOf(literal)).toBe(mark);
});

function found(literals: readonly string[], text: string): string[] {
  const all: string[] = [];
  new LiteralFinder(literals).find(text, (place) => void all.push(literals[place] ?? ''));
  return all.toSorted();
}

test('literals are found whatever their case, each once', () => {
  expect(found(['he', 'she', 'his', 'hers'], 'uSHERS she')).toEqual(['he', 'hers', 'she']);
  expect(found(['aa', 'a'], 'aaaa')).toEqual(['a', 'aa']);
  expect(found(['kvm'], '\u212aVM')).toEqual(['kvm']);
  expect(found(['ab'], 'a\u00e9b')).toEqual([]);
  expect(found([], 'abc')).toEqual([]);
});

test('literals are found where a search for each finds them', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), minLength: 1, maxLength: 4 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-', 'A', 'C', '\u00e9'), maxLength: 40 });
  fc.assert(
    fc.property(fc.uniqueArray(word, { maxLength: 12 }), text, (literals, one) => {
      expect(found(literals, one)).toEqual(literals.filter((literal) => one.toLowerCase().includes(literal)).toSorted());
    }),
    { numRuns: 1000 },
  );
});
