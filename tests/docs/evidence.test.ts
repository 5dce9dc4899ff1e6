import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { conditionsOf } from '../../src/fingerprints/schema.ts';
import { ownSet } from '../fingerprints/definitions.ts';

/** What the detection script of the page prints, of ids as Windows writes them. */
const PRINTED = new RegExp(
  /-match '(?<pattern>[^']+)'/.exec(readFileSync(new URL('../../docs/evidence.md', import.meta.url), 'utf8'))?.groups?.['pattern'] ?? '^$',
  'i',
);

/** Ids of Windows, by the facts that they hold. */
const IDS: Readonly<Record<string, (value: string) => string>> = {
  'usb.vid': (vid) => `USB\\VID_${vid.toUpperCase()}&PID_0104\\1`,
  'usb.storage.vendor': (vendor) => `USBSTOR\\CDROM&VEN_${vendor}&PROD_X&REV_1.00\\1&0`,
  'edid.vendor': (vendor) => `DISPLAY\\${vendor}0001\\5&1&0&UID1`,
};

/** Read before the test begins: on a machine that is busy this takes longer than a test may. */
const DEFINITIONS = ownSet();

test('the detection script prints every id that a rule looks for, and no mouse', () => {
  const ids = DEFINITIONS.flatMap(({ rules }) => rules.flatMap(conditionsOf)).flatMap(({ fact, equals, in: oneOf }) => {
    const values = [equals, ...(Array.isArray(oneOf) ? oneOf : [])].filter((value) => typeof value === 'string');
    return values.flatMap((value) => IDS[fact]?.(value) ?? []);
  });
  expect(ids.length).toBeGreaterThan(20);
  expect(ids.filter((id) => !PRINTED.test(id))).toEqual([]);
  expect(PRINTED.test('USB\\VID_046D&PID_C077\\6&1&0&2')).toBe(false);
  expect(PRINTED.test('DISPLAY\\DEL40F4\\5&1&0&UID1')).toBe(false);
});
