/** Small controllers drop or reboot under more. Where a TLS handshake takes long the device is given one. */
const CONNECTIONS_PER_DEVICE = 2;

/** Lets go of a connection's place. May be called more than once. */
export type Release = () => void;

/** Of one device, while it has connections. */
interface Gate {
  places: number;
  active: number;
  /** Those that wait for a place, in their order; most devices never have any. */
  waiting: (() => void)[] | undefined;
}

/**
 * At most two TCP connections to one device at a time, those of the sweep counted. Every probe goes through here and most find an empty place, so nothing is
 * made for one but its release.
 */
export class Gates {
  readonly #gates = new Map<string, Gate>();
  readonly #slow = new Set<string>();

  /** True where a device has all the connections it may have. */
  full(host: string): boolean {
    const gate = this.#gates.get(host);
    return gate !== undefined && gate.active + (gate.waiting?.length ?? 0) >= gate.places;
  }

  /** From now on one connection at a time. */
  slow(host: string): void {
    this.#slow.add(host);
    const gate = this.#gates.get(host);
    if (gate !== undefined) gate.places = 1;
  }

  /** Waits for a place; it is held until the release is called. */
  enter(host: string): Promise<Release> {
    const gate = this.#gateOf(host);
    if (gate.active < gate.places) return Promise.resolve(this.#take(host, gate));
    return new Promise((resolve) => {
      (gate.waiting ??= []).push(() => resolve(this.#take(host, gate)));
    });
  }

  #gateOf(host: string): Gate {
    let gate = this.#gates.get(host);
    if (gate === undefined) {
      gate = { places: this.#slow.has(host) ? 1 : CONNECTIONS_PER_DEVICE, active: 0, waiting: undefined };
      this.#gates.set(host, gate);
    }
    return gate;
  }

  #take(host: string, gate: Gate): Release {
    let isHeld = true;
    gate.active += 1;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      gate.active -= 1;
      if (gate.active < gate.places) gate.waiting?.shift()?.();
      if (gate.active === 0) this.#gates.delete(host);
    };
  }
}
