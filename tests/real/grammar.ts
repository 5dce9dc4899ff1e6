import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { connectionsOf, type Packet } from '../support/pcap.ts';

/**
 * What may leave the scanner, written from the specifications a second time, apart from `src/sweep/messages.ts`: a mistake there is not repeated here.
 * Sources: RFC 9110 section 9.3.1 and RFC 9112 section 3 (the request), RFC 6143 section 7.1.1 (the version), RFC 8446 section 5.1 (records),
 * IPMI v2.0 rev 1.1 sections 13.6, 13.8 and 22.13 to 22.15, DMTF DSP0136 section 3.2.4, RFC 3412 section 6 and RFC 3414 section 4 (discovery).
 */
const LISTED: ReadonlySet<string> = new Set(
  (parse(readFileSync(new URL('../../data/vocabulary/paths.yaml', import.meta.url), 'utf8')) as { path: string }[]).map(({ path }) => path),
);

const SPOKEN: Readonly<Record<string, (sent: Buffer) => string | undefined>> = {
  '21/tcp': nothing,
  '22/tcp': nothing,
  '23/tcp': nothing,
  '80/tcp': request,
  '443/tcp': records,
  '3211/tcp': records,
  '5000/tcp': request,
  '5900/tcp': version,
  '5901/tcp': version,
  '6080/tcp': request,
  '8080/tcp': request,
  '8443/tcp': records,
  '8888/tcp': request,
  '16992/tcp': request,
  '16993/tcp': records,
  '161/udp': discovery,
  '623/udp': rmcp,
};

/** What is wrong with what a host has sent, one line each; empty where all of it may be sent, and to whom. */
export function violations(packets: readonly Packet[], from: string, mayBeAsked: (address: string) => boolean): string[] {
  const found: string[] = [];
  const say = (address: string, port: number, transport: string, fault: string | undefined): void => {
    if (fault !== undefined) found.push(`${address}:${port}/${transport}: ${fault}`);
  };
  for (const { source, target, content } of packets) {
    // What the kernel asks and answers on its link is no packet of the product; the on-link tests count it.
    if (source !== from || content.protocol === 'arp') continue;
    if (!mayBeAsked(target)) found.push(`${target}: was sent ${content.protocol}`);
    else if (content.protocol === 'udp') say(target, content.targetPort, 'udp', speaks(`${content.targetPort}/udp`, content.data));
    else if (content.protocol !== 'tcp') found.push(`${target}: was sent ${content.protocol}`);
  }
  for (const { client, server, serverPort, sent, whole } of connectionsOf(packets)) {
    if (client !== from) found.push(`${server}: connected by ${client}`);
    else if (!whole) say(server, serverPort, 'tcp', 'a piece of what was sent is missing in the capture');
    else say(server, serverPort, 'tcp', speaks(`${serverPort}/tcp`, sent));
  }
  return found;
}

function speaks(port: string, bytes: Buffer): string | undefined {
  const fault = SPOKEN[port];
  return fault === undefined ? 'the port is not asked' : fault(bytes);
}

const HEADERS: Readonly<Record<string, RegExp>> = {
  host: /^[0-9.]+(:\d+)?$/,
  connection: /^close$/,
  'user-agent': /^kvmsweep\/\d+\.\d+\.\d+ \(\+asset inventory, read-only\)$/,
  accept: /^\*\/\*$/,
  'accept-encoding': /^identity$/,
};

/** Nothing, or one GET of a listed path or of an icon, with five headers and no body. */
export function request(sent: Buffer): string | undefined {
  if (sent.length === 0) return undefined;
  const text = sent.toString('latin1');
  const [head, ...rest] = text.split('\r\n\r\n');
  if (rest.length !== 1 || rest[0] !== '') return `no single request without a body: ${JSON.stringify(text)}`;
  const [line = '', ...headers] = (head ?? '').split('\r\n');
  const path = /^GET (\/\S*) HTTP\/1\.1$/.exec(line)?.[1];
  if (path === undefined) return `no GET: ${JSON.stringify(line)}`;
  if (!LISTED.has(path) && !/^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\.(ico|png|svg|gif)$/.test(path)) return `asks for ${path}`;
  const names = headers.map((header) => header.slice(0, header.indexOf(': ')));
  if (names.toSorted().join() !== Object.keys(HEADERS).toSorted().join()) return `headers ${names.join()}`;
  const odd = headers.find((header, at) => HEADERS[names[at] as string]?.test(header.slice(header.indexOf(': ') + 2)) !== true);
  return odd === undefined ? undefined : `header ${odd}`;
}

/** Where a device is only listened to. */
export function nothing(sent: Buffer): string | undefined {
  return sent.length === 0 ? undefined : `says something: ${sent.toString('hex', 0, 32)}`;
}

/** Nothing, or a version of RFB; never the byte that chooses a security type. */
export function version(sent: Buffer): string | undefined {
  return /^(RFB 003\.00[378]\n)?$/.test(sent.toString('latin1')) ? undefined : `no version alone: ${sent.toString('hex')}`;
}

const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const CLIENT_HELLO = 1;
const MAX_RECORD = 2 ** 14 + 2048;
const SERVER_NAME = 0;

/**
 * The raw hello, which only reads a certificate: SSL 3.0 records, TLS 1.0, no session, 24 suites of RFC 2246 appendix A.5, RFC 3268 and RFC 4492 and the signal of RFC 5746 at the
 * end, no compression. It has no extensions, which every hello of the library has, and it is all that goes over its connection.
 */
const RAW_HELLO = new RegExp(
  `^16 0300 005b 01 000057 0301 [0-9a-f]{64} 00 0030
    0005 0004 000a 002f 0035 0009 0003 0006 0008 0014 0015 0016 0033 0039 0013 0012 0001 0002 003b c011 c012 c013 c014 00ff 01 00$`.replaceAll(
    /\s/g,
    '',
  ),
);

/** Whether some bytes are the raw hello. */
export function isRawHello(sent: Buffer): boolean {
  return RAW_HELLO.test(sent.toString('hex'));
}

/**
 * Nothing, or the raw hello alone, or TLS records of which the first is a ClientHello with extensions and without a name: addresses have none. What is in the
 * others, the servers' logs and the audit record tell.
 */
export function records(sent: Buffer): string | undefined {
  if (isRawHello(sent)) return undefined;
  for (let at = 0; at < sent.length;) {
    const [type, major] = [sent[at], sent[at + 1]];
    const length = at + 5 <= sent.length ? sent.readUInt16BE(at + 3) : -1;
    if (length < 1 || length > MAX_RECORD || at + 5 + length > sent.length || major !== 3)
      return `no TLS record at byte ${at}: ${sent.toString('hex', at, at + 8)}`;
    if (at === 0) {
      const fault = hello(type, sent.subarray(5, 5 + length));
      if (fault !== undefined) return fault;
    } else if (![CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA].includes(type ?? -1)) return `a TLS record of type ${type}`;
    at += 5 + length;
  }
  return undefined;
}

function hello(type: number | undefined, body: Buffer): string | undefined {
  if (type !== HANDSHAKE || body[0] !== CLIENT_HELLO || body.readUIntBE(1, 3) !== body.length - 4) return 'begins with no ClientHello';
  let at = 4 + 2 + 32; // type and length, version, random
  at += 1 + body.readUInt8(at); // session id
  at += 2 + body.readUInt16BE(at); // suites
  at += 1 + body.readUInt8(at); // compression
  if (at >= body.length) return 'a ClientHello without extensions that is not the raw one';
  for (at += 2; at < body.length; at += 4 + body.readUInt16BE(at + 2))
    if (body.readUInt16BE(at) === SERVER_NAME) return 'a ClientHello with a server name';
  return undefined;
}

/** A message identifier: four bytes of an integer without a sign. */
const ID = '0204[0-7][0-9a-f]{7}';
const DISCOVERY = new RegExp(
  `^303e0201033011${ID}020300ffe30401040201030410300e0400020100020100040004000400301404000400a00e${ID}0201000201003000$`,
);

/** SNMPv3 engine discovery with an empty user: 64 bytes, of which the two identifiers vary. */
export function discovery(data: Buffer): string | undefined {
  return DISCOVERY.test(data.toString('hex')) ? undefined : `no engine discovery: ${data.toString('hex')}`;
}

/** Commands outside any session, with their data: authentication capabilities (admin, with and without the v2.0 bit), GUID, cipher suites by suite. */
const COMMANDS: readonly RegExp[] = [/^388e04$/, /^380e04$/, /^37$/, /^540e00[89ab][0-9a-f]$/];

/** An ASF presence ping, or one of four IPMI commands without a session, in the wrapper of v1.5 or v2.0; checksums right. */
export function rmcp(data: Buffer): string | undefined {
  const text = data.toString('hex');
  const tag = /^0600ff06000011be80([0-9a-f]{2})0000$/.exec(text)?.[1];
  if (tag !== undefined) return tag === 'ff' ? 'a ping that wants no answer' : undefined;
  const wrapper = /^0600ff070{18}(?<length15>..)(?<message15>.*)$|^0600ff0706000{16}(?<low>..)00(?<message20>.*)$/.exec(text)?.groups;
  const message = Buffer.from(wrapper?.['message15'] ?? wrapper?.['message20'] ?? '', 'hex');
  if (message.length < 7 || Number.parseInt(wrapper?.['length15'] ?? wrapper?.['low'] ?? '', 16) !== message.length)
    return `no IPMI message: ${text}`;
  const [body, sum] = [message.subarray(3, -1), message.at(-1)];
  if (message.toString('hex', 0, 4) !== '2018c881' || (message.readUInt8(4) & 0x03) !== 0)
    return `not from us to the controller's application: ${text}`;
  if ((body.reduce((a, b) => a + b, 0) + (sum ?? 0)) % 256 !== 0) return `a wrong checksum: ${text}`;
  const command = message.toString('hex', 5, message.length - 1);
  return COMMANDS.some((form) => form.test(command)) ? undefined : `command ${command}`;
}
