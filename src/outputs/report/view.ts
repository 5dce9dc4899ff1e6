import { type Device, deviceName, firstPlace } from '../../devices/device.ts';
import { type Change, changesBetween } from '../../inventory/changes.ts';
import type { Inventory } from '../../inventory/schema.ts';
import { byAddress } from '../../observations/read.ts';
import type { Finding } from '../../reconcile/index.ts';
import { QUIET_CLASSES, SEVERITIES, type Severity } from '../../vocabulary.ts';

/** What a report is made of. */
export interface ReportInput {
  readonly inventory: Inventory;
  /** An earlier inventory. */
  readonly before?: Inventory;
  /** What came of holding the inventory against an approved list or a network policy; absent where neither was given. */
  readonly findings?: readonly Finding[];
  /** What a fact is, by its name. */
  readonly factMeanings: ReadonlyMap<string, string>;
}

/** A device with what else is known of it. */
export interface Shown {
  readonly device: Device;
  readonly name: string;
  readonly finding: Finding | undefined;
  readonly change: Change | undefined;
}

/** All that the parts of a report show, put together once. */
export interface ReportView extends ReportInput {
  /** Those that are listed, in the order of their addresses. */
  readonly devices: readonly Shown[];
  /** Software that only looks like hardware. */
  readonly quiet: number;
  /** Absent where there is no earlier inventory. */
  readonly changes: readonly Change[] | undefined;
}

export function viewOf(input: ReportInput): ReportView {
  const { inventory, before, findings } = input;
  const listed = inventory.devices.filter(({ class: kind }) => !QUIET_CLASSES.has(kind));
  const byKey = new Map<string, Finding>();
  // Findings come with the most pressing first.
  for (const finding of findings ?? [])
    if (finding.deviceKey !== undefined && !byKey.has(finding.deviceKey)) byKey.set(finding.deviceKey, finding);
  const changes = before === undefined ? undefined : changesBetween(before, inventory);
  const changed = new Map((changes ?? []).map((change) => [change.deviceKey, change]));
  return {
    ...input,
    devices: listed
      .toSorted((a, b) => byAddress(firstPlace(a), firstPlace(b)) || (a.deviceKey < b.deviceKey ? -1 : 1))
      .map((device) => ({
        device,
        name: deviceName(device),
        finding: byKey.get(device.deviceKey),
        change: changed.get(device.deviceKey),
      })),
    quiet: inventory.devices.length - listed.length,
    changes,
  };
}

/** Things by how many there are of each, in the order given, without those that there are none of. */
export function tally<K extends string>(order: readonly K[], of: Iterable<K>): { readonly key: K; readonly count: number }[] {
  const counts = new Map<K, number>();
  for (const key of of) counts.set(key, (counts.get(key) ?? 0) + 1);
  return order.flatMap((key) => {
    const count = counts.get(key);
    return count === undefined ? [] : [{ key, count }];
  });
}

/** The more pressing of two severities. */
export function worse(a: Severity | undefined, b: Severity | undefined): Severity | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return SEVERITIES.indexOf(a) <= SEVERITIES.indexOf(b) ? a : b;
}
