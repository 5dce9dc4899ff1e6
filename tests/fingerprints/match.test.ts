import { expect, test } from 'vitest';
import type { Condition, Rule } from '../../src/fingerprints/schema.ts';
import { parsePath, selectorOf, valuesAt } from '../../src/fingerprints/select.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { claimsAt, definition, hitsAt } from './definitions.ts';

const PAGES = {
  '/info': {
    status: 200,
    type: 'application/json',
    sha256: 'aa11',
    body: '{"a":{"b":[{"c":"x1"},{"c":"x2"}]},"@id":"/v1","n":7,"yes":true,"nil":null,"":"empty"}',
  },
  '/page': { status: 200, body: '<html>' },
};

interface Fit {
  readonly name: string;
  readonly condition: Condition;
  readonly facts: Facts;
  readonly fits: boolean;
}

test.for<Fit>([
  { name: 'equals: whole text', condition: { fact: 'http.title', equals: 'RackView' }, facts: { 'http.title': 'RackView' }, fits: true },
  {
    name: 'equals: a part is not the whole',
    condition: { fact: 'http.title', equals: 'Rack' },
    facts: { 'http.title': 'RackView' },
    fits: false,
  },
  { name: 'equals: case counts', condition: { fact: 'http.title', equals: 'rackview' }, facts: { 'http.title': 'RackView' }, fits: false },
  { name: 'equals: number', condition: { fact: 'http.status', equals: 401 }, facts: { 'http.status': 401 }, fits: true },
  { name: 'equals: a number is no text', condition: { fact: 'http.status', equals: 401 }, facts: { 'http.status': '401' }, fits: false },
  { name: 'equals: boolean', condition: { fact: 'tls.selfSigned', equals: true }, facts: { 'tls.selfSigned': true }, fits: true },
  { name: 'equals: one element of a list', condition: { fact: 'rfb.security', equals: 2 }, facts: { 'rfb.security': [19, 2] }, fits: true },
  { name: 'equals: a whole list', condition: { fact: 'rfb.security', equals: [19, 2] }, facts: { 'rfb.security': [19, 2] }, fits: true },
  {
    name: 'equals: a whole list in its order',
    condition: { fact: 'rfb.security', equals: [2, 19] },
    facts: { 'rfb.security': [19, 2] },
    fits: false,
  },
  {
    name: 'equals: a whole list, not its beginning',
    condition: { fact: 'rfb.security', equals: [19] },
    facts: { 'rfb.security': [19, 2] },
    fits: false,
  },
  {
    name: 'fold: compares in lower case',
    condition: { fact: 'http.title', fold: true, equals: 'rackview' },
    facts: { 'http.title': 'RackVIEW' },
    fits: true,
  },
  {
    name: 'fold: for a part',
    condition: { fact: 'http.title', fold: true, contains: 'view' },
    facts: { 'http.title': 'RackVIEW' },
    fits: true,
  },
  { name: 'contains: a part', condition: { fact: 'http.body', contains: 'kVi' }, facts: { 'http.body': 'RackView' }, fits: true },
  {
    name: 'contains: a part of one text of a list',
    condition: { fact: 'http.links', contains: '/share/' },
    facts: { 'http.links': ['/x', '/share/a.css'] },
    fits: true,
  },
  { name: 'contains: number of a list', condition: { fact: 'rfb.security', contains: 16 }, facts: { 'rfb.security': [2, 16] }, fits: true },
  {
    name: 'contains: number that is not there',
    condition: { fact: 'rfb.security', contains: 6 },
    facts: { 'rfb.security': [2, 16] },
    fits: false,
  },
  { name: 'prefix', condition: { fact: 'http.server', prefix: 'Acme/' }, facts: { 'http.server': 'Acme/2' }, fits: true },
  {
    name: 'prefix: only at the beginning',
    condition: { fact: 'http.server', prefix: 'Acme/' },
    facts: { 'http.server': 'x Acme/2' },
    fits: false,
  },
  { name: 'in: one of several', condition: { fact: 'http.server', in: ['a', 'b'] }, facts: { 'http.server': 'b' }, fits: true },
  { name: 'in: numbers', condition: { fact: 'http.favicon.mmh3', in: [-1, 5] }, facts: { 'http.favicon.mmh3': -1 }, fits: true },
  {
    name: 'in: an element of a list, whole',
    condition: { fact: 'redfish.oem', in: ['Hp'] },
    facts: { 'redfish.oem': ['Hpe'] },
    fits: false,
  },
  {
    name: 'in: a map of versions',
    condition: { fact: 'http.pages', of: '/info', field: 'sha256', in: { aa11: '1.2' } },
    facts: { 'http.pages': PAGES },
    fits: true,
  },
  {
    name: 'in: a map has no inherited keys',
    condition: { fact: 'http.title', in: { aa11: '1.2' } },
    facts: { 'http.title': 'constructor' },
    fits: false,
  },
  { name: 'exists', condition: { fact: 'http.title', exists: true }, facts: { 'http.title': '' }, fits: true },
  {
    name: 'exists: of a header',
    condition: { fact: 'http.headers', of: 'x-acme', exists: true },
    facts: { 'http.headers': { 'x-acme': '1' } },
    fits: true,
  },
  { name: 'regex', condition: { fact: 'http.title', regex: '^R.ck' }, facts: { 'http.title': 'RackView' }, fits: true },
  {
    name: 'regex: any element of a list',
    condition: { fact: 'mdns.services', regex: '^_rack\\._tcp' },
    facts: { 'mdns.services': ['_ssh._tcp', '_rack._tcp.local'] },
    fits: true,
  },
  { name: 'regex: nothing in a number', condition: { fact: 'http.title', regex: '4' }, facts: { 'http.title': 404 }, fits: false },
  {
    name: 'map: by key',
    condition: { fact: 'http.headers', of: 'server', equals: 'x' },
    facts: { 'http.headers': { server: 'x' } },
    fits: true,
  },
  {
    name: 'map: no inherited keys',
    condition: { fact: 'http.headers', of: 'constructor', exists: true },
    facts: { 'http.headers': {} },
    fits: false,
  },
  {
    name: 'redirects: their locations',
    condition: { fact: 'http.redirects', contains: '/start.html' },
    facts: { 'http.redirects': [{ status: 302, location: 'https://x/start.html' }] },
    fits: true,
  },
  {
    name: 'redirects: one without a location',
    condition: { fact: 'http.redirects', contains: '302' },
    facts: { 'http.redirects': [{ status: 302 }] },
    fits: false,
  },
  {
    name: 'pages: body where no field is named',
    condition: { fact: 'http.pages', of: '/page', contains: '<html' },
    facts: { 'http.pages': PAGES },
    fits: true,
  },
  {
    name: 'pages: another field',
    condition: { fact: 'http.pages', of: '/info', field: 'status', equals: 200 },
    facts: { 'http.pages': PAGES },
    fits: true,
  },
  {
    name: 'pages: a path that was not asked',
    condition: { fact: 'http.pages', of: '/other', contains: '<html' },
    facts: { 'http.pages': PAGES },
    fits: false,
  },
  {
    name: 'json: a path',
    condition: { fact: 'http.pages', of: '/info', json: 'a.b[1].c', equals: 'x2' },
    facts: { 'http.pages': PAGES },
    fits: true,
  },
  {
    name: 'json: a list of keys, for keys with a dot or an at',
    condition: { fact: 'http.pages', of: '/info', json: ['@id'], prefix: '/v' },
    facts: { 'http.pages': PAGES },
    fits: true,
  },
  {
    name: 'json: a number',
    condition: { fact: 'http.pages', of: '/info', json: 'n', equals: 7 },
    facts: { 'http.pages': PAGES },
    fits: true,
  },
  {
    name: 'json: a boolean',
    condition: { fact: 'http.pages', of: '/info', json: 'yes', equals: true },
    facts: { 'http.pages': PAGES },
    fits: true,
  },
  {
    name: 'json: null is not there',
    condition: { fact: 'http.pages', of: '/info', json: 'nil', exists: true },
    facts: { 'http.pages': PAGES },
    fits: false,
  },
  {
    name: 'json: an object is there',
    condition: { fact: 'http.pages', of: '/info', json: 'a', exists: true },
    facts: { 'http.pages': PAGES },
    fits: true,
  },
  {
    name: 'json: a page that is none',
    condition: { fact: 'http.pages', of: '/page', json: 'a', exists: true },
    facts: { 'http.pages': PAGES },
    fits: false,
  },
  {
    name: 'json: of the first page',
    condition: { fact: 'http.body', json: 'ok', equals: false },
    facts: { 'http.body': '{"ok": false}' },
    fits: true,
  },
  {
    name: 'json: of the Redfish root',
    condition: { fact: 'redfish.root', json: ['Oem', 'Dell', '@odata.type'], prefix: '#Dell' },
    facts: { 'redfish.root': { Oem: { Dell: { '@odata.type': '#DellServiceRoot' } } } },
    fits: true,
  },
  {
    name: 'json: no inherited keys',
    condition: { fact: 'redfish.root', json: 'toString', exists: true },
    facts: { 'redfish.root': {} },
    fits: false,
  },
  {
    name: 'json: an index of what is no list',
    condition: { fact: 'redfish.root', json: 'a[0]', exists: true },
    facts: { 'redfish.root': { a: 'text' } },
    fits: false,
  },
  {
    name: 'a fact of the wrong kind',
    condition: { fact: 'http.headers', of: 'server', exists: true },
    facts: { 'http.headers': 'text' },
    fits: false,
  },
])('$name', ({ condition, facts, fits }) => {
  expect(hitsAt([definition({ rules: [{ ...condition, certainty: 80 }] })], facts)).toHaveLength(fits ? 1 : 0);
});

test('exists: false asks that there is none, beside something that is there', () => {
  const rules: Rule[] = [
    {
      all: [
        { fact: 'http.title', equals: 'RackView' },
        { fact: 'http.headers', of: 'x-pro', exists: false },
      ],
      certainty: 80,
    },
  ];
  expect(hitsAt([definition({ rules })], { 'http.title': 'RackView' })).toHaveLength(1);
  expect(hitsAt([definition({ rules })], { 'http.title': 'RackView', 'http.headers': { 'x-pro': '1' } })).toHaveLength(0);
});

test('conditions of one rule hold at one endpoint', () => {
  const rules: Rule[] = [
    {
      all: [
        { fact: 'http.title', equals: 'RackView' },
        { fact: 'tls.subject.o', equals: 'Acme' },
      ],
      certainty: 80,
    },
  ];
  expect(hitsAt([definition({ rules })], { 'http.title': 'RackView', 'tls.subject.o': 'Acme' })).toHaveLength(1);
  expect(hitsAt([definition({ rules })], { 'http.title': 'RackView' }, { 'tls.subject.o': 'Acme' })).toHaveLength(0);
});

test('an exclusion counts at its endpoint, and only there', () => {
  const own = definition({
    rules: [{ fact: 'http.title', prefix: 'RackView', certainty: 80 }],
    exclude: [{ fact: 'http.server', prefix: 'Demo', why: 'a demonstration' }],
  });
  expect(hitsAt([own], { 'http.title': 'RackView 2', 'http.server': 'Demo/1' })).toEqual([]);
  expect(hitsAt([own], { 'http.title': 'RackView 2' }, { 'http.server': 'Demo/1' })).toHaveLength(1);
});

interface Captured {
  readonly name: string;
  readonly rule: Rule;
  readonly facts: Facts;
  readonly values: Readonly<Record<string, string>>;
}

test.for<Captured>([
  {
    name: 'named groups',
    rule: { fact: 'http.title', regex: '^RackView (?P<model>R\\d+) v(?P<version>[\\d.]+)', certainty: 80 },
    facts: { 'http.title': 'RackView R16 v2.4.1' },
    values: { model: 'R16', version: '2.4.1' },
  },
  {
    name: 'a group that took no part is absent',
    rule: { fact: 'http.title', regex: '^RackView(?: (?P<model>R\\d+))?', certainty: 80 },
    facts: { 'http.title': 'RackView' },
    values: {},
  },
  {
    name: 'groups of several conditions, and what the rule implies',
    rule: {
      all: [
        { fact: 'http.title', regex: 'v(?P<version>\\d+)' },
        { fact: 'http.server', regex: '/(?P<model>\\w+)' },
      ],
      certainty: 80,
      set: { generation: '3' },
    },
    facts: { 'http.title': 'v7', 'http.server': 'Acme/R8' },
    values: { version: '7', model: 'R8', generation: '3' },
  },
  {
    name: 'what is captured counts before what is implied',
    rule: { fact: 'http.title', regex: 'v(?P<version>\\d+)', certainty: 80, set: { version: '1' } },
    facts: { 'http.title': 'v7' },
    values: { version: '7' },
  },
  {
    name: 'a MAC in any spelling',
    rule: { fact: 'http.title', regex: '(?P<mac>[0-9A-Fa-f:.-]{12,17})$', certainty: 80 },
    facts: { 'http.title': 'R 0c-c4-7a-00-00-1f' },
    values: { mac: '0C:C4:7A:00:00:1F' },
  },
  {
    name: 'what is no MAC of a device is none',
    rule: { fact: 'http.title', regex: '(?P<mac>[0-9a-f]{12})', certainty: 80 },
    facts: { 'http.title': '000000000000' },
    values: {},
  },
  {
    name: 'the text as sent where case is folded',
    rule: { fact: 'http.title', fold: true, regex: '^rackview (?P<model>\\w+)', certainty: 80 },
    facts: { 'http.title': 'RACKVIEW Rx16' },
    values: { model: 'Rx16' },
  },
  {
    name: 'the version of a hash',
    rule: { fact: 'http.pages', of: '/info', field: 'sha256', in: { aa11: '2.1 - 2.4' }, certainty: 80 },
    facts: { 'http.pages': PAGES },
    values: { version: '2.1 - 2.4' },
  },
  {
    name: 'what a map says that it gives',
    rule: {
      fact: 'snmp.sysObjectID',
      in: { '1.3.6.1.4.1.99999.1.1': 'R8', '1.3.6.1.4.1.99999.1.2': 'R16' },
      gives: 'model',
      certainty: 80,
    },
    facts: { 'snmp.sysObjectID': '1.3.6.1.4.1.99999.1.2' },
    values: { model: 'R16' },
  },
  {
    name: 'control characters are no part of a value',
    rule: { fact: 'http.title', regex: '^R (?P<model>.*)$', certainty: 80 },
    facts: { 'http.title': 'R a\u001b[31mb\u202e' },
    values: { model: 'a\ufffd[31mb\ufffd' },
  },
  {
    name: 'a value is cut',
    rule: { fact: 'http.title', regex: '^R (?P<model>.*)$', certainty: 80 },
    facts: { 'http.title': `R ${'x'.repeat(500)}` },
    values: { model: `${'x'.repeat(119)}…` },
  },
])('captures: $name', ({ rule, facts, values }) => {
  expect(claimsAt([definition({ rules: [rule] })], facts)[0]?.values).toEqual(values);
});

test('evidence names the rule, the fact and the text, cleaned', () => {
  const [claim] = claimsAt(
    [
      definition({
        rules: [
          { name: 'title', fact: 'http.title', regex: 'RackView.*', certainty: 80 },
          { fact: 'http.pages', of: '/info', json: 'n', equals: 7, certainty: 70 },
        ],
      }),
    ],
    {
      'http.title': 'My RackView\u0007',
      'http.pages': PAGES,
    },
  );
  expect(claim?.evidence).toEqual([
    {
      fingerprint: 'acme-rackview',
      rule: 'title',
      fact: 'http.title',
      text: 'RackView\ufffd',
      certainty: 80,
      endpoint: { host: '192.0.2.1', transport: 'tcp', port: 1 },
    },
    {
      fingerprint: 'acme-rackview',
      rule: 'http.pages /info n',
      fact: 'http.pages /info n',
      text: '7',
      certainty: 70,
      endpoint: { host: '192.0.2.1', transport: 'tcp', port: 1 },
    },
  ]);
});

test('hits come in the order of the set, whatever the order of the facts', () => {
  const set = [
    definition({
      id: 'a',
      rules: [
        { fact: 'http.title', exists: true, certainty: 10 },
        { fact: 'http.server', exists: true, certainty: 10 },
      ],
    }),
    definition({ id: 'b', rules: [{ fact: 'http.server', exists: true, certainty: 10 }] }),
  ];
  const order = (facts: Facts): string[] => hitsAt(set, facts).map(({ fingerprint, index }) => `${fingerprint.id}${index}`);
  expect(order({ 'http.title': 'x', 'http.server': 'y' })).toEqual(['a0', 'a1', 'b0']);
  expect(order({ 'http.server': 'y', 'http.title': 'x' })).toEqual(['a0', 'a1', 'b0']);
});

test.for([
  ['a.b', ['a', 'b']],
  ['[0].name', [0, 'name']],
  ['Oem.Hpe.Manager[0].Languages[1].Version', ['Oem', 'Hpe', 'Manager', 0, 'Languages', 1, 'Version']],
  ['list[2][3]', ['list', 2, 3]],
] as const)('the path %s', ([path, keys]) => {
  expect(parsePath(path)).toEqual(keys);
});

test('nothing is selected where there is nothing', () => {
  expect(valuesAt({}, selectorOf({ fact: 'http.title' }))).toEqual([]);
  expect(valuesAt({ 'http.title': null }, selectorOf({ fact: 'http.title' }))).toEqual([]);
  expect(valuesAt({ 'http.redirects': 'x' }, selectorOf({ fact: 'http.redirects' }))).toEqual(['x']);
});

interface Name {
  readonly name: string;
  readonly facts: Facts;
  readonly fits: readonly [string, string];
}

test.for<Name>([
  { name: 'a name on one line', facts: { 'tls.subject': 'CN=rack-1, O=Acme, Inc., L=Town' }, fits: ['tls.subject.o', 'Acme, Inc.'] },
  { name: 'without spaces', facts: { 'tls.subject': 'CN=rack-1,OU=KVM,O=Acme' }, fits: ['tls.subject.ou', 'KVM'] },
  { name: 'as OpenSSL writes it', facts: { 'tls.issuer': 'C = US, O = Acme, CN = Acme CA' }, fits: ['tls.issuer.cn', 'Acme CA'] },
  { name: 'as OpenSSL wrote it', facts: { 'tls.subject': '/C=US/O=Acme/CN=rack-1' }, fits: ['tls.subject.cn', 'rack-1'] },
  { name: 'e-mail address', facts: { 'tls.subject': 'CN=x, emailAddress=a@acme.example' }, fits: ['tls.subject.email', 'a@acme.example'] },
  { name: 'the first of two', facts: { 'tls.subject': 'OU=first, OU=second' }, fits: ['tls.subject.ou', 'first'] },
  { name: 'server among the headers', facts: { 'http.headers': { server: 'Acme/2' } }, fits: ['http.server', 'Acme/2'] },
  { name: 'maker in the Redfish root', facts: { 'redfish.root': { Vendor: 'Acme' } }, fits: ['redfish.vendor', 'Acme'] },
  { name: 'UUID in the Redfish root, in lower case', facts: { 'redfish.root': { UUID: '00-AB' } }, fits: ['redfish.uuid', '00-ab'] },
  { name: 'key of its Oem', facts: { 'redfish.root': { Oem: { Acme: {}, Other: {} } } }, fits: ['redfish.oem', 'Acme'] },
  {
    name: 'an object identifier with a leading dot',
    facts: { 'snmp.sysObjectID': '.1.3.6.1.4.1.99999.1' },
    fits: ['snmp.sysObjectID', '1.3.6.1.4.1.99999.1'],
  },
  {
    name: 'an object identifier as net-snmp prints it',
    facts: { 'snmp.sysObjectID': 'SNMPv2-SMI::enterprises.99999.1' },
    fits: ['snmp.sysObjectID', '1.3.6.1.4.1.99999.1'],
  },
  { name: 'location among the headers', facts: { 'http.headers': { location: '/start' } }, fits: ['http.location', '/start'] },
])('what follows from other facts: $name', ({ facts, fits: [fact, equals] }) => {
  expect(hitsAt([definition({ rules: [{ fact, equals, certainty: 80 }] })], facts)).toHaveLength(1);
});

test('what is there already stands', () => {
  const own = definition({ rules: [{ fact: 'tls.subject.cn', equals: 'line', certainty: 80 }] });
  expect(hitsAt([own], { 'tls.subject': 'CN=line', 'tls.subject.cn': 'attribute' })).toEqual([]);
});

const SAME = '<html>Welcome</html>';
test.for<{ name: string; facts: Facts; real: boolean }>([
  { name: 'the first page again', facts: { 'http.body': SAME, 'http.pages': { '/a': { status: 200, body: SAME } } }, real: false },
  {
    name: 'the page of another path',
    facts: { 'http.pages': { '/a': { status: 200, body: SAME }, '/b': { status: 200, body: SAME } } },
    real: false,
  },
  {
    name: 'a page of its own',
    facts: { 'http.body': SAME, 'http.pages': { '/a': { status: 200, body: '<html>Rack</html>' } } },
    real: true,
  },
  {
    name: 'the page to which the first led',
    facts: {
      'http.body': SAME,
      'http.redirects': [{ status: 302, location: 'https://192.0.2.1/a' }],
      'http.pages': { '/a': { status: 200, body: SAME } },
    },
    real: true,
  },
  {
    name: 'one answer in JSON to two questions',
    facts: { 'http.pages': { '/a': { status: 401, body: '{"ok":false}' }, '/b': { status: 401, body: '{"ok":false}' } } },
    real: true,
  },
  { name: 'a page of which only the hash is known', facts: { 'http.pages': { '/a': { status: 200, sha256: 'aa' } } }, real: true },
])('a server that answers every path alike tells nothing of a path: $name', ({ facts, real }) => {
  const own = definition({ rules: [{ fact: 'http.pages', of: '/a', field: 'status', exists: true, certainty: 80 }] });
  const hashed = definition({ rules: [{ fact: 'http.pages', of: '/a', field: 'sha256', exists: true, certainty: 80 }] });
  expect(hitsAt([own], facts).length + hitsAt([hashed], facts).length > 0).toBe(real);
});
