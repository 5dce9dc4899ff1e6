import { expect, test } from 'vitest';
import { moxa } from '../../src/probes/moxa.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { greeting, heard, hexBytes } from '../support/answers.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

/** mdavidsaver/nport-toys nport-udp-protocol.md: the answer of an NPort 5110A, with another MAC. */
const HEAD = '8100 0018 00000000';
const NPORT = `${HEAD} 00555555 1a51 0090e85b20c4 c0a87ffe`;

test.for<{ name: string; bytes: string; facts: Facts }>([
  {
    name: 'the observed one',
    bytes: NPORT,
    facts: { 'moxa.model': '511a', 'moxa.application': '00555555', 'moxa.mac': '00:90:E8:5B:20:C4', 'moxa.ip': '192.168.127.254' },
  },
  {
    name: 'one without an address, with a low code',
    bytes: `${HEAD} 00000080 0600 500b88000001 00000000`,
    facts: { 'moxa.model': '0006', 'moxa.application': '00000080', 'moxa.mac': '50:0B:88:00:00:01' },
  },
])('Moxa: $name', async ({ bytes, facts }) => {
  const said = await heard(moxa, hexBytes(bytes));
  expect(said).toEqual({ facts, asked: [] });
  expectVocabulary(said?.facts ?? {}, 'moxa');
});

test('Moxa: the request has no data and asks for nothing else', () =>
  expect(greeting(moxa)).toEqual({ name: 'moxa.discovery', bytes: hexBytes('01000008 00000000') }));

test.for([
  { name: 'our own request', bytes: '01000008 00000000' },
  { name: 'a byte less', bytes: NPORT.slice(0, -2) },
  { name: 'a byte more', bytes: `${NPORT}00` },
  { name: 'another length', bytes: NPORT.replace('0018', '0019') },
  { name: 'a status', bytes: NPORT.replace('8100', '8104') },
  { name: 'a transaction that is not ours', bytes: NPORT.replace('00000000', '00000001') },
  { name: 'the answer to another function', bytes: NPORT.replace('8100', 'a100') },
])('Moxa: $name is not recognised', ({ bytes }) => expect(moxa.recognise(hexBytes(bytes))).toBeUndefined());

test('Moxa: an answer without a MAC is no answer of this protocol, and none is silence', async () => {
  const bytes = hexBytes(`${HEAD} 00555555 1a51 000000000000 c0a87ffe`);
  await expect(moxa.talk(new PlaybackDatagrams([{ name: 'moxa.discovery', bytes }]), {})).rejects.toMatchObject({
    kind: 'not-this-protocol',
  });
  await expect(moxa.talk(new PlaybackDatagrams([]), {})).rejects.toMatchObject({ kind: 'silent' });
});
