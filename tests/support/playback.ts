import { ForbiddenError, problem, ProbeError } from '../../src/errors.ts';
import type { Answer, Datagram, DatagramWire, Endpoint, Page, TlsSession, Web, Wire } from '../../src/sweep/contract.ts';
import { nameBytes, refuseBytes } from '../../src/sweep/messages.ts';
import { AllowedPaths, type PathKind } from '../../src/sweep/paths.ts';

/** As the last turn: the device stays connected and says nothing more. Without it the device hangs up. */
export const SILENCE = Symbol('silence');

/** What a device says at once: text is latin1. */
export type Say = string | readonly number[] | Buffer;

function bytesOf(say: Say): Buffer {
  return typeof say === 'string' ? Buffer.from(say, 'latin1') : Buffer.from(say);
}

/**
 * A device on a wire without a network: it says the first turn by itself, and each further one after something was written to it.
 * Time does not pass: where a real wire would wait in vain, this one has waited.
 */
export function playback(...turns: readonly (Say | typeof SILENCE)[]): PlaybackWire {
  return new PlaybackWire(turns);
}

/** The same for a protocol in which we speak first: each turn answers a message. */
export function answering(protocol: string, ...turns: readonly (Say | typeof SILENCE)[]): PlaybackWire {
  return new PlaybackWire(['', ...turns], undefined, protocol);
}

/** A device that answers a TLS handshake, or fails it. */
export function securePlayback(session: Partial<TlsSession> | ProbeError, ...turns: readonly (Say | typeof SILENCE)[]): PlaybackWire {
  const full =
    session instanceof ProbeError
      ? session
      : { version: 'TLSv1.2', cipher: 'ECDHE-RSA-AES256-GCM-SHA384', chain: [], handshakeMs: 1, ...session };
  return new PlaybackWire(turns, full);
}

export class PlaybackWire implements Wire {
  readonly endpoint: Endpoint = { host: '127.0.0.1', transport: 'tcp', port: 5900 };
  /** What was written, as latin1. */
  sent = '';
  /** How long was waited for something, in milliseconds, at most: the sum of what the probe allowed. */
  waitedMs = 0;
  readonly #turns: (Say | typeof SILENCE)[];
  readonly #session: TlsSession | ProbeError | undefined;
  readonly #protocol: string;
  #buffered: Buffer = Buffer.alloc(0);
  #seen: Buffer = Buffer.alloc(0);

  constructor(turns: readonly (Say | typeof SILENCE)[], session?: TlsSession | ProbeError, protocol = 'rfb') {
    this.#turns = [...turns];
    this.#session = session;
    this.#protocol = protocol;
    this.#next();
  }

  get seen(): Buffer {
    return this.#seen.subarray(0, 4096);
  }

  async read(bytes: number): Promise<Buffer> {
    if (this.#buffered.length >= bytes) return this.#take(bytes);
    if (this.#hungUp || this.#seen.length > 0)
      throw new ProbeError('cut-off', `${this.#hungUp ? 'hung up' : 'stopped'} after ${this.#buffered.length} of ${bytes} bytes`);
    throw new ProbeError('silent', 'said nothing in time');
  }

  async listen(max: number, waitMs: number, isEnough: (heard: Buffer) => boolean = () => false): Promise<Buffer> {
    if (this.#seen.length === 0 && this.#hungUp) throw new ProbeError('cut-off', 'hung up without a word');
    const isDone = this.#buffered.length >= max || this.#hungUp || (this.#buffered.length > 0 && isEnough(this.#buffered));
    if (!isDone) this.waitedMs += waitMs;
    return this.#take(Math.min(max, this.#buffered.length));
  }

  async write(bytes: Buffer): Promise<void> {
    if (nameBytes(this.#protocol, bytes) === undefined) throw new ForbiddenError(problem('not-allowed', { what: bytes.toString('hex') }));
    this.sent += bytes.toString('latin1');
    this.#next();
  }

  async secure(): Promise<TlsSession> {
    if (this.#session === undefined) throw new ProbeError('not-this-protocol', 'does not speak TLS');
    if (this.#session instanceof ProbeError) throw this.#session;
    return this.#session;
  }

  get #hungUp(): boolean {
    return this.#turns.length === 0;
  }

  #next(): void {
    const turn = this.#turns[0];
    if (turn === SILENCE) return;
    this.#turns.shift();
    if (turn === undefined) return;
    this.#buffered = Buffer.concat([this.#buffered, bytesOf(turn)]);
    this.#seen = Buffer.concat([this.#seen, bytesOf(turn)]);
  }

  #take(bytes: number): Buffer {
    const taken = this.#buffered.subarray(0, bytes);
    this.#buffered = this.#buffered.subarray(taken.length);
    return taken;
  }
}

/** A device behind a shared UDP socket: `respond` is what it makes of a request. */
export class PlaybackDatagrams implements DatagramWire {
  readonly endpoint: Endpoint;
  readonly answers: readonly Answer[];
  readonly asked: Datagram[] = [];
  readonly #respond: (request: Datagram) => Say | undefined;
  readonly #budget: number;

  /** `budget` is what the sweep's own requests have left of the twelve. */
  constructor(
    answers: readonly Answer[],
    respond: (request: Datagram) => Say | undefined = () => undefined,
    budget = 9,
    host = '127.0.0.1',
  ) {
    this.endpoint = { host, transport: 'udp', port: 623 };
    this.answers = answers;
    this.#respond = respond;
    this.#budget = budget;
  }

  async hear(): Promise<void> {
    // What was going to come has come.
  }

  async ask(
    request: (attempt: number) => Datagram,
    fits: (bytes: Buffer) => boolean,
    { tries = 3 }: { readonly tries?: 1 | 2 | 3 } = {},
  ): Promise<Buffer | undefined> {
    for (let attempt = 0; attempt < tries && this.asked.length < this.#budget; attempt += 1) {
      const datagram = request(attempt);
      const refused = refuseBytes(datagram.name, datagram.bytes);
      if (refused !== undefined) throw new ForbiddenError(refused);
      this.asked.push(datagram);
      const said = this.#respond(datagram);
      const answer = said === undefined ? undefined : bytesOf(said);
      if (answer !== undefined && fits(answer)) return answer;
    }
    return undefined;
  }
}

/** A reply to one GET: a page of HTML with status 200, unless it says otherwise. A ProbeError is thrown. */
export type Reply =
  | string
  | ProbeError
  | {
      readonly status?: number | undefined;
      readonly headers?: readonly (readonly [string, string])[];
      readonly body?: Say;
      readonly cut?: string;
      readonly loose?: boolean;
    };

export interface SiteOptions {
  readonly host?: string;
  readonly port?: number;
  readonly scheme?: 'http' | 'https';
  /** Other ports of the same address. */
  readonly others?: readonly PlaybackSite[];
}

let allowed: AllowedPaths | undefined;

/** A web server without a network: replies by path, 404 for all others. It refuses what is not on the list of paths, as the real one does. */
export class PlaybackSite implements Web {
  readonly endpoint: Endpoint;
  readonly scheme: 'http' | 'https';
  readonly asked: string[] = [];
  readonly #replies: Readonly<Record<string, Reply>>;
  readonly #others: readonly PlaybackSite[];

  constructor(
    replies: Readonly<Record<string, Reply>>,
    { host = '127.0.0.1', scheme = 'http', port = scheme === 'http' ? 80 : 443, others = [] }: SiteOptions = {},
  ) {
    this.endpoint = { host, transport: 'tcp', port };
    this.scheme = scheme;
    this.#replies = replies;
    this.#others = others;
  }

  async get(path: string, as: PathKind = 'page'): Promise<Page> {
    allowed ??= AllowedPaths.load();
    const refused = allowed.refusal(path, as);
    if (refused !== undefined) throw new ForbiddenError(refused);
    this.asked.push(path);
    return pageOf(path, this.#replies[path] ?? { status: 404, body: 'Not Found' });
  }

  follow(location: string, from: string): { readonly web: Web; readonly path: string } | undefined {
    allowed ??= AllowedPaths.load();
    const { host, port } = this.endpoint;
    const base = `${this.scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${from}`;
    if (!URL.canParse(location, base)) return undefined;
    const url = new URL(location, base);
    const path = allowed.landing(url.pathname + url.search);
    if (path === undefined || url.hostname !== new URL(base).hostname || url.username !== '') return undefined;
    const wanted = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    const web = [this, ...this.#others].find(({ endpoint, scheme }) => endpoint.port === wanted && `${scheme}:` === url.protocol);
    return web === undefined ? undefined : { web, path };
  }
}

/** A page as `exchange` gives it. */
export function pageOf(path: string, reply: Reply): Page {
  if (reply instanceof ProbeError) throw reply;
  const { body = '', headers, cut, loose = false, ...rest } = typeof reply === 'string' ? { body: reply } : reply;
  const status = 'status' in rest ? rest.status : 200;
  return {
    path,
    ...(status === undefined ? {} : { status }),
    headers: headers ?? [['Content-Type', 'text/html']],
    body: bytesOf(body),
    ...(cut === undefined ? {} : { cut }),
    loose,
  };
}
