import type { Device } from '../devices/device.ts';
import { deviceName } from '../devices/device.ts';
import { parseAddress, type AddressNumber } from '../targets/addresses.ts';
import { parseRange } from '../targets/parse.ts';
import { HostSet } from '../targets/hosts.ts';
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

/** Holds two inventories against each other. `gone` is only what was asked again; what was not is `not-asked`. */
export function changesBetween(before: Inventory, after: Inventory): Change[] {
  const pairs = pair(after.devices as Device[], before.devices as Device[]);
  const asked = askedHosts(after);
  const changes: Change[] = [];
  for (const device of after.devices as Device[]) {
    const old = pairs.get(device);
    if (old === undefined) {
      changes.push(row('appeared', device, [device.addresses.join(', ')]));
      continue;
    }
    const details = differences(old, device);
    const moved = !old.addresses.some((address) => device.addresses.includes(address));
    if (moved) changes.push(row('moved', device, [`${old.addresses.join(', ')} -> ${device.addresses.join(', ')}`, ...details]));
    else if (details.length > 0) changes.push(row('changed', device, details));
  }
  const kept = new Set(pairs.values());
  for (const device of before.devices as Device[]) {
    if (kept.has(device)) continue;
    const again = device.addresses.some((address) => {
      const number = parseAddress(address);
      return number !== undefined && asked(number);
    });
    changes.push(row(again ? 'gone' : 'not-asked', device, again ? [`was at ${device.addresses.join(', ')}`] : ['its address was not asked in the newer sweep']));
  }
  return changes.sort((a, b) => CHANGES.indexOf(a.change) - CHANGES.indexOf(b.change) || (a.deviceKey < b.deviceKey ? -1 : 1));
}

/** Whether an address was among the targets of a sweep. An inventory that is of no sweep asked nothing. */
export function askedHosts({ asked }: Inventory): (address: AddressNumber) => boolean {
  const ranges = (asked?.ranges ?? []).flatMap((text) => {
    const range = parseRange(text);
    return 'reason' in range ? [] : [range];
  });
  const hosts = new HostSet(ranges);
  return (address) => hosts.indexOf(address) !== undefined;
}

const COMPARED = ['class', 'vendor', 'product', 'generation', 'model', 'version', 'serial', 'hostname'] as const;

function differences(old: Device, device: Device): string[] {
  const details: string[] = [];
  for (const field of COMPARED) if (old[field] !== device[field]) details.push(`${field}: ${old[field] ?? '-'} -> ${device[field] ?? '-'}`);
  const key = (of: Device): string | undefined => of.identifiers.find(({ kind }) => kind === 'spki')?.value;
  // A certificate that could not be read this time has not changed.
  if (key(old) !== undefined && key(device) !== undefined && !device.identifiers.some(({ kind, value }) => kind === 'spki' && old.identifiers.some((other) => other.kind === 'spki' && other.value === value)))
    details.push(`certificate key: ${key(old)?.slice(0, 16)}… -> ${key(device)?.slice(0, 16)}…`);
  const gained = device.posture.filter((posture) => !old.posture.includes(posture));
  const lost = old.posture.filter((posture) => !device.posture.includes(posture));
  if (gained.length > 0) details.push(`new risk: ${gained.join(', ')}`);
  if (lost.length > 0) details.push(`no longer: ${lost.join(', ')}`);
  return details;
}

function row(change: Change['change'], device: Device, details: readonly string[]): Change {
  return { change, deviceKey: device.deviceKey, name: deviceName(device), addresses: device.addresses, details };
}
