import { expect, test } from 'vitest';
import { netbios } from '../../src/probes/netbios.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { greeting, heard, hexBytes } from '../support/answers.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const ID = greeting(netbios).bytes.toString('hex', 0, 2);
const STAR = `20 434b ${'41'.repeat(30)} 00`;
/** A name of 15 characters with its purpose and flags: 04 active, 80 a group. */
const name = (text: string, purpose: string, flags = '0400'): string => `${Buffer.from(text.padEnd(15)).toString('hex')}${purpose}${flags}`;

interface Answer {
  readonly id?: string;
  readonly flags?: string;
  readonly counts?: string;
  readonly record?: string;
  readonly count?: number;
  readonly length?: number;
  readonly type?: string;
}

function status(
  names: readonly string[],
  mac: string,
  { id = ID, flags = '8400', counts = '0000 0001', record = STAR, count, length, type = '0021' }: Answer = {},
): Buffer {
  const data = hexBytes(`${(count ?? names.length).toString(16).padStart(2, '0')} ${names.join('')} ${mac}`);
  const head = hexBytes(
    `${id} ${flags} ${counts} 0000 0000 ${record} ${type} 0001 00000000 ${(length ?? data.length).toString(16).padStart(4, '0')}`,
  );
  return Buffer.concat([head, data]);
}

/** Measured: nmbd 4.17.12 of Debian, which names no MAC. */
const SAMBA = status(
  [name('LABKVM', '00'), name('LABKVM', '03'), name('LABKVM', '20'), name('LABGROUP', '00', '8400'), name('LABGROUP', '1e', '8400')],
  '00'.repeat(46),
);

test.for<{ name: string; answer: Buffer; facts: Facts }>([
  {
    name: 'Samba',
    answer: SAMBA,
    facts: {
      'netbios.names': ['LABKVM<00>', 'LABKVM<03>', 'LABKVM<20>', 'LABGROUP<00>', 'LABGROUP<1e>'],
      'netbios.name': 'LABKVM',
      'netbios.group': 'LABGROUP',
    },
  },
  {
    name: 'a machine that names its MAC',
    answer: status([name('FILES01', '00'), name('OFFICE', '00', '8400'), name('FILES01', '20')], `a45d360c11e2${'00'.repeat(40)}`),
    facts: {
      'netbios.names': ['FILES01<00>', 'OFFICE<00>', 'FILES01<20>'],
      'netbios.name': 'FILES01',
      'netbios.group': 'OFFICE',
      'netbios.mac': 'A4:5D:36:0C:11:E2',
    },
  },
  {
    name: 'a name that is a pointer to itself, and is not followed',
    answer: status([name('A', '20')], '', { record: 'c00c' }),
    facts: { 'netbios.names': ['A<20>'] },
  },
  {
    name: 'more names promised than there are',
    answer: status([name('A', '00')], '', { count: 255, length: 0xffff }),
    facts: { 'netbios.names': ['A<00>'], 'netbios.name': 'A' },
  },
  {
    name: 'one name over and over',
    answer: status(
      Array.from({ length: 200 }, () => name('A', '00')),
      '',
    ),
    facts: { 'netbios.names': ['A<00>'], 'netbios.name': 'A' },
  },
])('NetBIOS: $name', async ({ answer, facts }) => {
  const said = await heard(netbios, answer);
  expect(said).toEqual({ facts, asked: [] });
  expectVocabulary(said?.facts ?? {}, 'netbios');
});

test('NetBIOS: the request is the node status request of RFC 1002, 50 bytes', () => {
  const { name: called, bytes } = greeting(netbios);
  expect(called).toBe('netbios.node-status');
  expect(bytes).toEqual(hexBytes(`${ID} 0000 0001 0000 0000 0000 ${STAR} 0021 0001`));
  expect(bytes).toHaveLength(50);
});

test.for([
  { name: 'our own request', bytes: greeting(netbios).bytes },
  { name: 'the answer to another transaction', bytes: status([name('A', '00')], '', { id: 'fffe' }) },
  { name: 'a request', bytes: status([name('A', '00')], '', { flags: '0400' }) },
  { name: 'an answer without a record', bytes: status([], '', { counts: '0000 0000' }) },
  { name: 'a name registration', bytes: status([name('A', '00')], '', { type: '0020' }) },
  { name: 'a name that does not end', bytes: hexBytes(`${ID} 8400 0000 0001 0000 0000 ${'3f'.repeat(500)}`) },
])('NetBIOS: $name is not recognised', ({ bytes }) => expect(netbios.recognise(bytes)).toBeUndefined());

test('NetBIOS: an answer without a name is no answer of this protocol, and none is silence', async () => {
  const bytes = status([], '');
  await expect(netbios.talk(new PlaybackDatagrams([{ name: 'netbios.node-status', bytes }]), {})).rejects.toMatchObject({
    kind: 'not-this-protocol',
  });
  await expect(netbios.talk(new PlaybackDatagrams([]), {})).rejects.toMatchObject({ kind: 'silent' });
});
