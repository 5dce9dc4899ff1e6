import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Attachment, placesOf, type Unkeyed } from '../../src/devices/device.ts';
import { fuse, tokensOf } from '../../src/devices/fuse.ts';
import { attached, IDRAC, unkeyed, unnamed } from '../reconcile/build.ts';

const UUID = '00112233445566778899aabbccddeeff';
const SMBIOS = '33221100554477668899aabbccddeeff';
const REVERSED = 'ffeeddccbbaa99887766554433221100';
const KEY = 'ab'.repeat(32);
const OTHER_KEY = 'cd'.repeat(32);
const MAC = '00:00:5E:00:53:10';
const OTHER_MAC = '00:00:5E:00:53:11';

/** What is fused, and what each device says of what others share with it. */
function fused(devices: readonly Unkeyed[]): string[] {
  return fuse(devices).map((device) => [placesOf(device).join('+'), ...device.posture].join(' '));
}

interface Case {
  readonly name: string;
  readonly devices: readonly Unkeyed[];
  readonly expected: readonly string[];
}

test.for<Case>([
  {
    name: 'a serial number ties, in any spelling',
    devices: [unkeyed('10.0.0.1', { ids: { serial: 'ab 12' } }), unkeyed('10.0.0.2', { ids: { serial: 'AB12' } })],
    expected: ['10.0.0.1+10.0.0.2'],
  },
  {
    name: 'a serial number of another maker does not',
    devices: [unkeyed('10.0.0.1', { ids: { serial: 'AB12' } }), unkeyed('10.0.0.2', { ...IDRAC, ids: { serial: 'AB12' } })],
    expected: ['10.0.0.1', '10.0.0.2'],
  },
  {
    name: 'a serial number that nobody set does not',
    devices: ['10.0.0.1', '10.0.0.2'].map((address) => unkeyed(address, { ids: { serial: 'To Be Filled By O.E.M.' } })),
    expected: ['10.0.0.1', '10.0.0.2'],
  },
  {
    name: 'a serial number on boards with other GUIDs is that of the chassis',
    devices: [
      unkeyed('10.0.0.1', { ids: { serial: 'AB12', guid: UUID } }),
      unkeyed('10.0.0.2', { ids: { serial: 'AB12', guid: '1'.repeat(31) + '2' } }),
    ],
    expected: ['10.0.0.1 shared-identifier', '10.0.0.2 shared-identifier'],
  },
  {
    name: 'a serial number at very many addresses is copied',
    devices: Array.from({ length: 17 }, (_, i) => unkeyed(`10.0.0.${i + 1}`, { ids: { serial: 'AB12' } })),
    expected: Array.from({ length: 17 }, (_, i) => `10.0.0.${i + 1} shared-identifier`),
  },
  {
    name: 'a MAC ties',
    devices: [unkeyed('10.0.0.1', { ids: { mac: MAC } }), unkeyed('10.0.0.2', { ids: { mac: MAC } })],
    expected: ['10.0.0.1+10.0.0.2'],
  },
  {
    name: 'a MAC ties what one view knows by name to what the other does not',
    devices: [unkeyed('10.0.0.1', { ...IDRAC, ids: { mac: MAC } }), unnamed('10.0.0.2', { ids: { mac: MAC } })],
    expected: ['10.0.0.1+10.0.0.2'],
  },
  {
    name: 'a MAC does not tie other serial numbers',
    devices: [unkeyed('10.0.0.1', { ids: { mac: MAC, serial: 'A1' } }), unkeyed('10.0.0.2', { ids: { mac: MAC, serial: 'A2' } })],
    expected: ['10.0.0.1', '10.0.0.2'],
  },
  {
    name: 'a MAC with other certificates may be a router between',
    devices: [unkeyed('10.0.0.1', { ids: { mac: MAC, spki: KEY } }), unkeyed('10.0.0.2', { ids: { mac: MAC, spki: OTHER_KEY } })],
    expected: ['10.0.0.1', '10.0.0.2'],
  },
  {
    name: 'a MAC at more than four addresses is a router',
    devices: Array.from({ length: 5 }, (_, i) => unkeyed(`10.0.0.${i + 1}`, { ids: { mac: MAC } })),
    expected: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'],
  },
  {
    name: 'a GUID alone ties nothing, and both say so',
    devices: [unkeyed('10.0.0.1', { ids: { guid: UUID } }), unkeyed('10.0.0.2', { ids: { guid: UUID } })],
    expected: ['10.0.0.1 shared-identifier', '10.0.0.2 shared-identifier'],
  },
  {
    name: 'a key alone ties nothing, and both say so',
    devices: [unkeyed('10.0.0.1', { ids: { spki: KEY } }), unkeyed('10.0.0.2', { ids: { spki: KEY } })],
    expected: ['10.0.0.1 shared-certificate', '10.0.0.2 shared-certificate'],
  },
  {
    name: 'GUID and key together tie',
    devices: [unkeyed('10.0.0.1', { ids: { guid: UUID, spki: KEY } }), unkeyed('10.0.0.2', { ids: { guid: UUID, spki: KEY } })],
    expected: ['10.0.0.1+10.0.0.2'],
  },
  {
    name: 'a GUID in SMBIOS order, with the key',
    devices: [unkeyed('10.0.0.1', { ids: { guid: UUID, spki: KEY } }), unkeyed('10.0.0.2', { ids: { uuid: SMBIOS, spki: KEY } })],
    expected: ['10.0.0.1+10.0.0.2'],
  },
  {
    name: 'one GUID turned round and the other reversed, with the key',
    devices: [unkeyed('10.0.0.1', { ids: { guid: SMBIOS, spki: KEY } }), unkeyed('10.0.0.2', { ids: { guid: REVERSED, spki: KEY } })],
    expected: ['10.0.0.1+10.0.0.2'],
  },
  {
    name: 'a copied image: GUID and key agree, the MACs do not',
    devices: [
      unkeyed('10.0.0.1', { ids: { guid: UUID, spki: KEY, mac: MAC } }),
      unkeyed('10.0.0.2', { ids: { guid: UUID, spki: KEY, mac: OTHER_MAC } }),
    ],
    expected: ['10.0.0.1 shared-certificate shared-identifier', '10.0.0.2 shared-certificate shared-identifier'],
  },
  {
    name: 'devices told apart at one address stay apart, also through a third',
    devices: [
      unkeyed('10.0.0.1', { ids: { serial: 'A1' } }),
      unnamed('10.0.0.1', { ids: { mac: MAC }, endpoints: [{ host: '10.0.0.1', port: 8443, transport: 'tcp', probe: 'https' }] }),
      unnamed('10.0.0.2', { ids: { serial: 'A1', mac: MAC } }),
    ],
    // The serial number ties first.
    expected: ['10.0.0.1+10.0.0.2', '10.0.0.1'],
  },
  {
    name: 'what does not fit the first of a group may fit the second',
    devices: [
      unkeyed('10.0.0.1', { ...IDRAC, ids: { serial: 'A1' } }),
      unkeyed('10.0.0.2', { ids: { serial: 'A1' } }),
      unkeyed('10.0.0.3', { ids: { serial: 'A1' } }),
    ],
    expected: ['10.0.0.1', '10.0.0.2+10.0.0.3'],
  },
  {
    name: 'a serial number ties what answers to what a computer lists',
    devices: [attached('ws-1', { ids: { serial: 'A1' } }), unkeyed('10.0.0.1', { ids: { serial: 'A1' } })],
    expected: ['10.0.0.1+on ws-1'],
  },
  {
    name: 'a serial number ties one that was moved from one computer to another',
    devices: [attached('ws-1', { ids: { serial: 'A1' }, present: false }), attached('ws-2', { ids: { serial: 'A1' } })],
    expected: ['was on ws-1+on ws-2'],
  },
  {
    name: 'one product in two lists of one computer is one',
    devices: [attached('ws-1'), attached('ws-1', { certainty: 60 }), unnamed('10.0.0.1')],
    expected: ['10.0.0.1', 'on ws-1'],
  },
  {
    name: 'other serial numbers, and other products, at one computer are several',
    devices: [
      attached('ws-1', { ids: { serial: 'A1' } }),
      attached('ws-1', { ids: { serial: 'A2' } }),
      attached('ws-1', { vendor: 'JetKVM', product: 'JetKVM' }),
    ],
    expected: ['on ws-1', 'on ws-1', 'on ws-1'],
  },
  { name: 'one product at two computers is two', devices: [attached('ws-1'), attached('ws-2')], expected: ['on ws-1', 'on ws-2'] },
  {
    name: 'a computer that is known by its address is not what is attached to it',
    devices: [attached('10.0.0.1'), unkeyed('10.0.0.1')],
    expected: ['on 10.0.0.1', '10.0.0.1'],
  },
  { name: 'nothing in common', devices: [unkeyed('10.0.0.1'), unkeyed('10.0.0.2')], expected: ['10.0.0.1', '10.0.0.2'] },
])('fuse: $name', ({ devices, expected }) => {
  expect(fused(devices)).toEqual(expected);
  expect(fused(devices.toReversed())).toEqual(expected);
});

test('fuse: the surest view gives the identity, the others what it does not know', () => {
  const [one, ...rest] = fuse([
    unnamed('10.0.0.2', {
      certainty: 60,
      level: 'likely',
      version: '1.2',
      hostname: 'b',
      ids: { mac: MAC },
      firstSeen: '2026-01-01T00:00:00.000Z',
    }),
    unkeyed('10.0.0.1', {
      ...IDRAC,
      certainty: 99,
      hostname: 'a',
      ids: { mac: MAC },
      posture: ['legacy-tls'],
      firstSeen: '2026-01-02T00:00:00.000Z',
      lastSeen: '2026-01-03T00:00:00.000Z',
    }),
  ]);
  expect(rest).toEqual([]);
  expect(one).toMatchObject({
    ...IDRAC,
    hostname: 'a',
    version: '1.2',
    certainty: 99,
    addresses: ['10.0.0.1', '10.0.0.2'],
    posture: ['legacy-tls'],
    firstSeen: '2026-01-01T00:00:00.000Z',
    lastSeen: '2026-01-03T00:00:00.000Z',
  });
  expect(one?.identifiers.map(({ kind, value }) => `${kind} ${value}`)).toEqual([`mac ${MAC}`, 'ip 10.0.0.1', 'ip 10.0.0.2']);
  expect(one?.endpoints.map(({ host }) => host)).toEqual(['10.0.0.1', '10.0.0.2']);
});

test('fuse: loses no address, and its result does not depend on the order', () => {
  const id = fc.record({
    serial: fc.option(fc.constantFrom('A1', 'A2'), { nil: undefined }),
    mac: fc.option(fc.constantFrom(MAC, OTHER_MAC), { nil: undefined }),
    guid: fc.option(fc.constantFrom(UUID, SMBIOS, '2'.repeat(31) + '3'), { nil: undefined }),
    spki: fc.option(fc.constantFrom(KEY, OTHER_KEY), { nil: undefined }),
  });
  const views = fc.array(fc.tuple(id, fc.constantFrom<Partial<Unkeyed>>({}, IDRAC, { product: 'PiKVM', certainty: 70 })), { maxLength: 7 });
  fc.assert(
    fc.property(views, fc.infiniteStream(fc.nat()), (list, noise) => {
      const devices = list.map(([ids, rest], i) =>
        unkeyed(`10.0.0.${i + 1}`, { ...rest, ids: Object.fromEntries(Object.entries(ids).filter(([, value]) => value !== undefined)) }),
      );
      const result = fuse(devices);
      expect(result.flatMap(({ addresses }) => addresses).toSorted()).toEqual(devices.flatMap(({ addresses }) => addresses).toSorted());
      const shuffled = devices
        .map((one) => ({ one, at: noise.next().value ?? 0 }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ one }) => one);
      expect(fuse(shuffled)).toEqual(result);
    }),
  );
});

test('tokens: a placeholder is none, and a UUID told twice is one', () => {
  expect(
    tokensOf([
      { kind: 'serial', value: 'n/a', from: '' },
      { kind: 'fqdn', value: 'a.b', from: '' },
      { kind: 'ip', value: '10.0.0.1', from: '' },
    ]),
  ).toEqual([]);
  expect(
    tokensOf([
      { kind: 'guid', value: UUID, from: '' },
      { kind: 'uuid', value: SMBIOS, from: '' },
    ]),
  ).toHaveLength(1);
});

test('fuse: thousands of devices with one factory certificate take no time', () => {
  const devices = Array.from({ length: 5000 }, (_, i) =>
    unkeyed(`10.0.${i >> 8}.${i & 255}`, {
      ids: {
        spki: KEY,
        guid: UUID,
        mac: `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`.toUpperCase(),
      },
    }),
  );
  const from = performance.now();
  expect(fuse(devices)).toHaveLength(5000);
  expect(performance.now() - from).toBeLessThan(5000);
});

const EARLY = '2026-01-01T00:00:00.000Z';
const LATE = '2026-02-01T00:00:00.000Z';

test.for<{ name: string; lists: readonly Attachment[]; present: boolean }>([
  { name: 'the later by its time', lists: [listed(true, LATE), listed(false, EARLY)], present: true },
  { name: 'the later by its time and order', lists: [listed(false, EARLY), listed(true, LATE)], present: true },
  { name: 'one without a time after one with it', lists: [listed(true, LATE), listed(false)], present: false },
  { name: 'two without a time, there again', lists: [listed(false), listed(true)], present: true },
  { name: 'two without a time, gone', lists: [listed(true), listed(false)], present: false },
])('fuse: of two lists of one computer counts $name', ({ lists, present }) => {
  expect(
    fuse(lists.map((list) => ({ ...attached('ws-1'), attachedTo: [list] }))).map(({ attachedTo }) => attachedTo?.[0]?.present),
  ).toEqual([present]);
});

function listed(present: boolean, at?: string): Attachment {
  return { computer: 'ws-1', present, ...(at === undefined ? {} : { at }) };
}
