/** A set of numbers 0 … size - 1, one bit each. */
export class Bits {
  readonly #words: Uint8Array;
  constructor(size: number) {
    this.#words = new Uint8Array(Math.ceil(size / 8));
  }
  has(index: number): boolean {
    return ((this.#words[Math.floor(index / 8)] as number) & (1 << (index % 8))) !== 0;
  }
  /** The first number from `index` on that is in the set; undefined where there is none. */
  next(index: number): number | undefined {
    const end = this.#words.length * 8;
    for (let at = index; at < end; at += 1) {
      // A byte without a bit is passed over whole.
      if (at % 8 === 0) while (at < end && this.#words[at / 8] === 0) at += 8;
      if (at < end && this.has(at)) return at;
    }
    return undefined;
  }
  /** Adds a number; false where it was in already. */
  add(index: number): boolean {
    const word = Math.floor(index / 8);
    const bit = 1 << (index % 8);
    const old = this.#words[word] as number;
    if ((old & bit) !== 0) return false;
    this.#words[word] = old | bit;
    return true;
  }
}

/**
 * A set of endpoints, numbered host x ports + port: a bit for each one at the ports that every address is asked at, and a list of the few at the ports
 * that only living addresses are asked at.
 */
export class EndpointSet {
  readonly #bits: Bits;
  readonly #few = new Set<number>();
  readonly #ports: number;
  /** The place of a port among those that have bits; undefined for the others. */
  readonly #places: readonly (number | undefined)[];
  readonly #dense: number;

  /** @param isEverywhere by index of the port */
  constructor(hosts: number, isEverywhere: readonly boolean[]) {
    this.#ports = isEverywhere.length;
    let dense = 0;
    this.#places = isEverywhere.map((is) => (is ? dense++ : undefined));
    this.#dense = dense;
    this.#bits = new Bits(hosts * dense);
  }

  has(endpoint: number): boolean {
    const bit = this.#bitOf(endpoint);
    return bit === undefined ? this.#few.has(endpoint) : this.#bits.has(bit);
  }

  /** Adds an endpoint; false where it was in already. */
  add(endpoint: number): boolean {
    const bit = this.#bitOf(endpoint);
    if (bit !== undefined) return this.#bits.add(bit);
    if (this.#few.has(endpoint)) return false;
    this.#few.add(endpoint);
    return true;
  }

  #bitOf(endpoint: number): number | undefined {
    const place = this.#places[endpoint % this.#ports];
    return place === undefined ? undefined : Math.floor(endpoint / this.#ports) * this.#dense + place;
  }
}

/** Numbers as text for the journal: ascending differences as variable-length integers, base64. Two or three characters a number. */
export function packNumbers(numbers: readonly number[]): string {
  const bytes: number[] = [];
  let last = 0;
  for (const number of [...numbers].toSorted((a, b) => a - b)) {
    let rest = number - last;
    last = number;
    while (rest >= 128) {
      bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
  }
  return Buffer.from(bytes).toString('base64');
}

export function unpackNumbers(text: string): number[] {
  const numbers: number[] = [];
  let last = 0;
  let rest = 0;
  let scale = 1;
  for (const byte of Buffer.from(text, 'base64')) {
    rest += (byte % 128) * scale;
    scale *= 128;
    if (byte < 128) {
      last += rest;
      numbers.push(last);
      rest = 0;
      scale = 1;
    }
  }
  return numbers;
}
