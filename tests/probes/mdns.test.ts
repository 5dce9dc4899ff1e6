import { type Answer, encode } from 'dns-packet';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { mdns } from '../../src/probes/mdns.ts';
import { ssdp } from '../../src/probes/ssdp.ts';
import type { Datagram } from '../../src/sweep/contract.ts';
import { refuseBytes } from '../../src/sweep/messages.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const HOST = '10.77.0.11';
const OTHER = '10.77.0.99';
const REVERSE = '11.0.77.10.in-addr.arpa';
const ALL_TYPES = '_services._dns-sd._udp.local';

const ptr = (name: string, data: string): Answer => ({ type: 'PTR', name, data });
const srv = (name: string, target: string, port = 443): Answer => ({ type: 'SRV', name, data: { target, port } });
const txt = (name: string, ...data: string[]): Answer => ({ type: 'TXT', name, data });
const a = (name: string, data = HOST): Answer => ({ type: 'A', name, data });
const aaaa = (name: string, data: string): Answer => ({ type: 'AAAA', name, data });

/** An answer as a responder makes it, by another library's encoder than the code under test reads its own questions with. */
function answer(...answers: Answer[]): Buffer {
  return encode({ type: 'response', id: 0, flags: 0x0400, answers });
}
/** The questions of a query, as another program would read them. */
function asked({ bytes }: Datagram): string[] {
  const list: string[] = [];
  let at = 12;
  for (let left = bytes.readUInt16BE(4); left > 0; left -= 1) {
    const labels: string[] = [];
    for (let length = bytes.readUInt8(at); length > 0; length = bytes.readUInt8(at)) {
      labels.push(bytes.toString('utf8', at + 1, at + 1 + length));
      at += 1 + length;
    }
    list.push(`${labels.join('|')} ${bytes.readUInt16BE(at + 1)}`);
    at += 5;
  }
  return list;
}
const wireOf = (answers: readonly Buffer[], respond?: (questions: string[]) => Buffer | undefined, host = HOST): PlaybackDatagrams =>
  new PlaybackDatagrams(
    answers.map((bytes) => ({ name: 'mdns.browse', bytes })),
    (request) => respond?.(asked(request)),
    9,
    host,
  );

/** What kvmd-bootconfig has avahi announce where it is switched on (pikvm/kvmd scripts/kvmd-bootconfig). */
const PIKVM_TXT = [
  'path=/',
  'protocol=https',
  'description=PiKVM Web Server',
  'model=v4plus',
  'video=hdmi',
  'board=rpi4',
  'base=V4',
  'serial=10000000ABCDEF12',
  'platform=v4plus-hdmi-rpi4',
];
const PIKVM = 'pikvm-10000000ABCDEF12';
const KEYS = {
  path: '/',
  protocol: 'https',
  description: 'PiKVM Web Server',
  model: 'v4plus',
  video: 'hdmi',
  board: 'rpi4',
  base: 'V4',
  serial: '10000000ABCDEF12',
  platform: 'v4plus-hdmi-rpi4',
};

interface Case {
  readonly name: string;
  readonly answers: readonly Answer[][];
  /** What it answers to further questions. */
  readonly further?: (questions: string[]) => Answer[];
  readonly host?: string;
  readonly facts: Facts;
  /** The further queries. */
  readonly asked?: string[][];
}

test.for<Case>([
  {
    name: 'a PiKVM, as avahi packs it into 512 bytes',
    answers: [
      [
        ptr('_pikvm._tcp.local', `${PIKVM}._pikvm._tcp.local`),
        txt(`${PIKVM}._pikvm._tcp.local`, ...PIKVM_TXT),
        srv(`${PIKVM}._pikvm._tcp.local`, 'pikvm.local'),
        aaaa('pikvm.local', 'fe80::1'),
        a('pikvm.local'),
        ptr(ALL_TYPES, '_pikvm._tcp.local'),
        ptr(ALL_TYPES, '_https._tcp.local'),
      ],
    ],
    facts: {
      'mdns.services': ['_https._tcp', '_pikvm._tcp'],
      'mdns.instances': [`${PIKVM}._pikvm._tcp`],
      'mdns.txt': KEYS,
      'mdns.hostname': 'pikvm.local',
    },
  },
  {
    name: 'of two values for a key that of the more telling type, whatever comes first',
    answers: [
      [
        srv('web._http._tcp.local', 'KVM.local'),
        txt('web._http._tcp.local', 'model=web', 'path=/login'),
        srv('zz._rack._tcp.local', 'kvm.local'),
        txt('zz._rack._tcp.local', 'Model=R2', 'model=R3', 'flag', 'empty=', '=nothing', 'WiFiPassword=hunter2', 'note=a=b'),
        srv('kvm [48:da:35:6e:39:d0]._workstation._tcp.local', 'kvm.local'),
        txt('kvm [48:da:35:6e:39:d0]._workstation._tcp.local'),
        a('kvm.local'),
      ],
    ],
    facts: {
      'mdns.services': ['_http._tcp', '_rack._tcp', '_workstation._tcp'],
      'mdns.instances': ['kvm [48:da:35:6e:39:d0]._workstation._tcp', 'web._http._tcp', 'zz._rack._tcp'],
      'mdns.txt': { model: 'R2', note: 'a=b', path: '/login' },
      'mdns.hostname': 'kvm.local',
      'mdns.mac': '48:DA:35:6E:39:D0',
    },
  },
  {
    name: 'a name and nothing else',
    answers: [[ptr(REVERSE, 'tinypilot.local')]],
    facts: { 'mdns.hostname': 'tinypilot.local' },
  },
  {
    name: 'answers in pieces, of which one comes twice',
    answers: [
      [ptr('_http._tcp.local', 'kvm-39d0._http._tcp.local')],
      [ptr('_http._tcp.local', 'kvm-39d0._http._tcp.local')],
      [srv('kvm-39d0._http._tcp.local', 'kvm-39d0.local', 80), txt('kvm-39d0._http._tcp.local', 'a=1')],
      [a('kvm-39d0.local')],
    ],
    facts: {
      'mdns.services': ['_http._tcp'],
      'mdns.instances': ['kvm-39d0._http._tcp'],
      'mdns.txt': { a: '1' },
      'mdns.hostname': 'kvm-39d0.local',
    },
  },
  {
    name: 'what is missing is asked: a type of the list, then what its instance says; the label has a dot',
    answers: [[ptr(ALL_TYPES, '_rack._tcp.local'), ptr(REVERSE, 'rack.local')]],
    further: (questions) =>
      questions.includes('_rack|_tcp|local 12')
        ? [ptr('_rack._tcp.local', 'Rack no. 7._rack._tcp.local')]
        : [txt('Rack no. 7._rack._tcp.local', 'serial=R7'), srv('Rack no. 7._rack._tcp.local', 'rack.local')],
    facts: {
      'mdns.services': ['_rack._tcp'],
      'mdns.instances': ['Rack no. 7._rack._tcp'],
      'mdns.txt': { serial: 'R7' },
      'mdns.hostname': 'rack.local',
    },
    asked: [['_rack|_tcp|local 12'], ['Rack no. 7|_rack|_tcp|local 33', 'Rack no. 7|_rack|_tcp|local 16']],
  },
  {
    name: 'a target without an address is asked for it',
    answers: [
      [ptr('_rack._tcp.local', 'r._rack._tcp.local'), srv('r._rack._tcp.local', 'rack.local'), txt('r._rack._tcp.local', 'serial=R7')],
    ],
    further: () => [a('rack.local')],
    facts: {
      'mdns.services': ['_rack._tcp'],
      'mdns.instances': ['r._rack._tcp'],
      'mdns.txt': { serial: 'R7' },
      'mdns.hostname': 'rack.local',
    },
    asked: [['rack|local 1']],
  },
  {
    name: 'a target whose address turns out to be another is left out',
    answers: [
      [ptr('_rack._tcp.local', 'r._rack._tcp.local'), srv('r._rack._tcp.local', 'rack.local'), txt('r._rack._tcp.local', 'serial=R7')],
    ],
    further: () => [a('rack.local', OTHER)],
    facts: {},
    asked: [['rack|local 1'], ['11|0|77|10|in-addr|arpa 12']],
  },
  {
    name: 'what nothing speaks against is believed',
    answers: [
      [ptr('_rack._tcp.local', 'r._rack._tcp.local'), srv('r._rack._tcp.local', 'rack.local'), txt('r._rack._tcp.local', 'serial=R7')],
    ],
    facts: {
      'mdns.services': ['_rack._tcp'],
      'mdns.instances': ['r._rack._tcp'],
      'mdns.txt': { serial: 'R7' },
      'mdns.hostname': 'rack.local',
    },
    asked: [['rack|local 1']],
  },
  {
    name: 'an address of another family says nothing about it',
    answers: [[srv('r._rack._tcp.local', 'rack.local'), txt('r._rack._tcp.local', 'serial=R7'), aaaa('rack.local', 'fd00::9')]],
    facts: {
      'mdns.services': ['_rack._tcp'],
      'mdns.instances': ['r._rack._tcp'],
      'mdns.txt': { serial: 'R7' },
      'mdns.hostname': 'rack.local',
    },
    asked: [['rack|local 1']],
  },
  {
    name: 'a reflector: its own answer, and that of a PiKVM on its other side',
    answers: [
      [ptr(ALL_TYPES, '_ssh._tcp.local'), srv('gate._ssh._tcp.local', 'gate.local', 22), txt('gate._ssh._tcp.local'), a('gate.local')],
      [
        ptr(ALL_TYPES, '_pikvm._tcp.local'),
        ptr('_pikvm._tcp.local', `${PIKVM}._pikvm._tcp.local`),
        txt(`${PIKVM}._pikvm._tcp.local`, ...PIKVM_TXT),
        srv(`${PIKVM}._pikvm._tcp.local`, 'pikvm.local'),
        a('pikvm.local', OTHER),
      ],
    ],
    facts: { 'mdns.services': ['_ssh._tcp'], 'mdns.instances': ['gate._ssh._tcp'], 'mdns.hostname': 'gate.local' },
  },
  {
    name: 'a reflector whose answers lost their addresses: one host has one name',
    answers: [
      [ptr(REVERSE, 'gate.local')],
      [txt(`${PIKVM}._pikvm._tcp.local`, ...PIKVM_TXT), srv(`${PIKVM}._pikvm._tcp.local`, 'pikvm.local')],
    ],
    facts: { 'mdns.hostname': 'gate.local' },
  },
  {
    name: 'a proxy for one that sleeps',
    answers: [
      [
        srv('r._rack._tcp.local', 'rack.local'),
        txt('r._rack._tcp.local', 'serial=R7'),
        a('rack.local', OTHER),
        ptr(ALL_TYPES, '_rack._tcp.local'),
      ],
    ],
    facts: {},
    asked: [['11|0|77|10|in-addr|arpa 12']],
  },
  {
    name: 'a host with several addresses',
    answers: [[srv('r._rack._tcp.local', 'rack.local'), txt('r._rack._tcp.local', 'serial=R7'), a('rack.local', OTHER), a('rack.local')]],
    facts: {
      'mdns.services': ['_rack._tcp'],
      'mdns.instances': ['r._rack._tcp'],
      'mdns.txt': { serial: 'R7' },
      'mdns.hostname': 'rack.local',
    },
  },
  {
    name: 'over IPv6',
    host: 'fd00::5',
    answers: [
      [
        ptr(`5.${'0.'.repeat(29)}d.f.ip6.arpa`, 'rack.local'),
        srv('r._rack._tcp.local', 'rack.local'),
        txt('r._rack._tcp.local', 'serial=R7'),
        srv('x._rack._tcp.local', 'x.local'),
        aaaa('x.local', 'fd00::6'),
      ],
    ],
    facts: {
      'mdns.services': ['_rack._tcp'],
      'mdns.instances': ['r._rack._tcp'],
      'mdns.txt': { serial: 'R7' },
      'mdns.hostname': 'rack.local',
    },
  },
  {
    name: 'a subtype is no instance, and a pointer to another type neither',
    answers: [[ptr('_http._tcp.local', 'x._rack._tcp.local'), srv('_printer._sub._http._tcp.local', 'a.local'), ptr(REVERSE, 'a.local')]],
    facts: { 'mdns.hostname': 'a.local' },
  },
])('mDNS: $name', async ({ answers, further, host = HOST, facts, asked: queries = [] }) => {
  const seen: string[][] = [];
  const wire = wireOf(
    answers.map((records) => answer(...records)),
    (questions) => {
      seen.push(questions);
      const records = further?.(questions);
      return records === undefined ? undefined : answer(...records);
    },
    host,
  );
  const said = await mdns.talk(wire, {});
  expect(said).toEqual(facts);
  expect(seen).toEqual(queries);
  expectVocabulary(said, 'mdns');
});

test('mDNS: the hello is one datagram for one address, and another for all', () => {
  const [one, ...none] = mdns.hello(0, () => 0, HOST);
  expect(none).toEqual([]);
  const types = ['http', 'https', 'ssh', 'rfb', 'workstation', 'services', 'redfish', 'obmc_redfish', 'obmc_console', 'pikvm'].map(
    (type) => (type === 'services' ? '_services|_dns-sd|_udp|local 12' : `_${type}|_tcp|local 12`),
  );
  expect(asked(one as Datagram)).toEqual(['11|0|77|10|in-addr|arpa 12', ...types]);
  expect(asked(mdns.hello(0, () => 0, 'fd00::5')[0] as Datagram)[0]).toBe(`5|${'0|'.repeat(29)}d|f|ip6|arpa 12`);
  const [all] = mdns.link?.questions ?? [];
  expect(asked(all as Datagram)).toEqual(types);
  // RFC 6762 section 17: it must fit without being cut in two.
  expect(one?.bytes.length).toBeLessThan(512);
});

test.for<{ name: string; bytes: Buffer }>([
  { name: 'its own question', bytes: mdns.hello(0, () => 0)[0]?.bytes ?? Buffer.alloc(0) },
  { name: 'an answer without a record', bytes: answer() },
  { name: 'a refusal', bytes: Buffer.from('000084050000000000000000', 'hex') },
  {
    name: 'a name that points to itself',
    bytes: Buffer.from('00008400000000010000000 0c00c000c000100000078000201 00'.replaceAll(' ', ''), 'hex'),
  },
  { name: 'an answer that is cut', bytes: answer(a('kvm.local')).subarray(0, -1) },
  {
    name: 'more records than there are',
    bytes: Buffer.concat([Buffer.from('000084000000006400000000', 'hex'), answer(a('kvm.local')).subarray(12)]),
  },
  {
    name: 'ten thousand records',
    bytes: answer(...Array.from({ length: 10_000 }, (_, at) => ptr('_http._tcp.local', `${at}._http._tcp.local`))),
  },
  { name: 'an SSDP answer', bytes: Buffer.from('HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1::upnp:rootdevice\r\n\r\n') },
  { name: 'nothing', bytes: Buffer.alloc(0) },
])('mDNS: $name is no answer', ({ bytes }) => expect(mdns.recognise(bytes)).toBeUndefined());

test('mDNS: silence is said, and nothing is asked then', async () => {
  const wire = wireOf([]);
  await expect(mdns.talk(wire, {})).rejects.toMatchObject({ kind: 'silent' });
  expect(wire.asked).toEqual([]);
});

test('mDNS: two further queries at most, each of few questions and short', async () => {
  const names = Array.from({ length: 40 }, (_, at) => `_t${String(at).padStart(2, '0')}${'x'.repeat(30)}._tcp`);
  let round = 0;
  const wire = wireOf([answer(...names.map((type) => ptr(ALL_TYPES, `${type}.local`)))], (questions) => {
    round += 1;
    const [first = ''] = questions;
    return answer(ptr(first.split(' ')[0]?.replaceAll('|', '.') ?? '', `${round}.${first.split(' ')[0]?.replaceAll('|', '.')}`));
  });
  const facts = await mdns.talk(wire, {});
  expect(wire.asked).toHaveLength(2);
  for (const datagram of wire.asked) {
    expect(datagram.bytes.length).toBeLessThanOrEqual(320);
    expect(asked(datagram).length).toBeLessThanOrEqual(8);
  }
  expect((facts['mdns.services'] as string[]).length).toBeLessThanOrEqual(33);
});

/** Names, types and texts that go together often enough to mean something, and often do not. */
const label = fc.constantFrom('kvm', 'pikvm', 'a.b', 'x'.repeat(63), '\u0000', 'ü', '_tcp', '__proto__');
const type = fc.constantFrom('_http._tcp', '_pikvm._tcp', '_workstation._tcp', '_services._dns-sd._udp', '_x._sub._http._tcp', '_q._udp');
const name = fc.oneof(
  fc.tuple(label, type).map(([one, kind]) => `${one}.${kind}.local`),
  type.map((kind) => `${kind}.local`),
  label.map((one) => `${one}.local`),
  fc.constantFrom(REVERSE, 'local', '.', 'example.com'),
);
const record: fc.Arbitrary<Answer> = fc.oneof(
  fc.tuple(name, name).map(([owner, target]) => ptr(owner, target)),
  fc.tuple(name, name, fc.nat(65535)).map(([owner, target, port]) => srv(owner, target, port)),
  fc
    .tuple(name, fc.array(fc.oneof(fc.string({ maxLength: 60 }), fc.constantFrom('model=a', '__proto__=b', 'serial=')), { maxLength: 6 }))
    .map(([owner, texts]) => txt(owner, ...texts)),
  fc.tuple(name, fc.constantFrom(HOST, OTHER)).map(([owner, address]) => a(owner, address)),
);

test('mDNS: whatever records come, it ends in facts of the vocabulary, with questions that may be sent', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.array(record, { maxLength: 12 }), { minLength: 1, maxLength: 4 }), async (answers) => {
      const [first = [], ...rest] = answers;
      const replies = rest.map((records) => answer(...records));
      const wire = wireOf([answer(...first)], () => replies.pop());
      const facts = await mdns.talk(wire, {});
      expectVocabulary(facts, 'mdns');
      expect(wire.asked.length).toBeLessThanOrEqual(2);
      for (const datagram of wire.asked) expect(refuseBytes(datagram.name, datagram.bytes)).toBeUndefined();
    }),
  ));

/** Messages that are broken where it hurts: lengths, pointers and counts changed. */
const broken = fc
  .tuple(fc.array(record, { minLength: 1, maxLength: 20 }), fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 8 }), fc.nat(600))
  .map(([records, changes, cut]) => {
    const bytes = answer(...records);
    for (const [at, byte] of changes) if (at < bytes.length) bytes.writeUInt8(byte, at);
    return cut < 12 ? bytes : bytes.subarray(0, Math.max(12, bytes.length - (cut % 40)));
  });

test('mDNS: any bytes are an answer or none, and end in facts', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
        broken,
      ),
      async (bytes) => {
        const recognised = mdns.recognise(bytes);
        expect([undefined, 'mdns.browse']).toContain(recognised);
        const facts = await mdns
          .talk(
            wireOf([bytes], () => bytes),
            {},
          )
          .catch((error: unknown) => {
            if (!(error instanceof ProbeError)) throw error;
            return {};
          });
        expectVocabulary(facts, 'mdns');
      },
    ),
    { numRuns: 400 },
  ));

test('mDNS: names that go from pointer to pointer through half a message cost little', () => {
  const links = 900;
  const chain = Buffer.alloc(2 + links * 2);
  // In the data of a record of no known type, behind the header, a root name and ten bytes: a name of no label, then pointers, each to the one before.
  const from = 12 + 1 + 10;
  for (let at = 0; at < links; at += 1) chain.writeUInt16BE(0xc000 + from + (at === 0 ? 0 : at * 2), 2 + at * 2);
  const first = Buffer.concat([Buffer.from([0, 0xff, 0x00, 0, 1, 0, 0, 0, 0, chain.length >> 8, chain.length & 255]), chain]);
  const owner = 0xc000 + from + links * 2;
  const other = Buffer.from([owner >> 8, owner & 255, 0, 12, 0, 1, 0, 0, 0, 0, 0, 2, owner >> 8, owner & 255]);
  const header = Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 151, 0, 0, 0, 0]);
  const bytes = Buffer.concat([header, first, ...Array.from({ length: 150 }, () => other)]);
  expect(bytes.length).toBeLessThan(4096);
  expect(mdns.recognise(bytes), 'it is an answer, however odd').toBe('mdns.browse');
  // The quickest of some, so that what else this machine does is not counted.
  const rounds = Array.from({ length: 10 }, () => {
    const began = performance.now();
    mdns.recognise(bytes);
    return performance.now() - began;
  });
  expect(Math.min(...rounds)).toBeLessThan(50);
});

test('mDNS and SSDP: neither takes the other for its own', () => {
  const response = Buffer.from('HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1::upnp:rootdevice\r\n\r\n');
  expect(ssdp.recognise(response)).toBe('ssdp.root');
  expect(ssdp.recognise(answer(a('kvm.local')))).toBeUndefined();
});
