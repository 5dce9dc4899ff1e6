import type { FactDefinition } from '../fingerprints/facts.ts';
import { aspectsOf, type Condition, conditionsOf, type Fingerprint, OPERATORS } from '../fingerprints/schema.ts';
import { channelOf } from '../vocabulary.ts';
import { type Column, table } from './table.ts';

function channels(fingerprint: Fingerprint): string {
  return [...new Set(fingerprint.rules.flatMap((rule) => conditionsOf(rule).map(({ fact }) => channelOf(fact) ?? '')))]
    .toSorted()
    .join(' ');
}

const COLUMNS: readonly Column<Fingerprint>[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'VENDOR', of: ({ vendor }) => vendor ?? '' },
  { title: 'PRODUCT', of: ({ product }) => product ?? '' },
  { title: 'CLASS', of: (fingerprint) => fingerprint.class },
  { title: 'RULES', of: ({ rules }) => String(rules.length) },
  { title: 'EXAMPLES', of: ({ examples }) => String(examples.length) },
  { title: 'NEAR MISSES', of: ({ near_misses }) => String(near_misses.length) },
  { title: 'CHANNELS', of: channels },
];

export function fingerprintTable(fingerprints: readonly Fingerprint[], columns: number | undefined): string {
  return table(fingerprints, COLUMNS, { columns });
}

const FACT_COLUMNS: readonly Column<FactDefinition>[] = [
  { title: 'FACT', of: ({ name }) => name },
  { title: 'TYPE', of: ({ type }) => type },
  { title: 'PROBE', of: ({ probe }) => probe },
  { title: 'MEANS', of: ({ means }) => means, wraps: true },
];

export function factTable(facts: readonly FactDefinition[], columns: number | undefined): string {
  return table(facts, FACT_COLUMNS, { columns });
}

/** A condition in words: `http.title matches ^iLO`. */
export function conditionText(condition: Condition): string {
  const { fact, of, field, json } = condition;
  const where = [
    fact,
    of === undefined ? undefined : `[${of}]`,
    field === undefined ? undefined : `.${field}`,
    json === undefined ? undefined : ` > ${typeof json === 'string' ? json : json.join('.')}`,
  ]
    .filter((part) => part !== undefined)
    .join('');
  const operator = OPERATORS.find((name) => condition[name] !== undefined) ?? 'exists';
  const value = condition[operator];
  if (operator === 'exists') return `${where} ${value === true ? 'is there' : 'is not there'}`;
  const verb = { equals: 'is', regex: 'matches', contains: 'contains', in: 'is one of', prefix: 'begins with' }[operator];
  return `${where} ${verb} ${typeof value === 'string' ? value : JSON.stringify(value)}`;
}

/** A definition for people. */
export function fingerprintText(fingerprint: Fingerprint): string {
  const {
    id,
    title,
    vendor,
    product,
    class: kind,
    base,
    sources,
    rules,
    asks = [],
    exclude = [],
    examples,
    near_misses: nearMisses,
  } = fingerprint;
  return [
    `${id}: ${title}`,
    `  names   ${[vendor, product].filter((part) => part !== undefined).join(' ') || 'no product'} (${kind})${base === undefined ? '' : `, base ${base}`}`,
    ...sources.map((source) => `  source  ${source}`),
    '  rules',
    ...rules.map(
      (rule) =>
        `  ${String(rule.certainty).padStart(5)}  ${conditionsOf(rule).map(conditionText).join(' and ')}${aspectsOf(rule).join() === 'product' ? '' : ` -> ${aspectsOf(rule).join(', ')}`}${
          rule.set === undefined
            ? ''
            : ` (${Object.entries(rule.set)
                .map((pair) => pair.join(' '))
                .join(', ')})`
        }`,
    ),
    ...(asks.length === 0 ? [] : ['  asks for']),
    ...asks.map(
      ({ path, from = 'possible', unless }) =>
        `         ${path} from ${from}${unless === undefined ? '' : `, unless the ${unless} is known`}`,
    ),
    ...(exclude.length === 0 ? [] : ['  not where']),
    ...exclude.map(({ why, ...condition }) => `         ${conditionText(condition)}: ${why}`),
    `  proof   ${examples.length} examples, ${nearMisses.length} near misses`,
    '',
  ].join('\n');
}
