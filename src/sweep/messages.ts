import { type Problem, problem } from '../errors.ts';
import type { AllowedPaths, PathKind } from './paths.ts';
import { userAgent } from './user-agent.ts';

/** One form of message that may leave the machine. */
export interface Message {
  readonly name: string;
  readonly transport: 'tcp' | 'udp';
  readonly protocol: string;
  /** The bytes in hex; `..` is a byte that varies (why is said in `varies`). Absent where the form is a grammar (`text`). */
  readonly template?: string;
  /** The form in words, where it is not fixed bytes. */
  readonly text?: string;
  /** Whether bytes over UDP have the form that is told in words. */
  readonly hasForm?: (bytes: Buffer) => boolean;
  /** The multicast group that it may be sent to, on directly attached networks, instead of to one address. */
  readonly group?: string;
  readonly varies?: string;
  readonly why: string;
  readonly source: string;
}

const IPMI_15 = '0600ff0700000000000000000009';

/** What is asked for by DNS-SD (RFC 6763 sections 4 and 9), each with QTYPE PTR (12) and the unicast-response bit over QCLASS IN (RFC 6762 section 5.4). */
const BROWSED = [
  '_http._tcp',
  '_https._tcp',
  '_ssh._tcp',
  '_rfb._tcp',
  '_workstation._tcp',
  '_services._dns-sd._udp',
  '_redfish._tcp',
  '_obmc_redfish._tcp',
  '_obmc_console._tcp',
  '_pikvm._tcp',
]
  .map((name) => `${[...name.split('.'), 'local'].map((label) => hex(`${String.fromCharCode(label.length)}${label}`)).join('')}00000c8001`)
  .join('');

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
    name: 'snmp.engine-discovery',
    transport: 'udp',
    protocol: 'snmp',
    template:
      '303e02010330110204........020300ffe30401040201030410300e0400020100020100040004000400301404000400a00e0204........0201000201003000',
    varies: 'message id and request id (31 bits)',
    why: 'SNMPv3 engine discovery with an empty user: the agent must answer with its engine id; no credential',
    source: 'RFC 3414 section 4',
  },
  {
    name: 'mdns.browse',
    transport: 'udp',
    protocol: 'mdns',
    group: '224.0.0.251',
    template: `0000000000${(10).toString(16).padStart(2, '0')}000000000000${BROWSED}`,
    why: 'asks which services there are: nine types of them, and the list of all',
    source: 'RFC 6762 sections 5.4 and 6.7, RFC 6763 sections 4 and 9',
  },
  {
    name: 'mdns.browse-host',
    transport: 'udp',
    protocol: 'mdns',
    text: 'the same to one address, with its reverse name (4.3.2.1.in-addr.arpa) as the first question',
    hasForm: (bytes) => {
      const [first] = questionsOf(bytes) ?? [];
      return (
        first !== undefined &&
        isReverse(first) &&
        bytes.toString('hex', 0, 12) === '00000000000b000000000000' &&
        bytes.toString('hex', first.end) === BROWSED
      );
    },
    why: 'asks one device for its services and its name',
    source: 'RFC 6762 sections 5.5 and 6.7, RFC 6763 sections 4 and 9',
  },
  {
    name: 'mdns.ask',
    transport: 'udp',
    protocol: 'mdns',
    text: 'a DNS query without a number, a flag or anything but 1 to 8 questions: PTR, SRV, TXT, A or AAAA of names that end in .local, as the device gave them to us, or PTR of its reverse name; 512 bytes at most',
    hasForm: (bytes) => {
      const questions = bytes.length <= 512 ? questionsOf(bytes) : undefined;
      return questions !== undefined && questions.length <= 8 && questions.every((question) => isLocal(question) || isReverse(question));
    },
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
    name: 'http.get',
    transport: 'tcp',
    protocol: 'http',
    text: `GET <listed path> HTTP/1.1, host: <the address or name given>, connection: close, user-agent: ${userAgent()}, accept: */*, accept-encoding: identity`,
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
];

function hex(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}

const PATTERNS: ReadonlyMap<string, RegExp> = new Map(
  MESSAGES.flatMap(({ name, template }) =>
    template === undefined ? [] : [[name, new RegExp(`^${template.replaceAll('.', '[0-9a-f]')}$`)] as const],
  ),
);

/** Why a message of bytes may not be sent, or undefined where it is of the form that its name says. */
export function refuseBytes(name: string, bytes: Buffer): Problem | undefined {
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

interface DnsQuestion {
  /** In lower case. */
  readonly labels: readonly string[];
  readonly type: number;
  /** The byte behind it. */
  readonly end: number;
}

const PTR = 12;
const MDNS_TYPES: ReadonlySet<number> = new Set([1, PTR, 16, 28, 33]);
const UNICAST_IN = 0x8001;

/** The questions of a query that has nothing else, written out in full (RFC 1035 sections 3.1 and 4.1); undefined where it is none. */
function questionsOf(bytes: Buffer): DnsQuestion[] | undefined {
  if (!/^0{8}(?!0{4}).{4}0{12}$/.test(bytes.toString('hex', 0, 12))) return undefined;
  const questions: DnsQuestion[] = [];
  let at = 12;
  for (let left = bytes.readUInt16BE(4); left > 0; left -= 1) {
    const labels: string[] = [];
    for (let length = bytes[at]; length !== 0; length = bytes[at]) {
      if (length === undefined || length > 63) return undefined;
      labels.push(bytes.toString('latin1', at + 1, at + 1 + length).toLowerCase());
      at += 1 + length;
    }
    const end = at + 5;
    if (end > bytes.length || bytes.readUInt16BE(end - 2) !== UNICAST_IN) return undefined;
    questions.push({ labels, type: bytes.readUInt16BE(at + 1), end });
    at = end;
  }
  return at === bytes.length ? questions : undefined;
}

function isLocal({ labels, type }: DnsQuestion): boolean {
  return labels.length > 1 && labels.at(-1) === 'local' && MDNS_TYPES.has(type);
}

/** The name that an address has the other way round (RFC 1035 section 3.5, RFC 3596 section 2.5). */
function isReverse({ labels, type }: DnsQuestion): boolean {
  const name = labels.join('.');
  return type === PTR && (/^(\d{1,3}\.){4}in-addr\.arpa$/.test(name) || /^([0-9a-f]\.){32}ip6\.arpa$/.test(name));
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
