import { type Channel, type DeviceClass, type Level, levelOf, LEVELS, type Posture } from '../vocabulary.ts';
import type { Hit, HitEndpoint } from './match.ts';
import type { Ask, Aspect, Capture, Fingerprint } from './schema.ts';
import { CAPTURES } from './schema.ts';

/** One piece of evidence: which rule, which fact, which text. */
export interface Evidence {
  readonly fingerprint: string;
  readonly rule: string;
  readonly fact: string;
  readonly text: string;
  readonly certainty: number;
  readonly endpoint: HitEndpoint;
}

/** What a matched fingerprint says of a host. Certainties are 0 to 100, each aspect's its own. */
export interface Claim {
  readonly fingerprint: string;
  readonly generic: boolean;
  readonly vendor?: string;
  readonly product?: string;
  readonly class: DeviceClass;
  readonly base?: string;
  readonly certainty: Readonly<Record<Aspect, number>>;
  readonly values: Readonly<Partial<Record<Capture, string>>>;
  readonly posture: readonly Posture[];
  readonly evidence: readonly Evidence[];
  readonly endpoints: readonly HitEndpoint[];
}

/** Hints alone never make more than a possible device: every rule below this is one. */
const HINT = 50;

/** Certainty of the thing that a claim names: the product, or the class where it names none. */
export function certaintyOf({ generic, certainty }: Claim): number {
  return generic ? Math.max(certainty.product, certainty.class) : certainty.product;
}

export function claimLevel(claim: Claim): Level | undefined {
  return levelOf(certaintyOf(claim));
}

/** What the hits of one host (or of some of its endpoints) come to, one claim for each fingerprint, the surest first. */
export function judge(hits: readonly Hit[]): Claim[] {
  const byFingerprint = new Map<Fingerprint, Hit[]>();
  for (const hit of hits) {
    const list = byFingerprint.get(hit.fingerprint);
    if (list === undefined) byFingerprint.set(hit.fingerprint, [hit]);
    else list.push(hit);
  }
  return [...byFingerprint]
    .map(([fingerprint, own]) => claimOf(fingerprint, own))
    .toSorted((a, b) => certaintyOf(b) - certaintyOf(a) || (a.fingerprint < b.fingerprint ? -1 : 1));
}

/** The questions that a claim wants asked at an endpoint where its rules hold: those that its certainty and what is known already justify. */
export function asksOf(claim: Claim, asks: readonly Ask[]): readonly Ask[] {
  const certainty = Math.max(certaintyOf(claim), claim.certainty.vendor);
  return asks.filter(
    ({ from = 'possible', unless }) => certainty >= LEVELS[from] && (unless === undefined || claim.values[unless as Capture] === undefined),
  );
}

/** What supports an aspect besides the rules that name it: a generation is one of a product, a product one of a vendor and a class. */
const SUPPORTS: Readonly<Record<Aspect, readonly Aspect[]>> = {
  generation: ['generation'],
  product: ['product', 'generation'],
  class: ['class', 'product', 'generation'],
  vendor: ['vendor', 'product', 'generation'],
};

function claimOf(fingerprint: Fingerprint, hits: readonly Hit[]): Claim {
  const certainty = (aspect: Aspect): number => reckon(supporting(hits, aspect)).certainty;
  const endpoints = new Map(
    hits.map(({ endpoint }) => [`${endpoint.host} ${endpoint.port}/${endpoint.transport}/${endpoint.part}`, endpoint]),
  );
  return {
    fingerprint: fingerprint.id,
    generic: fingerprint.generic ?? false,
    ...(fingerprint.vendor === undefined ? {} : { vendor: fingerprint.vendor }),
    ...(fingerprint.product === undefined ? {} : { product: fingerprint.product }),
    class: fingerprint.class,
    ...(fingerprint.base === undefined ? {} : { base: fingerprint.base }),
    certainty: {
      vendor: certainty('vendor'),
      product: certainty('product'),
      class: certainty('class'),
      generation: certainty('generation'),
    },
    values: valuesOf(hits),
    posture: [...new Set(hits.flatMap(({ posture }) => posture))],
    evidence: [...hits]
      .toSorted((a, b) => b.certainty - a.certainty)
      .flatMap(({ rule, certainty: sure, evidence, endpoint }) =>
        evidence.map(({ fact, text }) => ({ fingerprint: fingerprint.id, rule, fact, text, certainty: sure, endpoint })),
      ),
    endpoints: [...endpoints.values()],
  };
}

/** How a certainty comes about. */
export interface Reckoning {
  /** The rules that count: within a channel the strongest, and of those with one cause the strongest. */
  readonly counted: readonly Hit[];
  /** 0 to 100. */
  readonly certainty: number;
  /** True where there are hints only, which never come to more than possible. */
  readonly isCapped: boolean;
}

/** Within a channel the strongest rule counts, of rules with one cause the strongest, and what is left adds up as 1 - prod(1 - c). */
export function reckon(hits: readonly Hit[]): Reckoning {
  const strongest = new Map<Channel, Hit>();
  for (const hit of hits) if (hit.certainty > (strongest.get(hit.channel)?.certainty ?? 0)) strongest.set(hit.channel, hit);
  const causes = new Map<string, Hit>();
  for (const hit of strongest.values()) {
    const key = hit.cause ?? `channel ${hit.channel}`;
    if (hit.certainty > (causes.get(key)?.certainty ?? 0)) causes.set(key, hit);
  }
  const counted = [...causes.values()].toSorted((x, y) => y.certainty - x.certainty);
  const doubt = counted.reduce((product, { certainty }) => product * (1 - certainty / 100), 1);
  const sure = Math.floor((1 - doubt) * 100 + 1e-9);
  const isCapped = sure >= LEVELS.likely && hits.every(({ certainty }) => certainty < HINT);
  return { counted, certainty: isCapped ? LEVELS.likely - 1 : sure, isCapped };
}

/** How the certainty of what a fingerprint names comes about: of the product, or of the class where it names none. */
export function reckoningOf(fingerprint: Fingerprint, hits: readonly Hit[]): Reckoning {
  const own = hits.filter((hit) => hit.fingerprint === fingerprint);
  const [product, kind] = (['product', 'class'] as const).map((aspect) => reckon(supporting(own, aspect))) as [Reckoning, Reckoning];
  return fingerprint.generic === true && kind.certainty > product.certainty ? kind : product;
}

function supporting(hits: readonly Hit[], aspect: Aspect): readonly Hit[] {
  return hits.filter((hit) => hit.aspects.some((own) => SUPPORTS[aspect].includes(own)));
}

/** The value of each capture: that of the surest rule. Ranges of versions are narrowed by each other. */
function valuesOf(hits: readonly Hit[]): Partial<Record<Capture, string>> {
  const values: Partial<Record<Capture, string>> = {};
  const sorted = [...hits].toSorted((a, b) => b.certainty - a.certainty);
  for (const capture of CAPTURES) {
    const found = sorted.flatMap(({ captures }) => captures[capture] ?? []);
    const [first] = found;
    if (first !== undefined) values[capture] = capture === 'version' ? narrowest(found) : first;
  }
  return values;
}

const RANGE = /^(?<from>v?\d[\w.]*) - (?<to>v?\d[\w.]*)$/;

/** `v4.66 - v4.128` and `v4.84 - v4.125` are `v4.84 - v4.125`; an exact version is taken over any range; what does not overlap is left as the surest rule says. */
function narrowest(found: readonly string[]): string {
  const exact = found.find((version) => !RANGE.test(version));
  if (exact !== undefined) return exact;
  let { from = '', to = '' } = RANGE.exec(found[0] as string)?.groups ?? {};
  for (const range of found.slice(1)) {
    const other = RANGE.exec(range)?.groups ?? {};
    const low = compareVersions(other['from'] ?? '', from) > 0 ? (other['from'] ?? '') : from;
    const high = compareVersions(other['to'] ?? '', to) < 0 ? (other['to'] ?? '') : to;
    if (compareVersions(low, high) <= 0) [from, to] = [low, high];
  }
  return from === to ? from : `${from} - ${to}`;
}

const byNumber = new Intl.Collator('en', { numeric: true });
export function compareVersions(a: string, b: string): number {
  return byNumber.compare(a, b);
}
