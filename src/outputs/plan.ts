import type { BudgetLimits } from '../sweep/budget.ts';
import type { Estimate } from '../sweep/cost.ts';
import type { SweepPlan } from '../sweep/plan.ts';
import { count, grouped, roughly } from '../text.ts';

/** What a sweep would send, how long it would take, and what it would not look at: a line each. */
export function planText(
  { hosts, ports, retries, coverage = 'auto' }: SweepPlan,
  { cost, packets, furtherPasses, rate, seconds }: Estimate,
  limits: Pick<BudgetLimits, 'connects' | 'requests' | 'datagrams'>,
): string {
  const living = ports.filter((plan) => plan.living === true).length;
  return [
    `${count(hosts.count, 'address', 'addresses')}, each at ${count(ports.length - living, 'port')}; at ${grouped(living)} more where there is a sign of life`,
    `where nothing answers: ${grouped(packets.first)} packets (${grouped(cost.silent)} to each address)${packets.further > 0 ? `, then ${grouped(packets.further)} in ${count(furtherPasses, 'further pass', 'further passes')} (${grouped(cost.again)} to each, a pass)` : ''}`,
    `in about ${roughly(seconds)}, at ${grouped(rate)} packets a second`,
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
