import type { Ledger } from '../../src/sweep/ledger.ts';
import { portSet } from '../../src/targets/known-ports.ts';

/** How many ports a default sweep asks of every address, and how many more of living ones. */
const ports = portSet('default');
const count = (transport: 'tcp' | 'udp', living: boolean): number =>
  ports.filter((plan) => plan.transport === transport && (plan.living === true) === living).length;

export const EVERYWHERE_TCP = count('tcp', false);
export const LIVING_TCP = count('tcp', true);
export const EVERYWHERE = EVERYWHERE_TCP + count('udp', false);
export const LIVING = LIVING_TCP + count('udp', true);

/** Whether `2362/udp` is asked of living addresses only. */
export function isLiving(name: string): boolean {
  return ports.some(({ port, transport, living }) => living === true && name === `${port}/${transport}`);
}

const SPENT = 'it has had all the datagrams that it may get';

/** Endpoints that were left out because a device that had much to say had used its account up: those of a management controller. */
export function spentOf(ledger: Ledger | undefined): { readonly count: number; readonly skipped: Readonly<Record<string, number>> } {
  const spent = ledger?.total.skipped[SPENT] ?? 0;
  return { count: spent, skipped: spent === 0 ? {} : { [SPENT]: spent } };
}
