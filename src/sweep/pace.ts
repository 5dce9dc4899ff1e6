import { type AddressNumber } from '../targets/addresses.ts';

/** At most this many packets leave in one turn of the event loop: bursts overflow switch buffers and delay everything else here. */
const BURST = 64;

/** A token bucket in packets per second. */
export class Bucket {
  rate: number;
  #tokens: number;
  #at: number;
  constructor(rate: number, now: number, burst = BURST) {
    this.rate = rate;
    this.#tokens = Math.min(burst, rate);
    this.#at = now;
  }
  /** Packets that may leave now, at most a burst. */
  available(now: number): number {
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#at) * this.rate) / 1000);
    this.#at = now;
    return Math.max(0, Math.floor(this.#tokens));
  }
  take(packets: number): void {
    this.#tokens -= packets;
  }
}

/**
 * How fast packets leave: one bucket over everything, and one for each /24 (IPv6: /64), so that random order over many networks does not hide
 * a burst on one of them.
 */
export class Pace {
  readonly bucket: Bucket;
  readonly #perNetwork: number;
  readonly #networks = new Map<number | bigint, Bucket>();
  constructor(rate: number, perNetwork: number, now: number) {
    this.bucket = new Bucket(rate, now);
    this.#perNetwork = perNetwork;
  }

  get rate(): number {
    return this.bucket.rate;
  }
  set rate(rate: number) {
    this.bucket.rate = rate;
  }

  /** Whether a packet may leave for this address now; takes it from both buckets if so. The caller has asked the first bucket how many. */
  admit(address: AddressNumber, packets: number, now: number): boolean {
    if (this.#perNetwork < this.bucket.rate) {
      const network = networkOf(address);
      let bucket = this.#networks.get(network);
      if (bucket === undefined) {
        if (this.#networks.size >= 4096) this.#networks.clear();
        bucket = new Bucket(this.#perNetwork, now);
        this.#networks.set(network, bucket);
      }
      if (bucket.available(now) < packets) return false;
      bucket.take(packets);
    }
    this.bucket.take(packets);
    return true;
  }
}

/** The /24 of an IPv4 address, the /64 of an IPv6 one: a rate of its own holds for each. */
export function networkOf(address: AddressNumber): number | bigint {
  return typeof address === 'number' ? address >>> 8 : address >> 64n;
}

/** Time-outs that follow the network: srtt + 4 x rttvar (RFC 6298), never above the kernel's first SYN retransmit. */
export class RoundTrip {
  static readonly FLOOR_MS = 300;
  static readonly CEILING_MS = 800;
  #srtt: number | undefined;
  #rttvar = 0;

  /** A time from request to answer, in milliseconds. */
  sample(ms: number): void {
    if (this.#srtt === undefined) {
      this.#srtt = ms;
      this.#rttvar = ms / 2;
    } else {
      this.#rttvar += (Math.abs(ms - this.#srtt) - this.#rttvar) / 4;
      this.#srtt += (ms - this.#srtt) / 8;
    }
  }

  /** What answers take, the slow ones included, in milliseconds; undefined until something has answered. */
  get answerMs(): number | undefined {
    return this.#srtt === undefined ? undefined : this.#srtt + 4 * this.#rttvar;
  }

  /** How long to wait for an answer to a first try, in milliseconds: the ceiling until something has answered. */
  get timeoutMs(): number {
    return Math.min(RoundTrip.CEILING_MS, Math.max(RoundTrip.FLOOR_MS, this.answerMs ?? RoundTrip.CEILING_MS));
  }
}
