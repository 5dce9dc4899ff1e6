/** A set of numbers 0 … size - 1, one bit each. */
export class Bits {
  readonly #words: Uint8Array;
  constructor(size: number) {
    this.#words = new Uint8Array(Math.ceil(size / 8));
  }
  has(index: number): boolean {
    return ((this.#words[Math.floor(index / 8)] as number) & (1 << (index % 8))) !== 0;
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
