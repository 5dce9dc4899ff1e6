import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ForbiddenError, problem, ProbeError } from '../../src/errors.ts';
import { snmpRead } from '../../src/probes/snmp-read.ts';
import { valueText } from '../../src/probes/snmp-value.ts';
import type { Endpoint, SnmpAgent, SnmpReply, SnmpValue } from '../../src/sweep/contract.ts';
import { isListed } from '../../src/sweep/snmp/oids.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { expectVocabulary } from './facts.ts';

const SYSTEM = '1.3.6.1.2.1.1';
const ENTITY = '1.3.6.1.2.1.47.1.1.1.1';
const PX = '1.3.6.1.4.1.13742.6';

type Objects = Readonly<Record<string, SnmpValue>>;

interface Manners {
  readonly version?: 1 | 2 | 3;
  /** More objects at once are too big for it. */
  readonly most?: number;
  /** Requests that it answers, before it falls silent. */
  readonly patience?: number;
}

/** An agent without a network, with the manners of its version. It refuses what is not on the list, as the real session does. */
class PlaybackAgent implements SnmpAgent {
  readonly endpoint: Endpoint = { host: '127.0.0.1', transport: 'udp', port: 161 };
  readonly version: 1 | 2 | 3;
  readonly asked: string[][] = [];
  readonly #objects: Objects;
  readonly #most: number;
  readonly #patience: number;

  constructor(objects: Objects, { version = 2, most = 6, patience = 99 }: Manners = {}) {
    this.version = version;
    this.#objects = objects;
    this.#most = most;
    this.#patience = patience;
  }

  async get(oids: readonly string[]): Promise<SnmpReply> {
    if (oids.length === 0 || oids.length > 6 || !oids.every(isListed))
      throw new ForbiddenError(problem('not-allowed', { what: oids.join() }));
    this.asked.push([...oids]);
    if (this.asked.length > this.#patience) throw new ProbeError('silent', 'did not answer the request');
    if (oids.length > this.#most) return { status: 1, values: new Map() };
    const has = oids.filter((oid) => oid in this.#objects);
    if (this.version === 1 && has.length < oids.length) return { status: 2, values: new Map() };
    return { status: 0, values: new Map(has.map((oid) => [oid, this.#objects[oid] as SnmpValue])) };
  }
}

const text = (words: string): Buffer => Buffer.from(words);

const PDU: Objects = {
  [`${SYSTEM}.1.0`]: text('PX2 030404'),
  [`${SYSTEM}.2.0`]: PX,
  [`${SYSTEM}.5.0`]: text('pdu-7'),
  [`${SYSTEM}.6.0`]: text('Rack 7\0'),
  [`${PX}.3.2.1.1.3.1`]: text('PX2-2166'),
  [`${PX}.3.2.1.1.4.1`]: text('QLF2450117'),
  [`${PX}.3.2.3.1.6.1.1.1`]: text('030404'),
  [`${ENTITY}.5.1`]: 3,
  [`${ENTITY}.9.1`]: text('1.0 '),
  [`${ENTITY}.11.1`]: text('QLF2450117'),
  [`${ENTITY}.13.1`]: text('PX2'),
  '1.3.6.1.2.1.2.2.1.6.1': Buffer.alloc(0),
  '1.3.6.1.2.1.2.2.1.6.2': Buffer.from('000d5d0c99b0', 'hex'),
};
const PDU_FACTS: Facts = {
  'snmp.sysName': 'pdu-7',
  'snmp.sysLocation': 'Rack 7',
  'snmp.values': { [`${PX}.3.2.1.1.3.1`]: 'PX2-2166', [`${PX}.3.2.1.1.4.1`]: 'QLF2450117', [`${PX}.3.2.3.1.6.1.1.1`]: '030404' },
  'snmp.entity.firmware': '1.0',
  'snmp.entity.serial': 'QLF2450117',
  'snmp.entity.model': 'PX2',
  'snmp.mac': '00:0D:5D:0C:99:B0',
};
const KNOWN: Facts = { 'snmp.sysDescr': 'PX2 030404', 'snmp.sysObjectID': PX };

test.for<{ name: string; objects: Objects; manners?: Manners; known?: Facts; facts: Facts; requests: number }>([
  { name: 'v2c: what the sweep has asked is not asked again', objects: PDU, known: KNOWN, facts: PDU_FACTS, requests: 4 },
  { name: 'v3: everything is asked here', objects: PDU, manners: { version: 3 }, facts: { ...KNOWN, ...PDU_FACTS }, requests: 5 },
  { name: 'v1: one object at a time', objects: PDU, manners: { version: 1 }, known: KNOWN, facts: PDU_FACTS, requests: 2 + 3 + 4 + 2 },
  { name: 'v1 that did not say what it is', objects: PDU, manners: { version: 1 }, facts: { ...KNOWN, ...PDU_FACTS }, requests: 2 + 11 },
  {
    name: 'an agent that is asked too much at once',
    objects: PDU,
    manners: { most: 1 },
    known: KNOWN,
    facts: PDU_FACTS,
    requests: 4 + 2 + 3 + 4 + 2,
  },
  { name: 'an agent with nothing', objects: {}, known: KNOWN, facts: {}, requests: 4 },
  {
    name: 'v1 with nothing: the parts of an entity that is none are not asked for',
    objects: {},
    manners: { version: 1 },
    known: { 'snmp.sysObjectID': '1.3.6.1.4.1.8072.3.2.10' },
    facts: {},
    requests: 2 + 1 + 2,
  },
  {
    name: 'a maker without objects of its own',
    objects: { [`${SYSTEM}.5.0`]: text('box') },
    known: { 'snmp.sysObjectID': '1.3.6.1.4.1.8072.3.2.10' },
    facts: { 'snmp.sysName': 'box' },
    requests: 3,
  },
  {
    name: 'an entity that is no chassis is a part of something',
    objects: { ...PDU, [`${ENTITY}.5.1`]: 9 },
    known: KNOWN,
    facts: Object.fromEntries(Object.entries(PDU_FACTS).filter(([name]) => !name.startsWith('snmp.entity'))),
    requests: 4,
  },
  {
    name: 'a class that is written out is none',
    objects: { [`${ENTITY}.5.1`]: text('3'), [`${ENTITY}.11.1`]: text('X1') },
    known: KNOWN,
    facts: {},
    requests: 4,
  },
  {
    name: 'values that are no text',
    objects: { [`${PX}.3.2.1.1.3.1`]: 4711, [`${PX}.3.2.1.1.4.1`]: Buffer.from('ff00fe', 'hex'), [`${PX}.3.2.3.1.6.1.1.1`]: text('') },
    known: KNOWN,
    facts: { 'snmp.values': { [`${PX}.3.2.1.1.3.1`]: '4711', [`${PX}.3.2.1.1.4.1`]: 'ff00fe' } },
    requests: 4,
  },
  {
    name: 'a MAC that is written out',
    objects: { '1.3.6.1.2.1.2.2.1.6.1': text('0:d:5d:c:99:b0') },
    known: KNOWN,
    facts: { 'snmp.mac': '00:0D:5D:0C:99:B0' },
    requests: 4,
  },
  {
    name: 'a MAC that software has made up belongs to nobody',
    objects: { '1.3.6.1.2.1.2.2.1.6.1': Buffer.from('0242ac110002', 'hex'), '1.3.6.1.2.1.2.2.1.6.2': Buffer.from('ffffffffffff', 'hex') },
    known: KNOWN,
    facts: {},
    requests: 4,
  },
])('SNMP read: $name', async ({ objects, manners, known = {}, facts, requests }) => {
  const agent = new PlaybackAgent(objects, manners);
  const said = await snmpRead.talk(agent, known);
  expect(said).toEqual(facts);
  expect(agent.asked).toHaveLength(requests);
  expectVocabulary(said, 'snmp');
  if (agent.version === 1) expect(agent.asked.every(({ length }) => length === 1)).toBe(true);
});

test('SNMP read: nothing is asked twice', async () => {
  for (const version of [1, 2, 3] as const) {
    const agent = new PlaybackAgent(PDU, { version });
    await snmpRead.talk(agent, {});
    const all = agent.asked.flat();
    expect(new Set(all).size).toBe(all.length);
  }
});

test.for([0, 1, 2, 3])('SNMP read: what was said before an agent fell silent after %s answers is kept', async (patience) => {
  const error = await snmpRead.talk(new PlaybackAgent(PDU, { patience }), KNOWN).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ kind: 'silent', message: 'did not answer the request' });
  const { facts } = error as ProbeError;
  const names = Object.keys(PDU_FACTS);
  expect(Object.keys(facts)).toEqual(names.slice(0, [0, 2, 3, 6][patience]));
  for (const [name, value] of Object.entries(facts)) expect(value).toEqual(PDU_FACTS[name]);
});

test('SNMP read: a fault of ours is no silence of the device', async () => {
  const agent = new PlaybackAgent(PDU);
  agent.get = () => Promise.reject(new ForbiddenError(problem('not-allowed', { what: 'x' })));
  await expect(snmpRead.talk(agent, KNOWN)).rejects.toBeInstanceOf(ForbiddenError);
});

const anyValue = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);

test('SNMP read: whatever an agent says ends in facts or a ProbeError', () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1 as const, 2 as const, 3 as const),
      fc.array(fc.tuple(fc.constantFrom(...Object.keys(PDU)), anyValue)),
      fc.integer({ min: 0, max: 12 }),
      fc.constantFrom(0, 1, 2, 5, 16, 99),
      async (version, values, patience, status) => {
        const agent = new PlaybackAgent({ ...PDU, ...Object.fromEntries(values) }, { version, patience });
        const get = agent.get.bind(agent);
        if (status > 0) agent.get = async (oids) => (oids.length % 2 === 0 ? { status, values: new Map() } : await get(oids));
        try {
          expectVocabulary(await snmpRead.talk(agent, {}), 'snmp');
        } catch (error) {
          if (!(error instanceof ProbeError)) throw error;
          expectVocabulary(error.facts, 'snmp');
        }
        expect(agent.asked.length).toBeLessThan(40);
      },
    ),
    { numRuns: 300 },
  ));

test.for<{ name: string; value: SnmpValue | undefined; text: string | undefined }>([
  { name: 'nothing', value: undefined, text: undefined },
  { name: 'no octets', value: Buffer.alloc(0), text: undefined },
  { name: 'zeros', value: Buffer.alloc(4), text: undefined },
  { name: 'text with zeros behind it', value: text('KX3\0\0'), text: 'KX3' },
  { name: 'text with a zero in it', value: text('a\0b'), text: '610062' },
  { name: 'UTF-8', value: text('Würzburg'), text: 'Würzburg' },
  { name: 'Latin-1', value: Buffer.from('Würzburg', 'latin1'), text: '57fc727a62757267' },
  { name: 'a number', value: 0, text: '0' },
  { name: 'an identifier', value: '1.3.6.1', text: '1.3.6.1' },
  { name: 'too much', value: text('a'.repeat(70_000)), text: 'a'.repeat(4096) },
  { name: 'too much, cut in a character', value: text(`${'a'.repeat(4095)}ü${'b'.repeat(9)}`), text: `${'a'.repeat(4095)}\ufffd` },
])('a value of $name as text', ({ value, text: wanted }) => expect(valueText(value)).toBe(wanted));
