import { inputError } from '../../errors.ts';
import type { Fingerprint } from '../../fingerprints/schema.ts';
import type { Inventory } from '../../inventory/schema.ts';
import type { Finding } from '../../reconcile/index.ts';
import { count } from '../../text.ts';
import { jsonDocument } from '../json.ts';
import { ipAddresses } from './addresses.ts';
import { APPROVAL_COLUMNS, type Approval, approvalsOf, type ApprovingRecord } from './approvals.ts';
import { type Carried, carry } from './carry.ts';
import { type Row, sentinelContract, type WatchlistAlias } from './columns.ts';
import { deviceRows } from './devices.ts';
import { changesOf } from './items.ts';
import { LIMITS } from './limits.ts';
import { readmeText } from './readme.ts';
import { recordArrays, scanId, tableRecords } from './records.ts';
import { scannerRows, scannersAfter } from './scanners.ts';
import { type Item, NO_STATE, type SentinelState } from './state.ts';
import { ruleTemplate, tableBody } from './table-files.ts';
import { usbIdRows } from './usb-ids.ts';
import { type BundleFile, type BundleList, bundleList } from './watchlist-files.ts';

export interface BundleInput {
  readonly inventory: Inventory;
  /** The moment for which the inventory stands: the end of its sweep. */
  readonly now: Date;
  /** How the inventory is held against approved assets, and the records of those; absent where there is no list. */
  readonly against?: { readonly findings: (inventory: Inventory) => readonly Finding[]; readonly records: readonly ApprovingRecord[] };
  readonly fingerprints: readonly Fingerprint[];
  /** Rows of KvmAdminSubnets, where the operator gave that list. */
  readonly adminSubnets?: readonly Row[];
  readonly state?: SentinelState;
  /** Every item is written again, as if none had been told. */
  readonly full?: boolean;
}

export interface Bundle {
  /** All files but that of the state, which is written last. */
  readonly files: readonly BundleFile[];
  readonly lists: readonly BundleList[];
  readonly notes: readonly string[];
  /** What it is once the bundle is applied. */
  readonly state: SentinelState;
}

/** Makes the folder that Microsoft Sentinel takes: watchlists and what changed in them, records for a table, and what to do with each. */
export function sentinelBundle(input: BundleInput): Bundle {
  const { inventory, now, adminSubnets, fingerprints, state = NO_STATE, full = false } = input;
  const contract = sentinelContract();
  const [table] = contract.tables;
  const carried = carry(inventory, state.devices, scanId(inventory));
  const approvals = approvalsFor(input, carried);
  const { rows, withoutAddress, hidden } = deviceRows(carried.devices, approvals);
  const scanners = scannersAfter(inventory, state.scanners, now);
  const told = (alias: WatchlistAlias): readonly Item[] => state.items[alias] ?? [];
  const wanted: Readonly<Record<WatchlistAlias, readonly Row[]>> = {
    KvmDevices: rows,
    KvmScanners: scannerRows(scanners),
    KvmAdminSubnets: adminSubnets ?? told('KvmAdminSubnets').map(({ row }) => row),
    KvmUsbIds: usbIdRows(fingerprints),
  };
  const stays = staysOf(inventory, carried);
  const changing = contract.watchlists.map((watchlist) => {
    const { alias } = watchlist;
    return {
      watchlist,
      ...changesOf(watchlist, wanted[alias], told(alias), { keeps: alias === 'KvmDevices' ? stays : () => false, full }),
    };
  });
  const changes = changing.reduce((sum, { changed, deleted }) => sum + changed.length + deleted.length, 0);
  if (changes > LIMITS.changesAMonth) throw inputError('too-many-changes', { changes, limit: LIMITS.changesAMonth });
  const lists = changing
    // The devices are what this is for; an empty list of networks or scanners would say that there is none.
    .filter(({ watchlist: { alias }, items, deleted }) => alias === 'KvmDevices' || items.length + deleted.length > 0)
    .map(({ watchlist, ...ofList }) => bundleList(watchlist, ofList));

  const arrays = recordArrays(tableRecords(inventory, [...carried.devices, ...carried.past], approvals, now), table);
  const records = arrays.map((text, i) => ({ name: `KvmSweepDevices${arrays.length === 1 ? '' : `-${i + 1}`}.records.json`, text }));
  const tableFiles = {
    body: { name: 'KvmSweepDevices.table.json', text: jsonDocument(tableBody(table)) },
    rule: { name: 'KvmSweepDevices.rule.json', text: jsonDocument(ruleTemplate(table)) },
  };
  const notes = [
    ...(input.against === undefined
      ? ['no list of approved assets (--approved): new devices have no State, and the rules that rest on it stay quiet']
      : []),
    ...missingNotes(lists),
    ...(withoutAddress > 0
      ? [`${count(withoutAddress, 'device')} without an address: in the table, not in KvmDevices, which is a list of addresses`]
      : []),
    ...(hidden > 0 ? [`${count(hidden, 'device')} behind the address of a more pressing one: in the table, not in KvmDevices`] : []),
    ...(carried.past.length > 0
      ? [
          `${count(carried.past.length, 'device')} that a bundle before saw later: this sweep is older than it, and their rows stay as they are`,
        ]
      : []),
    ...(carried.absent.length > 0
      ? [`${count(carried.absent.length, 'device')} not seen by this sweep and kept: not asked, or missed for the first time`]
      : []),
    ...(carried.renamed > 0
      ? [
          `${count(carried.renamed, 'device')} under another key in the inventory (scan --previous carries keys on); the bundle keeps that of the first one`,
        ]
      : []),
    ...lists
      .filter(({ names }) => names.csv.length > 1)
      .map(({ watchlist: { alias }, names: { csv } }) => `${alias} is larger than the 3.8 MB of one upload: it is in ${csv.length} files`),
  ];
  const readme = readmeText({ lists, table, tableFiles, records: records.map(({ name }) => name), notes, inventory, changes });
  return {
    files: [...lists.flatMap(({ files }) => files), ...Object.values(tableFiles), ...records, { name: 'README.md', text: readme }],
    lists,
    notes,
    state: {
      ...NO_STATE,
      items: { ...state.items, ...Object.fromEntries(lists.map(({ watchlist, items }) => [watchlist.alias, [...items]])) },
      devices: [...carried.remembered],
      scanners: [...scanners],
    },
  };
}

/** What the approved list says of each device; without a list, what the bundle before said. */
function approvalsFor({ inventory, against, state = NO_STATE }: BundleInput, { devices, past }: Carried): Map<string, Approval> {
  if (against !== undefined)
    return approvalsOf(against.findings({ ...inventory, devices: [...devices, ...past].map(({ device }) => device) }), against.records);
  return new Map(
    (state.items['KvmDevices'] ?? []).map(({ row }) => [
      row['DeviceKey'] ?? '',
      Object.fromEntries(APPROVAL_COLUMNS.map((column) => [column, row[column] ?? ''])) as Approval,
    ]),
  );
}

/** Which items stay though no row stands for them: those of devices that are kept unseen, and all where the sweep cannot tell that anything is gone. */
function staysOf({ asked, completeness }: Inventory, { absent, past }: Carried): (item: Item) => boolean {
  if (asked === undefined || !completeness.complete) return () => true;
  const before = past.map(({ device }) => ({ deviceKey: device.deviceKey, addresses: ipAddresses(device) }));
  const kept = new Set([...absent, ...before].flatMap(({ deviceKey, addresses }) => addresses.map((address) => `${deviceKey} ${address}`)));
  return ({ row }) => kept.has(`${row['DeviceKey']} ${row['SearchIp']}`);
}

function missingNotes(lists: readonly BundleList[]): string[] {
  const has = (alias: WatchlistAlias): boolean => lists.some(({ watchlist }) => watchlist.alias === alias);
  return [
    ...(has('KvmAdminSubnets')
      ? []
      : ['no KvmAdminSubnets, so the rules that need it stay quiet: name the networks of your administrators with --admin-subnets FILE']),
    ...(has('KvmScanners')
      ? []
      : ['no KvmScanners: the inventory names no address that its sweep was sent from, so the rules cannot leave the sweep out']),
  ];
}
