import { attachedIn, type Attachment, type Device, deviceName, placesOf, placeText } from '../devices/device.ts';
import { compareKeys, sortKey } from '../observations/read.ts';
import { type AddressNumber, parseAddress, spaceOf, withoutZone } from '../targets/addresses.ts';
import { HostSet } from '../targets/hosts.ts';
import { parseShard } from '../targets/shard.ts';
import { parseRange } from '../targets/parse.ts';
import type { DeviceClass, Posture } from '../vocabulary.ts';
import { pair, partsOf, reversed } from './history.ts';
import type { Inventory } from './schema.ts';

export const CHANGES = ['appeared', 'gone', 'not-asked', 'moved', 'changed'] as const;

/** Risks that a certificate, or the connection that it came over, tells. */
const OF_CERTIFICATE: ReadonlySet<string> = new Set<Posture>([
  'default-certificate',
  'shared-certificate',
  'expired-certificate',
  'weak-certificate-key',
  'legacy-tls',
]);

const COMPARED = ['class', 'vendor', 'product', 'generation', 'model', 'version', 'serial', 'hostname'] as const;

/**
 * One thing that is otherwise. What has one value has it `from` and `to`, where it is known; of what has several (addresses, computers, risks) each one that is lost
 * stands in `from`, and each that is new in `to`. `merged` and `split` name the key of the device that it was seen beside, or as a part of.
 */
export interface Difference {
  readonly what: 'address' | 'computer' | (typeof COMPARED)[number] | 'certificate' | 'risk' | 'merged' | 'split';
  readonly from?: string;
  readonly to?: string;
}

/** What became of one device between two sweeps. A device is in one row, with all that changed. */
export interface Change {
  readonly change: (typeof CHANGES)[number];
  readonly deviceKey: string;
  readonly class: DeviceClass;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly attachedTo?: readonly Attachment[];
  /** ISO 8601, UTC. */
  readonly firstSeen?: string;
  /** For programs; empty where the device appeared or is not there. */
  readonly changes: readonly Difference[];
  /** For people: `version: 1.2 -> 1.3`. */
  readonly details: readonly string[];
}

/** Whether anything happened: that nobody looked is no change. */
export function hasChanged({ change }: Change): boolean {
  return change !== 'not-asked';
}

/**
 * Holds two inventories against each other. `gone` is only what was asked again, wherever it was and at a port where it was, by a sweep that is
 * complete; everything else that is missing is `not-asked`.
 */
export function changesBetween(before: Inventory, after: Inventory): Change[] {
  const pairs = pair(after.devices, before.devices, sameKeys(after, before));
  const merged = partsOf(after.devices, before.devices, pairs);
  const split = partsOf(before.devices, after.devices, reversed(pairs));
  const [wasAsked, isAsked] = [askedIn(before), askedIn(after)];
  const isLookedAt = lookedAtIn(before, after, isAsked);
  const changes: Change[] = [];
  for (const device of after.devices) {
    const others = merged.flatMap(({ whole, part }) => (whole === device ? [part] : []));
    const old = pairs.get(device);
    const whole = old === undefined ? split.find(({ part }) => part === device)?.whole : undefined;
    if (old !== undefined) changes.push(...rowOf(old, device, others, { isAsked, isLookedAt }));
    else if (whole === undefined)
      changes.push(row('appeared', device, [], [placesText(device), ...notLookedFor(device, before, wasAsked)]));
    else
      changes.push(
        row('changed', device, [{ what: 'split', from: whole.deviceKey }], [`was seen as one with ${keyText(whole)} until now`]),
      );
  }
  const kept = new Set([...pairs.values(), ...merged.map(({ part }) => part)]);
  for (const device of before.devices) {
    if (kept.has(device)) continue;
    const reason = whyNotAsked(device, after, isAsked, 'newer');
    changes.push(reason === undefined ? row('gone', device, [], [`was ${placeText(device)}`]) : row('not-asked', device, [], [reason]));
  }
  return changes
    .map((change) => ({ change, kind: CHANGES.indexOf(change.change), place: sortKey(placesOf(change)[0] ?? '') }))
    .toSorted((a, b) => a.kind - b.kind || compareKeys(a.place, b.place) || (a.change.deviceKey < b.change.deviceKey ? -1 : 1))
    .map(({ change }) => change);
}

function askedIn(inventory: Inventory): (address: string) => boolean {
  const asked = askedHosts(inventory);
  return (address) => {
    const number = parseAddress(address);
    return number !== undefined && asked(number);
  };
}

/** Why it may have been there before: that the older sweep did not look says nothing of when it came. */
function notLookedFor(device: Device, before: Inventory, wasAsked: (address: string) => boolean): string[] {
  if (before.asked === undefined || device.addresses.length === 0) return [];
  return [whyNotAsked(device, before, wasAsked, 'older') ?? []].flat();
}

/** What has one key is one device: where keys were not carried on, they were made of the same identifier. */
function sameKeys(after: Inventory, before: Inventory): Map<Device, Device> {
  const old = new Map(before.devices.map((device) => [device.deviceKey, device]));
  return new Map(
    after.devices.flatMap((device) => {
      const found = old.get(device.deviceKey);
      return found === undefined ? [] : [[device, found] as const];
    }),
  );
}

/** What the newer sweep asked again. */
interface Again {
  readonly isAsked: (address: string) => boolean;
  /** Whether it asked a device everything that the older one had an answer to: else what it does not know is not lost. */
  readonly isLookedAt: (old: Device, device: Device) => boolean;
}

function lookedAtIn(before: Inventory, after: Inventory, isAsked: Again['isAsked']): Again['isLookedAt'] {
  const ports = portsOf(after.asked);
  const isReadAgain = before.asked?.snmp === undefined || after.asked?.snmp !== undefined;
  return (old, { addresses }) =>
    isReadAgain &&
    old.endpoints.every(({ host, port, transport }) => (isAsked(host) || !addresses.includes(host)) && ports.has(`${port}/${transport}`));
}

/** The ports of a sweep: `443/tcp`. */
function portsOf(asked: Inventory['asked']): ReadonlySet<string | undefined> {
  return new Set((asked?.ports ?? []).map((port) => port.split('=', 1)[0]));
}

/** The row of a device that is in both, where anything is to be told of it. */
function rowOf(old: Device, device: Device, others: readonly Device[], { isAsked, isLookedAt }: Again): Change[] {
  const differences = differencesOf(old, device, isLookedAt(old, device));
  const details = detailsOf(differences);
  const together = others.map((other) => `seen as one with ${keyText(other)} now`);
  const merging = others.map(({ deviceKey }): Difference => ({ what: 'merged', from: deviceKey }));
  const gained = device.addresses.filter((address) => !old.addresses.includes(address));
  const lost = old.addresses.filter((address) => !device.addresses.includes(address));
  const places = (from: readonly string[]): Difference[] => [
    ...from.map((address): Difference => ({ what: 'address', from: address })),
    ...gained.map((address): Difference => ({ what: 'address', to: address })),
  ];
  const way = `${placesText(old)} -> ${placesText(device)}`;
  if (hasMoved(old, device)) {
    const unsure = lost.length === 0 || lost.some(isAsked) ? [] : ['its old address was not asked in the newer sweep'];
    return [row('moved', device, [...places(lost), ...differences, ...merging], [way, ...unsure, ...details, ...together])];
  }
  // An address that was not asked again is not one that it lost.
  const moves = places(lost.filter(isAsked));
  if (moves.length + differences.length + merging.length === 0) return [];
  return [
    row(
      'changed',
      device,
      [...moves, ...differences, ...merging],
      [...(moves.length > 0 ? [`addresses: ${way}`] : []), ...details, ...together],
    ),
  ];
}

/** What answered then and answers now, or was and is attached: only where none of its places is one that it had. */
function hasMoved(old: Device, device: Device): boolean {
  if ((old.addresses.length === 0) !== (device.addresses.length === 0)) return false;
  const had = new Set([...old.addresses, ...computersOf(old)]);
  return had.size > 0 && ![...device.addresses, ...computersOf(device)].some((place) => had.has(place));
}

function computersOf({ attachedTo = [] }: Device): string[] {
  return attachedTo.map(({ computer }) => computer);
}

/** Why the absence of a device says nothing; undefined where it does. */
function whyNotAsked(
  device: Device,
  { asked, completeness }: Inventory,
  isAsked: (address: string) => boolean,
  which: 'newer' | 'older',
): string | undefined {
  if (device.attachedTo !== undefined && device.addresses.length === 0)
    return `no list of what is attached to ${computersOf(device).join(', ')} names it in the newer inventory, which does not tell whether one was read`;
  if (device.addresses.length === 0) return 'it has no address that a sweep could ask';
  const missed = placesToAsk(device).filter((address) => !isAsked(address));
  if (missed.length === device.addresses.length)
    return asked?.only === undefined
      ? `its address was not asked in the ${which} sweep`
      : `its address was not asked in the ${which} sweep, or only at ports that its targets named`;
  if (missed.length > 0) return `${missed.join(', ')} was not asked in the ${which} sweep`;
  const ports = portsOf(asked);
  if (
    device.endpoints.length > 0 &&
    !device.endpoints.some(({ host, port, transport }) => isAsked(host) && ports.has(`${port}/${transport}`))
  )
    return `the ports that it answered at were not asked in the ${which} sweep`;
  return completeness.complete ? undefined : `the ${which} sweep is not complete`;
}

/** Where a device would have to be asked. Link-local addresses are learned from the neighbour table, where a device that is gone is not: others tell. */
function placesToAsk({ addresses }: Device): readonly string[] {
  const others = addresses.filter((address) => {
    const number = parseAddress(address);
    return number === undefined || spaceOf(withoutZone(number)) !== 'link-local';
  });
  return others.length === 0 ? addresses : others;
}

/**
 * Whether an address was among the targets of a sweep, and asked at all of its ports. An inventory that is of no sweep asked nothing; of an address whose
 * ports the targets named, those say nothing about what else is there.
 */
export function askedHosts({ asked }: Pick<Inventory, 'asked'>): (address: AddressNumber) => boolean {
  const ranges = (asked?.ranges ?? []).flatMap((text) => {
    const range = parseRange(text);
    return 'reason' in range ? [] : [range];
  });
  const hosts = new HostSet(ranges, undefined, asked?.shard === undefined ? undefined : parseShard(asked.shard));
  const partly = new Set(Object.keys(asked?.only ?? {}).map(parseAddress));
  return (address) => hosts.indexOf(address) !== undefined && !partly.has(address);
}

function differencesOf(old: Device, device: Device, isLookedAt: boolean): Difference[] {
  const found: Difference[] = COMPARED.flatMap((what) =>
    old[what] === device[what] || (device[what] === undefined && !isLookedAt) ? [] : [between(what, old[what], device[what])],
  );
  const [before, now] = [keysOf(old), keysOf(device)];
  // A certificate that could not be read this time has not changed.
  if (before.length > 0 && now.length > 0 && !now.some((value) => before.includes(value)))
    found.push(between('certificate', before[0], now[0]));
  for (const { computer, present } of device.attachedTo ?? []) {
    const was = old.attachedTo?.find((one) => one.computer === computer)?.present ?? false;
    if (present !== was) found.push({ what: 'computer', ...(present ? { to: computer } : { from: computer }) });
  }
  for (const risk of device.posture) if (!old.posture.includes(risk)) found.push({ what: 'risk', to: risk });
  // What was read off a certificate is not better because it could not be read this time.
  const isUnread = (risk: string): boolean => !isLookedAt || (before.length > 0 && now.length === 0 && OF_CERTIFICATE.has(risk));
  for (const risk of old.posture) if (!device.posture.includes(risk) && !isUnread(risk)) found.push({ what: 'risk', from: risk });
  return found;
}

function between(what: Difference['what'], from: string | undefined, to: string | undefined): Difference {
  return { what, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

function keysOf({ identifiers }: Device): string[] {
  return identifiers.flatMap(({ kind, value }) => (kind === 'spki' ? [value] : []));
}

function detailsOf(differences: readonly Difference[]): string[] {
  const risks = (side: 'from' | 'to'): string => differences.flatMap((one) => (one.what === 'risk' ? (one[side] ?? []) : [])).join(', ');
  return [
    ...differences.flatMap(({ what, from, to }) => {
      if (what === 'risk') return [];
      if (what === 'computer') return [to === undefined ? `no longer attached to ${from ?? ''}` : `attached to ${to}`];
      return what === 'certificate'
        ? [`certificate key: ${from?.slice(0, 16)}… -> ${to?.slice(0, 16)}…`]
        : [`${what}: ${from ?? '-'} -> ${to ?? '-'}`];
    }),
    ...(risks('to') === '' ? [] : [`new risk: ${risks('to')}`]),
    ...(risks('from') === '' ? [] : [`no longer: ${risks('from')}`]),
  ];
}

function placesText(device: Device): string {
  return placesOf(device).join(', ') || (device.hostname ?? 'no address');
}

/** `PiKVM (kvm-0123456789ab, 10.0.0.5)`. */
function keyText(device: Device): string {
  return `${deviceName(device)} (${device.deviceKey}, ${placesText(device)})`;
}

function row(change: Change['change'], device: Device, differences: readonly Difference[], details: readonly string[]): Change {
  const { deviceKey, class: kind, addresses, firstSeen } = device;
  return {
    change,
    deviceKey,
    class: kind,
    name: deviceName(device),
    addresses,
    ...attachedIn(device),
    ...(firstSeen === undefined ? {} : { firstSeen }),
    changes: differences,
    details,
  };
}
