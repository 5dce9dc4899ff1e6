import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beginText, isInWindow, parseWindow, windowSeconds } from '../src/windows.ts';

test.for<{ text: string; days: number[]; from: number; to: number }>([
  { text: 'Sat 22:00-06:00 Europe/Berlin', days: [6], from: 1320, to: 360 },
  { text: '  saturday 22:00 - 06:00 UTC ', days: [6], from: 1320, to: 360 },
  { text: 'Mon-Fri 8:00-18:30 America/New_York', days: [1, 2, 3, 4, 5], from: 480, to: 1110 },
  { text: 'Fri-Mon 00:00-24:00 UTC', days: [0, 1, 5, 6], from: 0, to: 1440 },
  { text: 'Sat,Sun 10:00-12:00 UTC', days: [0, 6], from: 600, to: 720 },
  { text: 'Sat, Mon-Tue 10:00–12:00 UTC', days: [1, 2, 6], from: 600, to: 720 },
  { text: 'daily 23:00-01:00 Asia/Kolkata', days: [0, 1, 2, 3, 4, 5, 6], from: 1380, to: 60 },
])('parseWindow: $text', ({ text, days, from, to }) =>
  expect(parseWindow(text)).toMatchObject({ days, fromMinute: from, toMinute: to, text: text.trim() }),
);

test.for<{ text: string; says: RegExp }>([
  { text: '', says: /is no window; write it as/ },
  { text: 'Saturday night', says: /is no window/ },
  { text: 'Sat 22:00-06:00', says: /names no time zone/ },
  { text: 'Sa 22:00-06:00 UTC', says: /names no days of the week/ },
  { text: 'Samstag 22:00-06:00 Europe/Berlin', says: /names no days of the week/ },
  { text: 'Sat 22:00-25:00 UTC', says: /no such time of day/ },
  { text: 'Sat 22:75-23:00 UTC', says: /no such time of day/ },
  { text: 'Sat 24:00-06:00 UTC', says: /no such time of day/ },
  { text: 'Sat 10:00-10:00 UTC', says: /begins and ends at the same time/ },
  { text: 'Sat 22:00-06:00 Europe/Berlim', says: /"Europe\/Berlim" is no time zone/ },
])('parseWindow: $text is none', ({ text, says }) =>
  expect(parseWindow(text)).toMatchObject({ reason: expect.stringMatching(says) as string }),
);

test.for<{ window: string; at: string; inside: boolean }>([
  // Saturday 21 November 2026; Berlin is one hour before UTC in winter.
  { window: 'Sat 22:00-06:00 Europe/Berlin', at: '2026-11-21T20:59:00Z', inside: false },
  { window: 'Sat 22:00-06:00 Europe/Berlin', at: '2026-11-21T21:00:00Z', inside: true },
  { window: 'Sat 22:00-06:00 Europe/Berlin', at: '2026-11-22T04:59:59Z', inside: true },
  { window: 'Sat 22:00-06:00 Europe/Berlin', at: '2026-11-22T05:00:00Z', inside: false },
  { window: 'Sat 22:00-06:00 Europe/Berlin', at: '2026-11-21T02:00:00Z', inside: false }, // the night before
  // In summer it is two.
  { window: 'Sat 22:00-06:00 Europe/Berlin', at: '2026-07-18T20:00:00Z', inside: true },
  // Clocks go back in the night to 25 October 2026: the window is an hour longer.
  { window: 'Sat 22:00-06:00 Europe/Berlin', at: '2026-10-25T04:30:00Z', inside: true },
  { window: 'Sat 22:00-06:00 Europe/Berlin', at: '2026-10-25T05:00:00Z', inside: false },
  // In the night to 29 March 2026 the hour from two to three is left out: a window in it is not, one that reaches over it is an hour shorter.
  { window: 'Sun 02:00-03:00 Europe/Berlin', at: '2026-03-29T00:59:59Z', inside: false },
  { window: 'Sun 02:00-03:00 Europe/Berlin', at: '2026-03-29T01:00:00Z', inside: false },
  { window: 'Sun 02:30-03:30 Europe/Berlin', at: '2026-03-29T01:00:00Z', inside: true },
  { window: 'Sun 02:30-03:30 Europe/Berlin', at: '2026-03-29T01:30:00Z', inside: false },
  { window: 'Sat 22:00-06:00 Europe/Berlin', at: '2026-03-29T03:59:59Z', inside: true },
  { window: 'Sat 22:00-06:00 Europe/Berlin', at: '2026-03-29T04:00:00Z', inside: false },
  // In the night to 25 October it comes twice, and both are in the window.
  { window: 'Sun 02:00-03:00 Europe/Berlin', at: '2026-10-25T00:30:00Z', inside: true },
  { window: 'Sun 02:00-03:00 Europe/Berlin', at: '2026-10-25T01:30:00Z', inside: true },
  { window: 'Sun 02:00-03:00 Europe/Berlin', at: '2026-10-25T02:00:00Z', inside: false },
  // The last day of the week begins one that ends on its first, also over the end of a month and of a year.
  { window: 'Thu 22:00-06:00 UTC', at: '2027-01-01T05:59:00Z', inside: true },
  { window: 'Sat 23:00-00:00 UTC', at: '2026-11-21T23:59:59Z', inside: true },
  { window: 'Sat 23:00-00:00 UTC', at: '2026-11-22T00:00:00Z', inside: false },
  { window: 'Sun 00:00-24:00 UTC', at: '2026-11-22T00:00:00Z', inside: true },
  { window: 'Sun 00:00-24:00 UTC', at: '2026-11-22T23:59:59Z', inside: true },
  { window: 'Sun 00:00-24:00 UTC', at: '2026-11-23T00:00:00Z', inside: false },
  { window: 'Sat 23:00-01:00 UTC', at: '2026-11-22T00:30:00Z', inside: true },
  // It is Monday in Auckland already.
  { window: 'Mon 08:00-10:00 Pacific/Auckland', at: '2026-11-22T20:00:00Z', inside: true },
  { window: 'Mon-Fri 09:00-17:00 Asia/Kolkata', at: '2026-11-23T03:30:00Z', inside: true },
])('isInWindow: $window at $at', ({ window, at, inside }) => {
  const parsed = parseWindow(window);
  if ('reason' in parsed) throw new Error(parsed.reason);
  expect(isInWindow(parsed, new Date(at))).toBe(inside);
});

test('any text ends in a window or a reason', () =>
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc
          .tuple(fc.constantFrom('Sat', 'Mon-Fri', 'Tue,Wed', 'x'), fc.nat(30), fc.nat(70), fc.constantFrom('UTC', '+01:00', 'x'))
          .map(([day, h, m, zone]) => `${day} ${h}:${m}-06:00 ${zone}`),
      ),
      (text) => {
        const parsed = parseWindow(text);
        if ('reason' in parsed) expect(parsed.reason).not.toBe('');
        else expect(typeof isInWindow(parsed, new Date(0))).toBe('boolean');
      },
    ),
  ));

test.for([
  { text: '22:00-05:00', reads: 'daily 22:00-05:00 Europe/Berlin', seconds: 7 * 3600, begin: '22:00' },
  { text: '1:30-4:00 UTC', reads: 'daily 1:30-4:00 UTC', seconds: 2.5 * 3600, begin: '01:30' },
  { text: 'Sat,Sun 00:00-24:00', reads: 'Sat,Sun 00:00-24:00 Europe/Berlin', seconds: 24 * 3600, begin: '00:00' },
])('the window of a sweep: $text', ({ text, reads, seconds, begin }) => {
  const read = parseWindow(text, 'Europe/Berlin');
  if ('reason' in read) throw new Error(read.reason);
  expect(read.text).toBe(reads);
  expect(windowSeconds(read)).toBe(seconds);
  expect(beginText(read)).toBe(begin);
  expect(parseWindow(read.text), 'the journal holds it whole').toEqual(read);
});

test.for(['', '22:00', '22:00-25:00', '22:00-22:00', '22:00-05:00 Nowhere/Else', 'Foo 22:00-05:00', '22-5'])(
  'no window of a sweep: "%s"',
  (text) => {
    expect(parseWindow(text, 'Europe/Berlin')).toHaveProperty('reason');
  },
);
