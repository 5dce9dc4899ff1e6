import type { AddressNumber } from '../targets/addresses.ts';
import type { Datagram } from './contract.ts';
import type { Sent } from './datagrams.ts';
import { type Dialled, startDialling } from './dial.ts';
import { socketLimit } from './guards.ts';
import type { TcpPlan } from './handlers.ts';
import type { UdpPlan } from './hellos.ts';
import type { SweepParts } from './parts.ts';
import { isByAddress, type Pass } from './schedule.ts';
import { ToldSet } from './under-way.ts';

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
/** Answers are waited for as long after the last datagram: slow controllers take a second. */
export const UDP_GRACE_MS = 1500;

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

/** What a sweep sends: endpoints on their way, those that are held back until their device, their network or this machine bears them, and what becomes of them. */
export class Outbox {
  /** Endpoints to talk to again, after a resume or because the path cut a conversation off: their outcome is counted already. */
  readonly counted = new Set<number>();
  /** `performance.now()` of the last datagram to what every address is asked at. */
  lastUdp = 0;
  /** `performance.now()` until which answers to datagrams are waited for at the end. */
  answersUntil = 0;
  /** Packets since the last checkpoint. */
  sentSince = 0;
  /** Endpoints that were drawn and are in no account yet, for the journal. */
  readonly open = new ToldSet();
  /** TCP endpoints on their way, in their order, with the `performance.now()` of it. */
  readonly #sentAt = new Map<number, number>();
  /** Those of them that were awaited long enough to be counted as asked already. */
  readonly #awaited = new Set<number>();
  #lookedAt = -Infinity;
  readonly #parts: SweepParts;
  #maxSockets: number;
  #deferred: Item[] = [];
  /** What only living devices are asked, of those that are being talked to: the sweep goes on meanwhile. By endpoint. */
  readonly #waiting = new Map<number, Item>();
  #waitingSeen = 0;
  #isClosed = false;
  /** How many endpoints on their way are at ports that every address is asked at. */
  #everywhere = 0;

  constructor(parts: SweepParts) {
    this.#parts = parts;
    this.#maxSockets = Math.min(socketLimit(), Math.max(64, Math.ceil(parts.plan.rate)));
  }

  /** How many sockets more there may be. */
  get sockets(): number {
    return this.#maxSockets - this.#parts.inFlight.size;
  }

  /** Nothing is on its way or held back. */
  get isEmpty(): boolean {
    return this.#deferred.length === 0 && this.#waiting.size === 0 && this.#parts.inFlight.size === 0;
  }

  /** How many endpoints are held back at the ports that every address is asked at, or that only living ones are. */
  holdsBack(ports: 'everywhere' | 'living'): number {
    const { state } = this.#parts;
    let count = 0;
    for (const { endpoint } of this.#deferred) if ((state.planOf(endpoint).living === true) === (ports === 'living')) count += 1;
    return count;
  }

  /** Whether nothing is held back there or on its way. */
  isDone(ports: 'everywhere' | 'living'): boolean {
    const onTheWay = ports === 'living' ? this.#parts.inFlight.size - this.#everywhere : this.#everywhere;
    return onTheWay === 0 && this.holdsBack(ports) === 0;
  }

  /** Endpoints that nobody knows the outcome of where the sweep is ended now. */
  get unanswered(): Map<number, number> {
    return new Map([...this.#parts.inFlight].filter(([endpoint]) => !this.#awaited.has(endpoint)));
  }

  /** Those that are held back, but for what was sent before. */
  get held(): number[] {
    return this.#deferred.filter(({ isRepeat }) => isRepeat !== true).map(({ endpoint }) => endpoint);
  }

  /** Those of them that no packet has gone to. */
  get unsent(): Set<number> {
    return new Set(this.#deferred.filter(({ attempt, isRepeat }) => attempt === 0 && isRepeat !== true).map(({ endpoint }) => endpoint));
  }

  /** The account is being closed: what comes back from now on counts no more. */
  close(): void {
    this.#isClosed = true;
  }
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Draws an endpoint for an attempt, unless an earlier one is still on its way out. */
  draw(endpoint: number, attempt: number): void {
    if (this.open.has(endpoint)) return;
    this.open.add(endpoint);
    this.#launch({ endpoint, attempt, errors: 0 });
  }

  /** Takes over what was under way in a sweep that is resumed: endpoints without an outcome, and those to be talked to again. */
  resume({ open, talking }: { open: readonly number[]; talking: readonly number[] }, attempt: number): void {
    for (const endpoint of talking) this.#talkAgain(endpoint, attempt);
    for (const endpoint of open) {
      this.open.add(endpoint);
      this.#deferred.push({ endpoint, attempt, errors: 0 });
    }
  }

  /** A conversation is held once more. */
  #talkAgain(endpoint: number, attempt: number): void {
    this.counted.add(endpoint);
    this.#deferred.push({ endpoint, attempt, errors: 0 });
  }

  /** What of that has an outcome after all. */
  forget(isOver: (endpoint: number) => boolean): void {
    for (const { endpoint } of this.#deferred) if (isOver(endpoint)) this.open.delete(endpoint);
    this.#deferred = this.#deferred.filter(({ endpoint }) => !isOver(endpoint));
  }

  /** Tries those that were held back first, so many of them at most; returns the room that is left. */
  launchHeld(room: number): number {
    for (const endpoint of this.#parts.path.talksToHold()) this.#talkAgain(endpoint, 0);
    this.#releaseWaiting(performance.now());
    const items = this.#deferred.splice(0, room);
    const before = this.#deferred.length;
    for (const item of items) this.#launch(item);
    const left = room - (items.length - (this.#deferred.length - before));
    return left - this.#launchRepeats(Math.min(left, MAX_DEFERRED - this.#deferred.length));
  }

  /** What may have been dropped on the way comes before anything new; returns how much of it there was. */
  #launchRepeats(room: number): number {
    const endpoints = this.#parts.path.repeats.next(room);
    for (const endpoint of endpoints) {
      if (this.#parts.state.isSettled(endpoint)) this.#parts.path.repeats.end(endpoint);
      else this.#launch({ endpoint, attempt: this.#repeatAttempt, errors: 0, isRepeat: true });
    }
    return endpoints.length;
  }

  /** No pass has it, so that nothing is counted as asked by it. */
  get #repeatAttempt(): number {
    return this.#parts.plan.retries + 2;
  }

  /** What only living devices are asked is drawn no faster than conversations end. */
  #waitsTooMuch({ living }: Pass): boolean {
    return living && this.#waiting.size >= MAX_WAITING;
  }

  /** Whether more of a pass may be drawn. */
  hasRoom(pass: Pass): boolean {
    return this.#deferred.length < MAX_DEFERRED && !this.#waitsTooMuch(pass);
  }

  /**
   * Those whose devices nobody talks to any more go out before anything new. Not while all are asked by UDP: what a device has had until then is counted
   * by whole passes.
   */
  #releaseWaiting(now: number): void {
    if (
      this.#waiting.size === 0 ||
      now - this.#waitingSeen < TALK_POLL_MS ||
      isByAddress(this.#parts.schedule.passes[this.#parts.pass()] as Pass)
    )
      return;
    this.#waitingSeen = now;
    for (const [endpoint, item] of this.#waiting) {
      if (this.#parts.underWay.isBusy(this.#parts.state.hostOf(endpoint))) continue;
      this.#waiting.delete(endpoint);
      this.#deferred.push(item);
    }
  }

  /** Sends, or puts back what may not be sent yet. */
  #launch(item: Item): void {
    const { endpoint } = item;
    const plan = this.#parts.state.planOf(endpoint);
    const host = this.#parts.state.hostOf(endpoint);
    const address = this.#parts.state.addressOf(endpoint);
    const now = performance.now();
    if (item.notBefore !== undefined && now < item.notBefore) {
      this.#deferred.push(item);
      return;
    }
    // It has answered while it was held back.
    const isFurther = item.isRepeat !== true && !this.counted.has(endpoint) && (item.attempt > 0 || plan.living === true);
    if (isFurther && this.#parts.state.isSettled(endpoint)) {
      this.open.delete(endpoint);
      return;
    }
    if (plan.living === true && !this.#parts.state.isAsked(endpoint)) {
      if (this.#parts.underWay.isBusy(host)) {
        this.#waiting.set(endpoint, item);
        return;
      }
      const why = this.#parts.handlers.unwanted(this.#parts.devices.at(address), plan);
      if (why !== undefined) {
        this.open.delete(endpoint);
        this.#parts.state.skip(endpoint, why);
        return;
      }
    }
    // A conversation that was cut off is begun anew, with all that belongs to the first attempt.
    const attempt = item.isRepeat !== true && (this.counted.has(endpoint) || plan.living === true) ? 0 : item.attempt;
    const hello = plan.transport === 'udp' ? this.#parts.hellos.of(this.#parts.state.portIndexOf(endpoint), attempt, address) : [];
    const needsEntry = this.#parts.link.needsEntry(endpoint);
    if (
      (needsEntry && !this.#parts.link.hasRoom(now)) ||
      this.#parts.inFlight.has(endpoint) ||
      (plan.transport === 'tcp' && this.#parts.devices.reach.gates.full(address)) ||
      !this.#parts.pace.admit(address, Math.max(1, hello.length), now)
    ) {
      this.#deferred.push(item);
      return;
    }
    if (needsEntry) this.#parts.link.take(endpoint, now);
    this.#parts.inFlight.set(endpoint, item.attempt);
    if (plan.living !== true) this.#everywhere += 1;
    this.sentSince += Math.max(1, hello.length);
    if (plan.transport === 'tcp') this.#sentAt.set(endpoint, now);
    try {
      if (plan.transport === 'udp') this.#sendHello(item, address, plan, hello, now);
      else this.#connect(item, address, plan);
    } catch (error) {
      this.#parts.fail(error);
    }
  }

  #landed(endpoint: number): void {
    this.#sentAt.delete(endpoint);
    if (this.#parts.inFlight.delete(endpoint) && this.#parts.state.planOf(endpoint).living !== true) this.#everywhere -= 1;
  }

  /** Counts an endpoint as asked by a try, where that has not been done; from then on the account has it. */
  #countAsked({ endpoint, attempt, isRepeat = false }: Item, again: boolean): void {
    const { schedule, state } = this.#parts;
    this.open.delete(endpoint);
    if (!this.#awaited.delete(endpoint) && !again && !isRepeat) schedule.countAsked(endpoint, attempt, state);
  }

  /**
   * What an answer was awaited for long enough counts as asked from now on, though it may still come: a resume need not ask it again.
   * Of an address that lives each try is made to its end.
   */
  countAwaited(enoughMs: number): void {
    const { schedule, state, path, inFlight } = this.#parts;
    // What has come since the last look may not have been read yet.
    const before = this.#lookedAt - enoughMs;
    this.#lookedAt = performance.now();
    for (const [endpoint, at] of this.#sentAt) {
      if (at > before) return;
      if (this.counted.has(endpoint) || this.#awaited.has(endpoint) || path.repeats.isUnderWay(endpoint)) continue;
      if (state.isAlive(state.hostOf(endpoint))) continue;
      this.#sentAt.delete(endpoint);
      this.#awaited.add(endpoint);
      this.open.delete(endpoint);
      schedule.countAsked(endpoint, inFlight.get(endpoint) as number, state);
    }
  }

  #connect(item: Item, address: AddressNumber, plan: TcpPlan): void {
    const { gates } = this.#parts.devices.reach;
    gates.take(address);
    const { times, state } = this.#parts;
    const timeoutMs = item.attempt === 0 || plan.living === true ? times.firstMs : times.furtherMs(state.hostOf(item.endpoint));
    startDialling(address, plan.port, timeoutMs, this.#parts.devices.reach, 'connect', (dialled) =>
      this.#orFail(() => this.#onDialled(item, address, plan, dialled)),
    );
  }

  #onDialled(item: Item, address: AddressNumber, plan: TcpPlan, dialled: Dialled): void {
    const { endpoint, isRepeat = false } = item;
    const { gates } = this.#parts.devices.reach;
    if (this.#isClosed) {
      if (dialled.outcome === 'open') dialled.socket.destroy();
      return;
    }
    this.#landed(endpoint);
    if (dialled.outcome !== 'open') gates.leave(address);
    if (dialled.outcome === 'local') {
      this.#localError(item, dialled.code);
      return;
    }
    this.#parts.state.packets.tcp += 1;
    const host = this.#parts.state.hostOf(endpoint);
    const again = this.counted.delete(endpoint);
    this.#countAsked(item, again);
    if (isRepeat) this.#parts.path.repeats.end(endpoint);
    if (dialled.outcome === 'open' || dialled.outcome === 'reset' || dialled.outcome === 'refused') {
      this.#parts.times.connected(host, dialled.ms);
      this.#parts.state.liven(host);
      if (!again) this.#parts.state.settle(endpoint, dialled.outcome === 'refused' ? 'refused' : 'answered');
    } else if (dialled.outcome === 'unreachable') this.#parts.state.markUnreachable(endpoint);
    else if (again) this.#parts.path.unheard(endpoint, performance.now() - dialled.ms);
    else this.#parts.path.silent(endpoint, performance.now());
    if (dialled.outcome === 'refused') this.#parts.path.found(endpoint, plan, true);
    if (dialled.outcome !== 'open') {
      if (dialled.outcome === 'reset') this.#parts.handlers.onReset(this.#parts.devices.at(address), plan);
      return;
    }
    this.#parts.path.found(endpoint, plan);
    const device = this.#parts.devices.at(address);
    device.budget.countConnect();
    this.#parts.talk(endpoint, this.#parts.handlers.onOpen({ device, plan, socket: dialled.socket, release: gates.releaseOf(address) }));
  }

  #sendHello(item: Item, address: AddressNumber, plan: UdpPlan, hello: readonly Datagram[], now: number): void {
    const { endpoint, attempt, isRepeat = false } = item;
    const borne = this.#parts.hellos.borne(endpoint, { attempt, pass: this.#parts.pass() }, hello);
    if (borne.length === 0) {
      this.#landed(endpoint);
      this.open.delete(endpoint);
      if (isRepeat) this.#parts.path.repeats.end(endpoint);
      // At another port it was asked before, and stays silent.
      else if (plan.living === true) this.#parts.state.skip(endpoint, 'it has had all the datagrams that it may get');
      return;
    }
    if (plan.living !== true) this.lastUdp = now;
    if (this.#parts.devices.known(address) !== undefined) this.#parts.spenders.note(this.#parts.state.hostOf(endpoint));
    this.#parts.times.asked(this.#parts.state.hostOf(endpoint), now);
    this.awaitAnswers(this.#parts.hellos.spreadMs(this.#parts.state.portIndexOf(endpoint)), now);
    const counts = { sent: 0, unreachable: 0, local: 0 };
    let left = borne.length;
    let localCode = 'unknown';
    const onSent = (sent: Sent, code: string | undefined): void => {
      counts[sent] += 1;
      if (sent === 'local' && code !== undefined) localCode = code;
      left -= 1;
      if (left === 0) this.#orFail(() => this.#onHelloSent(item, counts, localCode));
    };
    for (const datagram of borne) this.#parts.datagrams.post(address, plan.port, datagram, onSent);
  }

  #onHelloSent(item: Item, counts: Readonly<Record<Sent, number>>, localCode: string): void {
    const { endpoint, isRepeat = false } = item;
    if (this.#isClosed) return;
    this.#parts.state.packets.udp += counts.sent;
    this.#landed(endpoint);
    if (counts.local > 0 && counts.sent === 0) {
      this.#localError(item, localCode);
      return;
    }
    if (isRepeat) {
      this.#parts.path.repeats.end(endpoint);
      if (this.#parts.hellos.isCredentialed(this.#parts.state.portIndexOf(endpoint))) this.#parts.path.untried();
    } else this.#countAsked(item, this.counted.has(endpoint));
    if (counts.unreachable > 0) this.#parts.state.markUnreachable(endpoint);
    else this.#parts.path.silent(endpoint, performance.now());
  }

  /** A condition of this machine is never a result: try again, and where it stays, say that the endpoint was lost. */
  #localError(item: Item, code: string): void {
    const { endpoint, errors, isRepeat = false } = item;
    // Fewer at once from now on: those that are open are what this machine bears.
    if (code === 'EMFILE' || code === 'ENFILE') this.#maxSockets = Math.max(LEAST_SOCKETS, Math.floor(this.#parts.inFlight.size * 0.8));
    if (errors + 1 < MAX_LOCAL_ERRORS) {
      this.#deferred.push({ ...item, errors: errors + 1, notBefore: performance.now() + LOCAL_PAUSE_MS });
      return;
    }
    if (code === 'EMFILE' || code === 'ENFILE')
      this.#parts.guards.note(
        'descriptors',
        `this process ran out of file descriptors (${code}): endpoints were lost; raise the limit (ulimit -n)`,
      );
    else
      this.#parts.guards.note('local-errors', `packets could not be sent from this machine (${code}); the endpoints are counted as lost`);
    // Where only a further try was kept back, it was asked before.
    if (isRepeat) this.#parts.path.repeats.end(endpoint);
    else this.#countAsked(item, this.counted.delete(endpoint));
    this.#parts.state.settle(endpoint, 'lost');
  }

  /** Answers to datagrams are waited for so long at the end, and as much longer as devices may spread them. */
  awaitAnswers(spreadMs: number, now = performance.now()): void {
    this.answersUntil = Math.max(this.answersUntil, now + UDP_GRACE_MS + spreadMs);
  }

  #orFail(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#parts.fail(error);
    }
  }
}
