/**
 * What a text must hold for a pattern to be found in it. Patterns are many and slow (RE2), literals are found all at once (finder.ts): a pattern is
 * tried only where one of its literals was found.
 *
 * Literals are in lower case and ASCII: the finder folds case, so that it serves `fold` and `(?i)` too, and finds a little more than it must.
 */

/** What is known of a part of a pattern: all texts that it matches, or texts of which one is in all that it matches. */
interface Part {
  readonly exact?: readonly string[];
  readonly oneOf?: readonly string[];
}

const UNKNOWN: Part = {};
const NOTHING: Part = { exact: [''] };

/** More alternatives than this cost more than they save. */
const MAX_ALTERNATIVES = 64;
/** So many texts are followed through a pattern: `(?:a|b)(?:c|d)` is four. */
const MAX_EXACT = 24;

/** Literals of which one is in every text where the pattern is found; undefined where none is known. RE2 syntax (google/re2 wiki Syntax). */
export function requiredLiterals(pattern: string): readonly string[] | undefined {
  const reader = new PatternReader(pattern);
  const part = reader.alternation();
  return reader.atEnd && part !== undefined ? literalsOf(part) : undefined;
}

/** The ASCII part of a literal that serves best as a mark: the longest. */
export function markOf(literal: string): string | undefined {
  const [longest] = literal.match(/[\x20-\x7e]+/g)?.toSorted((a, b) => b.length - a.length) ?? [];
  return longest?.toLowerCase();
}

function literalsOf({ exact, oneOf }: Part): readonly string[] | undefined {
  if (exact !== undefined) return exact.includes('') ? undefined : exact;
  return oneOf;
}

/** Words that half of all devices say: they tell nothing. */
const COMMON =
  /version|server|login|log in|welcome|system|serial|number|model|firmware|software|hardware|password|user ?name|copyright|management|manager|network|ready|http|html|href|script|title|device|remote|access|console|control|panel|index|web|ftp|tcp|1\.3\.6\.1\.4\.1\.|1\.3\.6\.1\.2\.1\.|\s/g;

/** How well literals tell a text that matters from one that does not: by the least telling of them, without its common words. */
export function worth(literals: readonly string[]): number {
  return Math.min(...literals.map((literal) => literal.replace(COMMON, '').length + literal.length / 100));
}

/** A syntax that is not read here ends the reading: `undefined` goes up to the top, and the pattern is tried on every text. */
class PatternReader {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  alternation(): Part | undefined {
    const branches: Part[] = [];
    do {
      const branch = this.#sequence();
      if (branch === undefined) return undefined;
      branches.push(branch);
    } while (this.#take('|'));
    const [only] = branches;
    if (branches.length === 1) return only;
    const exact = branches.flatMap((branch) => branch.exact ?? []);
    if (branches.every((branch) => branch.exact !== undefined) && exact.length <= MAX_EXACT) return { exact: [...new Set(exact)] };
    const all = branches.map(literalsOf);
    if (all.some((literals) => literals === undefined)) return UNKNOWN;
    const oneOf = [...new Set(all.flatMap((literals) => literals ?? []))];
    return oneOf.length > MAX_ALTERNATIVES ? UNKNOWN : { oneOf };
  }

  #sequence(): Part | undefined {
    let run: readonly string[] = [''];
    let best: readonly string[] | undefined;
    let isExact = true;
    const offer = (literals: readonly string[] | undefined): void => {
      if (literals !== undefined && literals.length > 0 && (best === undefined || worth(literals) > worth(best))) best = literals;
    };
    const endRun = (): void => {
      offer(literalsOf({ exact: run }));
      run = [''];
    };
    while (!this.atEnd && !this.#sees('|') && !this.#sees(')')) {
      const part = this.#repeated();
      if (part === undefined) return undefined;
      const { exact } = part;
      if (exact === undefined) {
        isExact = false;
        endRun();
        offer(part.oneOf);
      } else {
        if (run.length * exact.length > MAX_EXACT) {
          isExact = false;
          endRun();
        }
        run = run.flatMap((before) => exact.map((after) => before + after));
      }
    }
    if (isExact) return { exact: run };
    endRun();
    return best === undefined ? UNKNOWN : { oneOf: best };
  }

  #repeated(): Part | undefined {
    const part = this.#atom();
    if (part === undefined) return undefined;
    const count = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(this.#rest(16));
    if (count === null) return part;
    this.#at += count[0].length;
    // What may be absent is known all the same: with it, or without.
    if (count[0].startsWith('?') && part.exact !== undefined && part.exact.length < MAX_EXACT)
      return { exact: [...new Set(['', ...part.exact])] };
    const literals = /^[*?]/.test(count[0]) || count[1] === '0' ? undefined : literalsOf(part);
    return literals === undefined ? UNKNOWN : { oneOf: literals };
  }

  #atom(): Part | undefined {
    const char = this.#text[this.#at] ?? '';
    this.#at += 1;
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#class();
      case '\\':
        return this.#escape();
      case '^':
      case '$':
        return NOTHING;
      case '.':
        return UNKNOWN;
      case '*':
      case '+':
      case '?':
        return undefined;
      default:
        return oneChar(char);
    }
  }

  #group(): Part | undefined {
    const head = /^\?(?:P?<\w+>|[a-zA-Z-]*:)/.exec(this.#rest(80));
    if (head !== null) this.#at += head[0].length;
    else {
      const flags = /^\?[a-zA-Z-]+\)/.exec(this.#rest(80));
      if (flags !== null) {
        this.#at += flags[0].length;
        return NOTHING;
      }
      if (this.#sees('?')) return undefined;
    }
    const part = this.alternation();
    return part !== undefined && this.#take(')') ? part : undefined;
  }

  #class(): Part | undefined {
    const whole = /^(?:\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*)\]/.exec(this.#rest(400));
    if (whole === null) return undefined;
    this.#at += whole[0].length;
    const inside = whole[0].slice(0, -1);
    // A few single characters, such as the two cases of a letter.
    if (!/^[A-Za-z0-9 _.,:;/|#&=]{1,6}$/.test(inside)) return inside.length === 1 && inside !== '^' ? oneChar(inside) : UNKNOWN;
    return { exact: [...new Set(Array.from(inside.toLowerCase()))] };
  }

  #escape(): Part | undefined {
    const char = this.#text[this.#at] ?? '';
    this.#at += 1;
    if (/[bBAz]/.test(char)) return NOTHING;
    if (/[dDwWsSnrtfv]/.test(char)) return UNKNOWN;
    if (char === 'p' || char === 'P') return this.#skip(/^(?:\{\^?\w+\}|\w)/);
    if (char === 'x') return this.#skip(/^(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})/);
    return /\w/.test(char) || char === '' ? undefined : oneChar(char);
  }

  #skip(pattern: RegExp): Part | undefined {
    const found = pattern.exec(this.#rest(40));
    if (found === null) return undefined;
    this.#at += found[0].length;
    return UNKNOWN;
  }

  #rest(most: number): string {
    return this.#text.slice(this.#at, this.#at + most);
  }

  #sees(char: string): boolean {
    return this.#text[this.#at] === char;
  }

  #take(char: string): boolean {
    if (!this.#sees(char)) return false;
    this.#at += 1;
    return true;
  }
}

function oneChar(char: string): Part {
  return char >= ' ' && char <= '~' ? { exact: [char.toLowerCase()] } : UNKNOWN;
}
