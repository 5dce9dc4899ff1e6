import { expect, test } from 'vitest';
import { addp } from '../../src/probes/addp.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { greeting, heard, hexBytes } from '../support/answers.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

/** kelley.ca, "Digi Connect ME Discovery": a captured response, with an address for the one that is blotted out there. */
const CONNECT_ME = `
  44 49 47 49 00 02 00 60 01 06 00 40 9d 33 d2 94 02 04 c0 00 02 07 03 04 ff ff 00 00 0b 04 00 00
  00 00 0d 0f 44 69 67 69 20 43 6f 6e 6e 65 63 74 20 4d 45 10 01 01 07 01 00 08 1e 56 65 72 73 69
  6f 6e 20 38 32 30 30 30 38 35 36 5f 46 36 20 30 37 2f 32 31 2f 32 30 30 36 0e 04 00 00 03 03 13
  04 00 00 04 03 12 01 01`;
const text = (value: string): string => `${value.length.toString(16).padStart(2, '0')}${Buffer.from(value).toString('hex')}`;
/** A response with these fields. */
const response = (fields: string): string => {
  const bytes = hexBytes(fields).length;
  return `44494749 0002 ${bytes.toString(16).padStart(4, '0')} ${fields}`;
};

test.for<{ name: string; answer: string; facts: Facts }>([
  {
    name: 'the captured one',
    answer: CONNECT_ME,
    facts: {
      'addp.mac': '00:40:9D:33:D2:94',
      'addp.ip': '192.0.2.7',
      'addp.product': 'Digi Connect ME',
      'addp.firmware': 'Version 82000856_F6 07/21/2006',
      'addp.hardwareRevision': 0,
      'addp.ports': 1,
      'addp.realPort': 771,
      'addp.encrypted': true,
      'addp.encryptedRealPort': 1027,
    },
  },
  {
    name: 'name, hardware type, GUID of the vendor; RealPort of two octets and a flag for encryption',
    answer: response(`0106 00409d000001 04${text('rack-7')} 060107 0e020303 130100 1510 fbb24a711ff74adef54d3b1fb24d2941`),
    facts: {
      'addp.mac': '00:40:9D:00:00:01',
      'addp.name': 'rack-7',
      'addp.hardwareType': 7,
      'addp.realPort': 771,
      'addp.encrypted': false,
      'addp.vendorGuid': 'fbb24a711ff74adef54d3b1fb24d2941',
    },
  },
  {
    name: 'the first of two fields counts, and unknown ones are passed over',
    answer: response(`0d${text('One')} 0d${text('Two')} 7f03010203 19020001`),
    facts: { 'addp.product': 'One' },
  },
  {
    name: 'a size and a field that promise more than there is',
    answer: `44494749 0002 ffff 0106 00409d000001 04ff ${Buffer.from('name').toString('hex')}`,
    facts: { 'addp.mac': '00:40:9D:00:00:01' },
  },
  {
    name: 'a size that is less than there is',
    answer: `44494749 0002 0008 0106 00409d000001 04${text('name')}`,
    facts: { 'addp.mac': '00:40:9D:00:00:01' },
  },
  {
    name: 'fields of a wrong length say nothing',
    answer: response('0104 01020304 0203 0a0000 0e03 000303 120101'),
    facts: { 'addp.ports': 1 },
  },
  {
    name: 'a RealPort that is no port',
    answer: response('120110 0e0400010000 130400000000'),
    facts: { 'addp.ports': 16, 'addp.encrypted': false },
  },
])('ADDP: $name', async ({ answer, facts }) => {
  const said = await heard(addp, hexBytes(answer));
  expect(said).toEqual({ facts, asked: [] });
  expectVocabulary(said?.facts ?? {}, 'addp');
});

test('ADDP: wireless settings, keys, challenges and messages are not kept, in the old numbers or in the new', async () => {
  const secret = text('TopSecretKey');
  const numbers = [0x05, 0x09, 0x0a, 0x17, 0x19, 0x1a, 0x1b, ...range(0x1c, 0x23), ...range(0xe0, 0xe7)];
  const fields = numbers.map((number) => `${number.toString(16).padStart(2, '0')}${secret}`).join('');
  const said = await heard(addp, hexBytes(response(`0106 00409d000001 ${fields}`)));
  expect(said).toEqual({ facts: { 'addp.mac': '00:40:9D:00:00:01' }, asked: [] });
});

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

test('ADDP: the request is the same for everybody and every try', () => {
  expect(greeting(addp, 0, 1)).toEqual({ name: 'addp.discovery', bytes: hexBytes('44494749 0001 0006 ffffffffffff') });
  expect(greeting(addp, 3, 2)).toEqual(greeting(addp, 0, 1));
});

test.for([
  { name: 'our own request', bytes: '44494749 0001 0006 ffffffffffff' },
  { name: 'the answer to another request', bytes: '44494749 0004 0000' },
  { name: 'the magic of a development kit', bytes: '44564b54 0002 0000' },
  { name: 'a header that is cut', bytes: '44494749 0002 00' },
  { name: 'nothing', bytes: '' },
])('ADDP: $name is not recognised', ({ bytes }) => expect(addp.recognise(hexBytes(bytes))).toBeUndefined());

test('ADDP: an answer that says nothing is no answer of this protocol, and none is silence', async () => {
  const bytes = hexBytes('44494749 0002 0000');
  await expect(addp.talk(new PlaybackDatagrams([{ name: 'addp.discovery', bytes }]), {})).rejects.toMatchObject({
    kind: 'not-this-protocol',
  });
  await expect(addp.talk(new PlaybackDatagrams([]), {})).rejects.toMatchObject({ kind: 'silent' });
});
