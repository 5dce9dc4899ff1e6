import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Device } from '../../src/devices/device.ts';
import { askedHosts, type Change, changesBetween, hasChanged } from '../../src/inventory/changes.ts';
import { withHistory } from '../../src/inventory/history.ts';
import { parseAddress } from '../../src/targets/addresses.ts';
import type { Identifier, IdentifierKind } from '../../src/vocabulary.ts';
import { attached, device, IDRAC, inventory, type Sweep, unkeyed } from '../reconcile/build.ts';

const MAC = '00:00:5E:00:53:10';
const KEY = 'ab'.repeat(32);
const OTHER_KEY = 'cd'.repeat(32);
const OTHER_MAC = '00:00:5E:00:53:11';
const GUID = '00112233445566778899aabbccddeeff';

function on(computer: string, rest: Parameters<typeof attached>[1] = {}): Device {
  return { deviceKey: 'kvm-1', ...attached(computer, rest) };
}

interface Case {
  readonly name: string;
  readonly before: readonly Device[];
  readonly after: readonly Device[];
  readonly sweep?: Sweep;
  /** What the older sweep asked. */
  readonly older?: Sweep;
  readonly expected: readonly string[];
}

test.for<Case>([
  { name: 'nothing', before: [device('10.0.0.1')], after: [device('10.0.0.1')], expected: [] },
  { name: 'appeared', before: [], after: [device('10.0.0.1')], expected: ['appeared kvm-10.0.0.1: 10.0.0.1'] },
  {
    name: 'appeared where the older sweep did not look',
    before: [],
    after: [device('10.1.0.1'), device('10.0.0.1')],
    expected: ['appeared kvm-10.0.0.1: 10.0.0.1', 'appeared kvm-10.1.0.1: 10.1.0.1; its address was not asked in the older sweep'],
  },
  {
    name: 'appeared at a port that the older sweep did not ask',
    before: [],
    after: [device('10.0.0.1')],
    older: { ports: ['623/udp=ipmi'] },
    expected: ['appeared kvm-10.0.0.1: 10.0.0.1; the ports that it answered at were not asked in the older sweep'],
  },
  {
    name: 'appeared since a sweep that was cut off',
    before: [],
    after: [device('10.0.0.1')],
    older: { complete: false },
    expected: ['appeared kvm-10.0.0.1: 10.0.0.1; the older sweep is not complete'],
  },
  {
    name: 'in the order of the addresses',
    before: [],
    after: [device('10.0.0.10', { deviceKey: 'a' }), device('10.0.0.9', { deviceKey: 'b' })],
    expected: ['appeared b: 10.0.0.9', 'appeared a: 10.0.0.10'],
  },
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
    before: [device('10.0.0.1', { ids: { spki: KEY }, posture: ['default-certificate', 'telnet-open'] })],
    after: [device('10.0.0.1', { posture: ['telnet-open'] })],
    expected: [],
  },
  {
    name: 'what was read at a port that the newer sweep did not ask is not lost',
    before: [device('10.0.0.1', { serial: 'A1', version: '1', ids: { mac: MAC }, posture: ['telnet-open'] })],
    after: [device('10.0.0.1', { version: '2', ids: { mac: MAC } })],
    sweep: { ports: ['623/udp=ipmi'] },
    expected: ['changed kvm-10.0.0.1: version: 1 -> 2'],
  },
  {
    name: 'what was asked again, and is not there, is lost',
    before: [device('10.0.0.1', { serial: 'A1', ids: { mac: MAC }, posture: ['telnet-open'] })],
    after: [device('10.0.0.1', { ids: { mac: MAC } })],
    expected: ['changed kvm-10.0.0.1: serial: A1 -> -; no longer: telnet-open'],
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
    name: 'one of its two addresses no longer answers',
    before: [device('10.0.0.1', { addresses: ['10.0.0.1', '10.0.0.2'], ids: { mac: MAC } })],
    after: [device('10.0.0.1', { ids: { mac: MAC } })],
    expected: ['changed kvm-10.0.0.1: addresses: 10.0.0.1, 10.0.0.2 -> 10.0.0.1'],
  },
  {
    name: 'not asked at one of its addresses is not gone',
    before: [device('10.0.0.1', { addresses: ['10.0.0.1', '10.1.0.1'] })],
    after: [],
    expected: ['not-asked kvm-10.0.0.1: 10.1.0.1 was not asked in the newer sweep'],
  },
  {
    name: 'gone, with a link-local address that nobody can ask any more',
    before: [device('10.0.0.1', { addresses: ['10.0.0.1', 'fe80::1%eth0'] })],
    after: [],
    expected: ['gone kvm-10.0.0.1: was at 10.0.0.1, fe80::1%eth0'],
  },
  {
    name: 'no address, as what is plugged into a computer',
    before: [device('10.0.0.1', { deviceKey: 'usb', addresses: [], endpoints: [] })],
    after: [],
    expected: ['not-asked usb: it has no address that a sweep could ask'],
  },
  {
    name: 'plugged into a computer, and then on the network too',
    before: [device('10.0.0.1', { deviceKey: 'usb', addresses: [], ids: { serial: 'S1' } })],
    after: [device('10.0.0.1', { deviceKey: 'usb', ids: { serial: 'S1' } })],
    expected: ['changed usb: addresses: no address -> 10.0.0.1'],
  },
  {
    name: 'renamed, with another certificate',
    before: [device('10.0.0.1', { hostname: 'kvm1', ids: { mac: MAC, spki: KEY } })],
    after: [device('10.0.0.1', { hostname: 'rack7', ids: { mac: MAC, spki: OTHER_KEY } })],
    expected: ['changed kvm-10.0.0.1: hostname: kvm1 -> rack7; certificate key: abababababababab… -> cdcdcdcdcdcdcdcd…'],
  },
  {
    name: 'a class that only now is known',
    before: [device('10.0.0.1', { class: 'kvm-switch', ids: { mac: MAC } })],
    after: [device('10.0.0.1', { deviceKey: 'kvm-10.0.0.1', class: 'kvm-switch', ids: { mac: MAC }, model: 'X' })],
    expected: ['changed kvm-10.0.0.1: model: - -> X'],
  },
  {
    name: 'two with one cloned GUID stay two',
    before: [device('10.0.0.1', { ...IDRAC, ids: { guid: GUID } }), device('10.0.0.2', { ...IDRAC, ids: { guid: GUID } })],
    after: [device('10.0.0.1', { ...IDRAC, ids: { guid: GUID } }), device('10.0.0.2', { ...IDRAC, ids: { guid: GUID }, version: '2' })],
    expected: ['changed kvm-10.0.0.2: version: - -> 2'],
  },
  {
    name: 'two that are seen to be one: in one row, and none is gone',
    before: [device('10.0.0.1', { ids: { mac: MAC } }), device('10.0.0.2')],
    after: [device('10.0.0.1', { addresses: ['10.0.0.1', '10.0.0.2'], ids: { mac: MAC } })],
    expected: ['changed kvm-10.0.0.1: addresses: 10.0.0.1 -> 10.0.0.1, 10.0.0.2; seen as one with PiKVM (kvm-10.0.0.2, 10.0.0.2) now'],
  },
  {
    name: 'one that is seen to be two: none has appeared',
    before: [device('10.0.0.1', { addresses: ['10.0.0.1', '10.0.0.2'], ids: { mac: MAC } })],
    after: [device('10.0.0.1', { ids: { mac: MAC } }), device('10.0.0.2')],
    expected: [
      'changed kvm-10.0.0.1: addresses: 10.0.0.1, 10.0.0.2 -> 10.0.0.1',
      'changed kvm-10.0.0.2: was seen as one with PiKVM (kvm-10.0.0.1, 10.0.0.1, 10.0.0.2) until now',
    ],
  },
  {
    name: 'another one where it was before it moved has appeared',
    before: [device('10.0.0.1', { deviceKey: 'old', ids: { mac: MAC } })],
    after: [device('10.0.0.9', { deviceKey: 'old', ids: { mac: MAC } }), device('10.0.0.1', { deviceKey: 'new', ids: { mac: OTHER_MAC } })],
    expected: ['appeared new: 10.0.0.1', 'moved old: 10.0.0.1 -> 10.0.0.9'],
  },
  {
    name: 'of one key is one device: in one row, whatever it is now',
    before: [device('10.0.0.1')],
    after: [device('10.0.0.1', { deviceKey: 'kvm-10.0.0.1', vendor: 'Dell', product: 'iDRAC', class: 'bmc' })],
    expected: ['changed kvm-10.0.0.1: class: ip-kvm -> bmc; vendor: PiKVM -> Dell; product: PiKVM -> iDRAC'],
  },
  {
    name: 'another one at the second address of a device is no part of it',
    before: [device('10.0.0.1', { addresses: ['10.0.0.1', '10.0.0.2'], ids: { mac: MAC } })],
    after: [device('10.0.0.1', { ids: { mac: MAC } }), device('10.0.0.2', { ...IDRAC })],
    expected: ['appeared kvm-10.0.0.2: 10.0.0.2', 'changed kvm-10.0.0.1: addresses: 10.0.0.1, 10.0.0.2 -> 10.0.0.1'],
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
    expected: ['changed kvm-1: addresses: on ws-1 -> 10.0.0.1, on ws-1'],
  },
])('changes: $name', ({ before, after, sweep, older, expected }) => {
  const rows = changesBetween(inventory(before, older), inventory(after, sweep));
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

test('changes: what is otherwise, for programs', () => {
  const [changed] = changesBetween(
    inventory([device('10.0.0.1', { ids: { mac: MAC, spki: KEY }, version: '1', posture: ['legacy-tls'] })]),
    inventory([
      device('10.0.0.1', {
        addresses: ['10.0.0.1', '10.0.0.2'],
        ids: { mac: MAC, spki: OTHER_KEY },
        version: '2',
        model: 'V4',
        posture: ['telnet-open'],
        firstSeen: '2026-11-01T00:00:00.000Z',
      }),
    ]),
  );
  expect(changed).toMatchObject({
    change: 'changed',
    class: 'ip-kvm',
    firstSeen: '2026-11-01T00:00:00.000Z',
    changes: [
      { what: 'address', to: '10.0.0.2' },
      { what: 'model', to: 'V4' },
      { what: 'version', from: '1', to: '2' },
      { what: 'certificate', from: KEY, to: OTHER_KEY },
      { what: 'risk', to: 'telnet-open' },
      { what: 'risk', from: 'legacy-tls' },
    ],
  });
});

test('changes: nobody looked is no change', () => {
  const rows = changesBetween(inventory([device('10.1.0.1'), device('10.0.0.1')]), inventory([]));
  expect(rows.map((row) => [row.change, hasChanged(row)])).toEqual([
    ['gone', true],
    ['not-asked', false],
  ]);
});

test('changes: what only a credential for SNMP told is not lost where none was given', () => {
  const read = inventory([device('10.0.0.1', { serial: 'A1', ids: { mac: MAC } })]);
  const asked = { ...(read.asked as NonNullable<typeof read.asked>), snmp: { communities: 1, users: 0 } };
  const plain = inventory([device('10.0.0.1', { ids: { mac: MAC } })]);
  expect(changesBetween({ ...read, asked }, plain)).toEqual([]);
  expect(changesBetween(read, plain).map(({ details }) => details)).toEqual([['serial: A1 -> -']]);
});

function some<T>(values: readonly T[]): fc.Arbitrary<T | undefined> {
  return fc.constantFrom(undefined, undefined, ...values);
}

/** Devices of a small world: few identifiers and addresses, so that they meet, are cloned, merge and split. */
const world = (() => {
  const addresses = fc.uniqueArray(fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.1.0.1', '10.1.0.2'), {
    maxLength: 3,
  });
  const one = fc.record({
    addresses,
    vendor: fc.constantFrom('PiKVM', 'Dell'),
    serial: some(['S1', 'S2']),
    mac: some([MAC, OTHER_MAC]),
    guid: some([GUID, 'f'.repeat(31).concat('0')]),
    spki: some([KEY, OTHER_KEY]),
    version: some(['1', '2']),
  });
  return fc.array(one, { maxLength: 5 }).map((all) =>
    all.map(({ addresses: at, vendor, version, ...ids }) => {
      const identifiers = Object.entries(ids).flatMap(([kind, value]): Identifier[] =>
        value === undefined ? [] : [{ kind: kind as IdentifierKind, value, from: 'test' }],
      );
      const base = unkeyed(at[0] ?? '10.0.0.1', { vendor, product: vendor, addresses: at, ...(version === undefined ? {} : { version }) });
      return {
        ...base,
        endpoints: at.map((host) => ({ host, port: 443, transport: 'tcp' as const, probe: 'https' })),
        identifiers: [...identifiers, ...at.map((value): Identifier => ({ kind: 'ip', value, from: 'address' }))],
      };
    }),
  );
})();

const DAYS = ['2026-11-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z'] as const;

/** Two sweeps, one after the other, with keys carried on as a sweep does. */
const sweeps = fc.record({ before: world, after: world, complete: fc.boolean() }).map(({ before, after, complete }) => {
  const old = withHistory(
    before.map((one) => ({ ...one, firstSeen: DAYS[0] })),
    [],
  );
  const now = withHistory(
    after.map((one) => ({ ...one, firstSeen: DAYS[1] })),
    old,
  );
  return { before: inventory(old), after: inventory(now, { complete }) };
});

test('changes: of two inventories that know nothing of each other, too, no key is in two rows', () => {
  fc.assert(
    fc.property(world, world, (before, after) => {
      const rows = changesBetween(inventory(withHistory(before, [])), inventory(withHistory(after, [])));
      const keys = rows.map(({ deviceKey }) => deviceKey);
      expect(new Set(keys).size).toBe(keys.length);
    }),
    { numRuns: 2000 },
  );
});

/** The devices that a row is of, by their keys. */
function keysIn({ deviceKey, changes }: Change): string[] {
  return [deviceKey, ...changes.flatMap(({ what, from }) => (what === 'merged' && from !== undefined ? [from] : []))];
}

test('changes: every device of either sweep is in one row at most, and the rows tell it by its key', () => {
  fc.assert(
    fc.property(sweeps, ({ before, after }) => {
      const rows = changesBetween(before, after);
      const keys = rows.flatMap(keysIn);
      expect(new Set(keys).size).toBe(keys.length);
      const [old, now] = [before, after].map(({ devices }) => new Set(devices.map(({ deviceKey }) => deviceKey)));
      for (const { change, deviceKey } of rows) {
        if (change === 'appeared') expect([old?.has(deviceKey), now?.has(deviceKey)]).toEqual([false, true]);
        else if (change === 'gone' || change === 'not-asked') expect([old?.has(deviceKey), now?.has(deviceKey)]).toEqual([true, false]);
        else expect(now?.has(deviceKey)).toBe(true);
      }
      // Who is in neither row is in both sweeps, unchanged.
      for (const key of [...(old ?? []), ...(now ?? [])])
        if (!keys.includes(key)) expect([old?.has(key), now?.has(key)]).toEqual([true, true]);
    }),
    { numRuns: 2000 },
  );
});

test('changes: an inventory does not differ from itself', () => {
  fc.assert(
    fc.property(sweeps, ({ before, after }) => {
      expect(changesBetween(before, before)).toEqual([]);
      expect(changesBetween(after, after)).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

test('changes: gone is only what was asked again, by a complete sweep', () => {
  fc.assert(
    fc.property(sweeps, ({ before, after }) => {
      for (const { change, addresses } of changesBetween(before, after))
        if (change === 'gone') {
          expect(addresses.length).toBeGreaterThan(0);
          for (const address of addresses) expect(address).toMatch(/^10\.0\./);
          expect(after.completeness.complete).toBe(true);
        }
    }),
    { numRuns: 2000 },
  );
});

test('changes: what did not appear keeps the day on which it was first seen', () => {
  fc.assert(
    fc.property(sweeps, ({ before, after }) => {
      const appeared = new Set(
        changesBetween(before, after).flatMap(({ change, deviceKey }) => (change === 'appeared' ? [deviceKey] : [])),
      );
      for (const { deviceKey, firstSeen } of after.devices) expect(firstSeen).toBe(appeared.has(deviceKey) ? DAYS[1] : DAYS[0]);
    }),
    { numRuns: 2000 },
  );
});

test('an address that was asked only at ports which its targets named is none that was asked: what is not found there is not gone', () => {
  const whole = inventory([device('10.0.0.5')]);
  const part = {
    ...inventory([]),
    asked: { ...whole.asked, hosts: 1, ranges: ['10.0.0.5'], names: {}, ports: ['443/tcp=https'], only: { '10.0.0.5': ['443/tcp'] } },
  };
  expect(askedHosts(part)(parseAddress('10.0.0.5') as number)).toBe(false);
  expect(changesBetween(whole, part)).toMatchObject([
    { change: 'not-asked', details: ['its address was not asked in the newer sweep, or only at ports that its targets named'] },
  ]);
});
