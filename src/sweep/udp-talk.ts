import { setTimeout as sleep } from 'node:timers/promises';
import type { Budget } from './budget.ts';
import type { Answer, Datagram, DatagramWire, Endpoint, UdpProbe } from './contract.ts';

/** When a request is sent again, and when it is given up, in milliseconds. Some controllers get confused by a repeated number, so each try is fresh. */
const TRIES_MS: readonly number[] = [0, 1500, 4000];
const GIVE_UP_MS = 7000;
/** After the first answer, how long the answers to the sweep's other requests are waited for, beyond the time over which a device may spread them. */
const GATHER_MS = 400;
/** How often is looked for answers that are waited for. */
const HEAR_MS = 50;

/** A conversation with one UDP endpoint, over the sweep's shared socket. */
export class UdpTalk implements DatagramWire {
  readonly endpoint: Endpoint;
  /** `performance.now()` at which the conversation is over: what is asked then is silent. */
  deadline = Infinity;
  /** Sent in it, on the account of the device. */
  datagrams = 0;
  readonly #budget: Budget;
  /** Called for each datagram of the conversation, those of a session beside it too: they are on the sweep's account. */
  readonly onSend: () => void;
  readonly #send: (datagram: Datagram) => Promise<unknown>;
  readonly #probe: Pick<UdpProbe, 'answersKept' | 'spreadMs'>;
  readonly #answers: Answer[] = [];
  readonly #waiting = new Set<(bytes: Buffer) => void>();

  constructor(
    endpoint: Endpoint,
    budget: Budget,
    { onSend, send }: { readonly onSend: () => void; readonly send: (datagram: Datagram) => Promise<unknown> },
    probe: Pick<UdpProbe, 'answersKept' | 'spreadMs'> = {},
  ) {
    this.endpoint = endpoint;
    this.onSend = onSend;
    this.#budget = budget;
    this.#send = send;
    this.#probe = probe;
  }

  get answers(): readonly Answer[] {
    return this.#answers;
  }

  /** Waits for the answers to the other requests of the sweep. */
  async gather(): Promise<void> {
    await sleep(GATHER_MS + (this.#probe.spreadMs ?? 0));
  }

  /** Takes in a datagram from the endpoint. */
  receive(bytes: Buffer, name: string | undefined): void {
    for (const take of this.#waiting) take(bytes);
    // Duplicates are normal: retries cross. The first answers to each request count.
    const known = this.#answers.filter((answer) => answer.name === name);
    if (name !== undefined && known.length < (this.#probe.answersKept ?? 1) && !known.some((answer) => answer.bytes.equals(bytes)))
      this.#answers.push({ name, bytes });
  }

  async hear(isEnough: (answers: readonly Answer[]) => boolean, waitMs: number): Promise<void> {
    const until = Math.min(this.deadline, performance.now() + waitMs);
    while (!isEnough(this.#answers) && performance.now() < until) await sleep(Math.min(HEAR_MS, Math.max(1, until - performance.now())));
  }

  async ask(
    request: (attempt: number) => Datagram,
    fits: (bytes: Buffer) => boolean,
    { tries = 3 }: { readonly tries?: 1 | 2 | 3 } = {},
  ): Promise<Buffer | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
    const take = (bytes: Buffer): void => {
      if (fits(bytes)) resolve(bytes);
    };
    this.#waiting.add(take);
    // Async, so that a request which may not be sent rejects the conversation instead of throwing out of a timer.
    const send = async (attempt: number): Promise<void> => {
      if (this.#budget.datagram()) {
        this.datagrams += 1;
        this.onSend();
        await this.#send(request(attempt));
      } else resolve(undefined);
    };
    const leftMs = Math.max(0, this.deadline - performance.now());
    const due = TRIES_MS.slice(0, tries).filter((ms) => ms < leftMs);
    const timers = due.map((ms, attempt) => setTimeout(() => void send(attempt).catch(reject), ms));
    timers.push(setTimeout(() => resolve(undefined), Math.min(leftMs, TRIES_MS[tries] ?? GIVE_UP_MS)));
    try {
      return await promise;
    } finally {
      this.#waiting.delete(take);
      for (const timer of timers) clearTimeout(timer);
    }
  }
}
