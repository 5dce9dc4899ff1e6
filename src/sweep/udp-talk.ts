import { setTimeout as sleep } from 'node:timers/promises';
import { ProbeError } from '../errors.ts';
import type { Budget } from './budget.ts';
import type { Answer, Datagram, DatagramWire, Endpoint } from './contract.ts';

/** When a request is sent again, and when it is given up, in milliseconds. Some controllers get confused by a repeated number, so each try is fresh. */
const TRIES_MS = [0, 1500, 4000] as const;
const GIVE_UP_MS = 7000;
/** After the first answer, how long the answers to the sweep's other requests are waited for. */
const GATHER_MS = 400;

/** A conversation with one UDP endpoint, over the sweep's shared socket. */
export class UdpTalk implements DatagramWire {
  readonly endpoint: Endpoint;
  readonly #budget: Budget;
  readonly #send: (datagram: Datagram) => Promise<unknown>;
  readonly #answers: Answer[] = [];
  readonly #waiting = new Set<(bytes: Buffer) => void>();

  constructor(endpoint: Endpoint, budget: Budget, send: (datagram: Datagram) => Promise<unknown>) {
    this.endpoint = endpoint;
    this.#budget = budget;
    this.#send = send;
  }

  get answers(): readonly Answer[] {
    return this.#answers;
  }

  /** Waits for the answers to the other requests of the sweep. */
  async gather(): Promise<void> {
    await sleep(GATHER_MS);
  }

  /** Takes in a datagram from the endpoint. */
  receive(bytes: Buffer, name: string | undefined): void {
    for (const take of this.#waiting) take(bytes);
    // Duplicates are normal: retries cross. The first answer to each request counts.
    if (name !== undefined && !this.#answers.some((answer) => answer.name === name)) this.#answers.push({ name, bytes });
  }

  async ask(request: (attempt: number) => Datagram, fits: (bytes: Buffer) => boolean): Promise<Buffer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
    const take = (bytes: Buffer): void => {
      if (fits(bytes)) resolve(bytes);
    };
    this.#waiting.add(take);
    const timers: NodeJS.Timeout[] = [];
    const send = (attempt: number): void => {
      if (!this.#budget.datagram()) {
        resolve(undefined);
        return;
      }
      this.#send(request(attempt)).catch((error: unknown) => resolve(Promise.reject(error instanceof Error ? error : new ProbeError('given-up', String(error)))));
    };
    for (const [attempt, ms] of TRIES_MS.entries()) timers.push(setTimeout(() => send(attempt), ms));
    timers.push(setTimeout(() => resolve(undefined), GIVE_UP_MS));
    try {
      return await promise;
    } finally {
      this.#waiting.delete(take);
      for (const timer of timers) clearTimeout(timer);
    }
  }
}
