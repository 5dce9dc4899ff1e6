import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Device } from '../../src/devices/device.ts';
import { type ApprovedAsset, type ApprovedList, type Finding, parseWindow, reconcile } from '../../src/reconcile/index.ts';
import { asset, attached, device, IDRAC, inventory, list, type Sweep } from './build.ts';

const NOW = new Date('2026-11-22T18:00:00Z'); // a Sunday
const UUID = '00112233445566778899aabbccddeeff';
const SMBIOS = '33221100554477668899aabbccddeeff';
const REVERSED = 'ffeeddccbbaa99887766554433221100';
const KEY = 'ab'.repeat(32);
const OTHER_KEY = 'cd'.repeat(32);
const MAC = '00:00:5E:00:53:10';
const OTHER_MAC = '00:00:5E:00:53:11';

function record(name: string, rest: Partial<ApprovedAsset> = {}): ApprovedAsset {
  return asset({ name, ...rest });
}

function findings(devices: readonly Device[], assets: readonly ApprovedAsset[], sweep?: Sweep, rest?: Partial<ApprovedList>): Finding[] {
  return reconcile(inventory(devices, sweep), list(assets, rest), { now: NOW });
}

/** `state severity kvm-10.0.0.1 = A`: which device, which record. */
function told(all: readonly Finding[]): string[] {
  return all.map(
    ({ state, severity, deviceKey, asset: approved }) => `${state} ${severity} ${deviceKey ?? '-'} = ${approved?.name ?? '-'}`,
  );
}

function windowsOf(...texts: string[]): Pick<ApprovedAsset, 'windows'> {
  return {
    windows: texts.map((text) => {
      const window = parseWindow(text);
      if ('reason' in window) throw new Error(window.reason);
      return window;
    }),
  };
}

interface Case {
  readonly name: string;
  readonly devices?: readonly Device[];
  readonly assets?: readonly ApprovedAsset[];
  readonly sweep?: Sweep;
  readonly expected: readonly string[];
  /** What the explanation of the first finding says. */
  readonly says?: RegExp;
}

function check({ devices = [], assets = [], sweep, expected, says }: Case): void {
  const all = findings(devices, assets, sweep);
  expect(told(all)).toEqual(expected);
  if (says !== undefined) expect(all[0]?.explanation).toMatch(says);
  // Every device that is not quiet is in one finding, every record in at least one.
  const keys = all.flatMap(({ deviceKey }) => deviceKey ?? []);
  expect(new Set(keys).size).toBe(keys.length);
  for (const one of devices) if (one.class !== 'vnc-software' && one.class !== 'not-remote-access') expect(keys).toContain(one.deviceKey);
  for (const one of assets) expect(all.some(({ asset: approved }) => approved?.source === one.source)).toBe(true);
}

test.for<Case>([
  {
    name: 'by serial number, in any spelling',
    devices: [device('10.0.0.1', { ids: { serial: 'ab 12' } })],
    assets: [record('A', { serials: ['AB12'] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
    says: /^It is A \(approved\.csv:\d+\) by its serial number\.$/,
  },
  {
    name: 'by MAC',
    devices: [device('10.0.0.1', { ids: { mac: MAC } })],
    assets: [record('A', { macs: [OTHER_MAC, MAC] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'by UUID',
    devices: [device('10.0.0.1', { ids: { uuid: UUID } })],
    assets: [record('A', { uuids: [UUID] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
    says: /by its UUID\.$/,
  },
  {
    name: 'by GUID in SMBIOS order',
    devices: [device('10.0.0.1', { ids: { guid: SMBIOS } })],
    assets: [record('A', { uuids: [UUID] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'by GUID reversed',
    devices: [device('10.0.0.1', { ids: { guid: REVERSED } })],
    assets: [record('A', { uuids: [SMBIOS] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'by name',
    devices: [device('10.0.0.1', { ids: { fqdn: 'kvm1.example.com' } })],
    assets: [record('A', { names: ['kvm1.example.com'] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'by the short form of its name',
    devices: [device('10.0.0.1', { hostname: 'KVM1' })],
    assets: [record('A', { names: ['kvm1.example.com'] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'by the name that was given for its address',
    devices: [device('10.0.0.1')],
    assets: [record('A', { names: ['kvm1.example.com'] })],
    sweep: { names: { '10.0.0.1': 'kvm1.example.com' } },
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'by its IP address alone, where nothing contradicts',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
    says: /by its IP address alone, and nothing speaks against it\. Add its serial number or MAC address/,
  },
  {
    name: 'by its IP address alone, where the record has numbers that it does not show',
    devices: [device('10.0.0.1')],
    assets: [record('A', { serials: ['A1'], macs: [MAC], addresses: ['10.0.0.1'] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
    says: /nothing speaks against it\. It shows no serial number or MAC address to compare with the record, so look there to be sure\.$/,
  },
  {
    name: 'by its address, and a maker and model that agree',
    devices: [device('10.0.0.1', { ...IDRAC, model: 'PowerEdge R740' })],
    assets: [record('A', { addresses: ['10.0.0.1'], vendor: 'Dell Inc.', model: 'R740', class: 'bmc' })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'a controller at an address whose record names the server',
    devices: [device('10.0.0.1', IDRAC)],
    assets: [record('A', { addresses: ['10.0.0.1'], vendor: 'Dell', product: 'PowerEdge R740' })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'the maker agrees, and the product is a word that we do not know',
    devices: [device('10.0.0.1', { vendor: 'Raritan', product: 'Dominion KX', generation: 'III' })],
    assets: [record('A', { addresses: ['10.0.0.1'], vendor: 'Raritan', product: 'DKX3-216' })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'at one of its addresses',
    devices: [device('10.0.0.1', { ids: { mac: MAC } })],
    assets: [record('A', { macs: [MAC], addresses: ['10.0.0.1', '10.0.0.2'] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'at both of its addresses, seen as two',
    devices: [device('10.0.0.1'), device('2001:db8::1')],
    assets: [record('A', { addresses: ['10.0.0.1', '2001:db8::1'] })],
    expected: ['approved-present info kvm-10.0.0.1 = A', 'approved-present info kvm-2001:db8::1 = A'],
  },
  {
    name: 'with both of its network cards, seen as two',
    devices: [device('10.0.0.1', { ids: { mac: MAC } }), device('10.0.0.2', { ids: { mac: OTHER_MAC } })],
    assets: [record('A', { macs: [MAC, OTHER_MAC] })],
    expected: ['approved-present info kvm-10.0.0.1 = A', 'approved-present info kvm-10.0.0.2 = A'],
  },
  {
    name: 'surely at one of its addresses, and without a number at the other',
    devices: [device('10.0.0.1', { ids: { mac: MAC } }), device('10.0.0.2')],
    assets: [record('A', { macs: [MAC], addresses: ['10.0.0.1', '10.0.0.2'] })],
    expected: ['approved-present info kvm-10.0.0.1 = A', 'approved-present info kvm-10.0.0.2 = A'],
  },
  {
    name: 'a quiet device that a record names',
    devices: [device('10.0.0.1', { class: 'vnc-software', vendor: 'TigerVNC', product: 'TigerVNC' })],
    assets: [record('A', { addresses: ['10.0.0.1'] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
])('approved-present: $name', check);

test.for<Case>([
  {
    name: 'an IP-KVM',
    devices: [device('10.0.0.1')],
    expected: ['unapproved high kvm-10.0.0.1 = -'],
    says: /^No record of the approved list names it\. Approve it, or take it off the network\.$/,
  },
  { name: 'a PDU', devices: [device('10.0.0.1', { class: 'pdu' })], expected: ['unapproved low kvm-10.0.0.1 = -'] },
  {
    name: 'one that lets in anyone',
    devices: [device('10.0.0.1', { posture: ['vnc-no-authentication', 'legacy-tls'] })],
    expected: ['unapproved critical kvm-10.0.0.1 = -'],
    says: /It lets in anyone \(vnc-no-authentication\)\./,
  },
  {
    name: 'a PDU that lets in anyone',
    devices: [device('10.0.0.1', { class: 'pdu', posture: ['open-without-login'] })],
    expected: ['unapproved medium kvm-10.0.0.1 = -'],
  },
  {
    name: 'anonymous IPMI',
    devices: [device('10.0.0.1', { ...IDRAC, posture: ['ipmi-anonymous-login'] })],
    expected: ['unapproved critical kvm-10.0.0.1 = -'],
  },
  {
    name: 'other weaknesses do not raise it',
    devices: [device('10.0.0.1', { posture: ['expired-certificate', 'legacy-tls'] })],
    expected: ['unapproved high kvm-10.0.0.1 = -'],
  },
  {
    name: 'nothing quiet',
    devices: [device('10.0.0.1', { class: 'vnc-software' }), device('10.0.0.2', { class: 'not-remote-access' })],
    expected: [],
  },
  {
    name: 'at the address that another, which moved, left',
    devices: [device('10.0.0.1'), device('10.0.0.9', { ids: { mac: MAC } })],
    assets: [record('A', { macs: [MAC], addresses: ['10.0.0.1'] })],
    expected: ['unapproved high kvm-10.0.0.1 = -', 'moved high kvm-10.0.0.9 = A'],
    says: /^It has the IP address of A \(approved\.csv:\d+\), which is another device\./,
  },
  {
    name: 'under the name that nobody changed',
    devices: [device('10.0.0.1', { hostname: 'pikvm' }), device('10.0.0.2', { hostname: 'pikvm' })],
    assets: [record('A', { names: ['pikvm'], addresses: ['10.0.0.1'] })],
    expected: ['unapproved high kvm-10.0.0.2 = -', 'approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'with another MAC, at the address that another left',
    devices: [device('10.0.0.1', { ids: { mac: OTHER_MAC } }), device('10.0.0.9', { ids: { mac: MAC } })],
    assets: [record('A', { macs: [MAC], addresses: ['10.0.0.1'] })],
    expected: ['unapproved high kvm-10.0.0.1 = -', 'moved high kvm-10.0.0.9 = A'],
  },
  {
    name: 'of another kind, behind the same address as the approved one',
    devices: [device('10.0.0.1', { deviceKey: 'idrac', ...IDRAC }), device('10.0.0.1', { deviceKey: 'pikvm' })],
    assets: [record('A', { addresses: ['10.0.0.1'], vendor: 'Dell' })],
    expected: ['unapproved high pikvm = -', 'approved-present info idrac = A'],
  },
])('unapproved: $name', check);

test('unapproved: records that are left out, or approve nothing, are named', () => {
  const aside = [
    { asset: record('A', { addresses: ['10.0.0.1'], source: { file: 'approved.csv', line: 7 } }), why: 'its "Status" is "Retired"' },
    {
      asset: record('B', { addresses: ['10.0.0.2'], source: { file: 'approved.csv', line: 8 } }),
      why: 'it is left out because of what is wrong in it',
    },
  ];
  const [one, two] = findings(
    [device('10.0.0.1'), device('10.0.0.2')],
    [record('C', { addresses: ['10.0.0.3'] })],
    {},
    { setAside: aside },
  );
  expect(one?.explanation).toBe(
    'The approved list names it and does not approve it: approved.csv:7, its "Status" is "Retired". Approve it, or take it off the network.',
  );
  expect(two?.explanation).toMatch(/approved\.csv:8, it is left out because of what is wrong in it\./);
});

test.for<Case>([
  {
    name: 'the address of an iDRAC answers as a PiKVM',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'], vendor: 'Dell', product: 'iDRAC' })],
    expected: ['impostor critical kvm-10.0.0.1 = A', 'approved-missing medium - = A'],
    says: /^It has the IP address of A \(approved\.csv:\d+\), but the maker is PiKVM \(record: Dell\) and the product is PiKVM \(record: iDRAC\)\. Find it/,
  },
  {
    name: 'the same where only the product is written down',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'], product: 'iDRAC9 Enterprise' })],
    expected: ['impostor critical kvm-10.0.0.1 = A', 'approved-missing medium - = A'],
  },
  {
    name: 'the same where only the class is',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'], class: 'bmc' })],
    expected: ['impostor critical kvm-10.0.0.1 = A', 'approved-missing high - = A'],
  },
  {
    name: 'the name of an iDRAC',
    devices: [device('10.0.0.1', { hostname: 'r7.example.com' })],
    assets: [record('A', { names: ['r7.example.com'], vendor: 'Dell' })],
    expected: ['impostor critical kvm-10.0.0.1 = A', 'approved-missing medium - = A'],
  },
  {
    name: 'its serial number',
    devices: [device('10.0.0.1', { ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'], vendor: 'Dell', addresses: ['10.0.0.2'] })],
    expected: ['impostor critical kvm-10.0.0.1 = A', 'approved-missing medium - = A'],
  },
  {
    name: 'its MAC, at its address',
    devices: [device('10.0.0.1', { ids: { mac: MAC } })],
    assets: [record('A', { macs: [MAC], vendor: 'Dell', addresses: ['10.0.0.1'] })],
    expected: ['impostor critical kvm-10.0.0.1 = A', 'approved-missing medium - = A'],
  },
  {
    name: 'its serial number, with another MAC and of another class',
    devices: [device('10.0.0.1', { ids: { serial: 'A1', mac: OTHER_MAC } })],
    assets: [record('A', { serials: ['A1'], macs: [MAC], class: 'bmc' })],
    expected: ['impostor critical kvm-10.0.0.1 = A', 'approved-missing high - = A'],
  },
  {
    name: 'the address of one that moved',
    devices: [device('10.0.0.1'), device('10.0.0.9', { ...IDRAC, ids: { mac: MAC } })],
    assets: [record('A', { macs: [MAC], addresses: ['10.0.0.1'], vendor: 'Dell' })],
    expected: ['impostor critical kvm-10.0.0.1 = A', 'moved high kvm-10.0.0.9 = A'],
  },
  {
    name: 'a PDU where a console server was, open to anyone',
    devices: [device('10.0.0.1', { class: 'pdu', vendor: 'APC', product: 'NMC', posture: ['open-without-login'] })],
    assets: [record('A', { addresses: ['10.0.0.1'], vendor: 'Opengear' })],
    expected: ['impostor high kvm-10.0.0.1 = A', 'approved-missing medium - = A'],
  },
])('impostor: $name', check);

test.for<Case>([
  {
    name: 'the same kind of device with another MAC at its address',
    devices: [device('10.0.0.1', { ids: { mac: OTHER_MAC } })],
    assets: [record('A', { macs: [MAC], addresses: ['10.0.0.1'], product: 'PiKVM' })],
    expected: ['ambiguous high kvm-10.0.0.1 = A'],
    says: /^It has the IP address of A \(approved\.csv:\d+\), but the MAC address is 00:00:5E:00:53:11 \(record: 00:00:5E:00:53:10\)\. Find out which device it is/,
  },
  {
    name: 'another serial number',
    devices: [device('10.0.0.1', { ids: { serial: 'A2' } })],
    assets: [record('A', { serials: ['A1'], addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A'],
  },
  {
    name: 'another UUID',
    devices: [device('10.0.0.1', { ids: { guid: UUID } })],
    assets: [record('A', { uuids: ['2'.repeat(31) + '3'], addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A'],
  },
  {
    name: 'another certificate than the one on record',
    devices: [device('10.0.0.1', { ids: { spki: OTHER_KEY } })],
    assets: [record('A', { certificate: KEY, addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A'],
  },
  {
    name: 'another model',
    devices: [device('10.0.0.1', { model: 'V4 Plus' })],
    assets: [record('A', { model: 'V3', addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A'],
  },
  {
    name: 'another generation',
    devices: [device('10.0.0.1', IDRAC)],
    assets: [record('A', { product: 'iDRAC8', addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A'],
  },
  {
    name: 'another maker, but that is not sure',
    devices: [device('10.0.0.1', { level: 'possible', certainty: 40 })],
    assets: [record('A', { vendor: 'Dell', addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A'],
  },
  {
    name: 'marks of many products',
    devices: [device('10.0.0.1', { posture: ['conflicting-identity'] })],
    assets: [record('A', { addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A'],
    says: /marks of several unrelated products/,
  },
  {
    name: 'a VNC server where an IP-KVM should be',
    devices: [device('10.0.0.1', { class: 'vnc-software', vendor: 'PiKVM' })],
    assets: [record('A', { class: 'bmc', addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A'],
  },
  {
    name: 'only IPMI where a PiKVM should be',
    devices: [unnamedBmc('10.0.0.1')],
    assets: [record('A', { product: 'PiKVM', addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A'],
  },
  {
    name: 'its name at an address that the record does not know',
    devices: [device('10.0.0.9', { hostname: 'kvm1' })],
    assets: [record('A', { names: ['kvm1'], addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.9 = A'],
    says: /the IP address is 10\.0\.0\.9 \(record: 10\.0\.0\.1\)/,
  },
  {
    name: 'another MAC at the second address of a record',
    devices: [device('10.0.0.1', { ids: { mac: MAC } }), device('10.0.0.2', { ids: { mac: OTHER_MAC } })],
    assets: [record('A', { macs: [MAC], addresses: ['10.0.0.1', '10.0.0.2'] })],
    expected: ['ambiguous high kvm-10.0.0.2 = A', 'approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'the serial number of one record and the MAC of another',
    devices: [device('10.0.0.1', { ids: { serial: 'A1', mac: MAC } })],
    assets: [record('A', { serials: ['A1'] }), record('B', { macs: [MAC] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A', 'ambiguous high - = B'],
    says: /^It has the serial number of A \(approved\.csv:\d+\) and the MAC address of B \(approved\.csv:\d+\)\. Find out which record is its own/,
  },
  {
    name: 'the serial number of one record, and the MAC of another that knows another serial number at the same address',
    devices: [device('10.0.0.1', { ids: { serial: 'A1', mac: MAC } })],
    assets: [
      record('A', { serials: ['A1'], addresses: ['10.0.0.1'] }),
      record('B', { serials: ['B1'], macs: [MAC], addresses: ['10.0.0.1'] }),
    ],
    expected: ['ambiguous high kvm-10.0.0.1 = A', 'ambiguous high - = B'],
  },
  {
    name: 'the serial number of one record and the address of another, which has a number of its own',
    devices: [device('10.0.0.1', { ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'] }), record('B', { macs: [MAC], addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A', 'ambiguous high - = B'],
  },
  {
    name: 'two records of one address, each with a number that the device does not show',
    devices: [device('10.0.0.1')],
    assets: [record('A', { serials: ['A1'], addresses: ['10.0.0.1'] }), record('B', { serials: ['A2'], addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A', 'ambiguous high - = B'],
    says: /It shows no number of theirs: look which one it is/,
  },
  {
    name: 'the name of one record and the address of another',
    devices: [device('10.0.0.1', { hostname: 'kvm1' })],
    assets: [record('A', { names: ['kvm1'] }), record('B', { addresses: ['10.0.0.1'] })],
    expected: ['ambiguous high kvm-10.0.0.1 = A', 'ambiguous high - = B'],
  },
])('ambiguous: $name', check);

function unnamedBmc(address: string): Device {
  const { vendor: _vendor, product: _product, ...rest } = device(address, { class: 'bmc' });
  return rest;
}

test.for<Case>([
  {
    name: 'two approvals with one serial number',
    devices: [device('10.0.0.1', { ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'] }), record('B', { serials: ['A1'] })],
    expected: ['duplicate high kvm-10.0.0.1 = A', 'duplicate high - = B'],
    says: /^A \(approved\.csv:\d+\) and B \(approved\.csv:\d+\) both approve it\. Keep/,
  },
  {
    name: 'one approval by serial number, another by MAC, both at its address',
    devices: [device('10.0.0.1', { ids: { serial: 'A1', mac: MAC } })],
    assets: [record('A', { serials: ['A1'], addresses: ['10.0.0.1'] }), record('B', { macs: [MAC], addresses: ['10.0.0.1'] })],
    expected: ['duplicate high kvm-10.0.0.1 = A', 'duplicate high - = B'],
  },
  {
    name: 'two approvals with one address',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'] }), record('B', { addresses: ['10.0.0.1'] })],
    expected: ['duplicate high kvm-10.0.0.1 = A', 'duplicate high - = B'],
  },
  {
    name: 'one approval by serial number, another by address',
    devices: [device('10.0.0.1', { ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'] }), record('B', { addresses: ['10.0.0.1'] })],
    expected: ['duplicate high kvm-10.0.0.1 = A', 'duplicate high - = B'],
  },
  {
    name: 'a cloned UUID: one approval, two devices',
    devices: [
      device('10.0.0.1', { ids: { guid: UUID }, posture: ['shared-identifier'] }),
      device('10.0.0.2', { ids: { guid: SMBIOS }, posture: ['shared-identifier'] }),
    ],
    assets: [record('A', { uuids: [UUID] })],
    expected: ['duplicate high kvm-10.0.0.1 = A', 'duplicate high kvm-10.0.0.2 = A'],
    says: /^It is A \(approved\.csv:\d+\) by its UUID, and so is PiKVM at 10\.0\.0\.2\. Find out which one was approved; the other may be a copy\.$/,
  },
  {
    name: 'the serial number at one device, the MAC at another',
    devices: [device('10.0.0.1', { ids: { serial: 'A1' } }), device('10.0.0.2', { ids: { mac: MAC } })],
    assets: [record('A', { serials: ['A1'], macs: [MAC] })],
    expected: ['duplicate high kvm-10.0.0.1 = A', 'duplicate high kvm-10.0.0.2 = A'],
  },
  {
    name: 'two devices of one name, and a record without more',
    devices: [device('10.0.0.1', { hostname: 'pikvm' }), device('10.0.0.2', { hostname: 'pikvm' })],
    assets: [record('A', { names: ['pikvm'] })],
    expected: ['duplicate high kvm-10.0.0.1 = A', 'duplicate high kvm-10.0.0.2 = A'],
  },
  {
    name: 'two devices of one kind behind one approved address',
    devices: [device('10.0.0.1', { deviceKey: 'a' }), device('10.0.0.1', { deviceKey: 'b' })],
    assets: [record('A', { addresses: ['10.0.0.1'] })],
    expected: ['duplicate high a = A', 'duplicate high b = A'],
  },
])('duplicate: $name', check);

test.for<Case>([
  {
    name: 'expired',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'], validUntil: '2026-11-21T23:59:59.999Z' })],
    expected: ['expired high kvm-10.0.0.1 = A'],
    says: /^It is A \(approved\.csv:\d+\) by its IP address alone, but its approval ended on 2026-11-21\. Renew the approval, or take the device off the network\.$/,
  },
  {
    name: 'expiring',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'], validUntil: '2026-12-01T23:59:59.999Z' })],
    expected: ['expiring high kvm-10.0.0.1 = A'],
    says: /its approval ends on 2026-12-01\. Renew it/,
  },
  {
    name: 'valid to the last moment of its day',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'], validUntil: '2026-11-22T23:59:59.999Z' })],
    expected: ['expiring high kvm-10.0.0.1 = A'],
  },
  {
    name: 'valid for long',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'], validUntil: '2027-12-01T23:59:59.999Z' })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'not yet',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'], validFrom: '2026-11-23T00:00:00.000Z' })],
    expected: ['outside-window high kvm-10.0.0.1 = A'],
    says: /it is approved only from 2026-11-23 on/,
  },
  {
    name: 'seen within its window by a sweep that ended behind it',
    devices: [device('10.0.0.1', { lastSeen: '2026-11-22T16:59:59.000Z' })],
    assets: [record('A', { addresses: ['10.0.0.1'], ...windowsOf('Sun 16:00-17:00 UTC') })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'seen outside of its window by a sweep that ended within it',
    devices: [device('10.0.0.1', { lastSeen: '2026-11-22T16:59:59.000Z' })],
    assets: [record('A', { addresses: ['10.0.0.1'], ...windowsOf('Sun 17:00-19:00 UTC') })],
    expected: ['outside-window high kvm-10.0.0.1 = A'],
  },
  {
    name: 'in its window',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'], ...windowsOf('Mon 00:00-01:00 UTC', 'Sun 19:00-20:00 Europe/Berlin') })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'outside its windows',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'], ...windowsOf('Sat 22:00-06:00 Europe/Berlin', 'Mon 00:00-01:00 UTC') })],
    expected: ['outside-window high kvm-10.0.0.1 = A'],
    says: /it is approved only at these times: Sat 22:00-06:00 Europe\/Berlin; Mon 00:00-01:00 UTC\. Find out why/,
  },
  {
    name: 'an exception',
    devices: [device('10.0.0.1', { posture: ['open-without-login'] })],
    assets: [record('A', { addresses: ['10.0.0.1'], ignored: { reason: 'lab toy' } })],
    expected: ['ignored info kvm-10.0.0.1 = A'],
    says: /which is an exception: lab toy$/,
  },
  {
    name: 'an exception that has ended',
    devices: [device('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'], ignored: { reason: 'lab toy' }, validUntil: '2026-01-01T23:59:59.999Z' })],
    expected: ['expired high kvm-10.0.0.1 = A'],
  },
])('approval: $name', check);

test.for<Case>([
  {
    name: 'moved',
    devices: [device('10.0.0.9', { ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'], addresses: ['10.0.0.1'] })],
    expected: ['moved high kvm-10.0.0.9 = A'],
    says: /by its serial number, but it is at 10\.0\.0\.9 \(record: 10\.0\.0\.1\)\. Find out who moved it, or correct the record\.$/,
  },
  {
    name: 'moved to the address of another record, whose device is what is missing',
    devices: [device('10.0.0.9', { ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'], addresses: ['10.0.0.1'] }), record('B', { addresses: ['10.0.0.9'], class: 'ip-kvm' })],
    expected: ['moved high kvm-10.0.0.9 = A', 'approved-missing high - = B'],
  },
  {
    name: 'changed version',
    devices: [device('10.0.0.1', { version: '4.2', ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'], version: '4.1' })],
    expected: ['changed high kvm-10.0.0.1 = A'],
    says: /but the version is 4\.2 \(record: 4\.1\)\. Find out what was changed, or correct the record\.$/,
  },
  {
    name: 'changed version of what is known by address: firmware is renewed, the device is the same',
    devices: [device('10.0.0.1', { version: '4.2' })],
    assets: [record('A', { addresses: ['10.0.0.1'], version: '4.1' })],
    expected: ['changed high kvm-10.0.0.1 = A'],
  },
  {
    name: 'changed model',
    devices: [device('10.0.0.1', { model: 'V4', ids: { mac: MAC } })],
    assets: [record('A', { macs: [MAC], model: 'V3' })],
    expected: ['changed high kvm-10.0.0.1 = A'],
  },
  {
    name: 'changed product of one maker',
    devices: [device('10.0.0.1', { ...IDRAC, product: 'OME-M', class: 'chassis-manager', ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'], vendor: 'Dell', product: 'iDRAC' })],
    expected: ['changed high kvm-10.0.0.1 = A'],
  },
  {
    name: 'changed class',
    devices: [device('10.0.0.1', { class: 'console-server', vendor: 'Raritan', product: 'SX', ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'], class: 'pdu' })],
    expected: ['changed high kvm-10.0.0.1 = A'],
  },
  {
    name: 'changed certificate',
    devices: [device('10.0.0.1', { ids: { serial: 'A1', spki: OTHER_KEY } })],
    assets: [record('A', { serials: ['A1'], certificate: KEY })],
    expected: ['changed high kvm-10.0.0.1 = A'],
  },
  {
    name: 'a certificate that could not be read has not changed',
    devices: [device('10.0.0.1', { ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'], certificate: KEY })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'another network card',
    devices: [device('10.0.0.1', { ids: { serial: 'A1', mac: OTHER_MAC } })],
    assets: [record('A', { serials: ['A1'], macs: [MAC] })],
    expected: ['changed high kvm-10.0.0.1 = A'],
  },
  {
    name: 'another UUID beside the serial number is that of the board',
    devices: [device('10.0.0.1', { ids: { serial: 'A1', uuid: UUID } })],
    assets: [record('A', { serials: ['A1'], uuids: ['2'.repeat(31) + '3'] })],
    expected: ['approved-present info kvm-10.0.0.1 = A'],
  },
  {
    name: 'another maker by two numbers that agree is what the record calls it',
    devices: [device('10.0.0.1', { ids: { serial: 'A1', mac: MAC } })],
    assets: [record('A', { serials: ['A1'], macs: [MAC], vendor: 'A reseller' })],
    expected: ['changed high kvm-10.0.0.1 = A'],
  },
  {
    name: 'expired, moved and changed at once is expired, and says the rest',
    devices: [device('10.0.0.9', { version: '2', ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'], addresses: ['10.0.0.1'], version: '1', validUntil: '2026-01-01T23:59:59.999Z' })],
    expected: ['expired high kvm-10.0.0.9 = A'],
    says: /its approval ended on 2026-01-01, it is at 10\.0\.0\.9 \(record: 10\.0\.0\.1\) and the version is 2 \(record: 1\)\./,
  },
])('differences: $name', check);

test.for<Case>([
  {
    name: 'something answers at its address that no fingerprint claims',
    assets: [record('A', { addresses: ['10.0.0.7'], class: 'console-server' })],
    sweep: { unrecognised: [{ host: '10.0.0.7', endpoints: ['443/tcp=https'] }] },
    expected: ['not-checked info - = A'],
    says: /answers at 10\.0\.0\.7 \(443\/tcp=https\) that no fingerprint recognises/,
  },
  {
    name: 'something with another network card answers at its address, and no fingerprint claims it',
    assets: [record('A', { addresses: ['10.0.0.7'], macs: [MAC] })],
    sweep: { unrecognised: [{ host: '10.0.0.7', mac: OTHER_MAC, endpoints: ['443/tcp=https'] }] },
    expected: ['not-checked info - = A'],
    says: /answers at 10\.0\.0\.7 \(443\/tcp=https and MAC address 00:00:5E:00:53:11\).*; its network card is another than the record's \(00:00:5E:00:53:10\)\. Look/,
  },
  {
    name: 'its network card answers, and no fingerprint claims it',
    assets: [record('A', { macs: [MAC] })],
    sweep: { unrecognised: [{ host: '10.0.0.7', mac: MAC, endpoints: ['443/tcp=https'] }] },
    expected: ['not-checked info - = A'],
    says: /^Its MAC address 00:00:5E:00:53:10 answers at 10\.0\.0\.7 \(443\/tcp=https\), and no fingerprint names what it is: it is there, but/,
  },
  {
    name: 'its network card answers elsewhere, without a service, to a sweep that was cut off',
    assets: [record('A', { macs: [MAC], addresses: ['10.0.0.1'] })],
    sweep: { complete: false, unrecognised: [{ host: '10.0.0.7', mac: MAC, endpoints: [] }] },
    expected: ['not-checked info - = A'],
    says: /answers at 10\.0\.0\.7 \(record: 10\.0\.0\.1\), and no fingerprint names/,
  },
  {
    name: 'its network card answers after its approval ended',
    assets: [record('A', { macs: [MAC], class: 'bmc', validUntil: '2026-01-01T23:59:59.999Z' })],
    sweep: { unrecognised: [{ host: '10.0.0.7', mac: MAC, endpoints: [] }] },
    expected: ['expired high - = A'],
    says: /names what it is; its approval ended on 2026-01-01\. Renew the approval, or take the device off/,
  },
  {
    name: 'its network card answers, and it is an exception',
    assets: [record('A', { macs: [MAC], ignored: { reason: 'lab' } })],
    sweep: { unrecognised: [{ host: '10.0.0.7', mac: MAC, endpoints: [] }] },
    expected: ['ignored info - = A'],
    says: /^Its MAC address .* the record is an exception: lab$/,
  },
  {
    name: 'missing',
    assets: [record('A', { addresses: ['10.0.0.1'], class: 'pdu' })],
    expected: ['approved-missing low - = A'],
    says: /^10\.0\.0\.1 was asked, and nothing was found there that is this device\. Find out where it is/,
  },
  { name: 'missing, of no known class', assets: [record('A', { addresses: ['10.0.0.1'] })], expected: ['approved-missing medium - = A'] },
  {
    name: 'missing by the name that was asked',
    assets: [record('A', { names: ['kvm1.example.com'] })],
    sweep: { names: { '10.0.0.1': 'KVM1.example.com' } },
    expected: ['approved-missing medium - = A'],
  },
  {
    name: 'missing at the one address that was asked',
    assets: [record('A', { addresses: ['10.0.0.1', '2001:db8::1'] })],
    expected: ['approved-missing medium - = A'],
    says: /\(2001:db8::1 not asked\)/,
  },
  {
    name: 'not asked',
    assets: [record('A', { addresses: ['10.1.0.1'] })],
    expected: ['not-checked info - = A'],
    says: /^10\.1\.0\.1 was not among the addresses of the sweep\.$/,
  },
  {
    name: 'asked by a sweep that was cut off',
    assets: [record('A', { addresses: ['10.0.0.1'] })],
    sweep: { complete: false },
    expected: ['not-checked info - = A'],
    says: /^The sweep is not complete/,
  },
  {
    name: 'without an address',
    assets: [record('A', { serials: ['A1'] })],
    expected: ['not-checked info - = A'],
    says: /^The record has no address/,
  },
  {
    name: 'expired and gone',
    assets: [record('A', { addresses: ['10.0.0.1'], validUntil: '2026-01-01T23:59:59.999Z' })],
    expected: ['not-checked info - = A'],
    says: /need not be: its approval ended on 2026-01-01\. Remove the record/,
  },
  {
    name: 'outside its window, and not there',
    assets: [record('A', { addresses: ['10.0.0.1'], ...windowsOf('Sat 10:00-11:00 UTC') })],
    expected: ['not-checked info - = A'],
  },
  {
    name: 'an exception that is not there',
    assets: [record('A', { addresses: ['10.0.0.1'], ignored: { reason: 'lab toy' } })],
    expected: ['ignored info - = A'],
    says: /^It was not seen; the record is an exception: lab toy$/,
  },
  {
    name: 'another device at its address that has nothing else of it',
    devices: [device('10.0.0.1', { ids: { serial: 'B1' } })],
    assets: [
      record('A', { addresses: ['10.0.0.1'], serials: ['A1'], class: 'ip-kvm' }),
      record('B', { serials: ['B1'], addresses: ['10.0.0.1'] }),
    ],
    expected: ['approved-missing high - = A', 'approved-present info kvm-10.0.0.1 = B'],
    says: /What answers there is PiKVM at 10\.0\.0\.1\./,
  },
])('not seen: $name', check);

test('an inventory of no sweep asked nothing', () => {
  const { asked: _, ...unasked } = inventory([]);
  expect(told(reconcile(unasked, list([record('A', { addresses: ['10.0.0.1'] })]), { now: NOW }))).toEqual(['not-checked info - = A']);
});

test('a MAC that very many devices show is a router’s and says nothing', () => {
  const behind = Array.from({ length: 6 }, (_, i) => device(`10.0.0.${i + 1}`, { ids: { mac: OTHER_MAC } }));
  expect(told(findings(behind, [record('A', { addresses: ['10.0.0.1'], macs: [MAC] })])).at(-1)).toBe(
    'approved-present info kvm-10.0.0.1 = A',
  );
});

test('a finding holds what matched, what conflicts and the record', () => {
  const [finding] = findings(
    [device('10.0.0.9', { version: '2', ids: { serial: 'A 1', mac: MAC }, hostname: 'kvm1' })],
    [
      record('A', {
        id: 'T-1',
        owner: 'NetOps',
        serials: ['A1'],
        macs: [MAC],
        names: ['kvm1'],
        addresses: ['10.0.0.1'],
        version: '1',
        source: { file: 'approved.csv', line: 7 },
      }),
    ],
  );
  expect(finding).toEqual({
    state: 'moved',
    severity: 'high',
    deviceKey: 'kvm-10.0.0.9',
    class: 'ip-kvm',
    name: 'PiKVM',
    addresses: ['10.0.0.9'],
    asset: { id: 'T-1', name: 'A', owner: 'NetOps', source: { file: 'approved.csv', line: 7 } },
    matched: [
      { kind: 'serial', value: 'A1' },
      { kind: 'mac', value: MAC },
      { kind: 'fqdn', value: 'kvm1' },
    ],
    conflicts: [
      { what: 'address', approved: '10.0.0.1', seen: '10.0.0.9' },
      { what: 'version', approved: '1', seen: '2' },
    ],
    explanation:
      'It is A (approved.csv:7) by its serial number, MAC address and name, but it is at 10.0.0.9 (record: 10.0.0.1) and the version is 2 (record: 1). Find out who moved it, or correct the record.',
  });
});

test('device text in an explanation is cleaned and cut', () => {
  const [finding] = findings(
    [device('10.0.0.1', { version: `\u001b[31m${'9'.repeat(500)}`, generation: '\u202e7', ids: { mac: MAC } })],
    [record('A\u0007', { macs: [MAC], version: '1' })],
  );
  const text = JSON.stringify([finding?.name, finding?.explanation, finding?.conflicts]);
  expect(text).not.toMatch(/\\u001b|\\u0007|\u202e/);
  expect(text.length).toBeLessThan(600);
});

test('the most pressing state comes first, then severity, then the address', () => {
  const all = findings(
    [
      device('10.0.0.10'),
      device('10.0.0.9'),
      device('10.0.0.2', { class: 'pdu' }),
      device('10.0.0.3', { posture: ['not-set-up'] }),
      device('10.0.0.4'),
      device('10.0.0.5'),
    ],
    [
      record('A', { addresses: ['10.0.0.4'], vendor: 'Dell' }),
      record('B', { addresses: ['10.0.0.5'] }),
      record('C', { addresses: ['10.0.0.99'] }),
      record('D', { addresses: ['10.9.9.9'] }),
    ],
  );
  expect(told(all)).toEqual([
    'impostor critical kvm-10.0.0.4 = A',
    'unapproved critical kvm-10.0.0.3 = -',
    'unapproved high kvm-10.0.0.9 = -',
    'unapproved high kvm-10.0.0.10 = -',
    'unapproved low kvm-10.0.0.2 = -',
    'approved-missing medium - = A',
    'approved-missing medium - = C',
    'not-checked info - = D',
    'approved-present info kvm-10.0.0.5 = B',
  ]);
});

test('expiring is counted in days that can be chosen', () => {
  const approved = list([record('A', { addresses: ['10.0.0.1'], validUntil: '2026-12-10T23:59:59.999Z' })]);
  const states = (expiringWithinDays: number): string[] =>
    reconcile(inventory([device('10.0.0.1')]), approved, { now: NOW, expiringWithinDays }).map(({ state }) => state);
  expect(states(0)).toEqual(['approved-present']);
  expect(states(18)).toEqual(['approved-present']);
  expect(states(19)).toEqual(['expiring']);
});

const ids = fc.record(
  {
    serial: fc.constantFrom('A1', 'A2'),
    mac: fc.constantFrom(MAC, OTHER_MAC),
    guid: fc.constantFrom(UUID, SMBIOS, '2'.repeat(31) + '3'),
  },
  { requiredKeys: [] },
);
const someDevice = fc
  .tuple(
    fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '2001:db8::1', '10.9.0.1'),
    ids,
    fc.constantFrom<Partial<Device>>({}, IDRAC, { class: 'vnc-software' }, { level: 'possible' }, { hostname: 'pikvm' }, { version: '2' }),
  )
  .map(([address, own, rest]) => ({ address, own, rest }));
const someDevices = fc
  .array(someDevice, { maxLength: 6 })
  .map((all) => all.map(({ address, own, rest }, i) => device(address, { ...rest, ids: own, deviceKey: `kvm-${i}` })));
const someAsset = fc.record(
  {
    serials: fc.constantFrom(['A1'], ['A2']),
    macs: fc.constantFrom([MAC], [MAC, OTHER_MAC]),
    uuids: fc.constantFrom([UUID], ['2'.repeat(31) + '3']),
    names: fc.constantFrom(['pikvm'], ['kvm1.example.com']),
    addresses: fc.constantFrom(['10.0.0.1'], ['10.0.0.2', '2001:db8::1'], ['10.9.0.1']),
    vendor: fc.constantFrom('Dell', 'PiKVM'),
    version: fc.constant('1'),
    validUntil: fc.constantFrom('2026-01-01T23:59:59.999Z', '2026-12-01T23:59:59.999Z'),
    ignored: fc.constant({ reason: 'x' }),
  },
  { requiredKeys: [] },
);
const someAssets = fc
  .array(someAsset, { maxLength: 6 })
  .map((all) => all.map((rest, i) => asset({ name: `R${i}`, ...rest, source: { file: 'a.csv', line: i + 2 } })));

test('every device and record is accounted for, and no order changes anything', () =>
  fc.assert(
    fc.property(someDevices, someAssets, fc.infiniteStream(fc.nat()), (devices, assets, noise) => {
      const all = findings(devices, assets);
      const keys = all.flatMap(({ deviceKey }) => deviceKey ?? []);
      expect(new Set(keys).size).toBe(keys.length);
      for (const one of devices) if (one.class !== 'vnc-software') expect(keys).toContain(one.deviceKey);
      for (const one of assets) expect(all.some(({ asset: approved }) => approved?.source.line === one.source.line)).toBe(true);
      const shuffle = <T>(items: readonly T[]): T[] =>
        items
          .map((one) => ({ one, at: noise.next().value ?? 0 }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ one }) => one);
      expect(findings(shuffle(devices), shuffle(assets))).toEqual(all);
    }),
    { numRuns: 500 },
  ));

test('20,000 devices and as many records are reconciled in seconds', () => {
  const addresses = Array.from({ length: 20_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  const devices = addresses.map((address, i) => device(address, { hostname: 'pikvm', ids: { serial: `S${i}` } }));
  const assets = addresses.map((address, i) => asset({ addresses: [address], serials: [`S${i}`], source: { file: 'a.csv', line: i } }));
  const from = performance.now();
  expect(findings(devices, [...assets, asset({ names: ['pikvm'] })])).toHaveLength(20_001);
  expect(performance.now() - from).toBeLessThan(10_000);
});

function on(computer: string, rest: Parameters<typeof attached>[1] = {}): Device {
  return { deviceKey: `kvm-${computer}`, ...attached(computer, rest) };
}

test.for<Case>([
  {
    name: 'nobody approved it',
    devices: [on('ws-1')],
    expected: ['unapproved high kvm-ws-1 = -'],
    says: /^No record of the approved list names it\. It is attached to ws-1\. Approve it, or unplug it\.$/,
  },
  {
    name: 'nobody approved it, and it is not there any more',
    devices: [on('ws-1', { present: false })],
    expected: ['unapproved high kvm-ws-1 = -'],
    says: /It was attached to ws-1, and is not any more\. Approve it, or find out where it is now\.$/,
  },
  {
    name: 'nobody approved it, and it answers on the network too',
    devices: [{ ...on('ws-1'), addresses: ['10.0.0.1'] }],
    expected: ['unapproved high kvm-ws-1 = -'],
    says: /It is attached to ws-1\. Approve it, or take it off the network and unplug it\.$/,
  },
  {
    name: 'approved by its serial number; that it shows no address is no move',
    devices: [on('ws-1', { ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'], addresses: ['10.0.0.1'] })],
    expected: ['approved-present info kvm-ws-1 = A'],
    says: /^It is A \(approved\.csv:\d+\) by its serial number\. It is attached to ws-1\.$/,
  },
  {
    name: 'the record of its computer is not its own',
    devices: [on('ws-1')],
    assets: [record('A', { names: ['ws-1'] })],
    expected: ['unapproved high kvm-ws-1 = -', 'not-checked info - = A'],
  },
  {
    name: 'the record of the address that its computer is known by is not its own',
    devices: [on('10.0.0.1')],
    assets: [record('A', { addresses: ['10.0.0.1'] })],
    expected: ['unapproved high kvm-10.0.0.1 = -', 'approved-missing medium - = A'],
  },
  {
    name: 'two that claim one record',
    devices: [on('ws-1', { ids: { serial: 'A1' } }), on('ws-2', { ids: { serial: 'A1' } })],
    assets: [record('A', { serials: ['A1'] })],
    expected: ['duplicate high kvm-ws-1 = A', 'duplicate high kvm-ws-2 = A'],
    says: /and so is PiKVM on ws-2\./,
  },
])('attached to a computer: $name', check);

test('a finding tells since when the device is known, where it belongs, and what of an unnamed device agrees', () => {
  const [known] = findings(
    [device('10.0.0.1', { ids: { mac: MAC }, firstSeen: '2026-11-01T00:00:00.000Z' })],
    [record('A', { macs: [MAC], owner: 'Lab', site: 'Rack 7' })],
  );
  expect(known).toMatchObject({ firstSeen: '2026-11-01T00:00:00.000Z', asset: { name: 'A', owner: 'Lab', site: 'Rack 7' } });
  const [unnamed] = findings([], [record('B', { macs: [MAC], addresses: ['10.0.0.1'] })], {
    unrecognised: [{ host: '10.0.0.7', mac: MAC, endpoints: [] }],
  });
  expect(unnamed).toMatchObject({
    matched: [{ kind: 'mac', value: MAC }],
    conflicts: [{ what: 'address', approved: '10.0.0.1', seen: '10.0.0.7' }],
  });
});

test.for([
  { name: 'an IP-KVM', seen: device('10.0.0.5'), states: ['impostor', 'not-checked'] },
  {
    name: 'a console server',
    seen: device('10.0.0.5', { class: 'console-server', vendor: 'Opengear', product: 'OM2200' }),
    states: ['impostor', 'not-checked'],
  },
  // It shares the network card of its computer.
  { name: 'AMT', seen: device('10.0.0.5', { class: 'amt', vendor: 'Intel', product: 'AMT' }), states: ['approved-present'] },
  {
    name: 'a VNC server',
    seen: device('10.0.0.5', { class: 'vnc-software', vendor: 'RealVNC', product: 'VNC Server' }),
    states: ['approved-present'],
  },
])('at the address of an ordinary computer: $name', ({ seen, states }) => {
  const found = findings([seen], [asset({ name: 'pc-1', addresses: ['10.0.0.5'], computer: true })]);
  expect(found.map(({ state }) => state)).toEqual(states);
});
