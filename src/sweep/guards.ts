import { readFileSync } from 'node:fs';
import type { Datagrams } from './datagrams.ts';
import type { Neighbours } from './neighbours.ts';
import { GIVE_UP_MS } from './path-watch.ts';

/** Something of our own machine, or of the way to the targets, that may have cost results. The sweep is incomplete where one stands. */
export interface Limitation {
  readonly what:
    | 'neighbour-table'
    | 'connection-tracking'
    | 'path'
    | 'receive-buffer'
    | 'descriptors'
    | 'local-errors'
    | 'interrupted'
    | 'ledger'
    | 'fault';
  readonly text: string;
}

const CONNTRACK = '/proc/sys/net/netfilter/nf_conntrack_';
/** Above this share of the connection-tracking table the sweep slows down, to that share of its rate. */
const CROWDED = 0.7;
const CROWDED_SHARE = 0.25;
/** Above this it waits until the table is no longer crowded. */
const FULL = 0.98;

/** Watches the tables of this machine that drop packets without an error when they are full. */
export class Guards {
  readonly #neighbours: Neighbours;
  readonly #crowd: () => number | undefined;
  readonly #overflowsBefore: number | undefined;
  readonly #limitations = new Map<Limitation['what'], string>();
  /** `performance.now()` since which the connection-tracking table is full. */
  #fullSince: number | undefined;
  #timesFull = 0;
  #isGivenUp = false;

  /** @param crowd how full the connection-tracking table is, 0 to 1; undefined where there is none */
  constructor(neighbours: Neighbours, crowd = conntrackShare) {
    this.#neighbours = neighbours;
    this.#crowd = crowd;
    this.#overflowsBefore = neighbours.overflows();
  }

  /** Looks once; called every second. Returns the share of the normal rate that is safe now. */
  look(now: number): number {
    const overflows = this.#neighbours.overflows();
    if (overflows !== undefined && this.#overflowsBefore !== undefined && overflows > this.#overflowsBefore)
      this.note(
        'neighbour-table',
        `the kernel's neighbour table overflowed ${overflows - this.#overflowsBefore} times: living hosts on this link may be missing; sweep at a lower --rate`,
      );
    const crowd = this.#crowd() ?? 0;
    if (crowd < CROWDED) this.#fullSince = undefined;
    else if (crowd >= FULL && this.#fullSince === undefined && !this.#isGivenUp) {
      this.#fullSince = now;
      this.#timesFull += 1;
    }
    if (this.#fullSince !== undefined && now - this.#fullSince >= GIVE_UP_MS) {
      this.#fullSince = undefined;
      this.#isGivenUp = true;
      this.note(
        'connection-tracking',
        `the connection-tracking table of this machine was full and stayed full for ${GIVE_UP_MS / 1000} s: packets were dropped before they left; sweep at a lower --rate`,
      );
    }
    return crowd >= CROWDED ? CROWDED_SHARE : 1;
  }

  /** The connection-tracking table of this machine is full, or was and is still crowded: what leaves now may be dropped. */
  get isFull(): boolean {
    return this.#fullSince !== undefined;
  }

  /** How often that was so. */
  get timesFull(): number {
    return this.#timesFull;
  }

  note(what: Limitation['what'], text: string): void {
    this.#limitations.set(what, text);
  }

  /** What was lost on the way in, asked at the end. */
  finish(datagrams: Datagrams): void {
    this.look(performance.now());
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
  const soft = openFiles();
  return soft === undefined ? ASSUMED_FILES - KEPT_BACK : Math.max(16, Math.min(soft - KEPT_BACK, MOST_SOCKETS));
}

/** The usual limit where a system does not tell its own. */
const ASSUMED_FILES = 1024;
const MOST_SOCKETS = 16_000;

/** How many files this process may have open; undefined where the system does not tell (Windows has no such limit). */
function openFiles(): number | undefined {
  // Without this the report would ask the name server for the names of our connections.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | 'unlimited' } } };
  const soft = userLimits?.open_files?.soft;
  return soft === 'unlimited' ? Infinity : soft;
}

/** What this system does not tell of itself, in words: a loss there is not noticed. */
export function blindSpots(
  { onLink, platform = process.platform }: { onLink: boolean; platform?: NodeJS.Platform },
  neighbours: Neighbours,
): string[] {
  const spots = [
    ...(platform === 'linux' ? [] : ['how full its connection-tracking table is', 'which datagrams it dropped because they came too fast']),
    ...(onLink && neighbours.overflows() === undefined ? ['whether its neighbour table overflowed'] : []),
  ];
  return spots.length === 0 ? [] : [`this system does not tell ${spots.join(', nor ')}: what was lost there is not noticed`];
}
