import { ProbeError } from '../errors.ts';
import { BerReader, TAG } from '../sweep/snmp/ber.ts';
import type { Answer, Datagram, DatagramWire, UdpProbe } from '../sweep/contract.ts';
import { SNMP_DISCOVERY, SNMP_GET } from '../sweep/messages.ts';
import { commonOids } from '../sweep/snmp/oids.ts';
import { NO_CREDENTIALS, type SnmpCommunity, type SnmpCredentials } from '../sweep/snmp/credentials.ts';
import type { Facts } from '../vocabulary.ts';
import { encode, integer, objectIdentifier } from './ber.ts';
import { valueText } from './snmp-value.ts';

const VERSION_3 = 3;
/** RFC 3411 section 5, SnmpEngineID: 5 to 32 octets. */
const MAX_ENGINE_ID = 32;
const FORMAT_MAC = 3;
const FORMAT_TEXT = 4;
/** How much longer the answers to the communities are waited for: to read an object takes an agent longer than to say who it is. */
const LATE_MS = 1600;

interface DiscoveryAnswer {
  readonly messageId: number;
  readonly engineId: Buffer;
  readonly boots: number;
  readonly time: number;
}

/** Of a message of SNMPv1 (RFC 1157 section 4) or v2c (RFC 1901 section 3). */
interface GetAnswer {
  readonly requestId: number;
  readonly status: number;
  readonly facts: Facts;
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

/** Four octets, whatever the number, so that the length of no message changes. */
const ID_OCTETS = 4;

/** GET of sysDescr.0 and sysObjectID.0 (RFC 1157 section 4.1.2, RFC 3416 section 4.2.1). */
function get({ version, community }: SnmpCommunity, requestId: number): Buffer {
  const variables = commonOids('sysDescr', 'sysObjectID').map(({ oid }) => encode(TAG.sequence, objectIdentifier(oid), encode(TAG.null)));
  const pdu = encode(TAG.getRequest, integer(requestId, ID_OCTETS), integer(0), integer(0), encode(TAG.sequence, ...variables));
  return encode(TAG.sequence, integer(version - 1), encode(TAG.octets, Buffer.from(community.reveal())), pdu);
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
  return scoped?.octets() !== undefined && scoped.octets() !== undefined && scoped.tag === TAG.getRequest;
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

/** A response to a GET of ours, with what it says, or undefined where it is none. */
function parseGet(bytes: Buffer): GetAnswer | undefined {
  const message = new BerReader(bytes).inside();
  const version = message?.integer();
  if ((version !== 0 && version !== 1) || message?.octets() === undefined) return undefined;
  const pdu = message.inside(TAG.response);
  const requestId = pdu?.integer();
  const status = pdu?.integer();
  const index = pdu?.integer();
  const variables = pdu?.inside();
  if (requestId === undefined || status === undefined || index === undefined || variables === undefined) return undefined;
  const facts: Record<string, string> = {};
  // Two were asked for. What stands behind the first that cannot be read is left.
  for (let left = 2; left > 0 && !variables.isEnd; left -= 1) {
    const variable = variables.inside();
    const oid = variable?.oid();
    const rule = commonOids('sysDescr', 'sysObjectID').find((one) => one.oid === oid);
    const text = valueText(variable?.tag === TAG.oid ? variable.oid() : variable?.octets());
    if (rule !== undefined && text !== undefined) facts[`snmp.${rule.means}`] = text;
  }
  return { requestId, status, facts };
}

/** The probe of SNMP, which knows also which credential an agent took. */
export interface SnmpHello extends UdpProbe {
  /** The first community, in the operator's order, that an agent has answered to. */
  taken(answers: readonly Answer[]): SnmpCommunity | undefined;
}

/**
 * SNMP engine discovery, and with communities given a GET of sysDescr and sysObjectID for each: once, in the first attempt, so that agents which speak
 * SNMPv1 and v2c only are found as well. Answers are told apart by their ids: that of the engine hides none of the others.
 */
export function snmpWith(given: SnmpCredentials): SnmpHello {
  /**
   * The ids of the messages of this process, by attempt. All addresses are asked with the same ones, because an answer is told apart before
   * anybody has looked at whom it comes from.
   */
  const ids = new Map<number, { readonly message: number; readonly request: number }>();
  /** The request ids by community, and the requests: the same for all addresses too. */
  const requests: number[] = [];
  let gets: readonly Datagram[] | undefined;

  function hello(attempt: number, random: () => number): readonly Datagram[] {
    let chosen = ids.get(attempt);
    if (chosen === undefined) {
      chosen = { message: fourOctets(random), request: fourOctets(random) };
      ids.set(attempt, chosen);
    }
    const discover = { name: SNMP_DISCOVERY, bytes: discovery(chosen) };
    if (attempt > 0) return [discover];
    gets ??= given.communities.map((community) => {
      const id = distinct(random, requests);
      requests.push(id);
      return { name: SNMP_GET, bytes: get(community, id) };
    });
    return [discover, ...gets];
  }

  function recognise(bytes: Buffer): string | undefined {
    const id = parseAnswer(bytes)?.messageId;
    if (id !== undefined) return [...ids.values()].some(({ message }) => message === id) ? SNMP_DISCOVERY : undefined;
    const at = requests.indexOf(parseGet(bytes)?.requestId ?? -1);
    return at < 0 ? undefined : nameOf(at);
  }

  function taken(answers: readonly Answer[]): SnmpCommunity | undefined {
    return given.communities.find((_, at) => answers.some(({ name }) => name === nameOf(at)));
  }

  /**
   * Reads who made the agent and how long it has been running, and with a community that it takes what it calls itself.
   *
   * Spec: RFC 3414 section 4 (discovery), RFC 3411 section 5 (engine id), RFC 3418 section 2 (the objects).
   * @throws {ProbeError} `silent` where no answer came, `not-this-protocol` where it names no engine
   */
  async function talk(wire: DatagramWire): Promise<Facts> {
    if (given.communities.length > 0) await wire.hear((answers) => taken(answers) !== undefined, LATE_MS);
    const bytes = wire.answers.find(({ name }) => name === SNMP_DISCOVERY)?.bytes;
    const read = given.communities.flatMap((_, at) => wire.answers.filter(({ name }) => name === nameOf(at)));
    if (bytes === undefined && read.length === 0) throw new ProbeError('silent', 'did not answer engine discovery');
    const answer = bytes === undefined ? undefined : parseAnswer(bytes);
    if (read.length === 0 && answer === undefined) throw new ProbeError('not-this-protocol', 'the answer names no SNMP engine');
    const engine =
      answer === undefined ? {} : { ...engineFacts(answer.engineId), 'snmp.engine.boots': answer.boots, 'snmp.engine.time': answer.time };
    const said = read.map((one) => parseGet(one.bytes)).find((one) => one?.status === 0)?.facts ?? {};
    return { ...engine, ...said };
  }

  return { id: 'snmp', speaks: 'datagrams', hello, recognise, talk, taken };
}

/** What the answer to a community is known by: each has its own, so that one which shows nothing hides none that shows more. */
function nameOf(at: number): string {
  return `${SNMP_GET} ${at + 1}`;
}

/** A number that no other community has. */
function distinct(random: () => number, taken: readonly number[]): number {
  let id = fourOctets(random);
  while (taken.includes(id)) id = 0x01000000 + ((id + 1) % 0x7f000000);
  return id;
}

export const snmp = snmpWith(NO_CREDENTIALS);
