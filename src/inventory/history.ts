import type { Device, Unkeyed } from '../devices/device.ts';
import { tokensOf } from '../devices/fuse.ts';
import { deriveKey } from '../devices/identity.ts';
import type { Identifier } from '../vocabulary.ts';

/** How well two views of devices fit: the higher the surer, 0 where they are not one. */
export function likeness(a: Unkeyed, b: Unkeyed): number {
  const [ours, theirs] = [tokensOf(a.identifiers), tokensOf(b.identifiers)];
  const common = new Set(ours.filter((token) => theirs.some((other) => other.kind === token.kind && other.value === token.value)).map(({ kind }) => kind));
  const contradicts = (kind: 'serial' | 'mac'): boolean => ours.some((token) => token.kind === kind) && theirs.some((token) => token.kind === kind) && !common.has(kind);
  const sameThing = a.class === b.class && (a.vendor === undefined || b.vendor === undefined || a.vendor === b.vendor) && (a.product === undefined || b.product === undefined || a.product === b.product);
  const sharesAddress = a.addresses.some((address) => b.addresses.includes(address));
  if (common.has('serial') && sameThing) return 6;
  if (contradicts('serial')) return 0;
  if (common.has('mac') && sameThing) return 5;
  if (contradicts('mac') || !sameThing) return 0;
  if (common.size >= 2) return 4;
  if (common.size === 1 && sharesAddress) return 3;
  // The address alone: enough for a name that should not change, where nothing speaks against it.
  return sharesAddress ? 2 : 0;
}

/** Pairs of devices that are one, the surest first; each is in one pair at most. */
export function pair<A extends Unkeyed, B extends Unkeyed>(now: readonly A[], before: readonly B[]): Map<A, B> {
  const byToken = new Map<string, B[]>();
  for (const device of before)
    for (const key of keysOf(device)) {
      const list = byToken.get(key);
      if (list === undefined) byToken.set(key, [device]);
      else list.push(device);
    }
  const candidates = now.flatMap((device) =>
    [...new Set(keysOf(device).flatMap((key) => byToken.get(key) ?? []))].map((old) => ({ device, old, score: likeness(device, old) })).filter(({ score }) => score > 0),
  );
  const pairs = new Map<A, B>();
  const taken = new Set<B>();
  for (const { device, old } of candidates.sort((a, b) => b.score - a.score)) {
    if (pairs.has(device) || taken.has(old)) continue;
    pairs.set(device, old);
    taken.add(old);
  }
  return pairs;
}

function keysOf({ identifiers, addresses }: Unkeyed): string[] {
  return [...tokensOf(identifiers).map(({ kind, value }) => `${kind} ${value}`), ...addresses.map((address) => `ip ${address}`)];
}

/** Gives devices their keys: those of the previous inventory where they are in it, with the day they were first seen; else derived from what they are. */
export function withHistory(devices: readonly Unkeyed[], previous: readonly Device[]): Device[] {
  const pairs = pair(devices, previous);
  const used = new Set([...pairs.values()].map(({ deviceKey }) => deviceKey));
  return devices.map((device) => {
    const old = pairs.get(device);
    if (old !== undefined) return keyed(device, old.deviceKey, earliest(device.firstSeen, old.firstSeen));
    let deviceKey = deriveKey(trustworthy(device), device.vendor);
    if (used.has(deviceKey)) deviceKey = deriveKey([{ kind: 'ip', value: device.addresses.join(' '), from: 'address' }], device.vendor);
    used.add(deviceKey);
    return keyed(device, deviceKey, device.firstSeen);
  });
}

function keyed({ firstSeen: _, lastSeen, ...rest }: Unkeyed, deviceKey: string, firstSeen: string | undefined): Device {
  return { deviceKey, ...rest, ...(firstSeen === undefined ? {} : { firstSeen }), ...(lastSeen === undefined ? {} : { lastSeen }) };
}

/** Identifiers that other devices of the sweep show too name nothing. */
function trustworthy({ identifiers, posture }: Unkeyed): Identifier[] {
  return identifiers.filter(({ kind }) => {
    if (posture.includes('shared-certificate') && kind === 'spki') return false;
    return !(posture.includes('shared-identifier') && (kind === 'guid' || kind === 'uuid' || kind === 'serial'));
  });
}

function earliest(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined ? b : b === undefined || a < b ? a : b;
}
