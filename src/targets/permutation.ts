/**
 * A seeded permutation of 0 … size - 1, computed one value at a time: no list is held, and seed + position is all that a resume or a shard needs.
 * A balanced Feistel network of four rounds over the next even number of bits, walked on until it lands inside (Black & Rogaway 2002, "cycle walking").
 */
export class Permutation {
  readonly size: number;
  readonly #half: number;
  readonly #mask: number;
  readonly #keys: readonly number[];

  /** @param size at most 2^48 @param seed any 32-bit number */
  constructor(size: number, seed: number) {
    if (!Number.isSafeInteger(size) || size < 0 || size > 2 ** 48) throw new RangeError(`a permutation of ${size} values`);
    this.size = size;
    this.#half = Math.max(1, Math.ceil(Math.ceil(Math.log2(Math.max(2, size))) / 2));
    this.#mask = 2 ** this.#half - 1;
    this.#keys = [1, 2, 3, 4].map((round) => mix((seed ^ Math.imul(round, 0x9e3779b9)) >>> 0));
  }

  /** The value at a position. */
  at(position: number): number {
    let value = position;
    do value = this.#once(value);
    while (value >= this.size);
    return value;
  }

  #once(value: number): number {
    const base = this.#mask + 1;
    let left = Math.floor(value / base);
    let right = value % base;
    for (const key of this.#keys) {
      const next = left ^ (mix((right + key) >>> 0) & this.#mask);
      left = right;
      right = next;
    }
    return left * base + right;
  }
}

/** A 32-bit mixer with full avalanche (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
