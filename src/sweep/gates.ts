import pLimit, { type LimitFunction } from 'p-limit';

/** Small controllers drop or reboot under more. Where a TLS handshake takes long the device is given one. */
const CONNECTIONS_PER_DEVICE = 2;

/** Lets go of a connection's place. May be called more than once. */
export type Release = () => void;

/** At most two TCP connections to one device at a time, those of the sweep counted. */
export class Gates {
  readonly #gates = new Map<string, LimitFunction>();
  readonly #slow = new Set<string>();

  /** True where a device has all the connections it may have. */
  full(host: string): boolean {
    const gate = this.#gates.get(host);
    return gate !== undefined && gate.activeCount + gate.pendingCount >= gate.concurrency;
  }

  /** From now on one connection at a time. */
  slow(host: string): void {
    this.#slow.add(host);
    const gate = this.#gates.get(host);
    if (gate !== undefined) gate.concurrency = 1;
  }

  /** Waits for a place; it is held until the release is called. */
  enter(host: string): Promise<Release> {
    let gate = this.#gates.get(host);
    if (gate === undefined) {
      gate = pLimit(this.#slow.has(host) ? 1 : CONNECTIONS_PER_DEVICE);
      this.#gates.set(host, gate);
    }
    const { promise: entered, resolve: enter } = Promise.withResolvers<Release>();
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const mine = gate;
    void mine(() => {
      enter(leave);
      return left;
    }).then(() => {
      if (mine.activeCount + mine.pendingCount === 0 && this.#gates.get(host) === mine) this.#gates.delete(host);
    });
    return entered;
  }
}
