import type { AddressNumber } from '../targets/addresses.ts';

/** Small controllers drop or reboot under more. Where a TLS handshake takes long the device is given one. */
const CONNECTIONS_PER_DEVICE = 2;

/** Lets go of a connection's place. May be called more than once. */
export type Release = () => void;

/**
 * At most two TCP connections to one device at a time, those of the sweep counted. Every probe goes through here and most end in silence, so a place is a number,
 * and nothing else is made for it.
 */
export class Gates {
  /** Places taken, of devices that have any. */
  readonly #taken = new Map<AddressNumber, number>();
  /** Those that wait for a place, in their order; most devices never have any. */
  readonly #waiting = new Map<AddressNumber, (() => void)[]>();
  readonly #slow = new Set<AddressNumber>();

  /** True where a device has all the connections it may have, or others wait for them. */
  full(device: AddressNumber): boolean {
    const taken = this.#taken.get(device);
    return taken !== undefined && taken + (this.#waiting.get(device)?.length ?? 0) >= this.#places(device);
  }

  /** From now on one connection at a time. */
  slow(device: AddressNumber): void {
    this.#slow.add(device);
  }

  /** Takes a place, which {@link full} has told to be there; {@link leave} gives it back, once. */
  take(device: AddressNumber): void {
    this.#taken.set(device, (this.#taken.get(device) ?? 0) + 1);
  }

  leave(device: AddressNumber): void {
    const rest = (this.#taken.get(device) ?? 1) - 1;
    if (rest > 0) this.#taken.set(device, rest);
    else this.#taken.delete(device);
    if (rest >= this.#places(device)) return;
    const waiting = this.#waiting.get(device);
    const next = waiting?.shift();
    if (waiting?.length === 0) this.#waiting.delete(device);
    next?.();
  }

  /** Waits for a place; it is held until the release is called. */
  enter(device: AddressNumber): Promise<Release> {
    if ((this.#taken.get(device) ?? 0) < this.#places(device)) {
      this.take(device);
      return Promise.resolve(this.releaseOf(device));
    }
    const { promise, resolve } = Promise.withResolvers<Release>();
    let waiting = this.#waiting.get(device);
    if (waiting === undefined) this.#waiting.set(device, (waiting = []));
    waiting.push(() => {
      this.take(device);
      resolve(this.releaseOf(device));
    });
    return promise;
  }

  /** Lets go of a place that is taken; of that one only, however often it is called. */
  releaseOf(device: AddressNumber): Release {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.leave(device);
    };
  }

  #places(device: AddressNumber): number {
    return this.#slow.has(device) ? 1 : CONNECTIONS_PER_DEVICE;
  }
}
