import { AssertionError } from 'node:assert';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { Client, errors } from 'undici';
import { ForbiddenError, ProbeError } from '../errors.ts';
import { type Audit, NO_AUDIT } from './audit.ts';
import type { Endpoint, Page } from './contract.ts';
import { type LooseReply, parseLoose } from './loose.ts';
import { refuseRequest } from './messages.ts';
import { AllowedPaths, type PathKind } from './paths.ts';
import { urlHost } from '../targets/addresses.ts';
import { userAgent } from './user-agent.ts';

const MAX_HEADER_BYTES = 64 * 1024;
const MAX_HEADERS = 200;
const MAX_BODY_BYTES = 512 * 1024;
/** Nothing for so long: the device has stopped. A device that drips never does, which the wall clock of the whole exchange ends. */
const IDLE_MS = 5000;
const EXCHANGE_MS = 10_000;

/** What holds for a connection. */
export interface WebLineOptions {
  readonly endpoint: Endpoint;
  readonly scheme: 'http' | 'https';
  /** What stands in `host:`; an address, or the name that the operator gave. */
  readonly hostHeader: string;
  readonly paths: AllowedPaths;
  readonly audit: Audit;
}

/** One GET. */
export interface Question {
  readonly path: string;
  /** What the path is asked for as. */
  readonly as: PathKind;
  /** `performance.now()` at which it is over. */
  readonly deadline: number;
}

/**
 * A connection to a web server, over which pages are asked for one after the other. undici speaks it; where its parser refuses a reply, what was read is read
 * loosely, with no second request. Whoever made it closes the socket, politely.
 */
export class WebLine {
  readonly #tap: Tap;
  readonly #client: Client;
  readonly #hostHeader: string;

  constructor(socket: Socket, options: WebLineOptions) {
    const tap = new Tap(socket, options);
    this.#tap = tap;
    this.#hostHeader = options.hostHeader;
    this.#client = new Client(`${options.scheme}://${urlHost(options.endpoint.host)}:${options.endpoint.port}`, {
      // Called in a later turn: undici does not expect its connector to answer at once. There is one connection, and no second one is made in its place.
      connect: (_, connected) =>
        queueMicrotask(() => (tap.destroyed ? connected(USED_UP, null) : connected(null, tap as unknown as Socket))),
      pipelining: 1,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: IDLE_MS,
      bodyTimeout: IDLE_MS,
    });
  }

  /** Whether the device left it open for another request: by the rules of HTTP, and as far as can be seen. */
  get isOpen(): boolean {
    return !this.#tap.destroyed && this.#tap.state === 'open';
  }

  /** @throws {ProbeError} where nothing came; {ForbiddenError} where the request is not on the list */
  async get({ path, as, deadline: latest }: Question): Promise<Page> {
    const deadline = Math.min(latest, performance.now() + EXCHANGE_MS);
    const tap = this.#tap;
    tap.begin(as);
    const timer = setTimeout(() => tap.destroy(new TimeUp()), Math.max(1, Math.ceil(deadline - performance.now())));
    try {
      const { status, headers, body, cut } = await this.#ask(path);
      return { path, status, headers, body, loose: false, ...(cut === undefined ? {} : { cut }) };
    } catch (error) {
      if (tap.forbidden !== undefined) throw tap.forbidden;
      if (!isOfDevice(error)) throw error;
      if (error instanceof Error && isTimeout(error) && tap.bytes.length === 0)
        throw new ProbeError('silent', `did not answer GET ${path} in time`);
      // The parser gave up, the device has not: read on until it hangs up, stops, or has said enough.
      await tap.settled(deadline);
      const bytes = tap.bytes;
      if (bytes.length === 0) throw new ProbeError('cut-off', `hung up instead of answering GET ${path}`);
      const { isHeadWhole, ...reply } = parseLoose(bytes);
      const cut = cutOf({ ...reply, isHeadWhole }, tap.state);
      return { path, ...reply, body: reply.body.subarray(0, MAX_BODY_BYTES), loose: true, ...(cut === undefined ? {} : { cut }) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** At most 512 KiB of the body, and why it ended early. What came before a failure is kept. Where the parser refuses the reply, that is thrown. */
  #ask(path: string): Promise<{ status: number; headers: [string, string][]; body: Buffer; cut?: string }> {
    return new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      let length = 0;
      let head: { status: number; headers: [string, string][] } | undefined;
      const done = (cut?: string): void => {
        if (head !== undefined)
          resolve({ ...head, body: Buffer.concat(parts).subarray(0, MAX_BODY_BYTES), ...(cut === undefined ? {} : { cut }) });
      };
      this.#client.dispatch(
        {
          method: 'GET',
          path,
          headers: { host: this.#hostHeader, 'user-agent': userAgent(), accept: '*/*', 'accept-encoding': 'identity' },
        },
        {
          onRequestStart: () => undefined,
          onResponseStart: (controller, status) => {
            if (status >= 200) head = { status, headers: pairs(controller.rawHeaders) };
          },
          onResponseData: (controller, chunk) => {
            parts.push(chunk);
            length += chunk.length;
            if (length < MAX_BODY_BYTES) return;
            done('max');
            controller.abort(USED_UP);
          },
          onResponseEnd: () => done(),
          onResponseError: (_, error) => {
            if (head === undefined || error instanceof errors.HTTPParserError) reject(error);
            else done(isTimeout(error) ? 'time' : 'hung up');
          },
        },
      );
    });
  }

  async close(): Promise<void> {
    this.#tap.finish();
    await this.#client.destroy();
  }
}

/** One GET over a connection of its own. */
export async function exchange(socket: Socket, options: WebLineOptions & Question): Promise<Page> {
  const line = new WebLine(socket, options);
  try {
    return await line.get(options);
  } finally {
    await line.close();
  }
}

/**
 * Has the HTTP client load all that it loads late (its parser, from a file), with one exchange that goes nowhere: in the middle of a sweep there may be no
 * file descriptor for it.
 */
export async function rehearse(): Promise<void> {
  const echo = new Duplex({
    read: () => undefined,
    write: (_, _encoding, done) => {
      done();
      echo.push('HTTP/1.1 204 No Content\r\n\r\n');
      echo.push(null);
    },
  });
  const endpoint: Endpoint = { host: '127.0.0.1', transport: 'tcp', port: 80 };
  const paths = new AllowedPaths([{ path: '/', kind: 'page', why: 'rehearsal', product: 'any', source: 'here' }]);
  const options = { endpoint, scheme: 'http', hostHeader: endpoint.host, path: '/', as: 'page', paths, audit: NO_AUDIT } as const;
  await exchange(echo as unknown as Socket, { ...options, deadline: performance.now() + EXCHANGE_MS });
}

/** Codes of a connection that the device ended. Any other system error is of this machine (EMFILE), and no answer of anybody. */
const DEVICE_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT', 'EPROTO']);

/** Whether a request failed by what the device did: undici's own errors and time-outs, a lost connection, and the assertion that undici makes about some replies. */
function isOfDevice(error: unknown): boolean {
  if (error instanceof errors.InvalidArgumentError) return false; // a request that cannot be made is our mistake
  if (error instanceof errors.UndiciError || error instanceof errors.HTTPParserError || error instanceof AssertionError) return true;
  if (!(error instanceof Error)) return false;
  const { code, name } = error as NodeJS.ErrnoException;
  return (
    name === 'TimeoutError' ||
    name === 'AbortError' ||
    error === USED_UP ||
    (code !== undefined && (DEVICE_CODES.has(code) || /^ERR_(SSL|STREAM)_/.test(code)))
  );
}

const USED_UP = new Error('the connection is used up');

/** The wall clock of an exchange. */
class TimeUp extends Error {
  override readonly name = 'TimeoutError';
}

function isTimeout(error: Error): boolean {
  const { code, name } = error as NodeJS.ErrnoException;
  return name === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
}

/** Why the body of a reply that was read loosely ended early, as far as that can be known. */
function cutOf({ headers, body, isHeadWhole, status }: LooseReply, state: TapState): string | undefined {
  if (state === 'full' || body.length > MAX_BODY_BYTES) return 'max';
  const early = state === 'ended' ? 'hung up' : 'time';
  if (!isHeadWhole) return early;
  const length = headers.find(([name, value]) => name.toLowerCase() === 'content-length' && /^\d+$/.test(value))?.[1];
  const isChunked = headers.some(([name]) => name.toLowerCase() === 'transfer-encoding');
  if (status === undefined || isChunked || length === undefined) return state === 'ended' ? undefined : early;
  return body.length < Number(length) ? early : undefined;
}

/** Raw headers as undici has them: one list of names and values. */
function pairs(raw: unknown): [string, string][] {
  if (!Array.isArray(raw)) return [];
  const all: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length && all.length < MAX_HEADERS; i += 2) all.push([latin1(raw[i]), latin1(raw[i + 1])]);
  return all;
}

function latin1(bytes: unknown): string {
  return Buffer.isBuffer(bytes) ? bytes.toString('latin1') : String(bytes);
}

/** `ended`: the device hung up. `full`: it said more than is read. */
type TapState = 'open' | 'ended' | 'full';

/**
 * Stands between undici and the socket: lets out only a listed request, keeps a bounded copy of what comes in, and outlives undici's interest,
 * so that a refused reply can be read to its end.
 */
class Tap extends Duplex {
  forbidden: ForbiddenError | undefined;
  readonly #socket: Socket;
  readonly #options: WebLineOptions;
  #as: PathKind = 'page';
  #parts: Buffer[] = [];
  #length = 0;
  #state: TapState = 'open';
  #wake: (() => void) | undefined;

  constructor(socket: Socket, options: WebLineOptions) {
    super();
    this.#socket = socket;
    this.#options = options;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onOver('ended'));
    socket.on('close', () => this.#onOver('ended'));
    socket.on('error', () => this.#onOver('ended'));
    this.on('error', () => undefined); // undici reports it as the request's failure
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  get state(): TapState {
    return this.#state;
  }

  /** What comes from here on belongs to another request. */
  begin(as: PathKind): void {
    this.#as = as;
    this.#parts = [];
    this.#length = 0;
  }

  /** Resolves when nothing more will come, or it has been quiet, or time is up (`performance.now()`). */
  async settled(deadline: number): Promise<void> {
    while (this.#state === 'open' && performance.now() < deadline) {
      const before = this.#length;
      this.#socket.resume();
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(done, Math.min(IDLE_MS / 2, Math.max(1, deadline - performance.now())));
        this.#wake = done;
      });
      if (this.#length === before) return;
    }
  }

  finish(): void {
    this.#state = 'full';
  }

  #onData(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    this.#parts.push(chunk);
    this.#length += chunk.length;
    if (!this.destroyed && !this.push(chunk)) this.#socket.pause();
    if (this.#length > MAX_HEADER_BYTES + MAX_BODY_BYTES) this.#onOver('full');
    else this.#wake?.();
  }

  #onOver(state: TapState): void {
    if (this.#state !== 'open') return;
    this.#state = state;
    if (!this.destroyed) this.push(null);
    this.#wake?.();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const { endpoint, paths, audit } = this.#options;
    const refused = refuseRequest(chunk, paths, this.#as);
    if (refused !== undefined) {
      this.forbidden = new ForbiddenError(refused);
      done(this.forbidden);
      return;
    }
    audit.record({ ...endpoint, what: 'http.get', bytes: chunk });
    this.#socket.write(chunk, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error);
  }
}
