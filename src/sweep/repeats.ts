import { packNumbers, unpackNumbers } from './bits.ts';

/** Endpoints to ask once more, because what was sent to them may have been dropped on the way. An endpoint is in it until the repetition has had its time. */
export class Repeats {
  /** Those that have not gone out, in their order, and those that have. */
  readonly #waiting = new Set<number>();
  readonly #underWay = new Set<number>();
  /** What has come in and gone since the last checkpoint. */
  #added = new Set<number>();
  #ended = new Set<number>();

  get size(): number {
    return this.#waiting.size + this.#underWay.size;
  }

  has(endpoint: number): boolean {
    return this.#waiting.has(endpoint) || this.#underWay.has(endpoint);
  }

  /** It has gone out, or is on its way. */
  isUnderWay(endpoint: number): boolean {
    return this.#underWay.has(endpoint);
  }

  /** One whose repetition is under way is repeated again after it. */
  add(endpoint: number): void {
    const isNew = !this.has(endpoint);
    this.#underWay.delete(endpoint);
    this.#waiting.add(endpoint);
    if (isNew && !this.#ended.delete(endpoint)) this.#added.add(endpoint);
  }

  /** The next to be asked, at most so many. They are under way from now on. */
  next(most: number): number[] {
    const endpoints: number[] = [];
    for (const endpoint of this.#waiting) {
      if (endpoints.length >= most) break;
      endpoints.push(endpoint);
    }
    for (const endpoint of endpoints) {
      this.#waiting.delete(endpoint);
      this.#underWay.add(endpoint);
    }
    return endpoints;
  }

  /** The repetition of an endpoint has had its time. One that has to be repeated again stays. */
  end(endpoint: number): void {
    if (this.#underWay.delete(endpoint) && !this.#added.delete(endpoint)) this.#ended.add(endpoint);
  }

  /** What has changed since the last call, for the journal; undefined where nothing has. */
  changes(): { readonly added: string; readonly ended: string } | undefined {
    const [added, ended] = [this.#added, this.#ended];
    if (added.size === 0 && ended.size === 0) return undefined;
    this.#added = new Set();
    this.#ended = new Set();
    return { added: packNumbers([...added]), ended: packNumbers([...ended]) };
  }

  /** Takes in what {@link changes} told, in its order. */
  restore({ added, ended }: { readonly added: string; readonly ended: string }): void {
    for (const endpoint of unpackNumbers(added)) this.#waiting.add(endpoint);
    for (const endpoint of unpackNumbers(ended)) this.#waiting.delete(endpoint);
  }
}
