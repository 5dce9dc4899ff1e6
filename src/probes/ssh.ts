import { ProbeError } from '../errors.ts';
import type { TcpProbe, Wire } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { bannerFacts } from './banner.ts';

/** Embedded servers take a second or two to fork. */
const GREETING_MS = 6000;
/** Servers that send their lists unasked do so at once. */
const LISTS_MS = 500;
/** The text lines before the identification, and the lists after it: OpenSSH's are 1.1 KB. */
const MAX_BYTES = 8192;
/** RFC 4253 section 4.2: an identification line has at most 255 characters with its CR LF; other lines may come before it. */
const IDENTIFICATION = /^SSH-[^\r\n]{1,249}(?=\r?\n|$)/m;

const KEXINIT = 20;
const COOKIE_BYTES = 16;
const MAX_PACKET = 35_000;
const MAX_LISTED = 64;
const MAX_NAME_CHARS = 64;
/** The lists of SSH_MSG_KEXINIT in their order, by the names that RFC 4253 section 7.1 gives them. */
const LISTS = [
  'kex_algorithms',
  'server_host_key_algorithms',
  'encryption_algorithms_client_to_server',
  'encryption_algorithms_server_to_client',
  'mac_algorithms_client_to_server',
  'mac_algorithms_server_to_client',
  'compression_algorithms_client_to_server',
  'compression_algorithms_server_to_client',
  'languages_client_to_server',
  'languages_server_to_client',
] as const;

/**
 * Reads the identification of an SSH server, and its algorithm lists where they come unasked (dropbear and many embedded servers send them at once; OpenSSH
 * waits for the client's identification, which is not sent). Nothing is said: no key exchange, no login.
 *
 * Spec: RFC 4253 sections 4.2 (identification) and 7.1 (SSH_MSG_KEXINIT).
 * @throws {ProbeError} `silent` where it says nothing, `not-this-protocol` with what came where that is no SSH
 */
async function talk(wire: Wire): Promise<Facts> {
  const greeting = await wire.listen(MAX_BYTES, GREETING_MS, (heard) => lineEndOf(heard) !== undefined);
  if (greeting.length === 0) throw new ProbeError('silent', 'said nothing by itself');
  if (identificationOf(greeting) === undefined)
    throw new ProbeError('not-this-protocol', 'greets with no SSH identification', bannerFacts(greeting));
  const begun = greeting.subarray(lineEndOf(greeting) ?? greeting.length);
  const rest = isPacketWhole(begun)
    ? Buffer.alloc(0)
    : await wire.listen(MAX_BYTES, LISTS_MS, (heard) => isPacketWhole(Buffer.concat([begun, heard])));
  return sshFacts(Buffer.concat([greeting, rest]));
}

/** What the first bytes of an SSH server say; nothing where they are of none. */
export function sshFacts(heard: Buffer): Facts {
  const banner = identificationOf(heard);
  if (banner === undefined) return {};
  const lists = listsOf(heard.subarray(lineEndOf(heard) ?? heard.length));
  return { 'ssh.banner': banner, ...(lists === undefined ? {} : { 'ssh.algorithms': lists }) };
}

function identificationOf(heard: Buffer): string | undefined {
  return IDENTIFICATION.exec(heard.toString('latin1'))?.[0];
}

/** Where the identification line ends; undefined where it has not come whole. */
function lineEndOf(heard: Buffer): number | undefined {
  const match = IDENTIFICATION.exec(heard.toString('latin1'));
  const end = match === null ? -1 : heard.indexOf('\n', match.index);
  return end < 0 ? undefined : end + 1;
}

/** True where a whole packet is there, and where no packet can come of what is. */
function isPacketWhole(bytes: Buffer): boolean {
  if (bytes.length < 6) return false;
  const length = bytes.readUInt32BE(0);
  return length > MAX_PACKET || bytes.readUInt8(5) !== KEXINIT || bytes.length >= 4 + length;
}

/** The name lists of a KEXINIT packet; undefined where there is none, or it is cut. */
function listsOf(packet: Buffer): Readonly<Record<string, readonly string[]>> | undefined {
  if (packet.length < 6 || !isPacketWhole(packet) || packet.readUInt8(5) !== KEXINIT || packet.readUInt32BE(0) > MAX_PACKET)
    return undefined;
  const end = 4 + packet.readUInt32BE(0) - packet.readUInt8(4);
  const lists: Record<string, readonly string[]> = {};
  let at = 6 + COOKIE_BYTES;
  for (const name of LISTS) {
    if (at + 4 > end) return undefined;
    const length = packet.readUInt32BE(at);
    at += 4;
    if (at + length > end) return undefined;
    const text = packet.toString('latin1', at, at + length);
    at += length;
    if (text !== '') lists[name] = text.split(',', MAX_LISTED).map((one) => one.slice(0, MAX_NAME_CHARS));
  }
  return lists;
}

export const ssh: TcpProbe = { id: 'ssh', speaks: 'bytes', talk };
