import type { Socket } from 'node:net';
import { ForbiddenError, problem, ProbeError } from '../errors.ts';
import type { Audit } from './audit.ts';
import type { Endpoint, TlsSession, Wire } from './contract.ts';
import { nameBytes } from './messages.ts';
import { handshake, type TlsLimits } from './secure.ts';

/** A device may say this much in a conversation of bytes; HTTP has budgets of its own. */
const BYTE_BUDGET = 64 * 1024;
/** What is kept of it as evidence. */
const SEEN_BYTES = 4096;
/** How long we wait for the other side to hang up after we did. */
const GOODBYE_MS = 1000;

export interface WireOptions {
  readonly endpoint: Endpoint;
  readonly protocol: string;
  /** `performance.now()` at which the conversation is over. */
  readonly deadline: number;
  readonly audit: Audit;
  readonly tls: TlsLimits;
  /** Makes a handshake wait its turn: they are the dearest thing a sweep does, here and on the device. */
  readonly inTurn: (make: () => Promise<TlsSession>) => Promise<TlsSession>;
  /** Called once, when the connection is gone. */
  readonly onClosed: () => void;
}

/** A connected socket as a {@link Wire}. Data that came before it was wrapped is not lost: the socket was paused until now. */
export class SocketWire implements Wire {
  readonly endpoint: Endpoint;
  readonly #options: WireOptions;
  #socket: Socket;
  #secured = false;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #total = 0;
  #seen: Buffer = Buffer.alloc(0);
  #ended: 'no' | 'end' | Error = 'no';
  #wake: (() => void) | undefined;
  #attached = false;
  #closed = false;

  constructor(socket: Socket, options: WireOptions) {
    this.endpoint = options.endpoint;
    this.#socket = socket;
    this.#options = options;
    this.#watch(socket);
  }

  #watch(socket: Socket): void {
    socket.once('close', () => {
      if (this.#closed) return;
      this.#closed = true;
      this.#options.onClosed();
    });
    socket.on('error', (error) => this.#stop(error));
  }

  get seen(): Buffer {
    return this.#seen;
  }

  /** The socket itself, for the HTTP client of this folder. Nothing of it has been consumed. */
  release(): Socket {
    this.#detach();
    if (this.#buffered > 0) throw new Error(`${this.endpoint.host}: bytes were read before the socket was handed on`);
    return this.#socket;
  }

  get secured(): boolean {
    return this.#secured;
  }

  async read(bytes: number): Promise<Buffer> {
    while (this.#buffered < bytes) {
      if (this.#ended !== 'no') throw this.#early(bytes);
      if (!(await this.#more(this.#options.deadline)))
        throw this.#buffered > 0 || this.#total > 0 ? this.#early(bytes) : new ProbeError('silent', `said nothing in time`);
    }
    return this.#take(bytes);
  }

  async listen(max: number, waitMs: number, isEnough: (heard: Buffer) => boolean = () => false): Promise<Buffer> {
    const until = Math.min(this.#options.deadline, performance.now() + waitMs);
    const isDone = (): boolean => this.#buffered >= max || this.#ended !== 'no' || (this.#buffered > 0 && isEnough(this.#heard()));
    while (!isDone() && (await this.#more(until)));
    if (this.#total === 0 && this.#ended !== 'no')
      throw new ProbeError('cut-off', this.#ended === 'end' ? 'hung up without a word' : this.#ended.message);
    return this.#take(Math.min(max, this.#buffered));
  }

  async write(bytes: Buffer): Promise<void> {
    const name = nameBytes(this.#options.protocol, bytes);
    if (name === undefined)
      throw new ForbiddenError(
        problem('not-allowed', { what: `${bytes.length} bytes to ${this.endpoint.host}:${this.endpoint.port} (${bytes.toString('hex')})` }),
      );
    this.#options.audit.record({ ...this.endpoint, what: name, bytes });
    await new Promise<void>((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(new ProbeError('cut-off', error.message)) : resolve()));
    });
  }

  secure(): Promise<TlsSession> {
    return this.#options.inTurn(() => this.#handshake());
  }

  async #handshake(): Promise<TlsSession> {
    this.#detach();
    const { socket, session } = await handshake(this.#socket, this.endpoint, {
      ...this.#options.tls,
      deadline: this.#options.deadline,
      audit: this.#options.audit,
    });
    this.#socket = socket;
    this.#secured = true;
    this.#watch(socket);
    return session;
  }

  /** Hangs up politely: FIN, a short wait for the other side's, then gone. */
  async end(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    this.#detach();
    socket.resume();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.once('end', () => socket.destroy());
      if (socket.readableEnded) socket.destroy();
      else socket.end();
    });
  }

  /** Hangs up at once (RST): for connections over which no protocol was spoken. */
  drop(): void {
    if (!this.#secured && 'resetAndDestroy' in this.#socket) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #attach(): void {
    if (this.#attached) return;
    this.#attached = true;
    this.#socket.on('data', this.#onData);
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('close', this.#onEnd);
    this.#socket.resume();
  }

  #detach(): void {
    if (!this.#attached) return;
    this.#attached = false;
    this.#socket.pause();
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('close', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#total += chunk.length;
    if (this.#seen.length < SEEN_BYTES) this.#seen = Buffer.concat([this.#seen, chunk.subarray(0, SEEN_BYTES - this.#seen.length)]);
    if (this.#total > BYTE_BUDGET) {
      this.#socket.destroy();
      this.#stop(new Error(`sent more than ${BYTE_BUDGET} bytes`));
      return;
    }
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    this.#wake?.();
  };

  readonly #onEnd = (): void => this.#stop();

  #stop(error?: Error): void {
    if (this.#ended === 'no') this.#ended = error ?? 'end';
    this.#wake?.();
  }

  /** Waits for the next bytes or the end; false when the time is over. */
  async #more(until: number): Promise<boolean> {
    this.#attach();
    const waitMs = until - performance.now();
    if (waitMs <= 0) return false;
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => {
        this.#wake = undefined;
        resolve(false);
      }, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(true);
      };
    });
  }

  #heard(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
  }

  #take(bytes: number): Buffer {
    const all = this.#heard();
    this.#chunks = all.length > bytes ? [all.subarray(bytes)] : [];
    this.#buffered = all.length - bytes;
    return all.subarray(0, bytes);
  }

  #early(wanted: number): ProbeError {
    const why = this.#ended instanceof Error ? this.#ended.message : this.#ended === 'end' ? 'hung up' : 'stopped';
    return new ProbeError('cut-off', `${why} after ${this.#buffered} of ${wanted} bytes`);
  }
}
