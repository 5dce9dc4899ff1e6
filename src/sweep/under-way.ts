import { packNumbers, unpackNumbers } from './bits.ts';
import { RoundTrip } from './pace.ts';
import type { Schedule } from './schedule.ts';
import type { Changes, Checkpoint, SweepState } from './state.ts';

/** Of the packets of a sweep so much may leave between two checkpoints: a process that is killed has it sent again. */
const BETWEEN = 1 / 800;
/** Of the packets of a sweep so much may be on its way, and be asked again when the process is killed. */
const ON_THE_WAY = 1 / 250;
/** In a small network that would be less than the time in which slow devices answer. */
const LEAST_MS = 100;
/** The same by what answers take. */
const LEAST_ANSWERS = 3;

/** How much a sweep sends where nothing answers, and how fast. */
export interface Extent {
  readonly packets: number;
  /** Packets a second. */
  readonly rate: number;
}

/** Packets that leave at most before the next checkpoint is due. */
export function packetsBetween({ packets }: Extent): number {
  return packets * BETWEEN;
}

/**
 * How long a try must have been waited for to count as one where the process is killed then, in milliseconds; a shorter one is made again by a resume.
 * In a large network that is longer than any time-out. Without further passes each try is the only one, and all are made to their end.
 * @param answerMs what answers take (`RoundTrip`); undefined where none has come, so that nothing is known
 */
export function enoughMs({ packets, rate }: Extent, { retries, answerMs }: { retries: number; answerMs: number | undefined }): number {
  if (retries === 0 || answerMs === undefined) return Infinity;
  return Math.max(LEAST_MS, LEAST_ANSWERS * answerMs, (packets * ON_THE_WAY * 1000) / rate);
}

/** A set of endpoints as the journal tells of it: what has changed since the checkpoint before. Many come and go between two of them. */
export class ToldSet {
  readonly #now = new Set<number>();
  readonly #told = new Set<number>();
  #touched = new Set<number>();

  has(endpoint: number): boolean {
    return this.#now.has(endpoint);
  }

  add(endpoint: number): void {
    this.#now.add(endpoint);
    this.#touched.add(endpoint);
  }

  delete(endpoint: number): void {
    if (this.#now.delete(endpoint)) this.#touched.add(endpoint);
  }

  /** Undefined where nothing has changed. */
  changes(): Changes | undefined {
    const [added, ended]: [number[], number[]] = [[], []];
    for (const endpoint of this.#touched) {
      const isThere = this.#now.has(endpoint);
      if (isThere === this.#told.has(endpoint)) continue;
      (isThere ? added : ended).push(endpoint);
      if (isThere) this.#told.add(endpoint);
      else this.#told.delete(endpoint);
    }
    this.#touched = new Set();
    return added.length === 0 && ended.length === 0 ? undefined : { added: packNumbers(added), ended: packNumbers(ended) };
  }
}

/** The endpoints that were drawn and not finished at the end of a journal. @param checkpoints all of it, in order */
export function openAtEnd(checkpoints: readonly Checkpoint[]): number[] {
  const open = new Set<number>();
  for (const { isFirst, open: changes } of checkpoints) {
    if (isFirst === true) open.clear();
    for (const endpoint of unpackNumbers(changes?.ended ?? '')) open.delete(endpoint);
    for (const endpoint of unpackNumbers(changes?.added ?? '')) open.add(endpoint);
  }
  return [...open];
}

/**
 * The endpoints that were asked over UDP shortly before the end of a journal and have not answered: the answer may have come when nobody heard it any more.
 * @param enough of {@link enoughMs}
 */
export function lastAsked(
  checkpoints: readonly Checkpoint[],
  enough: number,
  { schedule, state }: { schedule: Schedule; state: SweepState },
): number[] {
  const last = checkpoints.at(-1);
  if (last === undefined) return [];
  const from = drawnBefore(checkpoints, last.ms - Math.min(enough, RoundTrip.CEILING_MS));
  const endpoints = new Set<number>();
  for (const [at, pass] of schedule.passes.entries()) {
    if (pass.transport !== 'udp' || at < from.pass || at > last.pass) continue;
    const order = schedule.orderOf(at);
    const end = at === last.pass ? last.position : order.size;
    let position = schedule.skip(pass, at === from.pass ? from.position : 0, state);
    while (position < end) {
      for (const endpoint of schedule.endpointsOf(pass, order.at(position), state))
        if (pass.living ? state.isAsked(endpoint) && !state.isSettled(endpoint) : schedule.asks(pass, endpoint, state))
          endpoints.add(endpoint);
      position = schedule.skip(pass, position + 1, state);
    }
  }
  return [...endpoints];
}

/** How far a sweep had come at a moment of the process that wrote the last checkpoints: before it, rather than after. */
function drawnBefore(checkpoints: readonly Checkpoint[], moment: number): { readonly pass: number; readonly position: number } {
  for (let at = checkpoints.length - 1; at >= 0; at -= 1) {
    const { ms, isFirst } = checkpoints[at] as Checkpoint;
    if (ms <= moment) return checkpoints[at] as Checkpoint;
    // Where that process began, the one before had ended.
    if (isFirst === true) return checkpoints[at - 1] ?? { pass: 0, position: 0 };
  }
  return { pass: 0, position: 0 };
}
