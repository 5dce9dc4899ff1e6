import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { encode, integer, objectIdentifier } from '../../src/probes/ber.ts';
import { snmp, snmpWith } from '../../src/probes/snmp.ts';
import { BerReader } from '../../src/sweep/snmp/ber.ts';
import { refuseBytes } from '../../src/sweep/messages.ts';
import { Secret, SnmpCredentials } from '../../src/sweep/snmp/credentials.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { ber, early, int, oid, pdu, seq, text } from '../support/ber.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const [request] = snmp.hello(0, () => 0x2a690000);
const MESSAGE_ID = request?.bytes.readUInt32BE(9) ?? 0;
const UNKNOWN_ENGINE_IDS = [0x2b, 6, 1, 6, 3, 15, 1, 1, 4, 0];

interface Agent {
  readonly version?: number;
  readonly id?: number;
  readonly engine?: string;
  readonly boots?: number;
  readonly time?: number;
  readonly user?: string;
  readonly tag?: number;
  readonly encrypted?: boolean;
}

function report({
  version = 3,
  id = MESSAGE_ID,
  engine = '80001f88808f959b2a1536036b00000000',
  boots = 1,
  time = 2,
  user = '',
  tag = 0xa8,
  encrypted = false,
}: Agent = {}): Buffer {
  const engineId = Buffer.from(engine, 'hex');
  const usm = seq(text(engineId), int(boots), int(time), text(user), text(''), text(''));
  const scoped = seq(text(engineId), text(''), ber(tag, int(0), int(0), int(0), seq(seq(ber(0x06, UNKNOWN_ENGINE_IDS), ber(0x41, [1])))));
  return seq(
    int(version),
    seq(int(id), int(65507), text(Buffer.from([0])), int(3)),
    text(usm),
    encrypted ? text(Buffer.alloc(40, 7)) : scoped,
  );
}

test.for<{ name: string; agent: Agent; facts: Facts }>([
  {
    name: 'net-snmp dates its installation',
    agent: {},
    facts: {
      'snmp.engine.id': '80001f88808f959b2a1536036b00000000',
      'snmp.engine.pen': 8072,
      'snmp.engine.format': 128,
      'snmp.engine.boots': 1,
      'snmp.engine.time': 2,
    },
  },
  {
    name: 'a MAC',
    agent: { engine: '8000013e0300c0b7a1b2c3', boots: 4, time: 86400 },
    facts: {
      'snmp.engine.id': '8000013e0300c0b7a1b2c3',
      'snmp.engine.pen': 318,
      'snmp.engine.format': 3,
      'snmp.engine.mac': '00:C0:B7:A1:B2:C3',
      'snmp.engine.boots': 4,
      'snmp.engine.time': 86400,
    },
  },
  {
    name: 'a text',
    agent: { engine: `800035ae04${Buffer.from('KX3-101').toString('hex')}` },
    facts: {
      'snmp.engine.id': '800035ae044b58332d313031',
      'snmp.engine.pen': 13742,
      'snmp.engine.format': 4,
      'snmp.engine.text': 'KX3-101',
      'snmp.engine.boots': 1,
      'snmp.engine.time': 2,
    },
  },
  {
    name: 'an IPv4 address',
    agent: { engine: '8000000901c0000201' },
    facts: {
      'snmp.engine.id': '8000000901c0000201',
      'snmp.engine.pen': 9,
      'snmp.engine.format': 1,
      'snmp.engine.boots': 1,
      'snmp.engine.time': 2,
    },
  },
  {
    name: 'the old form has no format',
    agent: { engine: '000000e80000000102030405' },
    facts: { 'snmp.engine.id': '000000e80000000102030405', 'snmp.engine.pen': 232, 'snmp.engine.boots': 1, 'snmp.engine.time': 2 },
  },
  {
    name: 'a MAC that is cut is none',
    agent: { engine: '8000013e0300c0' },
    facts: {
      'snmp.engine.id': '8000013e0300c0',
      'snmp.engine.pen': 318,
      'snmp.engine.format': 3,
      'snmp.engine.boots': 1,
      'snmp.engine.time': 2,
    },
  },
  {
    name: 'an id too short for an enterprise',
    agent: { engine: '80001f' },
    facts: { 'snmp.engine.id': '80001f', 'snmp.engine.boots': 1, 'snmp.engine.time': 2 },
  },
  {
    name: 'an id longer than there are is cut at 32 octets',
    agent: { engine: `80001f8805${'ab'.repeat(40)}`, boots: 2147483647, time: 2147483647 },
    facts: {
      'snmp.engine.id': `80001f8805${'ab'.repeat(27)}`,
      'snmp.engine.pen': 8072,
      'snmp.engine.format': 5,
      'snmp.engine.boots': 2147483647,
      'snmp.engine.time': 2147483647,
    },
  },
  {
    name: 'a long message',
    agent: { user: 'u'.repeat(300), engine: '8000000901c0000201' },
    facts: {
      'snmp.engine.id': '8000000901c0000201',
      'snmp.engine.pen': 9,
      'snmp.engine.format': 1,
      'snmp.engine.boots': 1,
      'snmp.engine.time': 2,
    },
  },
  {
    name: 'a scoped PDU that cannot be read',
    agent: { encrypted: true, engine: '8000000901c0000201' },
    facts: {
      'snmp.engine.id': '8000000901c0000201',
      'snmp.engine.pen': 9,
      'snmp.engine.format': 1,
      'snmp.engine.boots': 1,
      'snmp.engine.time': 2,
    },
  },
])('SNMP: $name', async ({ agent, facts }) => {
  const bytes = report(agent);
  expect(snmp.recognise(bytes)).toBe('snmp.engine-discovery');
  const wire = new PlaybackDatagrams([{ name: 'snmp.engine-discovery', bytes }]);
  const said = await snmp.talk(wire, {});
  expect(said).toEqual(facts);
  expect(wire.asked).toEqual([]);
  expectVocabulary(said, 'snmp');
});

/** Measured: net-snmp 5.9.3, two seconds after its first start. */
const MEASURED = Buffer.from(
  '3071020103301102042a690000020300ffe304010002010304' +
    '21301f041180001f88808f959b2a1536036b00000000020101020102040004000400' +
    '3036041180001f88808f959b2a1536036b000000000400a81f020437f0000002010002010030' +
    '11300f060a2b060106030f01010400410101',
  'hex',
);

test('SNMP: the measured answer of net-snmp', async () => {
  expect(MEASURED.length).toBe(115);
  MEASURED.writeUInt32BE(MESSAGE_ID, 9);
  expect(snmp.recognise(MEASURED)).toBe('snmp.engine-discovery');
  expect(await snmp.talk(new PlaybackDatagrams([{ name: 'snmp.engine-discovery', bytes: MEASURED }]), {})).toEqual({
    'snmp.engine.id': '80001f88808f959b2a1536036b00000000',
    'snmp.engine.pen': 8072,
    'snmp.engine.format': 128,
    'snmp.engine.boots': 1,
    'snmp.engine.time': 2,
  });
});

test.for<{ name: string; bytes: Buffer }>([
  { name: 'our own request', bytes: request?.bytes ?? Buffer.alloc(0) },
  { name: 'a request that names an engine', bytes: report({ tag: 0xa0 }) },
  { name: 'another message id', bytes: report({ id: MESSAGE_ID ^ 1 }) },
  { name: 'an empty engine id', bytes: report({ engine: '' }) },
  {
    name: 'a v2c answer',
    bytes: Buffer.from('302902010104067075626c6963a21c02042a6900000201000201003 00e300c06082b060102010101000500'.replace(' ', ''), 'hex'),
  },
  { name: 'version 2', bytes: report({ version: 2 }) },
  { name: 'an answer that is cut', bytes: report().subarray(0, 40) },
  { name: 'an indefinite length', bytes: Buffer.from('3080020103', 'hex') },
  { name: 'the bytes that end net-snmp for Node', bytes: Buffer.from('30840000', 'hex') },
  { name: 'nothing', bytes: Buffer.alloc(0) },
])('SNMP: $name is no answer of ours', ({ bytes }) => expect(snmp.recognise(bytes)).toBeUndefined());

test('SNMP: the request is 64 bytes, and the same for all addresses of an attempt', () => {
  const again = snmp.hello(0, () => 1);
  expect(again).toEqual([request]);
  expect(request?.bytes.length).toBe(64);
  const other = snmp.hello(1, () => 0xffffffff);
  expect(other[0]?.bytes.equals(request?.bytes ?? Buffer.alloc(0))).toBe(false);
  expect(snmp.recognise(report({ id: other[0]?.bytes.readUInt32BE(9) ?? 0 }))).toBe('snmp.engine-discovery');
});

test('SNMP: every request is on the list of what may be sent, and its ids are four octets', () => {
  let attempt = 10;
  fc.assert(
    fc.property(fc.nat(0xffffffff), (number) => {
      attempt += 1;
      for (const { name, bytes } of snmp.hello(attempt, () => number)) {
        expect(refuseBytes(name, bytes)).toBeUndefined();
        for (const at of [9, 52]) {
          expect(bytes.readUInt8(at)).toBeGreaterThan(0);
          expect(bytes.readUInt8(at)).toBeLessThan(0x80);
        }
        expect(bytes.readUInt16BE(50)).toBe(0x0204);
      }
    }),
  );
});

test.for<{ name: string; answers: { name: string; bytes: Buffer }[]; kind: string }>([
  { name: 'no answer', answers: [], kind: 'silent' },
  {
    name: 'an answer that names no engine',
    answers: [{ name: 'snmp.engine-discovery', bytes: report({ engine: '' }) }],
    kind: 'not-this-protocol',
  },
])('SNMP: $name', ({ answers, kind }) => expect(snmp.talk(new PlaybackDatagrams(answers), {})).rejects.toMatchObject({ kind }));

/** Answers that are nearly right. */
const nearly = fc
  .tuple(fc.array(fc.tuple(fc.nat(114), fc.nat(255)), { maxLength: 4 }), fc.integer({ min: 60, max: 116 }))
  .map(([changes, length]) => {
    const bytes = Buffer.from(report()).subarray(0, length);
    for (const [at, byte] of changes) if (at < bytes.length) bytes.writeUInt8(byte, at);
    return bytes;
  });

test('SNMP: any bytes end in facts or a ProbeError', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(
        nearly,
        fc.uint8Array({ maxLength: 130 }).map((noise) => Buffer.from(noise)),
      ),
      async (bytes) => {
        snmp.recognise(bytes);
        try {
          expectVocabulary(await snmp.talk(new PlaybackDatagrams([{ name: 'snmp.engine-discovery', bytes }]), {}), 'snmp');
        } catch (error) {
          if (!(error instanceof ProbeError)) throw error;
        }
      },
    ),
    { numRuns: 500 },
  ));

test.for<{ name: string; bytes: number[]; value: number | undefined }>([
  { name: 'one octet', bytes: [2, 1, 5], value: 5 },
  { name: 'negative', bytes: [2, 1, 0xff], value: -1 },
  { name: '32 bits unsigned', bytes: [2, 5, 0, 0xff, 0xff, 0xff, 0xff], value: 4294967295 },
  { name: 'a long form of the length', bytes: [2, 0x81, 1, 5], value: 5 },
  { name: 'no octet', bytes: [2, 0], value: undefined },
  { name: 'more octets than a number has', bytes: [2, 6, 1, 1, 1, 1, 1, 1], value: undefined },
  { name: 'a length past the end', bytes: [2, 2, 5], value: undefined },
  { name: 'a length of three octets', bytes: [2, 0x83, 0, 0, 1, 5], value: undefined },
  { name: 'a length that is cut', bytes: [2, 0x82, 0], value: undefined },
  { name: 'an indefinite length', bytes: [2, 0x80, 5, 0, 0], value: undefined },
  { name: 'another tag', bytes: [4, 1, 5], value: undefined },
])('BER: an integer of $name', ({ bytes, value }) => expect(new BerReader(Buffer.from(bytes)).integer()).toBe(value));

test('BER: nesting ends at eight levels', () => {
  let reader: BerReader | undefined = new BerReader(Array.from({ length: 20 }).reduce<Buffer>((inner) => seq(inner), Buffer.alloc(0)));
  let depth = 0;
  for (; reader !== undefined && depth < 20; depth += 1) reader = reader.inside();
  expect(depth).toBe(9);
});

// ---- communities ------------------------------------------------------------------------------------------------

const DESCR = '1.3.6.1.2.1.1.1.0';
const TYPE = '1.3.6.1.2.1.1.2.0';
const given = new SnmpCredentials([
  { version: 2, community: new Secret('reader') },
  { version: 1, community: new Secret('old reader') },
  { version: 3, name: new Secret('monitor') },
]);

/** The probe with communities, its hello, and what an agent would answer to each of them. */
function greeting(): { probe: ReturnType<typeof snmpWith>; ids: number[]; engineId: number } {
  const probe = snmpWith(given);
  const [discover, ...gets] = probe.hello(0, () => 0x2a690000);
  return {
    probe,
    engineId: discover?.bytes.readUInt32BE(9) ?? 0,
    ids: gets.map(({ bytes }) => bytes.readUInt32BE(bytes.indexOf(Buffer.from([0xa0])) + 4)),
  };
}

const answerTo = (version: number, id: number, variables: readonly (readonly [string, Buffer?])[], status = 0): Buffer =>
  early(version, 'reader', pdu({ tag: 0xa2, id, status, index: status, variables }));

test('SNMP: with communities the first attempt asks each of them once, in the version that it was given for; later ones ask none', () => {
  const probe = snmpWith(given);
  const first = probe.hello(0, () => 0x2a690000);
  expect(first.map(({ name }) => name)).toEqual(['snmp.engine-discovery', 'snmp.get', 'snmp.get']);
  expect(first[1]?.bytes.toString('hex')).toBe(
    early(1, 'reader', pdu({ id: first[1]?.bytes.readUInt32BE(17) ?? 0, variables: [[DESCR], [TYPE]] })).toString('hex'),
  );
  expect(first[2]?.bytes.toString('hex')).toBe(
    early(0, 'old reader', pdu({ id: first[2]?.bytes.readUInt32BE(21) ?? 0, variables: [[DESCR], [TYPE]] })).toString('hex'),
  );
  for (const { name, bytes } of first) expect(refuseBytes(name, bytes, given)).toBeUndefined();
  expect(
    probe.hello(0, () => 99),
    'all addresses are asked the same',
  ).toEqual(first);
  for (const attempt of [1, 2, 3]) expect(probe.hello(attempt, () => attempt).map(({ name }) => name)).toEqual(['snmp.engine-discovery']);
  expect(
    snmp.hello(0, () => 0).map(({ name }) => name),
    'without communities',
  ).toEqual(['snmp.engine-discovery']);
});

test('SNMP: eight communities have eight request ids, whatever the random numbers are', () => {
  const eight = new SnmpCredentials(
    Array.from({ length: 8 }, (_, at) => ({ version: 2 as const, community: new Secret(`c${at}`.repeat(32)) })),
  );
  const probe = snmpWith(eight);
  const gets = probe.hello(0, () => 0xffffffff).slice(1);
  const names = gets.map(({ bytes }) => {
    expect(refuseBytes('snmp.get', bytes, eight)).toBeUndefined();
    return probe.recognise(
      early(1, 'x', pdu({ tag: 0xa2, id: bytes.readUInt32BE(bytes.indexOf(Buffer.from([0xa0])) + 4), variables: [] })),
    );
  });
  expect(names).toEqual(Array.from({ length: 8 }, (_, at) => `snmp.get ${at + 1}`));
});

test.for([
  { order: 'the report first', reversed: false },
  { order: 'the community first', reversed: true },
])('SNMP: the answers of one agent to v3 and v2c are both kept, $order', async ({ reversed }) => {
  const { probe, ids, engineId } = greeting();
  const datagrams = [
    report({ id: engineId }),
    answerTo(1, ids[0] ?? 0, [
      [DESCR, text('Laser Printer 4000')],
      [TYPE, oid('1.3.6.1.4.1.11.2')],
    ]),
  ];
  if (reversed) datagrams.reverse();
  const answers = datagrams.map((bytes) => ({ name: probe.recognise(bytes) ?? '', bytes }));
  expect(answers.map(({ name }) => name).toSorted()).toEqual(['snmp.engine-discovery', 'snmp.get 1']);
  const facts = await probe.talk(new PlaybackDatagrams(answers), {});
  expect(facts).toMatchObject({ 'snmp.engine.pen': 8072, 'snmp.sysDescr': 'Laser Printer 4000', 'snmp.sysObjectID': '1.3.6.1.4.1.11.2' });
  expect(probe.taken(answers)).toBe(given.communities[0]);
  expectVocabulary(facts, 'snmp');
});

test.for<{
  name: string;
  version?: number;
  community?: 0 | 1;
  variables: readonly (readonly [string, Buffer?])[];
  status?: number;
  facts: Facts;
}>([
  {
    name: 'an agent of v2c only',
    variables: [
      [DESCR, text('x')],
      [TYPE, oid('1.3.6.1.4.1.318.1.3.4.5')],
    ],
    facts: { 'snmp.sysDescr': 'x', 'snmp.sysObjectID': '1.3.6.1.4.1.318.1.3.4.5' },
  },
  {
    name: 'an agent of v1 only',
    version: 0,
    community: 1,
    variables: [
      [DESCR, text('y')],
      [TYPE, oid('1.3.6.1.4.1.1')],
    ],
    facts: { 'snmp.sysDescr': 'y', 'snmp.sysObjectID': '1.3.6.1.4.1.1' },
  },
  { name: 'v1 that has not both', version: 0, community: 1, variables: [[DESCR], [TYPE]], status: 2, facts: {} },
  {
    name: 'an empty sysDescr is none',
    variables: [
      [DESCR, text('')],
      [TYPE, oid('1.3.6.1.4.1.674.10892.5')],
    ],
    facts: { 'snmp.sysObjectID': '1.3.6.1.4.1.674.10892.5' },
  },
  {
    name: 'noSuchObject',
    variables: [
      [DESCR, ber(0x80)],
      [TYPE, oid('1.3.6.1.4.1.1')],
    ],
    facts: { 'snmp.sysObjectID': '1.3.6.1.4.1.1' },
  },
  {
    name: 'what was not asked is not taken',
    variables: [
      ['1.3.6.1.2.1.1.4.0', text('somebody')],
      [TYPE, oid('1.3.6.1.4.1.1')],
    ],
    facts: { 'snmp.sysObjectID': '1.3.6.1.4.1.1' },
  },
  {
    name: 'nor more than was asked',
    variables: [
      [TYPE, oid('1.3.6.1.4.1.1')],
      [TYPE, oid('1.3.6.1.4.1.2')],
      [DESCR, text('late')],
    ],
    facts: { 'snmp.sysObjectID': '1.3.6.1.4.1.2' },
  },
  {
    name: 'a text of 60,000 octets is cut',
    variables: [
      [DESCR, text('a'.repeat(60_000))],
      [TYPE, oid('1.3.6.1.4.1.1')],
    ],
    facts: { 'snmp.sysDescr': 'a'.repeat(4096), 'snmp.sysObjectID': '1.3.6.1.4.1.1' },
  },
  {
    name: 'an identifier of nonsense',
    variables: [
      [DESCR, text('x')],
      [TYPE, ber(0x06, [0x2b, 0x86])],
    ],
    facts: { 'snmp.sysDescr': 'x' },
  },
  { name: 'no variables', variables: [], facts: {} },
])('SNMP: $name', async ({ version = 1, community = 0, variables, status, facts }) => {
  const { probe, ids } = greeting();
  const bytes = answerTo(version, ids[community] ?? 0, variables, status);
  const name = `snmp.get ${community + 1}`;
  expect(probe.recognise(bytes)).toBe(name);
  expect(probe.taken([{ name, bytes }])).toBe(given.communities[community]);
  const said = await probe.talk(new PlaybackDatagrams([{ name, bytes }]), {});
  expect(said).toEqual(facts);
  expectVocabulary(said, 'snmp');
});

test('SNMP: of two communities that an agent takes, the one that shows something is used', async () => {
  const { probe, ids } = greeting();
  const answers = [
    { name: 'snmp.get 1', bytes: answerTo(1, ids[0] ?? 0, [], 16) },
    { name: 'snmp.get 2', bytes: answerTo(0, ids[1] ?? 0, [[DESCR, text('seen')]]) },
  ];
  expect(await probe.talk(new PlaybackDatagrams(answers), {})).toEqual({ 'snmp.sysDescr': 'seen' });
});

test.for<{ name: string; make: (ids: readonly number[]) => Buffer }>([
  { name: 'our own request', make: () => snmpWith(given).hello(0, () => 7)[1]?.bytes ?? Buffer.alloc(0) },
  { name: 'our own request with the right id', make: ([id = 0]) => early(1, 'reader', pdu({ id, variables: [[DESCR]] })) },
  { name: 'an answer with another id', make: ([id = 0]) => answerTo(1, id ^ 1, [[DESCR, text('x')]]) },
  { name: 'a trap', make: ([id = 0]) => early(1, 'reader', pdu({ tag: 0xa7, id })) },
  { name: 'a report in v2c', make: ([id = 0]) => early(1, 'reader', pdu({ tag: 0xa8, id })) },
  { name: 'an answer that is cut', make: ([id = 0]) => answerTo(1, id, [[DESCR, text('x')]]).subarray(0, 24) },
])('SNMP: $name is no answer to a community', ({ make }) => {
  const { probe, ids } = greeting();
  expect(probe.recognise(make(ids))).toBeUndefined();
});

test('SNMP: without an answer to anything there is nothing to say; without one to a community only that is missing', async () => {
  const { probe, engineId } = greeting();
  await expect(probe.talk(new PlaybackDatagrams([]), {})).rejects.toMatchObject({ kind: 'silent' });
  const answers = [{ name: 'snmp.engine-discovery', bytes: report({ id: engineId }) }];
  expect(await probe.talk(new PlaybackDatagrams(answers), {})).toMatchObject({ 'snmp.engine.pen': 8072 });
  expect(probe.taken(answers)).toBeUndefined();
});

test('SNMP: any answer to a community ends in facts or a ProbeError', () => {
  const { probe, ids } = greeting();
  const whole = answerTo(1, ids[0] ?? 0, [
    [DESCR, text('Laser Printer 4000')],
    [TYPE, oid('1.3.6.1.4.1.11.2')],
  ]);
  const nearlyAnswer = fc
    .tuple(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }), fc.integer({ min: 10, max: whole.length }))
    .map(([changes, length]) => {
      const bytes = Buffer.from(whole).subarray(0, length);
      for (const [at, byte] of changes) if (at < bytes.length) bytes.writeUInt8(byte, at);
      return bytes;
    });
  return fc.assert(
    fc.asyncProperty(
      fc.oneof(
        nearlyAnswer,
        fc.uint8Array({ maxLength: 90 }).map((noise) => Buffer.from(noise)),
      ),
      async (bytes) => {
        probe.recognise(bytes);
        try {
          expectVocabulary(await probe.talk(new PlaybackDatagrams([{ name: 'snmp.get 1', bytes }]), {}), 'snmp');
        } catch (error) {
          if (!(error instanceof ProbeError)) throw error;
        }
      },
    ),
    { numRuns: 500 },
  );
});

test.for<[hex: string, dotted: string | undefined]>([
  ['06082b06010201010100', DESCR],
  ['060a2b06010401eb2e060302', '1.3.6.1.4.1.13742.6.3.2'],
  ['06028837', '2.999'],
  ['060178', '2.40'],
  ['060100', '0.0'],
  ['06052b8fffffff7f'.slice(0, 14), undefined],
  ['06062b8fffffff7f', '1.3.4294967295'],
  ['06062b9080808000', undefined],
  ['0600', undefined],
  ['06022b86', undefined],
  ['04012b', undefined],
])('BER: the object identifier %s is %s', ([hex, dotted]) => {
  expect(new BerReader(Buffer.from(hex, 'hex')).oid()).toBe(dotted);
});

test('BER: what is written is read back', () =>
  fc.assert(
    fc.property(fc.array(fc.nat(0xffffffff), { maxLength: 20 }), fc.constantFrom('1.3', '0.39', '2.999'), (rest, head) => {
      const dotted = [head, ...rest].join('.');
      expect(new BerReader(objectIdentifier(dotted)).oid()).toBe(dotted);
      expect(objectIdentifier(dotted).equals(oid(dotted))).toBe(true);
    }),
  ));

test.for<[number, number | undefined, string]>([
  [0, undefined, '020100'],
  [127, undefined, '02017f'],
  [128, undefined, '02020080'],
  [0x7fffffff, undefined, '02047fffffff'],
  [5, 4, '020400000005'],
])('BER: %s in %s octets is written as %s', ([value, octets, hex]) => expect(integer(value, octets).toString('hex')).toBe(hex));

test.for([0, 127, 128, 255, 256, 65_535])('BER: a value of %s octets has its length', (length) => {
  const written = encode(0x04, Buffer.alloc(length, 1));
  expect(written.equals(ber(0x04, Buffer.alloc(length, 1)))).toBe(true);
  expect(new BerReader(written).octets()?.length).toBe(length);
});
