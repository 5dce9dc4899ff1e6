import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Device, Unkeyed } from '../../src/devices/device.ts';
import { fuse } from '../../src/devices/fuse.ts';
import { likeness, pair, withHistory } from '../../src/inventory/history.ts';
import { attached, device, IDRAC, unkeyed, unnamed } from '../reconcile/build.ts';

const UUID = '00112233445566778899aabbccddeeff';
const SMBIOS = '33221100554477668899aabbccddeeff';
const OTHER_UUID = '10112233445566778899aabbccddeeff';
const KEY = 'ab'.repeat(32);
const OTHER_KEY = 'cd'.repeat(32);
const MAC = '00:00:5E:00:53:10';
const OTHER_MAC = '00:00:5E:00:53:11';

/** The keys of a sweep, as deriveInventory gives them. */
function sweep(devices: readonly Unkeyed[], previous: readonly Device[] = []): Device[] {
  return withHistory(fuse(devices), previous);
}

test.for<{ name: string; a: Unkeyed; b: Unkeyed; like: number }>([
  {
    name: 'one serial number',
    a: unkeyed('10.0.0.1', { ids: { serial: 'A1' } }),
    b: unkeyed('10.0.0.2', { ids: { serial: 'a 1' } }),
    like: 6,
  },
  {
    name: 'one serial number, another maker',
    a: unkeyed('10.0.0.1', { ids: { serial: 'A1' } }),
    b: unkeyed('10.0.0.1', { ...IDRAC, ids: { serial: 'A1' } }),
    like: 0,
  },
  {
    name: 'other serial numbers at one address',
    a: unkeyed('10.0.0.1', { ids: { serial: 'A1' } }),
    b: unkeyed('10.0.0.1', { ids: { serial: 'A2' } }),
    like: 0,
  },
  { name: 'one MAC', a: unkeyed('10.0.0.1', { ids: { mac: MAC } }), b: unkeyed('10.0.0.2', { ids: { mac: MAC } }), like: 5 },
  {
    name: 'one MAC, and one view that saw less',
    a: unkeyed('10.0.0.1', { ids: { mac: MAC } }),
    b: unnamed('10.0.0.2', { ids: { mac: MAC } }),
    like: 5,
  },
  {
    name: 'other MACs at one address',
    a: unkeyed('10.0.0.1', { ids: { mac: MAC } }),
    b: unkeyed('10.0.0.1', { ids: { mac: OTHER_MAC } }),
    like: 0,
  },
  {
    name: 'GUID and key',
    a: unkeyed('10.0.0.1', { ids: { guid: UUID, spki: KEY } }),
    b: unkeyed('10.0.0.2', { ids: { guid: SMBIOS, spki: KEY } }),
    like: 4,
  },
  { name: 'a GUID alone', a: unkeyed('10.0.0.1', { ids: { guid: UUID } }), b: unkeyed('10.0.0.2', { ids: { guid: UUID } }), like: 0 },
  {
    name: 'a GUID at the same address',
    a: unkeyed('10.0.0.1', { ids: { guid: UUID } }),
    b: unkeyed('10.0.0.1', { ids: { guid: UUID } }),
    like: 3,
  },
  {
    name: 'another GUID at the same address',
    a: unkeyed('10.0.0.1', { ids: { guid: UUID } }),
    b: unkeyed('10.0.0.1', { ids: { guid: OTHER_UUID } }),
    like: 0,
  },
  {
    name: 'another key at the same address, as after a renewal',
    a: unkeyed('10.0.0.1', { ids: { spki: KEY } }),
    b: unkeyed('10.0.0.1', { ids: { spki: OTHER_KEY } }),
    like: 2,
  },
  { name: 'the address alone', a: unkeyed('10.0.0.1'), b: unkeyed('10.0.0.1'), like: 2 },
  { name: 'the address, another class', a: unkeyed('10.0.0.1'), b: unnamed('10.0.0.1'), like: 0 },
  { name: 'nothing', a: unkeyed('10.0.0.1'), b: unkeyed('10.0.0.2'), like: 0 },
  { name: 'one computer, one product', a: attached('ws-1'), b: attached('ws-1'), like: 2 },
  { name: 'one computer, another product', a: attached('ws-1'), b: attached('ws-1', { product: 'JetKVM' }), like: 0 },
  {
    name: 'one computer, another serial number',
    a: attached('ws-1', { ids: { serial: 'A1' } }),
    b: attached('ws-1', { ids: { serial: 'A2' } }),
    like: 0,
  },
  { name: 'another computer', a: attached('ws-1'), b: attached('ws-2'), like: 0 },
  {
    name: 'another computer, one serial number',
    a: attached('ws-1', { ids: { serial: 'A1' } }),
    b: attached('ws-2', { ids: { serial: 'A1' } }),
    like: 6,
  },
  { name: 'the address of a computer is not that of what is attached', a: attached('10.0.0.1'), b: unkeyed('10.0.0.1'), like: 0 },
])('likeness: $name', ({ a, b, like }) => {
  expect(Math.floor(likeness(a, b))).toBe(like);
  expect(likeness(b, a)).toBe(likeness(a, b));
});

test('history: the key and the day of the first sight are kept where TLS failed this time', () => {
  const [before] = sweep([
    unkeyed('10.0.0.1', { ids: { guid: UUID, spki: KEY }, firstSeen: '2026-01-01T00:00:00.000Z', lastSeen: '2026-01-01T00:01:00.000Z' }),
  ]);
  const [after] = sweep(
    [unkeyed('10.0.0.1', { ids: { guid: UUID }, firstSeen: '2026-02-01T00:00:00.000Z', lastSeen: '2026-02-01T00:01:00.000Z' })],
    before === undefined ? [] : [before],
  );
  expect(after).toMatchObject({
    deviceKey: before?.deviceKey,
    firstSeen: '2026-01-01T00:00:00.000Z',
    lastSeen: '2026-02-01T00:01:00.000Z',
  });
  const [nothing] = sweep([unkeyed('10.0.0.1')], before === undefined ? [] : [before]);
  expect(nothing?.deviceKey).toBe(before?.deviceKey);
});

test('history: the key is kept over a new address', () => {
  const before = sweep([unkeyed('10.0.0.1', { ids: { mac: MAC } })]);
  const [after] = sweep([unkeyed('10.0.0.200', { ids: { mac: MAC } })], before);
  expect(after?.deviceKey).toBe(before[0]?.deviceKey);
});

function placedKeys(devices: readonly Device[]): string[] {
  return devices.map(({ deviceKey, product, attachedTo }) => `${product} ${attachedTo?.[0]?.computer} ${deviceKey}`).toSorted();
}

test('history: what is attached to computers has keys of its own, and keeps them', () => {
  const before = sweep([attached('ws-1'), attached('ws-2'), attached('ws-1', { product: 'JetKVM' })]);
  expect(new Set(before.map(({ deviceKey }) => deviceKey)).size).toBe(3);
  const after = sweep([attached('ws-1', { product: 'JetKVM' }), attached('ws-2'), attached('ws-1', { present: false })], before);
  expect(placedKeys(after)).toEqual(placedKeys(before));
});

test('history: the first sight stays the earliest', () => {
  const [after] = sweep(
    [unkeyed('10.0.0.1', { firstSeen: '2026-01-01T00:00:00.000Z' })],
    [device('10.0.0.1', { firstSeen: '2026-02-01T00:00:00.000Z' })],
  );
  expect(after?.firstSeen).toBe('2026-01-01T00:00:00.000Z');
});

test('history: two clones never share a key', () => {
  const both = sweep([unkeyed('10.0.0.1', { ids: { guid: UUID } }), unkeyed('10.0.0.2', { ids: { guid: UUID } })]);
  expect(new Set(both.map(({ deviceKey }) => deviceKey)).size).toBe(2);
});

test('history: a clone does not get the key of the one that is not there this time', () => {
  const before = sweep([unkeyed('10.0.0.1', { ids: { guid: UUID } })]);
  const [copy] = sweep([unkeyed('10.0.0.2', { ids: { guid: UUID } })], before);
  expect(copy?.deviceKey).not.toBe(before[0]?.deviceKey);
});

function clone(address: string): Unkeyed {
  return unkeyed(address, { ids: { guid: UUID } });
}

test('history: clones keep their keys at their addresses, and a third one gets its own', () => {
  const before = sweep([clone('10.0.0.1'), clone('10.0.0.2')]);
  const after = sweep([clone('10.0.0.3'), clone('10.0.0.2'), clone('10.0.0.1')], before);
  expect(after.slice(0, 2).map(({ deviceKey }) => deviceKey)).toEqual(before.map(({ deviceKey }) => deviceKey));
  expect(new Set(after.map(({ deviceKey }) => deviceKey)).size).toBe(3);
});

function behindRouter(address: string): Unkeyed {
  return unkeyed(address, { ids: { mac: MAC } });
}

test('history: devices behind a router, which all show its MAC, do not change keys', () => {
  const all = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6'];
  const before = sweep(all.map(behindRouter));
  const after = sweep(all.slice(1).map(behindRouter), before);
  expect(after.map(({ deviceKey }) => deviceKey)).toEqual(before.slice(1).map(({ deviceKey }) => deviceKey));
});

function keysByProduct(devices: readonly Device[]): string[] {
  return devices.map(({ product, deviceKey }) => `${product} ${deviceKey}`).toSorted();
}

test('history: two devices behind one address have keys of their own, which stay', () => {
  const views = [unkeyed('10.0.0.1'), unkeyed('10.0.0.1', IDRAC)];
  const before = sweep(views);
  expect(new Set(before.map(({ deviceKey }) => deviceKey)).size).toBe(2);
  expect(keysByProduct(sweep(views.toReversed(), before))).toEqual(keysByProduct(before));
  expect(keysByProduct(sweep(views.toReversed()))).toEqual(keysByProduct(before));
});

test('history: another device at an address does not get the key of the one before', () => {
  const before = sweep([unkeyed('10.0.0.1')]);
  const [after] = sweep([unkeyed('10.0.0.1', IDRAC)], before);
  expect(after?.deviceKey).not.toBe(before[0]?.deviceKey);
});

test('history: keys are the same without a history, whatever the order', () => {
  const views = [unkeyed('10.0.0.1', { ids: { mac: MAC } }), unkeyed('10.0.0.2', { ids: { serial: 'A1' } }), unkeyed('10.0.0.3')];
  expect(sweep(views.toReversed())).toEqual(sweep(views));
});

test('history: no two devices of any sweep have one key, and a sweep over itself keeps all', () => {
  const ids = fc.record(
    {
      serial: fc.constantFrom('A1', 'A2'),
      mac: fc.constantFrom(MAC, OTHER_MAC),
      guid: fc.constantFrom(UUID, OTHER_UUID),
      spki: fc.constantFrom(KEY, OTHER_KEY),
    },
    { requiredKeys: [] },
  );
  const view = fc
    .tuple(fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'), ids, fc.constantFrom<Partial<Unkeyed>>({}, IDRAC))
    .map(([address, own, rest]) => unkeyed(address, { ...rest, ids: own }));
  const views = fc.uniqueArray(view, { maxLength: 6, selector: ({ addresses, product }) => `${addresses[0]} ${product}` });
  fc.assert(
    fc.property(views, views, (first, second) => {
      const before = sweep(first);
      const after = sweep(second, before);
      expect(new Set(after.map(({ deviceKey }) => deviceKey)).size).toBe(after.length);
      expect(new Set(pair(after, before).values()).size).toBe(pair(after, before).size);
      expect(sweep(first, before).map(({ deviceKey }) => deviceKey)).toEqual(before.map(({ deviceKey }) => deviceKey));
    }),
  );
});
