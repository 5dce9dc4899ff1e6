import { type Problem, problem } from '../errors.ts';
import { BROWSE, isFurtherQuestion, isHostBrowse } from './dns-forms.ts';
import type { AllowedPaths, PathKind } from './paths.ts';
import { NO_CREDENTIALS, type SnmpCredentials } from './snmp/credentials.ts';
import { communityIn, refuseGet } from './snmp/forms.ts';
import { userAgent } from './user-agent.ts';

/** One form of message that may leave the machine. */
export interface Message {
  readonly name: string;
  readonly transport: 'tcp' | 'udp';
  readonly protocol: string;
  /**
   * The bytes in hex; `..` is a byte that varies, `hh` one that is a hex digit as text (why is said in `varies`). Absent where the form is a grammar
   * (`text`).
   */
  readonly template?: string;
  /** The form in words, where it is not fixed bytes. */
  readonly text?: string;
  /** Whether bytes over UDP have the form that is told in words. */
  readonly hasForm?: (bytes: Buffer) => boolean;
  /** The multicast group that it may be sent to, on directly attached networks, instead of to one address. */
  readonly group?: string;
  readonly varies?: string;
  /** It carries a credential that the operator gave, and is sent only where he gave one. */
  readonly credential?: true;
  readonly why: string;
  readonly source: string;
}

export const SNMP_DISCOVERY = 'snmp.engine-discovery';
export const SNMP_GET = 'snmp.get';
export const SNMP_USER_GET = 'snmp.user-get';

const RAW_SUITES = '00050004000a002f00350009000300060008001400150016003300390013001200010002003bc011c012c013c01400ff';
const IPMI_15 = '0600ff0700000000000000000009';

/** A search (UPnP Device Architecture 1.1 section 1.3.2). MX is the most seconds that a device may wait before it answers. */
function search(target: string, mx: number): string {
  return hex(`M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: ${mx}\r\nST: ${target}\r\n\r\n`);
}

/**
 * The whole of what the tool can say, next to the paths of `data/vocabulary/paths.yaml` and the ClientHello of the TLS library.
 * Written from the specifications, apart from the code that builds the messages, so that a mistake there does not get out.
 */
export const MESSAGES: readonly Message[] = [
  {
    name: 'ipmi.asf-ping',
    transport: 'udp',
    protocol: 'ipmi',
    template: '0600ff06000011be80..0000',
    varies: 'message tag, fresh for each try',
    why: 'asks whether a management controller is there; no session, no state',
    source: 'DMTF DSP0136 section 3.2.4.2 (RMCP presence ping)',
  },
  {
    name: 'ipmi.auth-capabilities',
    transport: 'udp',
    protocol: 'ipmi',
    template: `${IPMI_15}2018c881..388e04..`,
    varies: 'sequence number and the checksum over it',
    why: 'Get Channel Authentication Capabilities, answered before any session',
    source: 'IPMI v2.0 rev 1.1 section 22.13',
  },
  {
    name: 'ipmi.auth-capabilities-v15',
    transport: 'udp',
    protocol: 'ipmi',
    template: `${IPMI_15}2018c881..380e04..`,
    varies: 'sequence number and the checksum over it',
    why: 'the same for an IPMI 1.5 device that refused the v2 form',
    source: 'IPMI v2.0 rev 1.1 section 22.13',
  },
  {
    name: 'ipmi.system-guid',
    transport: 'udp',
    protocol: 'ipmi',
    template: '0600ff07000000000000000000072018c881..37..',
    varies: 'sequence number and the checksum over it',
    why: 'Get System GUID, answered before any session',
    source: 'IPMI v2.0 rev 1.1 section 22.14',
  },
  {
    name: 'ipmi.cipher-suites',
    transport: 'udp',
    protocol: 'ipmi',
    template: '0600ff070000000000000000000a2018c881..540e00....',
    varies: 'sequence number, page (80 to BF), and the checksum over them',
    why: 'Get Channel Cipher Suites, answered before any session',
    source: 'IPMI v2.0 rev 1.1 section 22.15',
  },
  {
    name: 'ipmi.cipher-suites-v20',
    transport: 'udp',
    protocol: 'ipmi',
    template: '0600ff07060000000000000000000a002018c881..540e00....',
    varies: 'sequence number, page (80 to BF), and the checksum over them',
    why: 'the same in the IPMI v2.0 wrapper (payload type 0, session 0): some controllers answer only that',
    source: 'IPMI v2.0 rev 1.1 sections 13.6 and 22.15',
  },
  {
    name: SNMP_DISCOVERY,
    transport: 'udp',
    protocol: 'snmp',
    template:
      '303e02010330110204........020300ffe30401040201030410300e0400020100020100040004000400301404000400a00e0204........0201000201003000',
    varies: 'message id and request id (31 bits; the SNMP library, which asks as a user, writes them in as few octets as they take)',
    why: 'SNMPv3 engine discovery with an empty user: the agent must answer with its engine id; no credential',
    source: 'RFC 3414 section 4',
  },
  {
    name: 'addp.discovery',
    transport: 'udp',
    protocol: 'addp',
    template: '4449474900010006ffffffffffff',
    why: 'asks a Digi device for what it tells of itself; packet types 3 and up set, restart or take a password, and have no form here',
    source: 'christophgysin/addp doc/protocol, "Discovery/Information Request"',
  },
  {
    name: 'aidp.discover',
    transport: 'udp',
    protocol: 'aidp',
    template: '0141494450....01000000060100020108ff0d',
    varies: 'sequence number',
    why: 'asks an Avocent appliance for model, MAC and name; commands 02 and 03 try and set addresses, and have no form here',
    source: 'ya-mouse/asmp4snmp session.c, _hook_build',
  },
  {
    name: 'lantronix.query',
    transport: 'udp',
    protocol: 'lantronix',
    template: '000000f6',
    why: 'Query for Firmware Version: type and MAC; no other function (F4 and F8 hand out passwords of some units, others restart or set)',
    source: 'Lantronix XPort user guide section 9.1',
  },
  {
    name: 'moxa.discovery',
    transport: 'udp',
    protocol: 'moxa',
    template: '0100000800000000',
    why: 'asks a Moxa device for product codes, MAC and address; no other function (they read or change the set-up)',
    source: 'mdavidsaver/nport-toys nport-udp-protocol.md, "Discovery"',
  },
  {
    name: 'netbios.node-status',
    transport: 'udp',
    protocol: 'netbios',
    template: `....0000000100000000000020434b${'41'.repeat(30)}0000210001`,
    varies: 'transaction id',
    why: 'only with --also netbios: names, workgroup and MAC of the machine asked',
    source: 'RFC 1002 section 4.2.17',
  },
  {
    name: 'slp.service-types',
    transport: 'udp',
    protocol: 'slp',
    template: `020900001d0000000000....0002${hex('en')}0000ffff0007${hex('DEFAULT')}`,
    varies: 'XID',
    why: 'only with --also slp: which service types the machine announces; never a registration',
    source: 'RFC 2608 sections 8 and 10.1',
  },
  ...(
    [
      ['imm2', 'service:management-hardware.IBM:integrated-management-module2'],
      ['xcc', 'service:management-hardware.Lenovo:lenovo-xclarity-controller'],
      ['ibm-cmm', 'service:management-hardware.IBM:chassis-management-module'],
      ['lenovo-cmm', 'service:management-hardware.Lenovo:chassis-management-module'],
      ['smm', 'service:lenovo-smm'],
      ['smm2', 'service:lenovo-smm2'],
      ['io-module', 'service:io-device.Lenovo:management-module'],
    ] as const
  ).map(([name, type]): Message => {
    const rest = `0002${hex('en')}0000${sized(hex(type))}0007${hex('DEFAULT')}00000000`;
    return {
      name: `slp.attributes-${name}`,
      transport: 'udp',
      protocol: 'slp',
      template: `0206${(12 + rest.length / 2).toString(16).padStart(6, '0')}0000000000....${rest}`,
      varies: 'XID',
      why: 'only with --also slp, and only where the machine announces this service: model and serial number of the controller',
      source: 'RFC 2608 sections 8 and 10.3; xcat2/confluent discovery/protocols/slp.py',
    };
  }),
  {
    name: 'ubiquiti.discovery',
    transport: 'udp',
    protocol: 'ubiquiti',
    template: '01000000',
    why: 'only with --also ubiquiti: product, firmware, MAC and name',
    source: 'nmap/nmap scripts/ubiquiti-discovery.nse',
  },
  {
    name: 'wsd.probe',
    transport: 'udp',
    protocol: 'wsd',
    template: [
      hex('<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"'),
      hex(' xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:wsd="http://schemas.xmlsoap.org/ws/2005/04/discovery">'),
      hex('<soap:Header><wsa:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</wsa:To>'),
      hex('<wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</wsa:Action>'),
      `${hex('<wsa:MessageID>urn:uuid:6b766d73-7765-4570-8000-0000')}hhhhhhhhhhhhhhhh${hex('</wsa:MessageID></soap:Header>')}`,
      hex('<soap:Body><wsd:Probe/></soap:Body></soap:Envelope>'),
    ].join(''),
    varies: 'the last digits of the message id',
    why: 'only with --also wsd, and never multicast: types, scopes and addresses of the services of the machine asked',
    source: 'Web Services Dynamic Discovery (April 2005) section 5.2',
  },
  {
    name: SNMP_GET,
    transport: 'udp',
    protocol: 'snmp',
    text: '30 .. 02 01 <00: SNMPv1, 01: v2c> 04 .. <community given by the operator> a0 .. 02 .. <request id> 02 01 00 02 01 00 30 .. { 30 .. 06 .. <listed object> 05 00 }',
    credential: true,
    why: 'GET of one to six listed objects (below); each community once to an address, further reads only with one that was taken',
    source: 'RFC 1157 section 4.1.2, RFC 3416 section 4.2.1',
  },
  {
    name: SNMP_USER_GET,
    transport: 'udp',
    protocol: 'snmp',
    text: 'SNMPv3: <engine of the agent> <user given by the operator> <digest with his key> a0: GET of one to six listed objects (below), encrypted where he has a privacy key',
    credential: true,
    why: 'the same as a user: he is tried once at an address',
    source: 'RFC 3412 section 6, RFC 3414 section 3.1, RFC 3416 section 4.2.1',
  },
  {
    name: 'mdns.browse',
    transport: 'udp',
    protocol: 'mdns',
    group: '224.0.0.251',
    template: BROWSE,
    why: 'asks which services there are: nine types of them, and the list of all',
    source: 'RFC 6762 sections 5.4 and 6.7, RFC 6763 sections 4 and 9',
  },
  {
    name: 'mdns.browse-host',
    transport: 'udp',
    protocol: 'mdns',
    text: 'the same to one address, with its reverse name (4.3.2.1.in-addr.arpa) as the first question',
    hasForm: isHostBrowse,
    why: 'asks one device for its services and its name',
    source: 'RFC 6762 sections 5.5 and 6.7, RFC 6763 sections 4 and 9',
  },
  {
    name: 'mdns.ask',
    transport: 'udp',
    protocol: 'mdns',
    text: 'a DNS query without a number, a flag or anything but 1 to 8 questions: PTR, SRV, TXT, A or AAAA of names that end in .local, as the device gave them to us, or PTR of its reverse name; 512 bytes at most',
    hasForm: isFurtherQuestion,
    why: 'asks for what the first answer left out: where an instance runs, its TXT record, the address of its host',
    source: 'RFC 6762 sections 5.5 and 6.7, RFC 6763 sections 5 and 6',
  },
  {
    name: 'ssdp.root',
    transport: 'udp',
    protocol: 'ssdp',
    template: search('upnp:rootdevice', 1),
    why: 'asks a UPnP device to name itself',
    source: 'UPnP Device Architecture 1.1 section 1.3.2; with MX, without which older devices do not answer',
  },
  {
    name: 'ssdp.redfish',
    transport: 'udp',
    protocol: 'ssdp',
    template: search('urn:dmtf-org:service:redfish-rest:1', 1),
    why: 'asks whether there is a Redfish service, and for its UUID',
    source: 'DMTF DSP0266 (discovery with SSDP)',
  },
  {
    name: 'ssdp.root-link',
    transport: 'udp',
    protocol: 'ssdp',
    group: '239.255.255.250',
    template: search('upnp:rootdevice', 2),
    why: 'the same of everybody on a directly attached network',
    source: 'UPnP Device Architecture 1.1 section 1.3.2',
  },
  {
    name: 'ssdp.redfish-link',
    transport: 'udp',
    protocol: 'ssdp',
    group: '239.255.255.250',
    template: search('urn:dmtf-org:service:redfish-rest:1', 2),
    why: 'the same of everybody on a directly attached network',
    source: 'DMTF DSP0266 (discovery with SSDP)',
  },
  {
    name: 'rfb.version-3.3',
    transport: 'tcp',
    protocol: 'rfb',
    template: hex('RFB 003.003\n'),
    why: 'the version we speak, to a server of 3.3; nothing is sent after it',
    source: 'RFC 6143 section 7.1.1',
  },
  {
    name: 'rfb.version-3.7',
    transport: 'tcp',
    protocol: 'rfb',
    template: hex('RFB 003.007\n'),
    why: 'the same for a server of 3.7',
    source: 'RFC 6143 section 7.1.1',
  },
  {
    name: 'rfb.version-3.8',
    transport: 'tcp',
    protocol: 'rfb',
    template: hex('RFB 003.008\n'),
    why: 'the same for 3.8 and later',
    source: 'RFC 6143 section 7.1.1',
  },
  {
    name: 'dns.ptr',
    transport: 'udp',
    protocol: 'dns',
    text: "one PTR question for each living address, made by the resolver library, to this machine's name servers and to nobody else",
    why: 'only with --also dns: the name that the network gives to an address',
    source: 'RFC 1035 section 3.5, RFC 3596 section 2.5',
  },
  {
    name: 'http.get',
    transport: 'tcp',
    protocol: 'http',
    text: `GET <listed path> HTTP/1.1, host: <the address or name given>, connection: keep-alive, user-agent: ${userAgent()}, accept: */*, accept-encoding: identity`,
    why: 'reads one page; no body, no cookie, no Authorization, never another method',
    source: 'RFC 9110 section 9.3.1',
  },
  {
    name: 'tls.client-hello',
    transport: 'tcp',
    protocol: 'tls',
    text: 'a TLS handshake made by the TLS library, without a client certificate (bytes: see the end of this list)',
    why: 'reads the certificate and carries http.get',
    source: 'RFC 8446 section 4.1.2',
  },
  {
    name: 'tls.raw-client-hello',
    transport: 'tcp',
    protocol: 'tls',
    // Record 3.0; ClientHello 3.1, random, no session; 24 suites: RC4, 3DES, AES, DES, export, NULL and the renegotiation signal; no compression, no extensions.
    template: `160300005b010000570301${'..'.repeat(32)}000030${RAW_SUITES}0100`,
    varies: '32 random bytes',
    why: 'reads the certificate, which such a device sends in clear, where it has no TLS in common with the library; nothing follows it',
    source: 'RFC 2246 section 7.4.1.2; RFC 5246 appendices A.5 and E.1; RFC 5746 section 3.3',
  },
];

function hex(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}

/** Bytes in hex with their number before them, in two bytes. */
function sized(digits: string): string {
  return `${(digits.length / 2).toString(16).padStart(4, '0')}${digits}`;
}

const PATTERNS: ReadonlyMap<string, RegExp> = new Map(
  MESSAGES.flatMap(({ name, template }) =>
    template === undefined
      ? []
      : [[name, new RegExp(`^${template.replaceAll('.', '[0-9a-f]').replaceAll('hh', '(?:3[0-9]|6[1-6])')}$`)] as const],
  ),
);

const CREDENTIALED: ReadonlySet<string> = new Set(MESSAGES.flatMap(({ name, credential }) => (credential === true ? [name] : [])));

/** True for a message that carries a credential. */
export function needsCredential(name: string): boolean {
  return CREDENTIALED.has(name);
}

/**
 * Why a message of bytes may not be sent, or undefined where it is of the form that its name says. What is said of one with a credential holds no byte of it.
 * What a user of SNMPv3 asks is sent by his session only, which has the keys to look into it (`snmp/session.ts`).
 */
export function refuseBytes(name: string, bytes: Buffer, given: SnmpCredentials = NO_CREDENTIALS): Problem | undefined {
  if (name === SNMP_GET) {
    const reason = refuseGet(bytes, given);
    return reason === undefined ? undefined : problem('not-allowed', { what: `${name} (${reason})` });
  }
  if (needsCredential(name)) return problem('not-allowed', { what: `${name} outside a session` });
  const hasForm = PATTERNS.get(name)?.test(bytes.toString('hex')) ?? messageOf(name)?.hasForm?.(bytes);
  return hasForm === true ? undefined : problem('not-allowed', { what: `${name} (${bytes.toString('hex')})` });
}

/** Why a message may not be sent to a multicast group, whatever its bytes, or undefined where the list says that it may. */
export function refuseGroup(name: string, group: string): Problem | undefined {
  return messageOf(name)?.group === group ? undefined : problem('not-allowed', { what: `${name} to ${group}` });
}

function messageOf(name: string): Message | undefined {
  return MESSAGES.find((message) => message.name === name);
}

/** The name of the form that some bytes to a TCP protocol have, or undefined where they have none. */
export function nameBytes(protocol: string, bytes: Buffer): string | undefined {
  return MESSAGES.find(
    (message) =>
      message.transport === 'tcp' && message.protocol === protocol && PATTERNS.get(message.name)?.test(bytes.toString('hex')) === true,
  )?.name;
}

const REQUEST = /^GET (?<path>\S+) HTTP\/1\.1\r\n(?<headers>(?:[a-z-]+: [^\r\n]*\r\n)+)\r\n$/;
const HEADERS: ReadonlySet<string> = new Set(['host', 'connection', 'user-agent', 'accept', 'accept-encoding']);

/** Why the bytes of a request may not be sent, or undefined where they are one GET of a listed path with our five headers and nothing else. */
export function refuseRequest(bytes: Buffer, paths: AllowedPaths, as: PathKind): Problem | undefined {
  const request = REQUEST.exec(bytes.toString('latin1'))?.groups;
  if (request === undefined)
    return problem('not-allowed', { what: `a request that is no plain GET (${bytes.subarray(0, 80).toString('latin1')})` });
  const names = (request['headers'] ?? '')
    .trimEnd()
    .split('\r\n')
    .map((line) => line.slice(0, line.indexOf(':')));
  const odd = names.find((name) => !HEADERS.has(name));
  if (odd !== undefined || new Set(names).size !== names.length)
    return problem('not-allowed', { what: `a request header ${odd ?? 'twice'}` });
  return paths.refusal(request['path'] ?? '', as);
}

/** A message as it is written down. What a credential could be guessed from is not: of a community the octets, of a user's request all of it. */
export function shown(name: string, bytes: Buffer): { readonly bytes?: Buffer; readonly length?: number; readonly withheld?: string } {
  if (!needsCredential(name)) return { bytes };
  const struck = Buffer.from(bytes);
  const community = name === SNMP_GET ? communityIn(struck) : undefined;
  // With a digest a key could be tried out at leisure, and the name is half of a login.
  if (community === undefined)
    return { length: bytes.length, withheld: 'the bytes: they hold the name of a user, and what is made with his keys' };
  community.fill('*');
  return { bytes: struck, withheld: 'the community: its octets are written as 2a' };
}
