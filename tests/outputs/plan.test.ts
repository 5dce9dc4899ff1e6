import { expect, test } from 'vitest';
import { planText } from '../../src/outputs/plan.ts';
import { udpProbes } from '../../src/probes/index.ts';
import { DEFAULT_BUDGET } from '../../src/sweep/budget.ts';
import { estimate } from '../../src/sweep/cost.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parseRange } from '../../src/targets/parse.ts';
import { parsePorts } from '../../src/targets/ports.ts';
import { parseWindow, type TimeWindow } from '../../src/windows.ts';

test.for([
  { window: '22:00-05:00', rate: 2000, says: '1 night, because of the window daily 22:00-05:00 UTC' },
  { window: '22:00-23:00', rate: 100, says: '3 nights, because of the window daily 22:00-23:00 UTC' },
  { window: 'Sat 0:00-24:00', rate: 100, says: '1 night, because of the window Sat 0:00-24:00 UTC' },
  { window: undefined, rate: 100, says: undefined },
])('how many nights a sweep of a /16 takes: $window at $rate a second', ({ window, rate, says }) => {
  const plan = {
    hosts: new HostSet([parseRange('10.20.0.0/16') as never]),
    ports: parsePorts('80,443,5000,5900,5901,8080,8443,8888,U:161,U:623').ports,
    seed: 1,
    rate,
    ratePerNetwork: 1000,
    retries: 1,
    ...(window === undefined ? {} : { window: parseWindow(window, 'UTC') as TimeWindow }),
  };
  const text = planText(plan, estimate(plan, udpProbes), DEFAULT_BUDGET);
  if (says === undefined) expect(text).not.toContain('night');
  else expect(text.split('\n')).toContain(says);
});
