import { expect, test } from 'vitest';
import { aidp } from '../../src/probes/aidp.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { greeting, heard, hexBytes } from '../support/answers.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const SEQUENCE = greeting(aidp).bytes.toString('hex', 5, 7);

/** As ya-mouse/asmp4snmp reads it: fields of type, length of two octets and value, then FF and 0D, which is not counted. */
function reply(
  fields: string,
  { sequence = SEQUENCE, command = '81', length }: { sequence?: string; command?: string; length?: string } = {},
): Buffer {
  const bytes = hexBytes(`${fields} ff`).length.toString(16).padStart(8, '0');
  return hexBytes(`01 41494450 ${sequence} ${command} ${length ?? bytes} ${fields} ff 0d`);
}
const NAME = Buffer.from('dsr-rack7').toString('hex');

test.for<{ name: string; answer: Buffer; facts: Facts }>([
  {
    name: 'all fields',
    answer: reply(`01 0002 010d 02 0006 00e086115da8 03 0004 c0000207 04 0004 ffffff00 05 0004 c0000201 06 0009 ${NAME} 07 0001 03`),
    facts: { 'aidp.model': 269, 'aidp.mac': '00:E0:86:11:5D:A8', 'aidp.ip': '192.0.2.7', 'aidp.hostname': 'dsr-rack7', 'aidp.modes': 3 },
  },
  {
    name: 'one that has no address yet',
    answer: reply('01 0002 0002 02 0006 00e086115da8 03 0004 00000000 04 0004 00000000 06 0000'),
    facts: { 'aidp.model': 2, 'aidp.mac': '00:E0:86:11:5D:A8' },
  },
  {
    name: 'what comes after the end of the fields is not read',
    answer: reply('01 0002 0002 ff 02 0006 00e086115da8'),
    facts: { 'aidp.model': 2 },
  },
  {
    name: 'lengths that promise more than there is',
    answer: reply(`01 0002 0002 06 ffff ${NAME}`, { length: 'ffffffff' }),
    facts: { 'aidp.model': 2 },
  },
  {
    name: 'fields of a wrong length say nothing',
    answer: reply('01 0003 000002 02 0005 00e0861122 07 0001 01'),
    facts: { 'aidp.modes': 1 },
  },
])('AIDP: $name', async ({ answer, facts }) => {
  const said = await heard(aidp, answer);
  expect(said).toEqual({ facts, asked: [] });
  expectVocabulary(said?.facts ?? {}, 'aidp');
});

test('AIDP: the request is discover, with a sequence number of its own for each try', () => {
  const { name, bytes } = greeting(aidp);
  expect(name).toBe('aidp.discover');
  expect(bytes.toString('hex')).toBe(`0141494450${SEQUENCE}01000000060100020108ff0d`);
  expect(greeting(aidp, 0, 77), 'the same for all devices').toEqual({ name, bytes });
  expect(greeting(aidp, 1, 77).bytes.toString('hex', 5, 7)).toBe('004d');
});

test.for([
  { name: 'our own request', bytes: greeting(aidp).bytes },
  { name: 'the answer to a test of an address', bytes: reply('', { command: '82' }) },
  { name: 'the answer to a setting', bytes: reply('', { command: '83' }) },
  { name: 'the answer to somebody else', bytes: reply('01 0002 0002', { sequence: 'ffff' }) },
  { name: 'ASMP', bytes: hexBytes(`01 41534d50 ${SEQUENCE} 81 00000001 ff 0d`) },
  { name: 'a header that is cut', bytes: reply('').subarray(0, 11) },
])('AIDP: $name is not recognised', ({ bytes }) => expect(aidp.recognise(bytes)).toBeUndefined());

test('AIDP: a reply that says nothing is no answer of this protocol, and none is silence', async () => {
  await expect(aidp.talk(new PlaybackDatagrams([{ name: 'aidp.discover', bytes: reply('') }]), {})).rejects.toMatchObject({
    kind: 'not-this-protocol',
  });
  await expect(aidp.talk(new PlaybackDatagrams([]), {})).rejects.toMatchObject({ kind: 'silent' });
});
