import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AddressNumber, type AddressRange, familyOf, formatAddress } from '../targets/addresses.ts';
import type { PortPlan } from '../targets/ports.ts';
import { unpackNumbers } from './bits.ts';
import type { Budget } from './budget.ts';
import type { Datagram, UdpProbe } from './contract.ts';
import { Datagrams } from './datagrams.ts';
import type { Device, Devices } from './device.ts';
import { dial } from './dial.ts';
import type { Release } from './gates.ts';
import { blindSpots, Guards, type Limitation, socketLimit } from './guards.ts';
import { type Ledger, ledgerErrors } from './ledger.ts';
import { attachedLinks, Links, linksToAsk } from './link.ts';
import { needsCredential } from './messages.ts';
import type { Neighbours } from './neighbours.ts';
import { Bucket, Pace, RoundTrip } from './pace.ts';
import type { SweepPlan } from './plan.ts';
import { NO_LIFE, type Pass, Schedule } from './schedule.ts';
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
  onAnswer(device: Device, plan: PortPlan & { readonly transport: 'udp' }, talk: UdpTalk): Promise<void>;
  /** Why a living device need not be asked at a port that only living ones are asked at, or undefined where it is worth it. Called when nobody talks to it. */
  unwanted(device: Device, plan: PortPlan): string | undefined;
  /** A neighbour on the same link was resolved. */
  onNeighbour(device: Device, mac: string): void;
  /** Called at least once a second, with what has changed since the last call. */
  onCheckpoint(checkpoint: Checkpoint): void;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly packets: number;
  readonly alive: number;
  readonly talking: number;
}

const MAX_TALKING = 128;
/** Endpoints held back at once (their device or network is at its limit) before no new ones are drawn. */
const MAX_DEFERRED = 1024;
const MAX_LOCAL_ERRORS = 20;
/** However few descriptors there are, a sweep goes on with so many sockets. */
const LEAST_SOCKETS = 8;
const LOCAL_PAUSE_MS = 100;
/** What only living devices are asked waits for the conversations with them, and looks so often whether they are over. */
const TALK_POLL_MS = 100;
const CHECKPOINT_MS = 1000;
const NEIGHBOUR_POLL_MS = 200;
/** How long ARP is waited for after the last datagram of the first pass. */
const NEIGHBOUR_WAIT_MS = 1200;
/** A repeated datagram follows the first no sooner, and answers are waited for as long after the last: slow controllers take a second. */
const UDP_GAP_MS = 1500;
const UDP_GRACE_MS = 2000;
/** The second question to a whole link follows the first (RFC 6762 section 5.2: at least one second). */
const LINK_GAP_MS = 1000;
/** Walks over endpoints without packets yield to the loop after so many. */
const WALK = 8192;

/** An endpoint on its way out, or held back. */
interface Item {
  readonly endpoint: number;
  readonly attempt: number;
  /** How often our own machine kept it back. */
  readonly errors: number;
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
  readonly #probes: ReadonlyMap<string, UdpProbe>;
  readonly #datagrams: Datagrams;
  readonly #neighbours: Neighbours;
  readonly #guards: Guards;
  readonly #pace: Pace;
  readonly #linkPace: Bucket;
  readonly #roundTrip = new RoundTrip();
  #maxSockets: number;

  readonly #schedule: Schedule;
  readonly #state: SweepState;
  /** Datagrams to one address in a try, and those of the first that carry a credential. */
  readonly #hellos: { readonly free: number; readonly credentialed: number };

  #pass = 0;
  #position = 0;
  #deferred: Item[] = [];
  /** Endpoints on their way, with the attempt. */
  readonly #inFlight = new Map<number, number>();
  readonly #talking = new Map<number, Promise<void>>();
  /** How many conversations a host is in. */
  readonly #busy = new Map<number, number>();
  /** Conversations over UDP, by endpoint. */
  readonly #talks = new Map<number, UdpTalk>();
  /** Indexes of the plan's UDP ports. */
  readonly #udpPorts: readonly number[];
  readonly #links: Links;
  /** The questions to whole links, of which the second is asked while the sweep goes on. */
  #linksAsked: Promise<void> | undefined;
  /** Endpoints to talk to again after a resume: their outcome is counted already. */
  readonly #counted = new Set<number>();
  #lastUdp = 0;
  /** `performance.now()` until which answers to datagrams are waited for at the end. */
  #answersUntil = 0;
  #lastLink = 0;
  #lastLinkHost: number | undefined;
  #poll: Promise<void> | undefined;
  #stopped: string | undefined;
  #failure: unknown;

  constructor(plan: SweepPlan, devices: Devices, neighbours: Neighbours, probes: readonly UdpProbe[], handlers: SweepHandlers) {
    this.#plan = plan;
    this.#neighbours = neighbours;
    this.#guards = new Guards(neighbours);
    this.#devices = devices;
    this.#handlers = handlers;
    this.#probes = new Map(probes.map((probe) => [probe.id, probe]));
    const { guard, audit, credentials } = devices.reach;
    this.#datagrams = new Datagrams({ guard, audit, credentials, onDatagram: (from, port, bytes) => this.#onDatagram(from, port, bytes) });
    const now = performance.now();
    this.#pace = new Pace(plan.rate, plan.ratePerNetwork, now);
    this.#linkPace = new Bucket(this.#neighbours.perSecond, now);
    this.#maxSockets = Math.min(socketLimit(), Math.max(64, Math.ceil(plan.rate)));
    this.#schedule = new Schedule(plan, this.#neighbours);
    this.#state = new SweepState(plan.hosts, plan.ports, this.#schedule.looksAtLink);
    const first = formatAddress(plan.hosts.at(0));
    const hellos = this.#schedule.udp.flatMap((index) => this.#probeFor(plan.ports[index] as PortPlan).hello(0, random32, first));
    const credentialed = hellos.filter(({ name }) => needsCredential(name)).length;
    this.#hellos = { free: hellos.length - credentialed, credentialed };
    this.#udpPorts = [...this.#schedule.udp, ...this.#schedule.living.udp];
    this.#links = new Links(
      linksToAsk(attachedLinks(), plan.hosts, guard),
      this.#udpPorts.flatMap((index) => {
        const port = plan.ports[index] as PortPlan;
        const { link } = this.#probeFor(port);
        return link === undefined ? [] : [{ index, port: port.port, link }];
      }),
      this.#datagrams,
    );
  }

  /** What else is told of the sweep: how on-link addresses are paced, and whether that rests on an assumption. */
  get notes(): string[] {
    const { looksAtLink, touchesLink } = this.#schedule;
    const { size, known } = this.#neighbours.table;
    const assumed = known ? '' : ', assumed: this system does not tell it';
    return [
      ...this.#links.notes,
      ...(looksAtLink
        ? [
            `directly attached addresses are looked for with UDP and the neighbour table first, ${this.#neighbours.perSecond} a second (table of ${size}${assumed}); TCP goes to those that are there`,
          ]
        : []),
      ...(touchesLink && !looksAtLink
        ? [
            `directly attached addresses were asked like distant ones, ${this.#schedule.udp.length === 0 ? 'because no UDP port is asked' : 'because this system does not tell its neighbour table'}: living hosts may be missing where more than ${size} addresses of a link are asked within seconds; sweep it at a lower --rate`,
          ]
        : []),
      ...blindSpots({ onLink: touchesLink }, this.#neighbours),
    ];
  }

  get retriesSilent(): boolean {
    return this.#schedule.retriesSilent;
  }

  /** Continues where a journal's checkpoints end. `answered` are endpoints that were talked to after the last of them, once and for all. */
  resume(checkpoints: readonly Checkpoint[], answered: readonly { host: AddressNumber; port: PortPlan }[]): void {
    this.#state.restore(checkpoints);
    const last = checkpoints.at(-1);
    if (last === undefined) return;
    this.#pass = last.pass;
    this.#position = last.position;
    const { attempt } = this.#passNow;
    for (const endpoint of unpackNumbers(last.talking)) {
      this.#counted.add(endpoint);
      this.#deferred.push({ endpoint, attempt, errors: 0 });
    }
    for (const endpoint of unpackNumbers(last.open)) this.#deferred.push({ endpoint, attempt, errors: 0 });
    for (const { host, port } of answered) {
      const endpoint = this.#state.find(host, port);
      if (endpoint === undefined) continue;
      if (this.#counted.delete(endpoint)) this.#deferred = this.#deferred.filter((item) => item.endpoint !== endpoint);
      else if (!this.#state.isSettled(endpoint)) {
        this.#state.account(endpoint).asked += 1;
        this.#state.settle(endpoint, 'answered');
      }
    }
    this.#deferred = this.#deferred.filter(({ endpoint }) => this.#counted.has(endpoint) || !this.#state.isSettled(endpoint));
  }

  /** Sweeps to the end, or to {@link stop}. */
  async run(): Promise<void> {
    await this.#datagrams.open(new Set(this.#plan.hosts.ranges.map(({ first }) => familyOf(first))));
    const timers = [setInterval(() => this.#orFail(() => this.#everySecond()), CHECKPOINT_MS)];
    if (this.#schedule.looksAtLink)
      timers.push(setInterval(() => void this.#pollNeighbours().catch((error: unknown) => this.#fail(error)), NEIGHBOUR_POLL_MS));
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
      await this.#drain();
      await this.#linksAsked;
      await this.#until(this.#answersUntil);
      await this.#settleDown();
      if (this.#failure === undefined) await this.#nameIpv6Neighbours();
    } finally {
      for (const timer of timers) clearInterval(timer);
    }
    this.#guards.finish(this.#datagrams);
    const { localErrors } = this.#devices;
    if (localErrors > 0)
      this.#guards.note(
        'local-errors',
        `${localErrors} conversations could not be held, because this machine had no socket for them; raise the limit (ulimit -n) or lower --rate`,
      );
    if (this.#failure !== undefined) throw this.#failure;
    this.#everySecond();
    await this.#account(this.#pass, this.#position);
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
    return {
      ...this.#schedule.progress(this.#pass, this.#position, alive),
      packets: packets.tcp + packets.udp,
      alive,
      talking: this.#talking.size,
    };
  }

  // ---- passes -------------------------------------------------------------------------------------------------

  /** The pass that is under way, or the last one. */
  get #passNow(): Pass {
    const { passes } = this.#schedule;
    return passes[Math.min(this.#pass, passes.length - 1)] as Pass;
  }

  async #runPass(pass: Pass): Promise<void> {
    if (pass.transport === 'udp' && pass.attempt > 0) await this.#until(this.#lastUdp + UDP_GAP_MS);
    const order = this.#schedule.orderOf(this.#pass);
    let walked = 0;
    while (this.#going && !(this.#position >= order.size && this.#deferred.length === 0 && this.#inFlight.size === 0)) {
      let room = this.#launchDeferred(this.#room());
      this.#position = this.#schedule.skip(pass, this.#position, this.#state);
      while (room > 0 && this.#position < order.size && this.#deferred.length < MAX_DEFERRED) {
        const item = order.at(this.#position);
        this.#position = this.#schedule.skip(pass, this.#position + 1, this.#state);
        const endpoints = this.#schedule
          .endpointsOf(pass, item, this.#state)
          .filter((endpoint) => this.#schedule.asks(pass, endpoint, this.#state));
        for (const endpoint of endpoints) this.#launch({ endpoint, attempt: pass.attempt, errors: 0 });
        room -= endpoints.length;
        walked += 1;
        if (walked % WALK === 0) await this.#turn();
      }
      await this.#turn();
    }
    if (pass.transport === 'udp' && this.#schedule.looksAtLink) {
      await this.#until(this.#lastLink + NEIGHBOUR_WAIT_MS);
      await this.#pollNeighbours();
    }
  }

  /** Asks everybody on the directly attached networks that hold targets: now, and once more while the sweep goes on. */
  async #askLinks(): Promise<void> {
    if (this.#linksAsked !== undefined || !this.#links.isNeeded || !this.#going) return;
    const ask = async (): Promise<void> => {
      const sent = await this.#links.ask();
      this.#pace.bucket.take(sent);
      this.#state.packets.udp += sent;
      for (const index of this.#udpPorts) this.#awaitAnswers(this.#plan.ports[index] as PortPlan);
    };
    await ask();
    this.#linksAsked = this.#until(performance.now() + LINK_GAP_MS)
      .then(() => (this.#going ? ask() : undefined))
      .catch((error: unknown) => this.#fail(error));
  }

  /** What a resume brought along after the last pass. */
  async #drain(): Promise<void> {
    while (this.#going && (this.#deferred.length > 0 || this.#inFlight.size > 0)) {
      this.#launchDeferred(this.#room());
      await this.#turn();
    }
  }

  get #going(): boolean {
    return this.#stopped === undefined && this.#failure === undefined;
  }

  /** How many items may be launched in this turn. */
  #room(): number {
    if (this.#talking.size >= MAX_TALKING) return 0;
    return Math.max(0, Math.min(this.#pace.bucket.available(performance.now()), this.#maxSockets - this.#inFlight.size));
  }

  /** Tries those that were held back first; returns the room that is left. */
  #launchDeferred(room: number): number {
    const items = this.#deferred.splice(0, room);
    const before = this.#deferred.length;
    for (const item of items) this.#launch(item);
    return room - (items.length - (this.#deferred.length - before));
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
      if ((this.#busy.get(host) ?? 0) > 0) {
        this.#deferred.push({ ...item, notBefore: now + TALK_POLL_MS });
        return;
      }
      const why = this.#handlers.unwanted(this.#devices.at(address), plan);
      if (why !== undefined) {
        this.#state.skip(endpoint, why);
        return;
      }
    }
    // A conversation that was cut off is begun anew, with all that belongs to the first attempt.
    const attempt = this.#counted.has(endpoint) ? 0 : item.attempt;
    const hello = plan.transport === 'udp' ? this.#probeFor(plan).hello(attempt, random32, formatAddress(address)) : [];
    // An address takes one entry of the neighbour table, however many of its ports are asked.
    const onLink = this.#schedule.isOnLink(address) && !this.#state.isAlive(host) && host !== this.#lastLinkHost;
    if (
      (onLink && this.#linkPace.available(now) < 1) ||
      (plan.transport === 'tcp' && this.#devices.reach.gates.full(formatAddress(address))) ||
      !this.#pace.admit(address, Math.max(1, hello.length), now)
    ) {
      this.#deferred.push(item);
      return;
    }
    if (onLink) {
      this.#linkPace.take(1);
      this.#lastLink = now;
      this.#lastLinkHost = host;
    }
    this.#inFlight.set(endpoint, item.attempt);
    const sent = plan.transport === 'udp' ? this.#sendHello(item, address, plan, hello) : this.#connect(item, address, plan);
    sent.catch((error: unknown) => this.#fail(error));
  }

  async #connect(item: Item, address: AddressNumber, plan: PortPlan & { transport: 'tcp' }): Promise<void> {
    const { endpoint, attempt } = item;
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
    if (!again) this.#schedule.countAsked(endpoint, attempt, this.#state);
    if (dialled.outcome === 'open' || dialled.outcome === 'reset' || dialled.outcome === 'refused') {
      this.#roundTrip.sample(dialled.ms);
      this.#state.liven(host);
      if (!again) this.#state.settle(endpoint, dialled.outcome === 'refused' ? 'refused' : 'answered');
    } else if (dialled.outcome === 'unreachable') this.#state.markUnreachable(endpoint);
    if (dialled.outcome !== 'open') {
      release();
      if (dialled.outcome === 'reset') this.#handlers.onReset(this.#devices.at(address), plan);
      return;
    }
    const device = this.#devices.at(address);
    device.budget.countConnect();
    this.#talk(endpoint, this.#handlers.onOpen({ device, plan, socket: dialled.socket, release }));
  }

  async #sendHello(item: Item, address: AddressNumber, plan: PortPlan & { transport: 'udp' }, hello: readonly Datagram[]): Promise<void> {
    const { endpoint, attempt } = item;
    const borne = this.#borne(item, address, plan, hello);
    if (borne.length === 0) {
      this.#inFlight.delete(endpoint);
      return;
    }
    this.#lastUdp = performance.now();
    this.#awaitAnswers(plan);
    const results = await Promise.all(borne.map((datagram) => this.#datagrams.send(address, plan.port, datagram)));
    this.#state.packets.udp += results.filter(({ sent }) => sent === 'sent').length;
    this.#inFlight.delete(endpoint);
    const local = results.find(({ sent }) => sent === 'local');
    if (local !== undefined && results.every(({ sent }) => sent !== 'sent')) {
      this.#localError(item, local.code ?? 'unknown');
      return;
    }
    if (!this.#counted.has(endpoint)) this.#schedule.countAsked(endpoint, attempt, this.#state);
    if (results.some(({ sent }) => sent === 'unreachable')) this.#state.markUnreachable(endpoint);
  }

  /** The datagrams of a hello, most telling first, that a device's account bears; takes them from it. */
  #borne({ endpoint, attempt }: Item, address: AddressNumber, plan: PortPlan, hello: readonly Datagram[]): readonly Datagram[] {
    const living = plan.living === true;
    // Until a device answers a datagram nothing is known of it, and what the sweep sends is not counted yet.
    const budget = living ? this.#devices.at(address).budget : attempt === 0 ? undefined : this.#devices.known(address)?.budget;
    if (budget === undefined || (!living && !budget.isSweepCounted)) return hello;
    this.#countSweep(budget);
    // One question in every protocol comes before a second in any.
    const kept = living ? this.#schedule.living.udp.filter((index) => this.#isToAsk(endpoint, index)).length : 0;
    const borne = hello.filter(({ name }, i) =>
      needsCredential(name) ? budget.read() : i === 0 || !living ? budget.datagram() : budget.furtherDatagram(kept),
    );
    // At another port it was asked before, and stays silent.
    if (borne.length === 0 && living) this.#state.skip(endpoint, 'it has had all the datagrams that it may get');
    return borne;
  }

  /** Whether the host of an endpoint is still to be asked at another port. */
  #isToAsk(endpoint: number, index: number): boolean {
    const other = this.#state.endpoint(this.#state.hostOf(endpoint), index);
    return other !== endpoint && !this.#state.isSettled(other) && !this.#state.isAsked(other) && !this.#inFlight.has(other);
  }

  /** What the passes until now have sent to a device is on its account too. */
  #countSweep(budget: Budget): void {
    const tries = this.#schedule.passes.slice(0, this.#pass + 1).filter(({ transport, living }) => transport === 'udp' && !living).length;
    budget.countSweep(this.#hellos.free * tries, this.#hellos.credentialed);
  }

  /** A condition of this machine is never a result: try again, and where it stays, say that the endpoint was lost. */
  #localError(item: Item, code: string): void {
    const { endpoint, attempt, errors } = item;
    // Fewer at once from now on: those that are open are what this machine bears.
    if (code === 'EMFILE' || code === 'ENFILE') this.#maxSockets = Math.max(LEAST_SOCKETS, Math.floor(this.#inFlight.size * 0.8));
    if (errors + 1 < MAX_LOCAL_ERRORS) {
      this.#deferred.push({ endpoint, attempt, errors: errors + 1, notBefore: performance.now() + LOCAL_PAUSE_MS });
      return;
    }
    if (code === 'EMFILE' || code === 'ENFILE')
      this.#guards.note(
        'descriptors',
        `this process ran out of file descriptors (${code}): endpoints were lost; raise the limit (ulimit -n)`,
      );
    else this.#guards.note('local-errors', `packets could not be sent from this machine (${code}); the endpoints are counted as lost`);
    // Where only a further try was kept back, it was asked before.
    if (!this.#counted.delete(endpoint)) this.#schedule.countAsked(endpoint, attempt, this.#state);
    this.#state.settle(endpoint, 'lost');
  }

  // ---- answers ------------------------------------------------------------------------------------------------

  #onDatagram(from: AddressNumber, port: number, bytes: Buffer): void {
    const host = this.#plan.hosts.indexOf(from);
    const index = host === undefined ? undefined : this.#askedAt(host, port, bytes);
    if (host === undefined || index === undefined) {
      this.#state.stray += 1;
      return;
    }
    const plan = this.#plan.ports[index] as PortPlan & { transport: 'udp' };
    const probe = this.#probeFor(plan);
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
    // Who answers the question to its whole link was asked, and is not asked again.
    if (plan.living === true) this.#state.ask(endpoint);
    if (!again) this.#state.settle(endpoint, 'answered');
    const device = this.#devices.at(from);
    this.#countSweep(device.budget);
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

  /** The port of the plan at which a host was asked for what comes from one of its ports: that port, or where answers may come from any, the one that they answer. */
  #askedAt(host: number, port: number, bytes: Buffer): number | undefined {
    const usual = this.#udpPorts.find((index) => this.#plan.ports[index]?.port === port);
    if (usual !== undefined && this.#wasAsked(host, usual)) return usual;
    return this.#udpPorts.find((index) => {
      const probe = this.#probeFor(this.#plan.ports[index] as PortPlan);
      return probe.anyPort === true && this.#wasAsked(host, index) && probe.recognise(bytes) !== undefined;
    });
  }

  /** Ports of every address are asked in time; those of living ones only where something was sent to them, or to their whole link. */
  #wasAsked(host: number, index: number): boolean {
    const endpoint = this.#state.endpoint(host, index);
    return (
      this.#plan.ports[index]?.living !== true ||
      this.#state.isAsked(endpoint) ||
      this.#inFlight.has(endpoint) ||
      this.#links.hasAsked(index, this.#plan.hosts.at(host))
    );
  }

  #awaitAnswers(plan: PortPlan): void {
    this.#answersUntil = Math.max(this.#answersUntil, performance.now() + UDP_GRACE_MS + (this.#probeFor(plan).spreadMs ?? 0));
  }

  #talk(endpoint: number, conversation: Promise<void>): void {
    const host = this.#state.hostOf(endpoint);
    this.#busy.set(host, (this.#busy.get(host) ?? 0) + 1);
    this.#talking.set(
      endpoint,
      conversation
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          this.#talking.delete(endpoint);
          const rest = (this.#busy.get(host) ?? 1) - 1;
          if (rest > 0) this.#busy.set(host, rest);
          else this.#busy.delete(host);
        }),
    );
  }

  /** One look at the table at a time: where a program prints it, that takes a while. */
  async #pollNeighbours(): Promise<void> {
    this.#poll ??= this.#lookAtNeighbours().finally(() => (this.#poll = undefined));
    await this.#poll;
  }

  async #lookAtNeighbours(): Promise<void> {
    const resolved = await this.#neighbours.resolved(4);
    const { attempt, transport, living } = this.#passNow;
    // A TCP pass asks those that were there when it began; who turns up meanwhile is for the next one, where there is one.
    const since = living ? this.#plan.retries + 1 : transport === 'udp' ? attempt : attempt + 1;
    for (const { address, mac } of resolved) {
      const host = this.#plan.hosts.indexOf(address);
      if (host === undefined || this.#state.resolvedSince(host) !== undefined || !this.#neighbours.onLink(address)) continue;
      this.#state.resolve(host, since);
      this.#handlers.onNeighbour(this.#devices.at(address), mac);
    }
  }

  /** The network cards of IPv6 neighbours that lived: there are few of them, so one look at the end is enough. */
  async #nameIpv6Neighbours(): Promise<void> {
    const isNear = (range: AddressRange): boolean => this.#neighbours.onLink(range.first) || this.#neighbours.touches(range);
    if (!this.#plan.hosts.ranges.some((range) => familyOf(range.first) === 6 && isNear(range))) return;
    for (const { address, mac } of await this.#neighbours.resolved(6)) {
      const host = this.#plan.hosts.indexOf(address);
      if (host !== undefined && this.#state.isAlive(host)) this.#handlers.onNeighbour(this.#devices.at(address), mac);
    }
  }

  // ---- the account --------------------------------------------------------------------------------------------

  /** Every endpoint that has no outcome yet gets one, by looking at it: nothing here is computed by taking one count from another. */
  async #account(pass: number, position: number): Promise<void> {
    const held = new Set(this.#deferred.filter(({ attempt }) => attempt === 0).map(({ endpoint }) => endpoint));
    let walked = 0;
    for (const [at, one] of this.#schedule.passes.entries()) {
      if (one.living || one.attempt > 0) continue;
      const order = this.#schedule.orderOf(at);
      for (let place = 0; place < order.size; place += 1) {
        const isBefore = at < pass || (at === pass && place < position);
        for (const endpoint of this.#schedule.endpointsOf(one, order.at(place), this.#state)) {
          if (this.#state.isSettled(endpoint)) continue;
          const wasReached = isBefore && !held.has(endpoint);
          const attempt = this.#inFlight.get(endpoint);
          if (attempt !== undefined && wasReached) this.#schedule.countAsked(endpoint, attempt, this.#state);
          this.#close(endpoint, wasReached);
        }
        walked += 1;
        if (walked % WALK === 0) await this.#turn();
      }
    }
    await this.#accountForLiving();
  }

  /** The same at the ports that only living addresses are asked at. */
  async #accountForLiving(): Promise<void> {
    const ports = [...this.#schedule.living.tcp, ...this.#schedule.living.udp];
    if (ports.length === 0) return;
    let dead = 0;
    for (let host = 0; host < this.#plan.hosts.count; host += 1) {
      if (!this.#state.isAlive(host)) dead += 1;
      else
        for (const endpoint of ports.map((port) => this.#state.endpoint(host, port))) {
          const attempt = this.#inFlight.get(endpoint);
          if (this.#state.isSettled(endpoint)) continue;
          if (attempt !== undefined) this.#schedule.countAsked(endpoint, attempt, this.#state);
          this.#close(endpoint, true);
        }
      if (host % WALK === WALK - 1) await this.#turn();
    }
    for (const port of ports) this.#state.closeSkipped(port, dead, NO_LIFE);
  }

  #close(endpoint: number, wasReached: boolean): void {
    const isOpen = this.#inFlight.has(endpoint);
    this.#state.close(endpoint, this.#schedule.fateOf(endpoint, { wasReached, isOpen, stopped: this.#stopped }, this.#state));
  }

  // ---- time ---------------------------------------------------------------------------------------------------

  #everySecond(): void {
    this.#pace.rate = this.#plan.rate * this.#guards.look();
    const open = [...this.#inFlight.keys(), ...this.#deferred.map(({ endpoint }) => endpoint)];
    this.#handlers.onCheckpoint(
      this.#state.checkpoint({
        pass: this.#pass,
        position: this.#position,
        open: open.filter((endpoint) => !this.#counted.has(endpoint)),
        talking: [...this.#talking.keys(), ...this.#counted],
      }),
    );
  }

  /** Waits for the conversations; after a stop only for a moment. */
  async #settleDown(): Promise<void> {
    while (this.#talking.size > 0 || this.#inFlight.size > 0) {
      if (this.#failure !== undefined) return;
      if (this.#stopped !== undefined) {
        await Promise.race([Promise.allSettled(this.#talking.values()), sleep(2000)]);
        return;
      }
      await this.#turn();
    }
  }

  async #until(moment: number): Promise<void> {
    while (this.#going && performance.now() < moment) await sleep(Math.min(50, Math.max(1, moment - performance.now())));
  }

  /** Lets the event loop turn; about a millisecond. */
  async #turn(): Promise<void> {
    await sleep(1);
  }

  #probeFor(plan: PortPlan): UdpProbe {
    const probe = this.#probes.get(plan.protocol);
    if (probe === undefined) throw new Error(`no probe speaks ${plan.protocol}`);
    return probe;
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

function random32(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
