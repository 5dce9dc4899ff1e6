/** What was asked within so long is forgotten together. */
const SLICE_MS = 250;
/** Endpoints that are remembered at most: 4 MB. */
const MOST = 2 ** 19;

/** Endpoints that were asked of late and have not answered, by time: what is asked again where it turns out that the packets were dropped on the way. */
export class Recent {
  readonly #most: number;
  #slices: { readonly from: number; readonly endpoints: number[] }[] = [];
  #size = 0;
  /** `performance.now()` up to which endpoints had to be forgotten for want of room. */
  #forgottenUntil = -Infinity;

  constructor(most = MOST) {
    this.#most = most;
  }

  /** Endpoints come in the order of their time, `performance.now()`. */
  add(endpoint: number, now: number): void {
    let slice = this.#slices.at(-1);
    if (slice === undefined || now - slice.from >= SLICE_MS) {
      slice = { from: now, endpoints: [] };
      this.#slices.push(slice);
    }
    slice.endpoints.push(endpoint);
    this.#size += 1;
    while (this.#size > this.#most && this.#slices.length > 1) this.#forgottenUntil = this.#drop();
  }

  /** Forgets what was asked before a moment, but for what is in the same slice. */
  forget(before: number): void {
    while ((this.#slices[1]?.from ?? Infinity) <= before) this.#drop();
  }

  /** All that was asked since a moment, and what is in the same slice. */
  since(moment: number): number[] {
    const first = this.#slices.findLastIndex(({ from }) => from <= moment);
    return this.#slices.slice(Math.max(0, first)).flatMap(({ endpoints }) => endpoints);
  }

  /** Takes out all that was asked since a moment; `isWhole` is false where some of that had to be forgotten before. */
  take(since: number): { readonly endpoints: readonly number[]; readonly isWhole: boolean } {
    this.forget(since);
    const endpoints = this.#slices.flatMap((slice) => slice.endpoints);
    this.#slices = [];
    this.#size = 0;
    return { endpoints, isWhole: since >= this.#forgottenUntil };
  }

  /** Drops the oldest slice; returns where the next begins. */
  #drop(): number {
    this.#size -= this.#slices.shift()?.endpoints.length ?? 0;
    return this.#slices[0]?.from ?? Infinity;
  }
}
