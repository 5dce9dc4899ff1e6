import type { AddressNumber } from '../targets/addresses.ts';
import type { Spent } from './budget.ts';
import type { Devices } from './device.ts';

const NOTHING: Spent = [0, 0, 0, 0, 0];

export interface SpendersOptions {
  readonly devices: Devices;
  readonly addressOf: (host: number) => AddressNumber;
  /** Whether somebody talks to a host, and how many datagrams the conversations with it have sent until now. */
  readonly isBusy: (host: number) => boolean;
  readonly talkingDatagrams: (host: number) => number;
}

/** What devices have cost, as the journal is told of it: a sweep that goes on after a kill goes on with their accounts. */
export class Spenders {
  readonly #options: SpendersOptions;
  /** Hosts that something was sent to on their account since a checkpoint, and what the last one told. */
  readonly #noted = new Set<number>();
  readonly #told = new Map<number, Spent>();

  constructor(options: SpendersOptions) {
    this.#options = options;
  }

  /** Something may have changed. */
  note(host: number): void {
    this.#noted.add(host);
  }

  restore(spent: Readonly<Record<string, Spent>>): void {
    const { devices, addressOf } = this.#options;
    for (const [host, one] of Object.entries(spent)) {
      devices.at(addressOf(Number(host))).budget.restore(one);
      this.#told.set(Number(host), one);
    }
  }

  /** By host, what has changed; undefined where nothing has. Without the conversations that are open: they are held again, and spend again. */
  changes(): Record<string, Spent> | undefined {
    const { devices, addressOf, isBusy, talkingDatagrams } = this.#options;
    const changed: Record<string, Spent> = {};
    for (const host of this.#noted) {
      let { spent } = devices.at(addressOf(host)).budget;
      const told = this.#told.get(host) ?? NOTHING;
      if (isBusy(host)) spent = [told[0], told[1], spent[2] - talkingDatagrams(host), told[3], spent[4]];
      else this.#noted.delete(host);
      if (spent.every((count, at) => count === told[at])) continue;
      this.#told.set(host, spent);
      changed[host] = spent;
    }
    return Object.keys(changed).length === 0 ? undefined : changed;
  }
}
