import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { loadKnowledge } from '../../src/cli/knowledge.ts';
import { deriveInventory } from '../../src/inventory/derive.ts';
import { inventoryText, readInventory } from '../../src/inventory/file.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import { sentinelBundle } from '../../src/outputs/sentinel/bundle.ts';
import { readState } from '../../src/outputs/sentinel/state.ts';
import { readApproved, reconcile } from '../../src/reconcile/index.ts';

const CLI = join(import.meta.dirname, '../../bin/kvmsweep.js');
const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-sentinel-'));

function run(...args: readonly string[]): { readonly code: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: folder, encoding: 'utf8', timeout: 90_000 });
  return { code: status, out: stdout, err: stderr };
}

const demo = join(folder, 'demo');
const INVENTORY = join(demo, 'inventory.json');
const APPROVED = join(demo, 'approved.csv');
beforeAll(() => {
  const { code, err } = run('demo', '--out', demo, '--port-base', '24300');
  if (code !== 0) throw new Error(err);
}, 90_000);

/** Exports to a folder of its own. */
function exported(to: string, inventory = INVENTORY, ...more: readonly string[]): ReturnType<typeof run> {
  return run('export', inventory, '--to', 'sentinel', '--out', join(folder, to), '--approved', APPROVED, ...more);
}
const lines = (to: string, name: string): string[] =>
  readFileSync(join(folder, to, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '');

/** The demo's inventory with something changed, as of a sweep an hour later. */
function written(name: string, change: (inventory: Inventory) => Inventory): string {
  const file = join(folder, name);
  const changed = change(readInventory(INVENTORY));
  const { run: of } = changed;
  const endedAt = new Date(Date.parse(of?.endedAt ?? '') + 3_600_000).toISOString();
  writeFileSync(file, inventoryText({ ...changed, ...(of === undefined ? {} : { run: { ...of, endedAt } }) }));
  return file;
}

/** The rows that a bundle writes and deletes. */
const operations = ({ lists }: ReturnType<typeof sentinelBundle>): unknown[] =>
  lists.flatMap(({ changed, deleted }) => [...changed, ...deleted].map(({ row }) => row));

/** Without the device at one address. */
const without = (inventory: Inventory): Inventory => ({
  ...inventory,
  devices: inventory.devices.filter(({ addresses }) => addresses[0] !== '127.77.0.16'),
});

test('the demo becomes a folder; exported again it changes nothing; with one device more it changes one row', () => {
  const first = exported('a');
  expect(first.code, first.err).toBe(0);
  expect(first.out).toBe('');
  expect(first.err).toMatch(/KvmDevices: 27 rows, 27 to write, 0 to delete\n/);
  expect(first.err).toMatch(/of 100,000 changes a month/);
  expect(lines('a', 'KvmDevices.items.ndjson')).toHaveLength(27);
  for (const name of readdirSync(join(folder, 'a'))) expect(statSync(join(folder, 'a', name)).mode & 0o077, name).toBe(0);

  expect(exported('a').err).toMatch(
    /KvmDevices: 27 rows, 0 to write, 0 to delete\n(?:Kvm\w+: \d+ rows?, 0 to write, 0 to delete\n)+0 of 100,000/,
  );

  const more = written('more.json', (inventory) => ({
    ...inventory,
    devices: inventory.devices.flatMap((one) =>
      one.addresses[0] === '127.77.0.16'
        ? [one, { ...one, deviceKey: 'kvm-new', addresses: ['127.77.0.200', '127.77.0.201'], identifiers: [] }]
        : [one],
    ),
  }));
  expect(exported('a', more).err).toMatch(/KvmDevices: 29 rows, 2 to write, 0 to delete/);
  const rows = lines('a', 'KvmDevices.items.ndjson').map(
    (line) => (JSON.parse(line) as { body: { properties: { itemsKeyValue: Record<string, string> } } }).body.properties.itemsKeyValue,
  );
  expect(rows.map((row) => [row['SearchIp'], row['DeviceKey']])).toEqual([
    ['127.77.0.200', 'kvm-new'],
    ['127.77.0.201', 'kvm-new'],
  ]);
});

test('whichever TLS read of the sweep fails, no row changes, and none when it works again', async () => {
  const { matcher, fingerprints } = loadKnowledge();
  const journal = readFileSync(join(demo, 'journal.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown> & { facts?: Record<string, unknown> });
  const derive = async (of: readonly unknown[], previous: Inventory['devices']): Promise<Inventory> => {
    const file = join(folder, 'failing.ndjson');
    writeFileSync(file, of.map((one) => `${JSON.stringify(one)}\n`).join(''));
    return (await deriveInventory(file, matcher, { previous })).inventory;
  };
  const approved = readApproved(APPROVED);
  const now = new Date(readInventory(INVENTORY).run?.endedAt ?? 0);
  const bundleOf = (inventory: Inventory, state?: ReturnType<typeof readState>): ReturnType<typeof sentinelBundle> =>
    sentinelBundle({
      inventory,
      now,
      against: { findings: (known) => reconcile(known, approved, { now }), records: approved.assets },
      fingerprints,
      ...(state === undefined ? {} : { state }),
    });

  const whole = readInventory(INVENTORY);
  const { state } = bundleOf(whole);
  const reads = journal.filter(
    ({ kind, facts }) => kind === 'observation' && Object.keys(facts ?? {}).some((fact) => fact.startsWith('tls.')),
  );
  expect(reads.length).toBeGreaterThan(15);
  for (const read of reads) {
    const withoutTls = Object.fromEntries(Object.entries(read.facts ?? {}).filter(([fact]) => !fact.startsWith('tls.')));
    for (const failed of [
      { ...read, facts: withoutTls },
      { ...read, outcome: 'cut-off', facts: {} },
    ])
      // With the history that a sweep keeps beside its file, and without.
      for (const previous of [whole.devices, []]) {
        const of = journal.map((line) =>
          line === read ? failed : line['kind'] === 'end' ? { ...line, at: '2027-01-01T00:00:00.000Z' } : line,
        );
        const second = bundleOf(await derive(of, previous), state);
        expect(operations(second), JSON.stringify([read['host'], read['port']])).toEqual([]);
        expect(operations(bundleOf(whole, second.state))).toEqual([]);
      }
  }
}, 60_000);

test('a device that is gone is deleted when the second complete sweep misses it, and never by one that is not complete', () => {
  expect(exported('b').code).toBe(0);
  const partial = written('partial.json', (inventory) => ({
    ...without(inventory),
    completeness: { complete: false, limitations: [{ what: 'interrupted', text: 'the sweep was ended' }], notes: [] },
  }));
  for (let i = 0; i < 2; i += 1) {
    const ended = exported('b', partial);
    expect(ended.code, 'the sweep is incomplete').toBe(3);
    expect(ended.err).toMatch(/KvmDevices: 27 rows, 0 to write, 0 to delete/);
  }
  expect(exported('b', written('once.json', without)).err).toMatch(/KvmDevices: 27 rows, 0 to write, 0 to delete/);
  const twice = written('twice.json', (inventory) => ({
    ...without(inventory),
    ...(inventory.run === undefined ? {} : { run: { ...inventory.run, seed: 2 } }),
  }));
  expect(exported('b', twice).err).toMatch(/KvmDevices: 26 rows, 0 to write, 1 to delete/);
  expect(lines('b', 'KvmDevices.deleted.ndjson').map((line) => (JSON.parse(line) as { searchKey: string }).searchKey)).toEqual([
    '127.77.0.16',
  ]);
}, 60_000);

test('--full, --state and --admin-subnets', () => {
  writeFileSync(join(folder, 'admins.txt'), '10.9.0.0/16\nnowhere\n');
  const first = exported('c', INVENTORY, '--state', join(folder, 'kept.json'), '--admin-subnets', join(folder, 'admins.txt'));
  expect(first.code).toBe(0);
  expect(first.err).toMatch(/admins\.txt:2: "nowhere" is no network/);
  expect(first.err).toMatch(/KvmAdminSubnets: 1 row, 1 to write/);
  expect(first.err).not.toMatch(/note: no KvmAdminSubnets/);
  expect(existsSync(join(folder, 'c/state.json'))).toBe(false);
  expect(exported('d', INVENTORY, '--state', join(folder, 'kept.json')).err).toMatch(/KvmDevices: 27 rows, 0 to write/);
  expect(exported('d', INVENTORY, '--state', join(folder, 'kept.json'), '--full').err).toMatch(
    /KvmDevices: 27 rows, 27 to write, 0 to delete/,
  );
});

test('what an earlier bundle left is removed, and nothing else', () => {
  mkdirSync(join(folder, 'e'));
  for (const name of [
    'KvmDevices-2.csv',
    'KvmSweepDevices-3.records.json',
    'KvmAdminSubnets.items.ndjson',
    'notes.txt',
    'KvmDevices.csv.bak',
  ])
    writeFileSync(join(folder, 'e', name), 'x');
  expect(exported('e').code).toBe(0);
  const names = readdirSync(join(folder, 'e'));
  expect(names).toEqual(expect.arrayContaining(['notes.txt', 'KvmDevices.csv.bak', 'KvmDevices.csv']));
  for (const name of ['KvmDevices-2.csv', 'KvmSweepDevices-3.records.json', 'KvmAdminSubnets.items.ndjson'])
    expect(names).not.toContain(name);
});

test('where a file cannot be written the state stays as it was, so that nothing is lost', () => {
  mkdirSync(join(folder, 'f/README.md/in-the-way'), { recursive: true });
  const ended = exported('f');
  expect(ended.code).toBe(2);
  expect(ended.err).toMatch(/cannot write .*README\.md/);
  expect(existsSync(join(folder, 'f/state.json'))).toBe(false);
});

test.for([
  [['--to', 'sentinel'], /--to sentinel: it is a folder of files: name it with --out/],
  [
    ['--to', 'sentinel', '--out', 'g', '--state', 'demo/inventory.json'],
    /inventory\.json is no state of `export --to sentinel`: it is another file/,
  ],
  [['--to', 'sentinel', '--out', 'g', '--admin-subnets', 'none.txt'], /cannot read none\.txt: there is no such file/],
  [['--to', 'sentinel', '--out', 'demo/inventory.json'], /cannot (?:read|write) .*inventory\.json/],
  [['--to', 'ndjson', '--full'], /--full with --to ndjson: it is for --to sentinel only/],
  [['--to', 'nothing'], /the forms are .*sentinel/],
] as const)('export %j is a mistake', ([args, message]) => {
  const ended = run('export', INVENTORY, ...args);
  expect(ended.code).toBe(2);
  expect(ended.err).toMatch(message);
});
