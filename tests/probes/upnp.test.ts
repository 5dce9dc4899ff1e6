import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { upnp } from '../../src/probes/upnp.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { PlaybackSite, type Reply } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const PATH = '/rootDesc.xml';
const siteOf = (body: string, reply: Exclude<Reply, string | ProbeError> = {}): PlaybackSite =>
  new PlaybackSite({ [PATH]: { headers: [['Content-Type', 'text/xml; charset="utf-8"']], body: Buffer.from(body, 'utf8'), ...reply } });
const description = (device: string): string =>
  `<?xml version="1.0"?>\n<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion><device>${device}</device></root>`;

test.for<{ name: string; body: string; facts: Facts }>([
  {
    name: 'what a device says of itself, and not what those in it say',
    body: description(`
      <deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType>
      <friendlyName> KVM &amp; more </friendlyName>
      <manufacturer>Example</manufacturer><manufacturerURL>http://192.0.2.1/</manufacturerURL>
      <modelName>R2</modelName><modelNumber>7</modelNumber><serialNumber>SN-0042</serialNumber>
      <UDN>uuid:4d696e69-444c-164e-9d41-c632861aef5a</UDN>
      <deviceList><device><manufacturer>Other</manufacturer><modelDescription>x</modelDescription></device></deviceList>
      <modelName>again</modelName>`),
    facts: {
      'ssdp.friendlyName': 'KVM & more',
      'ssdp.manufacturer': 'Example',
      'ssdp.model': 'R2',
      'ssdp.modelNumber': '7',
      'ssdp.serial': 'SN-0042',
      'ssdp.udn': 'uuid:4d696e69-444c-164e-9d41-c632861aef5a',
    },
  },
  {
    name: 'a prefix, CDATA, a comment, an empty element',
    body: '<u:root xmlns:u="urn:schemas-upnp-org:device-1-0"><u:device><u:modelName><![CDATA[A<B]]><!-- no --></u:modelName><u:serialNumber/></u:device></u:root>',
    facts: { 'ssdp.model': 'A<B' },
  },
  { name: 'a device that says nothing', body: description(''), facts: {} },
  {
    name: 'entities of a document type are not expanded',
    body: `<!DOCTYPE root [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>${description('<modelName>&b;&x;</modelName>')}`,
    facts: { 'ssdp.model': '&b;&x;' },
  },
  {
    name: 'a text without an end',
    body: description(`<modelName>${'m'.repeat(5000)}</modelName>`),
    facts: { 'ssdp.model': 'm'.repeat(256) },
  },
  { name: 'one that was cut', body: description('<modelName>R2</modelName><serialNumber>SN').slice(0, -20), facts: { 'ssdp.model': 'R2' } },
  { name: 'letters beyond ASCII', body: description('<modelName>Übersicht</modelName>'), facts: { 'ssdp.model': 'Übersicht' } },
])('UPnP: $name', async ({ body, facts }) => {
  const site = siteOf(body);
  const said = await upnp.talk(site, PATH);
  expect(said).toEqual(facts);
  expectVocabulary(said, 'upnp');
  expect(site.asked).toEqual([PATH]);
});

test.for<{ name: string; body: string; reply?: Exclude<Reply, string | ProbeError> }>([
  { name: 'a web page', body: '<html><body><device><modelName>x</modelName></device></body></html>' },
  { name: 'a description without a device', body: '<root><modelName>x</modelName></root>' },
  { name: 'an error', body: description('<modelName>R2</modelName>'), reply: { status: 404 } },
  { name: 'no status line', body: description('<modelName>R2</modelName>'), reply: { status: undefined } },
  { name: 'nothing', body: '' },
  { name: 'a picture', body: '\0\0\0', reply: { headers: [['Content-Type', 'image/png']] } },
])('UPnP: $name is no description', async ({ body, reply }) => {
  await expect(upnp.talk(siteOf(body, reply), PATH)).rejects.toMatchObject({ kind: 'not-this-protocol' });
});

test('UPnP: a hundred thousand open elements, and texts of half a megabyte, cost little', async () => {
  const began = performance.now();
  await expect(upnp.talk(siteOf('<root>'.repeat(100_000)), PATH)).rejects.toMatchObject({ kind: 'not-this-protocol' });
  const many = description('<modelName>R2</modelName>'.repeat(20_000));
  expect(await upnp.talk(siteOf(many), PATH)).toEqual({ 'ssdp.model': 'R2' });
  expect(performance.now() - began).toBeLessThan(3000);
});

test('UPnP: any text ends in facts or a ProbeError', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc
          .array(
            fc.constantFrom(
              '<root>',
              '<device>',
              '<modelName>',
              'x',
              '</modelName>',
              '</device>',
              '</root>',
              '<![CDATA[',
              ']]>',
              '<!--',
              '-->',
              '&#0;',
              '&',
              '<',
              '<?xml',
            ),
            { maxLength: 20 },
          )
          .map((parts) => parts.join('')),
      ),
      async (text) => {
        const facts = await upnp.talk(siteOf(text), PATH).catch((error: unknown) => {
          if (!(error instanceof ProbeError)) throw error;
          return {};
        });
        expectVocabulary(facts, 'upnp');
      },
    ),
  ));
