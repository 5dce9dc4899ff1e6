import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { problemText } from '../../../src/errors.ts';
import { loadKnowledge } from '../../../src/cli/knowledge.ts';
import { readAdminSubnets } from '../../../src/outputs/sentinel/admin-subnets.ts';
import { type Row, sentinelContract, type WatchlistAlias } from '../../../src/outputs/sentinel/columns.ts';
import { deviceRows } from '../../../src/outputs/sentinel/devices.ts';
import { scannerRows } from '../../../src/outputs/sentinel/scanners.ts';
import { NO_STATE, readState, stateText } from '../../../src/outputs/sentinel/state.ts';
import { usbIdRows } from '../../../src/outputs/sentinel/usb-ids.ts';
import { device } from '../../reconcile/build.ts';
import { bundle, operations, rowsOf, sweep } from './build.ts';

const columnsOf = (alias: WatchlistAlias): string[] =>
  sentinelContract().watchlists.flatMap((one) => (one.alias === alias ? one.columns.map(({ name }) => name) : []));

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-sentinel-'));
function fileOf(text: string | Buffer): string {
  const file = join(folder, 'input');
  writeFileSync(file, text);
  return file;
}

// ---- KvmUsbIds --------------------------------------------------------------------------------------------------

const ids = new Map(usbIdRows(loadKnowledge().fingerprints).map((row) => [row['UsbId'] ?? '', row]));

test('the rows have the columns that the rules read, and no others', () => {
  const known = { device: device('10.0.0.1'), views: [], unseen: new Set<string>() };
  const written: Readonly<Record<WatchlistAlias, readonly Row[]>> = {
    KvmDevices: deviceRows([known], new Map()).rows,
    KvmScanners: scannerRows([{ address: '10.0.0.250', lastUsed: '2026-11-24T12:30:00.000Z' }]),
    KvmAdminSubnets: readAdminSubnets(fileOf('10.9.0.0/16')).rows,
    KvmUsbIds: [...ids.values()],
  };
  for (const [alias, rows] of Object.entries(written))
    for (const row of rows) expect(Object.keys(row).toSorted(), alias).toEqual(columnsOf(alias as WatchlistAlias).toSorted());
});

test('ids are written as PnP instance paths write them', () => {
  expect(ids.size).toBeGreaterThan(20);
  for (const id of ids.keys()) expect(id).toMatch(/^(?:VID_[0-9A-F]{4}&PID_[0-9A-F]{4}|[A-Z]{3}[0-9A-F]{4})$/);
});

test.for([
  ['LNX7771', 'PiKVM', '90'],
  ['VID_1209&PID_EDA2', 'PiKVM', '94'],
  ['VID_3346&PID_1009', 'Sipeed NanoKVM', '75'],
  ['JET0001', 'JetKVM', '80'],
  ['TSB9876', 'TinyPilot', '85'],
  // What anything may show is in the list with what it is worth.
  ['VID_1D6B&PID_0104', '', '25'],
  ['TSB8888', '', '55'],
] as const)('%s is %s, in %s of a hundred', ([id, product, certainty]) => {
  expect(ids.get(id)).toMatchObject({ Product: product, Certainty: certainty });
  if (Number(certainty) < 60) expect(ids.get(id)?.['Reason']).toContain('other things show it too');
});

test.for([
  // A real monitor, of which one serial number was copied to KVMs.
  'PHLC233',
  // A capture stick, a cable for bar-code readers with other ids, a Raspberry Pi as a network card, hubs of Linux, a Pico, what TinyUSB leaves.
  'VID_534D&PID_2109',
  'VID_0525&PID_A4A2',
  'VID_1D6B&PID_0002',
  'VID_1D6B&PID_0106',
  'VID_2E8A&PID_000A',
  'VID_CAFE&PID_4008',
])('%s is no sign by itself, and not in the list', (id) => {
  expect(ids.has(id)).toBe(false);
});

// ---- KvmAdminSubnets --------------------------------------------------------------------------------------------

test.for([
  {
    name: 'CSV with headings',
    text: 'Subnet;Zone;Description\n10.9.0.0/16;ops;jump hosts\n2001:db8::/64;ops;\n',
    rows: ['10.9.0.0/16 ops jump hosts', '2001:db8::/64 ops '],
  },
  {
    name: 'a network a line, with comments',
    text: '# admins\n10.9.0.0/16\n\n192.0.2.7 # the jump host\r\n10.1.0.0-10.1.0.255\n',
    rows: ['10.1.0.0/24  ', '10.9.0.0/16  ', '192.0.2.7/32  '],
  },
  { name: 'UTF-16', text: Buffer.from('\ufeffcidr,zone\n10.9.0.0/16,é\n', 'utf16le'), rows: ['10.9.0.0/16 é '] },
  { name: 'a network given twice', text: '10.9.0.0/16\n10.9.0.0/16\n', rows: ['10.9.0.0/16  '] },
  { name: 'a range that is no block', text: '10.0.0.1-10.0.0.4\n', rows: ['10.0.0.1/32  ', '10.0.0.2/31  ', '10.0.0.4/32  '] },
])('networks of administrators: $name', ({ text, rows }) => {
  const read = readAdminSubnets(fileOf(text));
  expect(read.rows.map((row) => [row['Cidr'], row['Zone'], row['Purpose']].join(' '))).toEqual(rows);
  expect(read.problems).toEqual([]);
});

test('networks of administrators: a line that names none costs that line, and is told', () => {
  const file = fileOf('cidr,zone\n10.9.0.0/33,a\n0.0.0.0/0,b\nfe80::1%eth0,c\njump.example.com,d\n10.9.0.5/16,e\n');
  const { rows, problems, notes } = readAdminSubnets(file);
  expect(rows.map((row) => row['Cidr'])).toEqual(['10.9.0.0/16']);
  expect(notes).toEqual([`${file}:6: 10.9.0.5/16 is read as its whole network`]);
  expect(problems.map(problemText)).toEqual([
    `${file}:2: "10.9.0.0/33" is no network: /33 is more than /32`,
    `${file}:3: "0.0.0.0/0" is no network: it holds every address, so no rule could tell anything`,
    `${file}:4: "fe80::1%eth0" is no network: a link-local address with its zone means nothing to other hosts`,
    `${file}:5: "jump.example.com" is no network: it is neither an address nor a block such as 10.0.0.0/24`,
  ]);
});

test.for([
  ['', /holds no network/],
  ['# nothing\n', /holds no network/],
  ['cidr,zone\nnowhere,x\n', /:2: "nowhere" is no network/],
] as const)('networks of administrators: %j is an error', ([text, message]) => {
  expect(() => readAdminSubnets(fileOf(text))).toThrow(message);
});

test('without networks of administrators no such list is written, and it is said; with them they stay', () => {
  const without = bundle(sweep(24, [device('10.0.0.1')]));
  expect(without.files.filter(({ name }) => name.startsWith('KvmAdminSubnets'))).toEqual([]);
  expect(without.notes.join('\n')).toMatch(/--admin-subnets/);
  const rows = [{ Cidr: '10.9.0.0/16', Zone: 'ops', Purpose: '' }];
  const first = bundle(sweep(24, [device('10.0.0.1')]), undefined, { adminSubnets: rows });
  const second = bundle(sweep(25, [device('10.0.0.1')]), first.state);
  expect(operations(second, 'KvmAdminSubnets')).toEqual([]);
  expect(rowsOf(second, 'KvmAdminSubnets')).toEqual(rows);
  const third = bundle(sweep(26, [device('10.0.0.1')]), second.state, { adminSubnets: [{ Cidr: '10.8.0.0/16' }] });
  expect(third.lists.find(({ watchlist }) => watchlist.alias === 'KvmAdminSubnets')).toMatchObject({
    changed: [{ row: { Cidr: '10.8.0.0/16' } }],
    deleted: [{ row: { Cidr: '10.9.0.0/16' } }],
  });
});

// ---- the state --------------------------------------------------------------------------------------------------

test('a state is read as it was written; no file is the state before the first bundle', () => {
  const { state } = bundle(sweep(24, [device('10.0.0.1', { ids: { mac: '00:00:5E:00:53:01' }, hostname: '\u202e' })]));
  expect(readState(fileOf(stateText(state)))).toEqual(state);
  expect(readState(join(folder, 'not-there.json'))).toEqual(NO_STATE);
});

test.for([
  ['', /is no state of `export --to sentinel`: it is not JSON .*--state/],
  ['[]', /it is another file/],
  ['{"schemaVersion":1,"devices":[]}', /it is another file/],
  ['{"kind":"kvmsweep-sentinel-state","version":2,"new":[]}', /its version is 2 and this kvmsweep reads up to 1; use a newer one/],
  [
    '{"kind":"kvmsweep-sentinel-state","version":1,"items":{"KvmDevices":[{"id":"1"}]},"devices":[],"scanners":[]}',
    /items\.KvmDevices\.0\.id/,
  ],
] as const)('a state %j is refused', ([text, message]) => {
  expect(() => readState(fileOf(text))).toThrow(message);
});
