import type { Device } from '../../devices/device.ts';
import { CLASSES, QUIET_CLASSES, STATES } from '../../vocabulary.ts';
import { addressCell, ipAddresses, portsAt } from './addresses.ts';
import { type Approval, NO_APPROVAL } from './approvals.ts';
import type { Known } from './carry.ts';
import { cell, dayCell, listCell } from './cells.ts';
import type { Row } from './columns.ts';

export interface DeviceRows {
  readonly rows: readonly Row[];
  /** Devices without an address of their own: a watchlist of addresses has no place for them. */
  readonly withoutAddress: number;
  /** Devices that stand behind another one at all their addresses. */
  readonly hidden: number;
}

/**
 * The rows of KvmDevices: one for each address. Where several devices answer at one address, the row is that of the most pressing.
 * @param approvals by key of the device
 */
export function deviceRows(known: readonly Known[], approvals: ReadonlyMap<string, Approval>): DeviceRows {
  const at = new Map<string, { readonly known: Known; readonly address: string }[]>();
  const addressed = new Set<Device>();
  const listed = known.filter(({ device }) => !QUIET_CLASSES.has(device.class));
  for (const one of listed)
    for (const address of ipAddresses(one.device)) {
      const text = addressCell(address);
      at.set(text, [...(at.get(text) ?? []), { known: one, address }]);
      addressed.add(one.device);
    }
  const shown = new Set<Device>();
  const rows = [...at].map(([text, candidates]) => {
    const [first] = candidates.toSorted((a, b) => byPressure(a, b, approvals));
    const { known: chosen, address } = first as (typeof candidates)[number];
    shown.add(chosen.device);
    return rowOf(chosen.device, address, text, approvals.get(chosen.device.deviceKey) ?? NO_APPROVAL);
  });
  return { rows, withoutAddress: listed.length - addressed.size, hidden: addressed.size - shown.size };
}

interface Candidate {
  readonly known: Known;
  readonly address: string;
}

/** What was seen there in this sweep first, then by state, class and key, so that the choice does not change by itself. */
function byPressure(a: Candidate, b: Candidate, approvals: ReadonlyMap<string, Approval>): number {
  const rank = ({ known: { device, unseen }, address }: Candidate): number[] => {
    const state = STATES.findIndex((one) => one === approvals.get(device.deviceKey)?.State);
    return [unseen.has(address) ? 1 : 0, state < 0 ? STATES.length : state, CLASSES.indexOf(device.class)];
  };
  const [left, right] = [rank(a), rank(b)];
  const differing = left.findIndex((value, i) => value !== right[i]);
  if (differing >= 0) return (left[differing] ?? 0) - (right[differing] ?? 0);
  return a.known.device.deviceKey < b.known.device.deviceKey ? -1 : 1;
}

function rowOf(device: Device, address: string, text: string, approval: Approval): Row {
  return {
    SearchIp: text,
    DeviceKey: device.deviceKey,
    ...identityCells(device),
    ...approval,
    OpenPorts: listCell(portsAt(device.endpoints, address)),
    FirstSeen: dayCell(device.firstSeen),
  };
}

/** What watchlist and table say of a device in the same words. */
export function identityCells(
  device: Device,
): Readonly<Record<'Mac' | 'Kind' | 'Vendor' | 'Product' | 'Model' | 'Serial' | 'Hostname', string>> {
  return {
    Mac: cell(device.identifiers.find(({ kind }) => kind === 'mac')?.value),
    Kind: device.class,
    Vendor: cell(device.vendor),
    Product: cell(device.product),
    Model: cell(device.model),
    Serial: cell(device.serial),
    Hostname: cell(device.hostname),
  };
}
