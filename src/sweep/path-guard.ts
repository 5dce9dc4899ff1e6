import type { PortPlan } from '../targets/port-plan.ts';
import { grouped } from '../text.ts';
import { packNumbers, unpackNumbers } from './bits.ts';
import { type Devices, FAREWELL_MS } from './device.ts';
import { dial } from './dial.ts';
import type { Guards } from './guards.ts';
import type { Pace } from './pace.ts';
import { networkOf, RoundTrip } from './pace.ts';
import { PathWatch, type Verdict } from './path-watch.ts';
import { Recent } from './recent.ts';
import { Repeats } from './repeats.ts';
import type { PathCheckpoint, SweepState } from './state.ts';

export interface PathGuardOptions {
  /** Packets a second of the plan. */
  readonly rate: number;
  readonly devices: Devices;
  readonly state: SweepState;
  readonly guards: Guards;
  readonly pace: Pace;
  /** Whether somebody talks to a host. */
  readonly isBusy: (host: number) => boolean;
  readonly onFault: (error: unknown) => void;
}

/** However little a path bears, so many packets a second leave. */
const LEAST_RATE = 25;
/** A connection that is closed without a word is nothing to a server of these. Others log it, lock the caller out, or hold a serial line for it. */
const CANARIES: ReadonlySet<string> = new Set(['http', 'https']);

/**
 * Keeps a sweep from what drops its packets without a word: a state table that is full, in the path or in this machine. It asks canaries ({@link PathWatch}), stops
 * the sweep while nothing gets through, and keeps what was asked in the bad window to be asked again.
 */
export class PathGuard {
  readonly repeats = new Repeats();
  readonly #options: PathGuardOptions;
  readonly #watch = new PathWatch(performance.now());
  readonly #recent = new Recent();
  /** The last look at the table of this machine when it was not full. */
  #roomAt = performance.now();
  #tableShare = 1;
  #repeated = 0;
  #isWhole = true;
  #deaf = 0;
  #deafCounted = 0;
  #deafSeen = 0;
  readonly #deafHosts = new Set<string>();
  #untried = 0;

  constructor(options: PathGuardOptions) {
    this.#options = options;
  }

  /** Nothing new may be sent: it would be dropped. */
  get isPaused(): boolean {
    return this.#watch.isChoked || this.#options.guards.isFull;
  }

  /** Packets a second that may leave now. */
  get rate(): number {
    const { rate } = this.#options;
    return Math.max(Math.min(LEAST_RATE, rate), rate * Math.min(this.#tableShare, this.#watch.share));
  }

  /** Every second: looks at the table of this machine. */
  look(now: number): void {
    const { guards } = this.#options;
    const wasFull = guards.isFull;
    this.#tableShare = guards.look(now);
    if (guards.isFull && !wasFull) this.#keep(this.#roomAt);
    else if (wasFull && !guards.isFull) this.#countDeaf(-Infinity);
    if (!guards.isFull) this.#roomAt = now;
  }

  /** Something was sent to an endpoint, and nothing has come back. */
  silent(endpoint: number, now: number): void {
    if (this.isPaused) this.#repeat([endpoint]);
    else this.#recent.add(endpoint, now);
  }

  /** A port beyond a router was found open. */
  found(endpoint: number, { protocol }: PortPlan): void {
    if (CANARIES.has(protocol)) this.#watch.offer(endpoint, networkOf(this.#options.state.addressOf(endpoint)));
  }

  /** An SNMP community that may have been dropped is not tried again: it counts as a login. */
  untried(): void {
    this.#untried += 1;
  }

  /** Asks a canary where one is due. `hurry`: a pass waits for it. Returns whether the path is known to have borne what was sent, or nothing can tell. */
  attend(now: number, hurry = false): boolean {
    const { state } = this.#options;
    this.#hearDeaf(now);
    const isUnwatched = this.#watch.isUnwatched(packetsOf(state));
    if (this.#watch.endpoints.length > 0) {
      const isFree = (endpoint: number): boolean => this.#isFree(endpoint);
      const endpoint = this.#watch.next(now, { isFree, hurry: hurry && isUnwatched });
      if (endpoint !== undefined) this.#ask(endpoint).catch(this.#options.onFault);
    }
    if (this.isPaused) return false;
    return !isUnwatched || !(this.#watch.isAsking || this.#watch.endpoints.some((endpoint) => this.#isFree(endpoint)));
  }

  async #ask(endpoint: number): Promise<void> {
    const { state, devices, pace } = this.#options;
    const address = state.addressOf(endpoint);
    const packets = packetsOf(state);
    const release = await devices.reach.gates.enter(address);
    const { port } = state.planOf(endpoint);
    const dialled = await dial(address, port, RoundTrip.CEILING_MS, devices.reach, 'canary');
    setTimeout(release, FAREWELL_MS);
    const now = performance.now();
    if (dialled.outcome === 'local') {
      this.#watch.notAsked(now);
      return;
    }
    if (dialled.outcome === 'open') dialled.socket.resetAndDestroy();
    pace.bucket.take(1);
    state.packets.tcp += 1;
    // Whatever answers, the packet got through.
    this.#heed(this.#watch.result(dialled.outcome !== 'silent' && dialled.outcome !== 'unreachable', packets, now), now);
  }

  /** A device that does not answer when it is talked to is as good as a canary that does not, the first time. */
  #hearDeaf(now: number): void {
    for (const { host } of this.#options.devices.deaf.slice(this.#deafSeen)) {
      this.#deafSeen += 1;
      if (this.#deafHosts.has(host)) continue;
      this.#deafHosts.add(host);
      this.#heed(this.#watch.doubt(now), now);
    }
  }

  #heed(verdict: Verdict, now: number): void {
    if (verdict === 'good') this.#recent.forget(this.#watch.suspectSince(now));
    else if (verdict === 'through') this.#countDeaf(-Infinity);
    else if (verdict === 'choked' || verdict === 'lost') this.#keep(this.#watch.suspectSince(now));
  }

  #isFree(endpoint: number): boolean {
    const { state, devices, isBusy } = this.#options;
    const address = state.addressOf(endpoint);
    return !isBusy(state.hostOf(endpoint)) && !devices.reach.gates.full(address) && (devices.known(address)?.budget.pauseMs ?? 0) === 0;
  }

  /** What was asked since a moment and has not answered is to be asked again. */
  #keep(since: number): void {
    const { endpoints, isWhole } = this.#recent.take(since);
    this.#isWhole &&= isWhole;
    this.#repeat(endpoints);
    this.#countDeaf(since);
  }

  /** Takes note of the devices that have not answered since a moment, of those that nobody has looked at yet. */
  #countDeaf(since: number): void {
    const { deaf } = this.#options.devices;
    this.#deaf += deaf.slice(this.#deafCounted).filter(({ at }) => at >= since).length;
    this.#deafCounted = deaf.length;
  }

  #repeat(endpoints: readonly number[]): void {
    for (const endpoint of endpoints) {
      if (this.#options.state.isSettled(endpoint)) continue;
      this.repeats.add(endpoint);
      this.#repeated += 1;
    }
  }

  /** For the journal; undefined where there is nothing to tell. */
  checkpoint(): PathCheckpoint | undefined {
    const repeats = this.repeats.changes();
    const { endpoints, share } = this.#watch;
    if (endpoints.length === 0 && repeats === undefined) return undefined;
    return { canaries: packNumbers(endpoints), share, ...(repeats === undefined ? {} : { repeats }) };
  }

  /** Continues where checkpoints end. */
  restore(checkpoints: readonly { readonly path?: PathCheckpoint }[]): void {
    for (const { path } of checkpoints) if (path?.repeats !== undefined) this.repeats.restore(path.repeats);
    this.#repeated = this.repeats.size;
    const last = checkpoints.at(-1)?.path;
    if (last === undefined) return;
    this.#watch.resume(last.share);
    for (const endpoint of unpackNumbers(last.canaries)) this.#watch.offer(endpoint, networkOf(this.#options.state.addressOf(endpoint)));
  }

  /** When all is over: what this may have cost becomes a limitation. */
  finish(): void {
    const { guards } = this.#options;
    if (this.isPaused) this.#countDeaf(-Infinity);
    const { chokes } = this.#watch;
    if (this.#watch.isLost)
      guards.note(
        'path',
        `open ports stopped answering while the sweep went on, ${grouped(chokes)} times: something in the path drops what is new (the state table of a router or firewall is full?). It did not recover, so living hosts may be missing; sweep at a lower --rate`,
      );
    else if (this.#costs.length > 0)
      guards.note(
        chokes === 0 && guards.timesFull > 0 ? 'connection-tracking' : 'path',
        `${this.#what()}, and ${this.#costs.join('; ')}. Sweep at a lower --rate`,
      );
  }

  /** What is told of it where nothing was lost. */
  get notes(): string[] {
    const { timesFull } = this.#options.guards;
    return this.#watch.isLost || this.#watch.chokes + timesFull === 0 || this.#costs.length > 0
      ? []
      : [`${this.#what()}. A lower --rate spares it`];
  }

  /** What could not be mended. */
  get #costs(): string[] {
    return [
      ...(this.repeats.size > 0 ? [`${grouped(this.repeats.size)} of them were not`] : []),
      ...(this.#isWhole ? [] : ['what was asked long before it was noticed is more than could be kept']),
      ...(this.#deaf > 0
        ? [`${grouped(this.#deaf)} connections to devices that had answered before were not answered: what they are may be missing`]
        : []),
      ...(this.#untried > 0 ? [`at ${grouped(this.#untried)} addresses an SNMP community was not tried again`] : []),
    ];
  }

  #what(): string {
    const [chokes, full] = [this.#watch.chokes, this.#options.guards.timesFull];
    return [
      ...(chokes > 0
        ? [
            `open ports stopped answering while the sweep went on, ${chokes === 1 ? 'once' : `${chokes} times`}, as where the state table of a router or firewall in the path is full: it waited, and the rate went down to ${Math.ceil(this.#options.rate * this.#watch.lowestShare)} packets a second`,
          ]
        : []),
      ...(full > 0
        ? [`the connection-tracking table of this machine was full, ${full === 1 ? 'once' : `${full} times`}: the sweep waited`]
        : []),
      `${grouped(this.#repeated)} endpoints were to be asked again`,
    ].join('; ');
  }
}

function packetsOf({ packets }: SweepState): number {
  return packets.tcp + packets.udp;
}
