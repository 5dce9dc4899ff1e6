import type { HostSet } from '../targets/hosts.ts';
import type { KnownOpen } from '../targets/known-open.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import type { TimeWindow } from '../windows.ts';
import type { Coverage } from './coverage.ts';

/** What a sweep asks, and how fast. */
export interface SweepPlan {
  readonly hosts: HostSet;
  readonly ports: readonly PortPlan[];
  /** 32 bits: with a position, all that the order depends on. */
  readonly seed: number;
  /** Packets a second, over everything. */
  readonly rate: number;
  /** Packets a second to one /24. */
  readonly ratePerNetwork: number;
  /** Passes after the first. */
  readonly retries: number;
  /** `auto` where it is absent. That of `life` is in the ports already (`covered`). */
  readonly coverage?: Coverage;
  /** Where it is given, the only endpoints that are asked, beside what living addresses are asked at. */
  readonly only?: KnownOpen;
  /** Nothing new is sent outside of it. */
  readonly window?: TimeWindow;
}
