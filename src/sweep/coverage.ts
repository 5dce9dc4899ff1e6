import type { PortPlan } from '../targets/port-plan.ts';

/**
 * How much of the address space is looked at, and how often. `auto`: every port of every address, and silent addresses once more where they are few.
 * `full`: every port of every address, and of the silent ones again in each further pass. `life`: the ports that most devices answer at of every
 * address, the others of those that gave a sign of life.
 */
export const COVERAGES = ['auto', 'full', 'life'] as const;
export type Coverage = (typeof COVERAGES)[number];

/** Silent addresses get a second try at these ports only: it finds what 1 % loss hid at a third of the packets (docs/sweep.md). */
export const PRIORITY_PORTS: ReadonlySet<number> = new Set([80, 443, 5900, 8443]);
/** Up to so many addresses every one is tried again; above, those that showed a sign of life. */
const RETRY_SILENT_UP_TO = 4096;

/** Which of some TCP ports a silent address is asked at first, and again: indexes. The first few of a list that has none of the usual ones. */
export function priorityOf(ports: readonly PortPlan[], tcp: readonly number[]): ReadonlySet<number> {
  const known = tcp.filter((index) => PRIORITY_PORTS.has(ports[index]?.port ?? 0));
  return new Set(known.length > 0 ? known : tcp.slice(0, PRIORITY_PORTS.size));
}

/** Whether addresses from which nothing came are asked again in a further pass. */
export function retriesSilent(addresses: number, coverage: Coverage): boolean {
  return coverage === 'full' || addresses <= RETRY_SILENT_UP_TO;
}

/** The ports of a sweep that covers so much: with `life` those beside the usual ones are asked where there is a sign of life only. */
export function covered(ports: readonly PortPlan[], coverage: Coverage): PortPlan[] {
  if (coverage !== 'life') return [...ports];
  const tcp = [...ports.keys()].filter((index) => ports[index]?.transport === 'tcp' && ports[index]?.living !== true);
  const first = priorityOf(ports, tcp);
  return ports.map((plan, index) => (tcp.includes(index) && !first.has(index) ? { ...plan, living: true } : plan));
}
