import { ProbeError } from '../errors.ts';
import type { DatagramWire, UdpProbe } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { Transactions } from './transactions.ts';

const NAME = 'slp.service-types';
const VERSION = 2;
const SERVICE_TYPE_REQUEST = 9;
const SERVICE_TYPE_REPLY = 10;
const ATTRIBUTE_REQUEST = 6;
const ATTRIBUTE_REPLY = 7;
/** Version, function, length, flags, extension, XID, and the length of the language (RFC 2608 section 8); then the language itself. */
const HEADER_BYTES = 14;
const XID_AT = 10;
const LANGUAGE = 'en';
const SCOPE = 'DEFAULT';
const ALL_AUTHORITIES = Buffer.from('ffff', 'hex');
const EMPTY = Buffer.from('0000', 'hex');

/**
 * The services of IBM's and Lenovo's controllers, whose attributes tell model and serial number, each with the name of its request in the list of what
 * may be sent (xcat2/confluent `discovery/protocols/slp.py`).
 */
const MANAGEMENT: ReadonlyMap<string, string> = new Map([
  ['service:management-hardware.IBM:integrated-management-module2', 'slp.attributes-imm2'],
  ['service:management-hardware.Lenovo:lenovo-xclarity-controller', 'slp.attributes-xcc'],
  ['service:management-hardware.IBM:chassis-management-module', 'slp.attributes-ibm-cmm'],
  ['service:management-hardware.Lenovo:chassis-management-module', 'slp.attributes-lenovo-cmm'],
  ['service:lenovo-smm', 'slp.attributes-smm'],
  ['service:lenovo-smm2', 'slp.attributes-smm2'],
  ['service:io-device.Lenovo:management-module', 'slp.attributes-io-module'],
]);

const MAX_LIST_BYTES = 8192;
const MAX_TYPES = 64;
const MAX_TYPE_CHARS = 128;
const MAX_ATTRIBUTES = 64;
const MAX_VALUE_CHARS = 256;

const transactions = new Transactions(16);

/** A text with its length before it. */
function counted(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function message(code: number, xid: number, ...parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(HEADER_BYTES - 2), counted(LANGUAGE), ...parts]);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUInt8(code, 1);
  bytes.writeUIntBE(bytes.length, 2, 3);
  bytes.writeUInt16BE(xid, XID_AT);
  return bytes;
}

/** All service types of all naming authorities (RFC 2608 section 10.1): one datagram, where a service request would be one for each type. */
function serviceTypeRequest(xid: number): Buffer {
  return message(SERVICE_TYPE_REQUEST, xid, EMPTY, ALL_AUTHORITIES, counted(SCOPE));
}

/** All attributes of all services of a type (RFC 2608 section 10.3): no previous responders, no tags, no key. */
function attributeRequest(xid: number, type: string): Buffer {
  return message(ATTRIBUTE_REQUEST, xid, EMPTY, counted(type), counted(SCOPE), EMPTY, EMPTY);
}

interface Reply {
  readonly code: number;
  readonly xid: number;
  readonly error: number;
  /** The list of types or attributes, at most 8 KiB; what does not fit into a datagram is cut off by the sender. */
  readonly list: string;
}

/** A reply with a list, or undefined where it is none. */
function parseReply(bytes: Buffer): Reply | undefined {
  if (bytes.length < HEADER_BYTES || bytes[0] !== VERSION) return undefined;
  const code = bytes.readUInt8(1);
  const at = HEADER_BYTES + bytes.readUInt16BE(HEADER_BYTES - 2);
  if ((code !== SERVICE_TYPE_REPLY && code !== ATTRIBUTE_REPLY) || at + 2 > bytes.length) return undefined;
  const length = at + 4 > bytes.length ? 0 : bytes.readUInt16BE(at + 2);
  return {
    code,
    xid: bytes.readUInt16BE(XID_AT),
    error: bytes.readUInt16BE(at),
    list: bytes.toString('utf8', at + 4, Math.min(bytes.length, at + 4 + Math.min(length, MAX_LIST_BYTES))),
  };
}

function isTypes({ code, xid }: Reply): boolean {
  return code === SERVICE_TYPE_REPLY && transactions.has(xid);
}

/** A secret that comes unasked is not kept. No device is known to send one. */
const SECRET = /pass|secret|key|community/i;

/** `(tag=value,value),(tag=value)` (RFC 2608 section 5): values with their escapes undone, and what is opaque in hex. */
function attributesOf(list: string): Record<string, string> {
  const attributes = new Map<string, string>();
  for (const [, tag = '', value = ''] of list.matchAll(/\(([^()=]{1,64})=([^()]*)\)/g)) {
    const said = value.split(',').map(unescaped).join(',').trim().slice(0, MAX_VALUE_CHARS);
    if (attributes.size < MAX_ATTRIBUTES && !attributes.has(tag) && !SECRET.test(tag) && said !== '') attributes.set(tag, said);
  }
  return Object.fromEntries(attributes);
}

function unescaped(value: string): string {
  const text = value.trim();
  if (/^\\FF/i.test(text)) return text.slice(3).replaceAll('\\', '').toLowerCase();
  return text.replace(/\\([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/**
 * Reads which service types a machine announces, and where one is that of an IBM or Lenovo controller, its attributes. Unicast only, and nothing is ever
 * registered (function 3): that is what makes this protocol an amplifier (CVE-2023-29552).
 *
 * Spec: RFC 2608 sections 8, 10.1 to 10.4.
 * @throws {ProbeError} `silent` where no answer came, `not-this-protocol` where it lists no types
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const bytes = wire.answers.find(({ name }) => name === NAME)?.bytes;
  if (bytes === undefined) throw new ProbeError('silent', 'did not answer the service type request');
  const reply = parseReply(bytes);
  if (reply === undefined || !isTypes(reply)) throw new ProbeError('not-this-protocol', 'the answer is no list of service types');
  const types = reply.list
    .split(',')
    .map((type) => type.trim().slice(0, MAX_TYPE_CHARS))
    .filter((type) => type !== '')
    .slice(0, MAX_TYPES);
  const facts: Facts = reply.error === 0 ? { 'slp.types': [...new Set(types)] } : { 'slp.error': reply.error };
  const management = types.find((type) => MANAGEMENT.has(type));
  if (management === undefined) return facts;
  // One try: a reply that is lost is not worth a third datagram.
  const xid = (reply.xid + 1) & 0xffff;
  const answer = await wire.ask(
    () => ({ name: MANAGEMENT.get(management) ?? '', bytes: attributeRequest(xid, management) }),
    (datagram) => {
      const said = parseReply(datagram);
      return said?.code === ATTRIBUTE_REPLY && said.xid === xid;
    },
    { tries: 1 },
  );
  const attributes = attributesOf((answer === undefined ? undefined : parseReply(answer))?.list ?? '');
  return Object.keys(attributes).length === 0 ? facts : { ...facts, 'slp.attributes': attributes };
}

export const slp: UdpProbe = {
  id: 'slp',
  speaks: 'datagrams',
  hello: (attempt, random) => [{ name: NAME, bytes: serviceTypeRequest(transactions.of(attempt, random)) }],
  recognise: (bytes) => {
    const reply = parseReply(bytes);
    return reply !== undefined && isTypes(reply) ? NAME : undefined;
  },
  talk,
};
