import { NO_LIFE, type Schedule } from './schedule.ts';
import type { SweepState } from './state.ts';

/** Walks over endpoints yield to the event loop after so many. */
export const WALK = 8192;

/** Where a sweep stands when its account is closed. */
export interface Standing {
  readonly schedule: Schedule;
  readonly state: SweepState;
  readonly hosts: number;
  /** How far it came: the pass, and the place in its order. */
  readonly pass: number;
  readonly position: number;
  /** Endpoints on their way, with the attempt. */
  readonly inFlight: ReadonlyMap<number, number>;
  /** Endpoints that were drawn in a first attempt and sent nothing. */
  readonly held: ReadonlySet<number>;
  /** Why it was ended early, if it was. */
  readonly stopped: string | undefined;
  /** Lets the event loop turn. */
  readonly turn: () => Promise<void>;
}

/** Every endpoint that has no outcome yet gets one, by looking at it: nothing here is computed by taking one count from another. */
export async function closeAccount(standing: Standing): Promise<void> {
  const { schedule, state, pass, position, inFlight, held } = standing;
  let walked = 0;
  for (const [at, one] of schedule.passes.entries()) {
    if (one.living || one.attempt > 0) continue;
    const order = schedule.orderOf(at);
    for (let place = 0; place < order.size; place += 1) {
      const isBefore = at < pass || (at === pass && place < position);
      for (const endpoint of schedule.endpointsOf(one, order.at(place), state)) {
        if (state.isSettled(endpoint)) continue;
        const wasReached = isBefore && !held.has(endpoint);
        const attempt = inFlight.get(endpoint);
        if (attempt !== undefined && wasReached) schedule.countAsked(endpoint, attempt, state);
        close(standing, endpoint, wasReached);
      }
      walked += 1;
      if (walked % WALK === 0) await standing.turn();
    }
  }
  await closeLiving(standing);
}

/** The same at the ports that only living addresses are asked at. */
async function closeLiving(standing: Standing): Promise<void> {
  const { schedule, state, inFlight, hosts } = standing;
  const ports = [...schedule.living.tcp, ...schedule.living.udp];
  if (ports.length === 0) return;
  let dead = 0;
  for (let host = 0; host < hosts; host += 1) {
    if (!state.isAlive(host)) dead += 1;
    else
      for (const endpoint of ports.map((port) => state.endpoint(host, port))) {
        if (state.isSettled(endpoint)) continue;
        const attempt = inFlight.get(endpoint);
        if (attempt !== undefined) schedule.countAsked(endpoint, attempt, state);
        close(standing, endpoint, true);
      }
    if (host % WALK === WALK - 1) await standing.turn();
  }
  for (const port of ports) state.closeSkipped(port, dead, NO_LIFE);
}

function close({ schedule, state, inFlight, stopped }: Standing, endpoint: number, wasReached: boolean): void {
  state.close(endpoint, schedule.fateOf(endpoint, { wasReached, isOpen: inFlight.has(endpoint), stopped }, state));
}
