import type { Device, Unkeyed } from '../devices/device.ts';
import { type Token, tokenKey, tokensOf } from '../devices/fuse.ts';
import { deriveKey, keyOfText, uidToken } from '../devices/identity.ts';
import type { Identifier } from '../vocabulary.ts';

/** Each agreeing identifier more decides between candidates that fit equally; an address more than all of them. */
const EACH = 0.01;
const MAX_COUNTED = 40;

/**
 * How well two views of devices fit: the higher the surer, 0 where they are not one. From 6 by a serial number, 5 a MAC, 4 two lesser identifiers that
 * agree, 3 one of them at the same address, 2 the address alone.
 * @param repeated identifiers (`tokenKey`) that several devices of one inventory show: by themselves they tie nothing, only at the same address
 */
export function likeness(a: Unkeyed, b: Unkeyed, repeated: ReadonlySet<string> = new Set()): number {
  if (differ(a.vendor, b.vendor) || differ(a.product, b.product)) return 0;
  // A view that saw less may know neither the product nor, therefore, the class.
  if (a.class !== b.class && a.product !== undefined && b.product !== undefined) return 0;
  const [ours, theirs] = [tokensOf(a.identifiers), tokensOf(b.identifiers)];
  const other = new Set(theirs.map(tokenKey));
  const sharesAddress = a.addresses.some((address) => b.addresses.includes(address));
  const equal = ours.filter((token) => other.has(tokenKey(token)));
  const common = new Set(equal.filter((token) => sharesAddress || !repeated.has(tokenKey(token))).map(({ kind }) => kind));
  const contradicts = (kind: Token['kind']): boolean =>
    ours.some((token) => token.kind === kind) && theirs.some((token) => token.kind === kind) && !equal.some((token) => token.kind === kind);
  const nearer = (sharesAddress ? 0.5 : 0) + EACH * Math.min(equal.length, MAX_COUNTED);
  if (common.has('serial')) return 6 + nearer;
  if (contradicts('serial')) return 0;
  if (common.has('mac')) return 5 + nearer;
  if (contradicts('mac') || a.class !== b.class) return 0;
  if (common.size >= 2) return 4 + nearer;
  if (!sharesAddress || contradictsUid(a, b)) return 0;
  // The address alone: enough for a name that should not change, where nothing speaks against it.
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

/** Pairs of devices that are one, the surest first; each is in one pair at most. */
export function pair<A extends Unkeyed, B extends Unkeyed>(now: readonly A[], before: readonly B[]): Map<A, B> {
  const repeated = new Set([...repeatedIn(now), ...repeatedIn(before)]);
  const byKey = new Map<string, B[]>();
  for (const device of before)
    for (const key of keysOf(device)) {
      const list = byKey.get(key);
      if (list === undefined) byKey.set(key, [device]);
      else list.push(device);
    }
  const candidates = now.flatMap((device) =>
    // What many devices show (a factory certificate, a router's MAC) leads to all of them; those at the same address are found by it.
    [...new Set(keysOf(device).flatMap((key) => (repeated.has(key) ? [] : (byKey.get(key) ?? []))))]
      .map((old) => ({ device, old, score: likeness(device, old, repeated) }))
      .filter(({ score }) => score > 0),
  );
  const pairs = new Map<A, B>();
  const taken = new Set<B>();
  for (const { device, old } of candidates.toSorted((a, b) => b.score - a.score)) {
    if (pairs.has(device) || taken.has(old)) continue;
    pairs.set(device, old);
    taken.add(old);
  }
  return pairs;
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

function keysOf({ identifiers, addresses }: Unkeyed): string[] {
  return [...tokensOf(identifiers).map(tokenKey), ...addresses.map((address) => `ip ${address}`)];
}

/**
 * Gives devices their keys: those of the previous inventory where they are in it, with the day they were first seen; else derived from what they are.
 * No two devices get one key, and the key of a device that is not seen this time is given to no other.
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
      key = keyOfText(['address', ...device.addresses, device.class, device.vendor ?? '', device.product ?? '', i].join(' '));
    used.add(key);
    return key;
  };
  return devices.map((device) => {
    const old = pairs.get(device);
    return old === undefined
      ? keyed(device, fresh(device), device.firstSeen)
      : keyed(device, old.deviceKey, earliest(device.firstSeen, old.firstSeen));
  });
}

function keyed(device: Unkeyed, deviceKey: string, firstSeen: string | undefined): Device {
  return { deviceKey, ...device, ...(firstSeen === undefined ? {} : { firstSeen }) };
}

export function earliest(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined ? b : b === undefined || a < b ? a : b;
}
