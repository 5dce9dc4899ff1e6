import { expect, test } from 'vitest';
import { slp } from '../../src/probes/slp.ts';
import type { Datagram } from '../../src/sweep/contract.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { greeting, heard, hexBytes } from '../support/answers.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const XID = greeting(slp).bytes.readUInt16BE(10);

/** A reply of RFC 2608 section 10.2 (function 10) or 10.4 (function 7). */
function reply(
  code: number,
  list: string,
  { xid = XID, error = 0, language = 'en', length }: { xid?: number; error?: number; language?: string; length?: number } = {},
): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(14), Buffer.from(language), Buffer.alloc(4), Buffer.from(list, 'latin1')]);
  bytes.writeUInt8(2, 0);
  bytes.writeUInt8(code, 1);
  bytes.writeUIntBE(bytes.length, 2, 3);
  bytes.writeUInt16BE(xid, 10);
  bytes.writeUInt16BE(language.length, 12);
  bytes.writeUInt16BE(error, 14 + language.length);
  bytes.writeUInt16BE(length ?? list.length, 16 + language.length);
  return bytes;
}
/** What follows an answer that names a controller. */
const attributes =
  (list: string, options: Parameters<typeof reply>[2] = {}) =>
  ({ bytes }: Datagram): Buffer =>
    reply(7, list, { xid: bytes.readUInt16BE(10), ...options });

const XCC = 'service:management-hardware.Lenovo:lenovo-xclarity-controller';

test.for<{ name: string; answer: Buffer; respond?: (request: Datagram) => Buffer | undefined; facts: Facts; asked?: readonly string[] }>([
  {
    name: 'a printer',
    answer: reply(10, 'service:printer:lpr,service:printer:http, service:printer:lpr '),
    facts: { 'slp.types': ['service:printer:lpr', 'service:printer:http'] },
  },
  { name: 'one that announces nothing', answer: reply(10, ''), facts: { 'slp.types': [] } },
  { name: 'one that does not know the scope', answer: reply(10, '', { error: 4 }), facts: { 'slp.error': 4 } },
  {
    name: 'a controller, with the form of attributes that xCAT shows of a management module',
    answer: reply(10, `service:ipmi,${XCC}`, { language: 'en-US' }),
    respond: attributes(
      '(type=lenovo-xclarity-controller),(enclosure-serial-number=J303KD2W),(name=a\\2cb),(ips=192.0.2.7, 192.0.2.8),busy,(node-uuid=\\ff\\E6\\4f\\0b\\41\\de\\0d\\11\\d7\\bd\\be\\b5\\3c\\ab\\f0\\46\\04),(empty=)',
    ),
    facts: {
      'slp.types': ['service:ipmi', XCC],
      'slp.attributes': {
        type: 'lenovo-xclarity-controller',
        'enclosure-serial-number': 'J303KD2W',
        name: 'a,b',
        ips: '192.0.2.7,192.0.2.8',
        'node-uuid': 'e64f0b41de0d11d7bdbeb53cabf04604',
      },
    },
    asked: ['slp.attributes-xcc'],
  },
  {
    name: 'a controller that keeps its attributes to itself',
    answer: reply(10, 'service:lenovo-smm'),
    facts: { 'slp.types': ['service:lenovo-smm'] },
    asked: ['slp.attributes-smm'],
  },
  {
    name: 'attributes of another question are not taken',
    answer: reply(10, 'service:lenovo-smm'),
    respond: attributes('(serial-number=1)', { xid: XID }),
    facts: { 'slp.types': ['service:lenovo-smm'] },
    asked: ['slp.attributes-smm'],
  },
  {
    name: 'what may be a secret is not kept',
    answer: reply(10, 'service:lenovo-smm2'),
    respond: attributes('(password=x),(snmp-Community=y),(api-key=z),(Secret=s),(name=smm)'),
    facts: { 'slp.types': ['service:lenovo-smm2'], 'slp.attributes': { name: 'smm' } },
    asked: ['slp.attributes-smm2'],
  },
  {
    name: 'lists that promise more than there is, and an attribute that is cut',
    answer: reply(10, 'service:lenovo-smm', { length: 0xffff }),
    respond: attributes('(name=smm),(serial-number=12', { length: 0xffff }),
    facts: { 'slp.types': ['service:lenovo-smm'], 'slp.attributes': { name: 'smm' } },
    asked: ['slp.attributes-smm'],
  },
])('SLP: $name', async ({ answer, respond, facts, asked = [] }) => {
  const said = await heard(slp, answer, respond);
  expect(said?.facts).toEqual(facts);
  expect(said?.asked.map(({ name }) => name)).toEqual(asked);
  expectVocabulary(said?.facts ?? {}, 'slp');
});

test('SLP: the request is for all service types, 29 bytes', () => {
  const { name, bytes } = greeting(slp);
  expect(name).toBe('slp.service-types');
  expect(bytes).toEqual(hexBytes(`02 09 00001d 0000 000000 ${bytes.toString('hex', 10, 12)} 0002 656e 0000 ffff 0007 44454641554c54`));
});

test('SLP: the question for attributes names the service, the scope and nothing else', async () => {
  const said = await heard(slp, reply(10, 'service:lenovo-smm'));
  const [request] = said?.asked ?? [];
  const xid = ((XID + 1) & 0xffff).toString(16).padStart(4, '0');
  expect(request?.bytes).toEqual(
    hexBytes(
      `02 06 000033 0000 000000 ${xid} 0002 656e 0000 0012 ${Buffer.from('service:lenovo-smm').toString('hex')} 0007 44454641554c54 0000 0000`,
    ),
  );
});

test.for([
  { name: 'our own request', bytes: greeting(slp).bytes },
  { name: 'the answer to another request', bytes: reply(10, '', { xid: XID ^ 1 }) },
  { name: 'attributes', bytes: reply(7, '(a=b)') },
  { name: 'version 1', bytes: Buffer.concat([Buffer.from([1]), reply(10, '').subarray(1)]) },
  { name: 'a header that is cut', bytes: reply(10, '').subarray(0, 13) },
  { name: 'a language that runs past the end', bytes: Buffer.concat([reply(10, '').subarray(0, 12), Buffer.from('ffff', 'hex')]) },
])('SLP: $name is not recognised', ({ bytes }) => expect(slp.recognise(bytes)).toBeUndefined());

test('SLP: no answer is silence', async () => expect(slp.talk(new PlaybackDatagrams([]), {})).rejects.toMatchObject({ kind: 'silent' }));
