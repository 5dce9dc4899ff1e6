import type { TcpProtocol, UdpProtocol } from '../targets/port-plan.ts';
import type { Facts, Transport } from '../vocabulary.ts';
import type { PathKind } from './paths.ts';

/** Host, transport and port. The host is an address in canonical text. */
export interface Endpoint {
  readonly host: string;
  readonly transport: Transport;
  readonly port: number;
}

export function endpointText({ host, port, transport }: Endpoint): string {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return transport === 'udp' ? `${place}/udp` : place;
}

/**
 * A conversation over one TCP connection that `sweep/` opened: bounded reads, one deadline, a byte budget.
 * Every method throws `ProbeError` where the device does not go along, and `ForbiddenError` where the bytes are not on the list of what may be sent.
 */
export interface Wire {
  readonly endpoint: Endpoint;
  /** Exactly `bytes` bytes; `cut-off` where the device hangs up before, `silent` where time runs out. */
  read(bytes: number): Promise<Buffer>;
  /**
   * What has come after at most `waitMs`, up to `max` bytes, and no later than `isEnough` says so; empty where nothing came,
   * `cut-off` where it hung up without ever having said a word.
   */
  listen(max: number, waitMs: number, isEnough?: (heard: Buffer) => boolean): Promise<Buffer>;
  /** Sends one allowed message. */
  write(bytes: Buffer): Promise<void>;
  /** Speaks TLS from here on (profile D of docs/read-only.md: everything that the library can speak, nothing verified). */
  secure(): Promise<TlsSession>;
  /** What was read so far, at most 4 KiB of it: evidence where a protocol turns out to be another. */
  readonly seen: Buffer;
}

/** What a TLS handshake tells. Nothing is verified: an inventory reads certificates, it trusts none. */
export interface TlsSession {
  /** `TLSv1.2`, as OpenSSL names it. */
  readonly version: string;
  readonly cipher: string;
  /** The chain as presented, leaf first, DER. Empty for anonymous suites. */
  readonly chain: readonly Buffer[];
  readonly handshakeMs: number;
}

/** A reply to one GET, as far as it came. */
export interface Page {
  readonly path: string;
  /** Absent where there was no status line. */
  readonly status?: number;
  /** In the order received, names as sent. */
  readonly headers: readonly (readonly [string, string])[];
  /** At most 512 KiB. */
  readonly body: Buffer;
  /** Why the body ended early. */
  readonly cut?: string;
  /** Read from the tap, because the reply breaks the rules of HTTP. */
  readonly loose: boolean;
}

/** Asks one web endpoint for listed paths, one after the other: over the connection that found the port open, and over others where the device ends it. */
export interface Web {
  readonly endpoint: Endpoint;
  readonly scheme: 'http' | 'https';
  get(path: string, as?: PathKind): Promise<Page>;
  /**
   * Where a redirect leads that may be followed: the same address, a port of this sweep, a listed path.
   * `location` is absolute or relative to `from`. Undefined where it may not be followed.
   */
  follow(location: string, from: string): { readonly web: Web; readonly path: string } | undefined;
}

/** A request over UDP that a probe may make. `name` is its name in the list of what may be sent. */
export interface Datagram {
  readonly name: string;
  readonly bytes: Buffer;
}

/** An answer that a shared socket received, told apart by the request that it answers, not by its port. */
export interface Answer {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A conversation with one UDP endpoint over the shared socket: retries, give-up and budget are the wire's. */
export interface DatagramWire {
  readonly endpoint: Endpoint;
  /** The answers to the sweep's own requests, in the order they came. */
  readonly answers: readonly Answer[];
  /**
   * Sends a request (a fresh one for each try, since some devices drop a repeated sequence number) until an answer fits. Tries at 0, 1.5 and 4 s, gives up at 7 s;
   * with fewer `tries` it gives up when the next one would have been due.
   * Undefined where none came: with a shared socket `closed` cannot be told from `silent`.
   */
  ask(
    request: (attempt: number) => Datagram,
    fits: (bytes: Buffer) => boolean,
    options?: { readonly tries?: 1 | 2 | 3 },
  ): Promise<Buffer | undefined>;
  /** Waits for answers to the sweep's own requests that are still on their way: until there are enough, `waitMs` at most. Sends nothing. */
  hear(isEnough: (answers: readonly Answer[]) => boolean, waitMs: number): Promise<void>;
}

/** A value of an SNMP object: an integer of any kind, octets, or text for what is written with dots (object identifiers, IPv4 addresses). */
export type SnmpValue = number | Buffer | string;

export interface SnmpReply {
  /** The error status of the answer (RFC 3416 section 3); 0 where there is none. */
  readonly status: number;
  /** By object identifier in dotted digits. What the agent has not is not in it. */
  readonly values: ReadonlyMap<string, SnmpValue>;
}

/** An SNMP agent, as it is read with one credential that the operator gave. */
export interface SnmpAgent {
  readonly endpoint: Endpoint;
  readonly version: 1 | 2 | 3;
  /**
   * A GET of one to six listed objects, sent once.
   * @throws {ProbeError} `silent` without an answer, `refused` where the agent does not take the credential or the port is closed,
   * `not-this-protocol` where the answer fits nothing that was asked, `given-up` where its account is used up
   */
  get(oids: readonly string[]): Promise<SnmpReply>;
}

export interface ProbeContext {
  /** The name that the operator gave for the address, if any. */
  readonly name?: string;
}

export interface TcpProbe {
  readonly id: string;
  readonly speaks: 'bytes';
  /** Reads what the device says. Never dials, sleeps or logs. @throws {ProbeError} */
  talk(wire: Wire, context: ProbeContext): Promise<Facts>;
}

export interface WebProbe {
  readonly id: string;
  readonly speaks: 'web';
  talk(web: Web, context: ProbeContext): Promise<Facts>;
}

/** What another probe's answer leads to: a document on the same device. */
export interface DescriptionProbe {
  readonly id: string;
  readonly speaks: 'description';
  /** Reads a document. `path` is what the device named, and lies on it. @throws {ProbeError} */
  talk(web: Web, path: string): Promise<Facts>;
}

/** Questions to everybody on a link: IPv4 multicast. */
export interface LinkQuestions {
  /** The group's address, to which the list of what may be sent must allow each of the questions. */
  readonly group: string;
  readonly ttl: number;
  readonly questions: readonly Datagram[];
}

export interface UdpProbe {
  readonly id: UdpProtocol;
  readonly speaks: 'datagrams';
  /** What the sweep sends to every address in a try: each request once. `random` gives 32 fresh bits, `host` is the address, where it is asked of one. */
  hello(attempt: number, random: () => number, host?: string): readonly Datagram[];
  /** Answers may come from any port of the address that was asked. */
  readonly anyPort?: true;
  /** So many different answers to one request are kept; one where this is absent. */
  readonly answersKept?: number;
  /** Milliseconds over which a device may spread its answers; they are waited for so much longer. */
  readonly spreadMs?: number;
  /** What is asked of everybody on a directly attached network at once. */
  readonly link?: LinkQuestions;
  /** The name of the request that a datagram answers, or undefined where it is no answer to this probe's requests. */
  recognise(bytes: Buffer): string | undefined;
  /** Reads the answers, and asks for more where that is worth it. @throws {ProbeError} */
  talk(wire: DatagramWire, context: ProbeContext): Promise<Facts>;
}

export interface SnmpProbe {
  readonly id: string;
  readonly speaks: 'objects';
  /** Reads what an agent tells of the device. `known` is what it has told before. @throws {ProbeError} with the facts learned until then */
  talk(agent: SnmpAgent, known: Facts): Promise<Facts>;
}

export type Probe = TcpProbe | WebProbe | DescriptionProbe | UdpProbe | SnmpProbe;
export type Protocol = TcpProtocol | UdpProtocol;
