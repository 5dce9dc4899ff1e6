import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { snmp } from '../../src/probes/snmp.ts';
import { BerReader } from '../../src/sweep/ber.ts';
import { refuseBytes } from '../../src/sweep/messages.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

/** BER as an agent writes it, apart from the code under test. */
function ber(tag: number, ...parts: readonly (Buffer | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
const seq = (...parts: readonly Buffer[]): Buffer => ber(0x30, ...parts);
const int = (number: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes.writeIntBE(number, 0, 5);
  let from = 0;
  while (from < 4 && (bytes[from] === 0 ? (bytes[from + 1] ?? 0) < 0x80 : bytes[from] === 0xff && (bytes[from + 1] ?? 0) >= 0x80))
    from += 1;
  return ber(0x02, bytes.subarray(from));
};
const text = (bytes: Buffer | string): Buffer => ber(0x04, Buffer.from(bytes));

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
  readonly pdu?: number;
  readonly encrypted?: boolean;
}

function report({
  version = 3,
  id = MESSAGE_ID,
  engine = '80001f88808f959b2a1536036b00000000',
  boots = 1,
  time = 2,
  user = '',
  pdu = 0xa8,
  encrypted = false,
}: Agent = {}): Buffer {
  const engineId = Buffer.from(engine, 'hex');
  const usm = seq(text(engineId), int(boots), int(time), text(user), text(''), text(''));
  const scoped = seq(text(engineId), text(''), ber(pdu, int(0), int(0), int(0), seq(seq(ber(0x06, UNKNOWN_ENGINE_IDS), ber(0x41, [1])))));
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
  { name: 'a request that names an engine', bytes: report({ pdu: 0xa0 }) },
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
