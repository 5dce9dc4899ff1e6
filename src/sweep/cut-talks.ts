/** So often a conversation is begun anew at most. */
const MOST_TRIES = 3;

/**
 * Conversations whose device did not answer a connection while the path may have dropped it: those that are to be held again. A conversation is known by its
 * endpoint. Times are `performance.now()`.
 */
export class CutTalks {
  /** Cut off, and nothing says yet that it was the path. */
  #suspects: { readonly endpoint: number; readonly since: number; readonly isFinal: boolean }[] = [];
  readonly #waiting = new Set<number>();
  readonly #tries = new Map<number, number>();
  readonly #lost = new Set<number>();

  /** For the journal: those that are to be held again, and those that may be. */
  get endpoints(): readonly number[] {
    return [...this.#waiting, ...this.#suspects.filter(({ isFinal }) => !isFinal).map(({ endpoint }) => endpoint)];
  }
  /** How many are to be held again. */
  get size(): number {
    return this.#waiting.size;
  }
  /** How many were cut off for good. */
  get lost(): number {
    return this.#lost.size;
  }

  /** Cut off by a connection that was begun at a moment, in which the path is not known to have been choked. `isFinal`: it may not be held again. */
  suspect(endpoint: number, since: number, isFinal = false): void {
    this.#suspects.push({ endpoint, since, isFinal });
  }

  /** Whether one was cut off since a moment, and nothing says yet that it was the path. */
  isSuspectSince(moment: number): boolean {
    return this.#suspects.some(({ since }) => since >= moment);
  }

  /** Cut off by the path. */
  cut(endpoint: number, isFinal = false): void {
    (isFinal ? this.#lost : this.#waiting).add(endpoint);
  }

  /** The path has been choked since a moment: what was suspected since then was cut off by it. */
  keep(since: number): void {
    for (const suspect of this.#suspects) if (suspect.since >= since) this.cut(suspect.endpoint, suspect.isFinal);
    this.#suspects = [];
  }

  /** The path has borne what was sent before a moment: who did not answer then was not kept from it. */
  forget(before: number): void {
    if (this.#suspects.length > 0) this.#suspects = this.#suspects.filter(({ since }) => since >= before);
  }

  /** Takes out the next that may be held again; `mayTalk` tells whether the device's account bears it. One that it does not bear is lost. */
  next({ isBusy, mayTalk }: { isBusy: (endpoint: number) => boolean; mayTalk: (endpoint: number) => boolean }): number | undefined {
    for (const endpoint of this.#waiting) {
      if (isBusy(endpoint)) continue;
      this.#waiting.delete(endpoint);
      const tries = (this.#tries.get(endpoint) ?? 0) + 1;
      if (tries <= MOST_TRIES && mayTalk(endpoint)) {
        this.#tries.set(endpoint, tries);
        return endpoint;
      }
      this.#lost.add(endpoint);
    }
    return undefined;
  }
}
