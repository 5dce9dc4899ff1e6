import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { identities } from './certificates.ts';
import { Connection, type Listener, listenTcp, type Place } from './connections.ts';
import type { Reply, TlsSpec, WebService } from './persona.ts';
import { fill, type Values } from './templates.ts';

const HANDSHAKE_MS = 10_000;
/** First byte of a TLS handshake record (RFC 8446 section 5.1). */
const HANDSHAKE = 0x16;
const PIECE_BYTES = 16 * 1024;

/** Where the web services of the same device stand, as a redirect writes them: `127.77.0.9:8443`; `httpPort` for redirects to other hosts. */
export type Authorities = Readonly<Record<'http' | 'https' | 'alternative' | 'httpPort', string>>;

/** What the service needs to know to answer. */
interface Desk {
  readonly service: WebService;
  readonly place: Place;
  readonly values: Values;
}

interface Request {
  readonly method: string;
  readonly target: string;
  /** The Host header, or the address where there is none. */
  readonly authority: string;
}

/**
 * A web server that answers exactly the bytes of its persona: header order, odd line ends and broken status lines included.
 * One request a connection.
 * @param owner what a shared certificate is shared by
 * @throws {InputError} `port-in-use`
 */
export async function serveWeb(service: WebService, place: Place, values: Values & Authorities, owner: string): Promise<Listener> {
  const desk: Desk = { service, place, values };
  if (service.tls === undefined) return listenTcp(place, (socket) => converse(new Connection(socket), desk));
  const context = await contextOf(service.tls, owner, values);
  return listenTcp(place, async (raw) => {
    const first = await firstByte(raw);
    if (first === undefined) return;
    if (first !== HANDSHAKE) {
      if (service.plain === undefined) raw.destroy();
      else await converse(new Connection(raw), desk, service.plain);
      return;
    }
    const secured = await secure(raw, context);
    if (secured !== undefined) await converse(new Connection(secured, undefined, () => void raw.resetAndDestroy()), desk);
  });
}

async function contextOf(spec: TlsSpec, owner: string, values: Values): Promise<SecureContext> {
  const { key, chain } = await identities.of(spec.certificate, owner, values);
  // Security level 0: the small keys and SHA-1 signatures of old controllers are what this is for.
  return createSecureContext({ key, cert: chain, minVersion: spec.min, maxVersion: spec.max, ciphers: 'ALL:@SECLEVEL=0' });
}

/** The first byte that the other side sends, left in the socket for whoever reads next; undefined where it hangs up or says nothing. */
function firstByte(socket: Socket): Promise<number | undefined> {
  return new Promise((resolve) => {
    const done = (byte: number | undefined): void => {
      clearTimeout(timer);
      socket.off('readable', onReadable);
      socket.off('end', hangUp);
      resolve(byte);
    };
    const hangUp = (): void => void socket.destroy();
    const timer = setTimeout(hangUp, HANDSHAKE_MS);
    const onReadable = (): void => {
      const bytes: unknown = socket.read();
      if (!Buffer.isBuffer(bytes)) return;
      socket.unshift(bytes);
      done(bytes[0]);
    };
    socket.on('readable', onReadable);
    socket.once('end', hangUp);
    socket.on('error', hangUp);
    socket.once('close', () => done(undefined));
  });
}

function secure(raw: Socket, secureContext: SecureContext): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const secured = new TLSSocket(raw, { isServer: true, secureContext });
    const timer = setTimeout(() => raw.destroy(), HANDSHAKE_MS);
    secured.once('secure', () => {
      clearTimeout(timer);
      resolve(secured);
    });
    // A client that does not like the certificate or the version: its business.
    secured.on('error', () => raw.destroy());
    raw.once('close', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}

async function converse(connection: Connection, desk: Desk, always?: Reply): Promise<void> {
  const { service, place, values } = desk;
  const heard = await connection.hear((bytes) => /\r?\n\r?\n/.test(bytes.toString('latin1')));
  const request = heard === undefined ? undefined : readRequest(heard, place.host);
  const { role, visits, host, port } = place;
  const asked = request === undefined ? {} : { method: request.method, path: request.target };
  if (connection.heard.length > 0)
    visits.add({ host, port, role, transport: 'tcp', at: performance.now(), ...asked, bytes: connection.heard });
  if (request === undefined) return connection.end('reset');
  const reply = always ?? service.routes.find(({ path }) => path === request.target) ?? service.otherwise;
  const own = { ...reply, with: { ...service.with, ...reply.with } };
  for (const piece of pieces(own, request, service.lineEnd, values)) {
    if (!(await connection.say(piece))) return;
    if (reply.pace !== undefined && !(await connection.rest(reply.pace.everyMs))) return;
  }
  await connection.end(reply.ends);
}

function readRequest(bytes: Buffer, host: string): Request | undefined {
  const text = bytes.toString('latin1');
  const line = /^([A-Z]+) (\S+) HTTP\/1\.[01]\r?\n/.exec(text);
  if (line === null) return undefined;
  const authority = /^host:[ \t]*([^\r\n]*)/im.exec(text)?.[1]?.trim();
  return { method: line[1] ?? '', target: line[2] ?? '', authority: authority === undefined || authority === '' ? host : authority };
}

/** What goes out, piece by piece: all at once for a healthy device. */
function* pieces(reply: Reply, request: Request, lineEnd: string, values: Values): Generator<Buffer> {
  const body = bodyOf(reply, request, values);
  const head = headOf(reply, request, lineEnd, values, body.length);
  const framed = request.method === 'HEAD' ? Buffer.alloc(0) : isChunked(reply) ? chunked(body) : body;
  if (reply.pace !== undefined) yield* slices(Buffer.concat([head, framed]), reply.pace.bytes);
  else if (reply.flood === undefined && !reply.endless) yield Buffer.concat([head, framed]);
  else {
    yield head;
    if (reply.flood !== undefined) yield* flood(reply.flood, lineEnd);
    yield framed;
    const piece = Buffer.alloc(Math.max(1, Math.ceil(PIECE_BYTES / Math.max(1, body.length))) * body.length, body);
    while (reply.endless) yield piece;
  }
}

function headOf(reply: Reply, request: Request, lineEnd: string, values: Values, length: number): Buffer {
  const known = { ...requestValues(request, values), length: String(length) };
  const place = (text: string): string => fillWith(text, reply, known);
  if (reply.raw !== undefined) return Buffer.from(place(reply.raw), 'latin1');
  const lines = [`${reply.version} ${String(reply.status).padStart(3, '0')}${reply.reason === '' ? '' : ` ${reply.reason}`}`];
  for (const [name, value] of reply.headers) lines.push(`${name}: ${place(value)}`);
  // The flood goes between the header and the empty line that ends it.
  const end = reply.flood === undefined ? lineEnd : '';
  return Buffer.from(`${lines.join(lineEnd)}${lineEnd}${end}`, 'latin1');
}

function bodyOf(reply: Reply, request: Request, values: Values): Buffer {
  if (reply.bomb !== undefined) return gzipSync(Buffer.alloc(reply.bomb.mebibytes * 1024 * 1024), { level: 9 });
  if (reply.bodyBase64 !== undefined) return Buffer.from(reply.bodyBase64, 'base64');
  const body = Buffer.from(fillWith(reply.body ?? '', reply, requestValues(request, values)), 'utf8');
  return body.length < (reply.padTo ?? 0) ? Buffer.concat([body, Buffer.alloc((reply.padTo ?? 0) - body.length, '\n')]) : body;
}

/** What the reply adds under `with` may itself name what is known: `location: 'https://{{https}}/start.html'`. */
function fillWith(text: string, reply: Reply, known: Values): string {
  const more = Object.fromEntries(Object.entries(reply.with).map(([name, value]) => [name, fill(value, known)]));
  return fill(text, { ...known, ...more });
}

function requestValues({ target, authority }: Request, values: Values): Values {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return {
    ...values,
    authority,
    host: authority.replace(/:\d+$/, ''),
    target,
    date: new Date().toUTCString(),
    nonce: Buffer.from(bytes).toString('hex'),
  };
}

function isChunked(reply: Reply): boolean {
  return reply.headers.some(([name, value]) => name.toLowerCase() === 'transfer-encoding' && value.toLowerCase() === 'chunked');
}

function chunked(body: Buffer): Buffer {
  return Buffer.concat([
    ...(body.length === 0 ? [] : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]),
    Buffer.from('0\r\n\r\n'),
  ]);
}

function* slices(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function* flood({ name, value, lines }: NonNullable<Reply['flood']>, lineEnd: string): Generator<Buffer> {
  const line = `${name}: ${value}${lineEnd}`;
  const each = Math.max(1, Math.floor(PIECE_BYTES / line.length));
  for (let sent = 0; sent < lines; sent += each) yield Buffer.from(line.repeat(Math.min(each, lines - sent)), 'latin1');
  yield Buffer.from(lineEnd);
}
