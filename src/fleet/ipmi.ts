import type { Listener, Place } from './connections.ts';
import { listenUdp } from './datagrams.ts';
import type { IpmiService } from './persona.ts';
import { fill, type Values } from './templates.ts';

/** RMCP message classes (DSP0136 section 3.2.2). */
const ASF = 0x06;
const IPMI = 0x07;
const ASF_IANA = 4542;
const PING = 0x80;
const PONG = 0x40;

/** Commands that are answered before a session (IPMI v2.0 section 22). */
const GET_DEVICE_ID = 0x01;
const GET_SYSTEM_GUID = 0x37;
const GET_AUTH_CAPABILITIES = 0x38;
const GET_CIPHER_SUITES = 0x54;

const AUTH_TYPE_RMCPP = 0x06;
const SUITE_PAGE_BYTES = 16;

type Wrapper = 'v1.5' | 'v2.0';

/** Authentication, integrity and confidentiality of the standard suites (IPMI v2.0 table 22-20). */
const SUITES: Readonly<Record<number, readonly [number, number, number]>> = {
  0: [0, 0, 0],
  1: [1, 0, 0],
  2: [1, 1, 0],
  3: [1, 1, 1],
  6: [2, 0, 0],
  7: [2, 2, 0],
  8: [2, 2, 1],
  11: [2, 3, 0],
  12: [2, 3, 1],
  15: [3, 0, 0],
  16: [3, 4, 0],
  17: [3, 4, 1],
};

interface Command {
  readonly wrapper: Wrapper;
  readonly sequence: number;
  readonly command: number;
  readonly data: Buffer;
}

/**
 * A management controller on UDP, up to what it answers without a session. Nothing opens a session here.
 *
 * Spec: IPMI v2.0 rev 1.1 sections 13.6, 22.13 to 22.15; DSP0136 section 3.2.4.
 * @throws {InputError} `port-in-use`
 */
export function serveIpmi(service: IpmiService, place: Place, values: Values): Promise<Listener> {
  return listenUdp(place, (bytes) => {
    const answer = bytes[3] === ASF ? pong(service, bytes) : bytes[3] === IPMI ? answerCommand(service, bytes, values) : undefined;
    return answer === undefined ? undefined : mangled(answer, service.mangle);
  });
}

function pong({ pong: spec }: IpmiService, bytes: Buffer): Buffer | undefined {
  if (spec === undefined || bytes.length < 12 || bytes.readUInt32BE(4) !== ASF_IANA || bytes[8] !== PING) return undefined;
  const answer = Buffer.alloc(28);
  answer.set([0x06, 0x00, 0xff, ASF]);
  if (spec.swappedAsf) answer.writeUInt32LE(ASF_IANA, 4);
  else answer.writeUInt32BE(ASF_IANA, 4);
  answer.set([PONG, bytes[9] ?? 0, 0, 16], 8);
  answer.writeUInt32BE(spec.iana, 12);
  answer.set(Buffer.from(spec.oem, 'hex').subarray(0, 4), 16);
  answer.set([spec.entities, spec.interactions], 20);
  return answer;
}

function answerCommand(service: IpmiService, bytes: Buffer, values: Values): Buffer | undefined {
  const asked = readCommand(bytes);
  if (asked === undefined) return undefined;
  const data = dataOf(service, asked, values);
  return data === undefined ? undefined : wrapped(asked, data, service.wrongChecksums);
}

function readCommand(bytes: Buffer): Command | undefined {
  const wrapper: Wrapper = bytes[4] === AUTH_TYPE_RMCPP ? 'v2.0' : 'v1.5';
  // A v2.0 payload other than a plain IPMI message is the beginning of a session.
  if (wrapper === 'v2.0' && bytes[5] !== 0) return undefined;
  const message = bytes.subarray(wrapper === 'v2.0' ? 16 : 14);
  if (message.length < 7 || message[1] !== 0x18) return undefined;
  return { wrapper, sequence: message[4] ?? 0, command: message[5] ?? 0, data: message.subarray(6, -1) };
}

/** Completion code and data, or undefined where the device keeps silent. */
function dataOf(service: IpmiService, { command, wrapper, data }: Command, values: Values): Buffer | undefined {
  const speaks = (part: { wrappers: readonly Wrapper[] } | undefined): boolean => part?.wrappers.includes(wrapper) ?? false;
  const { auth, guid, suites, deviceId } = service;
  switch (command) {
    case GET_AUTH_CAPABILITIES:
      return auth === undefined || !speaks(auth) ? undefined : capabilities(auth, data);
    case GET_SYSTEM_GUID:
      return guid === undefined || !speaks(guid)
        ? undefined
        : Buffer.concat([Buffer.from([0]), Buffer.from(fill(guid.bytes, values), 'hex')]);
    case GET_CIPHER_SUITES:
      return suites === undefined || !speaks(suites) ? undefined : suitePage(suites, auth?.channel ?? 1, data[2] ?? 0);
    case GET_DEVICE_ID:
      return deviceId === undefined || !speaks(deviceId)
        ? undefined
        : Buffer.concat([Buffer.from([deviceId.completion]), Buffer.from(fill(deviceId.bytes, values), 'hex')]);
    default:
      return undefined;
  }
}

function capabilities(auth: NonNullable<IpmiService['auth']>, data: Buffer): Buffer | undefined {
  const channel = data[0] ?? 0;
  const v2 = (channel & 0x80) !== 0;
  if (auth.only8e && channel !== 0x8e) return undefined;
  if (v2 && auth.refuseV2 !== undefined) return Buffer.from([auth.refuseV2]);
  const answer = Buffer.from([
    0,
    auth.channel,
    v2 ? auth.types : auth.types & 0x7f,
    auth.status,
    v2 ? auth.extended : 0,
    0,
    0,
    0,
    auth.auxiliary,
  ]);
  answer.writeUIntLE(auth.oem, 5, 3);
  return answer;
}

function suitePage({ ids, oem }: NonNullable<IpmiService['suites']>, channel: number, index: number): Buffer {
  const standard = ids.map((id) => {
    const [authentication, integrity, confidentiality] = SUITES[id] ?? [0, 0, 0];
    return Buffer.from([0xc0, id, authentication, 0x40 | integrity, 0x80 | confidentiality]);
  });
  const records = Buffer.concat([...standard, Buffer.from(oem, 'hex')]);
  const from = (index & 0x3f) * SUITE_PAGE_BYTES;
  return Buffer.concat([Buffer.from([0, channel]), records.subarray(from, from + SUITE_PAGE_BYTES)]);
}

function wrapped({ wrapper, sequence, command }: Command, data: Buffer, wrong: boolean): Buffer {
  const rest = Buffer.concat([Buffer.from([0x20, sequence, command]), data]);
  const message = Buffer.concat([Buffer.from([0x81, 0x1c, checksum([0x81, 0x1c], wrong)]), rest, Buffer.from([checksum(rest, wrong)])]);
  const header = wrapper === 'v1.5' ? Buffer.alloc(10) : Buffer.alloc(12);
  if (wrapper === 'v1.5') header[9] = message.length;
  else {
    header[0] = AUTH_TYPE_RMCPP;
    header.writeUInt16LE(message.length, 10);
  }
  return Buffer.concat([Buffer.from([0x06, 0x00, 0xff, IPMI]), header, message]);
}

/** Two's complement (IPMI v2.0 section 13.8); some Supermicro X9 boards get it wrong. */
function checksum(bytes: Iterable<number>, wrong: boolean): number {
  let sum = wrong ? 1 : 0;
  for (const byte of bytes) sum += byte;
  return -sum & 0xff;
}

function mangled(answer: Buffer, mangle: IpmiService['mangle']): Buffer {
  const bytes = Buffer.from(answer);
  if (mangle?.lengthByte !== undefined && bytes.length > 13) bytes[bytes[3] === ASF ? 11 : 13] = mangle.lengthByte;
  return mangle?.cutTo === undefined ? bytes : bytes.subarray(0, mangle.cutTo);
}
