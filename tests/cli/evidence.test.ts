import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Device } from '../../src/devices/device.ts';
import { readInventory } from '../../src/inventory/file.ts';

const CLI = join(import.meta.dirname, '../../bin/kvmsweep.js');
const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-evidence-'));

function run(args: readonly string[], input: string | Buffer = ''): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: folder, input, encoding: 'utf8', timeout: 90_000 });
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
    { product: 'PiKVM', level: 'certain', addresses: ['ws-1'], identifiers: [], lastSeen: '2026-11-20T08:00:00.000Z' },
    { product: 'PiKVM', level: 'certain', addresses: ['ws-2'], identifiers: [] },
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
  expect(devicesOf(out).map(({ product, addresses }) => [product, ...addresses])).toEqual([
    ['PiKVM', '192.0.2.10'],
    ['PicoKVM', '192.0.2.20', 'ws-1'],
    ['PiKVM', 'ws-2'],
  ]);
  const keys = devicesOf(sweep.out).map(({ deviceKey }) => deviceKey);
  expect(
    devicesOf(out)
      .map(({ deviceKey }) => deviceKey)
      .slice(0, 2),
  ).toEqual(keys);
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
