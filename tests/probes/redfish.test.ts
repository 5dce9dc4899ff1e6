import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { redfish } from '../../src/probes/redfish.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { PlaybackSite, type Reply } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const json = (root: unknown, status = 200): Reply => ({
  status,
  headers: [['Content-Type', 'application/json']],
  body: Buffer.from(JSON.stringify(root)),
});
const IDRAC = {
  '@odata.id': '/redfish/v1',
  '@odata.type': '#ServiceRoot.v1_8_0.ServiceRoot',
  Name: 'Root Service',
  Oem: { Dell: { ServiceTag: 'ABC1234', ManagerMACAddress: 'd0:94:66:00:00:01' } },
  Product: 'Integrated Dell Remote Access Controller',
  RedfishVersion: '1.11.0',
  Vendor: 'Dell',
  UUID: '3432414F-C4C4-4E80-4D10-00424C4C4544',
  Links: { Sessions: { '@odata.id': '/redfish/v1/SessionService/Sessions' } },
};

interface Case {
  readonly name: string;
  readonly site: Readonly<Record<string, Reply>>;
  readonly facts: Facts;
  readonly asked: readonly string[];
}

test.for<Case>([
  {
    name: 'Dell',
    site: { '/redfish/v1/': json(IDRAC) },
    facts: {
      'redfish.root': IDRAC,
      'redfish.vendor': 'Dell',
      'redfish.product': 'Integrated Dell Remote Access Controller',
      'redfish.version': '1.11.0',
      'redfish.uuid': '3432414f-c4c4-4e80-4d10-00424c4c4544',
      'redfish.oem': ['Dell'],
    },
    asked: ['/redfish/v1/'],
  },
  {
    name: 'PiKVM registers only the form without a slash',
    site: { '/redfish/v1': json({ '@odata.id': '/redfish/v1', Name: 'RootService' }) },
    facts: { 'redfish.root': { '@odata.id': '/redfish/v1', Name: 'RootService' } },
    asked: ['/redfish/v1/', '/redfish/v1'],
  },
  {
    name: 'one that redirects to the form without a slash',
    site: { '/redfish/v1/': { status: 308, headers: [['Location', '/redfish/v1']] }, '/redfish/v1': json({ RedfishVersion: '1.0.0' }) },
    facts: { 'redfish.root': { RedfishVersion: '1.0.0' }, 'redfish.version': '1.0.0' },
    asked: ['/redfish/v1/', '/redfish/v1'],
  },
  {
    name: 'a byte order mark',
    site: { '/redfish/v1/': { body: Buffer.from(`\ufeff${JSON.stringify({ RedfishVersion: '1.0.0' })}`) } },
    facts: { 'redfish.root': { RedfishVersion: '1.0.0' }, 'redfish.version': '1.0.0' },
    asked: ['/redfish/v1/'],
  },
  {
    name: 'what is named like a secret is left out',
    site: {
      '/redfish/v1/': json({
        RedfishVersion: '1.0.0',
        Oem: { X: { AdminPassword: 'SECRET', sessionToken: 'SECRET', kept: 1 } },
        Credentials: ['SECRET'],
      }),
    },
    facts: { 'redfish.root': { RedfishVersion: '1.0.0', Oem: { X: { kept: 1 } } }, 'redfish.version': '1.0.0', 'redfish.oem': ['X'] },
    asked: ['/redfish/v1/'],
  },
  {
    name: 'fields of another type are not told',
    site: { '/redfish/v1/': json({ '@odata.id': '/redfish/v1/', Vendor: 5, Product: null, RedfishVersion: '', UUID: {}, Oem: [] }) },
    facts: { 'redfish.root': { '@odata.id': '/redfish/v1/', Vendor: 5, Product: null, RedfishVersion: '', UUID: {}, Oem: [] } },
    asked: ['/redfish/v1/'],
  },
  {
    name: 'a member named __proto__ is a member',
    site: { '/redfish/v1/': { body: '{"RedfishVersion":"1","__proto__":{"Vendor":"x"}}' } },
    facts: {
      'redfish.root': Object.fromEntries([
        ['RedfishVersion', '1'],
        ['__proto__', { Vendor: 'x' }],
      ]),
      'redfish.version': '1',
    },
    asked: ['/redfish/v1/'],
  },
])('Redfish: $name', async ({ site, facts, asked }) => {
  const web = new PlaybackSite(site, { scheme: 'https' });
  const said = await redfish.talk(web, {});
  expect(said).toEqual(facts);
  expect(web.asked).toEqual(asked);
  expect(JSON.stringify(said)).not.toContain('SECRET');
  expectVocabulary(said, 'redfish');
});

test.for<{ name: string; site: Readonly<Record<string, Reply>>; asked?: readonly string[] }>([
  { name: 'a login page', site: { '/redfish/v1/': '<title>Login</title>' } },
  { name: 'broken JSON', site: { '/redfish/v1/': { body: '{"RedfishVersion":' } } },
  { name: 'an array', site: { '/redfish/v1/': json(['RedfishVersion']) } },
  { name: 'a text', site: { '/redfish/v1/': json('ServiceRoot') } },
  { name: 'null', site: { '/redfish/v1/': json(null) } },
  { name: 'an error in JSON', site: { '/redfish/v1/': json({ error: { code: 'Base.1.0.NoValidSession' } }, 401) } },
  { name: 'the root of another API', site: { '/redfish/v1/': json({ '@odata.id': '/redfish/v1/Systems', Name: 'x' }) } },
  { name: 'nothing', site: {}, asked: ['/redfish/v1/', '/redfish/v1'] },
  { name: 'a redirect elsewhere', site: { '/redfish/v1/': { status: 302, headers: [['Location', '/login']] } } },
  { name: 'a redirect to itself', site: { '/redfish/v1/': { status: 301, headers: [['Location', '/redfish/v1/']] } } },
])('Redfish: $name is no service root', async ({ site, asked = ['/redfish/v1/'] }) => {
  const web = new PlaybackSite(site, { scheme: 'https' });
  await expect(redfish.talk(web, {})).rejects.toMatchObject({ kind: 'not-this-protocol' });
  expect(web.asked).toEqual(asked);
});

test('Redfish: a huge and deep root is kept in part', async () => {
  const deep = Array.from({ length: 30 }).reduce<unknown>((inner) => ({ inner }), 'end');
  const root = {
    RedfishVersion: '1.0.0',
    deep,
    many: Array.from({ length: 9000 }, (_, i) => `item ${i}`),
    long: 'x'.repeat(40000),
    last: 'kept?',
  };
  const said = await redfish.talk(new PlaybackSite({ '/redfish/v1/': json(root) }), {});
  const kept = JSON.stringify(said['redfish.root']);
  expect(kept.length).toBeLessThanOrEqual(32 * 1024);
  expect(kept.length).toBeGreaterThan(20 * 1024);
  expect(kept.match(/"inner"/g)?.length).toBe(6);
  expect(said['redfish.version']).toBe('1.0.0');
});

test('Redfish: nesting as deep as a body allows is no trouble', async () => {
  const body = `{"RedfishVersion":"1","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  await expect(redfish.talk(new PlaybackSite({ '/redfish/v1/': { body } }), {})).resolves.toMatchObject({ 'redfish.version': '1' });
});

test('Redfish: any JSON and any bytes end in facts or a ProbeError', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.jsonValue().map((value) => JSON.stringify({ RedfishVersion: '1', Oem: value, Vendor: value, x: value })),
        fc.jsonValue().map((value) => JSON.stringify(value)),
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      ),
      async (body) => {
        try {
          expectVocabulary(await redfish.talk(new PlaybackSite({ '/redfish/v1/': { body: Buffer.from(body) } }), {}), 'redfish');
        } catch (error) {
          if (!(error instanceof ProbeError)) throw error;
        }
      },
    ),
    { numRuns: 500 },
  ));
