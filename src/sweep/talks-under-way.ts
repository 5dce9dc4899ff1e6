/** The conversations that go on beside a sweep. */
export class TalksUnderWay {
  readonly #open = new Map<number, Promise<void>>();
  /** How many each host is in. */
  readonly #busy = new Map<number, number>();

  get size(): number {
    return this.#open.size;
  }

  /** The endpoints that are talked to. */
  get endpoints(): readonly number[] {
    return [...this.#open.keys()];
  }

  has(endpoint: number): boolean {
    return this.#open.has(endpoint);
  }

  isBusy(host: number): boolean {
    return this.#busy.has(host);
  }

  /** Takes note of one. What goes wrong in it on our side goes to `onFault`. */
  add(endpoint: number, host: number, conversation: Promise<void>, onFault: (error: unknown) => void): void {
    this.#busy.set(host, (this.#busy.get(host) ?? 0) + 1);
    this.#open.set(
      endpoint,
      conversation.catch(onFault).finally(() => {
        this.#open.delete(endpoint);
        const rest = (this.#busy.get(host) ?? 1) - 1;
        if (rest > 0) this.#busy.set(host, rest);
        else this.#busy.delete(host);
      }),
    );
  }

  /** Over when those are that are open now. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#open.values());
  }
}
