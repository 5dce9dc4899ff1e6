import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { connectionsOf, type Packet } from '../support/pcap.ts';

/**
 * What may leave the scanner, written from the specifications a second time, apart from `src/sweep/messages.ts`: a mistake there is not repeated here.
 * Sources: RFC 9110 section 9.3.1 and RFC 9112 section 3 (the request), RFC 6143 section 7.1.1 (the version), RFC 8446 section 5.1 (records),
 * IPMI v2.0 rev 1.1 sections 13.6, 13.8 and 22.13 to 22.15, DMTF DSP0136 section 3.2.4, RFC 3412 section 6 and RFC 3414 section 4 (discovery),
 * RFC 1035 section 4.1, RFC 6762 sections 5.4 and 18 and RFC 6763 section 4 (browsing), UPnP Device Architecture 1.1 sections 1.3.2 and 2.11, DMTF DSP0266.
 * RFC 1002 section 4.2.17, RFC 2608 sections 8, 10.1 and 10.3, Web Services Dynamic Discovery (April 2005) section 5.2, RFC 1035 sections 3.5 and 4.1;
 * of the makers' protocols: christophgysin/addp, ya-mouse/asmp4snmp, the XPort user guide, mdavidsaver/nport-toys, nmap's ubiquiti-discovery.
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
  '1900/udp': (data) => search(data, 1),
  '5353/udp': query,
  '2362/udp': addp,
  '3211/udp': aidp,
  '4800/udp': moxa,
  '30718/udp': lantronix,
  '137/udp': nodeStatus,
  '427/udp': serviceLocation,
  '3702/udp': webServices,
  '10001/udp': ubiquiti,
  '53/udp': reverseName,
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

/**
 * What is wrong with what a host has sent, one line each; empty where all of it may be sent, and to whom. `more`: what may be sent beyond the usual, where the
 * operator gave what it takes.
 */
export function violations(
  packets: readonly Packet[],
  from: string,
  mayBeAsked: (address: string) => boolean,
  more: Readonly<Record<string, (sent: Buffer) => string | undefined>> = {},
): string[] {
  const found: string[] = [];
  const speaks = (port: string, bytes: Buffer): string | undefined => {
    const fault = more[port] ?? SPOKEN[port] ?? (port.endsWith('/tcp') && !SERIAL.test(port.replace('/tcp', '')) ? description : undefined);
    return fault === undefined ? 'the port is not asked' : fault(bytes);
  };
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

/** What an SSDP answer may have named, at whatever port. */
function description(sent: Buffer): string | undefined {
  return /^GET \/[A-Za-z0-9._~/-]+\.xml HTTP/.test(sent.toString('latin1')) ? request(sent) : 'the port is not asked';
}

const HEADERS: Readonly<Record<string, RegExp>> = {
  host: /^[0-9.]+(:\d+)?$/,
  connection: /^keep-alive$/,
  'user-agent': /^kvmsweep\/\d+\.\d+\.\d+ \(\+asset inventory, read-only\)$/,
  accept: /^\*\/\*$/,
  'accept-encoding': /^identity$/,
};

/** Nothing, or GETs of a listed path or of an icon, one after the other, each with five headers and no body. */
export function request(sent: Buffer): string | undefined {
  const text = sent.toString('latin1');
  const heads = text.split('\r\n\r\n');
  if (heads.pop() !== '') return `no request without a body: ${JSON.stringify(text)}`;
  return heads.map(oneRequest).find((fault) => fault !== undefined);
}

function oneRequest(head: string): string | undefined {
  const [line = '', ...headers] = head.split('\r\n');
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

/** Objects that may be asked for: the numbers of the list, in BER. */
const OBJECTS: ReadonlySet<string> = new Set(
  (parse(readFileSync(new URL('../../data/vocabulary/oids.yaml', import.meta.url), 'utf8')) as { oid: string }[]).map(({ oid }) =>
    berOf(oid),
  ),
);

/** X.690 section 8.19, in hex. */
function berOf(oid: string): string {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number);
  const octets = [first * 40 + second, ...rest].map((number) => {
    const groups = [number & 127];
    for (let high = Math.floor(number / 128); high > 0; high = Math.floor(high / 128)) groups.unshift((high & 127) + 128);
    return Buffer.from(groups).toString('hex');
  });
  return octets.join('');
}

/** One BER value at the beginning: its tag, its content, and what comes after it; with a definite length of at most two octets. */
function value(bytes: Buffer): { tag: number; content: Buffer; rest: Buffer } | undefined {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) return undefined;
  const more = first < 128 ? 0 : first - 128;
  if (more > 2 || first === 128 || bytes.length < 2 + more) return undefined;
  const length = more === 0 ? first : bytes.readUIntBE(2, more);
  const end = 2 + more + length;
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(2 + more, end), rest: bytes.subarray(end) };
}

/** The values that some bytes are made of, one after the other; undefined where they are not made of values alone. */
function values(bytes: Buffer): { tag: number; content: Buffer }[] | undefined {
  const found: { tag: number; content: Buffer }[] = [];
  for (let left = bytes; left.length > 0;) {
    const one = value(left);
    if (one === undefined) return undefined;
    found.push(one);
    left = one.rest;
  }
  return found;
}

/** What an operator has given for SNMP: communities of v1 and v2c, and names of users with the flags of their security. */
export interface GivenSnmp {
  readonly communities: readonly (readonly [version: 0 | 1, community: string])[];
  readonly users: Readonly<Record<string, number>>;
}

/**
 * Engine discovery, a GET of listed objects with a community that was given (RFC 3416 sections 3 and 4.2.1), or a message of a user that was given, with all the
 * security that he has (RFC 3412 section 6). What is encrypted cannot be looked into from outside.
 */
export function snmp(given: GivenSnmp): (data: Buffer) => string | undefined {
  return (data) => {
    const [message, ...more] = values(data) ?? [];
    if (message?.tag !== 0x30 || more.length > 0) return `no message: ${data.toString('hex')}`;
    const parts = values(message.content) ?? [];
    const release = parts[0]?.tag === 2 && parts[0].content.length === 1 ? parts[0].content[0] : undefined;
    if (release === 3) return discovery(data) === undefined ? undefined : secured(parts, given.users);
    const [, community, pdu, ...behind] = parts;
    if (behind.length > 0 || community?.tag !== 4 || pdu === undefined) return `no message of v1 or v2c: ${data.toString('hex')}`;
    if (!given.communities.some(([number, text]) => number === release && text === community.content.toString()))
      return `a community that was not given: ${community.content.toString()}`;
    return get(pdu);
  };
}

function get(pdu: { tag: number; content: Buffer }): string | undefined {
  if (pdu.tag !== 0xa0) return `a PDU of type ${pdu.tag.toString(16)}`;
  const [id, status, index, list, ...behind] = values(pdu.content) ?? [];
  if (id?.tag !== 2 || status?.content.toString('hex') !== '00' || index?.content.toString('hex') !== '00' || behind.length > 0)
    return 'no head of a request';
  const variables = list?.tag === 0x30 ? (values(list.content) ?? []) : [];
  if (variables.length === 0 || variables.length > 6) return `${variables.length} objects`;
  for (const { content } of variables) {
    const [object, empty, ...more] = values(content) ?? [];
    if (object?.tag !== 6 || !OBJECTS.has(object.content.toString('hex'))) return `asks for ${content.toString('hex')}`;
    if (empty?.tag !== 5 || empty.content.length > 0 || more.length > 0) return 'an object with a value';
  }
  return undefined;
}

const REPORTABLE = 4;
const ENCRYPTED = 2;
const AUTHENTIC = 1;

function secured(parts: readonly { tag: number; content: Buffer }[], users: GivenSnmp['users']): string | undefined {
  const [, header, parameters, body, ...behind] = parts;
  const flags = values(header?.content ?? Buffer.alloc(0))?.[2]?.content[0] ?? 0;
  const [usm] = values(parameters?.content ?? Buffer.alloc(0)) ?? [];
  const [engine, , , name, digest] = values(usm?.content ?? Buffer.alloc(0)) ?? [];
  if (behind.length > 0 || body === undefined || name === undefined || engine === undefined || digest === undefined)
    return 'no message of SNMPv3';
  const user = name.content.toString();
  const scoped = body.tag === 0x30 ? (values(body.content) ?? []) : [];
  if (user === '') {
    // The library's own discovery: its identifiers are shorter now and then.
    const [head] = values(scoped[2]?.content ?? Buffer.alloc(0))?.slice(3) ?? [];
    return flags === REPORTABLE && engine.content.length === 0 && scoped[2]?.tag === 0xa0 && head?.content.length === 0
      ? undefined
      : 'no discovery';
  }
  const security = users[user];
  if (security === undefined) return `a user that was not given: ${user}`;
  if (flags !== (security | REPORTABLE)) return `${user} with the flags ${flags}`;
  if ((security & AUTHENTIC) !== 0 && (digest.content.length < 12 || digest.content.every((octet) => octet === 0)))
    return `${user} without a digest`;
  if ((security & ENCRYPTED) !== 0) return body.tag === 4 ? undefined : `${user} without encryption`;
  return scoped[2] === undefined ? 'no PDU' : get(scoped[2]);
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

/** Digi: discovery of any MAC, and no other packet type. */
export function addp(data: Buffer): string | undefined {
  return exactly(data, ['DIGI', 0x00, 0x01, 0x00, 0x06, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 'Digi discovery');
}

/** Avocent: command 1 with its one field; the sequence number varies. */
export function aidp(data: Buffer): string | undefined {
  const told = Buffer.from(data);
  told.fill(0, 5, 7);
  return exactly(told, [0x01, 'AIDP', 0, 0, 0x01, 0, 0, 0, 6, 0x01, 0x00, 0x02, 0x01, 0x08, 0xff, 0x0d], 'Avocent discover');
}

/** Moxa: function 1 without data. */
export function moxa(data: Buffer): string | undefined {
  return exactly(data, [0x01, 0, 0, 8, 0, 0, 0, 0], 'Moxa discovery');
}

/** Lantronix: F6 and nothing else; F4 and F8 hand out passwords. */
export function lantronix(data: Buffer): string | undefined {
  return exactly(data, [0, 0, 0, 0xf6], 'Lantronix query');
}

/** Ubiquiti: version 1, command 0. */
export function ubiquiti(data: Buffer): string | undefined {
  return exactly(data, [1, 0, 0, 0], 'Ubiquiti discovery');
}

/** NetBIOS: a status request for `*`. Half octets are letters from A on: 2A is CK, and each of 15 NULs is AA. */
export function nodeStatus(data: Buffer): string | undefined {
  const encoded = [0x2a, ...Array.from({ length: 15 }, () => 0)].map((byte) => String.fromCharCode(0x41 + (byte >> 4), 0x41 + (byte & 15)));
  return exactly(data.subarray(2), [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 32, encoded.join(''), 0, 0, 0x21, 0, 1], 'node status request');
}

/** Services whose attributes may be asked for. */
const MANAGEMENT =
  /^service:(management-hardware\.(IBM:(integrated-management-module2|chassis-management-module)|Lenovo:(lenovo-xclarity-controller|chassis-management-module))|lenovo-smm2?|io-device\.Lenovo:management-module)$/;

/** SLP version 2: all service types, or the attributes of a controller; no flags, scope DEFAULT, nobody's previous answers, no key. Never a registration. */
export function serviceLocation(data: Buffer): string | undefined {
  const no = (why: string): string => `no SLP question (${why}): ${data.toString('hex')}`;
  if (data.length < 18 || data[0] !== 2 || data.readUIntBE(2, 3) !== data.length) return no('version or length');
  if (data.readUInt16BE(5) !== 0 || data.readUIntBE(7, 3) !== 0 || data.toString('latin1', 12, 16) !== '\0\x02en')
    return no('flags, extension or language');
  const parts: string[] = [];
  let at = 16;
  const text = (): string => {
    const length = data.readUInt16BE(at);
    at += 2 + length;
    return data.toString('latin1', at - length, at);
  };
  try {
    if (data[1] === 9) {
      parts.push(text(), String(data.readUInt16BE(at)));
      at += 2;
      parts.push(text());
      return at === data.length && parts.join() === ',65535,DEFAULT' ? undefined : no('service types');
    }
    if (data[1] !== 6) return no(`function ${data[1]}`);
    parts.push(text(), text(), text(), text(), text());
  } catch (error) {
    if (error instanceof RangeError) return no('it is cut');
    throw error;
  }
  const [before, service = '', scope, tags, key] = parts;
  return at === data.length && before === '' && MANAGEMENT.test(service) && scope === 'DEFAULT' && tags === '' && key === ''
    ? undefined
    : no(`attributes of ${service}`);
}

/** A SOAP message with an id of ours and an empty probe: no types, no scopes, and no way to answer but the sender's. */
export function webServices(data: Buffer): string | undefined {
  const text = data.toString('latin1');
  const body =
    /^<\?xml version="1\.0" encoding="utf-8"\?><soap:Envelope( xmlns:\w+="http:\/\/[\w./-]+"){3}><soap:Header>(?<header>.*)<\/soap:Header><soap:Body><wsd:Probe\/><\/soap:Body><\/soap:Envelope>$/.exec(
      text,
    );
  const header = (body?.groups?.['header'] ?? '').replaceAll(/<wsa:(To|Action|MessageID)>[\w:./-]+<\/wsa:\1>/g, '<$1>');
  const action = 'http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe';
  return header === '<To><Action><MessageID>' &&
    text.includes(`<wsa:Action>${action}<`) &&
    /<wsa:MessageID>urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}</.test(text)
    ? undefined
    : `no WS-Discovery probe: ${text}`;
}

/** One question for the name of an IPv4 address, as a resolver asks it. */
export function reverseName(data: Buffer): string | undefined {
  const head = exactly(data.subarray(2, 12), [0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0], 'DNS question');
  if (head !== undefined) return head;
  const labels = data
    .toString('latin1', 12)
    .split(/[^0-9a-z-]/)
    .filter((label) => label !== '');
  const name = `${labels.map((label) => String.fromCharCode(label.length) + label).join('')}\0\0\x0c\0\x01`;
  return name === data.toString('latin1', 12) && /^(\d{1,3}\.){4}in-addr\.arpa$/.test(labels.join('.'))
    ? undefined
    : `no question for the name of an address: ${data.toString('hex')}`;
}

function exactly(data: Buffer, form: readonly (number | string)[], what: string): string | undefined {
  const wanted = Buffer.concat(form.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]))));
  return data.equals(wanted) ? undefined : `no ${what}: ${data.toString('hex')}`;
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
