import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { connectionsOf, type Packet } from '../support/pcap.ts';

/**
 * What may leave the scanner, written from the specifications a second time, apart from `src/sweep/messages.ts`: a mistake there is not repeated here.
 * Sources: RFC 9110 section 9.3.1 and RFC 9112 section 3 (the request), RFC 6143 section 7.1.1 (the version), RFC 8446 section 5.1 (records),
 * IPMI v2.0 rev 1.1 sections 13.6, 13.8 and 22.13 to 22.15, DMTF DSP0136 section 3.2.4, RFC 3412 section 6 and RFC 3414 section 4 (discovery),
 * RFC 1035 section 4.1, RFC 6762 sections 5.4 and 18 and RFC 6763 section 4 (browsing), UPnP Device Architecture 1.1 sections 1.3.2 and 2.11, DMTF DSP0266.
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
  '1900/udp': (data) => search(data, 1),
  '5353/udp': query,
};

/** Whom everybody on a directly attached network stands for: the port, how far it may go, what may be said. */
const GROUPS: Readonly<
  Record<string, { readonly port: number; readonly ttl: number; readonly says: (data: Buffer) => string | undefined }>
> = {
  '224.0.0.251': { port: 5353, ttl: 255, says: browsing },
  '239.255.255.250': { port: 1900, ttl: 1, says: (data) => search(data, 2) },
};

/** Printers and lines of console servers: a connection alone may be too much. */
const SERIAL = /^(771|9[5-8]\d|1027|[2-57]0[0-4]\d|910[0-7]|9999|100[0-4]\d)$/;

/** What is wrong with what a host has sent, one line each; empty where all of it may be sent, and to whom. */
export function violations(packets: readonly Packet[], from: string, mayBeAsked: (address: string) => boolean): string[] {
  const found: string[] = [];
  const say = (address: string, port: number, transport: string, fault: string | undefined): void => {
    if (fault !== undefined) found.push(`${address}:${port}/${transport}: ${fault}`);
  };
  for (const { source, target, ttl, content } of packets) {
    // What the kernel asks and answers on its link is no packet of the product; the on-link tests count it.
    if (source !== from || content.protocol === 'arp') continue;
    const group = GROUPS[target];
    if (!mayBeAsked(target)) found.push(`${target}: was sent ${content.protocol}`);
    else if (group !== undefined) {
      if (content.protocol !== 'udp' || content.targetPort !== group.port || ttl !== group.ttl)
        found.push(`${target}: was sent something else`);
      else say(target, group.port, 'udp', group.says(content.data));
    } else if (content.protocol === 'udp') say(target, content.targetPort, 'udp', speaks(`${content.targetPort}/udp`, content.data));
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
  const fault = SPOKEN[port] ?? (port.endsWith('/tcp') && !SERIAL.test(port.replace('/tcp', '')) ? description : undefined);
  return fault === undefined ? 'the port is not asked' : fault(bytes);
}

/** What an SSDP answer may have named, at whatever port. */
function description(sent: Buffer): string | undefined {
  return /^GET \/[A-Za-z0-9._~/-]+\.xml HTTP/.test(sent.toString('latin1')) ? request(sent) : 'the port is not asked';
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
  if (!LISTED.has(path) && !/^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\.(ico|png|svg|gif|xml)$/.test(path)) return `asks for ${path}`;
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

/** Nothing, or TLS records of which the first is a ClientHello without a name: addresses have none. What is in the others, the servers' logs and the audit record tell. */
export function records(sent: Buffer): string | undefined {
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

/** A search for root devices or for Redfish services, to be answered within so many seconds. */
export function search(data: Buffer, seconds: number): string | undefined {
  const [line, ...headers] = data.toString('latin1').split('\r\n');
  const known = ['HOST: 239.255.255.250:1900', 'MAN: "ssdp:discover"', `MX: ${seconds}`];
  const targets = ['ST: upnp:rootdevice', 'ST: urn:dmtf-org:service:redfish-rest:1'];
  const isSearch =
    line === 'M-SEARCH * HTTP/1.1' &&
    headers.length === 6 &&
    headers.slice(0, 3).join() === known.join() &&
    targets.includes(headers[3] ?? '') &&
    headers[4] === '' &&
    headers[5] === '';
  return isSearch ? undefined : `no search: ${JSON.stringify(data.toString('latin1'))}`;
}

const BROWSED =
  /^_(http|https|ssh|rfb|workstation|redfish|obmc_redfish|obmc_console|pikvm)\._tcp\.local 12$|^_services\._dns-sd\._udp\.local 12$/;

/** The ten questions to everybody: which services there are. */
export function browsing(data: Buffer): string | undefined {
  const questions = questionsOf(data);
  return questions?.length === 10 && new Set(questions).size === 10 && questions.every((question) => BROWSED.test(question))
    ? undefined
    : `no browsing: ${questions?.join(', ') ?? data.toString('hex')}`;
}

/** Questions to one device: all of these and its reverse name, or a few about what it has said. */
export function query(data: Buffer): string | undefined {
  const questions = questionsOf(data) ?? [];
  const [first = '', ...rest] = questions;
  const isHello = /^(\d{1,3}\.){4}in-addr\.arpa 12$/.test(first) && rest.length === 10 && rest.every((question) => BROWSED.test(question));
  const isFurther =
    questions.length > 0 &&
    questions.length <= 8 &&
    data.length <= 512 &&
    questions.every((question) => /\.local (1|12|16|28|33)$|^(\d{1,3}\.){4}in-addr\.arpa 12$/.test(question));
  return isHello || isFurther ? undefined : `no query: ${questions.join(', ') || data.toString('hex')}`;
}

/** The questions of a message that is nothing but questions, each for an answer to us alone: `_http._tcp.local 12`. */
function questionsOf(data: Buffer): string[] | undefined {
  if (data.length < 12 || !/^0{8}....0{12}$/.test(data.toString('hex', 0, 12))) return undefined;
  const questions: string[] = [];
  let at = 12;
  while (at < data.length) {
    const labels: string[] = [];
    for (let length = data.readUInt8(at); length > 0; length = data.readUInt8(at)) {
      if (length > 63 || at + 1 + length >= data.length) return undefined;
      labels.push(data.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    if (at + 5 > data.length || data.readUInt16BE(at + 3) !== 0x8001) return undefined;
    questions.push(`${labels.join('.')} ${data.readUInt16BE(at + 1)}`);
    at += 5;
  }
  return questions.length === data.readUInt16BE(4) ? questions : undefined;
}
