import { createServer, type Server, type Socket } from 'node:net';
import { inputError } from '../errors.ts';
import type { Role } from './roles.ts';

/** Bytes kept of what a device was sent in one piece. */
const KEPT_BYTES = 1024;
/** Pieces kept of all that a fleet was sent; a demo that runs for days must not grow. */
const KEPT_REQUESTS = 20_000;
/** How long a device waits for a request, and for the other side to hang up after an answer. */
const PATIENCE_MS = 10_000;
const GOODBYE_MS = 2000;
/** As long as a timer can wait: a device that hangs does so until it is hung up on. */
const FOREVER_MS = 2 ** 31 - 1;
/** Bytes of a conversation that a device listens to. */
const MAX_HEARD_BYTES = 16 * 1024;

function ignore(): void {}

/** One thing that a device was sent: a datagram, an HTTP request, or the bytes that came over a connection and were no request. */
export interface Received {
  readonly host: string;
  readonly port: number;
  readonly role: Role;
  readonly transport: 'tcp' | 'udp';
  /** `performance.now()`. */
  readonly at: number;
  /** Method and target of an HTTP request. */
  readonly method?: string;
  readonly path?: string;
  /** The first 1 KiB, as it came; inside TLS where the service speaks that. */
  readonly bytes: Buffer;
}

/** TCP connections of one device. */
export interface Load {
  readonly connections: number;
  readonly open: number;
  /** The most that were open at once. */
  readonly mostOpen: number;
}

/** What the devices of a fleet were sent, and how many connections each had. */
export class Visits {
  readonly requests: Received[] = [];
  readonly #loads = new Map<string, { connections: number; open: number; mostOpen: number }>();

  add(received: Received): void {
    if (this.requests.length < KEPT_REQUESTS)
      this.requests.push({ ...received, bytes: Buffer.from(received.bytes.subarray(0, KEPT_BYTES)) });
  }

  opened(host: string): void {
    const load = this.#of(host);
    load.connections += 1;
    load.open += 1;
    load.mostOpen = Math.max(load.mostOpen, load.open);
  }

  closed(host: string): void {
    this.#of(host).open -= 1;
  }

  load(host: string): Load {
    return { ...this.#of(host) };
  }

  #of(host: string): { connections: number; open: number; mostOpen: number } {
    let load = this.#loads.get(host);
    if (load === undefined) this.#loads.set(host, (load = { connections: 0, open: 0, mostOpen: 0 }));
    return load;
  }
}

/** Where one service of one device stands, and where it writes down what it is sent. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly role: Role;
  readonly visits: Visits;
}

/** Something that listens. */
export interface Listener {
  stop(): Promise<void>;
}

/** One connection as the device sees it: listens from the first byte on, writes with backpressure, never throws once the other side is gone. */
export class Connection {
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  readonly #reset: () => void;
  #heard: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = ignore;

  /**
   * @param note what is done with each piece that comes
   * @param reset how the connection is reset, where that is not the socket's own business (TLS)
   */
  constructor(socket: Socket, note: (bytes: Buffer) => void = ignore, reset = (): void => void socket.resetAndDestroy()) {
    this.#socket = socket;
    this.#reset = reset;
    this.#closed = new Promise((resolve) => {
      socket.once('close', resolve);
    });
    socket.on('data', (bytes: Buffer) => {
      note(bytes);
      if (this.#heard.length < MAX_HEARD_BYTES) this.#heard = Buffer.concat([this.#heard, bytes]);
      this.#wake();
    });
    socket.once('end', () => {
      this.#ended = true;
      this.#wake();
    });
    // A client that resets is everyday business for a device; the close that follows is what counts.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#wake());
  }

  /** What the other side has said so far, at most 16 KiB and a piece. */
  get heard(): Buffer {
    return this.#heard;
  }

  get gone(): boolean {
    return this.#socket.destroyed;
  }

  /** What the other side has said, as soon as `enough` is content with it; undefined where it hangs up, says too much, or nothing in time. */
  hear(enough: (bytes: Buffer) => boolean, waitMs = PATIENCE_MS): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const done = (result: Buffer | undefined): void => {
        clearTimeout(timer);
        this.#wake = ignore;
        resolve(result);
      };
      const timer = setTimeout(() => done(undefined), waitMs);
      this.#wake = () => {
        if (enough(this.#heard)) done(this.#heard);
        else if (this.#ended || this.gone || this.#heard.length >= MAX_HEARD_BYTES) done(undefined);
      };
      this.#wake();
    });
  }

  /** False where the other side is gone. Waits while it does not read. */
  async say(bytes: Buffer): Promise<boolean> {
    if (this.gone) return false;
    if (this.#socket.write(bytes)) return true;
    const drained = new Promise<void>((resolve) => this.#socket.once('drain', resolve));
    await Promise.race([drained, this.#closed]);
    return !this.gone;
  }

  /** False where the other side went away meanwhile. */
  async rest(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([promise, this.#closed]);
    clearTimeout(timer);
    return !this.gone;
  }

  /** Ends the conversation as the device would: politely, with a reset, or by saying nothing more until the other side hangs up. */
  async end(how: 'close' | 'reset' | 'hang'): Promise<void> {
    if (this.gone) return;
    if (how === 'reset') this.#reset();
    else if (how === 'hang') await this.hear(() => false, FOREVER_MS);
    if (how !== 'reset') {
      this.#socket.end();
      if (await this.rest(GOODBYE_MS)) this.#socket.destroy();
    }
    await this.#closed;
  }
}

/**
 * Listens on TCP and hands each connection on. All of them are closed by `stop()`, half-open ones too.
 * @throws {InputError} `port-in-use`
 */
export async function listenTcp(place: Place, serve: (socket: Socket) => Promise<void>): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    place.visits.opened(place.host);
    socket.once('close', () => {
      sockets.delete(socket);
      place.visits.closed(place.host);
    });
    serve(socket).catch((error: unknown) => server.emit('error', error));
  });
  await listening(server, place);
  return {
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const gone = [...sockets].map((socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve())));
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, ...gone]);
    },
  };
}

function listening(server: Server, { host, port }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port, 'tcp')));
    server.listen({ host, port, exclusive: true }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

/** A port in use, and an address that this machine does not have, are the operator's to mend; anything else is thrown as it is. */
export function listenError(error: NodeJS.ErrnoException, address: string, port: number, transport: 'tcp' | 'udp'): Error {
  if (error.code === 'EADDRINUSE') return inputError('port-in-use', { address, port, transport });
  // Linux has the whole of 127.0.0.0/8; macOS has 127.0.0.1 only, until the others are added.
  if (error.code === 'EADDRNOTAVAIL')
    return inputError('nothing-known', {
      what: `this machine has no address ${address}; add it to the loopback interface (macOS: sudo ifconfig lo0 alias ${address})`,
    });
  return error;
}
