import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beginText, isInWindow } from '../windows.ts';
import { type AddressNumber, familyOf, formatAddress } from '../targets/addresses.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import { unpackNumbers } from './bits.ts';
import { closeAccount, WALK } from './closing.ts';
import type { Datagram, UdpProbe } from './contract.ts';
import { TalksUnderWay } from './talks-under-way.ts';
import { Datagrams } from './datagrams.ts';
import type { Device, Devices } from './device.ts';
import { dial } from './dial.ts';
import type { Release } from './gates.ts';
import { blindSpots, Guards, type Limitation, socketLimit } from './guards.ts';
import { Hellos, type UdpPlan } from './hellos.ts';
import { type Ledger, ledgerErrors } from './ledger.ts';
import { LinkWatch } from './link-watch.ts';
import type { Neighbours } from './neighbours.ts';
import { Pace, RoundTrip } from './pace.ts';
import { PathGuard } from './path-guard.ts';
import type { SweepPlan } from './plan.ts';
import { isByAddress, type Order, type Pass, Schedule } from './schedule.ts';
import { type Checkpoint, SweepState } from './state.ts';
import { UdpTalk } from './udp-talk.ts';

/** What was found at an open TCP port: the connection that found it, and the place among the device's connections that it holds. */
export interface OpenPort {
  readonly device: Device;
  readonly plan: PortPlan & { readonly transport: 'tcp' };
  readonly socket: Socket;
  readonly release: Release;
}

export interface SweepHandlers {
  /** Talks to an open port. The sweep goes on meanwhile, and waits for it before it ends. */
  onOpen(found: OpenPort): Promise<void>;
  /** An open TCP port reset the connection at once. */
  onReset(device: Device, plan: PortPlan & { readonly transport: 'tcp' }): void;
  /** Talks to a UDP endpoint that answered. */
  onAnswer(device: Device, plan: UdpPlan, talk: UdpTalk): Promise<void>;
  /** Why a living device need not be asked at a port that only living ones are asked at, or undefined where it is worth it. Called when nobody talks to it. */
  unwanted(device: Device, plan: PortPlan): string | undefined;
  /** A neighbour on the same link was resolved. */
  onNeighbour(device: Device, mac: string): void;
  /** Called at least once a second, with what has changed since the last call. */
  onCheckpoint(checkpoint: Checkpoint): void;
}

export interface Progress {
  /** Packets of the plan that are behind, and in all as far as can be said: fewer where ports are settled, more as addresses turn out to live. */
  readonly done: number;
  readonly total: number;
  /** Milliseconds of waiting that come on top: time-outs, late answers. */
  readonly tailMs: number;
  /** Packets that have left. */
  readonly packets: number;
  readonly alive: number;
  readonly talking: number;
  /** What it waits for, where nothing new is sent: `until 22:00`. */
  readonly waiting?: string;
}

const MAX_TALKING = 128;
/** Endpoints held back at once (their device or network is at its limit) before no new ones are drawn. */
const MAX_DEFERRED = 1024;
/** The same of those that wait until nobody talks to their device any more. */
const MAX_WAITING = 4096;
const MAX_LOCAL_ERRORS = 20;
/** However few descriptors there are, a sweep goes on with so many sockets. */
const LEAST_SOCKETS = 8;
const LOCAL_PAUSE_MS = 100;
/** So often it is looked whether the conversations are over that endpoints wait for. */
const TALK_POLL_MS = 100;
const CHECKPOINT_MS = 1000;
/** The same while nothing happens, because the window is closed. */
const IDLE_CHECKPOINT_MS = 60_000;
/** How long the event loop turns while nothing may be sent. */
const WAITING_TURN_MS = 50;
const NEIGHBOUR_POLL_MS = 200;
/** A repeated datagram follows the first no sooner, and answers are waited for as long after the last: slow controllers take a second. */
const UDP_GAP_MS = 1500;
const UDP_GRACE_MS = 2000;
/** The second question to a whole link follows the first (RFC 6762 section 5.2: at least one second). */
const LINK_GAP_MS = 1000;

/** An endpoint on its way out, or held back. */
interface Item {
  readonly endpoint: number;
  readonly attempt: number;
  /** How often our own machine kept it back. */
  readonly errors: number;
  /** It was asked and counted before, but the packet may have been dropped on the way. */
  readonly isRepeat?: boolean;
  /** `performance.now()` before which it stays where it is. */
  readonly notBefore?: number;
}

/**
 * One sweep: UDP first, then every TCP port of every address in random order, then a second try where it is worth it.
 * One event loop, one token bucket; state is a few bits for each endpoint, whatever the size of the address space.
 */
export class Sweep {
  readonly #plan: SweepPlan;
  readonly #handlers: SweepHandlers;
  readonly #devices: Devices;
  readonly #datagrams: Datagrams;
  readonly #neighbours: Neighbours;
  readonly #guards: Guards;
  readonly #pace: Pace;
  readonly #roundTrip = new RoundTrip();
  #maxSockets: number;

  readonly #schedule: Schedule;
  readonly #state: SweepState;
  readonly #hellos: Hellos;
  readonly #link: LinkWatch;
  readonly #path: PathGuard;
  readonly #clock: () => Date;
  /** Whether the window in which something may be sent is open. */
  #isOpen = true;
  #checkpointAt = -Infinity;
  #wasIdle = false;
  /** A checkpoint is to be written before the next packet leaves. */
  #isHasty = false;

  #pass = 0;
  #position = 0;
  #deferred: Item[] = [];
  /** What only living devices are asked, of those that are being talked to: the sweep goes on meanwhile. By endpoint. */
  readonly #waiting = new Map<number, Item>();
  #waitingSeen = 0;
  /** Endpoints on their way, with the attempt. */
  readonly #inFlight = new Map<number, number>();
  readonly #underWay = new TalksUnderWay();
  /** Conversations over UDP, by endpoint. */
  readonly #talks = new Map<number, UdpTalk>();
  /** The questions to whole links, of which the second is asked while the sweep goes on. */
  #linksAsked: Promise<void> | undefined;
  /** Endpoints to talk to again after a resume: their outcome is counted already. */
  readonly #counted = new Set<number>();
  #lastUdp = 0;
  /** `performance.now()` until which answers to datagrams are waited for at the end. */
  #answersUntil = 0;
  #stopped: string | undefined;
  #failure: unknown;

  constructor(
    plan: SweepPlan,
    devices: Devices,
    neighbours: Neighbours,
    probes: readonly UdpProbe[],
    handlers: SweepHandlers,
    { guards = new Guards(neighbours), clock = () => new Date() }: { guards?: Guards; clock?: () => Date } = {},
  ) {
    this.#clock = clock;
    this.#plan = plan;
    this.#neighbours = neighbours;
    this.#guards = guards;
    this.#devices = devices;
    this.#handlers = handlers;
    const { guard, audit, credentials } = devices.reach;
    this.#datagrams = new Datagrams({ guard, audit, credentials, onDatagram: (from, port, bytes) => this.#onDatagram(from, port, bytes) });
    this.#pace = new Pace(plan.rate, plan.ratePerNetwork, performance.now());
    this.#maxSockets = Math.min(socketLimit(), Math.max(64, Math.ceil(plan.rate)));
    this.#schedule = new Schedule(plan, this.#neighbours);
    this.#state = new SweepState(plan.hosts, plan.ports, this.#schedule.looksAtLink);
    const shared = { plan, devices, schedule: this.#schedule, state: this.#state };
    this.#hellos = new Hellos({ ...shared, datagrams: this.#datagrams, probes, inFlight: this.#inFlight });
    this.#link = new LinkWatch({ ...shared, neighbours, onNeighbour: (device, mac) => handlers.onNeighbour(device, mac) });
    this.#path = new PathGuard({
      rate: plan.rate,
      devices,
      state: this.#state,
      guards,
      pace: this.#pace,
      underWay: this.#underWay,
      isOnLink: (endpoint) => this.#neighbours.onLink(this.#state.addressOf(endpoint)),
      onBad: () => (this.#isHasty = true),
      onFault: (error) => this.#fail(error),
    });
  }

  /** What else is told of the sweep: whom it asked at once, how it looked at directly attached networks, what could not be watched. */
  get notes(): string[] {
    return [
      ...this.#hellos.links.notes,
      ...this.#link.notes,
      ...this.#path.notes,
      ...blindSpots({ onLink: this.#schedule.touchesLink }, this.#neighbours),
    ];
  }

  get retriesSilent(): boolean {
    return this.#schedule.retriesSilent;
  }

  /** Continues where a journal's checkpoints end. `answered` are endpoints that were talked to after the last of them, once and for all. */
  resume(checkpoints: readonly Checkpoint[], answered: readonly { host: AddressNumber; port: PortPlan }[]): void {
    this.#state.restore(checkpoints);
    this.#path.restore(checkpoints);
    const last = checkpoints.at(-1);
    if (last === undefined) return;
    this.#pass = last.pass;
    this.#position = last.position;
    const { attempt } = this.#passNow;
    for (const endpoint of unpackNumbers(last.talking)) this.#holdAgain(endpoint, attempt);
    for (const endpoint of unpackNumbers(last.open)) this.#deferred.push({ endpoint, attempt, errors: 0 });
    for (const { host, port } of answered) {
      const endpoint = this.#state.find(host, port);
      if (endpoint === undefined) continue;
      if (this.#counted.delete(endpoint)) this.#deferred = this.#deferred.filter((item) => item.endpoint !== endpoint);
      else if (!this.#state.isSettled(endpoint)) {
        if (!this.#path.repeats.has(endpoint)) this.#schedule.countAsked(endpoint, attempt, this.#state);
        this.#state.settle(endpoint, 'answered');
      }
    }
    this.#deferred = this.#deferred.filter(({ endpoint }) => this.#counted.has(endpoint) || !this.#state.isSettled(endpoint));
  }

  /** A conversation is held once more. */
  #holdAgain(endpoint: number, attempt: number): void {
    this.#counted.add(endpoint);
    this.#deferred.push({ endpoint, attempt, errors: 0 });
  }

  /** Sweeps to the end, or to {@link stop}. */
  async run(): Promise<void> {
    this.#lookAtClock();
    await this.#datagrams.open(new Set(this.#plan.hosts.ranges.map(({ first }) => familyOf(first))));
    const timers = [setInterval(() => this.#orFail(() => this.#everySecond()), CHECKPOINT_MS)];
    if (this.#schedule.looksAtLink)
      timers.push(setInterval(() => void this.#pollLink().catch((error: unknown) => this.#fail(error)), NEIGHBOUR_POLL_MS));
    try {
      while (this.#pass < this.#schedule.passes.length) {
        const isFirst = this.#pass === 0;
        // Where every address is asked by UDP, that comes before; a resumed sweep has done it.
        if (isFirst && this.#passNow.transport === 'tcp') await this.#askLinks();
        await this.#runPass(this.#passNow);
        if (!this.#going) break;
        if (isFirst) await this.#askLinks();
        this.#pass += 1;
        this.#position = 0;
      }
      do {
        await this.#drain();
        await this.#linksAsked;
        await this.#until(this.#answersUntil);
        await this.#settleDown();
        // What was dropped may have been noticed only while the last answers were waited for.
      } while (this.#going && (this.#path.isOwing || !this.#isPathClear()));
      if (this.#failure === undefined) await this.#link.nameIpv6();
    } finally {
      for (const timer of timers) clearInterval(timer);
    }
    this.#path.finish();
    this.#guards.finish(this.#datagrams);
    const { localErrors } = this.#devices;
    if (localErrors > 0)
      this.#guards.note(
        'local-errors',
        `${localErrors} conversations could not be held, because this machine had no socket for them; raise the limit (ulimit -n) or lower --rate`,
      );
    if (this.#failure !== undefined) throw this.#failure;
    this.#everySecond();
    await closeAccount({
      schedule: this.#schedule,
      state: this.#state,
      hosts: this.#plan.hosts.count,
      pass: this.#pass,
      position: this.#position,
      inFlight: this.#inFlight,
      held: new Set(this.#deferred.filter(({ attempt, isRepeat }) => attempt === 0 && isRepeat !== true).map(({ endpoint }) => endpoint)),
      stopped: this.#stopped,
      turn: () => this.#turn(),
    });
    for (const error of ledgerErrors(this.#state.ledger.ports))
      this.#guards.note('ledger', `the account does not add up (${error}); please report this`);
  }

  /** Ends the sweep early: nothing more is sent, conversations get a moment to finish. */
  stop(why: string): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = why;
    this.#guards.note('interrupted', `the sweep was ended before it was done (${why})`);
  }

  close(): void {
    this.#datagrams.close();
  }

  get limitations(): readonly Limitation[] {
    return this.#guards.limitations;
  }

  get ledger(): Ledger {
    return this.#state.ledger;
  }

  /** The addresses from which anything came back, in their order. */
  *living(): Generator<AddressNumber> {
    for (let host = this.#state.nextAlive(0); host !== undefined; host = this.#state.nextAlive(host + 1)) yield this.#plan.hosts.at(host);
  }

  get progress(): Progress {
    const { packets, alive } = this.#state.ledger;
    const { size: repeats } = this.#path.repeats;
    const { done, total } = this.#schedule.progress(this.#pass, this.#position, { alive, perAddress: this.#hellos.perAddress });
    return {
      total: total + repeats,
      // What was drawn and is held back has not left yet.
      done: Math.max(
        0,
        done - this.#deferred.reduce((all, { endpoint, isRepeat }) => all + (isRepeat === true ? 0 : this.#hellos.sizeOf(endpoint)), 0),
      ),
      tailMs: this.#schedule.tailMs(this.#pass, { tcpMs: RoundTrip.CEILING_MS, udpMs: UDP_GRACE_MS }),
      packets: packets.tcp + packets.udp,
      alive,
      talking: this.#underWay.size,
      ...(this.#isOpen || this.#plan.window === undefined
        ? this.#path.isPaused
          ? { waiting: 'for the path' }
          : {}
        : { waiting: `until ${beginText(this.#plan.window)}` }),
    };
  }

  // ---- passes -------------------------------------------------------------------------------------------------

  /** The pass that is under way, or the last one. */
  get #passNow(): Pass {
    const { passes } = this.#schedule;
    return passes[Math.min(this.#pass, passes.length - 1)] as Pass;
  }

  async #runPass(pass: Pass): Promise<void> {
    if (isByAddress(pass) && pass.attempt > 0) await this.#until(this.#lastUdp + UDP_GAP_MS);
    const order = this.#schedule.orderOf(this.#pass);
    let walked = 0;
    while (this.#going && !this.#isOver(order)) {
      let room = this.#launchDeferred(this.#room());
      this.#position = this.#schedule.skip(pass, this.#position, this.#state);
      while (room > 0 && this.#position < order.size && this.#deferred.length < MAX_DEFERRED && !this.#waitsTooMuch(pass)) {
        const item = order.at(this.#position);
        this.#position = this.#schedule.skip(pass, this.#position + 1, this.#state);
        const endpoints = this.#schedule
          .endpointsOf(pass, item, this.#state)
          .filter((endpoint) => this.#schedule.asks(pass, endpoint, this.#state) && !this.#waiting.has(endpoint));
        for (const endpoint of endpoints) this.#launch({ endpoint, attempt: pass.attempt, errors: 0 });
        room -= endpoints.length;
        walked += 1;
        if (walked % WALK === 0) await this.#turn();
      }
      await this.#turn();
    }
    if (isByAddress(pass) && this.#schedule.looksAtLink) {
      await this.#until(this.#link.settledAt);
      await this.#pollLink();
    }
  }

  /** A pass is over when all of it has gone out, and what is on its way has come back where the next pass has to know. */
  #isOver({ size }: Order): boolean {
    if (this.#position < size || this.#deferred.length > 0 || this.#path.isOwing) return false;
    return this.#schedule.flowsOn(this.#pass) || (this.#inFlight.size === 0 && this.#isPathClear());
  }

  async #pollLink(): Promise<void> {
    await this.#link.poll(() => this.#passNow);
  }

  /** Asks everybody on the directly attached networks that hold targets: now, and once more while the sweep goes on. */
  async #askLinks(): Promise<void> {
    if (this.#linksAsked !== undefined || !this.#hellos.links.isNeeded || !this.#going) return;
    const ask = async (): Promise<void> => {
      await this.untilOpen();
      if (!this.#going) return;
      const sent = await this.#hellos.links.ask();
      this.#pace.bucket.take(sent);
      this.#state.packets.udp += sent;
      this.#awaitAnswers(this.#hellos.spreadMs());
    };
    await ask();
    this.#linksAsked = this.#until(performance.now() + LINK_GAP_MS)
      .then(() => (this.#going ? ask() : undefined))
      .catch((error: unknown) => this.#fail(error));
  }

  /** What waits after the last pass, and what a resume brought along. */
  async #drain(): Promise<void> {
    while (
      this.#going &&
      (this.#deferred.length > 0 || this.#path.isOwing || this.#waiting.size > 0 || this.#inFlight.size > 0 || !this.#isPathClear())
    ) {
      this.#launchDeferred(this.#room());
      await this.#turn();
    }
  }

  get #going(): boolean {
    return this.#stopped === undefined && this.#failure === undefined;
  }

  /** How many items may be launched in this turn. */
  #room(): number {
    if (!this.#isOpen) return 0;
    this.#path.attend(performance.now());
    this.#pace.rate = this.#path.rate;
    if (this.#underWay.size >= MAX_TALKING || this.#path.isHeld(performance.now())) return 0;
    return Math.max(0, Math.min(this.#pace.bucket.available(performance.now()), this.#maxSockets - this.#inFlight.size));
  }

  /** Tries those that were held back first; returns the room that is left. */
  #launchDeferred(room: number): number {
    this.#releaseWaiting(performance.now());
    for (const endpoint of this.#path.talksToHold()) this.#holdAgain(endpoint, 0);
    const items = this.#deferred.splice(0, room);
    const before = this.#deferred.length;
    for (const item of items) this.#launch(item);
    const left = room - (items.length - (this.#deferred.length - before));
    return left - this.#launchRepeats(Math.min(left, MAX_DEFERRED - this.#deferred.length));
  }

  /** What may have been dropped on the way comes before anything new; returns how much of it there was. */
  #launchRepeats(room: number): number {
    const endpoints = this.#path.repeats.next(room);
    for (const endpoint of endpoints) {
      if (this.#state.isSettled(endpoint)) this.#path.repeats.end(endpoint);
      else this.#launch({ endpoint, attempt: this.#repeatAttempt, errors: 0, isRepeat: true });
    }
    return endpoints.length;
  }

  /** No pass has it, so that nothing is counted as asked by it. */
  get #repeatAttempt(): number {
    return this.#plan.retries + 2;
  }

  /** What only living devices are asked is drawn no faster than conversations end. */
  #waitsTooMuch({ living }: Pass): boolean {
    return living && this.#waiting.size >= MAX_WAITING;
  }

  /**
   * Those whose devices nobody talks to any more go out before anything new. Not while all are asked by UDP: what a device has had until then is counted
   * by whole passes.
   */
  #releaseWaiting(now: number): void {
    if (this.#waiting.size === 0 || now - this.#waitingSeen < TALK_POLL_MS || isByAddress(this.#passNow)) return;
    this.#waitingSeen = now;
    for (const [endpoint, item] of this.#waiting) {
      if (this.#underWay.isBusy(this.#state.hostOf(endpoint))) continue;
      this.#waiting.delete(endpoint);
      this.#deferred.push(item);
    }
  }

  /** Sends, or puts back what may not be sent yet. */
  #launch(item: Item): void {
    const { endpoint } = item;
    const plan = this.#state.planOf(endpoint);
    const host = this.#state.hostOf(endpoint);
    const address = this.#state.addressOf(endpoint);
    const now = performance.now();
    if (item.notBefore !== undefined && now < item.notBefore) {
      this.#deferred.push(item);
      return;
    }
    if (plan.living === true && !this.#state.isAsked(endpoint)) {
      if (this.#underWay.isBusy(host)) {
        this.#waiting.set(endpoint, item);
        return;
      }
      const why = this.#handlers.unwanted(this.#devices.at(address), plan);
      if (why !== undefined) {
        this.#state.skip(endpoint, why);
        return;
      }
    }
    // A conversation that was cut off is begun anew, with all that belongs to the first attempt.
    const attempt = item.isRepeat !== true && (this.#counted.has(endpoint) || plan.living === true) ? 0 : item.attempt;
    const hello = plan.transport === 'udp' ? this.#hellos.of(this.#state.portIndexOf(endpoint), attempt, address) : [];
    const needsEntry = this.#link.needsEntry(endpoint);
    if (
      (needsEntry && !this.#link.hasRoom(now)) ||
      (plan.transport === 'tcp' && this.#devices.reach.gates.full(formatAddress(address))) ||
      !this.#pace.admit(address, Math.max(1, hello.length), now)
    ) {
      this.#deferred.push(item);
      return;
    }
    if (needsEntry) this.#link.take(endpoint, now);
    this.#inFlight.set(endpoint, item.attempt);
    const sent = plan.transport === 'udp' ? this.#sendHello(item, address, plan, hello) : this.#connect(item, address, plan);
    sent.catch((error: unknown) => this.#fail(error));
  }

  async #connect(item: Item, address: AddressNumber, plan: PortPlan & { transport: 'tcp' }): Promise<void> {
    const { endpoint, attempt, isRepeat = false } = item;
    const release = await this.#devices.reach.gates.enter(formatAddress(address));
    const timeoutMs = attempt === 0 || plan.living === true ? this.#roundTrip.timeoutMs : RoundTrip.CEILING_MS;
    const dialled = await dial(address, plan.port, timeoutMs, this.#devices.reach);
    this.#inFlight.delete(endpoint);
    if (dialled.outcome === 'local') {
      release();
      this.#localError(item, dialled.code);
      return;
    }
    this.#state.packets.tcp += 1;
    const host = this.#state.hostOf(endpoint);
    const again = this.#counted.delete(endpoint);
    if (!again && !isRepeat) this.#schedule.countAsked(endpoint, attempt, this.#state);
    if (isRepeat) this.#path.repeats.end(endpoint);
    if (dialled.outcome === 'open' || dialled.outcome === 'reset' || dialled.outcome === 'refused') {
      this.#roundTrip.sample(dialled.ms);
      this.#state.liven(host);
      if (!again) this.#state.settle(endpoint, dialled.outcome === 'refused' ? 'refused' : 'answered');
    } else if (dialled.outcome === 'unreachable') this.#state.markUnreachable(endpoint);
    else if (again) this.#path.unheard(endpoint, performance.now() - dialled.ms);
    else this.#path.silent(endpoint, performance.now());
    if (dialled.outcome === 'refused') this.#path.found(endpoint, plan, true);
    if (dialled.outcome !== 'open') {
      release();
      if (dialled.outcome === 'reset') this.#handlers.onReset(this.#devices.at(address), plan);
      return;
    }
    this.#path.found(endpoint, plan);
    const device = this.#devices.at(address);
    device.budget.countConnect();
    this.#talk(endpoint, this.#handlers.onOpen({ device, plan, socket: dialled.socket, release }));
  }

  async #sendHello(item: Item, address: AddressNumber, plan: UdpPlan, hello: readonly Datagram[]): Promise<void> {
    const { endpoint, attempt, isRepeat = false } = item;
    const borne = this.#hellos.borne(endpoint, { attempt, pass: this.#pass }, hello);
    if (borne.length === 0) {
      this.#inFlight.delete(endpoint);
      if (isRepeat) this.#path.repeats.end(endpoint);
      // At another port it was asked before, and stays silent.
      else if (plan.living === true) this.#state.skip(endpoint, 'it has had all the datagrams that it may get');
      return;
    }
    if (plan.living !== true) this.#lastUdp = performance.now();
    this.#awaitAnswers(this.#hellos.spreadMs(this.#state.portIndexOf(endpoint)));
    const results = await Promise.all(borne.map((datagram) => this.#datagrams.send(address, plan.port, datagram)));
    this.#state.packets.udp += results.filter(({ sent }) => sent === 'sent').length;
    this.#inFlight.delete(endpoint);
    const local = results.find(({ sent }) => sent === 'local');
    if (local !== undefined && results.every(({ sent }) => sent !== 'sent')) {
      this.#localError(item, local.code ?? 'unknown');
      return;
    }
    if (isRepeat) {
      this.#path.repeats.end(endpoint);
      if (this.#hellos.isCredentialed(this.#state.portIndexOf(endpoint))) this.#path.untried();
    } else if (!this.#counted.has(endpoint)) this.#schedule.countAsked(endpoint, attempt, this.#state);
    if (results.some(({ sent }) => sent === 'unreachable')) this.#state.markUnreachable(endpoint);
    else this.#path.silent(endpoint, performance.now());
  }

  /** A condition of this machine is never a result: try again, and where it stays, say that the endpoint was lost. */
  #localError(item: Item, code: string): void {
    const { endpoint, attempt, errors, isRepeat = false } = item;
    // Fewer at once from now on: those that are open are what this machine bears.
    if (code === 'EMFILE' || code === 'ENFILE') this.#maxSockets = Math.max(LEAST_SOCKETS, Math.floor(this.#inFlight.size * 0.8));
    if (errors + 1 < MAX_LOCAL_ERRORS) {
      this.#deferred.push({ ...item, errors: errors + 1, notBefore: performance.now() + LOCAL_PAUSE_MS });
      return;
    }
    if (code === 'EMFILE' || code === 'ENFILE')
      this.#guards.note(
        'descriptors',
        `this process ran out of file descriptors (${code}): endpoints were lost; raise the limit (ulimit -n)`,
      );
    else this.#guards.note('local-errors', `packets could not be sent from this machine (${code}); the endpoints are counted as lost`);
    // Where only a further try was kept back, it was asked before.
    if (isRepeat) this.#path.repeats.end(endpoint);
    else if (!this.#counted.delete(endpoint)) this.#schedule.countAsked(endpoint, attempt, this.#state);
    this.#state.settle(endpoint, 'lost');
  }

  // ---- answers ------------------------------------------------------------------------------------------------

  #onDatagram(from: AddressNumber, port: number, bytes: Buffer): void {
    const host = this.#plan.hosts.indexOf(from);
    const asked = host === undefined ? undefined : this.#hellos.askedAt(host, port, bytes);
    if (host === undefined || asked === undefined) {
      this.#state.stray += 1;
      return;
    }
    const { index, plan, probe } = asked;
    const name = probe.recognise(bytes);
    const endpoint = this.#state.endpoint(host, index);
    const talk = this.#talks.get(endpoint);
    if (talk !== undefined) {
      talk.receive(bytes, name);
      return;
    }
    const again = this.#counted.delete(endpoint);
    if (name === undefined || (this.#state.isSettled(endpoint) && !again)) {
      if (name === undefined) this.#state.stray += 1;
      return;
    }
    this.#state.liven(host);
    this.#path.heard(endpoint);
    // Who answers the question to its whole link was asked, and is not asked again.
    if (plan.living === true) this.#state.ask(endpoint);
    if (!again) this.#state.settle(endpoint, 'answered');
    const device = this.#devices.at(from);
    this.#hellos.countSweep(device.budget, this.#pass);
    const onSend = (): void => {
      this.#pace.bucket.take(1);
      this.#state.packets.udp += 1;
    };
    const send = (datagram: Datagram): Promise<unknown> => this.#datagrams.send(from, plan.port, datagram);
    const opened = new UdpTalk({ host: device.host, transport: 'udp', port: plan.port }, device.budget, { onSend, send }, probe);
    opened.receive(bytes, name);
    this.#talks.set(endpoint, opened);
    this.#talk(
      endpoint,
      this.#handlers.onAnswer(device, plan, opened).finally(() => this.#talks.delete(endpoint)),
    );
  }

  #awaitAnswers(spreadMs: number): void {
    this.#answersUntil = Math.max(this.#answersUntil, performance.now() + UDP_GRACE_MS + spreadMs);
  }

  #talk(endpoint: number, conversation: Promise<void>): void {
    this.#underWay.add(endpoint, this.#state.hostOf(endpoint), conversation, (error) => this.#fail(error));
  }

  // ---- time ---------------------------------------------------------------------------------------------------

  #everySecond(): void {
    const now = performance.now();
    this.#lookAtClock();
    this.#path.look(now);
    const isIdle = !this.#isOpen && this.#inFlight.size === 0 && this.#underWay.size === 0 && this.#going;
    if (isIdle && this.#wasIdle && now - this.#checkpointAt < IDLE_CHECKPOINT_MS) return;
    this.#wasIdle = isIdle;
    this.#checkpoint(now);
  }

  #checkpoint(now: number): void {
    this.#checkpointAt = now;
    this.#isHasty = false;
    const open = [...this.#inFlight.keys(), ...this.#deferred.map(({ endpoint }) => endpoint), ...this.#waiting.keys()];
    this.#handlers.onCheckpoint(
      this.#state.checkpoint({
        pass: this.#pass,
        position: this.#position,
        open: open.filter((endpoint) => !this.#counted.has(endpoint) && !this.#path.repeats.isUnderWay(endpoint)),
        talking: [...new Set([...this.#underWay.endpoints, ...this.#counted, ...this.#path.talks.endpoints])],
        path: this.#path.checkpoint(),
      }),
    );
  }

  /** Waits for the conversations; after a stop only for a moment. */
  async #settleDown(): Promise<void> {
    while (this.#underWay.size > 0 || this.#inFlight.size > 0) {
      if (this.#failure !== undefined) return;
      if (this.#stopped !== undefined) {
        await Promise.race([this.#underWay.ended(), sleep(2000)]);
        return;
      }
      await this.#turn();
    }
  }

  async #until(moment: number): Promise<void> {
    while (this.#going && performance.now() < moment) await sleep(Math.min(50, Math.max(1, moment - performance.now())));
  }

  /** Lets the event loop turn; about a millisecond, while something may be sent. */
  async #turn(): Promise<void> {
    await sleep(this.#isOpen ? 1 : WAITING_TURN_MS);
    if (this.#isHasty) this.#orFail(() => this.#checkpoint(performance.now()));
  }

  #lookAtClock(): void {
    const { window } = this.#plan;
    this.#isOpen = window === undefined || isInWindow(window, this.#clock());
  }

  /** Over when something may be sent, or the sweep is ended. */
  async untilOpen(): Promise<void> {
    this.#lookAtClock();
    while (!this.#isOpen && this.#going) {
      await this.#turn();
      this.#lookAtClock();
    }
  }

  /** Whether the path has borne what was sent, as far as canaries tell; they are for the window too. */
  #isPathClear(): boolean {
    return !this.#isOpen || this.#path.attend(performance.now(), true);
  }

  /** What fails in a timer (a checkpoint on a full disk) ends the sweep as anywhere else, and not the process. */
  #orFail(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A fault of ours ends the sweep; faults of devices never come here. */
  #fail(error: unknown): void {
    this.#failure ??= error;
  }
}
