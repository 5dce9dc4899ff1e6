import { type AddressNumber, formatAddress } from '../targets/addresses.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import type { Budget } from './budget.ts';
import type { Datagram, UdpProbe } from './contract.ts';
import type { Datagrams } from './datagrams.ts';
import type { Devices } from './device.ts';
import { attachedLinks } from './attached.ts';
import { Links, linksToAsk } from './link.ts';
import { needsCredential } from './messages.ts';
import type { SweepPlan } from './plan.ts';
import { isByAddress, type Schedule } from './schedule.ts';
import type { SweepState } from './state.ts';

export type UdpPlan = PortPlan & { readonly transport: 'udp' };

/** A UDP port of the plan, with what speaks there. */
export interface UdpPort {
  /** Its place among the ports of the plan. */
  readonly index: number;
  readonly plan: UdpPlan;
  readonly probe: UdpProbe;
}

export interface HelloOptions {
  readonly plan: SweepPlan;
  readonly schedule: Schedule;
  readonly state: SweepState;
  readonly devices: Devices;
  readonly datagrams: Datagrams;
  readonly probes: readonly UdpProbe[];
  /** Endpoints that are being asked right now. */
  readonly inFlight: ReadonlyMap<number, number>;
}

/** The first words over UDP: what they are, whether a device's account bears them, and for whose an answer is. */
export class Hellos {
  /** The same questions, to whole links at once. */
  readonly links: Links;
  readonly #options: HelloOptions;
  readonly #ports: readonly UdpPort[];
  readonly #byNumber: ReadonlyMap<number, UdpPort>;
  readonly #byIndex: ReadonlyMap<number, UdpPort>;
  /** Those that may answer from a port that nobody asked. */
  readonly #straying: readonly UdpPort[];
  /** Datagrams to one address in a try, and those of the first that carry a credential. */
  readonly #perTry: { readonly free: number; readonly credentialed: number };

  constructor(options: HelloOptions) {
    this.#options = options;
    const { plan, schedule, devices, datagrams } = options;
    const probes = new Map<string, UdpProbe>(options.probes.map((probe) => [probe.id, probe]));
    this.#ports = [...schedule.udp, ...schedule.living.udp].map((index) => {
      const port = plan.ports[index] as UdpPlan;
      const probe = probes.get(port.protocol);
      if (probe === undefined) throw new Error(`no probe speaks ${port.protocol}`);
      return { index, plan: port, probe };
    });
    this.#byNumber = new Map(this.#ports.map((port) => [port.plan.port, port]));
    this.#byIndex = new Map(this.#ports.map((port) => [port.index, port]));
    this.#straying = this.#ports.filter(({ probe }) => probe.anyPort === true);
    const everywhere = this.#ports.filter((port) => port.plan.living !== true);
    const hello = everywhere.flatMap(({ index }) => this.of(index, 0, plan.hosts.at(0)));
    const credentialed = hello.filter(({ name }) => needsCredential(name)).length;
    this.#perTry = { free: hello.length - credentialed, credentialed };
    this.links = new Links(
      linksToAsk(attachedLinks(), plan.hosts, devices.reach.guard),
      this.#ports.flatMap(({ index, plan: { port }, probe: { link } }) => (link === undefined ? [] : [{ index, port, link }])),
      datagrams,
    );
  }

  /** Datagrams to one address in a try. */
  get perAddress(): number {
    return this.#perTry.free + this.#perTry.credentialed;
  }

  /** Packets that an endpoint is asked with in a try. */
  sizeOf(endpoint: number): number {
    const { state } = this.#options;
    return state.planOf(endpoint).transport === 'tcp' ? 1 : this.of(state.portIndexOf(endpoint), 0, state.addressOf(endpoint)).length;
  }

  /** The first words to an address at a port, by its place in the plan. */
  of(index: number, attempt: number, address: AddressNumber): readonly Datagram[] {
    return this.#port(index).probe.hello(attempt, random32, formatAddress(address));
  }

  /** Whether the first words at a port carry a credential of the operator's. */
  isCredentialed(index: number): boolean {
    return this.of(index, 0, this.#options.plan.hosts.at(0)).some(({ name }) => needsCredential(name));
  }

  /** Over how many milliseconds devices may spread their answers: at a port, or at any. */
  spreadMs(index?: number): number {
    const ports = index === undefined ? this.#ports : [this.#port(index)];
    return Math.max(0, ...ports.map(({ probe }) => probe.spreadMs ?? 0));
  }

  #port(index: number): UdpPort {
    return this.#byIndex.get(index) as UdpPort;
  }

  /** What of the first words, the most telling first, a device's account bears; takes it from there. `pass` is the one under way. */
  borne(endpoint: number, { attempt, pass }: { attempt: number; pass: number }, hello: readonly Datagram[]): readonly Datagram[] {
    const { state, devices, schedule } = this.#options;
    const address = state.addressOf(endpoint);
    const living = state.planOf(endpoint).living === true;
    // Until a device answers a datagram nothing is known of it, and what the sweep sends is not counted yet.
    const budget = living ? devices.at(address).budget : attempt === 0 ? undefined : devices.known(address)?.budget;
    if (budget === undefined || (!living && !budget.isSweepCounted)) return hello;
    this.countSweep(budget, pass);
    // One question in every protocol comes before a second in any, and the further tries of what everybody is asked are kept for.
    const tries = schedule.passes.slice(pass + 1).filter(isByAddress).length;
    const kept = living ? schedule.living.udp.filter((index) => this.#isToAsk(endpoint, index)).length + tries * this.#perTry.free : 0;
    return hello.filter(({ name }, i) =>
      needsCredential(name) ? budget.read() : i === 0 || !living ? budget.datagram() : budget.furtherDatagram(kept),
    );
  }

  /** Whether the host of an endpoint is still to be asked at another port. */
  #isToAsk(endpoint: number, index: number): boolean {
    const { state, inFlight } = this.#options;
    const other = state.endpoint(state.hostOf(endpoint), index);
    return other !== endpoint && !state.isSettled(other) && !state.isAsked(other) && !inFlight.has(other);
  }

  /** What the passes until now have sent to a device is on its account too. */
  countSweep(budget: Budget, pass: number): void {
    const { passes } = this.#options.schedule;
    const tries = passes.slice(0, pass + 1).filter(isByAddress).length;
    budget.countSweep(this.#perTry.free * tries, this.#perTry.credentialed);
  }

  /**
   * The port of the plan at which a host was asked for what comes from one of its ports: that port, or where answers may come from any, the one that they answer.
   * Undefined where it was not asked.
   */
  askedAt(host: number, from: number, bytes: Buffer): UdpPort | undefined {
    const usual = this.#byNumber.get(from);
    if (usual !== undefined && this.#wasAsked(host, usual)) return usual;
    return this.#straying.find((port) => this.#wasAsked(host, port) && port.probe.recognise(bytes) !== undefined);
  }

  /** Ports of every address are asked in time; those of living ones only where something was sent to them, or to their whole link. */
  #wasAsked(host: number, { index, plan }: UdpPort): boolean {
    const { state, inFlight } = this.#options;
    const endpoint = state.endpoint(host, index);
    return (
      plan.living !== true ||
      state.isAsked(endpoint) ||
      inFlight.has(endpoint) ||
      this.links.hasAsked(index, this.#options.plan.hosts.at(host))
    );
  }
}

function random32(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
