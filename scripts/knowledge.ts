// Holds every exact value of the facts (data/knowledge/values.yaml) against the definitions: which rules use it, and which none uses and nobody has said why.
// `npm run -s knowledge` prints those, by section; a test fails where there are any.
import { readFileSync } from 'node:fs';
import { RE2JS } from 're2js';
import { parse } from 'yaml';
import { dataPath } from '../src/data.ts';
import { requiredLiterals } from '../src/fingerprints/literals.ts';
import { type Condition, conditionsOf, type Fingerprint } from '../src/fingerprints/schema.ts';

interface Section {
  readonly section: string;
  readonly values: readonly string[];
}

/** Why values are used by no rule. Without `values` and `matching` it is all of the section that no rule uses. */
export interface Unused {
  readonly section: string;
  readonly values?: readonly string[];
  /** A pattern (of JavaScript) over values. */
  readonly matching?: string;
  readonly reason: string;
}

export interface KnownValue {
  readonly section: string;
  readonly value: string;
  readonly used: boolean;
  /** Why no rule uses it; undefined where nobody has said. */
  readonly reason: string | undefined;
}

export function readSections(): Section[] {
  return parse(readFileSync(dataPath('knowledge/values.yaml'), 'utf8')) as Section[];
}

export function readUnused(): Unused[] {
  return parse(readFileSync(dataPath('knowledge/unused.yaml'), 'utf8')) as Unused[];
}

/** Every value with what became of it. */
export function knownValues(fingerprints: readonly Fingerprint[], sections: readonly Section[] = readSections()): KnownValue[] {
  const uses = usesOf(fingerprints);
  const unused = readUnused();
  return sections.flatMap(({ section, values }) =>
    values.map((value) => {
      const used = isUsed(value, uses);
      const reason = unused.find(
        (one) =>
          (one.section === section || one.section === '*') &&
          (one.values?.includes(value) === true ||
            (one.matching !== undefined && new RegExp(one.matching, 'i').test(value)) ||
            (one.values === undefined && one.matching === undefined)),
      )?.reason;
      return { section, value, used, reason: used ? undefined : reason };
    }),
  );
}

interface Uses {
  /** All literals of rules, in lower case. */
  readonly literals: readonly string[];
  readonly exact: ReadonlySet<string>;
  /** The words of each literal. */
  readonly words: readonly ReadonlySet<string>[];
  readonly patterns: readonly RE2JS[];
}

function usesOf(fingerprints: readonly Fingerprint[]): Uses {
  const conditions = fingerprints.flatMap(({ rules, exclude = [] }) => [
    ...rules.flatMap(conditionsOf),
    ...(exclude as readonly Condition[]),
  ]);
  const asked = fingerprints.flatMap(({ asks = [] }) => asks.map(({ path }) => path));
  const literals = [...new Set([...asked, ...conditions.flatMap(literalsOf)].map((literal) => literal.toLowerCase()))];
  // A pattern that captures whatever stands there looks for nothing.
  const patterns = [...new Set(conditions.flatMap(({ regex }) => regex ?? []))].filter((pattern) =>
    (requiredLiterals(pattern) ?? ['']).every(({ length }) => length >= LEAST_LITERAL),
  );
  return {
    literals,
    exact: new Set(literals),
    words: literals.map((literal) => new Set(wordsOf(literal))),
    patterns: patterns.map((pattern) => RE2JS.compile(`(?i)${pattern}`)),
  };
}

function literalsOf({ of, json, equals, contains, prefix, in: oneOf, regex }: Condition): string[] {
  const lists = [equals, contains, prefix, oneOf === undefined || Array.isArray(oneOf) ? oneOf : Object.entries(oneOf).flat(), of, json];
  return [
    ...lists
      .flatMap((value) => (Array.isArray(value) ? (value as readonly unknown[]) : [value]))
      .filter((value) => value !== undefined)
      .map(String),
    // A pattern as it reads, without what escapes its dots.
    ...(regex === undefined ? [] : [regex.replace(/\\(?=[^\w])/g, '').replace(/^\^|\$$/g, '')]),
  ];
}

const LEAST_LITERAL = 2;
const LEAST_WORDS = 3;

/** Shorter texts are found by chance. */
const LEAST = 5;
/** So much of a value must be what a rule looks for. */
const SHARE = 0.5;

function isUsed(value: string, { literals, exact, words, patterns }: Uses): boolean {
  const pair = /^([0-9a-f]{4}):([0-9a-f]{4})$/.exec(value);
  if (pair !== null) return exact.has(pair[1] ?? '') && exact.has(pair[2] ?? '');
  return readings(value).some((reading) => {
    const text = reading.toLowerCase();
    if (exact.has(text) || hasAllWords(text, words)) return true;
    if (text.length < LEAST) return false;
    const enough = Math.max(LEAST, text.length * SHARE);
    if (literals.some((literal) => literal.includes(text) || (literal.length >= enough && text.includes(literal)))) return true;
    return patterns.some((pattern) => {
      const matcher = pattern.matcher(reading);
      return matcher.find() && matcher.end() - matcher.start() >= enough;
    });
  });
}

/** Whether one rule looks for all words of a value, in whatever form: `index-(?:AbCd|EfGh)` for index-AbCd, `<(?:SPN|SBSN)>` for SBSN. */
function hasAllWords(text: string, words: readonly ReadonlySet<string>[]): boolean {
  const own = wordsOf(text).filter((word) => word.length > 1 && /[a-z]/.test(word));
  return own.length > 0 && own.join('').length >= LEAST_WORDS && words.some((all) => own.every((word) => all.has(word)));
}

function wordsOf(text: string): string[] {
  return text.split(/[^a-z0-9]+/).filter((word) => word !== '');
}

/** How a value of the tables may stand in a rule: as it is, without its placeholders, an object identifier with all its numbers, a number in hex. */
function readings(value: string): string[] {
  const plain = value
    .replaceAll(/\\n|\\r/g, '')
    .replaceAll(/<[^>]{1,30}>/g, '1')
    .trim();
  const oid = /^\d+(?:\.\d+)+(?:\.[n*x])?$/.test(plain) ? [`1.3.6.1.4.1.${plain.replace(/\.[n*x]$/, '.')}`] : [];
  const name = /^(\w[\w-]*): (.+)$/.exec(plain)?.[2];
  const attribute = /^(?:CN|OU?|L|ST|C)=(.+)$/.exec(plain)?.[1];
  const hex = /^(?:0x)?([0-9a-f]{2}(?: [0-9a-f]{2})+)$/i.exec(plain)?.[1]?.replaceAll(' ', '');
  const number = /^0x([0-9a-f]+)$/i.exec(plain)?.[1];
  const hash = /^(?:[0-9a-f]{2}:){15,}[0-9a-f]{2}$/i.test(plain) ? plain.replaceAll(':', '') : undefined;
  return [...new Set([value, plain, ...oid, name ?? [], attribute ?? [], hex ?? [], number ?? [], hash ?? []].flat())].filter(
    (reading) => reading !== '',
  );
}

if (import.meta.main) {
  const { loadKnowledge } = await import('../src/cli/knowledge.ts');
  const values = knownValues(loadKnowledge({}).fingerprints);
  const open = values.filter(({ used, reason }) => !used && reason === undefined);
  for (const section of new Set(open.map((one) => one.section))) {
    console.log(`\n${section}`);
    for (const { value } of open.filter((one) => one.section === section)) console.log(`  ${value}`);
  }
  const used = values.filter((one) => one.used).length;
  console.log(
    `\n${values.length} values: ${used} used by rules, ${values.length - used - open.length} unused with a reason, ${open.length} open`,
  );
  if (open.length > 0) process.exitCode = 1;
}
