import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Device, placesOf } from '../../src/devices/device.ts';
import { readInventory } from '../../src/inventory/file.ts';

const CLI = join(import.meta.dirname, '../../bin/kvmsweep.js');
const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-evidence-'));

function run(args: readonly string[], input: string | Buffer = ''): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: folder,
    input,
    encoding: 'utf8',
    timeout: 90_000,
    env: { ...process.env, KVMSWEEP_ONLY: '127.0.0.0/8' },
  });
  return { code: status, out: stdout, err: stderr };
}

function devicesOf(out: string): Device[] {
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Device);
}

const osquery = (host: string, ...rows: readonly object[]): string =>
  `${JSON.stringify({ name: 'usb', hostIdentifier: host, unixTime: 1_795_161_600, action: 'snapshot', snapshot: rows })}\n`;
const PIKVM = {
  usb_address: '1',
  usb_port: '4',
  vendor: 'PiKVM',
  vendor_id: '1d6b',
  model: 'PiKVM Composite Device',
  model_id: '0104',
  serial: 'CAFEBABE',
};
const JETKVM = {
  usb_address: '1',
  usb_port: '5',
  vendor: 'JetKVM',
  vendor_id: '1d6b',
  model: 'USB Emulation Device',
  model_id: '0104',
  serial: '',
};
const MOUSE = {
  usb_address: '1',
  usb_port: '6',
  vendor: 'Logitech',
  vendor_id: '046d',
  model: 'USB Optical Mouse',
  model_id: 'c077',
  serial: '',
};
const PICO = {
  usb_address: '1',
  usb_port: '4',
  vendor: 'KVM',
  vendor_id: '1d6b',
  model: 'USB Emulation Device',
  model_id: '0104',
  serial: '1a2b3c4d5e6f7081',
};

test('exports of many computers become devices and an inventory, each with its evidence', () => {
  writeFileSync(join(folder, 'fleet.log'), osquery('ws-1', PIKVM, MOUSE) + osquery('ws-2', PIKVM) + osquery('ws-3', MOUSE));
  const { code, out, err } = run([
    'evidence',
    'fleet.log',
    '--format',
    'ndjson',
    '-o',
    'attached.json',
    '--observations',
    'attached.ndjson',
  ]);
  expect(code, err).toBe(0);
  expect(err).toBe('4 USB devices and displays of 3 computers, 2 devices found\n');
  const devices = devicesOf(out);
  // One serial number on all of them ties nothing.
  expect(devices).toMatchObject([
    {
      product: 'PiKVM',
      level: 'certain',
      addresses: [],
      attachedTo: [{ computer: 'ws-1', present: true, at: '2026-11-20T08:00:00.000Z' }],
      identifiers: [],
      lastSeen: '2026-11-20T08:00:00.000Z',
    },
    { product: 'PiKVM', level: 'certain', addresses: [], attachedTo: [{ computer: 'ws-2', present: true }], identifiers: [] },
  ]);
  expect(devices[0]?.evidence[0]).toMatchObject({ rule: 'USB manufacturer', text: 'PiKVM', endpoint: 'ws-1 usb 1-4 1d6b:0104' });
  expect(readInventory(join(folder, 'attached.json')).devices).toEqual(devices);
  const again = run(['identify', 'attached.ndjson', '--format', 'ndjson']);
  expect(again.out).toBe(out);
});

test('two KVMs at one computer are two', () => {
  const { out } = run(['evidence', '-', '--format', 'ndjson'], osquery('ws-1', PIKVM, JETKVM));
  const devices = devicesOf(out);
  expect(devices.map(({ product, certainty }) => [product, certainty])).toEqual([
    ['JetKVM', 95],
    ['PiKVM', 94],
  ]);
  expect(new Set(devices.map(({ deviceKey }) => deviceKey)).size).toBe(2);
});

test('a device of the sweep and one at a computer are one where its serial number says so, and nothing else is', () => {
  const swept = [
    {
      host: '192.0.2.10',
      transport: 'tcp',
      port: 80,
      probe: 'http',
      facts: { 'http.title': 'PiKVM Login', 'http.body': 'KVMD - The main' },
    },
    {
      host: '192.0.2.20',
      transport: 'tcp',
      port: 80,
      probe: 'http',
      facts: {
        'http.title': 'KVM',
        'http.body': '<title>KVM</title><link rel="icon" href="/static/logo-luckfox.png"><div id="root">',
        'http.pages': { '/device': { status: 200, body: '{"authMode":"noPassword","deviceId":"1A2B3C4D5E6F7081"}' } },
      },
    },
  ];
  const sweep = run(['identify', '-', '-o', 'sweep.json', '--format', 'ndjson'], swept.map((one) => JSON.stringify(one)).join('\n'));
  expect(sweep.code, sweep.err).toBe(0);
  const { code, err, out } = run(
    ['evidence', '-', '--inventory', 'sweep.json', '-o', 'both.json', '--format', 'ndjson'],
    osquery('ws-1', PICO) + osquery('ws-2', PIKVM),
  );
  expect(code, err).toBe(0);
  const placed = (text: string): string[][] => devicesOf(text).map((device) => [device.product ?? '', ...placesOf(device)]);
  expect(placed(out)).toEqual([
    ['PiKVM', '192.0.2.10'],
    ['PicoKVM', '192.0.2.20', 'on ws-1'],
    ['PiKVM', 'on ws-2'],
  ]);
  const keys = devicesOf(sweep.out).map(({ deviceKey }) => deviceKey);
  expect(
    devicesOf(out)
      .map(({ deviceKey }) => deviceKey)
      .slice(0, 2),
  ).toEqual(keys);
  // Another day's lists of the same computers: no device is there twice, and each keeps its key.
  const later = run(
    ['evidence', '-', '--inventory', 'both.json', '-o', 'later.json', '--format', 'ndjson'],
    osquery('ws-1', PICO) + `${JSON.stringify({ hostIdentifier: 'ws-2', unixTime: 1_795_165_200, action: 'removed', columns: PIKVM })}\n`,
  );
  expect(placed(later.out)).toEqual([
    ['PiKVM', '192.0.2.10'],
    ['PicoKVM', '192.0.2.20', 'on ws-1'],
    ['PiKVM', 'was on ws-2'],
  ]);
  expect(devicesOf(later.out).map(({ deviceKey }) => deviceKey)).toEqual(devicesOf(out).map(({ deviceKey }) => deviceKey));
  const diff = run(['diff', 'both.json', 'later.json']);
  expect(diff.code).toBe(1);
  expect(diff.out).toMatch(/^changed +PiKVM +was on ws-2 +no longer attached to ws-2$/m);
  expect(run(['diff', 'later.json', 'later.json']).out).toBe('nothing changed\n');
});

test('what is not attached any more is kept, and says so everywhere', () => {
  const rows = [
    { InstanceId: 'USB\\VID_1D6B&PID_0104\\CAFEBABE', FriendlyName: 'PiKVM Composite Device', Present: false, SystemName: 'WS-0042' },
    { InstanceId: 'USB\\VID_046D&PID_C077\\6&1&0&2', FriendlyName: 'USB Optical Mouse', Present: true, SystemName: 'WS-0042' },
  ];
  const { out, err } = run(['evidence', '-', '-o', 'was.json', '--observations', 'was.ndjson'], JSON.stringify(rows));
  expect(out).toMatch(/^was on ws-0042 +ip-kvm +PiKVM/m);
  expect(err).toContain('(1 attached before, not now)');
  const [device] = readInventory(join(folder, 'was.json')).devices;
  expect(device).toMatchObject({ addresses: [], attachedTo: [{ computer: 'ws-0042', present: false }] });
  const explained = run(['explain', 'was.json', 'WS-0042']);
  expect(explained.out).toMatch(/^PiKVM was on ws-0042: \w+, \d+ of 100$/m);
  expect(explained.out).toMatch(/^ {2}was on +ws-0042$/m);
  expect(explained.out).toContain('attached before, not when this was exported');
  expect(explained.out).not.toContain('046d');
  expect(run(['explain', 'was.json', 'ws-9']).code).toBe(2);
  writeFileSync(join(folder, 'none.csv'), 'serial\nX1\n');
  const findings = run(['reconcile', 'was.json', '--approved', 'none.csv']).out;
  expect(findings).toMatch(/unapproved +high +was on ws-0042 +PiKVM/);
  expect(findings).toContain('It was attached to ws-0042, and is not any more. Approve it, or find out where it is now.');
});

test('what is attached to a computer that is named by its address does not answer there', () => {
  const said = { host: '192.0.2.5', transport: 'tcp', port: 5900, probe: 'rfb', facts: { 'rfb.version': '003.008', 'rfb.security': [2] } };
  const sweep = run(['identify', '-', '-o', 'desk.json', '--all', '--format', 'ndjson'], JSON.stringify(said));
  expect(devicesOf(sweep.out)).toMatchObject([{ class: 'vnc-software', addresses: ['192.0.2.5'] }]);
  const { out } = run(['evidence', '-', '--inventory', 'desk.json', '--format', 'ndjson', '-o', 'desks.json'], osquery('192.0.2.5', PIKVM));
  expect(devicesOf(out).map((device) => [device.class, ...placesOf(device)])).toEqual([
    ['ip-kvm', 'on 192.0.2.5'],
    ['vnc-software', '192.0.2.5'],
  ]);
  expect(devicesOf(out)[0]?.identifiers).toEqual([]);
  writeFileSync(join(folder, 'desks.csv'), 'ip,owner\n192.0.2.5,desk\n');
  const findings = run(['reconcile', 'desks.json', '--approved', 'desks.csv', '--format', 'ndjson']).out;
  expect(findings).toMatch(/"unapproved".*It is attached to 192\.0\.2\.5\. Approve it, or unplug it\./);
});

test('an approved computer does not approve what is plugged into it', () => {
  writeFileSync(join(folder, 'approved.csv'), 'hostname,owner\nws-1,desk\n');
  run(['evidence', '-', '-o', 'one.json'], osquery('ws-1', PIKVM));
  const { out } = run(['reconcile', 'one.json', '--approved', 'approved.csv', '--format', 'ndjson']);
  expect(out).toContain('"unapproved"');
  expect(out).not.toContain('"approved-present"');
});

test.each<[string, string[], string, RegExp]>([
  [
    'lsusb without a computer',
    ['-'],
    'Bus 001 Device 004: ID 1d6b:0104 x\n',
    /^standard input does not say of which computer it is: name it with --host NAME\n$/,
  ],
  ['a host that is none', ['-', '--host', 'a b'], 'x', /^--host a b: give the name of a computer\n$/],
  ['damaged files, all at once', ['/no/such', '-'], '{"a":', /cannot read \/no\/such.*\nstandard input:1.* it is damaged JSON/],
  ['nothing attached', ['-', '--host', 'a'], 'InstanceId,SystemName\nPCI\\VEN_8086&DEV_0001\\1,ws\n', /holds no USB device or display\n$/],
])('%s: exit code 2, and what to do', (_, args, input, message) => {
  const { code, err, out } = run(['evidence', ...args], input);
  expect(err).toMatch(message);
  expect([code, out]).toEqual([2, '']);
});

test('hostile texts reach no terminal as they are', () => {
  const { out, err } = run(['evidence', '-'], osquery('ws-1', { ...PIKVM, model: '\u001b[2J\u202e' }));
  expect(/[\p{Cc}\u202e]/u.test((out + err).replaceAll('\n', ''))).toBe(false);
  expect(readFileSync(join(folder, 'attached.ndjson'), 'utf8')).not.toBe('');
});

const DEFINITION = `id: acme-rackview
title: Acme RackView (usb only)
vendor: Acme
product: RackView
class: ip-kvm
sources: ['Acme RackView admin guide']
rules:
  - { fact: usb.manufacturer, equals: Acme, certainty: 95 }
examples:
  - { name: plugged in, source: Acme RackView admin guide, facts: { usb.manufacturer: Acme }, expect: { level: certain } }
near_misses:
  - { name: another, facts: { usb.manufacturer: Acme Mice } }
`;

test('which fingerprints are those of the operator stands in the inventory and in a note', () => {
  const own = join(folder, 'own');
  mkdirSync(own);
  writeFileSync(join(own, 'rackview.yaml'), DEFINITION);
  writeFileSync(join(own, 'jetkvm.yaml'), DEFINITION.replace('acme-rackview', 'jetkvm-attached'));
  const input = osquery('ws-1', { ...PIKVM, vendor: 'Acme' }, JETKVM);
  const { out, err } = run(['evidence', '-', '--fingerprints', 'own', '-o', 'own.json', '--observations', 'own.ndjson'], input);
  expect(out).toContain('Acme RackView');
  expect(out).not.toContain('JetKVM');
  const notes = /^note: fingerprints of your own beside those of kvmsweep: acme-rackview\nnote: .*same id: jetkvm-attached\n/m;
  expect(err).toMatch(notes);
  const told = { added: ['acme-rackview'], replaced: ['jetkvm-attached'] };
  expect(readInventory(join(folder, 'own.json')).tool.ownFingerprints).toEqual(told);
  expect(run(['identify', 'own.ndjson', '--fingerprints', 'own', '-o', 'own2.json']).err).toMatch(notes);
  expect(readInventory(join(folder, 'own2.json')).tool.ownFingerprints).toEqual(told);
  const swept = run(['scan', '127.61.1.1', '-p', '24998=http', '--fingerprints', 'own', '-o', 'own-swept.json']);
  expect(swept.code, swept.err).toBe(0);
  expect(swept.err).toMatch(notes);
  expect(readInventory(join(folder, 'own-swept.json')).tool.ownFingerprints).toEqual(told);
  const { err: without } = run(['identify', 'own.ndjson', '-o', 'own3.json']);
  expect(without).not.toContain('note');
  expect(readInventory(join(folder, 'own3.json')).tool).not.toHaveProperty('ownFingerprints');
});
