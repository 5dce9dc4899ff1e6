import { BerReader, TAG } from './ber.ts';
import { isListed } from './oids.ts';
import type { SnmpCredentials, SnmpUser } from './credentials.ts';

/**
 * The forms of what may be sent with a credential, read back from the bytes and apart from what builds them.
 * Each function says what is wrong with a message, never what is in it, or undefined where it may be sent.
 */

/** Version numbers in the message (RFC 1157 section 4, RFC 1901 section 3). */
const VERSION_OF: Readonly<Record<number, 1 | 2>> = { 0: 1, 1: 2 };
const VERSION_3 = 3;
const MAX_ID = 0x7fffffff;
/** RFC 3412 section 6.4: authenticated, encrypted, reportable. */
const FLAG = { auth: 1, privacy: 2, reportable: 4 } as const;
const USM = 3;
/** RFC 3411 section 5, SnmpEngineID. */
const MAX_ENGINE_ID = 32;
/** More in one request, and an old agent's answer does not fit its 484 octets. */
const MAX_OBJECTS = 6;

/** A GET of listed objects with a community that was given, in SNMPv1 or v2c. */
export function refuseGet(bytes: Buffer, given: SnmpCredentials): string | undefined {
  const whole = new BerReader(bytes);
  const message = whole.inside();
  if (message === undefined || !whole.isEnd) return 'no single message';
  const version = VERSION_OF[message.integer() ?? -1];
  if (version === undefined) return 'neither SNMPv1 nor v2c';
  const community = message.octets();
  if (community === undefined || !given.hasCommunity(version, community)) return 'a community that was not given';
  return refusePdu(message) ?? (message.isEnd ? undefined : 'more than one request');
}

/** Where the community of a message of SNMPv1 or v2c lies in it; undefined where it is none. */
export function communityIn(bytes: Buffer): Buffer | undefined {
  const message = new BerReader(bytes).inside();
  return VERSION_OF[message?.integer() ?? -1] === undefined ? undefined : message?.octets();
}

interface SecuredMessage {
  readonly flags: number;
  readonly engineId: Buffer;
  readonly boots: number;
  readonly time: number;
  readonly user: Buffer;
  readonly digest: Buffer;
  readonly salt: Buffer;
  /** At the scoped PDU, or the octets that it is encrypted in. */
  readonly rest: BerReader;
}

/** RFC 3414 section 2.4: boots and time are never negative. */
function isCount(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value <= MAX_ID;
}

/** The outer parts of an SNMPv3 message (RFC 3412 section 6, RFC 3414 section 2.4), or undefined where it is none. */
function readSecured(bytes: Buffer): SecuredMessage | undefined {
  const whole = new BerReader(bytes);
  const message = whole.inside();
  if (message === undefined || !whole.isEnd || message.integer() !== VERSION_3) return undefined;
  const header = message.inside();
  const id = header?.integer();
  const size = header?.integer();
  const flags = header?.octets();
  const model = header?.integer();
  const security = message.octets();
  const usm = security === undefined ? undefined : new BerReader(security).inside();
  const engineId = usm?.octets();
  const boots = usm?.integer();
  const time = usm?.integer();
  const user = usm?.octets();
  const digest = usm?.octets();
  const salt = usm?.octets();
  const flag = flags?.length === 1 ? flags[0] : undefined;
  if (flag === undefined || model !== USM || id === undefined || size === undefined) return undefined;
  if (engineId === undefined || engineId.length > MAX_ENGINE_ID || !isCount(boots) || !isCount(time)) return undefined;
  if (user === undefined || digest === undefined || salt === undefined) return undefined;
  return { flags: flag, engineId, boots, time, user, digest, salt, rest: message };
}

/** Engine discovery as the SNMP library makes it: no engine, no user, a GET of nothing. Its identifiers take as many octets as they need. */
export function refuseDiscovery(bytes: Buffer): string | undefined {
  const message = readSecured(bytes);
  if (message === undefined) return 'no SNMPv3 message';
  const { flags, engineId, boots, time, user, digest, salt, rest } = message;
  if (flags !== FLAG.reportable || [engineId, user, digest, salt].some(({ length }) => length > 0) || boots !== 0 || time !== 0)
    return 'a discovery that names an engine or a user';
  const scoped = rest.inside();
  if (scoped?.octets()?.length !== 0 || scoped.octets()?.length !== 0 || !rest.isEnd) return 'no empty context';
  const pdu = scoped.inside(TAG.getRequest);
  const variables = refuseHead(pdu) === undefined ? pdu?.inside() : undefined;
  return variables?.isEnd === true && scoped.isEnd ? undefined : 'no GET of nothing';
}

/** The flags of a user's messages. */
export function flagsOf({ auth, privacy }: SnmpUser): number {
  return (auth === undefined ? 0 : FLAG.auth) | (privacy === undefined ? 0 : FLAG.privacy);
}

/** What is decrypted: the encrypted octets of a message, its salt, and the engine that its key was made for. */
export interface Sealed {
  readonly octets: Buffer;
  readonly salt: Buffer;
  readonly engineId: Buffer;
  readonly boots: number;
  readonly time: number;
}

/**
 * A GET of listed objects as a user of SNMPv3, with the security that was given for him and no less. What is encrypted is decrypted again
 * (`unseal`) and looked into: it is to leave this machine like everything else.
 */
export function refuseUserGet(
  bytes: Buffer,
  given: SnmpUser,
  digestOctets: number,
  unseal: (sealed: Sealed) => Buffer,
): string | undefined {
  const message = readSecured(bytes);
  if (message === undefined) return 'no SNMPv3 message';
  const { flags, engineId, boots, time, user, digest, salt, rest } = message;
  if (flags !== (flagsOf(given) | FLAG.reportable)) return 'another security than was given for the user';
  if (!user.equals(Buffer.from(given.name.reveal()))) return 'a user that was not given';
  if (engineId.length === 0) return 'a request to no engine';
  if (digest.length !== digestOctets || (digestOctets > 0 && digest.every((octet) => octet === 0))) return 'no digest';
  let scoped: BerReader | undefined;
  if (given.privacy === undefined) scoped = rest.inside();
  else {
    const octets = rest.octets();
    // Padded to whole blocks where the cipher needs it.
    if (octets !== undefined) scoped = new BerReader(unseal({ octets, salt, engineId, boots, time })).inside();
  }
  if (scoped === undefined || !rest.isEnd) return 'no request that can be read';
  if (scoped.octets()?.equals(engineId) !== true || scoped.octets()?.length !== 0) return 'another context than the agent’s own';
  return refusePdu(scoped) ?? (scoped.isEnd ? undefined : 'more than one request');
}

/** A GET (RFC 3416 section 3, tag A0) of one to six listed objects, without values. */
function refusePdu(outer: BerReader): string | undefined {
  const pdu = outer.inside(TAG.getRequest);
  if (pdu === undefined) return 'no GET';
  const head = refuseHead(pdu);
  if (head !== undefined) return head;
  const list = pdu.inside();
  if (list === undefined || !pdu.isEnd) return 'no list of objects';
  let objects = 0;
  for (; !list.isEnd; objects += 1) {
    const variable = list.inside();
    const oid = variable?.oid();
    if (oid === undefined || variable?.content(TAG.null)?.length !== 0 || !variable.isEnd) return 'an object with a value';
    if (!isListed(oid)) return `the object ${oid}`;
  }
  return objects >= 1 && objects <= MAX_OBJECTS ? undefined : `${objects} objects at once`;
}

/** Identifier, and no error. */
function refuseHead(pdu: BerReader | undefined): string | undefined {
  const id = pdu?.integer();
  return id !== undefined && id >= 0 && id <= MAX_ID && pdu?.integer() === 0 && pdu.integer() === 0 ? undefined : 'no head of a request';
}

/** What an answer is, before anybody else looks at it: its version, and for SNMPv3 its security and whether it is a report. Undefined where it is no SNMP message. */
export function answerKind(bytes: Buffer): { readonly version: 1 | 2 | 3; readonly flags: number; readonly isReport: boolean } | undefined {
  const version = new BerReader(bytes).inside()?.integer();
  if (version === undefined) return undefined;
  const early = VERSION_OF[version];
  if (early !== undefined) return { version: early, flags: 0, isReport: false };
  const message = readSecured(bytes);
  if (message === undefined) return undefined;
  const scoped = message.rest.tag === TAG.sequence ? message.rest.inside() : undefined;
  const isReport = scoped?.octets() !== undefined && scoped.octets() !== undefined && scoped.tag === TAG.report;
  return { version: 3, flags: message.flags, isReport };
}
