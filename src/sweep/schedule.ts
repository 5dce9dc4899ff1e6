import { type AddressNumber, familyOf } from '../targets/addresses.ts';
import { Permutation } from '../targets/permutation.ts';
import { KNOWN_PORTS } from '../targets/known-ports.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import { priorityOf, retriesSilent } from './coverage.ts';
import type { Fate } from './ledger.ts';
import type { Neighbours } from './neighbours.ts';
import { MOST_UNWATCHED } from './path-watch.ts';
import type { SweepState } from './state.ts';
import type { SweepPlan } from './plan.ts';

/** One walk over the addresses. Attempt 0 asks everything; later ones what is worth a further try. `living`: over those that live by then, at the ports that only they are asked at. */
export interface Pass {
  readonly transport: 'udp' | 'tcp';
  readonly attempt: number;
  readonly living: boolean;
}

/** A walk's order: the item at each position. */
export interface Order {
  readonly size: number;
  at(position: number): number;
}

/**
 * What is asked, in which pass and in which order: the first attempt before the next, and in each UDP before TCP (after it where so many datagrams to networks
 * beyond a router would leave before anybody is found who can be asked whether they arrive), and then the living addresses at the ports
 * that only they are asked at: what they answer late, and the conversations with them, go on while silent ones are tried again. An item of a UDP pass over all addresses is an address, with all its UDP ports at once, so that a directly attached one
 * is resolved once; an item of any other pass is an endpoint.
 */
export class Schedule {
  readonly passes: readonly Pass[];
  /** Indexes of the plan's ports. */
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
  /** The same, of those that only living addresses are asked at. */
  readonly living: { readonly tcp: readonly number[]; readonly udp: readonly number[] };
  /** Whether directly attached addresses are among the targets. */
  readonly touchesLink: boolean;
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
    const indexesOf = (transport: PortPlan['transport'], living: boolean): number[] =>
      [...ports.keys()].filter((index) => ports[index]?.transport === transport && (ports[index]?.living === true) === living);
    this.tcp = indexesOf('tcp', false);
    this.udp = indexesOf('udp', false);
    this.living = { tcp: indexesOf('tcp', true), udp: indexesOf('udp', true).toSorted((a, b) => worth(ports[a]) - worth(ports[b])) };
    this.touchesLink = hosts.ranges.some((range) => familyOf(range.first) === 4 && neighbours.touches(range));
    const attempts = [...Array(plan.retries + 1).keys()];
    const orderOf = (living: boolean): readonly Pass['transport'][] =>
      !living && !this.touchesLink && hosts.count * this.udp.length > MOST_UNWATCHED ? ['tcp', 'udp'] : ['udp', 'tcp'];
    this.passes = attempts
      .flatMap((attempt) => [false, true].flatMap((living) => orderOf(living).map((transport) => ({ transport, attempt, living }))))
      .filter((pass) => this.portsOf(pass).length > 0);
    const { coverage = 'auto' } = plan;
    this.#priority = coverage === 'full' ? new Set(this.tcp) : priorityOf(ports, this.tcp);
    this.retriesSilent = retriesSilent(hosts.count, coverage);
    this.looksAtLink = this.touchesLink && this.udp.length > 0 && neighbours.isReadable;
  }

  /** Indexes of the ports that a pass asks. */
  portsOf({ transport, living }: Pass): readonly number[] {
    return (living ? this.living : this)[transport];
  }

  sizeOf(pass: Pass): number {
    return this.#plan.hosts.count * (isByAddress(pass) ? 1 : this.portsOf(pass).length);
  }

  /**
   * Whether the pass after one begins while the last answers to it are awaited: it asks others, and what lives by an answer that comes meanwhile is asked in a
   * pass that follows, or need not be.
   */
  flowsOn(pass: number): boolean {
    const [one, next] = [this.passes[pass], this.passes[pass + 1]];
    if (one === undefined || next === undefined || next.attempt !== one.attempt) return false;
    // Who lives by an answer to the last attempt over TCP has been asked by UDP before, as often as everybody.
    return one.attempt < this.#plan.retries || (isByAddress(next) && one.transport === 'tcp');
  }

  /** The order of a pass: each has its own, and the same one after a resume. That over the living goes from port to port, so that no device gets all of it at once. */
  orderOf(pass: number): Order {
    const one = this.passes[pass] as Pass;
    const size = this.sizeOf(one);
    return one.living
      ? { size, at: (position) => position }
      : new Permutation(size, (this.#plan.seed + Math.imul(pass + 1, 0x9e3779b9)) >>> 0);
  }

  /** The next position from one on where there is something to ask: a pass over the living passes the others over at once. */
  skip(pass: Pass, position: number, state: SweepState): number {
    if (!pass.living) return position;
    const { count } = this.#plan.hosts;
    for (let at = position; at < this.sizeOf(pass); at += count - (at % count)) {
      const host = state.nextAlive(at % count);
      if (host !== undefined) return at - (at % count) + host;
    }
    return this.sizeOf(pass);
  }

  /** The endpoints of an item. */
  endpointsOf(pass: Pass, item: number, state: SweepState): number[] {
    const ports = this.portsOf(pass);
    if (isByAddress(pass)) return ports.map((index) => state.endpoint(item, index));
    const { count } = this.#plan.hosts;
    return [
      pass.living
        ? state.endpoint(item % count, ports[Math.floor(item / count)] as number)
        : state.endpoint(Math.floor(item / ports.length), ports[item % ports.length] as number),
    ];
  }

  /** Whether a pass asks an endpoint. */
  asks({ transport, attempt, living }: Pass, endpoint: number, state: SweepState): boolean {
    if (state.isSettled(endpoint)) return false;
    if (living) return this.#asksLiving(endpoint, transport, state);
    const address = state.addressOf(endpoint);
    if (this.#neighbours.isEdge(address)) return false;
    if (!this.#isWanted(endpoint, address, state)) return false;
    // What is known to be open is worth every try.
    if (this.#plan.only !== undefined) return true;
    const host = state.hostOf(endpoint);
    if (transport === 'tcp' && this.isOnLink(address)) return (state.resolvedSince(host) ?? Infinity) <= attempt;
    if (attempt === 0 || state.isAlive(host)) return true;
    return this.retriesSilent && (transport === 'udp' || this.#priority.has(state.portIndexOf(endpoint)));
  }

  /**
   * A further try only over TCP, and only where a host has said something to the first: one that drops all of it drops it again. A device that does not
   * answer a datagram has been heard elsewhere: a second one is not worth its account.
   */
  #asksLiving(endpoint: number, transport: Pass['transport'], state: SweepState): boolean {
    const host = state.hostOf(endpoint);
    if (!state.isAlive(host)) return false;
    if (!state.isAsked(endpoint)) return true;
    return transport === 'tcp' && this.living.tcp.some((index) => state.isSettled(state.endpoint(host, index)));
  }

  /** Counts an endpoint as asked where an attempt is the first that asks it. */
  countAsked(endpoint: number, attempt: number, state: SweepState): void {
    if (state.planOf(endpoint).living === true) state.ask(endpoint);
    else if (this.#isFirst(endpoint, attempt, state)) state.account(endpoint).asked += 1;
  }

  /** Whether an attempt is the first that asks an endpoint. Directly attached hosts may be resolved late: then TCP asks them in a later one. */
  #isFirst(endpoint: number, attempt: number, state: SweepState): boolean {
    const isLate = state.planOf(endpoint).transport === 'tcp' && this.isOnLink(state.addressOf(endpoint));
    return (isLate ? state.resolvedSince(state.hostOf(endpoint)) : 0) === attempt;
  }

  /** Whether an endpoint is among those that are asked, where the plan names them. */
  #isWanted(endpoint: number, address: AddressNumber, state: SweepState): boolean {
    const { port, transport } = state.planOf(endpoint);
    return this.#plan.only === undefined || this.#plan.only.get(address)?.has(`${port}/${transport}`) === true;
  }

  /** Directly attached, and to be looked for first: of those whose ports are known somebody has heard already. */
  isOnLink(address: AddressNumber): boolean {
    return this.looksAtLink && this.#plan.only === undefined && typeof address === 'number' && this.#neighbours.onLink(address);
  }

  /** What became of an endpoint that has no outcome of its own, when all is over. */
  fateOf(
    endpoint: number,
    { wasReached, isOpen, stopped }: { wasReached: boolean; isOpen: boolean; stopped: string | undefined },
    state: SweepState,
  ): Fate {
    const address = state.addressOf(endpoint);
    if (this.#neighbours.isEdge(address)) return { skipped: 'network or broadcast address' };
    if (state.planOf(endpoint).living === true && !state.isAsked(endpoint))
      return { skipped: state.isAlive(state.hostOf(endpoint)) ? (stopped ?? 'found too late') : NO_LIFE };
    if (state.planOf(endpoint).living !== true && !this.#isWanted(endpoint, address, state)) return { skipped: NOT_NAMED };
    if (!wasReached) return { skipped: stopped ?? 'not reached' };
    if (state.planOf(endpoint).living !== true && state.planOf(endpoint).transport === 'tcp' && this.isOnLink(address)) {
      const since = state.resolvedSince(state.hostOf(endpoint));
      if (since === undefined) return { skipped: 'no neighbour answered for it' };
      if (since > this.#plan.retries) return { skipped: 'found too late' };
    }
    if (isOpen) return 'givenUp';
    return state.isUnreachable(endpoint) ? 'unreachable' : 'silent';
  }

  /**
   * Packets done and in all, as far as can be said: a further try goes to silent addresses where it is worth it, and what only living ones are asked to
   * those that live now.
   * @param perAddress datagrams to one address in a pass over UDP
   */
  progress(pass: number, position: number, { alive, perAddress }: { alive: number; perAddress: number }): { done: number; total: number } {
    const share = this.#plan.hosts.count === 0 ? 0 : alive / this.#plan.hosts.count;
    const packets = this.passes.map((one) => {
      if (one.living) return one.attempt === 0 ? share : 0;
      // Directly attached addresses are asked over TCP where a neighbour has answered for them.
      const tried = one.transport === 'tcp' && this.looksAtLink ? share : 1;
      if (one.attempt === 0) return one.transport === 'udp' ? perAddress : tried;
      if (!this.retriesSilent) return one.transport === 'udp' ? share * perAddress : share;
      return one.transport === 'udp' ? perAddress : tried * (this.#priority.size / this.tcp.length);
    });
    const sizes = this.passes.map((one, i) => this.sizeOf(one) * (packets[i] ?? 0));
    return { done: sum(sizes.slice(0, pass)) + position * (packets[pass] ?? 0), total: sum(sizes) };
  }

  /** Milliseconds in which nothing is sent, from a pass on: a time-out at the end of each over TCP; late answers where nothing but UDP is asked. */
  tailMs(pass: number, { tcpMs, udpMs }: { tcpMs: number; udpMs: number }): number {
    const left = this.passes.slice(pass).filter(({ living, attempt }) => !living && (attempt === 0 || this.retriesSilent));
    return this.tcp.length === 0 ? udpMs : left.filter(({ transport }) => transport === 'tcp').length * tcpMs;
  }
}

/** Of addresses that nothing came back from, at a port that only living ones are asked at. */
export const NO_LIFE = 'no sign of life';

/** Of endpoints that are none of those whose ports are known. */
export const NOT_NAMED = 'not among the known ports';

/** The place of a protocol in the list of known ports: a device's account bears only so many datagrams, and what tells most is asked first. */
function worth(plan: PortPlan | undefined): number {
  const place = KNOWN_PORTS.findIndex(({ protocol }) => protocol === plan?.protocol);
  return place < 0 ? KNOWN_PORTS.length : place;
}

/** A pass that asks every address by UDP, at all of its ports at once. */
export function isByAddress({ transport, living }: Pass): boolean {
  return transport === 'udp' && !living;
}

function sum(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0);
}
