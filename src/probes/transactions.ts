/**
 * The numbers by which answers are told apart, one for each attempt of a sweep. All addresses are asked with the same ones, because an answer is
 * recognised before anybody has looked at whom it comes from.
 */
export class Transactions {
  readonly #bits: 16 | 32;
  readonly #numbers = new Map<number, number>();

  constructor(bits: 16 | 32) {
    this.#bits = bits;
  }

  of(attempt: number, random: () => number): number {
    let number = this.#numbers.get(attempt);
    if (number === undefined) {
      number = random() % 2 ** this.#bits;
      this.#numbers.set(attempt, number);
    }
    return number;
  }

  has(number: number): boolean {
    return [...this.#numbers.values()].includes(number);
  }

  get all(): readonly number[] {
    return [...this.#numbers.values()];
  }
}
