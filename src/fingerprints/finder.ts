/**
 * Finds many literals in one text at once, whatever their case: the automaton of Aho and Corasick ("Efficient string matching", CACM 18(6), 1975),
 * with its failure links worked into one table. ASCII only; a character outside it ends what was begun.
 */
export class LiteralFinder {
  /** For each state (its row) and class of characters the next row, with ENDS where a literal ends there. */
  readonly #next: Int32Array;
  /** The literals that end at a row, by the row. */
  readonly #ends: ReadonlyMap<number, readonly number[]>;
  readonly #classes: Uint8Array;
  /** When each literal was last reported, so that a text reports it once. */
  readonly #reported: Uint32Array;
  #run = 0;

  /** @param literals in lower case, none empty */
  constructor(literals: readonly string[]) {
    this.#reported = new Uint32Array(literals.length);
    const { classes, width } = classesOf(literals);
    const { next, ends } = trieOf(literals, classes, width);
    addFailures(next, ends, width);
    this.#classes = classes;
    this.#ends = new Map([...ends.entries()].flatMap(([state, all]) => (all.length === 0 ? [] : [[state * width, all]])));
    this.#next = next.map((state) => (state * width) | ((ends[state]?.length ?? 0) > 0 ? ENDS : 0));
  }

  /** Reports each literal of the text once, by its place in the list. */
  find(text: string, report: (literal: number) => void): void {
    const [next, classes] = [this.#next, this.#classes];
    this.#run += 1;
    let row = 0;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      const kind = code < 128 ? (classes[code] as number) : (classes[FOLDED.get(code) ?? 0] as number);
      row = next[row + kind] as number;
      if (row < ENDS) continue;
      row -= ENDS;
      for (const literal of this.#ends.get(row) ?? []) {
        if (this.#reported[literal] === this.#run) continue;
        this.#reported[literal] = this.#run;
        report(literal);
      }
    }
  }
}

const ENDS = 1 << 30;

/** Characters that literals are made of, each with a number; 0 is every other, which leads back to the beginning. */
function classesOf(literals: readonly string[]): { classes: Uint8Array; width: number } {
  const classes = new Uint8Array(128);
  let width = 1;
  for (const char of new Set(literals.join(''))) {
    classes[char.charCodeAt(0)] = width;
    classes[char.toUpperCase().charCodeAt(0)] = width;
    width += 1;
  }
  return { classes, width };
}

/** A state for each beginning of a literal: where each character leads (0: nowhere), and which literals end there. */
function trieOf(literals: readonly string[], classes: Uint8Array, width: number): { next: Int32Array; ends: number[][] } {
  const next = new Int32Array(literals.reduce((sum, { length }) => sum + length, 1) * width);
  const ends: number[][] = [[]];
  for (const [id, literal] of literals.entries()) {
    let state = 0;
    for (let i = 0; i < literal.length; i += 1) {
      const at = state * width + (classes[literal.charCodeAt(i)] as number);
      if (next[at] === 0) next[at] = ends.push([]) - 1;
      state = next[at] as number;
    }
    ends[state]?.push(id);
  }
  return { next: next.slice(0, ends.length * width), ends };
}

/** Characters outside ASCII that are a letter of ASCII when case is folded: the sign of Kelvin, the long s, the I with a dot. */
const FOLDED: ReadonlyMap<number, number> = new Map([
  [0x21_2a, 0x6b],
  [0x01_7f, 0x73],
  [0x01_30, 0x69],
]);

/** Breadth first: where a state has no way on, it goes on as its longest proper suffix does. */
function addFailures(next: Int32Array, ends: number[][], width: number): void {
  const failure = new Int32Array(ends.length);
  const queue: number[] = [0];
  for (const state of queue)
    for (let kind = 1; kind < width; kind += 1) {
      const at = state * width + kind;
      const to = next[at] ?? 0;
      const back = state === 0 ? 0 : (next[(failure[state] ?? 0) * width + kind] ?? 0);
      if (to === 0) {
        next[at] = back;
        continue;
      }
      failure[to] = back;
      ends[to]?.push(...(ends[back] ?? []));
      queue.push(to);
    }
}
