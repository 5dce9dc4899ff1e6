import { type Problem, problem } from '../errors.ts';
import type { AllowedPaths } from './paths.ts';
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
  readonly varies?: string;
  readonly why: string;
  readonly source: string;
}

const RAW_SUITES = '00050004000a002f00350009000300060008001400150016003300390013001200010002003bc011c012c013c01400ff';
const IPMI_15 = '0600ff0700000000000000000009';

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

const PATTERNS: ReadonlyMap<string, RegExp> = new Map(
  MESSAGES.flatMap(({ name, template }) =>
    template === undefined ? [] : [[name, new RegExp(`^${template.replaceAll('.', '[0-9a-f]')}$`)] as const],
  ),
);

/** Why a message of bytes may not be sent, or undefined where it is of the form that its name says. */
export function refuseBytes(name: string, bytes: Buffer): Problem | undefined {
  return PATTERNS.get(name)?.test(bytes.toString('hex')) === true
    ? undefined
    : problem('not-allowed', { what: `${name} (${bytes.toString('hex')})` });
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
export function refuseRequest(bytes: Buffer, paths: AllowedPaths, icon: boolean): Problem | undefined {
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
  return paths.refusal(request['path'] ?? '', icon ? 'icon' : 'page');
}
