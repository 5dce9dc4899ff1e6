import type { PortPlan } from '../targets/port-plan.ts';
import type { UdpProbe } from './contract.ts';
import { RoundTrip } from './pace.ts';
import { PRIORITY_PORTS, RETRY_SILENT_UP_TO } from './schedule.ts';

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
export function costOf(ports: readonly PortPlan[], probes: readonly UdpProbe[]): Cost {
  const packets = (plan: PortPlan): number => (plan.transport === 'tcp' ? 1 : helloSizes(plan, probes).length);
  const sum = (plans: readonly PortPlan[]): number => plans.reduce((all, plan) => all + packets(plan), 0);
  const everywhere = ports.filter(({ living }) => living !== true);
  const tcp = everywhere.filter(({ transport }) => transport === 'tcp');
  const priority = tcp.filter(({ port }) => PRIORITY_PORTS.has(port));
  return {
    silent: sum(everywhere),
    again:
      sum(everywhere.filter(({ transport }) => transport === 'udp')) +
      (priority.length > 0 ? priority.length : Math.min(tcp.length, PRIORITY_PORTS.size)),
    living: sum(ports.filter(({ living }) => living === true)),
  };
}

/** The bytes of each datagram that a UDP port is greeted with. */
export function helloSizes({ protocol }: PortPlan, probes: readonly UdpProbe[]): number[] {
  const probe = probes.find(({ id }) => id === protocol);
  return probe === undefined ? [] : probe.hello(0, () => 0).map(({ bytes }) => bytes.length);
}

/** About how long a sweep of so many silent addresses takes, in seconds: the packets at the rate, and a time-out at the end of each pass. */
export function secondsFor(addresses: number, { silent, again }: Cost, { rate, retries }: { rate: number; retries: number }): number {
  const passes = addresses <= RETRY_SILENT_UP_TO ? retries : 0;
  return (addresses * (silent + passes * again)) / rate + ((1 + passes) * RoundTrip.CEILING_MS) / 1000;
}
