import type { ApprovedAsset } from './asset.ts';
import type { Matched, Pair, Seen } from './match.ts';

/** What becomes of a device, or of its claim to a record. */
export type Resolution =
  /** It is the record's device. */
  | { readonly outcome: 'carried'; readonly pair: Pair }
  /** It is the record's device, and other records approve it too. */
  | { readonly outcome: 'approved-twice'; readonly pair: Pair; readonly others: readonly Pair[] }
  /** Other devices claim the same record, and not all of them can be it. */
  | { readonly outcome: 'claimed-twice'; readonly pair: Pair; readonly rivals: readonly Seen[] }
  /** It may be the device of the record, or of one of several. */
  | { readonly outcome: 'ambiguous'; readonly pair: Pair; readonly others: readonly Pair[] }
  | { readonly outcome: 'impostor'; readonly pair: Pair }
  /** `near`: it has something of a record that another device carries. */
  | { readonly outcome: 'unapproved'; readonly near?: Pair };

/** Decides for each device which record it carries, from the pairs of records and devices that share an identifier. Does not depend on any order. */
export function resolve(pairs: ReadonlyMap<Seen, readonly Pair[]>): Map<Seen, Resolution> {
  const strongPairs = groupByAsset([...pairs.values()].flatMap((own) => own.filter(({ strong, verdict }) => strong && verdict === 'same')));
  const resolved = new Map<Seen, Resolution>();
  for (const [seen, own] of pairs) {
    const found = carriedBy(own, strongPairs);
    if (found !== undefined) resolved.set(seen, found);
  }
  const carriers = groupByAsset(
    [...resolved.values()].flatMap((resolution) => ('pair' in resolution && resolution.outcome !== 'ambiguous' ? [resolution.pair] : [])),
  );
  for (const [seen, own] of pairs) if (!resolved.has(seen)) resolved.set(seen, notCarried(own, carriers));
  const byAsset = new Map<ApprovedAsset, { readonly seen: Seen; readonly pair: Pair }[]>();
  for (const [seen, resolution] of resolved)
    if (resolution.outcome === 'carried')
      byAsset.set(resolution.pair.asset, [...(byAsset.get(resolution.pair.asset) ?? []), { seen, pair: resolution.pair }]);
  for (const claims of byAsset.values()) {
    if (claims.every((one, i) => claims.slice(i + 1).every((other) => areBothListed(one.pair, other.pair)))) continue;
    for (const { seen, pair } of claims)
      resolved.set(seen, { outcome: 'claimed-twice', pair, rivals: claims.flatMap((other) => (other.seen === seen ? [] : [other.seen])) });
  }
  return resolved;
}

function groupByAsset(pairs: readonly Pair[]): Map<ApprovedAsset, Pair[]> {
  return Map.groupBy(pairs, ({ asset }) => asset);
}

function carriedBy(own: readonly Pair[], strongPairs: ReadonlyMap<ApprovedAsset, readonly Pair[]>): Resolution | undefined {
  const same = own.filter(({ verdict }) => verdict === 'same');
  const strong = same.filter((pair) => pair.strong);
  if (strong.length > 1) return several(strong);
  const [pair] = strong;
  if (pair !== undefined)
    return withLesserRecords(
      pair,
      same.filter((other) => other !== pair),
    );
  const weak = same.filter((one) => !isAccountedFor(one, strongPairs.get(one.asset) ?? []));
  const most = Math.max(0, ...weak.map(({ matched }) => kindsOf(matched)));
  const best = weak.filter(({ matched }) => kindsOf(matched) === most);
  const [only] = best;
  if (only === undefined) return undefined;
  return best.length === 1 ? { outcome: 'carried', pair: only } : several(best);
}

function kindsOf(matched: readonly Matched[]): number {
  return new Set(matched.map(({ kind }) => kind)).size;
}

/** Records that one and the same identifier finds are one approval written twice; else the device could be either. */
function several(pairs: readonly Pair[]): Resolution | undefined {
  const [pair, ...others] = pairs;
  if (pair === undefined) return undefined;
  const common = tokensOf(pair).filter((token) => others.every((other) => tokensOf(other).includes(token)));
  // Two records of one address that each name a number of their own are two devices, of which one should be elsewhere; where it has the numbers of both, they are one.
  const apart = !pair.strong && pairs.filter(({ asset }) => hasNumbers(asset)).length > 1;
  const isOne = common.some((token) => pair.strong === isStrong(token) || (token.startsWith('ip ') && !pairs.some(contradictsNumbers)));
  return { outcome: isOne && !apart ? 'approved-twice' : 'ambiguous', pair, others };
}

/** Matched identifiers for comparing; of a UUID it does not matter where it was read. */
function tokensOf({ matched }: Pair): string[] {
  return matched.map(({ kind, value }) => `${kind === 'guid' ? 'uuid' : kind} ${value.replace(/\s+/g, '').toUpperCase()}`);
}

function isStrong(token: string): boolean {
  return /^(?:serial|mac|uuid) /.test(token);
}

/** One of its numbers is the device's, and another one is not. */
function contradictsNumbers({ conflicts }: Pair): boolean {
  return conflicts.some(({ what }) => what === 'serial' || what === 'mac' || what === 'uuid');
}

/** Whether a record names more than where the device is and what it is called. */
export function hasNumbers({ serials, macs, uuids }: ApprovedAsset): boolean {
  return serials.length + macs.length + uuids.length > 0;
}

/** A device that is surely one record's, and answers at the address or under the name of others. */
function withLesserRecords(pair: Pair, lesser: readonly Pair[]): Resolution {
  const { asset, atHome } = pair;
  // It stands where its own record does not say: the other record's device is what is missing.
  if (lesser.length === 0 || (asset.addresses.length > 0 && !atHome)) return { outcome: 'carried', pair };
  const repeating = lesser.filter((other) => !hasNumbers(other.asset));
  if (repeating.length > 0) return { outcome: 'approved-twice', pair, others: repeating };
  return asset.addresses.length > 0 ? { outcome: 'carried', pair } : { outcome: 'ambiguous', pair, others: lesser };
}

/** Whether a record's device is surely found elsewhere, so that an address or name of the record says nothing more; a second address of a record may be another port of the same. */
function isAccountedFor(pair: Pair, carriers: readonly Pair[]): boolean {
  return carriers.length > 0 && !(pair.atHome && carriers.every((other) => other.atHome && !meet(pair, other)));
}

/** At a common address. */
function meet(a: Pair, b: Pair): boolean {
  return a.device.addresses.some((address) => b.device.addresses.includes(address));
}

function notCarried(own: readonly Pair[], carriers: ReadonlyMap<ApprovedAsset, readonly Pair[]>): Resolution {
  const isFree = ({ asset }: Pair): boolean => !carriers.has(asset);
  // Its device may be found elsewhere: at the address that was approved stands another all the same. Not so where both stand behind one address.
  const posing = own.filter(
    (pair) =>
      pair.verdict === 'other' && (isFree(pair) || (pair.atHome && !(carriers.get(pair.asset) ?? []).some((other) => meet(pair, other)))),
  );
  const [impostor] = posing.toSorted((a, b) => Number(b.strong) - Number(a.strong) || Number(b.atHome) - Number(a.atHome));
  if (impostor !== undefined) return { outcome: 'impostor', pair: impostor };
  const [unclear, ...others] = own.filter((pair) => pair.verdict === 'unclear' && !isAccountedFor(pair, carriers.get(pair.asset) ?? []));
  if (unclear !== undefined) return { outcome: 'ambiguous', pair: unclear, others };
  const near = own.find(({ verdict }) => verdict !== 'unclear') ?? own[0];
  return near === undefined ? { outcome: 'unapproved' } : { outcome: 'unapproved', near };
}

/** Whether two devices can both be what a record lists: each has a value of its own of what the record lists several of (two network cards, two addresses). */
function areBothListed(a: Pair, b: Pair): boolean {
  if (tokensOf(a).some((token) => tokensOf(b).includes(token))) return false;
  return a.matched.some(({ kind }) => (kind === 'mac' || kind === 'ip') && b.matched.some((other) => other.kind === kind));
}
