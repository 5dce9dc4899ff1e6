import { ProbeError } from '../errors.ts';
import { optedIn } from '../targets/also.ts';
import type { PortPlan } from '../targets/port-plan.ts';

/** What one device is asked for at most in a run, sweep and conversations together. The figures are those of docs/read-only.md. */
export interface BudgetLimits {
  readonly connects: number;
  readonly requests: number;
  readonly datagrams: number;
  /** Datagrams that carry a credential of the operator's, or belong to a session with one; none where he gave none ({@link readsWith}). */
  readonly reads: number;
  /** Milliseconds spent talking. */
  readonly talkMs: number;
}

export const DEFAULT_BUDGET: BudgetLimits = { connects: 40, requests: 16, datagrams: 12, reads: 0, talkMs: 60_000 };

/** Requests after the one that a credential was tried with. An agent of SNMPv1 is asked for one object at a time. */
const SNMP_READS = 14;
/** A user costs the discovery of the engine, and a request. */
const DATAGRAMS_PER_USER = 2;

/** How many datagrams may go to a device on account of the credentials given: each is tried once, and one of them reads. */
export function readsWith({ communities, users }: { readonly communities: number; readonly users: number }): number {
  return communities + users === 0 ? 0 : communities + users * DATAGRAMS_PER_USER + SNMP_READS;
}

/** A channel that the operator opts into has an account of its own: a question, and one that follows from the answer. */
const DATAGRAMS_PER_OPTED_CHANNEL = 2;

/** What one device is asked for in a sweep of some ports: more where channels were opted into. */
export function budgetFor(ports: readonly PortPlan[]): BudgetLimits {
  return { ...DEFAULT_BUDGET, datagrams: DEFAULT_BUDGET.datagrams + DATAGRAMS_PER_OPTED_CHANNEL * optedIn(ports) };
}

/** What has gone to a device, as the journal has it: connections, requests, datagrams, those with a credential, and 1 where what the sweep sent is in it. */
export type Spent = readonly [connects: number, requests: number, datagrams: number, reads: number, isSweepCounted: 0 | 1];

/** Open ports that stopped answering: after so many the device is left alone. */
const DEAD_AFTER = 2;
const PAUSE_MS = 250;
const LONG_PAUSE_MS = 1000;

/** The account of one device. */
export class Budget {
  readonly #limits: BudgetLimits;
  #connects = 0;
  #requests = 0;
  #datagrams = 0;
  #reads = 0;
  #isSweepCounted = false;
  #spentMs = 0;
  #talking = 0;
  #since = 0;
  #deaf = 0;
  #notBefore = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  get spent(): Spent {
    return [this.#connects, this.#requests, this.#datagrams, this.#reads, this.#isSweepCounted ? 1 : 0];
  }

  /** Goes on with what a journal says. */
  restore([connects, requests, datagrams, reads, isSweepCounted]: Spent): void {
    this.#connects = connects;
    this.#requests = requests;
    this.#datagrams = datagrams;
    this.#reads = reads;
    this.#isSweepCounted = isSweepCounted === 1;
  }

  /** So many datagrams are sent once more, because the sweep was killed: they are on the account already. */
  giveBack(datagrams: number): void {
    this.#datagrams = Math.max(0, this.#datagrams - datagrams);
  }

  /** Counts a connection of the sweep, which is made whatever the account says: the operator named the port. */
  countConnect(): void {
    this.#connects += 1;
  }

  connect(): void {
    if (this.isDeaf) throw new ProbeError('given-up', 'it stopped responding: two ports that were open no longer answer');
    if (this.#connects >= this.#limits.connects) throw new ProbeError('given-up', `${this.#limits.connects} connections were made to it`);
    this.#connects += 1;
  }

  request(): void {
    if (this.#requests >= this.#limits.requests) throw new ProbeError('given-up', `${this.#limits.requests} requests were made to it`);
    this.#requests += 1;
  }

  /** True once {@link countSweep} was called: from then on each datagram is counted as it goes. */
  get isSweepCounted(): boolean {
    return this.#isSweepCounted;
  }

  /** Counts what the sweep sent to the device before it answered a datagram for the first time; `reads` of it carried a credential. */
  countSweep(datagrams: number, reads = 0): void {
    if (this.#isSweepCounted) return;
    this.#isSweepCounted = true;
    this.#datagrams += datagrams;
    this.#reads += reads;
  }

  /** False where no more datagrams may be sent to it. */
  datagram(): boolean {
    return this.#datagram(this.#limits.datagrams);
  }

  /** False where a further question in the same protocol may not be sent: it takes neither what is kept for others, nor from what channels are opted into for. */
  furtherDatagram(kept: number): boolean {
    return this.#datagram(Math.min(this.#limits.datagrams, DEFAULT_BUDGET.datagrams) - kept);
  }

  #datagram(limit: number): boolean {
    if (this.#datagrams >= limit) return false;
    this.#datagrams += 1;
    return true;
  }

  /** False where no more datagrams with a credential may be sent to it. */
  read(): boolean {
    if (this.#reads >= this.#limits.reads) return false;
    this.#reads += 1;
    return true;
  }

  /** Open ports of it do not answer any more: it is left alone. */
  get isDeaf(): boolean {
    return this.#deaf >= DEAD_AFTER;
  }

  /** It was the path that did not answer, not the device. */
  forgiveDeaf(): void {
    this.#deaf = 0;
  }

  /** Whether anything is left for a conversation. */
  get isLeft(): boolean {
    const { connects, requests, talkMs } = this.#limits;
    return this.#connects < connects && this.#requests < requests && this.#spentMs < talkMs;
  }

  /** A port that was open did not answer a connection. */
  deaf(): void {
    this.#deaf += 1;
    this.rest(true);
  }

  /** After a connection: how long the device is left in peace. */
  rest(afterTrouble = false): void {
    this.#notBefore = Math.max(this.#notBefore, performance.now() + (afterTrouble ? LONG_PAUSE_MS : PAUSE_MS));
  }

  /** Milliseconds until the next connection may be made. */
  get pauseMs(): number {
    return Math.max(0, this.#notBefore - performance.now());
  }

  /** Begins a stretch of talking; returns the `performance.now()` at which it must be over. */
  begin(): number {
    const now = performance.now();
    if (this.#talking === 0) this.#since = now;
    this.#talking += 1;
    return now + Math.max(0, this.#limits.talkMs - this.#spentMs - (now - this.#since));
  }

  end(): void {
    this.#talking -= 1;
    if (this.#talking === 0) this.#spentMs += performance.now() - this.#since;
  }
}
