import { expect, test } from 'vitest';
import { wsd } from '../../src/probes/wsd.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { greeting, heard } from '../support/answers.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const ID = /urn:uuid:[0-9a-f-]{36}/.exec(greeting(wsd).bytes.toString())?.[0] ?? '';
const ENDPOINT = 'urn:uuid:3d1219c7-c4c5-404a-aa1f-6d2a48adfda4';

function matches(body: string, { id = ID, prefix = 'wsd', header = '' }: { id?: string; prefix?: string; header?: string } = {}): Buffer {
  return Buffer.from(
    `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:${prefix}="http://schemas.xmlsoap.org/ws/2005/04/discovery"><soap:Header>${header}<wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</wsa:Action><wsa:RelatesTo>${id}</wsa:RelatesTo></soap:Header><soap:Body><${prefix}:ProbeMatches>${body}</${prefix}:ProbeMatches></soap:Body></soap:Envelope>`,
  );
}
const match = (inner: string, prefix = 'wsd'): string =>
  `<${prefix}:ProbeMatch><wsa:EndpointReference><wsa:Address>${ENDPOINT}</wsa:Address></wsa:EndpointReference>${inner}</${prefix}:ProbeMatch>`;

test.for<{ name: string; answer: Buffer; facts: Facts }>([
  {
    name: 'wsdd2 of Debian (measured)',
    answer: matches(
      match(
        `<wsd:Types>wsdp:Device pub:Computer</wsd:Types><wsd:XAddrs>http://10.79.0.2:3702/3d1219c7-c4c5-404a-aa1f-6d2a48adfda4</wsd:XAddrs><wsd:MetadataVersion>2</wsd:MetadataVersion>`,
      ),
    ),
    facts: {
      'wsd.endpoint': ENDPOINT,
      'wsd.types': ['wsdp:Device', 'pub:Computer'],
      'wsd.addresses': ['http://10.79.0.2:3702/3d1219c7-c4c5-404a-aa1f-6d2a48adfda4'],
    },
  },
  {
    name: 'a camera with scopes, other prefixes, and two matches',
    answer: matches(
      `${match('<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/IPC\n onvif://www.onvif.org/hardware/X-1</d:Scopes><d:XAddrs>http://192.0.2.7/onvif http://[fe80::1]/onvif</d:XAddrs>', 'd')}${match('<d:Types>tds:Device dn:NetworkVideoTransmitter</d:Types>', 'd')}`,
      { prefix: 'd' },
    ),
    facts: {
      'wsd.endpoint': ENDPOINT,
      'wsd.types': ['dn:NetworkVideoTransmitter', 'tds:Device'],
      'wsd.scopes': ['onvif://www.onvif.org/name/IPC', 'onvif://www.onvif.org/hardware/X-1'],
      'wsd.addresses': ['http://192.0.2.7/onvif', 'http://[fe80::1]/onvif'],
    },
  },
  {
    name: 'entities stay as they are written, whatever a DTD says of them',
    answer: Buffer.concat([
      Buffer.from('<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>'),
      matches(match('<wsd:Scopes>&a;&amp;&b;</wsd:Scopes>')),
    ]),
    facts: { 'wsd.endpoint': ENDPOINT, 'wsd.scopes': ['&a;&amp;&b;'] },
  },
  {
    name: "types and addresses outside of a match are nobody's",
    answer: matches(match(''), {
      header:
        '<wsa:ReplyTo><wsa:Address>http://192.0.2.9/</wsa:Address></wsa:ReplyTo><wsd:Types>a:b</wsd:Types><wsd:XAddrs>http://192.0.2.9/</wsd:XAddrs>',
    }),
    facts: { 'wsd.endpoint': ENDPOINT },
  },
  {
    name: 'a message that breaks off',
    answer: matches(match('<wsd:Types>wsdp:Device</wsd:Types>')).subarray(0, 620),
    facts: { 'wsd.endpoint': ENDPOINT, 'wsd.types': ['wsdp:Device'] },
  },
])('WS-Discovery: $name', async ({ answer, facts }) => {
  const said = await heard(wsd, answer);
  expect(said).toEqual({ facts, asked: [] });
  expectVocabulary(said?.facts ?? {}, 'wsd');
});

test('WS-Discovery: of long lists a little is kept, and elements in elements do no harm', async () => {
  const many = Array.from({ length: 500 }, (_, i) => `s:${i}`).join(' ');
  const said = await heard(wsd, matches(match(`<wsd:Types>t:${'x'.repeat(3000)}</wsd:Types><wsd:Scopes>${many}</wsd:Scopes>`)));
  expect(said?.facts['wsd.scopes']).toHaveLength(32);
  expect(said?.facts['wsd.types']).toEqual([`t:${'x'.repeat(254)}`]);
  const deep = matches(`${match('')}${'<a>'.repeat(20_000)}`);
  expect((await heard(wsd, deep))?.facts).toEqual({ 'wsd.endpoint': ENDPOINT });
});

test('WS-Discovery: the request asks for everything, and has an id of its own for each try', () => {
  const { name, bytes } = greeting(wsd);
  expect(name).toBe('wsd.probe');
  expect(bytes).toHaveLength(520);
  expect(bytes.toString()).toContain('<soap:Body><wsd:Probe/></soap:Body>');
  expect(ID).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(greeting(wsd, 1, 7).bytes.toString()).toContain('-000000000007</wsa:MessageID>');
});

test.for([
  { name: 'our own request', bytes: greeting(wsd).bytes },
  { name: 'the answer to somebody else', bytes: matches(match(''), { id: ENDPOINT }) },
  { name: 'a greeting', bytes: Buffer.from(`<Envelope><Body><Hello>${ID}</Hello></Body></Envelope>`) },
])('WS-Discovery: $name is not recognised', ({ bytes }) => expect(wsd.recognise(bytes)).toBeUndefined());

test.for([
  { name: 'an answer that only mentions our id', bytes: matches(match(`<x>${ID}</x>`), { id: ENDPOINT }) },
  { name: 'one that matches nothing', bytes: matches('') },
])('WS-Discovery: $name is none of this protocol', async ({ bytes }) =>
  expect(wsd.talk(new PlaybackDatagrams([{ name: 'wsd.probe', bytes }]), {})).rejects.toMatchObject({ kind: 'not-this-protocol' }),
);

test('WS-Discovery: no answer is silence', async () =>
  expect(wsd.talk(new PlaybackDatagrams([]), {})).rejects.toMatchObject({ kind: 'silent' }));
