import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { beginText, isInWindow } from '../windows.ts';
import { type AddressNumber, familyOf } from '../targets/addresses.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import { unpackNumbers } from './bits.ts';
import { closeAccount, WALK } from './closing.ts';
import type { UdpProbe } from './contract.ts';
import { TalksUnderWay } from './talks-under-way.ts';
import { Datagrams } from './datagrams.ts';
import type { Devices } from './device.ts';
import { blindSpots, Guards, type Limitation } from './guards.ts';
import type { SweepHandlers } from './handlers.ts';
import { Hellos } from './hellos.ts';
import { Inbox } from './inbox.ts';
import { type Ledger, ledgerErrors } from './ledger.ts';
import { LinkWatch } from './link-watch.ts';
import type { Neighbours } from './neighbours.ts';
import { Outbox, UDP_GRACE_MS } from './outbox.ts';
import { HostTimes, Pace, RoundTrip } from './pace.ts';
import type { SweepParts } from './parts.ts';
import { PathGuard } from './path-guard.ts';
import type { SweepPlan } from './plan.ts';
import { isByAddress, type Order, type Pass, Schedule } from './schedule.ts';
import { Spenders } from './spenders.ts';
import { type Checkpoint, SweepState } from './state.ts';
import { enoughMs, type Extent, lastAsked, openAtEnd, packetsBetween } from './under-way.ts';

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
const CHECKPOINT_MS = 1000;
/** So often it is looked whether so much has been sent that a checkpoint is due before the second is over. */
const CHECKPOINT_LOOK_MS = 10;
/** The same while nothing happens, because the window is closed. */
const IDLE_CHECKPOINT_MS = 60_000;
/** How long the event loop turns: at 10,000 packets a second that is 20 of them; and while nothing may be sent. */
const TURN_MS = 2;
const WAITING_TURN_MS = 50;
/** So many endpoints that the places of their devices hold back do not keep the next pass from beginning. */
const FLOWS_ON_WITH = 64;
/** The next turn follows at once where so many packets may leave already. */
const BEHIND = 32;
/** After a stop conversations have so long to come to an end: longer than any time-out. */
const FAREWELL_MS = 2000;
const NEIGHBOUR_POLL_MS = 200;
/** A repeated datagram follows the first no sooner: slow controllers take a second. */
const UDP_GAP_MS = 1500;
/** The second question to a whole link follows the first (RFC 6762 section 5.2: at least one second). */
const LINK_GAP_MS = 1000;

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

  readonly #schedule: Schedule;
  readonly #state: SweepState;
  readonly #hellos: Hellos;
  readonly #link: LinkWatch;
  readonly #path: PathGuard;
  readonly #outbox: Outbox;
  readonly #clock: () => Date;
  /** Whether the window in which something may be sent is open. */
  #isOpen = true;
  #checkpointAt = -Infinity;
  #wasIdle = false;
  /** A checkpoint is to be written before the next packet leaves. */
  #isHasty = false;

  #pass = 0;
  #position = 0;
  readonly #inFlight: ReadonlyMap<number, number>;
  readonly #times: HostTimes;
  readonly #spenders: Spenders;
  readonly #extent: Extent;
  readonly #underWay = new TalksUnderWay();
  /** The questions to whole links, of which the second is asked while the sweep goes on. */
  #linksAsked: Promise<void> | undefined;
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
    this.#datagrams = new Datagrams({ guard, audit, credentials, onDatagram: (from, port, bytes) => inbox.take(from, port, bytes) });
    this.#pace = new Pace(plan.rate, plan.ratePerNetwork, performance.now());
    this.#schedule = new Schedule(plan, this.#neighbours);
    this.#state = new SweepState(plan.hosts, plan.ports, this.#schedule.looksAtLink);
    const shared = { plan, devices, schedule: this.#schedule, state: this.#state };
    const inFlight = new Map<number, number>();
    this.#hellos = new Hellos({ ...shared, datagrams: this.#datagrams, probes, inFlight });
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
    this.#times = new HostTimes(plan.hosts.count);
    this.#spenders = new Spenders({
      devices,
      addressOf: (host) => plan.hosts.at(host),
      isBusy: (host) => this.#underWay.isBusy(host),
      talkingDatagrams: (host) => inbox.datagramsTo(host),
    });
    const { perAddress } = this.#hellos;
    this.#extent = { packets: this.#schedule.progress(0, 0, { alive: 0, perAddress }).total, rate: plan.rate };
    const parts: SweepParts = {
      ...shared,
      handlers,
      datagrams: this.#datagrams,
      hellos: this.#hellos,
      link: this.#link,
      path: this.#path,
      guards,
      pace: this.#pace,
      times: this.#times,
      underWay: this.#underWay,
      spenders: this.#spenders,
      inFlight,
      pass: () => Math.min(this.#pass, this.#schedule.passes.length - 1),
      talk: (endpoint, conversation) => {
        const host = this.#state.hostOf(endpoint);
        this.#spenders.note(host);
        const ended = conversation.finally(() => this.#spenders.note(host));
        this.#underWay.add(endpoint, host, ended, (error) => this.#fail(error));
      },
      fail: (error) => this.#fail(error),
    };
    this.#inFlight = inFlight;
    this.#outbox = new Outbox(parts);
    const inbox = new Inbox(parts, this.#outbox);
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
    for (const { spent } of checkpoints) if (spent !== undefined) this.#spenders.restore(spent);
    const last = checkpoints.at(-1);
    if (last === undefined) return;
    this.#pass = last.pass;
    this.#position = last.position;
    const { attempt } = this.#passNow;
    this.#outbox.resume({ open: openAtEnd(checkpoints), talking: unpackNumbers(last.talking) }, attempt);
    const { counted } = this.#outbox;
    const over = new Set<number>();
    for (const { host, port } of answered) {
      const endpoint = this.#state.find(host, port);
      if (endpoint === undefined) continue;
      if (counted.delete(endpoint)) over.add(endpoint);
      else if (!this.#state.isSettled(endpoint)) {
        if (!this.#path.repeats.has(endpoint)) this.#schedule.countAsked(endpoint, attempt, this.#state);
        this.#state.settle(endpoint, 'answered');
      }
    }
    this.#outbox.forget((endpoint) => over.has(endpoint) || (!counted.has(endpoint) && this.#state.isSettled(endpoint)));
    const held = new Set(this.#outbox.held);
    for (const endpoint of lastAsked(checkpoints, this.#enoughMs(0), { schedule: this.#schedule, state: this.#state })) {
      // A credential is not given twice.
      if (held.has(endpoint) || this.#hellos.isCredentialed(this.#state.portIndexOf(endpoint))) continue;
      const budget = this.#devices.known(this.#state.addressOf(endpoint))?.budget;
      if (budget?.isSweepCounted === true || this.#state.planOf(endpoint).living === true) budget?.giveBack(this.#hellos.sizeOf(endpoint));
      this.#path.repeats.add(endpoint);
    }
  }

  #enoughMs(answerMs: number | undefined): number {
    return enoughMs(this.#extent, { retries: this.#plan.retries, answerMs });
  }

  /** Sweeps to the end, or to {@link stop}. */
  async run(): Promise<void> {
    this.#lookAtClock();
    await this.#datagrams.open(new Set(this.#plan.hosts.ranges.map(({ first }) => familyOf(first))));
    const timers = [
      setInterval(() => this.#orFail(() => this.#everySecond()), CHECKPOINT_MS),
      setInterval(() => this.#orFail(() => this.#everyLook()), CHECKPOINT_LOOK_MS),
    ];
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
        await this.#leaveGap();
        this.#pass += 1;
        this.#position = 0;
      }
      do {
        await this.#drain();
        await this.#linksAsked;
        await this.#until(this.#outbox.answersUntil);
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
    this.#outbox.close();
    await closeAccount({
      schedule: this.#schedule,
      state: this.#state,
      hosts: this.#plan.hosts.count,
      pass: this.#pass,
      position: this.#position,
      inFlight: this.#outbox.unanswered,
      held: this.#outbox.unsent,
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
      done: Math.max(0, done - this.#outbox.held.reduce((all, endpoint) => all + this.#hellos.sizeOf(endpoint), 0)),
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
    const order = this.#schedule.orderOf(this.#pass);
    let walked = 0;
    while (this.#going && !this.#isOver(order)) {
      const before = this.#outbox.sentSince;
      let room = this.#outbox.launchHeld(this.#room());
      this.#position = this.#schedule.skip(pass, this.#position, this.#state);
      while (room > 0 && this.#position < order.size && this.#outbox.hasRoom(pass)) {
        const item = order.at(this.#position);
        this.#position = this.#schedule.skip(pass, this.#position + 1, this.#state);
        for (const endpoint of this.#schedule.endpointsOf(pass, item, this.#state)) {
          if (!this.#schedule.asks(pass, endpoint, this.#state)) continue;
          this.#outbox.draw(endpoint, pass.attempt);
          room -= 1;
        }
        walked += 1;
        if (walked % WALK === 0) await this.#turn();
      }
      // Behind its rate it goes on as soon as the loop has been round: a burst takes longer than a turn.
      await this.#turn(this.#outbox.sentSince > before && this.#room() >= BEHIND);
    }
    if (isByAddress(pass) && this.#schedule.looksAtLink) {
      await this.#until(this.#link.settledAt);
      await this.#pollLink();
    }
  }

  /** Before datagrams are repeated; meanwhile what waited for conversations goes out. */
  async #leaveGap(): Promise<void> {
    const next = this.#schedule.passes[this.#pass + 1];
    if (next === undefined || !isByAddress(next) || next.attempt === 0) return;
    while (this.#going && performance.now() < this.#outbox.lastUdp + UDP_GAP_MS) {
      this.#outbox.launchHeld(this.#room());
      await this.#turn();
    }
  }

  /**
   * A pass is over when all of it has gone out, and what is on its way has come back where the next pass has to know. What only living devices are asked is
   * waited for by who asks that again, and at the end: a device that drops it holds it back for a while.
   */
  #isOver({ size }: Order): boolean {
    if (this.#position < size || this.#path.isOwing) return false;
    const next = this.#schedule.passes[this.#pass + 1];
    const awaitsLiving = next === undefined || (next.living && next.attempt > 0);
    if (awaitsLiving && !this.#outbox.isDone('living')) return false;
    // Datagrams need more of a network's rate than connections, and would come last.
    if (this.#schedule.flowsOn(this.#pass)) return this.#outbox.holdsBack('everywhere') <= (isByAddress(this.#passNow) ? 0 : FLOWS_ON_WITH);
    return this.#outbox.isDone('everywhere') && this.#isPathClear();
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
      this.#outbox.awaitAnswers(this.#hellos.spreadMs());
    };
    await ask();
    this.#linksAsked = this.#until(performance.now() + LINK_GAP_MS)
      .then(() => (this.#going ? ask() : undefined))
      .catch((error: unknown) => this.#fail(error));
  }

  /** What waits after the last pass, and what a resume brought along. */
  async #drain(): Promise<void> {
    while (this.#going && (!this.#outbox.isEmpty || this.#path.isOwing || !this.#isPathClear())) {
      this.#outbox.launchHeld(this.#room());
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
    return Math.max(0, Math.min(this.#pace.bucket.available(performance.now()), this.#outbox.sockets));
  }

  // ---- time ---------------------------------------------------------------------------------------------------

  #everySecond(): void {
    const now = performance.now();
    this.#lookAtClock();
    this.#path.look(now);
    const isIdle = !this.#isOpen && this.#inFlight.size === 0 && this.#underWay.size === 0 && this.#going;
    if (isIdle && this.#wasIdle && now - this.#checkpointAt < IDLE_CHECKPOINT_MS) return;
    this.#wasIdle = isIdle;
    this.#save('second');
  }

  #everyLook(): void {
    this.#outbox.countAwaited(this.#enoughMs(this.#times.answerMs));
    if (this.#outbox.sentSince >= packetsBetween(this.#extent)) this.#save('between');
  }

  #save(when: 'second' | 'between'): void {
    const now = performance.now();
    this.#checkpointAt = now;
    this.#outbox.sentSince = 0;
    this.#isHasty = false;
    const open = this.#outbox.open.changes();
    const path = this.#path.checkpoint();
    const spent = this.#spenders.changes();
    const checkpoint = this.#state.checkpoint({
      ms: Math.round(now),
      pass: this.#pass,
      position: this.#position,
      ...(open === undefined ? {} : { open }),
      talking: [...new Set([...this.#underWay.endpoints, ...this.#outbox.counted, ...this.#path.talks.endpoints])],
      ...(spent === undefined ? {} : { spent }),
      ...(path === undefined ? {} : { path }),
    });
    this.#handlers.onCheckpoint(checkpoint, when);
  }

  /** Waits for the conversations; after a stop only for a moment, and until what is on its way has come back. */
  async #settleDown(): Promise<void> {
    const isMoving = (): boolean => this.#underWay.size > 0 || this.#inFlight.size > 0;
    while (isMoving() && this.#going) await this.#turn();
    if (this.#failure !== undefined) return;
    const until = performance.now() + FAREWELL_MS;
    while (isMoving() && this.#failure === undefined && performance.now() < until) await this.#turn();
  }

  async #until(moment: number): Promise<void> {
    while (this.#going && performance.now() < moment) await sleep(Math.min(50, Math.max(1, moment - performance.now())));
  }

  async #turn(isBehind = false): Promise<void> {
    await (isBehind ? immediate() : sleep(this.#isOpen ? TURN_MS : WAITING_TURN_MS));
    if (this.#isHasty) this.#orFail(() => this.#save('between'));
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
