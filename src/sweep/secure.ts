import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { ProbeError } from '../errors.ts';
import type { Audit } from './audit.ts';
import type { Endpoint, TlsSession } from './contract.ts';

/** The chain as presented, at most this many certificates. */
const MAX_CHAIN = 8;
/** Old processors take seconds for a handshake. Who says nothing for so long must not use up the time of the whole device. */
const HANDSHAKE_MS = 10_000;

export interface TlsLimits {
  /** The name that the operator gave, sent as SNI. Never made up: an address has none. */
  readonly name?: string | undefined;
  /** The second try of a device that hung up on the first: TLS 1.2 at most, no SNI. */
  readonly cautious?: boolean | undefined;
}

/**
 * Profile D: everything from TLS 1.0 with RSA 512 and SHA-1 to TLS 1.3, renegotiation info or not. Nothing is verified, nothing secret is ever sent over it.
 * `ecdhCurve` keeps the ClientHello within one segment (303 bytes; the default with its post-quantum share is 1,568, on which old stacks fail).
 * `sigalgs` stays unset: set, it breaks 512-bit keys.
 */
export const PROFILE_D: tls.SecureContextOptions = {
  minVersion: 'TLSv1',
  ciphers: 'DEFAULT:@SECLEVEL=0',
  ecdhCurve: 'X25519:P-256:P-384:P-521',
  secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
};

const CONTEXT = tls.createSecureContext(PROFILE_D);
const CAUTIOUS_CONTEXT = tls.createSecureContext({ ...PROFILE_D, maxVersion: 'TLSv1.2' });

/** Options of a handshake, for the sweep and for `explain --wire`, which prints what comes of them. */
export function tlsOptions({ name, cautious = false }: TlsLimits): tls.ConnectionOptions {
  return {
    secureContext: cautious ? CAUTIOUS_CONTEXT : CONTEXT,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(name === undefined || cautious ? {} : { servername: name }),
  };
}

/** Makes a TLS session over a connected socket. @throws {ProbeError} with what the library said */
export async function handshake(
  plain: Socket,
  endpoint: Endpoint,
  { deadline, audit, ...limits }: TlsLimits & { deadline: number; audit: Audit },
): Promise<{ socket: tls.TLSSocket; session: TlsSession }> {
  const from = performance.now();
  audit.record({ ...endpoint, what: limits.cautious === true ? 'tls.client-hello (TLS 1.2 at most)' : 'tls.client-hello' });
  const socket = tls.connect({ ...tlsOptions(limits), socket: plain });
  const { promise: secured, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: ProbeError): void => {
    socket.destroy();
    plain.destroy();
    reject(error);
  };
  const onClose = (): void => fail(new ProbeError('cut-off', 'hung up in the TLS handshake'));
  const timer = setTimeout(
    () => fail(new ProbeError('silent', 'no answer to the TLS handshake in time')),
    Math.max(1, Math.min(HANDSHAKE_MS, deadline - from)),
  );
  socket.once('secureConnect', () => resolve());
  // Stays for good: a late error of a socket that has already failed must not end the process.
  socket.on('error', (error: NodeJS.ErrnoException) => fail(tlsError(error, socket)));
  socket.once('close', onClose);
  try {
    await secured;
  } finally {
    clearTimeout(timer);
    socket.off('close', onClose);
  }
  return {
    socket,
    session: { ...readOf(socket), handshakeMs: performance.now() - from },
  };
}

/** What a device and the library could not agree on: a suite, a version, or something else. */
export type Disagreement = 'suite' | 'version' | 'other';

/**
 * A device that speaks TLS and came to no session with the library: by an alert, or by an answer that the library does not take. `read` is what had been read
 * by then: a device that wants to see a certificate of ours (mutual TLS, as Intel AMT may be set up) shows its own first, and then says what one without a
 * common suite says.
 */
export class HandshakeError extends ProbeError {
  readonly over: Disagreement;
  readonly read: HandshakeRead | undefined;
  constructor(message: string, over: Disagreement, read?: HandshakeRead) {
    super('cut-off', message);
    this.name = 'HandshakeError';
    this.over = over;
    this.read = read;
  }
}

export type HandshakeRead = Pick<TlsSession, 'version' | 'cipher' | 'chain'>;

/** Alerts that say what was missing: handshake_failure, insufficient_security, protocol_version (RFC 5246 section 7.2.2). */
const ALERTS: ReadonlyMap<string, Disagreement> = new Map([
  ['40', 'suite'],
  ['71', 'suite'],
  ['70', 'version'],
]);

function tlsError(error: NodeJS.ErrnoException, socket: tls.TLSSocket): ProbeError {
  const code = error.code ?? '';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' || code === 'ERR_SSL_HTTP_REQUEST')
    return new ProbeError('not-this-protocol', `does not speak TLS (${code})`);
  if (code === 'ECONNRESET' || code === 'EPIPE') return new ProbeError('cut-off', 'hung up in the TLS handshake');
  // EPROTO, ERR_SSL_*: the device speaks TLS, but none that this library can. The names of alerts differ between versions of OpenSSL; the numbers do not.
  const alert = /SSL alert number (\d+)/.exec(error.message)?.[1];
  const over = alert === undefined ? (code === 'ERR_SSL_UNSUPPORTED_PROTOCOL' ? 'version' : 'other') : (ALERTS.get(alert) ?? 'other');
  const read = readOf(socket);
  return new HandshakeError(`the TLS handshake failed (${code || error.message})`, over, read.chain.length === 0 ? undefined : read);
}

function readOf(socket: tls.TLSSocket): HandshakeRead {
  return { version: socket.getProtocol() ?? 'unknown', cipher: cipherOf(socket), chain: chainOf(socket) };
}

/** Before a suite is chosen there is none, whatever the types say. */
function cipherOf(socket: tls.TLSSocket): string {
  return (socket.getCipher() as tls.CipherNameAndProtocol | undefined)?.name ?? 'unknown';
}

function chainOf(socket: tls.TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  // An anonymous suite gives none; a self-signed certificate has no other issuer. The older form of this call (`getPeerCertificate`) writes all of it out as text first.
  for (let one = socket.getPeerX509Certificate(); one !== undefined && chain.length < MAX_CHAIN; one = one.issuerCertificate)
    chain.push(one.raw);
  return chain;
}
