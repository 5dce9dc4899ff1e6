import dgram from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { Session, User, Varbind } from 'net-snmp';
import { codeOf, ForbiddenError, problem, ProbeError } from '../../errors.ts';
import { type AddressNumber, familyOf } from '../../targets/addresses.ts';
import type { Audit } from '../audit.ts';
import type { Budget } from '../budget.ts';
import type { Endpoint, SnmpAgent, SnmpReply, SnmpValue } from '../contract.ts';
import type { Dialer } from '../dial.ts';
import { refuseBytes, shown, SNMP_DISCOVERY, SNMP_GET, SNMP_USER_GET } from '../messages.ts';
import { type SnmpCredential, SnmpCredentials, type SnmpUser } from './credentials.ts';
import { answerKind, flagsOf, refuseDiscovery, refuseUserGet, type Sealed } from './forms.ts';
import { loadSnmp, type SnmpLibrary } from './library.ts';

/** An agent is given so long for an answer. Nothing is sent twice. */
const TIMEOUT_MS = 5000;
/** For one request: the discovery of the engine, the request, and again where the agent corrects the clock (RFC 3414 section 4). An agent that reports for ever gets no more. */
const MAX_SENDS = 3;
/** Datagrams that are looked into for one session. An agent that sends more sends nonsense. */
const MAX_HEARD = 64;

export interface SnmpSessionOptions {
  readonly address: AddressNumber;
  readonly endpoint: Endpoint;
  readonly credential: SnmpCredential;
  /** `performance.now()` at which the conversation is over. */
  readonly deadline: number;
  readonly budget: Budget;
  readonly reach: Dialer & { readonly audit: Audit };
  /** Called for each datagram that goes out, for the sweep's account. */
  readonly onSend: () => void;
  /** Conditions of our own machine, which are no result. */
  readonly onLocalError: () => void;
}

/**
 * One SNMP agent, asked with one credential. The library makes the packets and reads them; what it does not do is done here: a connected socket, so that a
 * closed port is heard of and no other host is (net-snmp takes an answer from anywhere); every packet held against the list of what may be sent, the guard
 * and the account; nothing that a device sends ends the process.
 */
export class SnmpSession implements SnmpAgent {
  readonly endpoint: Endpoint;
  readonly version: 1 | 2 | 3;
  readonly #library: SnmpLibrary;
  readonly #session: Session;
  readonly #socket: SessionSocket;
  readonly #deadline: number;

  private constructor(options: SnmpSessionOptions, library: SnmpLibrary, socket: SessionSocket) {
    const { endpoint, credential, deadline } = options;
    this.endpoint = endpoint;
    this.version = credential.version;
    this.#library = library;
    this.#socket = socket;
    this.#deadline = deadline;
    const common = {
      port: endpoint.port,
      retries: 0,
      timeout: TIMEOUT_MS,
      transport: familyOf(options.address) === 4 ? ('udp4' as const) : ('udp6' as const),
      dgramModule: { createSocket: () => socket },
    };
    this.#session =
      credential.version === 3
        ? library.createV3Session(endpoint.host, userOf(credential, library), common)
        : library.createSession(endpoint.host, credential.community.reveal(), {
            ...common,
            version: credential.version === 1 ? library.Version1 : library.Version2c,
          });
    // A datagram that is no SNMP is no answer: the one that is waited for may still come.
    this.#session.on('error', () => undefined);
  }

  /** Connects a socket to the agent. Nothing is sent yet. @throws {ProbeError} */
  static async open(options: SnmpSessionOptions): Promise<SnmpSession> {
    const { address, endpoint, reach, onLocalError } = options;
    const refused = reach.guard.refusal(address);
    if (refused !== undefined) throw new ForbiddenError(refused);
    const library = await loadSnmp();
    const family = familyOf(address);
    const socket = dgram.createSocket({
      type: family === 4 ? 'udp4' : 'udp6',
      lookup: (host, _, done) => done(null, host, family),
    });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.connect(endpoint.port, endpoint.host, () => {
          socket.off('error', reject);
          resolve();
        });
      });
    } catch (error) {
      socket.close();
      const failure = socketFailure(codeOf(error));
      if (failure.kind === 'given-up') onLocalError();
      throw failure;
    }
    return new SnmpSession(options, library, new SessionSocket(socket, options, library));
  }

  async get(oids: readonly string[]): Promise<SnmpReply> {
    const leftMs = this.#deadline - performance.now();
    if (leftMs <= 0) throw new ProbeError('given-up', 'its time was up');
    const { promise, resolve, reject } = Promise.withResolvers<SnmpReply>();
    // The library's own time-out holds for each of its packets; this one for the device.
    const timer = setTimeout(() => reject(new ProbeError('given-up', 'its time was up')), Math.min(leftMs, MAX_SENDS * TIMEOUT_MS));
    this.#socket.begin(reject);
    try {
      this.#session.get([...oids], (error: LibraryError | null, varbinds = []) => {
        if (error === null) resolve({ status: 0, values: valuesOf(varbinds, oids, this.#library) });
        else if (error.name === 'RequestFailedError') resolve({ status: error.status ?? GENERAL_ERROR, values: new Map() });
        else reject(failureOf(error, this.#library));
      });
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#session.close();
  }
}

/** An error of the library, told by its name: its classes are made in a way that their types do not tell. */
interface LibraryError extends Error {
  readonly code?: unknown;
  readonly status?: number;
}

/** RFC 3416 section 3, genErr. */
const GENERAL_ERROR = 5;

/** What the library says of a failure, in our words: its own may hold digests, and its errors the keys. */
function failureOf(error: LibraryError, { ResponseInvalidCode }: SnmpLibrary): Error {
  if (error instanceof ProbeError || error instanceof ForbiddenError) return error;
  if (error.name === 'RequestTimedOutError') return new ProbeError('silent', 'did not answer the request');
  if (error.name === 'ResponseInvalidError') {
    const report = REPORTS.get(error.message);
    if (report !== undefined) return new ProbeError('refused', report);
    if (error.code === ResponseInvalidCode.ECouldNotDecrypt) return new ProbeError('not-this-protocol', 'its answer cannot be decrypted');
    if (error.code === ResponseInvalidCode.EAuthFailure) return new ProbeError('not-this-protocol', 'its answer is not authentic');
    return new ProbeError('not-this-protocol', 'its answer does not fit what was asked');
  }
  return new Error(`net-snmp could not make a request (${error.name}, ${codeOf(error) ?? 'no code'})`);
}

/** Reports of the user-based security model (RFC 3414 section 3.2), by the words of net-snmp 3.29. */
const REPORTS: ReadonlyMap<string, string> = new Map([
  ['Unsupported Security Level', 'the agent does not allow this user this security (or asks more of him)'],
  ['Not In Time Window', 'the agent finds the clock of the request wrong'],
  ['Unknown User Name', 'the agent does not know this user'],
  ['Unknown Engine ID', 'the agent does not know its own engine'],
  ['Wrong Digest (incorrect password, community or key)', 'wrong authentication: another key or protocol than the agent has for this user'],
  ['Decryption Error', 'wrong privacy: another key or protocol than the agent has for this user'],
]);

const SOCKET_CODES: Readonly<Record<string, ['refused' | 'unreachable', string]>> = {
  ECONNREFUSED: ['refused', 'the port is closed'],
  EHOSTUNREACH: ['unreachable', 'there is no way to it'],
  ENETUNREACH: ['unreachable', 'there is no way to it'],
  EHOSTDOWN: ['unreachable', 'there is no way to it'],
};

function socketFailure(code: string | undefined): ProbeError {
  const [kind, text] = SOCKET_CODES[code ?? ''] ?? ['given-up' as const, 'this machine could not ask it'];
  return new ProbeError(kind, `${text} (${code ?? 'unknown'})`);
}

function userOf({ name, auth, privacy }: SnmpUser, library: SnmpLibrary): User {
  const { AuthProtocols, PrivProtocols, SecurityLevel } = library;
  const level = auth === undefined ? SecurityLevel.noAuthNoPriv : privacy === undefined ? SecurityLevel.authNoPriv : SecurityLevel.authPriv;
  return {
    name: name.reveal(),
    level,
    ...(auth === undefined ? {} : { authProtocol: AuthProtocols[auth.protocol], authKey: auth.key.reveal() }),
    ...(privacy === undefined ? {} : { privProtocol: PrivProtocols[privacy.protocol], privKey: privacy.key.reveal() }),
  };
}

/** The values of what was asked; of what was not asked nothing is taken. */
function valuesOf(varbinds: readonly Varbind[], oids: readonly string[], { isVarbindError }: SnmpLibrary): Map<string, SnmpValue> {
  const values = new Map<string, SnmpValue>();
  for (const varbind of varbinds) {
    const { oid, value } = varbind;
    if (isVarbindError(varbind) || !oids.includes(oid)) continue;
    if (typeof value === 'number' || typeof value === 'string' || Buffer.isBuffer(value)) values.set(oid, value);
  }
  return values;
}

/**
 * What the library takes for the module `dgram`'s socket: the way out, and the way in.
 * It must never emit `error`: the library would emit that error under its own name, which nobody can listen to.
 */
class SessionSocket extends EventEmitter {
  readonly #socket: dgram.Socket;
  readonly #options: SnmpSessionOptions;
  readonly #library: SnmpLibrary;
  readonly #given: SnmpCredentials;
  #fail: (error: Error) => void = () => undefined;
  #sends = 0;
  #heard = 0;

  constructor(socket: dgram.Socket, options: SnmpSessionOptions, library: SnmpLibrary) {
    super();
    this.#socket = socket;
    this.#options = options;
    this.#library = library;
    this.#given = new SnmpCredentials([options.credential]);
    socket.on('error', (error) => this.#fail(this.#failureOf(error)));
    socket.on('message', (bytes) => this.#onMessage(bytes));
  }

  /** A request begins: what goes wrong from now on is its end. */
  begin(fail: (error: Error) => void): void {
    this.#fail = fail;
    this.#sends = 0;
  }

  // ---- what the library calls -------------------------------------------------------------------------------------

  /** Throws where nothing may be sent: the library hands that to whoever asked. */
  send(buffer: Buffer, offset: number, length: number, _port: number, _host: string, sent: (error: Error | null) => void): void {
    const { address, endpoint, reach, budget, onSend } = this.#options;
    const bytes = buffer.subarray(offset, offset + length);
    const { name, refused } = this.#form(bytes);
    if (refused !== undefined) throw new ForbiddenError(problem('not-allowed', { what: `${name} (${refused})` }));
    const guarded = reach.guard.refusal(address);
    if (guarded !== undefined) throw new ForbiddenError(guarded);
    this.#sends += 1;
    if (this.#sends > MAX_SENDS) throw new ProbeError('not-this-protocol', 'it reports and reports, and answers nothing');
    if (!budget.read()) throw new ProbeError('given-up', 'it has had all the requests that it may get');
    reach.audit.record({ host: endpoint.host, transport: 'udp', port: endpoint.port, what: name, ...shown(name, bytes) });
    onSend();
    this.#socket.send(bytes, (error) => sent(error === null ? null : this.#failureOf(error)));
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    this.#socket.close();
    // Ends what the library still waits for.
    this.emit('close');
  }

  // -----------------------------------------------------------------------------------------------------------------

  #failureOf(error: Error): ProbeError {
    const failure = socketFailure(codeOf(error));
    if (failure.kind === 'given-up') this.#options.onLocalError();
    return failure;
  }

  /** Of which form a packet is, and why it may not be sent. */
  #form(bytes: Buffer): { readonly name: string; readonly refused: string | undefined } {
    const { credential } = this.#options;
    if (credential.version !== 3) {
      const wrong = refuseBytes(SNMP_GET, bytes, this.#given);
      return { name: SNMP_GET, refused: wrong === undefined ? undefined : 'not of its form' };
    }
    if (refuseDiscovery(bytes) === undefined) return { name: SNMP_DISCOVERY, refused: undefined };
    const { auth, privacy } = credential;
    const { Authentication, AuthProtocols } = this.#library;
    const digest = auth === undefined ? 0 : Authentication.getParametersLength(AuthProtocols[auth.protocol]);
    const unseal = (sealed: Sealed): Buffer => (privacy === undefined ? Buffer.alloc(0) : this.#unseal(credential, sealed));
    return { name: SNMP_USER_GET, refused: refuseUserGet(bytes, credential, digest, unseal) };
  }

  #unseal({ auth, privacy }: SnmpUser, { octets, salt, engineId, boots, time }: Sealed): Buffer {
    const { Encryption, AuthProtocols, PrivProtocols } = this.#library;
    if (auth === undefined || privacy === undefined) throw new Error('nothing to decrypt with');
    const protocol = PrivProtocols[privacy.protocol];
    const { decryptPdu } = Encryption.algorithms[protocol] as { decryptPdu: (...what: readonly unknown[]) => Buffer };
    const engine = { engineID: engineId, engineBoots: boots, engineTime: time };
    return decryptPdu(octets, protocol, salt, privacy.key.reveal(), AuthProtocols[auth.protocol], engine);
  }

  #onMessage(bytes: Buffer): void {
    this.#heard += 1;
    if (this.#heard > MAX_HEARD) {
      this.#fail(new ProbeError('not-this-protocol', `it sends and sends (over ${MAX_HEARD} datagrams)`));
      return;
    }
    if (!this.#isFit(bytes)) return;
    try {
      this.emit('message', bytes);
    } catch {
      // The library trusts what it reads: a message that says one thing and holds another makes it stumble, and forget whom it was for.
      this.#fail(new ProbeError('not-this-protocol', 'its answer contradicts itself'));
    }
  }

  /** Only a report may have less security than was asked for: what is taken from an agent is as authentic as it can be. */
  #isFit(bytes: Buffer): boolean {
    const { credential } = this.#options;
    const kind = answerKind(bytes);
    if (kind === undefined || kind.version !== credential.version) return false;
    return credential.version !== 3 || kind.isReport || (kind.flags & 0x03) === flagsOf(credential);
  }
}
