import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { ssdp } from '../../src/probes/ssdp.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const lines = (...headers: string[]): string => ['HTTP/1.1 200 OK', ...headers, '', ''].join('\r\n');
/** What the sweep's socket would have kept of these answers. */
const wireOf = (...answers: string[]): PlaybackDatagrams =>
  new PlaybackDatagrams(
    answers.map((text) => {
      const bytes = Buffer.from(text, 'utf8');
      return { name: ssdp.recognise(bytes) ?? 'none', bytes };
    }),
  );

const UUID = '34353738-3935-5a43-4a38-34313032574d';
/** minidlna 1.3.0. */
const MEDIA = lines(
  'CACHE-CONTROL: max-age=1810',
  'DATE: Wed, 25 Nov 2026 23:08:36 GMT',
  'ST: upnp:rootdevice',
  'USN: uuid:4d696e69-444c-164e-9d41-c632861aef5a::upnp:rootdevice',
  'EXT:',
  'SERVER: Debian DLNADOC/1.50 UPnP/1.0 MiniDLNA/1.3.0',
  'LOCATION: http://10.77.0.11:8200/rootDesc.xml',
  'Content-Length: 0',
);
/** As the mock-up server of the DMTF writes it (DMTF/Redfish-Mockup-Server rfSsdpServer.py). */
const REDFISH = lines(
  'CACHE-CONTROL: max-age=1800',
  'ST:urn:dmtf-org:service:redfish-rest:1:6',
  `USN:uuid:${UUID.toUpperCase()}::urn:dmtf-org:service:redfish-rest:1:6`,
  'AL:https://10.77.0.12/redfish/v1/',
  'EXT:',
);

test.for<{ name: string; answers: string[]; facts: Facts }>([
  {
    name: 'a root device',
    answers: [MEDIA],
    facts: {
      'ssdp.server': 'Debian DLNADOC/1.50 UPnP/1.0 MiniDLNA/1.3.0',
      'ssdp.usn': 'uuid:4d696e69-444c-164e-9d41-c632861aef5a::upnp:rootdevice',
      'ssdp.location': 'http://10.77.0.11:8200/rootDesc.xml',
    },
  },
  {
    name: 'a Redfish service, which answers both searches with its own target',
    answers: [REDFISH, REDFISH],
    facts: {
      'ssdp.usn': `uuid:${UUID.toUpperCase()}::urn:dmtf-org:service:redfish-rest:1:6`,
      'ssdp.redfish.root': 'https://10.77.0.12/redfish/v1/',
      'ssdp.redfish.uuid': UUID,
    },
  },
  {
    name: 'both: what the root device says of itself, and the service',
    answers: [REDFISH, MEDIA],
    facts: {
      'ssdp.server': 'Debian DLNADOC/1.50 UPnP/1.0 MiniDLNA/1.3.0',
      'ssdp.usn': 'uuid:4d696e69-444c-164e-9d41-c632861aef5a::upnp:rootdevice',
      'ssdp.location': 'http://10.77.0.11:8200/rootDesc.xml',
      'ssdp.redfish.root': 'https://10.77.0.12/redfish/v1/',
      'ssdp.redfish.uuid': UUID,
    },
  },
  {
    name: 'a Redfish service without AL',
    answers: [lines('ST: urn:dmtf-org:service:redfish-rest:1', 'USN: 34353738::urn', 'LOCATION: http://10.77.0.12/redfish/v1/')],
    facts: {
      'ssdp.usn': '34353738::urn',
      'ssdp.location': 'http://10.77.0.12/redfish/v1/',
      'ssdp.redfish.root': 'http://10.77.0.12/redfish/v1/',
    },
  },
  {
    name: 'lines that end in LF, names in other letters, a value twice, an empty one',
    answers: ['HTTP/1.1 200 OK\nst: upnp:rootdevice\nUsn: uuid:a\nServer:\nUSN: uuid:b\nlocation : http://10.0.0.1/x\n\n'],
    facts: { 'ssdp.usn': 'uuid:a', 'ssdp.location': 'http://10.0.0.1/x' },
  },
  {
    name: 'a text that is long, and not in ASCII',
    answers: [lines('ST: upnp:rootdevice', 'USN: uuid:ü', `SERVER: ${'x'.repeat(2000)}`)],
    facts: { 'ssdp.usn': 'uuid:ü', 'ssdp.server': 'x'.repeat(512) },
  },
])('SSDP: $name', async ({ answers, facts }) => {
  const wire = wireOf(...answers);
  const said = await ssdp.talk(wire, {});
  expect(said).toEqual(facts);
  expectVocabulary(said, 'ssdp');
  expect(wire.asked, 'nothing more is asked over UDP').toEqual([]);
});

test.for<[name: string, text: string, answer: string | undefined]>([
  ['an answer to the search for root devices', MEDIA, 'ssdp.root'],
  ['an answer of a Redfish service', REDFISH, 'ssdp.redfish'],
  ['an answer with a target of its own', lines('ST: urn:schemas-upnp-org:device:Basic:1', 'USN: uuid:a'), 'ssdp.root'],
  ['an answer without a target', lines('USN: uuid:a', 'LOCATION: http://10.0.0.1/x.xml'), undefined],
  ['an answer that says nothing', lines('ST: upnp:rootdevice', 'EXT:'), undefined],
  ['an announcement', 'NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\nUSN: uuid:a\r\n\r\n', undefined],
  ['our own search', ssdp.hello(0, () => 0)[0]?.bytes.toString() ?? '', undefined],
  ['an error', 'HTTP/1.1 404 Not Found\r\nST: upnp:rootdevice\r\nUSN: uuid:a\r\n\r\n', undefined],
  ['a web page', 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nLocation: /\r\n\r\n<html>', undefined],
  ['nothing', '', undefined],
])('SSDP: %s is %s', ([, text, answer]) => expect(ssdp.recognise(Buffer.from(text))).toBe(answer));

test('SSDP: silence is said', async () => {
  await expect(ssdp.talk(wireOf(), {})).rejects.toMatchObject({ kind: 'silent' });
});

test('SSDP: any bytes end in facts or a ProbeError', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
        fc
          .array(
            fc.tuple(
              fc.constantFrom('ST', 'USN', 'AL', 'LOCATION', 'SERVER', '__proto__', 'X'),
              fc.string({ unit: 'binary', maxLength: 80 }),
            ),
            {
              maxLength: 8,
            },
          )
          .map((headers) => lines(...headers.map(([name, value]) => `${name}: ${value}`))),
      ),
      async (text) => {
        const facts = await ssdp.talk(wireOf(text), {}).catch((error: unknown) => {
          if (!(error instanceof ProbeError)) throw error;
          return {};
        });
        expectVocabulary(facts, 'ssdp');
      },
    ),
  ));
