import type { Inventory } from '../../../src/inventory/schema.ts';
import { type Bundle, type BundleInput, sentinelBundle } from '../../../src/outputs/sentinel/bundle.ts';
import type { WatchlistAlias } from '../../../src/outputs/sentinel/columns.ts';
import type { SentinelState } from '../../../src/outputs/sentinel/state.ts';
import { type ApprovedAsset, reconcile } from '../../../src/reconcile/index.ts';
import { inventory, list, type Sweep } from '../../reconcile/build.ts';

export const NOW = new Date('2026-11-26T13:00:00.000Z');

/** An inventory of a sweep that ended on a day of November 2026. */
export function sweep(day: number, devices: Parameters<typeof inventory>[0], of: Sweep = {}): Inventory {
  const date = `2026-11-${String(day).padStart(2, '0')}`;
  return {
    ...inventory(devices, of),
    run: {
      arguments: ['scan', '10.0.0.0/24'],
      startedAt: `${date}T12:00:00.000Z`,
      endedAt: `${date}T12:30:00.000Z`,
      sourceAddresses: ['127.0.0.1', '10.0.0.250', 'fe80::1'],
      seed: day,
      rate: 2000,
      ratePerNetwork: 1000,
      retries: 1,
    },
  };
}

/** A bundle without fingerprints, so that it tells of devices only. */
export function bundle(of: Inventory, state?: SentinelState, rest: Partial<BundleInput> = {}): Bundle {
  return sentinelBundle({
    inventory: of,
    now: new Date(of.run?.endedAt ?? NOW),
    fingerprints: [],
    ...(state === undefined ? {} : { state }),
    ...rest,
  });
}

/** Holds an inventory against records, as of {@link NOW}. */
export function against(...assets: readonly ApprovedAsset[]): NonNullable<BundleInput['against']> {
  return { records: assets, findings: (of) => reconcile(of, list(assets), { now: NOW }) };
}

/** What is to be done to a list: `write 10.0.0.1 kvm-a`, `delete 10.0.0.2 kvm-b`. */
export function operations({ lists }: Bundle, alias: WatchlistAlias = 'KvmDevices'): string[] {
  return lists
    .filter(({ watchlist }) => watchlist.alias === alias)
    .flatMap(({ changed, deleted }) => [
      ...changed.map(({ row }) => `write ${row['SearchIp']} ${row['DeviceKey']}`),
      ...deleted.map(({ row }) => `delete ${row['SearchIp']} ${row['DeviceKey']}`),
    ]);
}

/** The rows of a list as it is once the bundle is applied. */
export function rowsOf({ lists }: Bundle, alias: WatchlistAlias = 'KvmDevices'): readonly Readonly<Record<string, string>>[] {
  return lists.filter(({ watchlist }) => watchlist.alias === alias).flatMap(({ items }) => items.map(({ row }) => row));
}

export function fileText({ files }: Bundle, name: string): string {
  const file = files.find((one) => one.name === name);
  if (file === undefined) throw new Error(`there is no ${name}`);
  return file.text;
}
