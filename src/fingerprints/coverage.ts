import { type Channel, channelOf, CHANNELS, type DeviceClass } from '../vocabulary.ts';
import { type Capture, CAPTURES, type Condition, conditionsOf, type Fingerprint, type Rule } from './schema.ts';

/** What a set can tell of one product: in which channels it is recognised, and which fields are filled from which facts. */
export interface ProductCoverage {
  /** Absent for what names no product. */
  readonly vendor?: string;
  readonly product?: string;
  readonly class: DeviceClass;
  readonly fingerprints: readonly string[];
  readonly rules: number;
  readonly channels: readonly Channel[];
  /** The facts that each field is filled from; a field that no answer holds is absent. */
  readonly fields: Readonly<Partial<Record<Capture, readonly string[]>>>;
}

/** Every product of a set, by vendor and product; definitions of one product together. */
export function coverageOf(fingerprints: readonly Fingerprint[]): ProductCoverage[] {
  const products = new Map<string, Fingerprint[]>();
  for (const fingerprint of fingerprints) {
    const { id, vendor, product } = fingerprint;
    const key = vendor === undefined || product === undefined ? id : `${vendor}\n${product}\n${fingerprint.class}`;
    products.set(key, [...(products.get(key) ?? []), fingerprint]);
  }
  return [...products.values()].map(productCoverage).toSorted((a, b) => compare(nameOf(a), nameOf(b)) || compare(a.class, b.class));
}

function productCoverage(fingerprints: readonly Fingerprint[]): ProductCoverage {
  const [{ vendor, product, class: kind }] = fingerprints as readonly [Fingerprint, ...Fingerprint[]];
  const rules = fingerprints.flatMap((fingerprint) => fingerprint.rules);
  const seen = new Set(rules.flatMap((rule) => conditionsOf(rule).map(({ fact }) => channelOf(fact))));
  const fields: Partial<Record<Capture, readonly string[]>> = {};
  for (const capture of CAPTURES) {
    const facts = [...new Set(rules.flatMap((rule) => filledFrom(rule, capture)))].toSorted();
    if (facts.length > 0) fields[capture] = facts;
  }
  return {
    ...(vendor === undefined ? {} : { vendor }),
    ...(product === undefined ? {} : { product }),
    class: kind,
    fingerprints: fingerprints.map(({ id }) => id).toSorted(),
    rules: rules.length,
    channels: CHANNELS.filter((channel) => seen.has(channel)),
    fields,
  };
}

/** The facts from which a rule fills a field: those that it captures, or, where it implies the value, those that it looks at. */
function filledFrom(rule: Rule, capture: Capture): string[] {
  const conditions = conditionsOf(rule);
  const captured = conditions.filter((condition) => captures(condition, capture));
  const filling = captured.length === 0 && rule.set?.[capture] !== undefined ? conditions : captured;
  return filling.map(({ fact }) => fact);
}

function captures({ regex, in: oneOf, gives = 'version' }: Condition, capture: Capture): boolean {
  if (oneOf !== undefined && !Array.isArray(oneOf)) return gives === capture;
  return regex !== undefined && new RegExp(`\\(\\?P?<${capture}>`).test(regex);
}

function nameOf({ vendor = '~', product = '~', fingerprints }: ProductCoverage): string {
  return `${vendor}\n${product}\n${fingerprints[0] ?? ''}`.toLowerCase();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How many products can be told so well: of those with a name, those recognised in so many channels, those with each field. */
export interface CoverageTotals {
  readonly products: number;
  readonly vendors: number;
  readonly severalChannels: number;
  readonly fields: Readonly<Record<Capture, number>>;
}

export function totalsOf(products: readonly ProductCoverage[]): CoverageTotals {
  const named = products.filter(({ product }) => product !== undefined);
  return {
    products: named.length,
    vendors: new Set(named.map(({ vendor }) => vendor)).size,
    severalChannels: named.filter(({ channels }) => channels.length > 1).length,
    fields: Object.fromEntries(
      CAPTURES.map((capture) => [capture, named.filter(({ fields }) => fields[capture] !== undefined).length]),
    ) as Record<Capture, number>,
  };
}
