import { portSet } from '../../src/targets/known-ports.ts';

/** How many ports a default sweep asks of every address, and how many more of living ones. */
const ports = portSet('default');
const count = (transport: 'tcp' | 'udp', living: boolean): number =>
  ports.filter((plan) => plan.transport === transport && (plan.living === true) === living).length;

export const EVERYWHERE_TCP = count('tcp', false);
export const LIVING_TCP = count('tcp', true);
export const EVERYWHERE = EVERYWHERE_TCP + count('udp', false);
export const LIVING = LIVING_TCP + count('udp', true);
