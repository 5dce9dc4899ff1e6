import { judge, type Claim } from '../../src/fingerprints/judge.ts';
import { factVocabulary } from '../../src/fingerprints/facts.ts';
import { type Checks, readFingerprints } from '../../src/fingerprints/load.ts';
import { type Hit, Matcher } from '../../src/fingerprints/match.ts';
import { type Fingerprint, FingerprintSchema, type Rule } from '../../src/fingerprints/schema.ts';
import { AllowedPaths } from '../../src/sweep/paths.ts';
import type { Facts } from '../../src/vocabulary.ts';

export const checks = (): Checks => ({ facts: factVocabulary(), paths: AllowedPaths.load() });

let own: readonly Fingerprint[] | undefined;
/** The definitions of data/fingerprints, read from their source. */
export function ownSet(): readonly Fingerprint[] {
  own ??= readFingerprints('data/fingerprints', checks());
  return own;
}

/** A definition of a product that does not exist, with the parts that a test is about. */
export function definition(parts: Partial<Fingerprint> & { readonly rules: readonly Rule[] }): Fingerprint {
  return FingerprintSchema.parse({
    id: 'acme-rackview',
    title: 'Acme RackView',
    vendor: 'Acme',
    product: 'RackView',
    class: 'ip-kvm',
    sources: ['Acme RackView admin guide 2.4'],
    examples: [{ name: 'any', source: 'guide', facts: {}, expect: {} }],
    near_misses: [{ name: 'any', facts: {} }],
    ...parts,
  });
}

/** The hits at the endpoints of one host, one TCP port each. */
export function hitsAt(fingerprints: readonly Fingerprint[], ...endpoints: readonly Facts[]): Hit[] {
  const matcher = new Matcher(fingerprints);
  return endpoints.flatMap((facts, i) =>
    matcher.match({ host: '192.0.2.1', transport: 'tcp', port: i + 1, probes: [], outcomes: {}, facts }),
  );
}

export function claimsAt(fingerprints: readonly Fingerprint[], ...endpoints: readonly Facts[]): Claim[] {
  return judge(hitsAt(fingerprints, ...endpoints));
}

/** The only claim of a definition with these rules at these endpoints. */
export function claimOf(rules: readonly Rule[], ...endpoints: readonly Facts[]): Claim | undefined {
  return claimsAt([definition({ rules: [...rules] })], ...endpoints)[0];
}
