import { type AddressNumber, familyOf } from '../targets/addresses.ts';
import { Permutation } from '../targets/permutation.ts';
import type { PortPlan } from '../targets/ports.ts';
import type { Fate } from './ledger.ts';
import type { Neighbours } from './neighbours.ts';
import type { SweepState } from './state.ts';
import type { SweepPlan } from './plan.ts';

/** Silent addresses get a second try at these ports only: it finds what 1 % loss hid at a third of the packets (docs/sweep.md). */
const PRIORITY_PORTS: ReadonlySet<number> = new Set([80, 443, 5900, 8443]);
/** Up to so many addresses every one is tried again; above, those that showed a sign of life. */
const RETRY_SILENT_UP_TO = 4096;

/** One walk over the addresses. Attempt 0 asks everything; later ones what is worth a further try. */
export interface Pass {
  readonly transport: 'udp' | 'tcp';
  readonly attempt: number;
}

/**
 * What is asked, in which pass and in which order: UDP before TCP, the first attempt before the next. An item of a UDP pass is an address, with all its
 * UDP ports at once, so that a directly attached one is resolved once; an item of a TCP pass is an endpoint.
 */
export class Schedule {
  readonly passes: readonly Pass[];
  /** Indexes of the plan's ports. */
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
  /** Whether directly attached addresses are looked for with UDP and the neighbour table first. */
  readonly looksAtLink: boolean;
  readonly retriesSilent: boolean;
  readonly #plan: SweepPlan;
  readonly #neighbours: Neighbours;
  readonly #priority: ReadonlySet<number>;

  constructor(plan: SweepPlan, neighbours: Neighbours) {
    this.#plan = plan;
    this.#neighbours = neighbours;
    const { hosts, ports } = plan;
    const indexesOf = (transport: PortPlan['transport']): number[] =>
      [...ports.keys()].filter((index) => ports[index]?.transport === transport);
    this.tcp = indexesOf('tcp');
    this.udp = indexesOf('udp');
    this.passes = Array.from({ length: plan.retries + 1 }, (_, attempt) => [
      ...(this.udp.length > 0 ? [{ transport: 'udp' as const, attempt }] : []),
      ...(this.tcp.length > 0 ? [{ transport: 'tcp' as const, attempt }] : []),
    ]).flat();
    const known = this.tcp.filter((index) => PRIORITY_PORTS.has(ports[index]?.port ?? 0));
    this.#priority = new Set(known.length > 0 ? known : this.tcp.slice(0, PRIORITY_PORTS.size));
    this.retriesSilent = hosts.count <= RETRY_SILENT_UP_TO;
    this.looksAtLink =
      this.udp.length > 0 &&
      neighbours.isReadable &&
      hosts.ranges.some((range) => familyOf(range.first) === 4 && neighbours.touches(range));
  }

  sizeOf({ transport }: Pass): number {
    return transport === 'udp' ? this.#plan.hosts.count : this.#plan.hosts.count * this.tcp.length;
  }

  /** The order of a pass: each has its own, and the same one after a resume. */
  orderOf(pass: number): Permutation {
    return new Permutation(this.sizeOf(this.passes[pass] as Pass), (this.#plan.seed + Math.imul(pass + 1, 0x9e3779b9)) >>> 0);
  }

  /** The endpoints of an item. */
  endpointsOf({ transport }: Pass, item: number, state: SweepState): number[] {
    if (transport === 'udp') return this.udp.map((index) => state.endpoint(item, index));
    return [state.endpoint(Math.floor(item / this.tcp.length), this.tcp[item % this.tcp.length] as number)];
  }

  /** Whether a pass asks an endpoint. */
  asks({ transport, attempt }: Pass, endpoint: number, state: SweepState): boolean {
    if (state.isSettled(endpoint)) return false;
    const address = state.addressOf(endpoint);
    if (this.#neighbours.isEdge(address)) return false;
    const host = state.hostOf(endpoint);
    if (transport === 'tcp' && this.isOnLink(address)) return (state.resolvedSince(host) ?? Infinity) <= attempt;
    if (attempt === 0 || state.isAlive(host)) return true;
    return this.retriesSilent && (transport === 'udp' || this.#priority.has(state.portIndexOf(endpoint)));
  }

  /** Whether an attempt is the first that asks an endpoint. Directly attached hosts may be resolved late: then TCP asks them in a later one. */
  isFirst(endpoint: number, attempt: number, state: SweepState): boolean {
    const isLate = state.planOf(endpoint).transport === 'tcp' && this.isOnLink(state.addressOf(endpoint));
    return (isLate ? state.resolvedSince(state.hostOf(endpoint)) : 0) === attempt;
  }

  isOnLink(address: AddressNumber): boolean {
    return this.looksAtLink && typeof address === 'number' && this.#neighbours.onLink(address);
  }

  /** What became of an endpoint that has no outcome of its own, when all is over. */
  fateOf(
    endpoint: number,
    { wasReached, isOpen, stopped }: { wasReached: boolean; isOpen: boolean; stopped: string | undefined },
    state: SweepState,
  ): Fate {
    const address = state.addressOf(endpoint);
    if (this.#neighbours.isEdge(address)) return { skipped: 'network or broadcast address' };
    if (!wasReached) return { skipped: stopped ?? 'not reached' };
    if (state.planOf(endpoint).transport === 'tcp' && this.isOnLink(address)) {
      const since = state.resolvedSince(state.hostOf(endpoint));
      if (since === undefined) return { skipped: 'no neighbour answered for it' };
      if (since > this.#plan.retries) return { skipped: 'found too late' };
    }
    if (isOpen) return 'givenUp';
    return state.isUnreachable(endpoint) ? 'unreachable' : 'silent';
  }

  /** Items done and in all, where a further try of silent addresses counts as far as it goes. */
  progress(pass: number, position: number): { done: number; total: number } {
    const shares = this.passes.map(({ transport, attempt }) => {
      if (attempt === 0) return 1;
      if (!this.retriesSilent) return 0;
      return transport === 'udp' ? 1 : this.#priority.size / this.tcp.length;
    });
    const sizes = this.passes.map((one, i) => this.sizeOf(one) * (shares[i] ?? 0));
    return { done: sum(sizes.slice(0, pass)) + position * (shares[pass] ?? 0), total: sum(sizes) };
  }
}

function sum(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0);
}
