import { expect, test } from 'vitest';
import { ubiquiti } from '../../src/probes/ubiquiti.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { greeting, heard, hexBytes } from '../support/answers.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const text = (value: string): string => `${value.length.toString(16).padStart(4, '0')}${Buffer.from(value).toString('hex')}`;
const response = (fields: string): Buffer => hexBytes(`01 00 ${hexBytes(fields).length.toString(16).padStart(4, '0')} ${fields}`);

test.for<{ name: string; answer: Buffer; facts: Facts }>([
  {
    name: 'an EdgeRouter, as nmap shows it',
    answer: response(
      `01 0006 802aa8aef163 02 000a 802aa8aef163 c0a80001 02 000a 802aa8aef163 ac191001 02 000a 802aa8aef15e c0a80001
       03 ${text('EdgeRouter.ER-e50.v1.10.7.5127989.181001.1227')} 0a 0004 0001b9fc 0b ${text('ubnt-router')} 0c ${text('ER-X')}`,
    ),
    facts: {
      'ubiquiti.mac': '80:2A:A8:AE:F1:63',
      'ubiquiti.addresses': ['192.168.0.1', '172.25.16.1'],
      'ubiquiti.firmware': 'EdgeRouter.ER-e50.v1.10.7.5127989.181001.1227',
      'ubiquiti.hostname': 'ubnt-router',
      'ubiquiti.product': 'ER-X',
      'ubiquiti.uptime': 113148,
    },
  },
  {
    name: 'model, version, factory state',
    answer: response(`14 ${text('NanoStation M5')} 16 ${text('5.9.29')} 17 0001 01`),
    facts: { 'ubiquiti.model': 'NanoStation M5', 'ubiquiti.version': '5.9.29', 'ubiquiti.isDefault': true },
  },
  {
    name: 'a field that promises more than there is',
    answer: response(`17 0001 00 0b ffff ${Buffer.from('name').toString('hex')}`),
    facts: { 'ubiquiti.isDefault': false },
  },
  {
    name: 'user, salt, challenge and wireless network are not kept',
    answer: response(`0c ${text('AP')} ${['06', '07', '08', '09', '0d', '0e'].map((type) => `${type}${text('TopSecret')}`).join('')}`),
    facts: { 'ubiquiti.product': 'AP' },
  },
])('Ubiquiti: $name', async ({ answer, facts }) => {
  const said = await heard(ubiquiti, answer);
  expect(said).toEqual({ facts, asked: [] });
  expectVocabulary(said?.facts ?? {}, 'ubiquiti');
});

test('Ubiquiti: the request is version 1', () =>
  expect(greeting(ubiquiti)).toEqual({ name: 'ubiquiti.discovery', bytes: hexBytes('01000000') }));

test.for([
  { name: 'our own request', bytes: '01000000' },
  { name: 'version 2', bytes: '02060007 0c 0004 45522d58' },
  { name: 'a length that is wrong', bytes: '01000008 0c 0004 45522d58' },
  { name: 'another command', bytes: '01010007 0c 0004 45522d58' },
])('Ubiquiti: $name is not recognised', ({ bytes }) => expect(ubiquiti.recognise(hexBytes(bytes))).toBeUndefined());

test('Ubiquiti: an answer that says nothing is no answer of this protocol, and none is silence', async () => {
  const bytes = hexBytes('01000003 0e 0000');
  await expect(ubiquiti.talk(new PlaybackDatagrams([{ name: 'ubiquiti.discovery', bytes }]), {})).rejects.toMatchObject({
    kind: 'not-this-protocol',
  });
  await expect(ubiquiti.talk(new PlaybackDatagrams([]), {})).rejects.toMatchObject({ kind: 'silent' });
});
