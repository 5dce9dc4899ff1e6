import { expect, test } from 'vitest';
import { CutTalks } from '../../src/sweep/cut-talks.ts';

const FREE = { isBusy: () => false, mayTalk: () => true };

test('what was cut off since the path was choked is held again, once; what was before, or is known to have got through, is not', () => {
  const talks = new CutTalks();
  talks.suspect(1, 1000);
  talks.suspect(2, 2000);
  talks.suspect(3, 3000);
  expect(talks.isSuspectSince(3000)).toBe(true);
  expect(talks.isSuspectSince(3001)).toBe(false);
  talks.forget(1500);
  talks.keep(2500);
  talks.cut(4);
  expect(talks.endpoints).toEqual([3, 4]);
  expect([talks.next(FREE), talks.next(FREE), talks.next(FREE)]).toEqual([3, 4, undefined]);
  talks.keep(0);
  expect([talks.size, talks.lost]).toEqual([0, 0]);
});

test('one that is still being talked to waits; one whose account is spent, or that was cut off too often, is lost', () => {
  const talks = new CutTalks();
  talks.cut(1);
  talks.cut(2);
  expect(talks.next({ isBusy: (endpoint) => endpoint === 1, mayTalk: () => false })).toBeUndefined();
  expect([talks.size, talks.lost]).toEqual([1, 1]);
  for (let tries = 0; tries < 3; tries += 1) {
    expect(talks.next(FREE)).toBe(1);
    talks.cut(1);
  }
  expect(talks.next(FREE)).toBeUndefined();
  expect([talks.size, talks.lost]).toEqual([0, 2]);
});

test('what may not be held again is lost where it was the path, and not otherwise', () => {
  const talks = new CutTalks();
  talks.suspect(1, 1000, true);
  talks.suspect(2, 3000, true);
  expect(talks.endpoints, 'nothing for a resume to do').toEqual([]);
  talks.keep(2000);
  talks.cut(3, true);
  expect([talks.size, talks.lost]).toEqual([0, 2]);
});
