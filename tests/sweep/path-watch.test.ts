import { expect, test } from 'vitest';
import { Guards } from '../../src/sweep/guards.ts';
import type { Neighbours } from '../../src/sweep/neighbours.ts';
import { GIVE_UP_MS, PathWatch, type Verdict } from '../../src/sweep/path-watch.ts';
import { Recent } from '../../src/sweep/recent.ts';
import { Repeats } from '../../src/sweep/repeats.ts';

/** Canaries in a time of their own: `answers` is asked of each. */
function watchOver(
  canaries: readonly { readonly endpoint: number; readonly network: number }[],
  seconds: number,
  answers: (endpoint: number, at: number) => boolean,
): { watch: PathWatch; asked: { readonly endpoint: number; readonly at: number; readonly verdict: Verdict }[] } {
  const watch = new PathWatch(0, 1000);
  for (const { endpoint, network } of canaries) watch.offer(endpoint, network);
  const asked = [];
  for (let at = 0; at < seconds * 1000; at += 100) {
    const endpoint = watch.next(at, { isFree: () => true, hurry: false });
    if (endpoint === undefined) continue;
    asked.push({ endpoint, at, verdict: watch.result(answers(endpoint, at), at, at) });
  }
  return { watch, asked };
}

const ALONE = [{ endpoint: 1, network: 1 }];
const FOUR = [1, 2, 3, 4].map((endpoint) => ({ endpoint, network: endpoint }));

test('without an open port nobody is asked, and with one it is asked every ten seconds', () => {
  expect(watchOver([], 100, () => true).asked).toEqual([]);
  const { watch, asked } = watchOver(ALONE, 61, () => true);
  expect(asked.map(({ at }) => at)).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  expect(watch).toMatchObject({ share: 1, isChoked: false, chokes: 0 });
});

test('several are asked in turn, each every ten seconds, and one network after the other', () => {
  const { asked } = watchOver(
    [
      { endpoint: 1, network: 1 },
      { endpoint: 2, network: 1 },
      { endpoint: 3, network: 2 },
      { endpoint: 4, network: 2 },
    ],
    40,
    () => true,
  );
  expect(asked.slice(0, 4).map(({ endpoint }) => endpoint)).toEqual([1, 3, 2, 4]);
  for (const [i, { endpoint, at }] of asked.entries())
    expect(at - (asked.slice(0, i).findLast((before) => before.endpoint === endpoint)?.at ?? -Infinity)).toBeGreaterThanOrEqual(10_000);
});

test.for([
  { name: 'the same one twice', canaries: ALONE },
  { name: 'two in a row', canaries: FOUR },
])(
  'silence chokes: $name; the rate goes down to what the path has borne, and rises again slowly, but not to where it choked',
  ({ canaries }) => {
    const { watch, asked } = watchOver(canaries, 200, (_, at) => at < 50_000 || at > 70_000);
    const told = asked.filter(({ verdict }) => verdict !== 'good').map(({ verdict }) => verdict);
    expect(told.slice(0, 2)).toEqual(['missed', 'choked']);
    expect(told.at(-1)).toBe('through');
    expect(watch).toMatchObject({ chokes: 1, isChoked: false, isLost: false });
    // A thousand a second until it choked, about 50 s, and nothing until it was open again, about 70 s: of that four fifths.
    expect(watch.lowestShare).toBeGreaterThan(0.5);
    expect(watch.lowestShare).toBeLessThanOrEqual(0.7);
    expect(watch.share).toBeGreaterThan(watch.lowestShare);
    expect(watch.share).toBeLessThan(0.75);
  },
);

test.for([
  { name: 'one packet is lost now and then', answers: (_: number, at: number) => at % 97 !== 0 },
  { name: 'one device went away', answers: (endpoint: number, at: number) => endpoint !== 2 || at < 30_000 },
])('the path is not choked where $name', ({ answers }) => {
  const { watch, asked } = watchOver(FOUR, 900, answers);
  expect(asked.some(({ verdict }) => verdict === 'missed')).toBe(true);
  expect(watch).toMatchObject({ chokes: 0, share: 1 });
});

test('a path that does not recover is given up, and so is one that chokes again and again', () => {
  const dead = watchOver(ALONE, 300, (_, at) => at < 30_000);
  expect(dead.watch).toMatchObject({ isLost: true, isChoked: false, chokes: 1 });
  const choked = dead.asked.find(({ verdict }) => verdict === 'choked')?.at ?? 0;
  const lost = dead.asked.find(({ verdict }) => verdict === 'lost')?.at ?? 0;
  expect(lost - choked).toBeGreaterThanOrEqual(GIVE_UP_MS);
  expect(dead.asked.at(-1)?.verdict, 'nobody is asked any more').toBe('lost');
  const fickle = watchOver(FOUR, 3600, (_, at) => at % 60_000 < 40_000);
  expect(fickle.watch).toMatchObject({ isLost: true, chokes: 12 });
});

/**
 * A sweep through a table that forgets each entry after so many seconds and drops what is new while it is full, in steps of a tenth of a second.
 * @returns what the watch made of it, and packets that were sent and dropped
 */
function sweepThrough({ entries, life, rate, seconds }: { entries: number; life: number; rate: number; seconds: number }): {
  watch: PathWatch;
  sent: number;
  dropped: number;
} {
  const watch = new PathWatch(0, rate);
  for (const { endpoint, network } of FOUR) watch.offer(endpoint, network);
  /** Entries made in each step that is not forgotten yet. */
  const table: number[] = [];
  let [held, sent, dropped, owed] = [0, 0, 0, 0];
  let asked: { at: number; packets: number; answered: boolean } | undefined;
  for (let at = 0; at < seconds * 1000 && !watch.isLost; at += 100) {
    if (table.length >= life * 10) held -= table.shift() as number;
    let made = 0;
    const make = (): boolean => {
      if (held + made >= entries) return false;
      made += 1;
      return true;
    };
    // One that is not answered is waited for.
    if (asked !== undefined && (asked.answered || at >= asked.at + 800)) {
      watch.result(asked.answered, asked.packets, at);
      asked = undefined;
    }
    let isDue = asked === undefined && watch.next(at, { isFree: () => true, hurry: false }) !== undefined;
    const ask = (): void => {
      asked = { at, packets: sent, answered: make() };
      isDue = false;
    };
    owed = watch.isChoked || watch.isUnsure(at) ? 0 : Math.min(owed, 1) + Math.max(10, rate * watch.share) / 10;
    // The canary is somewhere among what leaves in this step.
    const place = Math.floor((at * 0.6180339887) % Math.max(1, owed));
    for (let sentNow = 0; owed >= 1; owed -= 1) {
      if (isDue && sentNow === place) ask();
      sent += 1;
      sentNow += 1;
      if (!make()) dropped += 1;
    }
    if (isDue) ask();
    table.push(made);
    held += made;
  }
  return { watch, sent, dropped };
}

test.for([
  { entries: 4096, life: 120, rate: 2000 },
  { entries: 4096, life: 120, rate: 10_000 },
  { entries: 4096, life: 30, rate: 5000 },
  { entries: 4096, life: 8, rate: 2000 },
  { entries: 65_536, life: 120, rate: 10_000 },
])('a table of $entries entries that live $life s, at $rate packets a second: filled once, and then sent at what it bears', (path) => {
  const { watch, sent, dropped } = sweepThrough({ ...path, seconds: 1800 });
  const borne = path.entries / path.life;
  expect(watch.isLost).toBe(false);
  expect(watch.chokes).toBeGreaterThanOrEqual(1);
  expect(watch.chokes, 'in half an hour').toBeLessThanOrEqual(6);
  // What leaves until it is noticed, and little more.
  expect(dropped).toBeLessThan(path.rate * 4 + sent * 0.02);
  expect(sent - dropped).toBeGreaterThan(borne * 1800 * 0.6);
  expect(watch.share * path.rate).toBeGreaterThan(borne * 0.5);
  expect(watch.share * path.rate).toBeLessThan(borne * 1.3);
});

test('a table that is never full is left alone', () => {
  expect(sweepThrough({ entries: 65_536, life: 30, rate: 2000, seconds: 600 }).watch).toMatchObject({ chokes: 0, share: 1 });
});

test('a path that chokes now and then, and holds out in between, is not given up', () => {
  const { watch } = watchOver(FOUR, 20 * 900, (_, at) => at % 900_000 < 880_000);
  expect(watch.chokes).toBeGreaterThan(12);
  expect(watch.isLost).toBe(false);
});

test('one that does not answer: nothing is sent until another has told, which is asked at once, nor for ever where nobody can be asked', () => {
  const watch = new PathWatch(0, 1000);
  for (const { endpoint, network } of FOUR) watch.offer(endpoint, network);
  const ask = (at: number): number | undefined => watch.next(at, { isFree: () => true, hurry: false });
  const first = ask(10_000);
  expect(watch.isUnsure(10_000)).toBe(false);
  expect(watch.result(false, 0, 10_800)).toBe('missed');
  expect(watch.isUnsure(10_800)).toBe(true);
  const second = ask(10_801);
  expect(second).not.toBe(first);
  expect(second).toBeDefined();
  expect(watch.result(true, 0, 10_820)).toBe('good');
  expect(watch.isUnsure(10_820)).toBe(false);
  ask(14_000);
  watch.result(true, 0, 14_020);
  expect(watch.doubt(15_000), 'a device that does not answer when it is talked to').toBe('choked');
  expect(watch.isUnsure(15_000), 'it is known').toBe(false);
  const alone = new PathWatch(0, 1000);
  alone.offer(1, 1);
  alone.doubt(20_000);
  expect(alone.next(20_001, { isFree: () => false, hurry: false })).toBeUndefined();
  expect([20_001, 22_000, 23_000].map((at) => alone.isUnsure(at))).toEqual([true, true, false]);
});

test('a port that refuses connections is asked only while no web port is known', () => {
  const watch = new PathWatch(0, 1000);
  watch.offer(1, 1, true);
  watch.offer(2, 2, true);
  expect([watch.endpoints, watch.spares]).toEqual([
    [1, 2],
    [1, 2],
  ]);
  expect(watch.next(10_000, { isFree: () => true, hurry: false })).toBe(1);
  watch.offer(3, 1);
  expect(watch.result(true, 0, 10_010)).toBe('good');
  watch.offer(4, 4, true);
  watch.offer(5, 1);
  expect([watch.endpoints, watch.spares]).toEqual([[3, 5], []]);
});

test('what is suspect begins before the last good canaries, and ends with what is dealt with', () => {
  const watch = new PathWatch(0, 1000);
  watch.offer(1, 1);
  expect(watch.suspectSince(5000), 'no canary has answered yet').toBe(-Infinity);
  const ask = (at: number, answered: boolean): Verdict => {
    watch.next(at, { isFree: () => true, hurry: true });
    return watch.result(answered, 0, at);
  };
  for (let at = 10_000; at <= 100_000; at += 10_000) ask(at, true);
  expect(watch.suspectSince(101_000)).toBe(71_000);
  ask(110_000, false);
  expect(ask(111_000, false)).toBe('choked');
  expect(watch.suspectSince(111_000)).toBe(81_000);
  expect(ask(120_000, true)).toBe('through');
  expect(watch.suspectSince(121_000)).toBe(120_000);
});

test('a pass does not end unwatched where much was sent and somebody can be asked', () => {
  const watch = new PathWatch(0, 1000);
  expect(watch.isUnwatched(1_000_000)).toBe(false);
  watch.offer(1, 1);
  expect(watch.isUnwatched(2047)).toBe(false);
  expect(watch.isUnwatched(2048)).toBe(true);
  expect(watch.next(10, { isFree: () => false, hurry: true })).toBeUndefined();
  expect(watch.next(10, { isFree: () => true, hurry: true })).toBe(1);
  expect(watch.next(10, { isFree: () => true, hurry: true }), 'one at a time').toBeUndefined();
  watch.result(true, 2048, 12);
  expect(watch.isUnwatched(4095)).toBe(false);
});

test('what was asked of late: looked at without taking it', () => {
  const recent = new Recent(10);
  for (let at = 0; at < 6; at += 1) recent.add(at, at * 1000);
  expect(recent.since(3500)).toEqual([3, 4, 5]);
  expect(recent.since(-Infinity)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(recent.take(-Infinity).endpoints).toEqual([0, 1, 2, 3, 4, 5]);
  expect(recent.since(0)).toEqual([]);
});

test('what was asked of late: taken by its time, and what had to be forgotten is told', () => {
  const recent = new Recent(10);
  for (let at = 0; at < 8; at += 1) recent.add(at, at * 1000);
  recent.forget(2000);
  expect(recent.take(4500)).toEqual({ endpoints: [4, 5, 6, 7], isWhole: true });
  for (let at = 0; at < 20; at += 1) recent.add(at, 10_000 + at * 1000);
  expect(recent.take(25_000)).toEqual({ endpoints: [15, 16, 17, 18, 19], isWhole: true });
  for (let at = 0; at < 20; at += 1) recent.add(at, 40_000 + at * 1000);
  expect(recent.take(-Infinity)).toEqual({ endpoints: [10, 11, 12, 13, 14, 15, 16, 17, 18, 19], isWhole: false });
});

test('what is to be repeated: each once, in order, and exact in the journal', () => {
  const repeats = new Repeats();
  for (const endpoint of [5, 3, 9, 5]) repeats.add(endpoint);
  const journal = [repeats.changes()];
  expect(repeats.next(2)).toEqual([5, 3]);
  repeats.end(5);
  // Dropped again while it was on its way: it is repeated after that.
  repeats.add(3);
  repeats.end(3);
  journal.push(repeats.changes());
  expect(repeats.changes()).toBeUndefined();
  const again = new Repeats();
  for (const changes of journal) if (changes !== undefined) again.restore(changes);
  expect(again.next(9)).toEqual([3, 9]);
  for (const endpoint of [3, 9]) again.end(endpoint);
  again.add(9);
  again.next(1);
  again.end(9);
  again.add(3);
  const third = new Repeats();
  for (const changes of [...journal, again.changes()]) if (changes !== undefined) third.restore(changes);
  expect(third.next(9)).toEqual([3]);
});

test('our own table: full from 98 % until it is below 70 %, and given up after a while', () => {
  const neighbours = { overflows: () => undefined } as unknown as Neighbours;
  let crowd: number | undefined = 0.5;
  const guards = new Guards(neighbours, () => crowd);
  const look = (share: number | undefined, at: number): [number, boolean] => {
    crowd = share;
    return [guards.look(at), guards.isFull];
  };
  expect(look(0.5, 0)).toEqual([1, false]);
  expect(look(0.8, 1)).toEqual([0.25, false]);
  expect(look(0.99, 2)).toEqual([0.25, true]);
  expect(look(0.8, 3)).toEqual([0.25, true]);
  expect(look(0.6, 4)).toEqual([1, false]);
  expect(look(undefined, 5)).toEqual([1, false]);
  expect(guards.limitations).toEqual([]);
  look(0.99, 6);
  expect(look(0.99, 6 + GIVE_UP_MS)).toEqual([0.25, false]);
  expect(look(0.99, 7 + GIVE_UP_MS), 'it is waited for no longer').toEqual([0.25, false]);
  expect(guards.limitations.map(({ what }) => what)).toEqual(['connection-tracking']);
  expect(guards.timesFull).toBe(2);
});
