import { type Device, deviceName } from '../devices/device.ts';
import { byAddress } from '../observations/read.ts';
import { type AddressNumber, parseAddress } from '../targets/addresses.ts';
import { HostSet } from '../targets/hosts.ts';
import { parseRange } from '../targets/parse.ts';
import { pair } from './history.ts';
import type { Inventory } from './schema.ts';

export const CHANGES = ['appeared', 'gone', 'not-asked', 'moved', 'changed'] as const;

/** What became of one device between two sweeps. A device is in one row, with all that changed. */
export interface Change {
  readonly change: (typeof CHANGES)[number];
  readonly deviceKey: string;
  readonly name: string;
  readonly addresses: readonly string[];
  /** `version: 1.2 -> 1.3`. */
  readonly details: readonly string[];
}

/**
 * Holds two inventories against each other. `gone` is only what was asked again, at a port where it was, by a sweep that is complete;
 * everything else that is missing is `not-asked`.
 */
export function changesBetween(before: Inventory, after: Inventory): Change[] {
  const pairs = pair(after.devices, before.devices);
  const asked = askedHosts(after);
  const isAsked = (address: string): boolean => {
    const number = parseAddress(address);
    return number !== undefined && asked(number);
  };
  const changes: Change[] = [];
  for (const device of after.devices) {
    const old = pairs.get(device);
    if (old === undefined) {
      changes.push(row('appeared', device, [device.addresses.join(', ')]));
      continue;
    }
    const details = differences(old, device);
    if (old.addresses.every((address) => !device.addresses.includes(address))) {
      const unsure = old.addresses.every((address) => !isAsked(address)) ? ['its old address was not asked in the newer sweep'] : [];
      changes.push(row('moved', device, [`${old.addresses.join(', ')} -> ${device.addresses.join(', ')}`, ...unsure, ...details]));
      continue;
    }
    // An address that was not asked again is not one that it lost.
    const kept = device.addresses
      .concat(old.addresses.filter((address) => !device.addresses.includes(address) && !isAsked(address)))
      .toSorted(byAddress);
    const addresses =
      kept.join() === old.addresses.join() ? [] : [`addresses: ${old.addresses.join(', ')} -> ${device.addresses.join(', ')}`];
    if (addresses.length + details.length > 0) changes.push(row('changed', device, [...addresses, ...details]));
  }
  const kept = new Set(pairs.values());
  for (const device of before.devices) {
    if (kept.has(device)) continue;
    const reason = whyNotAsked(device, after, isAsked);
    changes.push(
      reason === undefined ? row('gone', device, [`was at ${device.addresses.join(', ')}`]) : row('not-asked', device, [reason]),
    );
  }
  return changes.toSorted((a, b) => CHANGES.indexOf(a.change) - CHANGES.indexOf(b.change) || (a.deviceKey < b.deviceKey ? -1 : 1));
}

/** Why the absence of a device says nothing; undefined where it does. */
function whyNotAsked(device: Device, after: Inventory, isAsked: (address: string) => boolean): string | undefined {
  if (!device.addresses.some(isAsked))
    return after.asked?.only === undefined
      ? 'its address was not asked in the newer sweep'
      : 'its address was not asked in the newer sweep, or only at ports that its targets named';
  const ports = new Set((after.asked?.ports ?? []).map((port) => port.split('=', 1)[0]));
  if (
    device.endpoints.length > 0 &&
    !device.endpoints.some(({ host, port, transport }) => isAsked(host) && ports.has(`${port}/${transport}`))
  )
    return 'the ports that it answered at were not asked in the newer sweep';
  return after.completeness.complete ? undefined : 'the newer sweep is not complete';
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
  const hosts = new HostSet(ranges);
  const partly = new Set(Object.keys(asked?.only ?? {}).map(parseAddress));
  return (address) => hosts.indexOf(address) !== undefined && !partly.has(address);
}

const COMPARED = ['class', 'vendor', 'product', 'generation', 'model', 'version', 'serial', 'hostname'] as const;

function differences(old: Device, device: Device): string[] {
  const details: string[] = [];
  for (const field of COMPARED) if (old[field] !== device[field]) details.push(`${field}: ${old[field] ?? '-'} -> ${device[field] ?? '-'}`);
  const [before, now] = [old, device].map(({ identifiers }) => identifiers.flatMap(({ kind, value }) => (kind === 'spki' ? [value] : [])));
  const [oldKey, newKey] = [before?.[0], now?.[0]];
  // A certificate that could not be read this time has not changed.
  if (oldKey !== undefined && newKey !== undefined && !now?.some((value) => before?.includes(value)))
    details.push(`certificate key: ${oldKey.slice(0, 16)}… -> ${newKey.slice(0, 16)}…`);
  const gained = device.posture.filter((posture) => !old.posture.includes(posture));
  const lost = old.posture.filter((posture) => !device.posture.includes(posture));
  if (gained.length > 0) details.push(`new risk: ${gained.join(', ')}`);
  if (lost.length > 0) details.push(`no longer: ${lost.join(', ')}`);
  return details;
}

function row(change: Change['change'], device: Device, details: readonly string[]): Change {
  return { change, deviceKey: device.deviceKey, name: deviceName(device), addresses: device.addresses, details };
}
