import { expect, test } from 'vitest';
import type { Device } from '../../../src/devices/device.ts';
import type { Inventory } from '../../../src/inventory/schema.ts';
import { asset, device, IDRAC, type Sweep } from '../../reconcile/build.ts';
import { against, bundle, fileText, operations, rowsOf, sweep } from './build.ts';

const MAC = '00:00:5E:00:53:10';
const KEY = 'ab'.repeat(32);
const evidence = (port: number, rule: string): Device['evidence'][number] => ({
  fingerprint: 'dell-idrac',
  rule,
  fact: 'http.title',
  text: 'x',
  certainty: 90,
  endpoint: `10.0.0.5:${port}`,
});
const endpoint = (port: number, probe: string, transport: 'tcp' | 'udp' = 'tcp', host = '10.0.0.5'): Device['endpoints'][number] => ({
  host,
  port,
  transport,
  probe,
});

const PORTS = ['443/tcp=https', '5900/tcp=rfb', '623/udp=ipmi'];
/** A management controller with everything that a watchlist tells of one. */
const FULL = device('10.0.0.5', {
  ...IDRAC,
  deviceKey: 'kvm-full',
  model: 'PowerEdge R740',
  version: '7.10',
  serial: 'ABC1234',
  hostname: 'idrac-ABC1234',
  ids: { serial: 'ABC1234', mac: MAC, spki: KEY },
  endpoints: [endpoint(443, 'https'), endpoint(623, 'ipmi', 'udp'), endpoint(5900, 'rfb')],
  posture: ['vnc-no-authentication', 'default-certificate'],
  evidence: [evidence(443, 'title'), evidence(623, 'oem')],
  firstSeen: '2026-11-01T12:30:00.000Z',
});
const APPROVED = against(
  asset({ id: 'BMC-1', serials: ['ABC1234'], owner: 'Platform', site: 'DC1', validUntil: '2027-03-31T23:59:59.000Z' }),
);

/** The same device, of which a sweep saw less. */
function less(rest: Partial<Device>, without: readonly (keyof Device)[] = []): Device {
  const { ...seen } = { ...FULL, ...rest };
  for (const field of without) delete (seen as Record<string, unknown>)[field];
  return seen;
}
const withoutIdentifiers = (...kinds: readonly string[]): Device['identifiers'] =>
  FULL.identifiers.filter(({ kind }) => !kinds.includes(kind));

test.for<{ readonly name: string; readonly seen: Device }>([
  { name: 'it is as it was', seen: FULL },
  {
    name: 'its certificate could not be read',
    seen: less({ identifiers: withoutIdentifiers('spki'), posture: ['vnc-no-authentication'], evidence: [evidence(623, 'oem')] }),
  },
  {
    name: 'one port did not answer, and what was risky there is not seen',
    seen: less({ endpoints: [endpoint(443, 'https'), endpoint(623, 'ipmi', 'udp')], posture: ['default-certificate'] }),
  },
  {
    name: 'its page did not answer, so it has neither serial number nor name, and the record does not match',
    seen: less({ identifiers: withoutIdentifiers('serial', 'spki'), endpoints: [endpoint(623, 'ipmi', 'udp')] }, [
      'serial',
      'hostname',
      'model',
      'version',
      'generation',
    ]),
  },
  {
    name: 'another channel gives it another name',
    seen: less({ hostname: 'ABC1234', identifiers: withoutIdentifiers('spki'), evidence: [evidence(623, 'oem')] }),
  },
  {
    name: 'it is known as a BMC only',
    seen: less({ identifiers: withoutIdentifiers('serial', 'mac', 'spki'), endpoints: [endpoint(623, 'ipmi', 'udp')], evidence: [] }, [
      'vendor',
      'product',
      'generation',
      'model',
      'serial',
      'hostname',
    ]),
  },
  {
    name: 'it is known as a BMC only, under a new key',
    seen: less(
      {
        deviceKey: 'kvm-other',
        identifiers: withoutIdentifiers('serial', 'mac', 'spki'),
        endpoints: [endpoint(623, 'ipmi', 'udp')],
        evidence: [],
      },
      ['vendor', 'product', 'generation', 'model', 'serial', 'hostname'],
    ),
  },
  { name: 'the day on which it was first seen is lost', seen: less({ firstSeen: '2026-11-25T12:30:00.000Z' }) },
])('a sweep that misses something changes nothing: $name', ({ seen }) => {
  const first = bundle(sweep(24, [FULL], { ports: PORTS }), undefined, { against: APPROVED });
  expect(rowsOf(first)).toMatchObject([{ State: 'approved-present', ApprovalId: 'BMC-1', Site: 'DC1' }]);
  const second = bundle(sweep(25, [seen], { ports: PORTS }), first.state, { against: APPROVED });
  expect(operations(second)).toEqual([]);
  // And nothing when it is whole again.
  expect(operations(bundle(sweep(26, [FULL], { ports: PORTS }), second.state, { against: APPROVED }))).toEqual([]);
});

const open = (result: ReturnType<typeof bundle>): unknown =>
  rowsOf(result).map((row) => [row['OpenPorts'], row['Hostname'], row['Severity']]);

test('what the second complete sweep in a row does not see is gone: ports, risks, names that another channel gives', () => {
  const seen = less({
    hostname: 'ABC1234',
    endpoints: [endpoint(443, 'https'), endpoint(623, 'ipmi', 'udp')],
    posture: [],
  });
  const approved = against(asset({ macs: ['00:00:5E:00:53:99'] }));
  const first = bundle(sweep(23, [FULL], { ports: PORTS }), undefined, { against: approved });
  expect(open(first)).toEqual([['443/tcp;623/udp;5900/tcp', 'idrac-ABC1234', 'critical']]);
  const second = bundle(sweep(24, [seen], { ports: PORTS }), first.state, { against: approved });
  expect(operations(second)).toEqual([]);
  // The same inventory again is no other sweep.
  const again = bundle(sweep(24, [seen], { ports: PORTS }), second.state, { against: approved });
  expect(operations(again)).toEqual([]);
  const third = bundle(sweep(25, [seen], { ports: PORTS }), again.state, { against: approved });
  expect(open(third)).toEqual([['443/tcp;623/udp', 'ABC1234', 'high']]);
  expect(operations(third)).toEqual(['write 10.0.0.5 kvm-full']);
});

test('what was not asked is not missed, however often', () => {
  let { state } = bundle(sweep(20, [FULL], { ports: PORTS }));
  for (const day of [21, 22, 23]) {
    const seen = less({ endpoints: [endpoint(443, 'https')], evidence: [evidence(443, 'title')] });
    const result = bundle(sweep(day, [seen], { ports: ['443/tcp=https'] }), state);
    expect(operations(result)).toEqual([]);
    ({ state } = result);
  }
});

interface Case {
  readonly name: string;
  readonly before: readonly Device[];
  readonly after: readonly Device[];
  readonly sweep?: Sweep;
  readonly expected: readonly string[];
  readonly inventory?: (of: Inventory) => Inventory;
}

const A = device('10.0.0.1', { deviceKey: 'kvm-a', ids: { mac: '00:00:5E:00:53:01' } });
const B = device('10.0.0.2', { deviceKey: 'kvm-b', ids: { mac: '00:00:5E:00:53:02' } });
const TWO = device('10.0.0.3', { deviceKey: 'kvm-two', addresses: ['10.0.0.3', '10.0.0.4'], ids: { serial: 'TWO' } });

test.for<Case>([
  { name: 'a new device is one row', before: [A], after: [A, B], expected: ['write 10.0.0.2 kvm-b'] },
  {
    name: 'two addresses are two rows with one key',
    before: [],
    after: [TWO],
    expected: ['write 10.0.0.3 kvm-two', 'write 10.0.0.4 kvm-two'],
  },
  { name: 'a device with another version has no changed row', before: [A], after: [{ ...A, version: '2' }], expected: [] },
  { name: 'times are in no row', before: [A], after: [{ ...A, lastSeen: '2026-11-25T12:30:00.000Z' }], expected: [] },
  {
    name: 'a device with another name is one changed row',
    before: [A, B],
    after: [{ ...A, hostname: 'new' }, B],
    expected: ['write 10.0.0.1 kvm-a'],
  },
  { name: 'a device that is missed once is kept', before: [A, B], after: [A], expected: [] },
  {
    name: 'a device that moved is deleted where it was',
    before: [A],
    after: [{ ...A, addresses: ['10.0.0.9'] }],
    expected: ['write 10.0.0.9 kvm-a', 'delete 10.0.0.1 kvm-a'],
  },
  {
    name: 'a device that moved away from what was not asked is kept there too',
    before: [device('10.1.0.1', { deviceKey: 'kvm-a', ids: { mac: '00:00:5E:00:53:01' } })],
    after: [A],
    expected: ['write 10.0.0.1 kvm-a'],
  },
  {
    name: 'another device at the address takes its row',
    before: [A],
    after: [device('10.0.0.1', { ...IDRAC, deviceKey: 'kvm-c', ids: { mac: '00:00:5E:00:53:03' } })],
    expected: ['write 10.0.0.1 kvm-c', 'delete 10.0.0.1 kvm-a'],
  },
  { name: 'one address of two that is missed once is kept', before: [TWO], after: [{ ...TWO, addresses: ['10.0.0.3'] }], expected: [] },
  {
    name: 'one address of two that is missed while a third is new is kept',
    before: [TWO],
    after: [{ ...TWO, addresses: ['10.0.0.3', '10.0.0.7'] }],
    expected: ['write 10.0.0.7 kvm-two'],
  },
  {
    name: 'a device that a failed read splits in two stays one',
    before: [TWO],
    after: [
      device('10.0.0.3', { deviceKey: 'kvm-two', ids: { serial: 'TWO' } }),
      device('10.0.0.4', { deviceKey: 'kvm-half', endpoints: [] }),
    ],
    expected: [],
  },
  {
    name: 'two devices at one address are the row of the more pressing one',
    before: [],
    after: [device('10.0.0.1', { deviceKey: 'kvm-z', class: 'pdu' }), A],
    expected: ['write 10.0.0.1 kvm-a'],
  },
  { name: 'software is no row', before: [], after: [device('10.0.0.1', { class: 'vnc-software' })], expected: [] },
  { name: 'a device without an address is no row', before: [], after: [{ ...A, addresses: [] }], expected: [] },
  { name: 'the name of a computer is no address', before: [], after: [{ ...A, addresses: ['ws-0042.corp.example'] }], expected: [] },
  {
    name: 'a link is no part of an address',
    before: [],
    after: [{ ...A, addresses: ['fe80::1%eth0'] }],
    expected: ['write fe80::1 kvm-a'],
  },
])('$name', ({ before, after, sweep: of, expected }) => {
  const first = before.length === 0 ? undefined : bundle(sweep(24, before)).state;
  expect(operations(bundle(sweep(25, after, of), first))).toEqual(expected);
});

test('a device is deleted when a second complete sweep in a row asked for it and did not see it', () => {
  const first = bundle(sweep(20, [A, B]));
  const second = bundle(sweep(21, [A]), first.state);
  expect(operations(second)).toEqual([]);
  expect(second.notes.join('\n')).toMatch(/1 device not seen by this sweep and kept/);
  expect(operations(bundle(sweep(21, [A]), second.state)), 'the same sweep again').toEqual([]);
  expect(operations(bundle(sweep(22, [A, B]), second.state)), 'it is back').toEqual([]);
  const third = bundle(sweep(22, [A]), second.state);
  expect(operations(third)).toEqual(['delete 10.0.0.2 kvm-b']);
  expect(operations(bundle(sweep(23, [A]), third.state)), 'gone once').toEqual([]);
});

test.for<{ readonly name: string; readonly of: Sweep }>([
  { name: 'not complete', of: { complete: false } },
  { name: 'of other addresses', of: { ranges: ['10.9.0.0-10.9.0.255'] } },
  { name: 'of other ports', of: { ports: ['22/tcp=ssh'] } },
])('a sweep that is $name deletes nothing, however often', ({ of }) => {
  let { state } = bundle(sweep(20, [A, TWO]));
  for (const day of [21, 22, 23, 24]) {
    const result = bundle(sweep(day, [], of), state);
    expect(operations(result)).toEqual([]);
    expect(rowsOf(result)).toHaveLength(3);
    ({ state } = result);
  }
});

test('a sweep that is not complete deletes nothing although another device is at the address', () => {
  const other = device('10.0.0.1', { ...IDRAC, deviceKey: 'kvm-c', ids: { mac: '00:00:5E:00:53:03' } });
  expect(operations(bundle(sweep(25, [other], { complete: false }), bundle(sweep(24, [A])).state))).toEqual(['write 10.0.0.1 kvm-c']);
});

test('an inventory of no sweep deletes nothing', () => {
  const { run: _run, asked: _asked, ...observations } = sweep(25, []);
  expect(operations(bundle(observations, bundle(sweep(24, [A])).state))).toEqual([]);
});

test('an older inventory does not take away what was seen since', () => {
  const seen = { ...A, lastSeen: '2026-11-24T12:20:00.000Z' };
  let { state } = bundle(sweep(24, [seen]));
  for (const day of [20, 21]) {
    const result = bundle(sweep(day, []), state);
    expect(operations(result)).toEqual([]);
    ({ state } = result);
  }
});

test('a sweep without the approved list keeps what the last one with it said', () => {
  const first = bundle(sweep(24, [FULL], { ports: PORTS }), undefined, { against: APPROVED });
  const second = bundle(sweep(25, [FULL, A], { ports: PORTS }), first.state);
  expect(operations(second)).toEqual(['write 10.0.0.1 kvm-a']);
  expect(rowsOf(second).map((row) => row['State'])).toEqual(['', 'approved-present']);
  expect(second.notes.join('\n')).toMatch(/--approved/);
});

test('--full writes every row again, and nothing else differs', () => {
  const first = bundle(sweep(24, [A, B]));
  const full = bundle(sweep(25, [A, B]), first.state, { full: true });
  expect(operations(full)).toEqual(operations(first));
  expect(full.state.items).toEqual(first.state.items);
});

test('a device with another key in the inventory keeps that of the first bundle, in the table too', () => {
  const first = bundle(sweep(24, [A]));
  const second = bundle(sweep(25, [{ ...A, deviceKey: 'kvm-new' }]), first.state);
  expect(operations(second)).toEqual([]);
  expect(second.files.find(({ name }) => name.endsWith('.records.json'))?.text).toContain('"DeviceKey":"kvm-a"');
  expect(second.notes.join('\n')).toMatch(/1 device under another key/);
});

test('addresses that sweeps were sent from are kept for 90 days, without those that mean nothing elsewhere', () => {
  const first = bundle(sweep(1, [A]));
  expect(rowsOf(first, 'KvmScanners')).toEqual([{ SearchIp: '10.0.0.250', Hostname: '', Zone: '', Purpose: 'kvmsweep' }]);
  const from = (address: string, endedAt: string): Inventory => {
    const of = sweep(2, [A]);
    return { ...of, ...(of.run === undefined ? {} : { run: { ...of.run, endedAt, sourceAddresses: [address] } }) };
  };
  const second = bundle(from('10.0.0.251', '2026-11-20T00:00:00.000Z'), first.state);
  expect(operations(second, 'KvmScanners')).toEqual(['write 10.0.0.251 undefined']);
  const third = bundle(from('10.0.0.251', '2027-02-10T00:00:00.000Z'), second.state);
  expect(operations(third, 'KvmScanners')).toEqual(['delete 10.0.0.250 undefined']);
});

/** A sweep of a day of November that saw the device. */
function on(day: number, rest: Partial<Device> = {}): Inventory {
  return sweep(day, [{ ...FULL, lastSeen: `2026-11-${day}T12:10:00.000Z`, ...rest }], { ports: PORTS });
}

test('an older sweep that is exported after a newer one changes nothing of what that saw, and says so', () => {
  const monday = on(23);
  const first = bundle(monday, undefined, { against: APPROVED });
  const moved = on(24, {
    hostname: 'renamed',
    addresses: ['10.0.0.9'],
    identifiers: [...withoutIdentifiers('ip'), { kind: 'ip', value: '10.0.0.9', from: 'address' }],
    endpoints: [endpoint(443, 'https', 'tcp', '10.0.0.9')],
  });
  const second = bundle(moved, first.state, { against: APPROVED });
  expect(operations(second)).toEqual(['write 10.0.0.9 kvm-full', 'delete 10.0.0.5 kvm-full']);
  const again = bundle(monday, second.state, { against: APPROVED });
  expect(operations(again)).toEqual([]);
  expect(again.notes).toContain('1 device that a bundle before saw later: this sweep is older than it, and their rows stay as they are');
  expect(again.state.devices).toEqual(second.state.devices);
  // Its records are what was then.
  expect(JSON.parse(fileText(again, 'KvmSweepDevices.records.json'))).toMatchObject([{ Ip: '10.0.0.5', Hostname: 'idrac-ABC1234' }]);
  expect(operations(bundle(moved, again.state, { against: APPROVED }))).toEqual([]);
});
