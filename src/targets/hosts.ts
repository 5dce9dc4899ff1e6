import { type AddressNumber, type AddressRange, contains, familyOf, formatAddress, sizeOf } from './addresses.ts';
import type { Shard } from './shard.ts';

/**
 * The addresses of a sweep as sorted ranges that do not touch: counted and numbered without being expanded.
 * A host's number counts from 0 through the ranges, IPv4 before IPv6; of a shard only its own hosts have one.
 */
export class HostSet {
  /** Those of the whole sweep, of which a shard asks a part. */
  readonly ranges: readonly AddressRange[];
  readonly count: number;
  readonly shard: Shard | undefined;
  /** The number of each range's first host. */
  readonly #starts: readonly number[];
  readonly #names: ReadonlyMap<AddressNumber, string>;

  constructor(ranges: readonly AddressRange[], names: ReadonlyMap<AddressNumber, string> = new Map(), shard?: Shard) {
    this.ranges = merge(ranges);
    this.shard = shard;
    const starts: number[] = [];
    let count = 0;
    for (const range of this.ranges) {
      starts.push(count);
      count += Number(sizeOf(range));
    }
    this.#starts = starts;
    this.count = shard === undefined ? count : Math.max(0, Math.ceil((count - shard.part + 1) / shard.of));
    this.#names = names;
  }

  /** The address of host number `index`, 0 to count - 1. */
  at(index: number): AddressNumber {
    const number = this.shard === undefined ? index : index * this.shard.of + this.shard.part - 1;
    const which = lastAtMost(this.#starts, number);
    const range = this.ranges[which];
    if (range === undefined || index < 0 || index >= this.count) throw new RangeError(`there is no host ${index}`);
    const offset = number - (this.#starts[which] ?? 0);
    return typeof range.first === 'number' ? range.first + offset : range.first + BigInt(offset);
  }

  /** The number of an address, or undefined where it is none of the hosts. */
  indexOf(address: AddressNumber): number | undefined {
    let low = 0;
    let high = this.ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const range = this.ranges[middle] as AddressRange;
      if (contains(range, address)) return this.#inShard((this.#starts[middle] ?? 0) + Number(BigInt(address) - BigInt(range.first)));
      if (before(address, range.first)) high = middle - 1;
      else low = middle + 1;
    }
    return undefined;
  }

  #inShard(number: number): number | undefined {
    if (this.shard === undefined) return number;
    const { part, of } = this.shard;
    return number % of === part - 1 ? Math.floor(number / of) : undefined;
  }

  /** The name that the operator gave for an address, if any. */
  nameOf(address: AddressNumber): string | undefined {
    return this.#names.get(address);
  }

  get names(): ReadonlyMap<AddressNumber, string> {
    return this.#names;
  }

  without(excluded: readonly AddressRange[]): HostSet {
    return new HostSet(subtract(this.ranges, merge(excluded)), this.#names);
  }

  /** One part of them, for one of several machines. */
  part(shard: Shard): HostSet {
    return new HostSet(this.ranges, this.#names, shard);
  }

  *[Symbol.iterator](): IterableIterator<AddressNumber> {
    for (let index = 0; index < this.count; index += 1) yield this.at(index);
  }
}

/** `10.0.0.0-10.0.0.255`, or one address. */
export function rangeText({ first, last }: AddressRange): string {
  return first === last ? formatAddress(first) : `${formatAddress(first)}-${formatAddress(last)}`;
}

function before(a: AddressNumber, b: AddressNumber): boolean {
  return familyOf(a) === familyOf(b) ? a < b : familyOf(a) < familyOf(b);
}

function after(address: AddressNumber): AddressNumber {
  return typeof address === 'number' ? address + 1 : address + 1n;
}

function preceding(address: AddressNumber): AddressNumber {
  return typeof address === 'number' ? address - 1 : address - 1n;
}

/** Sorted, with overlapping and touching ranges made one. */
export function merge(ranges: readonly AddressRange[]): AddressRange[] {
  const merged: { first: AddressNumber; last: AddressNumber }[] = [];
  for (const { first, last } of [...ranges].toSorted((a, b) => (a.first === b.first ? 0 : before(a.first, b.first) ? -1 : 1))) {
    const open = merged.at(-1);
    if (open !== undefined && familyOf(open.first) === familyOf(first) && first <= after(open.last)) {
      if (last > open.last) open.last = last;
    } else merged.push({ first, last });
  }
  return merged;
}

function subtract(ranges: readonly AddressRange[], excluded: readonly AddressRange[]): AddressRange[] {
  const left: AddressRange[] = [];
  for (const range of ranges) {
    let { first } = range;
    let done = false;
    for (const hole of excluded) {
      if (familyOf(hole.first) !== familyOf(first) || hole.last < first) continue;
      if (hole.first > range.last) break;
      if (hole.first > first) left.push({ first, last: preceding(hole.first) });
      if (hole.last >= range.last) {
        done = true;
        break;
      }
      first = after(hole.last);
    }
    if (!done) left.push({ first, last: range.last });
  }
  return left;
}

function lastAtMost(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((sorted[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
