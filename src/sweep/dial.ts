import net from 'node:net';
import { ForbiddenError } from '../errors.ts';
import type { AddressNumber } from '../targets/addresses.ts';
import { formatAddress } from '../targets/addresses.ts';
import type { Guard } from '../targets/guard.ts';
import type { Audit } from './audit.ts';

/** What became of a connection attempt. `reset`: accepted and reset at once. `local` is a condition of our own machine and says nothing about the device. */
export type Dialled =
  | { readonly outcome: 'open'; readonly socket: net.Socket; readonly ms: number }
  | { readonly outcome: 'refused' | 'reset' | 'unreachable' | 'silent' | 'local'; readonly code: string; readonly ms: number };

const OUTCOME_OF: Readonly<Record<string, 'refused' | 'reset' | 'unreachable' | 'silent'>> = {
  ECONNREFUSED: 'refused',
  // Accepted, and reset before we heard of it: a reset of the SYN itself is ECONNREFUSED.
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENONET: 'unreachable',
  ENOPROTOOPT: 'unreachable',
  EPROTO: 'unreachable',
  ETIMEDOUT: 'silent',
};

/** Where and as what a connection is made. */
export interface Dialer {
  readonly guard: Guard;
  readonly audit: Audit;
}

/** A connection attempt, from the SYN to what became of it. A sweep makes thousands a second: nothing is held for one but this, its socket and its timer. */
class Attempt {
  readonly #done: (dialled: Dialled) => void;
  readonly #from = performance.now();
  readonly #socket: AttemptSocket;
  #timer: NodeJS.Timeout | undefined;
  #isSettled = false;

  constructor(socket: AttemptSocket, done: (dialled: Dialled) => void) {
    this.#socket = socket;
    this.#done = done;
  }

  await(timeoutMs: number): void {
    this.#timer = setTimeout(expire, timeoutMs, this);
    this.#socket.attempt = this;
    this.#socket.on('error', onError);
    this.#socket.on('connect', onConnect);
  }

  /** Not open. @param code as the system has it */
  fail(code: string): void {
    if (!this.#settle()) return;
    this.#socket.destroy();
    this.#done({ outcome: OUTCOME_OF[code] ?? 'local', code, ms: performance.now() - this.#from });
  }

  open(): void {
    const socket = this.#socket;
    // Where an ICMP error comes in at the wrong moment, Linux 6.18 has Node report a connection that has no other side; reading from it brings the error.
    if (socket.remotePort === undefined) {
      socket.resume();
      return;
    }
    if (!this.#settle()) return;
    socket.off('error', onError);
    // Whoever takes the socket over listens for itself; until then an early reset must not end the process.
    socket.on('error', () => undefined);
    this.#done({ outcome: 'open', socket, ms: performance.now() - this.#from });
  }

  /** False where it was settled before. */
  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#socket.off('connect', onConnect);
    this.#socket.attempt = undefined;
    return true;
  }
}

/** So that listeners are the same functions for all. */
class AttemptSocket extends net.Socket {
  attempt: Attempt | undefined;
}

function onError(this: AttemptSocket, error: NodeJS.ErrnoException): void {
  this.attempt?.fail(error.code ?? 'unknown');
}

function onConnect(this: AttemptSocket): void {
  this.attempt?.open();
}

let expired: Attempt[] = [];

/** One more turn of the loop: where it was held up, answers that have come wait behind the timers, and would be taken for silence. */
function expire(attempt: Attempt): void {
  if (expired.push(attempt) === 1) setImmediate(failExpired);
}

function failExpired(): void {
  const attempts = expired;
  expired = [];
  for (const attempt of attempts) attempt.fail('ETIMEDOUT');
}

/**
 * Opens a TCP connection, with an end of its own before the kernel would repeat its SYN (1.0 s): a packet nobody counted.
 * The socket comes paused, so that nothing a device says first is lost. An open one has no listeners left but one that swallows errors.
 * @param timeoutMs at most 800 in a sweep
 * @param what as the audit record has it
 * @param done is called once, never before this returns but where the system has no socket
 */
export function startDialling(
  address: AddressNumber,
  port: number,
  timeoutMs: number,
  { guard, audit }: Dialer,
  what: 'connect' | 'canary',
  done: (dialled: Dialled) => void,
): void {
  const refused = guard.refusal(address);
  if (refused !== undefined) throw new ForbiddenError(refused);
  const host = formatAddress(address);
  audit.record({ host, transport: 'tcp', port, what });
  let socket: AttemptSocket;
  try {
    socket = new AttemptSocket({ allowHalfOpen: false });
    socket.pause();
    socket.connect({ host, port, autoSelectFamily: false });
  } catch (error) {
    done({ outcome: 'local', code: (error as NodeJS.ErrnoException).code ?? String(error), ms: 0 });
    return;
  }
  new Attempt(socket, done).await(timeoutMs);
}

/** The same as a promise, for those who dial now and then. */
export function dial(
  address: AddressNumber,
  port: number,
  timeoutMs: number,
  dialer: Dialer,
  what: 'connect' | 'canary' = 'connect',
): Promise<Dialled> {
  const { promise, resolve } = Promise.withResolvers<Dialled>();
  startDialling(address, port, timeoutMs, dialer, what, resolve);
  return promise;
}
