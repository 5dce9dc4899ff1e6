import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { ipmi, parseSuites } from '../../src/probes/ipmi.ts';
import type { Answer, Datagram } from '../../src/sweep/contract.ts';
import { refuseBytes } from '../../src/sweep/messages.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Measured: OpenIPMI `ipmi_sim` 2.0.33. */
const SIM_PONG = hex('0600ff06 000011be 402a0010 000011be 00000000 81 00 000000000000');
const SIM_AUTH = hex('0600ff07 00 00000000 00000000 10 811c63 20 54 38 00 01 97 06 03 000000 00 b3');
/** Intel AMT Implementation and Reference Guide, "Use RMCP Ping to Determine the Platform State". */
const amtPong = (own: string, rest = '01 20 000000000000'): Buffer => hex(`0600ff06 000011be 40010010 00000157 ${own} ${rest}`);
const AMT_PONG = amtPong('4260 b1 06', '00 a0 000000000000');
/** phosphor-net-ipmid writes the enterprise number in the order of its processor. */
const OPENBMC_PONG = hex('0600ff06 be110000 40010010 be110000 00000000 81 00 000000000000');

const sum = (bytes: readonly number[]): number => -bytes.reduce((a, b) => a + b, 0) & 0xff;

/** An answer as a device makes it, apart from the code under test. */
function reply({ sequence = 21, command = 0x38, code = 0, data = [] as readonly number[], v20 = false, netFn = 0x1c, spoil = 0 }): Buffer {
  const head = [0x81, netFn];
  const body = [0x20, sequence << 2, command, code, ...data];
  const message = [...head, sum(head), ...body, (sum(body) + spoil) & 0xff];
  const wrapper = v20
    ? [6, 0, 0xff, 7, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, message.length, 0]
    : [6, 0, 0xff, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, message.length];
  return Buffer.from([...wrapper, ...message]);
}

const AUTH_DATA = [1, 0x97, 0x06, 0x03, 0, 0, 0, 0];
const answers = (...datagrams: Buffer[]): Answer[] => datagrams.map((bytes) => ({ name: ipmi.recognise(bytes) ?? 'unknown', bytes }));

/** A device that answers some commands; its GUID, its cipher suite records, and what it refuses. */
interface Bmc {
  readonly guid?: string;
  readonly suites?: readonly number[];
  readonly suitesIn?: 'v20';
  readonly auth?: (version: '1.5' | '2.0') => { code?: number; data?: readonly number[] } | undefined;
  readonly codes?: Readonly<Record<number, number>>;
  readonly spoil?: number;
}

function bmc({ guid, suites, suitesIn, auth = () => undefined, codes = {}, spoil = 0 }: Bmc): (request: Datagram) => Buffer | undefined {
  return ({ bytes }) => {
    const v20 = bytes[4] === 6;
    const message = bytes.subarray(v20 ? 16 : 14);
    const sequence = message.readUInt8(4) >> 2;
    const command = message.readUInt8(5);
    const answer = (data: readonly number[]): Buffer =>
      reply({ sequence, command, code: codes[command] ?? 0, data: codes[command] === undefined ? data : [], v20, spoil });
    if (command === 0x37) return guid === undefined && codes[0x37] === undefined ? undefined : answer([...hex(guid ?? '')]);
    if (command === 0x54) {
      const page = message.readUInt8(8) & 0x3f;
      return suites === undefined || (suitesIn === 'v20') !== v20 ? undefined : answer([1, ...suites.slice(page * 16, page * 16 + 16)]);
    }
    const said = auth((message.readUInt8(6) & 0x80) === 0 ? '1.5' : '2.0');
    return said === undefined ? undefined : reply({ sequence, command, ...said });
  };
}

/** `C0 suite` with an algorithm of each kind. */
const records = (...suites: number[]): number[] => suites.flatMap((suite) => [0xc0, suite, 0x01, 0x41, 0x81]);
const GUID = '4c4c4544004d4b108050b4c04f4d3532';

interface Case {
  readonly name: string;
  readonly answers: readonly Answer[];
  readonly device?: Bmc;
  readonly budget?: number;
  readonly facts: Facts;
  readonly asked: readonly string[];
}

const SIM_PONG_FACTS = { 'ipmi.pong.iana': 4542, 'ipmi.pong.oem': '00000000', 'ipmi.pong.entities': 0x81, 'ipmi.pong.interactions': 0 };
const SIM_AUTH_FACTS = {
  'ipmi.auth.channel': 1,
  'ipmi.auth.types': 0x97,
  'ipmi.auth.status': 6,
  'ipmi.auth.extended': 3,
  'ipmi.auth.oem': 0,
};
const GUID_ASK = 'ipmi.system-guid';
const SUITES_ASK = 'ipmi.cipher-suites';
const NOTHING_ANSWERED = [GUID_ASK, SUITES_ASK, SUITES_ASK, 'ipmi.cipher-suites-v20', GUID_ASK];

test.for<Case>([
  {
    name: 'ipmi_sim answers all',
    answers: answers(SIM_PONG, SIM_AUTH),
    device: { guid: GUID, suites: records(0, 3, 17) },
    facts: { ...SIM_PONG_FACTS, ...SIM_AUTH_FACTS, 'ipmi.guid': GUID, 'ipmi.suites': [0, 3, 17] },
    asked: [GUID_ASK, SUITES_ASK],
  },
  {
    name: 'only Get Channel Authentication Capabilities is answered',
    answers: answers(SIM_AUTH),
    facts: SIM_AUTH_FACTS,
    asked: NOTHING_ANSWERED,
  },
  {
    name: 'OpenBMC: no GUID, suites in the v2.0 wrapper only, enterprise in little-endian',
    answers: answers(OPENBMC_PONG, reply({ data: [1, 0x80, 0x04, 0x02, 0, 0, 0, 0] })),
    device: { suites: records(3, 17), suitesIn: 'v20' },
    facts: {
      ...SIM_PONG_FACTS,
      'ipmi.auth.channel': 1,
      'ipmi.auth.types': 0x80,
      'ipmi.auth.status': 4,
      'ipmi.auth.extended': 2,
      'ipmi.auth.oem': 0,
      'ipmi.suites': [3, 17],
    },
    asked: NOTHING_ANSWERED,
  },
  {
    name: 'Intel AMT speaks no IPMI: its pong is all there is',
    answers: answers(AMT_PONG),
    facts: {
      'ipmi.pong.iana': 343,
      'ipmi.pong.oem': '4260b106',
      'ipmi.pong.entities': 0,
      'ipmi.pong.interactions': 0xa0,
      'ipmi.pong.dash': true,
      'amt.version': '11.1',
      'amt.provisioning': 'post',
      'amt.port': 16_992,
      'amt.ports': [16_992, 16_993],
    },
    asked: [],
  },
  {
    name: 'a pong that says IPMI: the other answer was lost and is asked for again',
    answers: answers(SIM_PONG),
    device: { auth: () => ({ data: AUTH_DATA }), guid: GUID, suites: [] },
    facts: { ...SIM_PONG_FACTS, ...SIM_AUTH_FACTS, 'ipmi.guid': GUID, 'ipmi.suites': [] },
    asked: ['ipmi.auth-capabilities', GUID_ASK, SUITES_ASK],
  },
  {
    name: 'a pong that says IPMI, and nothing else',
    answers: answers(SIM_PONG),
    facts: SIM_PONG_FACTS,
    asked: ['ipmi.auth-capabilities', 'ipmi.auth-capabilities'],
  },
  {
    name: 'an IPMI 1.5 device refuses the v2 form',
    answers: answers(reply({ code: 0xcc })),
    device: { auth: (version) => (version === '1.5' ? { data: [1, 0x14, 0x04, 0, 0, 0, 0, 0] } : { code: 0xcc }), guid: GUID },
    facts: {
      'ipmi.auth.code': 0xcc,
      'ipmi.auth.channel': 1,
      'ipmi.auth.types': 0x14,
      'ipmi.auth.status': 4,
      'ipmi.auth.extended': 0,
      'ipmi.auth.oem': 0,
      'ipmi.guid': GUID,
    },
    asked: ['ipmi.auth-capabilities-v15', GUID_ASK, SUITES_ASK, SUITES_ASK, 'ipmi.cipher-suites-v20'],
  },
  {
    name: 'a device that refuses both forms still speaks IPMI',
    answers: answers(reply({ code: 0xc1 })),
    device: { auth: () => ({ code: 0xc1 }) },
    facts: { 'ipmi.auth.code': 0xc1 },
    asked: ['ipmi.auth-capabilities-v15', ...NOTHING_ANSWERED],
  },
  {
    name: 'GUID and suites refused',
    answers: answers(SIM_AUTH),
    device: { codes: { 0x37: 0xd4, 0x54: 0xc1 }, suites: [] },
    facts: SIM_AUTH_FACTS,
    asked: [GUID_ASK, SUITES_ASK],
  },
  {
    name: 'OEM authentication names an enterprise, least significant byte first',
    answers: answers(reply({ data: [1, 0xa0, 0, 0x02, 0x7c, 0x2a, 0x00, 0x01] })),
    facts: { 'ipmi.auth.channel': 1, 'ipmi.auth.types': 0xa0, 'ipmi.auth.status': 0, 'ipmi.auth.extended': 2, 'ipmi.auth.oem': 10876 },
    asked: NOTHING_ANSWERED,
  },
  {
    name: 'a short answer is read as far as it goes',
    answers: answers(reply({ data: [1, 0x04] })),
    facts: { 'ipmi.auth.channel': 1, 'ipmi.auth.types': 4 },
    asked: NOTHING_ANSWERED,
  },
  {
    name: 'Supermicro X9: wrong checksums are told, not refused',
    answers: answers(reply({ data: AUTH_DATA, spoil: 1 })),
    device: { guid: GUID, suites: records(3), spoil: 1 },
    facts: { ...SIM_AUTH_FACTS, 'ipmi.guid': GUID, 'ipmi.suites': [3], 'ipmi.badChecksum': true },
    asked: [GUID_ASK, SUITES_ASK],
  },
  {
    name: 'suites over five pages',
    answers: answers(SIM_AUTH),
    device: { guid: GUID, suites: records(...Array.from({ length: 15 }, (_, i) => i)) },
    facts: { ...SIM_AUTH_FACTS, 'ipmi.guid': GUID, 'ipmi.suites': Array.from({ length: 15 }, (_, i) => i) },
    asked: [GUID_ASK, ...Array.from({ length: 5 }, () => SUITES_ASK)],
  },
  {
    name: 'suites without end: eight pages, and a silent GUID does not take their place',
    answers: answers(SIM_AUTH),
    device: { suites: Array.from({ length: 160 }, (_, i) => records(i % 20)[i % 5] ?? 0) },
    budget: 9,
    facts: { ...SIM_AUTH_FACTS, 'ipmi.suites': [1, 6, 11, 16] },
    asked: [GUID_ASK, ...Array.from({ length: 8 }, () => SUITES_ASK)],
  },
  {
    name: 'the account is spent',
    answers: answers(SIM_AUTH),
    device: { guid: GUID, suites: records(3) },
    budget: 1,
    facts: { ...SIM_AUTH_FACTS, 'ipmi.guid': GUID },
    asked: [GUID_ASK],
  },
])('IPMI: $name', async ({ answers: given, device = {}, budget = 9, facts, asked }) => {
  const wire = new PlaybackDatagrams(given, bmc(device), budget);
  const said = await ipmi.talk(wire, {});
  expect(said).toEqual(facts);
  expect(wire.asked.map(({ name }) => name)).toEqual(asked);
  expectVocabulary(said, 'ipmi');
  // Some controllers get confused by a number that comes twice in quick succession.
  const numbers = wire.asked.map(({ bytes }) => bytes.readUInt8(bytes[4] === 6 ? 20 : 18) >> 2);
  expect(new Set(numbers).size).toBe(numbers.length);
});

/** What a pong that is not IPMI's says, beyond the bytes as they are. */
test.for<{ name: string; pong: Buffer; facts: Facts }>([
  {
    name: 'AMT 11.0 that was never set up has no port yet',
    pong: amtPong('0000 b0 00'),
    facts: { 'ipmi.pong.dash': true, 'amt.version': '11.0', 'amt.provisioning': 'pre' },
  },
  {
    name: 'AMT 9.1 that is being set up, over TLS',
    pong: amtPong('4261 91 01'),
    facts: { 'ipmi.pong.dash': true, 'amt.version': '9.1', 'amt.provisioning': 'in', 'amt.port': 16_993 },
  },
  {
    name: 'AMT 16.1 has no room for its version in the nibbles',
    pong: amtPong('4261 00 02', '01 20 10 01 00000000'),
    facts: { 'ipmi.pong.dash': true, 'amt.version': '16.1', 'amt.provisioning': 'post', 'amt.port': 16_993 },
  },
  {
    name: 'AMT 5.0 tells neither version nor state, and DASH among the entities',
    pong: amtPong('4260 00 00', '21 00 000000000000'),
    facts: { 'ipmi.pong.dash': true, 'amt.port': 16_992 },
  },
  {
    name: 'a state that is none',
    pong: amtPong('4260 b0 03'),
    facts: { 'ipmi.pong.dash': true, 'amt.version': '11.0', 'amt.port': 16_992 },
  },
  { name: 'Intel, and nothing of AMT', pong: amtPong('0000 00 00', '01 00 000000000000'), facts: {} },
  {
    name: 'a DASH controller of another maker: the bytes are not those of AMT',
    pong: hex('0600ff06 000011be 40010010 000011be 4260 b0 00 01 20 000000000000'),
    facts: { 'ipmi.pong.dash': true },
  },
])('IPMI: pong, $name', async ({ pong, facts }) => {
  const said = await ipmi.talk(new PlaybackDatagrams(answers(pong)), {});
  expect(said).toEqual({
    'ipmi.pong.iana': pong.readUInt32BE(12),
    'ipmi.pong.oem': pong.toString('hex', 16, 20),
    'ipmi.pong.entities': pong.readUInt8(20),
    'ipmi.pong.interactions': pong.readUInt8(21),
    ...facts,
  });
  expectVocabulary(said, 'ipmi');
});

test.for<{ name: string; bytes: Buffer; is: string | undefined }>([
  { name: 'pong', bytes: SIM_PONG, is: 'ipmi.asf-ping' },
  { name: 'pong in the other byte order', bytes: OPENBMC_PONG, is: 'ipmi.asf-ping' },
  { name: 'authentication capabilities', bytes: SIM_AUTH, is: 'ipmi.auth-capabilities' },
  { name: 'the same in the v2.0 wrapper', bytes: reply({ data: AUTH_DATA, v20: true }), is: 'ipmi.auth-capabilities' },
  { name: 'system GUID', bytes: reply({ command: 0x37, data: [...hex(GUID)] }), is: 'ipmi.system-guid' },
  { name: 'cipher suites', bytes: reply({ command: 0x54, data: [1] }), is: 'ipmi.cipher-suites' },
  { name: 'an answer with a wrong checksum', bytes: reply({ data: AUTH_DATA, spoil: 3 }), is: 'ipmi.auth-capabilities' },
  { name: 'an answer with bytes after its end', bytes: Buffer.concat([SIM_AUTH, Buffer.alloc(3)]), is: 'ipmi.auth-capabilities' },
  { name: 'an answer to a command that was not sent', bytes: reply({ command: 0x01, data: [] }), is: undefined },
  { name: 'our own ping', bytes: hex('0600ff06 000011be 80010000'), is: undefined },
  { name: 'our own request', bytes: hex('0600ff07 00 00000000 00000000 09 2018c8 81 00 38 8e 04 b5'), is: undefined },
  { name: 'a request with our address', bytes: reply({ netFn: 0x18, data: AUTH_DATA }), is: undefined },
  { name: 'an RMCP acknowledgement of the ping', bytes: hex('0600ff86'), is: undefined },
  { name: 'an RMCP acknowledgement as long as a pong', bytes: Buffer.from([6, 0, 0xff, 0x86, ...SIM_PONG.subarray(4)]), is: undefined },
  { name: 'a pong that promises more than it has', bytes: SIM_PONG.subarray(0, 27), is: undefined },
  { name: 'a pong of another enterprise', bytes: hex('0600ff06 00000157 402a0010 000011be 00000000 81 00 000000000000'), is: undefined },
  { name: 'an answer that promises more than it has', bytes: SIM_AUTH.subarray(0, 29), is: undefined },
  { name: 'an answer too short for a completion code', bytes: hex('0600ff07 00 00000000 00000000 07 811c63 20 54 38 00'), is: undefined },
  { name: 'an encrypted payload', bytes: hex('0600ff07 06 c0 00000000 00000000 0800 811c63 20 54 38 00 54'), is: undefined },
  { name: 'nothing', bytes: Buffer.alloc(0), is: undefined },
])('IPMI: recognises $name as $is', ({ bytes, is }) => expect(ipmi.recognise(bytes)).toBe(is));

test.for<{ name: string; records: string; suites: number[] }>([
  { name: 'standard records', records: 'c0 00 00 40 80  c0 03 01 41 81  c0 11 03 44 81', suites: [0, 3, 17] },
  { name: 'several algorithms of a kind', records: 'c0 03 01 41 42 81 82  c0 11 03 44 81', suites: [3, 17] },
  { name: 'no integrity, no confidentiality', records: 'c0 01 01  c0 02 01 41', suites: [1, 2] },
  { name: 'an OEM suite has its own number', records: 'c1 80 57 01 00 01 41 81  c0 03 01 41 81', suites: [128, 3] },
  { name: 'an OEM record with number 0 is not suite 0', records: 'c1 00 57 01 00 01 41 81  c0 03 01 41 81', suites: [3] },
  { name: 'a record cut at the end', records: 'c0 03 01 41 81  c0 11', suites: [3] },
  { name: 'wrong tags on the algorithms (Sun ILOM): by place', records: 'c0 03 c1 c1 c1  c0 11 c3 c4 c1', suites: [3, 17] },
  { name: 'wrong tags on the records: by place', records: '00 03 01 41 81  00 11 03 44 81', suites: [3, 17] },
  { name: 'a suite listed twice', records: 'c0 03 01 41 81  c0 03 01 41 81', suites: [3] },
  { name: 'nothing', records: '', suites: [] },
])('IPMI: cipher suites, $name', ({ records: bytes, suites }) => expect(parseSuites(hex(bytes))).toEqual(suites));

test('IPMI: each attempt has a fresh tag and number, and is on the list of what may be sent', () =>
  fc.assert(
    fc.property(fc.array(fc.nat(0xffffffff), { minLength: 8, maxLength: 8 }), (numbers) => {
      const left = [...numbers];
      const sent = [0, 1, 2, 3].map((attempt) => ipmi.hello(attempt, () => left.pop() ?? 0));
      for (const { name, bytes } of sent.flat()) expect(refuseBytes(name, bytes)).toBeUndefined();
      expect(new Set(sent.map(([ping]) => ping?.bytes[9])).size).toBe(4);
      expect(sent.every(([ping]) => ping?.bytes[9] !== 0xff)).toBe(true);
      expect(new Set(sent.map(([, auth]) => auth?.bytes[18])).size).toBe(4);
    }),
  ));

test('IPMI: the bytes of the requests are those of the specification', async () => {
  const [ping, auth] = ipmi.hello(0, () => 0);
  expect(ping?.bytes.toString('hex')).toBe('0600ff06000011be80000000');
  expect(auth?.bytes.toString('hex')).toBe('0600ff07000000000000000000092018c88100388e04b5');
  const wire = new PlaybackDatagrams(answers(SIM_AUTH), undefined);
  await ipmi.talk(wire, {});
  // Sequence numbers 32 to 36, as rqSeq << 2 = 80, 84, 88, 8c, 90.
  expect(wire.asked.map(({ bytes }) => bytes.toString('hex'))).toEqual([
    '0600ff07000000000000000000072018c8818037c8',
    '0600ff070000000000000000000a2018c88184540e008019',
    '0600ff070000000000000000000a2018c88188540e008015',
    '0600ff07060000000000000000000a002018c8818c540e008011',
    '0600ff07000000000000000000072018c8819037b8',
  ]);
});

test('IPMI: an answer with a number that was not asked is none', async () => {
  const wire = new PlaybackDatagrams(answers(SIM_AUTH), () => reply({ command: 0x37, sequence: 1, data: [...hex(GUID)] }));
  expect(await ipmi.talk(wire, {})).not.toHaveProperty('ipmi.guid');
});

test('IPMI: nothing that counts was answered', () =>
  expect(ipmi.talk(new PlaybackDatagrams(answers(reply({ command: 0x37, data: [...hex(GUID)] }))), {})).rejects.toMatchObject({
    kind: 'silent',
  }));

/** Packets that are nearly right: noise alone never gets past the first byte. */
const nearly = fc
  .tuple(
    fc.constantFrom(
      SIM_PONG,
      AMT_PONG,
      SIM_AUTH,
      reply({ data: AUTH_DATA, v20: true }),
      reply({ command: 0x54, data: [1, ...records(3, 17)] }),
    ),
    fc.array(fc.tuple(fc.nat(40), fc.nat(255)), { maxLength: 4 }),
    fc.nat(48),
  )
  .map(([packet, changes, length]) => {
    const bytes = Buffer.concat([packet, Buffer.alloc(16)]).subarray(0, length);
    for (const [at, byte] of changes) if (at < bytes.length) bytes.writeUInt8(byte, at);
    return bytes;
  });

test('IPMI: any bytes end in facts or a ProbeError', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          nearly,
          fc.uint8Array({ maxLength: 64 }).map((noise) => Buffer.from(noise)),
        ),
        { minLength: 1, maxLength: 12 },
      ),
      async (datagrams) => {
        const given = datagrams.flatMap((bytes) =>
          ['ipmi.asf-ping', 'ipmi.auth-capabilities'].map((name) => ({ name: ipmi.recognise(bytes) ?? name, bytes })),
        );
        const left = [...datagrams];
        const wire = new PlaybackDatagrams(given, ({ bytes }) => {
          const answer = Buffer.from(left.pop() ?? []);
          if (answer.length > 18) answer.writeUInt8(bytes.readUInt8(bytes[4] === 6 ? 20 : 18), 18);
          return answer;
        });
        try {
          expectVocabulary(await ipmi.talk(wire, {}), 'ipmi');
        } catch (error) {
          if (!(error instanceof ProbeError)) throw error;
        }
        expect(wire.asked.length).toBeLessThanOrEqual(9);
      },
    ),
  ));

test('IPMI: any records are a list of small numbers', () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => {
      for (const suite of parseSuites(Buffer.from(bytes))) expect(suite).toBeLessThan(256);
    }),
  ));
