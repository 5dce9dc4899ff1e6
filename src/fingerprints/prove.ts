import type { EndpointFacts } from '../observations/observation.ts';
import { type Facts, LEVELS, levelOf } from '../vocabulary.ts';
import { certaintyOf, type Claim, judge } from './judge.ts';
import { type Hit, Matcher } from './match.ts';
import { CAPTURES, type Example, type Fingerprint, type NearMiss } from './schema.ts';

/** Something that a definition's own proof does not show. */
export interface Flaw {
  readonly fingerprint: string;
  /** The example, near miss or rule that shows it. */
  readonly at: string;
  readonly text: string;
}

export interface Proof {
  readonly definitions: number;
  readonly rules: number;
  readonly examples: number;
  readonly nearMisses: number;
  readonly flaws: readonly Flaw[];
}

/**
 * Lets a set prove itself: each example is recognised as it says, each near miss is not, each rule is used by an example,
 * and no definition takes another product's example for its own.
 */
export function prove(fingerprints: readonly Fingerprint[]): Proof {
  const matcher = new Matcher(fingerprints);
  const flaws = fingerprints.flatMap((fingerprint) => [
    ...fingerprint.examples.flatMap((example) => exampleFlaws(fingerprint, example, matcher)),
    ...fingerprint.near_misses.flatMap((nearMiss) => nearMissFlaws(fingerprint, nearMiss, matcher)),
    ...unusedRules(fingerprint, matcher),
  ]);
  return {
    definitions: fingerprints.length,
    rules: fingerprints.reduce((sum, { rules }) => sum + rules.length, 0),
    examples: fingerprints.reduce((sum, { examples }) => sum + examples.length, 0),
    nearMisses: fingerprints.reduce((sum, { near_misses }) => sum + near_misses.length, 0),
    flaws,
  };
}

function hitsOf(sample: Example | NearMiss, matcher: Matcher): Hit[] {
  const endpoints: Facts[] = sample.endpoints ?? [sample.facts ?? {}];
  return endpoints.flatMap((facts, i) => matcher.match(endpointOf(facts, i)));
}

function endpointOf(facts: Facts, i: number): EndpointFacts {
  return { host: '192.0.2.1', transport: 'tcp', port: i + 1, probes: [], outcomes: {}, facts };
}

function exampleFlaws(fingerprint: Fingerprint, example: Example, matcher: Matcher): Flaw[] {
  const { id } = fingerprint;
  const flaw = (text: string): Flaw => ({ fingerprint: id, at: `example "${example.name}"`, text });
  const claims = judge(hitsOf(example, matcher));
  const own = claims.find((claim) => claim.fingerprint === id);
  if (own === undefined) return [flaw('none of its rules holds')];
  const certainty = certaintyOf(own);
  const level = levelOf(certainty);
  const { expect } = example;
  return [
    ...(level === undefined ? [flaw(`it is ${certainty} certain, which claims nothing`)] : []),
    ...(expect.certainty !== undefined && expect.certainty !== certainty ? [flaw(`certainty ${certainty}, not ${expect.certainty}`)] : []),
    ...(expect.level !== undefined && expect.level !== level ? [flaw(`${level ?? 'nothing'} (${certainty}), not ${expect.level}`)] : []),
    ...CAPTURES.flatMap((capture) => {
      const wanted = expect[capture];
      return own.values[capture] === wanted ? [] : [flaw(`${capture} is ${own.values[capture] ?? 'absent'}, not ${wanted ?? 'absent'}`)];
    }),
    ...(expect.posture ?? []).flatMap((posture) => (own.posture.includes(posture) ? [] : [flaw(`posture ${posture} is not seen`)])),
    ...claims
      .filter((other) => isRival(fingerprint, other, matcher))
      .map((other) => flaw(`${other.fingerprint} takes it for its own (${certaintyOf(other)})`)),
  ];
}

/** Another product that claims the same example. Relatives (one base, or the base itself) may. */
function isRival(fingerprint: Fingerprint, other: Claim, matcher: Matcher): boolean {
  if (other.fingerprint === fingerprint.id || other.generic || levelOf(certaintyOf(other)) === undefined) return false;
  const rival = matcher.fingerprints.find(({ id }) => id === other.fingerprint);
  const sameProduct = other.vendor === fingerprint.vendor && other.product === fingerprint.product;
  const relatives = rival?.base !== undefined && (rival.base === fingerprint.base || rival.base === fingerprint.id);
  return !sameProduct && !relatives && fingerprint.base !== other.fingerprint;
}

function nearMissFlaws({ id }: Fingerprint, nearMiss: NearMiss, matcher: Matcher): Flaw[] {
  const { below = 'possible' } = nearMiss;
  const claim = judge(hitsOf(nearMiss, matcher)).find(({ fingerprint }) => fingerprint === id);
  if (claim === undefined) return [];
  const certainty = Math.max(certaintyOf(claim), claim.generic ? 0 : claim.certainty.vendor);
  return certainty < LEVELS[below]
    ? []
    : [{ fingerprint: id, at: `near miss "${nearMiss.name}"`, text: `it is ${certainty} certain, and should be below ${below}` }];
}

function unusedRules(fingerprint: Fingerprint, matcher: Matcher): Flaw[] {
  const used = new Set(
    fingerprint.examples
      .flatMap((example) => hitsOf(example, matcher))
      .filter((hit) => hit.fingerprint === fingerprint)
      .map(({ index }) => index),
  );
  return fingerprint.rules.flatMap((rule, index) =>
    used.has(index)
      ? []
      : [
          {
            fingerprint: fingerprint.id,
            at: `rule ${index + 1}${rule.name === undefined ? '' : ` "${rule.name}"`}`,
            text: 'no example uses it',
          },
        ],
  );
}
