import type { AddressNumber } from '../targets/addresses.ts';
import type { HostSet } from '../targets/hosts.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import type { Spent } from './budget.ts';
import { Bits, EndpointSet, packNumbers, unpackNumbers } from './bits.ts';
import { addPort, emptyPort, type Fate, type Ledger, portChange, type PortLedger, sumPorts } from './ledger.ts';

/** What has come into a set of endpoints and gone from it since the checkpoint before, packed as in {@link Checkpoint}. */
export interface Changes {
  readonly added: string;
  readonly ended: string;
}

/**
 * The state of a sweep between two packets, as it is written to the journal: what a resume needs. There are many of them, so each holds what has changed.
 * Packed numbers are those of `bits.ts`; endpoints are numbered host x ports + port.
 */
export interface Checkpoint {
  /** The first that a process writes: what is open is told anew. */
  readonly isFirst?: true;
  /** By the clock of the process (`performance.now()`), in whole milliseconds. */
  readonly ms: number;
  readonly pass: number;
  readonly position: number;
  /** Endpoints that were drawn but have no outcome yet. Not those at which an answer was awaited long enough. */
  readonly open?: Changes;
  /** Endpoints whose conversation is open. */
  readonly talking: string;
  /** Settled endpoints, living hosts, unreachable endpoints, and resolved neighbours (hosts, by pass) since the checkpoint before. */
  readonly settled: string;
  readonly alive: string;
  readonly unreachable: string;
  readonly resolved: readonly string[];
  /** Endpoints at the ports of living addresses to which something was sent since the checkpoint before. */
  readonly asked: string;
  /** What the account of a device has come to, by the number of the host, where it has changed; without the conversations that are open. */
  readonly spent?: Readonly<Record<string, Spent>>;
  /** What has to be added to the account. */
  readonly ports: Readonly<Record<string, Partial<PortLedger>>>;
  readonly packets: { readonly tcp: number; readonly udp: number };
  readonly stray: number;
  /** What the watch over the path has: open ports that are asked again, the share of the rate, and endpoints to repeat (changes since the checkpoint before). */
  readonly path?: PathCheckpoint;
}

/** Packed numbers as in {@link Checkpoint}. */
export interface PathCheckpoint {
  readonly canaries: string;
  /** Of the canaries, those that refuse connections. */
  readonly spares?: string;
  readonly share: number;
  /** Asked since a canary that did not answer may have been the first to be dropped: to be repeated, unless a later checkpoint tells better. */
  readonly doubtful?: string;
  readonly repeats?: Changes;
}

/** What a sweep knows of its endpoints: a few bits for each, whatever the size of the address space, and the account. */
export class SweepState {
  readonly packets = { tcp: 0, udp: 0 };
  stray = 0;
  readonly #hosts: HostSet;
  readonly #plans: readonly PortPlan[];
  /** Endpoints with an outcome that no further try can change. */
  readonly #settled: EndpointSet;
  readonly #alive: Bits;
  readonly #unreachable: EndpointSet;
  /** Of the ports of living addresses: endpoints to which something was sent. At the others every endpoint is, unless it is skipped. */
  readonly #asked = new Set<number>();
  /** For directly attached hosts: the attempt from which on TCP goes to them, plus one; 0 where no neighbour answered. */
  readonly #resolved: Uint8Array;
  readonly #ports: Readonly<Record<string, PortLedger>>;
  /** The same by place among the ports of the plan. */
  readonly #accounts: readonly PortLedger[];
  /** The account as the last checkpoint has it. */
  #told: Readonly<Record<string, PortLedger>>;
  #hasTold = false;
  #aliveCount = 0;
  #fresh = freshDeltas();

  constructor(hosts: HostSet, plans: readonly PortPlan[], tracksNeighbours: boolean) {
    this.#hosts = hosts;
    this.#plans = plans;
    const isEverywhere = plans.map(({ living }) => living !== true);
    this.#settled = new EndpointSet(hosts.count, isEverywhere);
    this.#unreachable = new EndpointSet(hosts.count, isEverywhere);
    this.#alive = new Bits(hosts.count);
    this.#resolved = new Uint8Array(tracksNeighbours ? hosts.count : 0);
    this.#accounts = plans.map(() => emptyPort(hosts.count));
    this.#ports = Object.fromEntries(plans.map(({ port, transport }, i) => [`${port}/${transport}`, this.#accounts[i] as PortLedger]));
    this.#told = copied(this.#ports);
  }

  endpoint(host: number, port: number): number {
    return host * this.#plans.length + port;
  }
  hostOf(endpoint: number): number {
    return Math.floor(endpoint / this.#plans.length);
  }
  portIndexOf(endpoint: number): number {
    return endpoint % this.#plans.length;
  }
  planOf(endpoint: number): PortPlan {
    return this.#plans[this.portIndexOf(endpoint)] as PortPlan;
  }
  addressOf(endpoint: number): AddressNumber {
    return this.#hosts.at(this.hostOf(endpoint));
  }
  hostAt(address: AddressNumber): number | undefined {
    return this.#hosts.indexOf(address);
  }
  find(address: AddressNumber, { transport, port }: Pick<PortPlan, 'transport' | 'port'>): number | undefined {
    const host = this.#hosts.indexOf(address);
    const index = this.#plans.findIndex((plan) => plan.transport === transport && plan.port === port);
    return host === undefined || index < 0 ? undefined : this.endpoint(host, index);
  }
  account(endpoint: number): PortLedger {
    return this.#accounts[this.portIndexOf(endpoint)] as PortLedger;
  }

  isSettled(endpoint: number): boolean {
    return this.#settled.has(endpoint);
  }
  isUnreachable(endpoint: number): boolean {
    return this.#unreachable.has(endpoint);
  }
  isAlive(host: number): boolean {
    return this.#alive.has(host);
  }
  /** The attempt from which on TCP goes to a directly attached host, or undefined where no neighbour has answered. */
  resolvedSince(host: number): number | undefined {
    const since = this.#resolved[host] ?? 0;
    return since === 0 ? undefined : since - 1;
  }

  /** The first living host from a number on. */
  nextAlive(host: number): number | undefined {
    const next = this.#alive.next(host);
    return next === undefined || next >= this.#hosts.count ? undefined : next;
  }

  isAsked(endpoint: number): boolean {
    return this.#asked.has(endpoint);
  }
  /** Something was sent to an endpoint at a port of living addresses. Counted once. */
  ask(endpoint: number): void {
    if (this.#asked.has(endpoint)) return;
    this.#asked.add(endpoint);
    this.#fresh.asked.push(endpoint);
    this.account(endpoint).asked += 1;
  }
  /** Nothing is sent to an endpoint, for a reason that stands now. */
  skip(endpoint: number, why: string): void {
    if (!this.#settled.add(endpoint)) return;
    this.#fresh.settled.push(endpoint);
    addSkipped(this.account(endpoint), why, 1);
  }

  settle(endpoint: number, as: 'answered' | 'refused' | 'lost'): void {
    if (!this.#settled.add(endpoint)) return;
    this.#fresh.settled.push(endpoint);
    this.account(endpoint)[as] += 1;
  }
  /** Accounts for an endpoint that nothing came back from, once all is over. */
  close(endpoint: number, fate: Fate): void {
    const port = this.account(endpoint);
    if (typeof fate === 'object') addSkipped(port, fate.skipped, 1);
    else port[fate] += 1;
  }
  /** The same for so many hosts at one port that nobody was asked at. */
  closeSkipped(portIndex: number, hosts: number, why: string): void {
    if (hosts > 0) addSkipped(this.account(portIndex), why, hosts);
  }
  liven(host: number): void {
    if (!this.#alive.add(host)) return;
    this.#aliveCount += 1;
    this.#fresh.alive.push(host);
  }
  markUnreachable(endpoint: number): void {
    if (this.#unreachable.add(endpoint)) this.#fresh.unreachable.push(endpoint);
  }
  resolve(host: number, since: number): void {
    this.#resolved[host] = since + 1;
    (this.#fresh.resolved[since] ??= []).push(host);
    this.liven(host);
  }

  get ledger(): Ledger {
    return {
      ports: this.#ports,
      total: sumPorts(this.#accounts),
      packets: { ...this.packets },
      alive: this.#aliveCount,
      stray: this.stray,
    };
  }

  /** The state since the last call, for the journal. */
  checkpoint({
    talking,
    ...where
  }: Pick<Checkpoint, 'ms' | 'pass' | 'position' | 'open' | 'spent' | 'path'> & { talking: readonly number[] }): Checkpoint {
    const { settled, alive, unreachable, resolved, asked } = this.#fresh;
    this.#fresh = freshDeltas();
    const told = this.#told;
    this.#told = copied(this.#ports);
    const isFirst = !this.#hasTold;
    this.#hasTold = true;
    return {
      ...(isFirst ? { isFirst } : {}),
      ...where,
      talking: packNumbers(talking),
      settled: packNumbers(settled),
      alive: packNumbers(alive),
      unreachable: packNumbers(unreachable),
      resolved: Array.from(resolved, (hosts) => packNumbers(hosts ?? [])),
      asked: packNumbers(asked),
      ports: Object.fromEntries(
        Object.entries(this.#told).flatMap(([name, port]) => {
          const change = portChange(told[name] as PortLedger, port);
          return change === undefined ? [] : [[name, change]];
        }),
      ),
      packets: { ...this.packets },
      stray: this.stray,
    };
  }

  /** Takes in the checkpoints of a journal, all of them in order. */
  restore(checkpoints: readonly Checkpoint[]): void {
    for (const { settled, alive, unreachable, resolved, asked, ports } of checkpoints) {
      for (const [name, change] of Object.entries(ports)) {
        const port = this.#ports[name];
        if (port !== undefined) addPort(port, change);
      }
      for (const endpoint of unpackNumbers(settled)) this.#settled.add(endpoint);
      for (const host of unpackNumbers(alive)) this.liven(host);
      for (const endpoint of unpackNumbers(unreachable)) this.#unreachable.add(endpoint);
      for (const endpoint of unpackNumbers(asked)) this.#asked.add(endpoint);
      for (const [since, hosts] of resolved.entries())
        for (const host of unpackNumbers(hosts)) if (host < this.#resolved.length) this.#resolved[host] = since + 1;
    }
    this.#fresh = freshDeltas();
    this.#told = copied(this.#ports);
    const last = checkpoints.at(-1);
    if (last === undefined) return;
    Object.assign(this.packets, last.packets);
    this.stray = last.stray;
  }
}

function copied(ports: Readonly<Record<string, PortLedger>>): Record<string, PortLedger> {
  return Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, { ...port, skipped: { ...port.skipped } }]));
}

function freshDeltas(): { settled: number[]; alive: number[]; unreachable: number[]; resolved: number[][]; asked: number[] } {
  return { settled: [], alive: [], unreachable: [], resolved: [], asked: [] };
}

function addSkipped(port: PortLedger, why: string, hosts: number): void {
  port.skipped[why] = (port.skipped[why] ?? 0) + hosts;
}
