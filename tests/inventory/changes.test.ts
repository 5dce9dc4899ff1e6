import { expect, test } from 'vitest';
import type { Device } from '../../src/devices/device.ts';
import { askedHosts, changesBetween } from '../../src/inventory/changes.ts';
import { parseAddress } from '../../src/targets/addresses.ts';
import { attached, device, IDRAC, inventory, type Sweep } from '../reconcile/build.ts';

const MAC = '00:00:5E:00:53:10';
const KEY = 'ab'.repeat(32);
const OTHER_KEY = 'cd'.repeat(32);

function on(computer: string, rest: Parameters<typeof attached>[1] = {}): Device {
  return { deviceKey: 'kvm-1', ...attached(computer, rest) };
}

interface Case {
  readonly name: string;
  readonly before: readonly Device[];
  readonly after: readonly Device[];
  readonly sweep?: Sweep;
  readonly expected: readonly string[];
}

test.for<Case>([
  { name: 'nothing', before: [device('10.0.0.1')], after: [device('10.0.0.1')], expected: [] },
  { name: 'appeared', before: [], after: [device('10.0.0.1')], expected: ['appeared kvm-10.0.0.1: 10.0.0.1'] },
  { name: 'gone', before: [device('10.0.0.1')], after: [], expected: ['gone kvm-10.0.0.1: was at 10.0.0.1'] },
  {
    name: 'not asked',
    before: [device('10.1.0.1')],
    after: [],
    expected: ['not-asked kvm-10.1.0.1: its address was not asked in the newer sweep'],
  },
  {
    name: 'not asked at its port',
    before: [device('10.0.0.1')],
    after: [],
    sweep: { ports: ['623/udp=ipmi'] },
    expected: ['not-asked kvm-10.0.0.1: the ports that it answered at were not asked in the newer sweep'],
  },
  {
    name: 'not seen by a sweep that was cut off',
    before: [device('10.0.0.1')],
    after: [],
    sweep: { complete: false },
    expected: ['not-asked kvm-10.0.0.1: the newer sweep is not complete'],
  },
  {
    name: 'moved',
    before: [device('10.0.0.1', { deviceKey: 'kvm-1', ids: { mac: MAC }, version: '1' })],
    after: [device('10.0.0.9', { deviceKey: 'kvm-1', ids: { mac: MAC }, version: '2' })],
    expected: ['moved kvm-1: 10.0.0.1 -> 10.0.0.9; version: 1 -> 2'],
  },
  {
    name: 'seen at another address, while the old one was not asked',
    before: [device('10.1.0.1', { deviceKey: 'kvm-1', ids: { mac: MAC } })],
    after: [device('10.0.0.9', { deviceKey: 'kvm-1', ids: { mac: MAC } })],
    expected: ['moved kvm-1: 10.1.0.1 -> 10.0.0.9; its old address was not asked in the newer sweep'],
  },
  {
    name: 'changed',
    before: [device('10.0.0.1', { version: '1', ids: { spki: KEY }, posture: ['legacy-tls'] })],
    after: [device('10.0.0.1', { version: '2', ids: { spki: OTHER_KEY }, posture: ['telnet-open'] })],
    expected: [
      'changed kvm-10.0.0.1: version: 1 -> 2; certificate key: abababababababab… -> cdcdcdcdcdcdcdcd…; new risk: telnet-open; no longer: legacy-tls',
    ],
  },
  {
    name: 'a certificate that could not be read has not changed',
    before: [device('10.0.0.1', { ids: { spki: KEY } })],
    after: [device('10.0.0.1')],
    expected: [],
  },
  {
    name: 'another device at the address',
    before: [device('10.0.0.1', { deviceKey: 'old' })],
    after: [device('10.0.0.1', { ...IDRAC, deviceKey: 'new' })],
    expected: ['appeared new: 10.0.0.1', 'gone old: was at 10.0.0.1'],
  },
  {
    name: 'another address beside the first',
    before: [device('10.0.0.1', { ids: { mac: MAC } })],
    after: [device('10.0.0.1', { addresses: ['10.0.0.1', '10.0.0.2'], ids: { mac: MAC } })],
    expected: ['changed kvm-10.0.0.1: addresses: 10.0.0.1 -> 10.0.0.1, 10.0.0.2'],
  },
  {
    name: 'an address that was not asked again is not lost',
    before: [device('10.0.0.1', { addresses: ['10.0.0.1', '10.1.0.1'], ids: { mac: MAC } })],
    after: [device('10.0.0.1', { ids: { mac: MAC } })],
    expected: [],
  },
  { name: 'appeared at a computer', before: [], after: [on('ws-1')], expected: ['appeared kvm-1: on ws-1'] },
  {
    name: 'not in the lists that were read this time',
    before: [on('ws-1')],
    after: [],
    expected: [
      'not-asked kvm-1: no list of what is attached to ws-1 names it in the newer inventory, which does not tell whether one was read',
    ],
  },
  {
    name: 'unplugged',
    before: [on('ws-1')],
    after: [on('ws-1', { present: false })],
    expected: ['changed kvm-1: no longer attached to ws-1'],
  },
  {
    name: 'plugged in again',
    before: [on('ws-1', { present: false })],
    after: [on('ws-1')],
    expected: ['changed kvm-1: attached to ws-1'],
  },
  { name: 'still not there', before: [on('ws-1', { present: false })], after: [on('ws-1', { present: false })], expected: [] },
  {
    name: 'at another computer',
    before: [on('ws-1', { ids: { serial: 'A1' } })],
    after: [on('ws-2', { ids: { serial: 'A1' } })],
    expected: ['moved kvm-1: on ws-1 -> on ws-2; attached to ws-2'],
  },
  {
    name: 'found on the network too',
    before: [on('ws-1', { ids: { serial: 'A1' } })],
    after: [{ ...on('ws-1', { ids: { serial: 'A1' } }), addresses: ['10.0.0.1'] }],
    expected: ['changed kvm-1: addresses: - -> 10.0.0.1'],
  },
])('changes: $name', ({ before, after, sweep, expected }) => {
  const rows = changesBetween(inventory(before), inventory(after, sweep));
  expect(rows.map(({ change, deviceKey, details }) => `${change} ${deviceKey}: ${details.join('; ')}`)).toEqual(expected);
});

test('changes: an inventory of no sweep asked nothing, so nothing is gone', () => {
  const { asked: _, ...unasked } = inventory([]);
  expect(changesBetween(inventory([device('10.0.0.1')]), unasked).map(({ change }) => change)).toEqual(['not-asked']);
});

test('askedHosts: ranges, single addresses, IPv6, and what is none', () => {
  const asked = askedHosts(inventory([], { ranges: ['10.0.0.0-10.0.0.9', '10.0.1.1', '2001:db8::1', 'nonsense'] }));
  const isAsked = (text: string): boolean => asked(parseAddress(text) ?? 0);
  expect(['10.0.0.0', '10.0.0.9', '10.0.1.1', '2001:db8::1'].map(isAsked)).toEqual([true, true, true, true]);
  expect(['10.0.0.10', '10.0.1.2', '2001:db8::2'].map(isAsked)).toEqual([false, false, false]);
});
