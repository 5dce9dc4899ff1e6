import { expect, test } from 'vitest';
import type { Unkeyed } from '../../src/devices/device.ts';
import { deviceName } from '../../src/devices/device.ts';
import { devicesAt } from '../../src/devices/from-host.ts';
import type { EndpointFacts } from '../../src/observations/observation.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { matcher } from './fingerprints.ts';

const HOST = '192.0.2.10';
const NOW = new Date('2026-11-22T18:00:00Z');

function endpoint(port: number | 'udp' | 'host', facts: Facts, times: Pick<EndpointFacts, 'first' | 'last'> = {}): EndpointFacts {
  const place = port === 'host' ? {} : port === 'udp' ? ({ transport: 'udp', port: 623 } as const) : ({ transport: 'tcp', port } as const);
  const probe = port === 'host' ? 'neighbours' : port === 'udp' ? 'ipmi' : 'https';
  return { host: HOST, ...place, probes: [probe], outcomes: { [probe]: 'answered' }, facts, ...times };
}

function at(...endpoints: EndpointFacts[]): Unkeyed[] {
  return devicesAt(HOST, endpoints, matcher, NOW);
}

function told(devices: readonly Unkeyed[]): string[] {
  return devices.map((device) => `${deviceName(device)} ${device.certainty} at ${device.endpoints.map(({ port }) => port).join('+')}`);
}

test.for<{ name: string; endpoints: EndpointFacts[]; expected: string[] }>([
  { name: 'nothing claims anything', endpoints: [endpoint(80, { 'http.title': 'Printer' })], expected: [] },
  {
    name: 'one device at two ports',
    endpoints: [endpoint(80, { 'http.title': 'Alpha' }), endpoint(443, { 'http.title': 'Alpha 1.2' })],
    expected: ['Alpha AlphaKVM 90 at 80+443'],
  },
  {
    name: 'an answer without a product is a device',
    endpoints: [endpoint('udp', { 'ipmi.auth.types': 20 })],
    expected: ['unknown bmc 92 at 623'],
  },
  {
    name: 'generic yields to a product, though it is surer',
    endpoints: [endpoint(443, { 'http.generator': 'idrac-ish' }), endpoint('udp', { 'ipmi.auth.types': 20 })],
    expected: ['Dell iDRAC 35 at 443+623'],
  },
  {
    name: 'a page of no interest does not hide a controller at another port',
    endpoints: [endpoint(80, { 'http.title': 'Welcome to nginx' }), endpoint('udp', { 'ipmi.auth.types': 20 })],
    expected: ['unknown bmc 92 at 80+623'],
  },
  {
    name: 'a page of no interest alone is what it is',
    endpoints: [endpoint(80, { 'http.title': 'Welcome to nginx' })],
    expected: ['Page Welcome 80 at 80'],
  },
  {
    name: 'two devices behind one address',
    endpoints: [endpoint(443, { 'http.title': 'Alpha 1.2' }), endpoint(8443, { 'http.title': 'Beta 7' })],
    expected: ['Alpha AlphaKVM 90 at 443', 'Beta BetaKVM 70 at 8443'],
  },
  {
    name: 'two devices behind one address, whose MAC both could have',
    endpoints: [
      endpoint('host', { 'mac.address': '00:00:5E:00:53:10' }),
      endpoint(443, { 'http.title': 'Alpha 1.2' }),
      endpoint(8443, { 'http.title': 'Beta 7' }),
    ],
    expected: ['Alpha AlphaKVM 93 at 443', 'Beta BetaKVM 70 at 8443'],
  },
  {
    name: 'marks of three makers on one page',
    endpoints: [endpoint(80, { 'http.body': 'one two three' })],
    expected: ['unknown ip-kvm 30 at 80'],
  },
  {
    name: 'firmware that somebody else sells',
    endpoints: [endpoint(80, { 'http.body': 'one brand' })],
    expected: ['brand 70 at 80'],
  },
  {
    name: 'marks of one firmware, its maker and two who sell it',
    endpoints: [endpoint(80, { 'http.body': 'one brand label' })],
    expected: ['brand 70 at 80'],
  },
  {
    name: 'marks of five makers at one address',
    endpoints: ['one', 'two', 'three', 'four', 'five'].map((body, i) => endpoint(8000 + i, { 'http.body': body })),
    expected: ['unknown ip-kvm 30 at 8000+8001+8002+8003+8004'],
  },
])('devicesAt: $name', ({ endpoints, expected }) => expect(told(at(...endpoints))).toEqual(expected));

test('devicesAt: what one device behind an address says is not said of the other', () => {
  const [alpha, dell] = at(
    endpoint(443, { 'http.title': 'iDRAC' }),
    endpoint(8443, { 'http.title': 'Alpha', 'tls.spki': 'ab'.repeat(32), 'rfb.security': [1] }),
    endpoint('udp', { 'ipmi.auth.types': 20, 'snmp.engine.text': 'S1 fw 2.0 at bmc.example.com' }),
  ).toReversed();
  expect(dell).toMatchObject({ product: 'iDRAC', serial: 'S1', version: '2.0', posture: [] });
  expect(dell?.identifiers.map(({ kind }) => kind)).toEqual(['serial', 'fqdn', 'ip']);
  expect(alpha).toMatchObject({ product: 'AlphaKVM', posture: ['vnc-no-authentication'] });
  expect(alpha).not.toHaveProperty('version');
  expect(alpha?.identifiers.map(({ kind }) => kind)).toEqual(['spki', 'ip']);
});

test('devicesAt: a page with marks of everything has no identity, no serial number and says so', () => {
  const [device] = at(endpoint(80, { 'http.body': 'one two three', 'http.server': 'alpha; sn=A1', 'tls.spki': 'ab'.repeat(32) }));
  expect(device).toMatchObject({ level: 'possible', posture: ['conflicting-identity'] });
  for (const field of ['vendor', 'product', 'serial', 'version', 'model']) expect(device).not.toHaveProperty(field);
  expect(device?.identifiers.map(({ kind }) => kind)).toEqual(['spki', 'ip']);
  expect(device?.alternatives.map(({ fingerprint }) => fingerprint)).toEqual(expect.arrayContaining(['one', 'two', 'three']));
});

test('devicesAt: identifiers say where they were read', () => {
  const [device] = at(
    endpoint('host', { 'mac.address': '00:00:5E:00:53:10' }),
    endpoint(443, { 'http.title': 'Alpha 1.2', 'http.server': 'alpha; sn=A1', 'tls.spki': 'ab'.repeat(32) }),
    endpoint('udp', { 'ipmi.guid': '00112233445566778899aabbccddeeff' }),
  );
  expect(device).toMatchObject({ serial: 'A1', version: '1.2' });
  expect(device?.identifiers).toEqual([
    { kind: 'serial', value: 'A1', from: 'alpha 192.0.2.10' },
    { kind: 'mac', value: '00:00:5E:00:53:10', from: 'neighbour table 192.0.2.10' },
    { kind: 'guid', value: '00112233445566778899aabbccddeeff', from: 'ipmi 192.0.2.10:623/udp' },
    { kind: 'spki', value: 'ab'.repeat(32), from: 'tls 192.0.2.10:443' },
    { kind: 'ip', value: '192.0.2.10', from: 'address' },
  ]);
});

test('devicesAt: a serial number that nobody set is none', () => {
  const [device] = at(endpoint(443, { 'http.title': 'Alpha', 'http.server': 'alpha; sn=To be filled by O.E.M.' }));
  expect(device).not.toHaveProperty('serial');
  expect(device?.identifiers.map(({ kind }) => kind)).toEqual(['ip']);
});

test('devicesAt: times of other tools become UTC, and what is no time is left out', () => {
  const [device] = at(
    endpoint(80, { 'http.title': 'Alpha' }, { first: '2026-11-22T19:30:00+02:00', last: 'yesterday' }),
    endpoint(443, { 'http.title': 'Alpha' }, { first: '2026-11-22T18:00:00Z', last: '2026-11-22T18:00:01.5Z' }),
  );
  expect(device).toMatchObject({ firstSeen: '2026-11-22T17:30:00.000Z', lastSeen: '2026-11-22T18:00:01.500Z' });
});

test('devicesAt: a host given by name has a name, not an address', () => {
  const [device] = devicesAt('kvm1.example.com', [endpoint(443, { 'http.title': 'Alpha' })], matcher, NOW);
  expect(device?.identifiers).toEqual([{ kind: 'fqdn', value: 'kvm1.example.com', from: 'address' }]);
});
