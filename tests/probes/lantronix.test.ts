import { expect, test } from 'vitest';
import { lantronix } from '../../src/probes/lantronix.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { greeting, heard, hexBytes } from '../support/answers.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

/** XPort user guide, section 9.1: 16 octets of the firmware image with the type at 4, 4 octets of device information, the MAC. */
const answer = (type: string, mac = '00204ab1079c', more = ''): string =>
  `000000f7 01020304 ${type} 0000 0000 0000 0000 a5c1 00002a12 ${mac} ${more}`;

test.for<{ name: string; bytes: string; facts: Facts }>([
  { name: 'an XPort', bytes: answer('5839'), facts: { 'lantronix.type': 'X9', 'lantronix.mac': '00:20:4A:B1:07:9C' } },
  {
    name: 'a console manager',
    bytes: answer('5343', '0080a3912e57'),
    facts: { 'lantronix.type': 'SC', 'lantronix.mac': '00:80:A3:91:2E:57' },
  },
  { name: 'a UDS-10, which ends before the MAC', bytes: answer('3351', ''), facts: { 'lantronix.type': '3Q' } },
  {
    name: 'one that goes on after the MAC',
    bytes: answer('5835', '00204ab1079c', 'ffff'),
    facts: { 'lantronix.type': 'X5', 'lantronix.mac': '00:20:4A:B1:07:9C' },
  },
  { name: 'a type that is no text', bytes: answer('0001'), facts: { 'lantronix.mac': '00:20:4A:B1:07:9C' } },
  { name: 'a MAC of nobody', bytes: answer('5839', '000000000000'), facts: { 'lantronix.type': 'X9' } },
])('Lantronix: $name', async ({ bytes, facts }) => {
  const said = await heard(lantronix, hexBytes(bytes));
  expect(said).toEqual({ facts, asked: [] });
  expectVocabulary(said?.facts ?? {}, 'lantronix');
});

test('Lantronix: one request, and neither the setup record nor the version is asked for', () =>
  expect(greeting(lantronix)).toEqual({ name: 'lantronix.query', bytes: hexBytes('000000f6') }));

test.for([
  { name: 'our own request', bytes: '000000f6' },
  { name: 'a setup record', bytes: `000000f9 ${'00'.repeat(120)}` },
  { name: 'a version', bytes: `000000f5 ${'00'.repeat(28)}` },
  { name: 'an answer that is cut', bytes: `000000f7 ${'00'.repeat(19)}` },
])('Lantronix: $name is not recognised', ({ bytes }) => expect(lantronix.recognise(hexBytes(bytes))).toBeUndefined());

test('Lantronix: an answer without type and MAC is no answer of this protocol, and none is silence', async () => {
  const bytes = hexBytes(answer('0000', '000000000000'));
  await expect(lantronix.talk(new PlaybackDatagrams([{ name: 'lantronix.query', bytes }]), {})).rejects.toMatchObject({
    kind: 'not-this-protocol',
  });
  await expect(lantronix.talk(new PlaybackDatagrams([]), {})).rejects.toMatchObject({ kind: 'silent' });
});
