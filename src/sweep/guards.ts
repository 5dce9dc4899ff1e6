import { readFileSync } from 'node:fs';
import type { Datagrams } from './datagrams.ts';
import type { Neighbours } from './neighbours.ts';

/** Something of our own machine that may have cost results. The sweep is incomplete where one stands. */
export interface Limitation {
  readonly what:
    | 'neighbour-table'
    | 'connection-tracking'
    | 'receive-buffer'
    | 'descriptors'
    | 'local-errors'
    | 'interrupted'
    | 'ledger'
    | 'fault';
  readonly text: string;
}

const CONNTRACK = '/proc/sys/net/netfilter/nf_conntrack_';
/** Above this share of the connection-tracking table the sweep slows down. */
const CROWDED = 0.7;
const FULL = 0.98;

/** Watches the tables of this machine that drop packets without an error when they are full. */
export class Guards {
  readonly #neighbours: Neighbours;
  readonly #overflowsBefore: number | undefined;
  readonly #limitations = new Map<Limitation['what'], string>();

  constructor(neighbours: Neighbours) {
    this.#neighbours = neighbours;
    this.#overflowsBefore = neighbours.overflows();
  }

  /** Looks once; called every second. Returns the share of the normal rate that is safe now. */
  look(): number {
    const overflows = this.#neighbours.overflows();
    if (overflows !== undefined && this.#overflowsBefore !== undefined && overflows > this.#overflowsBefore)
      this.note(
        'neighbour-table',
        `the kernel's neighbour table overflowed ${overflows - this.#overflowsBefore} times: living hosts on this link may be missing; sweep at a lower --rate`,
      );
    const crowd = conntrackShare();
    if (crowd === undefined) return 1;
    if (crowd >= FULL)
      this.note(
        'connection-tracking',
        'the connection-tracking table of this machine was full: packets were dropped before they left; sweep at a lower --rate',
      );
    return crowd >= CROWDED ? 0.25 : 1;
  }

  note(what: Limitation['what'], text: string): void {
    this.#limitations.set(what, text);
  }

  /** What was lost on the way in, asked at the end. */
  finish(datagrams: Datagrams): void {
    this.look();
    const dropped = datagrams.dropped() ?? 0;
    if (dropped > 0)
      this.note(
        'receive-buffer',
        `${dropped} datagrams came faster than this machine took them: answers of UDP probes may be missing; sweep at a lower --rate`,
      );
  }

  get limitations(): Limitation[] {
    return [...this.#limitations].map(([what, text]) => ({ what, text }));
  }
}

/** How full the connection-tracking table is, 0 to 1; undefined where there is none or it cannot be read. */
function conntrackShare(): number | undefined {
  try {
    const [count, max] = ['count', 'max'].map((name) => Number(readFileSync(`${CONNTRACK}${name}`, 'latin1')));
    return count !== undefined && max !== undefined && max > 0 ? count / max : undefined;
  } catch {
    return undefined;
  }
}

/** Descriptors are kept back for files, conversations and Node itself, which throws where none is left. */
const KEPT_BACK = 256;

/** How many sockets this process may hold in the sweep. */
export function socketLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    if (soft === 'unlimited') return 16_000;
    if (soft !== undefined) return Math.max(16, Number(soft) - KEPT_BACK);
  } catch {
    // not Linux: below
  }
  return 1024 - KEPT_BACK;
}
