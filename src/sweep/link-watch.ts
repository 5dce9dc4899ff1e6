import { type AddressRange, familyOf } from '../targets/addresses.ts';
import type { Devices, Device } from './device.ts';
import type { Neighbours } from './neighbours.ts';
import { Bucket } from './pace.ts';
import type { SweepPlan } from './plan.ts';
import type { Pass, Schedule } from './schedule.ts';
import type { SweepState } from './state.ts';

/** How long ARP is waited for after the last datagram of the first pass. */
const WAIT_MS = 1200;

export interface LinkWatchOptions {
  readonly plan: SweepPlan;
  readonly schedule: Schedule;
  readonly state: SweepState;
  readonly devices: Devices;
  readonly neighbours: Neighbours;
  /** A neighbour was resolved for the first time. */
  readonly onNeighbour: (device: Device, mac: string) => void;
}

/** Directly attached addresses: at what pace the neighbour table bears them, and who of them is there. */
export class LinkWatch {
  readonly #options: LinkWatchOptions;
  readonly #pace: Bucket;
  #last = 0;
  #lastHost: number | undefined;
  #look: Promise<void> | undefined;

  constructor(options: LinkWatchOptions) {
    this.#options = options;
    this.#pace = new Bucket(options.neighbours.perSecond, performance.now());
  }

  /** Whether a datagram to an endpoint takes an entry of the table. An address takes one, however many of its ports are asked. */
  needsEntry(endpoint: number): boolean {
    const { schedule, state } = this.#options;
    const host = state.hostOf(endpoint);
    return host !== this.#lastHost && !state.isAlive(host) && schedule.isOnLink(state.addressOf(endpoint));
  }

  hasRoom(now: number): boolean {
    return this.#pace.available(now) >= 1;
  }

  /** A datagram that takes an entry goes out. */
  take(endpoint: number, now: number): void {
    this.#pace.take(1);
    this.#last = now;
    this.#lastHost = this.#options.state.hostOf(endpoint);
  }

  /** `performance.now()` from which on nobody is waited for who was asked by now. */
  get settledAt(): number {
    return this.#last + WAIT_MS;
  }

  /** Takes in who has been resolved. One look at the table at a time: where a program prints it, that takes a while. */
  async poll(pass: () => Pass): Promise<void> {
    this.#look ??= this.#lookAtTable(pass).finally(() => (this.#look = undefined));
    await this.#look;
  }

  async #lookAtTable(pass: () => Pass): Promise<void> {
    const { plan, state, neighbours, devices, onNeighbour } = this.#options;
    const resolved = await neighbours.resolved(4);
    const { attempt, transport, living } = pass();
    // A TCP pass asks those that were there when it began; who turns up meanwhile is for the next one, where there is one.
    const since = transport === 'udp' && !living ? attempt : attempt + 1;
    for (const { address, mac } of resolved) {
      const host = plan.hosts.indexOf(address);
      if (host === undefined || state.resolvedSince(host) !== undefined || !neighbours.onLink(address)) continue;
      state.resolve(host, since);
      onNeighbour(devices.at(address), mac);
    }
  }

  /** The network cards of IPv6 neighbours that lived: there are few of them, so one look at the end is enough. */
  async nameIpv6(): Promise<void> {
    const { plan, state, neighbours, devices, onNeighbour } = this.#options;
    const isNear = (range: AddressRange): boolean => neighbours.onLink(range.first) || neighbours.touches(range);
    if (!plan.hosts.ranges.some((range) => familyOf(range.first) === 6 && isNear(range))) return;
    for (const { address, mac } of await neighbours.resolved(6)) {
      const host = plan.hosts.indexOf(address);
      if (host !== undefined && state.isAlive(host)) onNeighbour(devices.at(address), mac);
    }
  }

  /** What is told of it: how directly attached addresses were paced, and whether that rests on an assumption. */
  get notes(): string[] {
    const { looksAtLink, touchesLink, udp } = this.#options.schedule;
    const { size, known } = this.#options.neighbours.table;
    const assumed = known ? '' : ', assumed: this system does not tell it';
    if (looksAtLink)
      return [
        `directly attached addresses are looked for with UDP and the neighbour table first, ${this.#options.neighbours.perSecond} a second (table of ${size}${assumed}); TCP goes to those that are there`,
      ];
    if (!touchesLink) return [];
    const why = udp.length === 0 ? 'because no UDP port is asked' : 'because this system does not tell its neighbour table';
    return [
      `directly attached addresses were asked like distant ones, ${why}: living hosts may be missing where more than ${size} addresses of a link are asked within seconds; sweep it at a lower --rate`,
    ];
  }
}
