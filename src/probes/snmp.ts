import { ProbeError } from '../errors.ts';
import type { Datagram, DatagramWire, UdpProbe } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { BerReader, TAG } from './ber.ts';

const NAME = 'snmp.engine-discovery';
const VERSION_3 = 3;
/** PDU of our own request (RFC 3416 section 3): a device that echoes is not an agent. */
const GET_REQUEST = 0xa0;
/** RFC 3411 section 5, SnmpEngineID: 5 to 32 octets. */
const MAX_ENGINE_ID = 32;
const FORMAT_MAC = 3;
const FORMAT_TEXT = 4;

/**
 * The ids of the messages of this process, by attempt. All addresses are asked with the same ones, because an answer is told apart before
 * anybody has looked at whom it comes from.
 */
const ids = new Map<number, { readonly message: number; readonly request: number }>();

interface DiscoveryAnswer {
  readonly messageId: number;
  readonly engineId: Buffer;
  readonly boots: number;
  readonly time: number;
}

const DISCOVERY = [
  '303e020103', // a message of version 3
  '301102040000000002', // msgID
  '0300ffe3040104020103', // 65,507 octets at most, reportable, USM
  '0410300e0400020100020100040004000400', // no engine, no user
  '301404000400a00e0204000000000201000201003000', // GET without variables
].join('');
const MESSAGE_ID_AT = 9;
const REQUEST_ID_AT = 52;

/** Engine discovery: a GET without variables, an empty user and an empty engine id. 64 bytes, whatever the ids: 31 bits, the highest octet not 0. */
function discovery({ message, request }: { message: number; request: number }): Buffer {
  const bytes = Buffer.from(DISCOVERY, 'hex');
  bytes.writeUInt32BE(message, MESSAGE_ID_AT);
  bytes.writeUInt32BE(request, REQUEST_ID_AT);
  return bytes;
}

function fourOctets(random: () => number): number {
  return 0x01000000 + (random() % 0x7f000000);
}

function hello(attempt: number, random: () => number): readonly Datagram[] {
  let chosen = ids.get(attempt);
  if (chosen === undefined) {
    chosen = { message: fourOctets(random), request: fourOctets(random) };
    ids.set(attempt, chosen);
  }
  return [{ name: NAME, bytes: discovery(chosen) }];
}

/** An SNMPv3 message with USM parameters that name an engine (RFC 3412 section 6, RFC 3414 section 2.4), or undefined where it is none. */
function parseAnswer(bytes: Buffer): DiscoveryAnswer | undefined {
  const message = new BerReader(bytes).inside();
  if (message?.integer() !== VERSION_3) return undefined;
  const messageId = message.inside()?.integer();
  const security = message.octets();
  const usm = security === undefined ? undefined : new BerReader(security).inside();
  const engineId = usm?.octets();
  const boots = usm?.integer();
  const time = usm?.integer();
  if (messageId === undefined || engineId === undefined || engineId.length === 0 || boots === undefined || time === undefined)
    return undefined;
  return isEcho(message) ? undefined : { messageId, engineId: engineId.subarray(0, MAX_ENGINE_ID), boots, time };
}

/** True where the scoped PDU is a request. One that cannot be read (it may be encrypted) is none. */
function isEcho(message: BerReader): boolean {
  const scoped = message.inside(TAG.sequence);
  return scoped?.octets() !== undefined && scoped.octets() !== undefined && scoped.tag === GET_REQUEST;
}

/** What an engine id says (RFC 3411 section 5, SnmpEngineID): the enterprise, and in the newer form (highest bit set) what the rest is. */
function engineFacts(id: Buffer): Facts {
  const facts = { 'snmp.engine.id': id.toString('hex') };
  if (id.length < 5) return facts;
  const pen = { ...facts, 'snmp.engine.pen': id.readUInt32BE(0) & 0x7fffffff };
  if (id.readUInt8(0) < 0x80) return pen;
  const format = id.readUInt8(4);
  const rest = id.subarray(5);
  const known = { ...pen, 'snmp.engine.format': format };
  if (format === FORMAT_MAC && rest.length >= 6)
    return {
      ...known,
      'snmp.engine.mac': rest
        .subarray(0, 6)
        .toString('hex')
        .toUpperCase()
        .replace(/..(?!$)/g, '$&:'),
    };
  if (format === FORMAT_TEXT && rest.length > 0) return { ...known, 'snmp.engine.text': rest.toString('utf8') };
  return known;
}

/**
 * Reads the SNMPv3 engine that discovery brought to light: who made the agent, and how long it has been running. It needs no credential,
 * and nothing more is asked.
 *
 * Spec: RFC 3414 section 4 (discovery), RFC 3411 section 5 (engine id).
 * @throws {ProbeError} `silent` where no answer came, `not-this-protocol` where it names no engine
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const bytes = wire.answers.find(({ name }) => name === NAME)?.bytes;
  if (bytes === undefined) throw new ProbeError('silent', 'did not answer engine discovery');
  const answer = parseAnswer(bytes);
  if (answer === undefined) throw new ProbeError('not-this-protocol', 'the answer names no SNMP engine');
  return { ...engineFacts(answer.engineId), 'snmp.engine.boots': answer.boots, 'snmp.engine.time': answer.time };
}

export const snmp: UdpProbe = {
  id: 'snmp',
  speaks: 'datagrams',
  hello,
  recognise: (bytes) => {
    const id = parseAnswer(bytes)?.messageId;
    return id !== undefined && [...ids.values()].some(({ message }) => message === id) ? NAME : undefined;
  },
  talk,
};
