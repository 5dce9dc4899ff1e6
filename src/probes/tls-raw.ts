import { randomBytes } from 'node:crypto';
import { ProbeError } from '../errors.ts';
import type { ProbeContext, TcpProbe, Wire } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { tlsFacts } from './tls.ts';

/** From the hello to the certificate. Old processors sign a key exchange before they send anything, which takes them a second or two. */
const ANSWER_MS = 4000;
/** A record's content (RFC 5246 section 6.2.1). */
const MAX_RECORD_BYTES = 2 ** 14;
/** Some servers cut their messages into records of 512 bytes. */
const MAX_RECORDS = 128;
/** A chain of certificates: what a wire reads in all, less the other messages. */
const MAX_MESSAGE_BYTES = 60 * 1024;
const MAX_CHAIN = 8;

/** Content types (RFC 5246 section 6.2.1). */
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
/** Handshake types (RFC 5246 section 7.4). */
const HELLO_REQUEST = 0;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
/** What may come in the place of a certificate, where the suite has none. */
const SERVER_KEY_EXCHANGE = 12;
const SERVER_HELLO_DONE = 14;
const WARNING = 1;
const CLOSE_NOTIFY = 0;

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0300, 'SSLv3'],
  [0x0301, 'TLSv1'],
  [0x0302, 'TLSv1.1'],
  [0x0303, 'TLSv1.2'],
]);

/** What makes a suite one that the library does not have. */
type Weakness = 'rc4' | '3des' | 'des' | 'export' | 'null';

/** The suites of the hello in the order in which they are offered, by the names that OpenSSL gives them (ciphers(1) of 1.1.0; of 1.0.2 for export). */
const SUITES: readonly (readonly [number: number, name: string, weakness?: Weakness])[] = [
  [0x0005, 'RC4-SHA', 'rc4'],
  [0x0004, 'RC4-MD5', 'rc4'],
  [0x000a, 'DES-CBC3-SHA', '3des'],
  [0x002f, 'AES128-SHA'],
  [0x0035, 'AES256-SHA'],
  [0x0009, 'DES-CBC-SHA', 'des'],
  [0x0003, 'EXP-RC4-MD5', 'export'],
  [0x0006, 'EXP-RC2-CBC-MD5', 'export'],
  [0x0008, 'EXP-DES-CBC-SHA', 'export'],
  [0x0014, 'EXP-EDH-RSA-DES-CBC-SHA', 'export'],
  [0x0015, 'DHE-RSA-DES-CBC-SHA', 'des'],
  [0x0016, 'DHE-RSA-DES-CBC3-SHA', '3des'],
  [0x0033, 'DHE-RSA-AES128-SHA'],
  [0x0039, 'DHE-RSA-AES256-SHA'],
  [0x0013, 'DHE-DSS-DES-CBC3-SHA', '3des'],
  [0x0012, 'DHE-DSS-DES-CBC-SHA', 'des'],
  [0x0001, 'NULL-MD5', 'null'],
  [0x0002, 'NULL-SHA', 'null'],
  [0x003b, 'NULL-SHA256', 'null'],
  [0xc011, 'ECDHE-RSA-RC4-SHA', 'rc4'],
  [0xc012, 'ECDHE-RSA-DES-CBC3-SHA', '3des'],
  [0xc013, 'ECDHE-RSA-AES128-SHA'],
  [0xc014, 'ECDHE-RSA-AES256-SHA'],
];
/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 section 3.3): what a hello without extensions says of renegotiation. */
const RENEGOTIATION_INFO = 0x00ff;

/** What the tries before this one have shown. */
export interface RawContext extends ProbeContext {
  /** The device said that it has no suite in common with the library, which offers AES in all its forms. */
  readonly noCommonSuite?: boolean;
}

/**
 * Reads the certificate of a device whose TLS the library does not speak: SSL 3.0, RC4, 3DES, DES, export and NULL suites. Until TLS 1.2 the certificate
 * goes in clear, before any key is agreed: a hello of 96 bytes without extensions, TLS 1.0 at most, which every stack since 1996 can read; then records are
 * read until the certificate is there, and that is the end. No key is exchanged and no data.
 *
 * Of what the device is limited to (`tls.legacy`) two things are certain. It answers SSL 3.0 to an offer of TLS 1.0 only where it has no TLS. And where it
 * found no common suite with the library, it has no AES, so it is limited to the likes of what it chooses here, by its own order or ours: `rc4-only` does not say
 * that it has no 3DES, nor the other way round. Where it refused the library for another reason, its choice is told and nothing is concluded.
 *
 * An SSL 3.0 server that ignores an offer of TLS 1.0 is not offered 3.0 once more: those that are known answer (RFC 6101 section 5.6.1.2), and a fourth
 * connection is more than a certificate is worth.
 *
 * Spec: RFC 6101, RFC 2246 and RFC 5246 sections 6.2.1, 7.2, 7.4.1.2, 7.4.1.3 and 7.4.2.
 * @throws {ProbeError} `silent` where nothing came in four seconds, `not-this-protocol` where no record came, `cut-off` with version and suite, as far as
 * they were told, where it refuses or breaks the rules
 */
async function talk(wire: Wire, { noCommonSuite = false }: RawContext): Promise<Facts> {
  await wire.write(clientHello());
  const flight = new Flight(wire);
  const { version, suite } = serverHello(await flight.next());
  const [, name, weakness] = SUITES.find(([number]) => number === suite) ?? [];
  // A suite that was not offered is told by its number.
  const chosen = { version, cipher: name ?? `0x${suite.toString(16).padStart(4, '0').toUpperCase()}` };
  const legacy = version === 'SSLv3' ? 'sslv3' : noCommonSuite && weakness !== undefined ? `${weakness}-only` : undefined;
  const known: Facts = legacy === undefined ? {} : { 'tls.legacy': legacy };
  try {
    return { ...tlsFacts({ ...chosen, chain: chainOf(await flight.next()) }), ...known };
  } catch (error) {
    if (error instanceof ProbeError) throw new ProbeError(error.kind, error.message, { ...tlsFacts({ ...chosen, chain: [] }), ...known });
    throw error;
  }
}

/** Record version 3.0, as RFC 5246 appendix E.1 has it for old servers; hello version 3.1; no session, no compression, no extensions. */
function clientHello(): Buffer {
  const suites = [...SUITES.map(([number]) => number), RENEGOTIATION_INFO];
  const list = Buffer.alloc(2 * suites.length);
  suites.forEach((suite, at) => list.writeUInt16BE(suite, 2 * at));
  const body = Buffer.concat([Buffer.from([3, 1]), randomBytes(32), Buffer.from([0, 0, list.length]), list, Buffer.from([1, 0])]);
  return Buffer.concat([Buffer.from([HANDSHAKE, 3, 0, 0, body.length + 4, CLIENT_HELLO, 0, 0, body.length]), body]);
}

interface HandshakeMessage {
  readonly type: number;
  readonly body: Buffer;
}

/** The handshake messages of a server's first flight. A record may hold several of them, and one of them may take several records. */
class Flight {
  readonly #wire: Wire;
  readonly #until = performance.now() + ANSWER_MS;
  #bytes: Buffer = Buffer.alloc(0);
  #records = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async next(): Promise<HandshakeMessage> {
    for (;;) {
      const message = this.#whole();
      if (message === undefined) this.#bytes = Buffer.concat([this.#bytes, await this.#record()]);
      // It may be sent at any time, and be ignored (RFC 5246 section 7.4.1.1).
      else if (message.type !== HELLO_REQUEST) return message;
    }
  }

  #whole(): HandshakeMessage | undefined {
    if (this.#bytes.length < 4) return undefined;
    const length = this.#bytes.readUIntBE(1, 3);
    if (length > MAX_MESSAGE_BYTES) throw new ProbeError('cut-off', `promises a handshake message of ${length} bytes`);
    if (this.#bytes.length < 4 + length) return undefined;
    const message = { type: this.#bytes.readUInt8(0), body: this.#bytes.subarray(4, 4 + length) };
    this.#bytes = this.#bytes.subarray(4 + length);
    return message;
  }

  /** The content of the next handshake record. Warnings are passed over; every other alert is the end. */
  async #record(): Promise<Buffer> {
    for (;;) {
      this.#records += 1;
      if (this.#records > MAX_RECORDS) throw new ProbeError('cut-off', `sent ${MAX_RECORDS} records and no certificate`);
      const head = await this.#take(5);
      const type = head.readUInt8(0);
      const length = head.readUInt16BE(3);
      if (type < CHANGE_CIPHER_SPEC || type > APPLICATION_DATA || head.readUInt8(1) !== 3)
        throw new ProbeError('not-this-protocol', `sent no TLS record (${head.toString('hex')})`);
      if (length === 0 || length > MAX_RECORD_BYTES) throw new ProbeError('cut-off', `sent a record of ${length} bytes`);
      const content = await this.#take(length);
      if (type === HANDSHAKE) return content;
      if (type !== ALERT) throw new ProbeError('cut-off', `sent a record of type ${type} before its certificate`);
      const [level, alert] = content;
      if (level !== WARNING || alert === CLOSE_NOTIFY) throw new ProbeError('cut-off', `refused with alert ${alert ?? '(cut)'}`);
    }
  }

  async #take(bytes: number): Promise<Buffer> {
    const taken = await this.#wire.listen(bytes, Math.max(0, this.#until - performance.now()));
    if (taken.length === bytes) return taken;
    if (this.#records === 1 && taken.length === 0 && this.#wire.seen.length === 0) throw new ProbeError('silent', 'said nothing in time');
    throw new ProbeError('cut-off', `stopped after ${taken.length} of ${bytes} bytes`);
  }
}

/** Version and suite that the server chose (RFC 5246 section 7.4.1.3): version, random, session id, suite, compression. */
function serverHello({ type, body }: HandshakeMessage): { readonly version: string; readonly suite: number } {
  if (type !== SERVER_HELLO) throw new ProbeError('cut-off', `began with handshake message ${type}`);
  const sessionBytes = body[34] ?? 0;
  if (sessionBytes > 32 || body.length < 38 + sessionBytes) throw new ProbeError('cut-off', `sent a hello of ${body.length} bytes`);
  const version = VERSIONS.get(body.readUInt16BE(0));
  if (version === undefined) throw new ProbeError('cut-off', `chose version ${body.toString('hex', 0, 2)}`);
  return { version, suite: body.readUInt16BE(35 + sessionBytes) };
}

/** The chain as presented (RFC 5246 section 7.4.2); none where an anonymous suite goes on without it. */
function chainOf({ type, body }: HandshakeMessage): Buffer[] {
  if (type === SERVER_KEY_EXCHANGE || type === SERVER_HELLO_DONE) return [];
  if (type !== CERTIFICATE) throw new ProbeError('cut-off', `sent handshake message ${type} in the place of its certificate`);
  if (body.length < 3 || body.readUIntBE(0, 3) !== body.length - 3)
    throw new ProbeError('cut-off', 'sent a list of certificates of another length');
  const chain: Buffer[] = [];
  for (let at = 3; at < body.length && chain.length < MAX_CHAIN;) {
    const length = at + 3 > body.length ? 0 : body.readUIntBE(at, 3);
    if (length === 0 || at + 3 + length > body.length) throw new ProbeError('cut-off', 'sent a certificate that is longer than its list');
    chain.push(body.subarray(at + 3, at + 3 + length));
    at += 3 + length;
  }
  return chain;
}

export const tlsRaw = { id: 'tls', speaks: 'bytes', talk } satisfies TcpProbe;
