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

/**
 * Opens a TCP connection, with an end of its own before the kernel would repeat its SYN (1.0 s): a packet nobody counted.
 * The socket comes paused, so that nothing a device says first is lost. An open one has no listeners left.
 * @param timeoutMs at most 800 in a sweep
 * @param what as the audit record has it
 */
export function dial(
  address: AddressNumber,
  port: number,
  timeoutMs: number,
  { guard, audit }: Dialer,
  what: 'connect' | 'canary' = 'connect',
): Promise<Dialled> {
  const refused = guard.refusal(address);
  if (refused !== undefined) throw new ForbiddenError(refused);
  const host = formatAddress(address);
  audit.record({ host, transport: 'tcp', port, what });
  const from = performance.now();
  return new Promise((resolve) => {
    let socket: net.Socket;
    try {
      socket = new net.Socket({ allowHalfOpen: false });
      socket.pause();
      socket.connect({ host, port, autoSelectFamily: false });
    } catch (error) {
      resolve({ outcome: 'local', code: (error as NodeJS.ErrnoException).code ?? String(error), ms: 0 });
      return;
    }
    // One more turn of the loop: where it was held up, answers that have come wait behind the timers, and would be taken for silence.
    const timer = setTimeout(() => setImmediate(() => settled || done('ETIMEDOUT')), timeoutMs);
    let settled = false;
    const done = (code: string): void => {
      settled = true;
      clearTimeout(timer);
      socket.off('connect', onConnect);
      socket.destroy();
      resolve({ outcome: OUTCOME_OF[code] ?? 'local', code, ms: performance.now() - from });
    };
    const onError = (error: NodeJS.ErrnoException): void => done(error.code ?? 'unknown');
    const onConnect = (): void => {
      // Where an ICMP error comes in at the wrong moment, Linux 6.18 has Node report a connection that has no other side; reading from it brings the error.
      if (socket.remotePort === undefined) {
        socket.resume();
        return;
      }
      settled = true;
      clearTimeout(timer);
      socket.off('error', onError);
      // Whoever takes the socket over listens for itself; until then an early reset must not end the process.
      socket.on('error', () => undefined);
      resolve({ outcome: 'open', socket, ms: performance.now() - from });
    };
    socket.on('error', onError);
    socket.once('connect', onConnect);
  });
}
