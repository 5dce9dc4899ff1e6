import type { AddressRange } from '../targets/addresses.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import type { UdpProbe } from './contract.ts';
import { type Coverage, priorityOf, retriesSilent } from './coverage.ts';
import { networkOf, RoundTrip } from './pace.ts';
import type { SweepPlan } from './plan.ts';

/** Packets that leave for one address. */
export interface Cost {
  /** To one that gives no sign of life, in the first pass. */
  readonly silent: number;
  /** To the same in each further pass, where it gets any (docs/sweep.md). */
  readonly again: number;
  /** To one that gave a sign of life, at the ports that only those are asked at. */
  readonly living: number;
}

/** What a set of ports costs, by address. Conversations with what answers come on top of it. */
export function costOf(ports: readonly PortPlan[], probes: readonly UdpProbe[], coverage: Coverage = 'auto'): Cost {
  const packets = (plan: PortPlan): number => (plan.transport === 'tcp' ? 1 : helloSizes(plan, probes).length);
  const sum = (plans: readonly PortPlan[]): number => plans.reduce((all, plan) => all + packets(plan), 0);
  const everywhere = ports.filter(({ living }) => living !== true);
  const tcp = [...everywhere.keys()].filter((index) => everywhere[index]?.transport === 'tcp');
  const silent = sum(everywhere);
  return {
    silent,
    again: coverage === 'full' ? silent : sum(everywhere.filter(({ transport }) => transport === 'udp')) + priorityOf(everywhere, tcp).size,
    living: sum(ports.filter(({ living }) => living === true)),
  };
}

/** The bytes of each datagram that a UDP port is greeted with. */
export function helloSizes({ protocol }: PortPlan, probes: readonly UdpProbe[]): number[] {
  const probe = probes.find(({ id }) => id === protocol);
  return probe === undefined ? [] : probe.hello(0, () => 0).map(({ bytes }) => bytes.length);
}

/** What a sweep costs where nothing answers; what answers comes on top. */
export interface Estimate {
  readonly cost: Cost;
  /** Packets in the first pass, and in all further ones. */
  readonly packets: { readonly first: number; readonly further: number };
  /** Passes in which silent addresses are asked again. */
  readonly furtherPasses: number;
  /** Packets a second: the rate of the plan, or what the rates to its /24s (IPv6: /64) come to. */
  readonly rate: number;
  /** The packets at that rate, and a time-out at the end of each pass. */
  readonly seconds: number;
}

/** The model of a sweep in which nothing answers (docs/sweep.md); of addresses beyond a router, since a neighbour table may set a lower pace. */
export function estimate(
  {
    hosts,
    ports,
    rate,
    ratePerNetwork,
    retries,
    coverage = 'auto',
  }: Pick<SweepPlan, 'hosts' | 'ports' | 'rate' | 'ratePerNetwork' | 'retries' | 'coverage'>,
  probes: readonly UdpProbe[],
): Estimate {
  const cost = costOf(ports, probes, coverage);
  const furtherPasses = retriesSilent(hosts.count, coverage) ? retries : 0;
  const packets = { first: hosts.count * cost.silent, further: hosts.count * furtherPasses * cost.again };
  const atOnce = Math.min(rate, networksIn(hosts.ranges) * ratePerNetwork);
  return {
    cost,
    packets,
    furtherPasses,
    rate: atOnce,
    seconds: (packets.first + packets.further) / atOnce + ((1 + furtherPasses) * RoundTrip.CEILING_MS) / 1000,
  };
}

/** How many /24s (IPv6: /64s) sorted ranges touch. */
function networksIn(ranges: readonly AddressRange[]): number {
  let networks = 0;
  let before: number | bigint | undefined;
  for (const { first, last } of ranges) {
    const from = networkOf(first);
    const to = networkOf(last);
    // A network that two ranges share is counted with the first.
    networks += Number(to) - Number(from) + (from === before ? 0 : 1);
    before = to;
  }
  return networks;
}
