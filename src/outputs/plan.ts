import type { BudgetLimits } from '../sweep/budget.ts';
import type { Estimate } from '../sweep/cost.ts';
import type { SweepPlan } from '../sweep/plan.ts';
import type { KnownOpen } from '../targets/known-open.ts';
import { windowSeconds } from '../windows.ts';
import { count, grouped, roughly } from '../text.ts';

/** What a sweep would send, how long it would take, and what it would not look at: a line each. */
export function planText(
  { hosts, ports, retries, coverage = 'auto', only, window }: SweepPlan,
  { cost, packets, furtherPasses, rate, seconds }: Estimate,
  limits: Pick<BudgetLimits, 'connects' | 'requests' | 'datagrams'>,
): string {
  const living = ports.filter((plan) => plan.living === true).length;
  return [
    only === undefined
      ? `${count(hosts.count, 'address', 'addresses')}, each at ${count(ports.length - living, 'port')}; at ${grouped(living)} more where there is a sign of life`
      : `${count(hosts.count, 'address', 'addresses')} at the ${grouped(sizeOf(only))} endpoints that the targets name; at ${grouped(living)} more ports where there is a sign of life`,
    `where nothing answers: ${grouped(packets.first)} packets${only === undefined ? ` (${grouped(cost.silent)} to each address)` : ''}${packets.further > 0 ? `, then ${grouped(packets.further)} in ${count(furtherPasses, 'further pass', 'further passes')}${only === undefined ? ` (${grouped(cost.again)} to each, a pass)` : ''}` : ''}`,
    `in about ${roughly(seconds)}, at ${grouped(rate)} packets a second`,
    ...(window === undefined
      ? []
      : [`${count(Math.ceil(seconds / windowSeconds(window)), 'night')}, because of the window ${window.text}`]),
    `each address that lives: at most ${grouped(cost.living)} packets, ${grouped(limits.connects)} connections, ${grouped(limits.requests)} requests and ${grouped(limits.datagrams)} datagrams more`,
    ...(retries > 0 && furtherPasses === 0
      ? ['silent addresses are asked once: a lost packet may hide one (--coverage full asks them again)']
      : []),
    ...(coverage === 'life'
      ? ['an address whose only open port is one of those that living ones are asked at is not found (--coverage life)']
      : []),
    '',
  ].join('\n');
}

function sizeOf(only: KnownOpen): number {
  return [...only.values()].reduce((sum, known) => sum + known.size, 0);
}
