import { expect } from 'vitest';
import { portSet } from '../../src/targets/known-ports.ts';

/** How many ports a default sweep asks of every address, and how many more of living ones. */
const ports = portSet('default');
const count = (transport: 'tcp' | 'udp', living: boolean): number =>
  ports.filter((plan) => plan.transport === transport && (plan.living === true) === living).length;

export const EVERYWHERE_TCP = count('tcp', false);
export const LIVING_TCP = count('tcp', true);
export const EVERYWHERE = EVERYWHERE_TCP + count('udp', false);
const LIVING_UDP = count('udp', true);
export const LIVING = LIVING_TCP + LIVING_UDP;

/** Whether only living addresses are asked at a port: `5353/udp`. */
export function isLiving(port: string): boolean {
  return ports.some((plan) => port === `${plan.port}/${plan.transport}` && plan.living === true);
}

const SPENT = 'it has had all the datagrams that it may get';

/**
 * What is skipped because a device's account of datagrams is used up, as it stands in a ledger: a controller that answers IPMI has had more than half of it before
 * it is asked at the ports of living addresses. Nobody else has.
 */
export function spentOn(controllers: number, skipped: Readonly<Record<string, number>> = {}): Record<string, number> {
  const spent = skipped[SPENT] ?? 0;
  expect(spent, SPENT).toBeLessThanOrEqual(controllers * LIVING_UDP);
  return spent === 0 ? {} : { [SPENT]: spent };
}

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}
