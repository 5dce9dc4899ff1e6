import { type AddressNumber } from '../targets/addresses.ts';
import { Bits } from './bits.ts';

/** At most this many packets leave in one turn of the event loop: bursts overflow switch buffers and delay everything else here. */
const BURST = 64;
/** What could not leave because the loop was held up for so long leaves after it: within a second the rate is exceeded by so much at most. */
const CATCH_UP_S = 0.02;

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
    const most = Math.max(BURST, this.rate * CATCH_UP_S);
    this.#tokens = Math.min(most, this.#tokens + ((now - this.#at) * this.rate) / 1000);
    this.#at = now;
    return Math.min(BURST, Math.max(0, Math.floor(this.#tokens)));
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

/** Sizes up to which it is remembered when each host was asked: 2 bytes a host. In larger sweeps one more time-out at the end is nothing. */
const MOST_TIMED = 2 ** 21;
/** Of a host's clock, in milliseconds: 17 minutes and it begins again. */
const TICK_MS = 16;
/** An answer that took no longer than this part of a time-out speaks for the time-out. */
const MARGIN = 3;

/** How long answers of a host are waited for: a first one as of all; further ones as of all where it has answered well within that, and the most there is otherwise. */
export class HostTimes {
  readonly #all = new RoundTrip();
  readonly #quick: Bits;
  readonly #late: Bits;
  readonly #askedAt: Uint16Array;

  constructor(hosts: number) {
    this.#quick = new Bits(hosts);
    this.#late = new Bits(hosts);
    this.#askedAt = new Uint16Array(hosts <= MOST_TIMED ? hosts : 0);
  }

  /** A host took so many milliseconds to answer a connection. */
  connected(host: number, ms: number): void {
    this.#all.sample(ms);
    this.#took(host, ms);
  }

  /** A datagram went to a host, at `performance.now()`. */
  asked(host: number, now: number): void {
    if (host < this.#askedAt.length) this.#askedAt[host] = Math.floor(now / TICK_MS);
  }

  /** A datagram came from a host: what it took is counted from the last one that went there, which it may not answer. */
  answered(host: number, now: number): void {
    if (host < this.#askedAt.length) this.#took(host, ((Math.floor(now / TICK_MS) - (this.#askedAt[host] as number)) & 0xffff) * TICK_MS);
  }

  #took(host: number, ms: number): void {
    if (ms * MARGIN <= this.firstMs) this.#quick.add(host);
    else this.#late.add(host);
  }

  /** What answers take, in milliseconds; undefined until something has answered a connection. */
  get answerMs(): number | undefined {
    return this.#all.answerMs;
  }

  /** For a first try, in milliseconds. */
  get firstMs(): number {
    return this.#all.timeoutMs;
  }

  /** For a further one. */
  furtherMs(host: number): number {
    return this.#quick.has(host) && !this.#late.has(host) ? this.firstMs : RoundTrip.CEILING_MS;
  }
}
