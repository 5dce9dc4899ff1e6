import { expect, test } from 'vitest';
import { packNumbers } from '../../src/sweep/bits.ts';
import type { Checkpoint } from '../../src/sweep/state.ts';
import { enoughMs, openAtEnd, packetsBetween, ToldSet } from '../../src/sweep/under-way.ts';

const EMPTY = {
  pass: 0,
  position: 0,
  talking: '',
  settled: '',
  alive: '',
  unreachable: '',
  resolved: [],
  asked: '',
  ports: {},
  packets: { tcp: 0, udp: 0 },
  stray: 0,
};

/** Makes a set hold these and no others. */
function hold(set: ToldSet, now: readonly number[], before: readonly number[] = []): void {
  for (const endpoint of before) if (!now.includes(endpoint)) set.delete(endpoint);
  for (const endpoint of now) set.add(endpoint);
}

/** Checkpoints as a process tells them that had this open at these moments. */
function told(...moments: readonly number[][]): Checkpoint[] {
  const set = new ToldSet();
  return moments.map((now, at) => {
    hold(set, now, moments[at - 1]);
    const open = set.changes();
    return { ...EMPTY, ms: at, ...(at === 0 ? { isFirst: true } : {}), ...(open === undefined ? {} : { open }) };
  });
}

test('a set is told as what has changed, and nothing is told where nothing has', () => {
  const set = new ToldSet();
  expect(set.changes()).toBeUndefined();
  hold(set, [7, 3]);
  expect(set.changes()).toEqual({ added: packNumbers([3, 7]), ended: '' });
  hold(set, [3, 7]);
  expect(set.changes()).toBeUndefined();
  hold(set, [7, 9], [3, 7]);
  // What came and went in between, or went and came back, or was never there, is nothing new.
  set.add(11);
  set.delete(11);
  set.delete(7);
  set.add(7);
  set.delete(12);
  expect(set.changes()).toEqual({ added: packNumbers([9]), ended: packNumbers([3]) });
});

test('what is open at the end of a journal is what its last process had open', () => {
  const first = told([1, 2, 10], [2, 10], [2, 10], [10, 11, 300_000]);
  expect(openAtEnd(first)).toEqual([10, 11, 300_000]);
  expect(openAtEnd(first.slice(0, 3))).toEqual([2, 10]);
  expect(openAtEnd([...first, ...told([11, 12])])).toEqual([11, 12]);
});

test.for([
  { name: 'a large network: longer than any time-out', packets: 720_000, rate: 2000, answerMs: 2, enough: 1440 },
  { name: 'a /20: a share of the packets', packets: 75_000, rate: 2000, answerMs: 2, enough: 150 },
  { name: 'a small one: what slow devices take', packets: 4800, rate: 1000, answerMs: 2, enough: 100 },
  { name: 'a long way: three times what answers take', packets: 4800, rate: 1000, answerMs: 120, enough: 360 },
  { name: 'nothing has answered: any time is too short', packets: 4800, rate: 1000, answerMs: undefined, enough: Infinity },
])('enough to have waited for an answer, $name', ({ packets, rate, answerMs, enough }) => {
  expect(enoughMs({ packets, rate }, { retries: 1, answerMs })).toBe(enough);
  expect(enoughMs({ packets, rate }, { retries: 0, answerMs }), 'where each try is the only one').toBe(Infinity);
});

test('a checkpoint is due after an eight-hundredth of the packets', () =>
  expect(packetsBetween({ packets: 80_000, rate: 2000 })).toBe(100));
