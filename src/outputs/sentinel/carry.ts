import type { Device, DeviceEndpoint } from '../../devices/device.ts';
import { sortIdentifiers } from '../../devices/identity.ts';
import { sortPosture } from '../../devices/posture.ts';
import { askedHosts, changesBetween } from '../../inventory/changes.ts';
import type { Inventory } from '../../inventory/schema.ts';
import { byAddress } from '../../observations/read.ts';
import { parseAddress } from '../../targets/addresses.ts';
import { type Identifier, QUIET_CLASSES } from '../../vocabulary.ts';
import { ipAddresses } from './addresses.ts';
import { fieldsOf, marksOf, timesOf, unreadIdentifiers } from './fields.ts';
import { endpointKey, viewsOf } from './same-device.ts';
import type { RememberedDevice } from './state.ts';

/** What so many complete sweeps in a row asked for and did not see is gone; what fewer miss is taken to be as it was. */
const MISSES = 2;

/** A device as it is known from this sweep and those before it. */
export interface Known {
  readonly device: Device;
  /** The same as this sweep alone saw it; in parts, where it did not see what ties them. */
  readonly views: readonly Device[];
  /** Addresses of it that this sweep did not see, and that are kept. */
  readonly unseen: ReadonlySet<string>;
}

export interface Carried {
  /** The devices of the inventory, each with what is known of it from before. */
  readonly devices: readonly Known[];
  /** Devices of the inventory that a bundle before saw later than this sweep ended: what it says of them is history, and their rows stay. */
  readonly past: readonly Known[];
  /** Devices that this sweep did not see at all, and that are kept as they were, with their kept addresses. */
  readonly absent: readonly { readonly deviceKey: string; readonly addresses: readonly string[] }[];
  readonly remembered: readonly RememberedDevice[];
  /** Devices that have another key in the inventory than in the bundles before. */
  readonly renamed: number;
}

/**
 * Holds the devices of an inventory against those of earlier bundles, so that what one sweep misses (a certificate that could not be read, a port
 * that did not answer, a device that was starting) changes nothing. What a sweep sees counts at once; what it does not see counts when a complete
 * sweep that asked for it misses it the second time in a row.
 * @param scan names the sweep, so that exporting one inventory twice counts once
 */
export function carry(inventory: Inventory, remembered: readonly RememberedDevice[], scan: string): Carried {
  const sweep = sweepOf(
    inventory,
    scan,
    remembered.map(({ device }) => device),
  );
  const views = viewsOf(inventory.devices, remembered);
  const known = new Map<Device, Known>();
  const next: RememberedDevice[] = [];
  const absent: { deviceKey: string; addresses: string[] }[] = [];
  const past: Known[] = [];
  let renamed = 0;
  for (const before of remembered) {
    const [first, ...others] = views.get(before) ?? [];
    if (first !== undefined && isLater(before.device, inventory)) {
      past.push({ device: before.device, views: [first, ...others], unseen: new Set() });
      next.push(before);
      continue;
    }
    const result = first === undefined ? absentDevice(before, sweep) : seenDevice(before, [first, ...others], sweep);
    if (result === undefined) continue;
    next.push(result.remembered);
    if (first === undefined) {
      absent.push({ deviceKey: before.device.deviceKey, addresses: ipAddresses(result.remembered.device) });
      continue;
    }
    if (first.deviceKey !== before.device.deviceKey) renamed += 1;
    known.set(first, { device: result.device, views: [first, ...others], unseen: result.unseen });
  }
  const absorbed = new Set([...[...views.values()].flatMap(([, ...others]) => others), ...past.flatMap((one) => one.views)]);
  const devices: Known[] = [];
  for (const device of inventory.devices) {
    if (absorbed.has(device)) continue;
    const carried = known.get(device);
    devices.push(carried ?? { device, views: [device], unseen: new Set() });
    if (carried === undefined && ipAddresses(device).length > 0 && !QUIET_CLASSES.has(device.class))
      next.push({ device: withoutEvidence(device), marks: marksOf(device), missed: {} });
  }
  return { devices, past, absent, remembered: next.toSorted((a, b) => (a.device.deviceKey < b.device.deviceKey ? -1 : 1)), renamed };
}

/** What a sweep asked, and who answers where. */
interface Sweep {
  readonly inventory: Inventory;
  readonly scan: string;
  readonly isAsked: (address: string) => boolean;
  readonly ports: ReadonlySet<string>;
  readonly at: ReadonlyMap<string, readonly Device[]>;
  /** Addresses of devices from before of which it tells that nothing is there, where it does not see the device: see {@link placeKey}. */
  readonly empty: ReadonlySet<string>;
}

function placeKey({ deviceKey }: Device, address: string): string {
  return `${deviceKey} ${address}`;
}

function sweepOf(inventory: Inventory, scan: string, before: readonly Device[]): Sweep {
  const asked = askedHosts(inventory);
  const at = new Map<string, Device[]>();
  for (const device of inventory.devices) for (const address of device.addresses) at.set(address, [...(at.get(address) ?? []), device]);
  return {
    inventory,
    scan,
    isAsked: (address) => {
      const number = parseAddress(address);
      return number !== undefined && asked(number);
    },
    ports: new Set((inventory.asked?.ports ?? []).map((port) => port.split('=', 1)[0] ?? port)),
    at,
    empty: emptyPlaces(inventory, before),
  };
}

/** The places of devices that a sweep would have to see to find them still there: as `diff` tells what is gone from what was not asked. */
function emptyPlaces(inventory: Inventory, before: readonly Device[]): Set<string> {
  const places = before.flatMap((device) =>
    device.addresses.map((address) => {
      const here = device.endpoints.filter(({ host }) => host === address);
      // Where no port of it is known at this address, it is those that it has at others.
      const endpoints = here.length > 0 ? here : device.endpoints.map((one) => ({ ...one, host: address }));
      return { ...device, deviceKey: placeKey(device, address), addresses: [address], endpoints };
    }),
  );
  const changes = changesBetween({ ...inventory, devices: places }, { ...inventory, devices: [] });
  return new Set(changes.flatMap(({ change, deviceKey }) => (change === 'gone' ? [deviceKey] : [])));
}

/** Counts one more miss, once for each sweep. */
function missesOf({ missed, counted }: RememberedDevice, what: string, { scan }: Sweep): number {
  const already = missed[what] ?? 0;
  return counted === scan ? Math.max(1, already) : already + 1;
}

/** Whether a device was seen after a sweep had ended: an older inventory is exported after a newer one. */
function isLater({ lastSeen }: Device, { run }: Inventory): boolean {
  return run?.endedAt !== undefined && lastSeen !== undefined && lastSeen > run.endedAt;
}

/** Whether an address of a device that this sweep did not see stays, with the misses it has then; undefined where it is gone. */
function keptAddress(before: RememberedDevice, address: string, sweep: Sweep, elsewhere: boolean): number | undefined {
  const { device } = before;
  const what = `address ${address}`;
  if (isLater(device, sweep.inventory) || !sweep.empty.has(placeKey(device, address))) return before.missed[what] ?? 0;
  // It answers elsewhere, or something else answers here.
  if (elsewhere || (sweep.at.get(address) ?? []).some((one) => !QUIET_CLASSES.has(one.class))) return undefined;
  const misses = missesOf(before, what, sweep);
  return misses < MISSES ? misses : undefined;
}

interface Result {
  readonly device: Device;
  readonly unseen: ReadonlySet<string>;
  readonly remembered: RememberedDevice;
}

function absentDevice(before: RememberedDevice, sweep: Sweep): Result | undefined {
  const missed: Record<string, number> = {};
  const addresses = before.device.addresses.filter((address) => {
    const misses = keptAddress(before, address, sweep, false);
    if (misses !== undefined && misses > 0) missed[`address ${address}`] = misses;
    return misses !== undefined;
  });
  if (addresses.length === 0) return undefined;
  const device = { ...before.device, addresses, endpoints: before.device.endpoints.filter(({ host }) => addresses.includes(host)) };
  return { device, unseen: new Set(addresses), remembered: remember(device, before.marks, { ...before.missed, ...missed }, before, sweep) };
}

function seenDevice(before: RememberedDevice, views: readonly [Device, ...Device[]], sweep: Sweep): Result {
  const { device: old } = before;
  const missed: Record<string, number> = {};
  const note = (what: string, misses: number): void => {
    if (misses > 0) missed[what] = misses;
  };
  const seen = [...new Set(views.flatMap(({ addresses }) => addresses))];
  // It has moved where none of its addresses is one from before; of several, one may be missed.
  const elsewhere = seen.every((address) => !old.addresses.includes(address));
  const unseen = old.addresses.filter((address) => {
    if (seen.includes(address)) return false;
    const misses = keptAddress(before, address, sweep, elsewhere);
    if (misses !== undefined) note(`address ${address}`, misses);
    return misses !== undefined;
  });
  const addresses = [...seen, ...unseen].toSorted(byAddress);

  const { complete } = sweep.inventory.completeness;
  const isAskedAt = ({ host, port, transport }: DeviceEndpoint): boolean =>
    complete && sweep.isAsked(host) && sweep.ports.has(`${port}/${transport}`);
  const shown = new Map(views.flatMap(({ endpoints }) => endpoints.map((one) => [endpointKey(one), one])));
  const silent = old.endpoints.filter((one) => addresses.includes(one.host) && !shown.has(endpointKey(one)));
  const keptEndpoints = silent.filter((one) => {
    const what = endpointKey(one);
    const misses = isAskedAt(one) ? missesOf(before, what, sweep) : (before.missed[what] ?? 0);
    if (misses >= MISSES) return false;
    note(what, misses);
    return true;
  });

  const askedAll = old.endpoints.every((one) => !addresses.includes(one.host) || isAskedAt(one));
  const identifiers = views.flatMap((view) => view.identifiers);
  const unread = unreadIdentifiers(old.identifiers, identifiers).map((one) => {
    const what = `${one.kind} ${one.value}`;
    const misses = askedAll ? missesOf(before, what, sweep) : (before.missed[what] ?? 0);
    return { one, what, misses, whole: !identifiers.some(({ kind }) => kind === one.kind) };
  });
  // Of a kind that is not read at all any more the last value is the best that is known.
  const keptIdentifiers = unread.filter(({ misses, whole }) => whole || misses < MISSES);
  for (const { what, misses } of keptIdentifiers) note(what, Math.min(misses, MISSES));

  const marks = [...new Set(views.flatMap(marksOf))].toSorted();
  const unnamed = before.marks.some((mark) => !marks.includes(mark));
  const unnamedMisses = unnamed ? (askedAll ? missesOf(before, 'marks', sweep) : (before.missed['marks'] ?? 0)) : 0;
  const keepsMarks = unnamed && unnamedMisses < MISSES;
  if (keepsMarks) note('marks', unnamedMisses);

  const partial = keepsMarks || keptEndpoints.length > 0 || unseen.length > 0 || unread.some(({ misses }) => misses < MISSES);
  const device: Device = {
    ...views[0],
    ...fieldsOf(old, views, partial),
    deviceKey: old.deviceKey,
    certainty: Math.max(...views.map(({ certainty }) => certainty)),
    addresses,
    identifiers: sortIdentifiers([
      ...identifiers,
      ...keptIdentifiers.map(({ one }) => one),
      ...unseen.map((value): Identifier => ({ kind: 'ip', value, from: 'address' })),
    ]),
    endpoints: [...shown.values(), ...keptEndpoints],
    posture: sortPosture([...views.flatMap(({ posture }) => posture), ...(partial ? old.posture : [])]),
    ...timesOf(old, views),
  };
  return { device, unseen: new Set(unseen), remembered: remember(device, keepsMarks ? before.marks : marks, missed, before, sweep) };
}

function remember(
  device: Device,
  marks: readonly string[],
  missed: Record<string, number>,
  before: RememberedDevice,
  { inventory, scan, isAsked }: Sweep,
): RememberedDevice {
  const counted = inventory.completeness.complete && before.device.addresses.some(isAsked) ? scan : before.counted;
  return { device: withoutEvidence(device), marks: [...marks], missed, ...(counted === undefined ? {} : { counted }) };
}

function withoutEvidence(device: Device): Device {
  return { ...device, evidence: [], alternatives: [] };
}
