import type { Listener, Place } from './connections.ts';
import { listenUdp } from './datagrams.ts';
import type { SnmpService } from './persona.ts';
import { fill, type Values } from './templates.ts';

/** BER tags of what is read and written here (RFC 3416 section 3, X.690). */
const INTEGER = 0x02;
const OCTETS = 0x04;
const OID = 0x06;
const SEQUENCE = 0x30;
const COUNTER32 = 0x41;
const NO_SUCH_OBJECT = 0x80;
const GET = 0xa0;
const RESPONSE = 0xa2;
const REPORT = 0xa8;
const NO_SUCH_NAME = 2;

/** usmStatsUnknownEngineIDs.0, 1.3.6.1.6.3.15.1.1.4.0, and usmStatsUnknownUserNames.0, which is the third (RFC 3414 section 5). */
const UNKNOWN_ENGINE_IDS = Buffer.from([0x2b, 6, 1, 6, 3, 15, 1, 1, 4, 0]);
const UNKNOWN_USER_NAMES = Buffer.from([0x2b, 6, 1, 6, 3, 15, 1, 1, 3, 0]);
const V1 = 0;
const V2C = 1;
const V3 = 3;

/**
 * An SNMP agent that answers engine discovery, and a GET in SNMPv1 or v2c of whoever names one of its communities; other communities get silence, and it knows
 * no user.
 *
 * Spec: RFC 1157 section 4.1.2, RFC 3416 section 4.2.1, RFC 3412 section 6, RFC 3414 section 4.
 * @throws {InputError} `port-in-use`
 */
export function serveSnmp(service: SnmpService, place: Place, values: Values): Promise<Listener> {
  const engine = service.engine === undefined ? undefined : Buffer.from(fill(service.engine, values), 'hex');
  const objects = new Map(service.objects.map((object) => [identifier(object.oid).toString('hex'), valueOf(object, values)]));
  const started = performance.now();
  const counts = new Map<Buffer, number>();
  return listenUdp(place, (bytes) => {
    const get = readGet(bytes);
    if (get !== undefined) return service.communities.includes(get.community.toString()) ? respond(get, objects) : undefined;
    const asked = readSecured(bytes);
    if (asked === undefined || engine === undefined) return undefined;
    const counter = asked.engine.equals(engine) ? UNKNOWN_USER_NAMES : UNKNOWN_ENGINE_IDS;
    const count = (counts.get(counter) ?? 0) + 1;
    counts.set(counter, count);
    const time = service.upSeconds + Math.floor((performance.now() - started) / 1000);
    const msgId =
      service.mangle?.otherMsgId === true
        ? asked.msgId.map((byte, index) => (index === asked.msgId.length - 1 ? byte ^ 1 : byte))
        : asked.msgId;
    return mangled(
      report({ msgId: Buffer.from(msgId), requestId: asked.requestId, engine, boots: service.boots, time, counter, count }),
      service.mangle,
    );
  });
}

/** Message id of an SNMPv3 message as the bytes that came, its request id (a zero where it cannot be read), and the engine that it names; undefined where it is none. */
function readSecured(bytes: Buffer): { msgId: Buffer; requestId: Buffer; engine: Buffer } | undefined {
  const message = read(bytes, SEQUENCE);
  const version = read(message?.rest, INTEGER);
  if (version?.inside === undefined || version.inside.length !== 1 || version.inside[0] !== V3) return undefined;
  const global = read(version.after, SEQUENCE);
  const msgId = read(global?.rest, INTEGER)?.inside;
  const security = read(global?.after, OCTETS);
  const engine = read(read(security?.rest, SEQUENCE)?.rest, OCTETS)?.inside;
  const scoped = read(security?.after, SEQUENCE);
  const contextEngine = read(scoped?.rest, OCTETS);
  const context = read(contextEngine?.after, OCTETS);
  const pdu = read(context?.after, context?.after?.[0] ?? 0);
  const requestId = read(pdu?.rest, INTEGER)?.inside ?? Buffer.from([0]);
  return msgId === undefined || engine === undefined ? undefined : { msgId, requestId, engine };
}

/** A GET with a community; undefined where it is none. */
interface Get {
  readonly version: number;
  readonly community: Buffer;
  readonly requestId: Buffer;
  /** Object identifiers as they came. */
  readonly oids: readonly Buffer[];
}

function readGet(bytes: Buffer): Get | undefined {
  const version = read(read(bytes, SEQUENCE)?.rest, INTEGER);
  if (version?.inside.length !== 1 || (version.inside[0] !== V1 && version.inside[0] !== V2C)) return undefined;
  const community = read(version.after, OCTETS);
  const requestId = read(read(community?.after, GET)?.rest, INTEGER);
  const status = read(requestId?.after, INTEGER);
  const list = read(read(status?.after, INTEGER)?.after, SEQUENCE);
  if (community === undefined || requestId === undefined || list === undefined) return undefined;
  const oids: Buffer[] = [];
  for (let variable = read(list.rest, SEQUENCE); variable !== undefined; variable = read(variable.after, SEQUENCE)) {
    const oid = read(variable.rest, OID);
    if (oid === undefined) return undefined;
    oids.push(oid.inside);
  }
  return { version: version.inside.readUInt8(), community: community.inside, requestId: requestId.inside, oids };
}

/** SNMPv1 answers a request with an error where one object is missing, and says which; v2c marks that one. */
function respond({ version, community, requestId, oids }: Get, objects: ReadonlyMap<string, Buffer>): Buffer {
  const missing = oids.findIndex((oid) => !objects.has(oid.toString('hex')));
  const isError = version === V1 && missing >= 0;
  const variables = oids.map((oid) =>
    element(SEQUENCE, element(OID, oid), isError ? element(0x05) : (objects.get(oid.toString('hex')) ?? element(NO_SUCH_OBJECT))),
  );
  const pdu = element(
    RESPONSE,
    element(INTEGER, requestId),
    integer(isError ? NO_SUCH_NAME : 0),
    integer(isError ? missing + 1 : 0),
    element(SEQUENCE, ...variables),
  );
  return element(SEQUENCE, integer(version), element(OCTETS, community), pdu);
}

function valueOf({ text, hex, number, names }: SnmpService['objects'][number], values: Values): Buffer {
  if (number !== undefined) return integer(number);
  if (names !== undefined) return element(OID, identifier(names));
  return element(OCTETS, hex === undefined ? Buffer.from(fill(text ?? '', values)) : Buffer.from(fill(hex, values), 'hex'));
}

/** The octets of dotted digits: seven bits each, the first two numbers together (X.690 section 8.19). */
function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return Buffer.from(
    [first * 40 + second, ...rest].flatMap((number) => {
      const octets = [number & 0x7f];
      for (let left = number >>> 7; left > 0; left >>>= 7) octets.unshift(0x80 | (left & 0x7f));
      return octets;
    }),
  );
}

interface Element {
  readonly inside: Buffer;
  /** The same, for reading on inside it. */
  readonly rest: Buffer;
  readonly after: Buffer;
}

/** One element of a tag, with short lengths or long ones of one or two bytes. */
function read(bytes: Buffer | undefined, tag: number): Element | undefined {
  if (bytes === undefined || bytes.length < 2 || bytes[0] !== tag) return undefined;
  const first = bytes[1] ?? 0;
  const long = first > 0x80 ? first - 0x80 : 0;
  if (first === 0x80 || long > 2 || bytes.length < 2 + long) return undefined;
  const length = long === 0 ? first : bytes.readUIntBE(2, long);
  const from = 2 + long;
  if (bytes.length < from + length) return undefined;
  const inside = bytes.subarray(from, from + length);
  return { inside, rest: inside, after: bytes.subarray(from + length) };
}

interface Discovered {
  readonly msgId: Buffer;
  readonly requestId: Buffer;
  readonly engine: Buffer;
  readonly boots: number;
  readonly time: number;
  readonly counter: Buffer;
  readonly count: number;
}

function report({ msgId, requestId, engine, boots, time, counter, count }: Discovered): Buffer {
  const empty = element(OCTETS);
  const global = element(SEQUENCE, element(INTEGER, msgId), integer(65_507), element(OCTETS, Buffer.from([0])), integer(3));
  const security = element(OCTETS, element(SEQUENCE, element(OCTETS, engine), integer(boots), integer(time), empty, empty, empty));
  const binding = element(SEQUENCE, element(OID, counter), element(COUNTER32, integerBytes(count)));
  const pdu = element(REPORT, element(INTEGER, requestId), integer(0), integer(0), element(SEQUENCE, binding));
  return element(SEQUENCE, integer(V3), global, security, element(SEQUENCE, element(OCTETS, engine), empty, pdu));
}

function element(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function integer(value: number): Buffer {
  return element(INTEGER, integerBytes(value));
}

/** A number of zero or more, with a leading zero byte where the top bit would make it negative. */
function integerBytes(value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
}

function mangled(answer: Buffer, mangle: SnmpService['mangle']): Buffer {
  const bytes = Buffer.from(answer);
  // The outer length of four bytes promises two gigabytes.
  const lying =
    mangle?.longLength === true
      ? Buffer.concat([Buffer.from([SEQUENCE, 0x84, 0x7f, 0xff, 0xff, 0xff]), bytes.subarray(bytes[1] === 0x81 ? 3 : 2)])
      : bytes;
  return mangle?.cutTo === undefined ? lying : lying.subarray(0, mangle.cutTo);
}
