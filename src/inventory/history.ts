import type { Device, Unkeyed } from '../devices/device.ts';
import { type Token, tokenKey, tokensOf } from '../devices/fuse.ts';
import { deriveKey, keyOfText, uidToken } from '../devices/identity.ts';
import type { Identifier } from '../vocabulary.ts';

/** Each agreeing identifier more decides between candidates that fit equally; a place more than all of them. */
const EACH = 0.01;
const MAX_COUNTED = 40;

/**
 * How well two views of devices fit: the higher the surer, 0 where they are not one. From 6 by a serial number, 5 a MAC, 4 two lesser identifiers that
 * agree, 3 one of them at the same place (address, or computer that it is attached to), 2 the place alone.
 * @param repeated identifiers (`tokenKey`) that several devices of one inventory show: by themselves they tie nothing, only at the same place
 */
export function likeness(a: Unkeyed, b: Unkeyed, repeated: ReadonlySet<string> = new Set()): number {
  if (differ(a.vendor, b.vendor) || differ(a.product, b.product)) return 0;
  // A view that saw less may know neither the product nor, therefore, the class.
  if (a.class !== b.class && a.product !== undefined && b.product !== undefined) return 0;
  const [ours, theirs] = [tokensOf(a.identifiers), tokensOf(b.identifiers)];
  const other = new Set(theirs.map(tokenKey));
  const places = new Set(placeKeys(b));
  const sharesPlace = placeKeys(a).some((key) => places.has(key));
  const equal = ours.filter((token) => other.has(tokenKey(token)));
  const common = new Set(equal.filter((token) => sharesPlace || !repeated.has(tokenKey(token))).map(({ kind }) => kind));
  const contradicts = (kind: Token['kind']): boolean =>
    ours.some((token) => token.kind === kind) && theirs.some((token) => token.kind === kind) && !equal.some((token) => token.kind === kind);
  const nearer = (sharesPlace ? 0.5 : 0) + EACH * Math.min(equal.length, MAX_COUNTED);
  if (common.has('serial')) return 6 + nearer;
  if (contradicts('serial')) return 0;
  if (common.has('mac')) return 5 + nearer;
  if (contradicts('mac') || a.class !== b.class) return 0;
  if (common.size >= 2) return 4 + nearer;
  if (!sharesPlace || contradictsUid(a, b)) return 0;
  // The place alone: enough for a name that should not change, where nothing speaks against it.
  return (common.size === 1 ? 3 : 2) + nearer;
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/** Other hardware answers: the GUID, or the UUID, of both is known and is not the same. */
function contradictsUid(a: Unkeyed, b: Unkeyed): boolean {
  return (['guid', 'uuid'] as const).some((kind) => {
    const [left, right] = [a, b].map(
      ({ identifiers }) => new Set(identifiers.flatMap((one) => (one.kind === kind ? [uidToken(one.value)] : []))),
    );
    return left !== undefined && right !== undefined && left.size > 0 && right.size > 0 && ![...left].some((value) => right.has(value));
  });
}

/**
 * Pairs of devices that are one, the surest first; each is in one pair at most.
 * @param known pairs that are known already
 */
export function pair<A extends Unkeyed, B extends Unkeyed>(
  now: readonly A[],
  before: readonly B[],
  known: ReadonlyMap<A, B> = new Map<A, B>(),
): Map<A, B> {
  const repeated = new Set([...repeatedIn(now), ...repeatedIn(before)]);
  const byKey = new Map<string, B[]>();
  for (const device of before)
    for (const key of keysOf(device)) {
      const list = byKey.get(key);
      if (list === undefined) byKey.set(key, [device]);
      else list.push(device);
    }
  const candidates = now.flatMap((device) =>
    // What many devices show (a factory certificate, a router's MAC) leads to all of them; those at the same place are found by it.
    [...new Set(keysOf(device).flatMap((key) => (repeated.has(key) ? [] : (byKey.get(key) ?? []))))]
      .map((old) => ({ device, old, score: likeness(device, old, repeated) }))
      .filter(({ score }) => score > 0),
  );
  const pairs = new Map(known);
  const taken = new Set(known.values());
  for (const { device, old } of candidates.toSorted((a, b) => b.score - a.score)) {
    if (pairs.has(device) || taken.has(old)) continue;
    pairs.set(device, old);
    taken.add(old);
  }
  return pairs;
}

/** A device of which another inventory has a part by itself. */
export interface Parted<W, P> {
  readonly whole: W;
  readonly part: P;
}

/**
 * Devices that one inventory shows as one and the other as several, by pairs of one inventory with the other: the parts that are in no pair. A part
 * stands where the whole stood, all of it, and its other half still shares an address with it: else it is another device that took its place.
 */
export function partsOf<W extends Unkeyed, P extends Unkeyed>(
  wholes: readonly W[],
  parts: readonly P[],
  halves: ReadonlyMap<W, P>,
): Parted<W, P>[] {
  const byAddress = new Map<string, W[]>();
  for (const whole of wholes)
    if (whole.addresses.length > 1)
      for (const address of whole.addresses) byAddress.set(address, [...(byAddress.get(address) ?? []), whole]);
  const paired = new Set(halves.values());
  const repeated = new Set([...repeatedIn(wholes), ...repeatedIn(parts)]);
  return parts.flatMap((part) => {
    if (paired.has(part)) return [];
    const [first] = part.addresses;
    const whole = (first === undefined ? [] : (byAddress.get(first) ?? [])).find((one) => {
      const half = halves.get(one);
      return (
        half !== undefined &&
        part.addresses.every((address) => one.addresses.includes(address)) &&
        half.addresses.some((address) => one.addresses.includes(address) && !part.addresses.includes(address)) &&
        likeness(part, one, repeated) > 0
      );
    });
    return whole === undefined ? [] : [{ whole, part }];
  });
}

/** Pairs the other way round. */
export function reversed<A, B>(pairs: ReadonlyMap<A, B>): Map<B, A> {
  return new Map([...pairs].map(([a, b]) => [b, a]));
}

function repeatedIn(devices: readonly Unkeyed[]): Set<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { identifiers } of devices)
    for (const key of tokensOf(identifiers).map(tokenKey)) {
      if (seen.has(key)) repeated.add(key);
      seen.add(key);
    }
  return repeated;
}

function keysOf(device: Unkeyed): string[] {
  return [...tokensOf(device.identifiers).map(tokenKey), ...placeKeys(device)];
}

function placeKeys({ addresses, attachedTo = [] }: Unkeyed): string[] {
  return [...addresses.map((address) => `ip ${address}`), ...attachedTo.map(({ computer }) => `computer ${computer}`)];
}

/**
 * Gives devices their keys: those of the previous inventory where they are in it, with the day they were first seen; else derived from what they are.
 * No two devices get one key, and the key of a device that is not seen this time is given to no other. What was seen as several devices, or as a part
 * of one, has been seen since the first of them was.
 */
export function withHistory(devices: readonly Unkeyed[], previous: readonly Device[]): Device[] {
  const pairs = pair(devices, previous);
  const used = new Set(previous.map(({ deviceKey }) => deviceKey));
  const repeated = repeatedIn(devices);
  const addresses = new Map<string, number>();
  for (const device of devices) for (const address of device.addresses) addresses.set(address, (addresses.get(address) ?? 0) + 1);
  const unique = (device: Unkeyed): Identifier[] =>
    device.identifiers.filter((identifier) => {
      if (identifier.kind === 'ip') return (addresses.get(identifier.value) ?? 0) < 2;
      const tokens = tokensOf([identifier]);
      return identifier.kind === 'fqdn' || (tokens.length > 0 && tokens.every((token) => !repeated.has(tokenKey(token))));
    });
  const fresh = (device: Unkeyed): string => {
    const own = unique(device);
    let key = own.length === 0 ? undefined : deriveKey(own, device.vendor);
    for (let i = 1; key === undefined || used.has(key); i += 1)
      key = keyOfText(['address', ...namesOfPlace(device), device.class, device.vendor ?? '', device.product ?? '', i].join(' '));
    used.add(key);
    return key;
  };
  const since = new Map<Unkeyed, string | undefined>(
    devices.map((device) => [device, earliest(device.firstSeen, pairs.get(device)?.firstSeen)]),
  );
  const before = [
    ...partsOf(devices, previous, pairs).map(({ whole, part }) => [whole, part] as const),
    ...partsOf(previous, devices, reversed(pairs)).map(({ whole, part }) => [part, whole] as const),
  ];
  for (const [device, old] of before) since.set(device, earliest(since.get(device), old.firstSeen));
  return devices.map((device) => keyed(device, pairs.get(device)?.deviceKey ?? fresh(device), since.get(device)));
}

function namesOfPlace({ addresses, attachedTo = [] }: Unkeyed): readonly string[] {
  return addresses.length > 0 ? addresses : attachedTo.map(({ computer }) => computer);
}

function keyed(device: Unkeyed, deviceKey: string, firstSeen: string | undefined): Device {
  return { deviceKey, ...device, ...(firstSeen === undefined ? {} : { firstSeen }) };
}

function earliest(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined ? b : b === undefined || a < b ? a : b;
}
