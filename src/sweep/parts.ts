import type { Datagrams } from './datagrams.ts';
import type { Devices } from './device.ts';
import type { Guards } from './guards.ts';
import type { SweepHandlers } from './handlers.ts';
import type { Hellos } from './hellos.ts';
import type { LinkWatch } from './link-watch.ts';
import type { HostTimes, Pace } from './pace.ts';
import type { PathGuard } from './path-guard.ts';
import type { SweepPlan } from './plan.ts';
import type { Schedule } from './schedule.ts';
import type { SweepState } from './state.ts';
import type { Spenders } from './spenders.ts';
import type { TalksUnderWay } from './talks-under-way.ts';

/** What sending and receiving in one sweep share. */
export interface SweepParts {
  readonly plan: SweepPlan;
  readonly schedule: Schedule;
  readonly state: SweepState;
  readonly devices: Devices;
  readonly handlers: SweepHandlers;
  readonly datagrams: Datagrams;
  readonly hellos: Hellos;
  readonly link: LinkWatch;
  readonly path: PathGuard;
  readonly guards: Guards;
  readonly pace: Pace;
  readonly times: HostTimes;
  readonly underWay: TalksUnderWay;
  readonly spenders: Spenders;
  /** Endpoints on their way, with the attempt. */
  readonly inFlight: Map<number, number>;
  /** The place in the schedule of the pass that is under way, or was the last. */
  readonly pass: () => number;
  /** Takes note of a conversation. */
  readonly talk: (endpoint: number, conversation: Promise<void>) => void;
  /** A fault of ours ends the sweep; faults of devices never come here. */
  readonly fail: (error: unknown) => void;
}
