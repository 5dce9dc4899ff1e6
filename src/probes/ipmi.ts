import { ProbeError } from '../errors.ts';
import type { Datagram, DatagramWire, UdpProbe } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { amtFacts, INTEL } from './amt.ts';

/** RMCP header (DMTF DSP0136 section 3.2.2): version 1.0, sequence FF (no RMCP ACK, and OpenBMC answers nothing else), class. */
const RMCP_ASF = Buffer.from('0600ff06', 'hex');
const RMCP_IPMI = Buffer.from('0600ff07', 'hex');
const CLASS_ASF = 0x06;
const CLASS_IPMI = 0x07;

const ASF_IANA = 4542;
const ASF_PONG = 0x40;
const PONG_BYTES = 16;
/** In the pong's supported entities. */
const SPEAKS_IPMI = 0x80;
/** DMTF DASH (DSP0232): in the supported interactions; its first version had the same bit among the entities. */
const SPEAKS_DASH = 0x20;

/** Authentication type of the session header: IPMI v1.5 without authentication, and the RMCP+ format of v2.0 (IPMI v2.0 section 13.6). */
const FORMAT_15 = 0x00;
const FORMAT_20 = 0x06;
/** NetFn App, response; in the byte that it shares with the LUN. */
const APP_RESPONSE = 0x07;
/** Address, NetFn, checksum, address, sequence, command, completion code, checksum. */
const MIN_ANSWER_BYTES = 8;

const AUTH_CAPABILITIES = 0x38;
const SYSTEM_GUID = 0x37;
const CIPHER_SUITES = 0x54;
const THIS_CHANNEL = 0x0e;
const ADMINISTRATOR = 0x04;
const V20_DATA = 0x80;
const BY_SUITE = 0x80;
const COMPLETED = 0x00;

const GUID_BYTES = 16;
const PAGE_BYTES = 16;
const MAX_PAGES = 8;

/** The name of the request that a command answers. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [AUTH_CAPABILITIES, 'ipmi.auth-capabilities'],
  [SYSTEM_GUID, 'ipmi.system-guid'],
  [CIPHER_SUITES, 'ipmi.cipher-suites'],
]);
const ASF_PING = 'ipmi.asf-ping';

/** What an IPMI answer outside a session says. */
interface Answer {
  readonly command: number;
  readonly sequence: number;
  readonly code: number;
  readonly data: Buffer;
  /** Both checksums are right. Those of Supermicro X9 boards are not, so that is told and no reason to refuse. */
  readonly sound: boolean;
}

/** A request: its name in the list of what may be sent, and its bytes with a sequence number (6 bits). */
interface Request {
  readonly command: number;
  readonly name: string;
  build(sequence: number): Buffer;
}

const authCapabilities: Request = {
  command: AUTH_CAPABILITIES,
  name: 'ipmi.auth-capabilities',
  build: (sequence) => wrapped15(message(AUTH_CAPABILITIES, [THIS_CHANNEL | V20_DATA, ADMINISTRATOR], sequence)),
};
const authCapabilities15: Request = {
  command: AUTH_CAPABILITIES,
  name: 'ipmi.auth-capabilities-v15',
  build: (sequence) => wrapped15(message(AUTH_CAPABILITIES, [THIS_CHANNEL, ADMINISTRATOR], sequence)),
};
const systemGuid: Request = {
  command: SYSTEM_GUID,
  name: 'ipmi.system-guid',
  build: (sequence) => wrapped15(message(SYSTEM_GUID, [], sequence)),
};
function cipherSuites(page: number): Request {
  return {
    command: CIPHER_SUITES,
    name: 'ipmi.cipher-suites',
    build: (sequence) => wrapped15(message(CIPHER_SUITES, [THIS_CHANNEL, 0, BY_SUITE | page], sequence)),
  };
}
function cipherSuites20(page: number): Request {
  return {
    command: CIPHER_SUITES,
    name: 'ipmi.cipher-suites-v20',
    build: (sequence) => wrapped20(message(CIPHER_SUITES, [THIS_CHANNEL, 0, BY_SUITE | page], sequence)),
  };
}

/** An IPMI message (IPMI v2.0 section 13.8): to the BMC (20h), NetFn App, from remote software 81h. */
function message(command: number, data: readonly number[], sequence: number): Buffer {
  const head = [0x20, 0x18];
  const body = [0x81, (sequence & 0x3f) << 2, command, ...data];
  return Buffer.from([...head, checksum(head), ...body, checksum(body)]);
}

/** Two's complement of the sum: with it the bytes sum up to 0. */
function checksum(bytes: Iterable<number>): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return -sum & 0xff;
}

function wrapped15(bytes: Buffer): Buffer {
  return Buffer.concat([RMCP_IPMI, Buffer.alloc(9), Buffer.from([bytes.length]), bytes]);
}

function wrapped20(bytes: Buffer): Buffer {
  return Buffer.concat([RMCP_IPMI, Buffer.from([FORMAT_20]), Buffer.alloc(9), Buffer.from([bytes.length, 0]), bytes]);
}

/** RMCP/ASF presence ping (DSP0136 section 3.2.4.2). Tag FF would mean that no answer is wanted. */
function ping(tag: number): Buffer {
  return Buffer.concat([RMCP_ASF, Buffer.from('000011be80', 'hex'), Buffer.from([tag, 0, 0])]);
}

/** Fresh tag and sequence number for each attempt: the low bits are random, the high ones the attempt. Sequence numbers from 32 on are for the conversation. */
function hello(attempt: number, random: () => number): readonly Datagram[] {
  const tag = ((attempt & 3) << 6) | (random() & 0x3e);
  const sequence = ((attempt & 3) << 3) | (random() & 0x07);
  return [
    { name: ASF_PING, bytes: ping(tag) },
    { name: authCapabilities.name, bytes: authCapabilities.build(sequence) },
  ];
}

/** The data of an ASF presence pong (DSP0136 section 3.2.4.3), or undefined where it is none. An RMCP ACK has the highest bit of the class set and is none. */
function parsePong(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 12 || bytes[0] !== 0x06 || bytes[3] !== CLASS_ASF || bytes[8] !== ASF_PONG || enterprise(bytes, 4) !== ASF_IANA)
    return undefined;
  const length = bytes.readUInt8(11);
  return length < PONG_BYTES || 12 + length > bytes.length ? undefined : bytes.subarray(12, 12 + length);
}

/** An enterprise number in network order, as ASF has it; OpenBMC writes it the other way round. None has come near 2^24 yet. */
function enterprise(bytes: Buffer, at: number): number {
  const number = bytes.readUInt32BE(at);
  const swapped = bytes.readUInt32LE(at);
  return number > 0xffffff && swapped <= 0xffffff ? swapped : number;
}

/** An answer of NetFn App, or undefined where it is none: our own requests come back from some devices, and others say more than their datagram holds. */
function parseAnswer(bytes: Buffer): Answer | undefined {
  const content = messageOf(bytes);
  if (content === undefined || content.length < MIN_ANSWER_BYTES || content.readUInt8(1) >> 2 !== APP_RESPONSE) return undefined;
  return {
    command: content.readUInt8(5),
    sequence: content.readUInt8(4) >> 2,
    code: content.readUInt8(6),
    data: content.subarray(7, -1),
    sound: checksum(content.subarray(0, 3)) === 0 && checksum(content.subarray(3)) === 0,
  };
}

/** The IPMI message in an RMCP packet, in either wrapper. */
function messageOf(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 14 || bytes[0] !== 0x06 || bytes[3] !== CLASS_IPMI) return undefined;
  const format = bytes[4];
  if (format === FORMAT_15) return exactly(bytes.subarray(14), bytes.readUInt8(13));
  // Payload type 0 (IPMI message), neither encrypted nor authenticated.
  if (format === FORMAT_20 && bytes[5] === 0 && bytes.length >= 16) return exactly(bytes.subarray(16), bytes.readUInt16LE(14));
  return undefined;
}

function exactly(bytes: Buffer, length: number): Buffer | undefined {
  return length > bytes.length ? undefined : bytes.subarray(0, length);
}

function recognise(bytes: Buffer): string | undefined {
  if (parsePong(bytes) !== undefined) return ASF_PING;
  const answer = parseAnswer(bytes);
  return answer === undefined ? undefined : NAMES.get(answer.command);
}

/** Enterprise, what it says in the four bytes that are its own, supported entities and interactions (DSP0136 section 3.2.4.3). */
function pongFacts(pong: Buffer): Facts {
  const iana = enterprise(pong, 0);
  const [entities, interactions] = [pong.readUInt8(8), pong.readUInt8(9)];
  return {
    'ipmi.pong.iana': iana,
    'ipmi.pong.oem': pong.toString('hex', 4, 8),
    'ipmi.pong.entities': entities,
    'ipmi.pong.interactions': interactions,
    ...(((entities | interactions) & SPEAKS_DASH) === 0 ? {} : { 'ipmi.pong.dash': true }),
    ...(iana === INTEL ? amtFacts(pong) : {}),
  };
}

/** As on the wire (IPMI v2.0 section 22.13); what a short answer does not reach is absent. */
function authFacts({ data }: Answer): Facts {
  const fields = ['ipmi.auth.channel', 'ipmi.auth.types', 'ipmi.auth.status', 'ipmi.auth.extended'];
  const facts = Object.fromEntries([...data.subarray(0, fields.length)].map((byte, at) => [fields[at], byte]));
  return data.length >= 7 ? { ...facts, 'ipmi.auth.oem': data.readUIntLE(4, 3) } : facts;
}

/**
 * The numbers in cipher suite records (IPMI v2.0 section 22.15.2): `C0 suite` or `C1 suite enterprise`, then algorithms whose two highest bits say
 * of which kind. Sun ILOM sets those bits wrongly; then the place in the record decides.
 */
export function parseSuites(records: Buffer): number[] {
  const suites = suitesByTag(records) ?? suitesByPlace(records);
  return [...new Set(suites)];
}

const STANDARD = 0xc0;
const OEM = 0xc1;
/** OEM suites have numbers of their own from here on; a lower one is not the standard suite of that number. */
const FIRST_OEM_SUITE = 0x80;

/** Undefined where a record holds no algorithm, or its algorithms are not in order of kind: then the tags make no sense. The last record may be cut. */
function suitesByTag(records: Buffer): number[] | undefined {
  const suites: number[] = [];
  let at = 0;
  while (at < records.length) {
    const tag = records.readUInt8(at);
    if (tag !== STANDARD && tag !== OEM) return undefined;
    const suite = records[at + 1];
    at += tag === OEM ? 5 : 2;
    const algorithms: number[] = [];
    for (; at < records.length && records.readUInt8(at) < STANDARD; at += 1) algorithms.push(records.readUInt8(at) >> 6);
    const isCut = at >= records.length;
    if (suite === undefined || (isCut && algorithms.length === 0)) break;
    if (algorithms.length === 0 || algorithms.some((kind, i) => kind < (algorithms[i - 1] ?? 0))) return undefined;
    if (tag === STANDARD || suite >= FIRST_OEM_SUITE) suites.push(suite);
  }
  return suites;
}

/** Records of one algorithm of each kind: five bytes, or eight where they begin as OEM ones. */
function suitesByPlace(records: Buffer): number[] {
  const suites: number[] = [];
  let at = 0;
  while (at + 1 < records.length) {
    const isOem = records[at] === OEM;
    const suite = records.readUInt8(at + 1);
    if (!isOem || suite >= FIRST_OEM_SUITE) suites.push(suite);
    at += isOem ? 8 : 5;
  }
  return suites;
}

/** Asks one device, one request after the other. */
class Conversation {
  readonly #wire: DatagramWire;
  /** Those of the sweep's own requests end at 31. */
  #sequence = 31;
  unsound = false;

  constructor(wire: DatagramWire) {
    this.#wire = wire;
  }

  async ask(request: Request, tries: 1 | 2 | 3): Promise<Answer | undefined> {
    const sequences = new Set<number>();
    const fresh = (): Datagram => {
      this.#sequence += 1;
      sequences.add(this.#sequence & 0x3f);
      return { name: request.name, bytes: request.build(this.#sequence) };
    };
    const fits = (bytes: Buffer): boolean => {
      const answer = parseAnswer(bytes);
      return answer !== undefined && answer.command === request.command && sequences.has(answer.sequence);
    };
    const bytes = await this.#wire.ask(fresh, fits, { tries });
    return bytes === undefined ? undefined : this.read(bytes);
  }

  read(bytes: Buffer): Answer | undefined {
    const answer = parseAnswer(bytes);
    if (answer?.sound === false) this.unsound = true;
    return answer;
  }

  /** The concatenated records, or undefined where the device tells none. A page that is not full is the last one. */
  async suites(): Promise<Buffer | undefined> {
    let pageOf = cipherSuites;
    let answer = await this.ask(pageOf(0), 2);
    if (answer === undefined) {
      pageOf = cipherSuites20;
      answer = await this.ask(pageOf(0), 1);
    }
    const pages: Buffer[] = [];
    while (answer?.code === COMPLETED) {
      // The first byte is the channel.
      const records: Buffer = answer.data.subarray(1, 1 + PAGE_BYTES);
      pages.push(records);
      if (records.length < PAGE_BYTES || pages.length >= MAX_PAGES) break;
      answer = await this.ask(pageOf(pages.length), 2);
    }
    return pages.length === 0 ? undefined : Buffer.concat(pages);
  }
}

/**
 * Reads what a management controller says outside any session: ASF presence pong, and in it what Intel AMT and DASH controllers say of themselves;
 * authentication capabilities, system GUID, cipher suites.
 * No session is opened and no user is named. Where everything is answered, at most nine datagrams go out beyond the sweep's own two;
 * the GUID, which OpenBMC never tells, is asked once before the suites, and where that was silent once more after them, with what is left of the account.
 *
 * Spec: IPMI v2.0 rev 1.1 sections 13.6, 13.8, 22.13 to 22.15; DMTF DSP0136 section 3.2.4.
 * @throws {ProbeError} `silent` where nothing that counts was answered
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const conversation = new Conversation(wire);
  const answered = (name: string): Buffer | undefined => wire.answers.find((answer) => answer.name === name)?.bytes;
  const pongBytes = answered(ASF_PING);
  const pong = pongBytes === undefined ? undefined : parsePong(pongBytes);
  const authBytes = answered(authCapabilities.name);
  let auth = authBytes === undefined ? undefined : conversation.read(authBytes);
  if (pong === undefined && auth === undefined)
    throw new ProbeError('silent', 'answered neither the presence ping nor Get Channel Authentication Capabilities');

  const facts: Record<string, Facts[string]> = pong === undefined ? {} : { ...pongFacts(pong) };
  // It says that it speaks IPMI: then its answer was lost, since the sweep asks nobody again who has answered something.
  if (auth === undefined && pong !== undefined && (pong.readUInt8(8) & SPEAKS_IPMI) !== 0)
    auth = await conversation.ask(authCapabilities, 2);
  if (auth === undefined) return facts;

  if (auth.code !== COMPLETED) {
    facts['ipmi.auth.code'] = auth.code;
    auth = (await conversation.ask(authCapabilities15, 1)) ?? auth;
  }
  if (auth.code === COMPLETED) Object.assign(facts, authFacts(auth));

  let guid = await conversation.ask(systemGuid, 1);
  const records = await conversation.suites();
  guid ??= await conversation.ask(systemGuid, 1);
  if (guid?.code === COMPLETED && guid.data.length >= GUID_BYTES) facts['ipmi.guid'] = guid.data.toString('hex', 0, GUID_BYTES);
  if (records !== undefined) facts['ipmi.suites'] = parseSuites(records);
  if (conversation.unsound) facts['ipmi.badChecksum'] = true;
  return facts;
}

export const ipmi: UdpProbe = { id: 'ipmi', speaks: 'datagrams', hello, recognise, talk };
