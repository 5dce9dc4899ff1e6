import type { PortPlan } from '../targets/port-plan.ts';
import { grouped } from '../text.ts';
import { packNumbers, unpackNumbers } from './bits.ts';
import { CutTalks } from './cut-talks.ts';
import { type Devices, FAREWELL_MS } from './device.ts';
import { dial } from './dial.ts';
import type { Guards } from './guards.ts';
import type { Pace } from './pace.ts';
import { networkOf, RoundTrip } from './pace.ts';
import { PathWatch, type Verdict } from './path-watch.ts';
import { Recent } from './recent.ts';
import { Repeats } from './repeats.ts';
import type { PathCheckpoint, SweepState } from './state.ts';
import type { TalksUnderWay } from './talks-under-way.ts';
import type { AddressNumber } from '../targets/addresses.ts';

export interface PathGuardOptions {
  /** Packets a second of the plan. */
  readonly rate: number;
  readonly devices: Devices;
  readonly state: SweepState;
  readonly guards: Guards;
  readonly pace: Pace;
  /** Conversations, by endpoint and by host. */
  readonly underWay: TalksUnderWay;
  /** An endpoint that no router is before. */
  readonly isOnLink: (endpoint: number) => boolean;
  /** Called when a bad window begins: what a resume has to know is to be written down. */
  readonly onBad: () => void;
  readonly onFault: (error: unknown) => void;
}

/** However little a path bears, so many packets a second leave: a table of 1,200 entries bears them where each lives for two minutes. */
const LEAST_RATE = 10;
/** After so many connections, or datagrams, that nothing was heard of, nobody can tell whether they arrived: a table of so many may be full. */
const MOST_UNHEARD = 4096;
/** After so many packets a port that refuses connections becomes a canary, where no better one was found. */
const SPARES_AFTER = 1024;
/** A connection that is closed without a word is nothing to a server of these. Others log it, lock the caller out, or hold a serial line for it. */
const CANARIES: ReadonlySet<string> = new Set(['http', 'https']);

/** Protocols whose conversations make further connections, and may be begun anew: none that counts connections as logins. */
const AGAIN: ReadonlySet<string> = new Set(['http', 'https', 'tls', 'listen-http']);
/** The same, which may not: a community or user is tried once, and a device has had its datagrams. */
const NOT_AGAIN: ReadonlySet<string> = new Set(['snmp', 'ssdp']);

/**
 * Keeps a sweep from what drops its packets without a word: a state table that is full, in the path or in this machine. It asks canaries ({@link PathWatch}), stops
 * the sweep while nothing gets through, and keeps what was asked in the bad window to be asked again, and the conversations that were cut off to be held again.
 */
export class PathGuard {
  readonly repeats = new Repeats();
  readonly talks = new CutTalks();
  readonly #options: PathGuardOptions;
  readonly #watch: PathWatch;
  readonly #recent = new Recent();
  /** The last look at the table of this machine when it was not full. */
  #roomAt = performance.now();
  #tableShare = 1;
  #repeated = 0;
  #isWhole = true;
  /** The last bad window. */
  #bad = { since: Infinity, until: -Infinity };
  readonly #deafHosts = new Set<number>();
  #untried = 0;
  /** What was sent to endpoints beyond a router while no TCP port there had answered. */
  readonly #unheard = { tcp: 0, udp: 0 };
  /** A TCP port there has answered, or at least something by UDP. */
  #isWatched = false;
  #isHeard = false;
  /** Packets that had left when the first answered, where they were many; and how many must have left for the path to have borne as many since. */
  #askedLate = 0;
  #borneAt = 0;

  constructor(options: PathGuardOptions) {
    this.#options = options;
    this.#watch = new PathWatch(performance.now(), options.rate);
    options.devices.onDeaf = (address, since) => this.#onDeaf(address, since);
  }

  /** Nothing new may be sent: it would be dropped. */
  get isPaused(): boolean {
    return this.#watch.isChoked || this.#options.guards.isFull;
  }

  /** The same, or it is about to be found out. */
  isHeld(now: number): boolean {
    return this.isPaused || this.#watch.isUnsure(now);
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
    else if (wasFull && !guards.isFull) this.#bad.until = now;
    if (guards.isFull) return;
    // Where no canary can tell, this table is all that is looked at.
    if (!this.#watch.isAble) this.talks.forget(this.#roomAt);
    this.#roomAt = now;
  }

  /** Something was sent to an endpoint, and nothing has come back. */
  silent(endpoint: number, now: number): void {
    if (!this.#isWatched && !this.#options.isOnLink(endpoint)) this.#unheard[this.#options.state.planOf(endpoint).transport] += 1;
    if (this.isPaused) this.#repeat([endpoint]);
    else this.#recent.add(endpoint, now);
  }

  /** A port was found open, or refuses connections (`isSpare`). */
  found(endpoint: number, { protocol }: PortPlan, isSpare = false): void {
    if (this.#options.isOnLink(endpoint)) return;
    // Whether what left before has arrived nobody can tell. A table that dropped it is full again before as much has left once more.
    if (this.#isUnwatched) {
      this.#askedLate = this.#unheard.tcp + this.#unheard.udp;
      this.#borneAt = packetsOf(this.#options.state) + this.#askedLate;
    }
    this.#isWatched = true;
    if (isSpare ? packetsOf(this.#options.state) >= SPARES_AFTER : CANARIES.has(protocol))
      this.#watch.offer(endpoint, networkOf(this.#options.state.addressOf(endpoint)), isSpare);
  }

  /** Something beyond a router, or not, answered by UDP. */
  heard(endpoint: number): void {
    this.#isHeard ||= !this.#options.isOnLink(endpoint);
  }

  /** A conversation at an endpoint goes on no more, or does not begin again: its connection, begun at a moment, was not answered. */
  unheard(endpoint: number, since: number): void {
    const isFinal = NOT_AGAIN.has(this.#options.state.planOf(endpoint).protocol);
    if (this.isPaused || this.#wasBad(since)) this.talks.cut(endpoint, isFinal);
    else this.talks.suspect(endpoint, since, isFinal);
  }

  /** The conversations that may be held again now; their devices are taken for well again. */
  talksToHold(): number[] {
    const { state, devices, underWay } = this.#options;
    if (this.isPaused || this.talks.size === 0) return [];
    const endpoints: number[] = [];
    const isBusy = (endpoint: number): boolean => underWay.has(endpoint);
    const mayTalk = (endpoint: number): boolean => devices.at(state.addressOf(endpoint)).budget.isLeft;
    for (;;) {
      const endpoint = this.talks.next({ isBusy, mayTalk });
      if (endpoint === undefined) return endpoints;
      devices.at(state.addressOf(endpoint)).budget.forgiveDeaf();
      this.#deafHosts.delete(state.hostOf(endpoint));
      endpoints.push(endpoint);
    }
  }

  /** Something is to be asked again, or talked to. */
  get isOwing(): boolean {
    return this.repeats.size > 0 || this.talks.size > 0;
  }

  /** An SNMP community that may have been dropped is not tried again: it counts as a login. */
  untried(): void {
    this.#untried += 1;
  }

  /** Asks a canary where one is due. `hurry`: a pass waits for it. Returns whether the path is known to have borne what was sent, or nothing can tell. */
  attend(now: number, hurry = false): boolean {
    const { state } = this.#options;
    const isUnwatched = this.#watch.isUnwatched(packetsOf(state)) || (this.#watch.isAble && this.talks.isSuspectSince(this.#watch.goodAt));
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
    // Counted as it leaves: the sweep may end before it is answered.
    state.packets.tcp += 1;
    const dialled = await dial(address, port, RoundTrip.CEILING_MS, devices.reach, 'canary');
    setTimeout(release, FAREWELL_MS);
    const now = performance.now();
    if (dialled.outcome === 'local') {
      state.packets.tcp -= 1;
      this.#watch.notAsked(now);
      return;
    }
    if (dialled.outcome === 'open') dialled.socket.resetAndDestroy();
    pace.bucket.take(1);
    // Whatever answers, the packet got through.
    this.#heed(this.#watch.result(dialled.outcome !== 'silent' && dialled.outcome !== 'unreachable', packets, now), now);
  }

  /**
   * A device that does not answer when it is talked to is as good as a canary that does not, the first time. Which of the conversations with it that are under
   * way needed the connection is not known: it is one of few, and pages that were read are not asked for again.
   */
  #onDeaf(address: AddressNumber, since: number): void {
    const { state, underWay } = this.#options;
    const now = performance.now();
    const host = state.hostAt(address);
    if (host === undefined) return;
    for (const endpoint of underWay.endpoints.filter((one) => state.hostOf(one) === host)) {
      const { protocol } = state.planOf(endpoint);
      // Any other conversation goes on where it began, over nothing that would be new to a state table.
      if (AGAIN.has(protocol) || NOT_AGAIN.has(protocol)) this.unheard(endpoint, since);
    }
    if (this.#deafHosts.has(host)) return;
    this.#deafHosts.add(host);
    this.#heed(this.#watch.doubt(now), now);
  }

  #heed(verdict: Verdict, now: number): void {
    if (verdict === 'good') {
      if (this.#isAskedLate) return;
      const since = this.#watch.suspectSince(now);
      this.#recent.forget(since);
      this.talks.forget(since);
    } else if (verdict === 'through') this.#bad.until = now;
    else if (verdict === 'choked' || verdict === 'lost') {
      this.#keep(this.#isAskedLate ? -Infinity : this.#watch.suspectSince(now));
      this.#askedLate = 0;
    }
    // What follows from this is written down before the next packet leaves.
    else if (this.#watch.isDoubtful) this.#options.onBad();
  }

  /** The first port answered after much had left, and the path has not borne as much since. */
  get #isAskedLate(): boolean {
    return this.#askedLate > 0 && packetsOf(this.#options.state) < this.#borneAt;
  }

  #wasBad(moment: number): boolean {
    return moment >= this.#bad.since && moment <= this.#bad.until;
  }

  #isFree(endpoint: number): boolean {
    const { state, devices, underWay } = this.#options;
    const address = state.addressOf(endpoint);
    return (
      !underWay.isBusy(state.hostOf(endpoint)) && !devices.reach.gates.full(address) && (devices.known(address)?.budget.pauseMs ?? 0) === 0
    );
  }

  /** What was asked since a moment and has not answered is to be asked again. */
  #keep(since: number): void {
    const { endpoints, isWhole } = this.#recent.take(since);
    this.#isWhole &&= isWhole;
    this.#repeat(endpoints);
    this.talks.keep(since);
    this.#bad = { since, until: this.#bad.until };
    this.#options.onBad();
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
    const { endpoints, spares, share, isDoubtful } = this.#watch;
    if (endpoints.length === 0 && repeats === undefined) return undefined;
    const doubtful = isDoubtful ? this.#recent.since(this.#watch.suspectSince(performance.now())) : [];
    return {
      canaries: packNumbers(endpoints),
      share,
      ...(spares.length === 0 ? {} : { spares: packNumbers(spares) }),
      ...(doubtful.length === 0 ? {} : { doubtful: packNumbers(doubtful) }),
      ...(repeats === undefined ? {} : { repeats }),
    };
  }

  /** Continues where checkpoints end. */
  restore(checkpoints: readonly { readonly path?: PathCheckpoint }[]): void {
    for (const { path } of checkpoints) if (path?.repeats !== undefined) this.repeats.restore(path.repeats);
    this.#repeated = this.repeats.size;
    const last = checkpoints.at(-1)?.path;
    if (last === undefined) return;
    this.#watch.resume(last.share);
    const spares = new Set(unpackNumbers(last.spares ?? ''));
    for (const endpoint of unpackNumbers(last.canaries)) {
      this.#isWatched = true;
      this.#watch.offer(endpoint, networkOf(this.#options.state.addressOf(endpoint)), spares.has(endpoint));
    }
    // Whether the path was choked was about to be found out.
    this.#repeat([...unpackNumbers(last.doubtful ?? '')]);
  }

  /** When all is over: what this may have cost becomes a limitation. */
  finish(): void {
    const { guards } = this.#options;
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
    if (this.#isUnwatched)
      return [
        this.#isHeard
          ? 'no TCP port beyond a router answered, neither open nor closed: whether a state table in the path dropped packets could not be watched'
          : `nothing beyond a router answered, so nothing tells whether ${grouped(this.#unheard.tcp + this.#unheard.udp)} packets arrived: these networks are empty, or something in the path drops them (no way, a filter, a state table that is full). Sweep with --rate ${LEAST_RATE * 3}, or name a network in which something lives too`,
      ];
    if (this.#watch.isLost || this.#costs.length > 0) return [];
    return [
      ...(this.#isAskedLate
        ? [
            `no TCP port beyond a router answered until ${grouped(this.#askedLate)} packets had left: whether a state table in the path dropped some of them could not be watched`,
          ]
        : []),
      ...(this.#watch.chokes + timesFull > 0 ? [`${this.#what()}. A lower --rate spares it`] : []),
    ];
  }

  /** Much was sent beyond a router, and nobody could be asked whether it arrives. */
  get #isUnwatched(): boolean {
    return !this.#isWatched && Math.max(this.#unheard.tcp, this.#unheard.udp) >= MOST_UNHEARD;
  }

  /** What could not be mended. */
  get #costs(): string[] {
    return [
      ...(this.repeats.size > 0 ? [`${grouped(this.repeats.size)} of them were not`] : []),
      ...(this.#isWhole ? [] : ['what was asked long before it was noticed is more than could be kept']),
      ...(this.#cutOff > 0
        ? [`${grouped(this.#cutOff)} conversations with devices were cut off and could not be held again: what they are may be missing`]
        : []),
      ...(this.#untried > 0 ? [`at ${grouped(this.#untried)} addresses an SNMP community was not tried again`] : []),
    ];
  }

  get #cutOff(): number {
    return this.talks.lost + this.talks.size;
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
