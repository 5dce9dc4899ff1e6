import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RE2JS } from 're2js';
import { parse } from 'yaml';
import { parseFingerprint } from '../../src/fingerprints/load.ts';
import { prove } from '../../src/fingerprints/prove.ts';
import { aspectsOf, conditionsOf, type Example } from '../../src/fingerprints/schema.ts';
import { AllowedPaths } from '../../src/sweep/paths.ts';
import { channelOf, CLASS_SEVERITY, CLASSES, LEVELS, SEVERITIES } from '../../src/vocabulary.ts';
import { checks, claimsAt, definition, hitsAt, ownSet } from './definitions.ts';

test('the set proves itself', () => {
  const { flaws, ...counts } = prove(ownSet());
  expect(flaws.map(({ fingerprint, at, text }) => `${fingerprint}: ${at}: ${text}`).join('\n')).toBe('');
  expect(counts.definitions).toBe(ownSet().length);
  expect(counts.rules).toBeGreaterThan(counts.definitions);
});

test('every definition has an example, a near miss and a source that others can look up', () => {
  expect(
    ownSet().filter(({ sources, examples, near_misses: nearMisses }) => Math.min(sources.length, examples.length, nearMisses.length) === 0),
  ).toEqual([]);
  const unsourced = ownSet().flatMap(({ id, sources, examples }) =>
    [...sources, ...examples.map(({ source }) => source)]
      .filter((source) => /\/work\/|localhost|TODO/i.test(source))
      .map((source) => `${id}: ${source}`),
  );
  expect(unsourced).toEqual([]);
});

test('no definition asks for more than five pages', () => {
  expect(ownSet().filter(({ asks = [] }) => asks.length > 5)).toEqual([]);
});

test('a follow-up is listed as one', () => {
  const rules = new Map(AllowedPaths.load().rules.map((rule) => [rule.path, rule.kind]));
  const wrong = ownSet().flatMap(({ id, asks = [] }) =>
    asks.filter(({ path }) => !['follow', 'landing'].includes(rules.get(path) ?? '')).map(({ path }) => `${id} ${path}`),
  );
  expect(wrong).toEqual([]);
});

test('an address block or an enterprise number alone names no product', () => {
  const strong = ownSet().flatMap(({ id, rules, generic }) =>
    rules
      .filter(
        (rule) =>
          !('all' in rule) &&
          ['mac.address', 'mac.vendor', 'snmp.engine.pen'].includes(rule.fact) &&
          rule.claims !== 'vendor' &&
          generic !== true,
      )
      .map((rule) => `${id} ${rule.name ?? ''}`),
  );
  expect(strong).toEqual([]);
});

test('any object below an enterprise number names the maker, not the product', () => {
  const bare = ownSet().flatMap(({ id, rules, generic }) =>
    rules
      .filter((rule) => !('all' in rule) && rule.fact === 'snmp.sysObjectID' && rule.regex !== undefined && generic !== true)
      .filter((rule) => aspectsOf(rule).some((aspect) => aspect !== 'vendor') && rule.certainty >= LEVELS.likely)
      .flatMap((rule) => {
        const { regex = '' } = rule as { regex?: string };
        const number = /4\\\.1\\\.(\d+)/.exec(regex)?.[1];
        const pattern = RE2JS.compile(regex);
        const takes = (rest: string): boolean => pattern.matcher(`1.3.6.1.4.1.${number}${rest}`).find();
        return number !== undefined && takes('.4242.7') && takes('.97.1.2') ? [`${id} "${rule.name ?? ''}" ${rule.certainty}`] : [];
      }),
  );
  expect(bare).toEqual([]);
});

test('what an owner can change is never certain by itself', () => {
  const strong = ownSet().flatMap(({ id, rules }) =>
    rules
      .filter((rule) => !('all' in rule) && ['mdns.hostname', 'dns.ptr', 'snmp.sysName'].includes(rule.fact) && rule.certainty >= 90)
      .map((rule) => `${id} ${rule.name ?? ''}`),
  );
  expect(strong).toEqual([]);
});

/** What an example or a source says where nobody has seen it written. */
const UNSEEN = 'own knowledge, not looked up';

test('what rests on own knowledge alone is never surer than 75', () => {
  const sure = ownSet().flatMap((fingerprint) => {
    const provedBy = (examples: readonly Example[]): Set<number> =>
      new Set(hitsAt([fingerprint], ...examples.flatMap(({ facts = {}, endpoints = [facts] }) => endpoints)).map(({ index }) => index));
    const seen = provedBy(fingerprint.examples.filter(({ source }) => !source.includes(UNSEEN)));
    return fingerprint.rules
      .filter((rule, index) => !seen.has(index) && rule.claims !== 'vendor' && rule.certainty > 75)
      .map((rule) => `${fingerprint.id} "${rule.name ?? ''}" ${rule.certainty}`);
  });
  expect(sure).toEqual([]);
});

test('a definition with an example of own knowledge says so among its sources', () => {
  const silent = ownSet().filter(
    ({ sources, examples }) => examples.some(({ source }) => source.includes(UNSEEN)) && !sources.some((source) => source.includes(UNSEEN)),
  );
  expect(silent.map(({ id }) => id)).toEqual([]);
});

test('every fact of a rule belongs to a channel', () => {
  const facts = ownSet().flatMap(({ rules }) => rules.flatMap((rule) => ('all' in rule ? rule.all : [rule]).map(({ fact }) => fact)));
  expect(facts.filter((fact) => channelOf(fact) === undefined)).toEqual([]);
});

test('every class has a severity, and every class of the set is one', () => {
  expect(Object.keys(CLASS_SEVERITY).toSorted()).toEqual([...CLASSES].toSorted());
  for (const { id, class: kind } of ownSet()) expect(SEVERITIES, id).toContain(CLASS_SEVERITY[kind]);
});

test('a vendor is written in one way (data/vocabulary/vendors.yaml)', () => {
  const listed = parse(readFileSync('data/vocabulary/vendors.yaml', 'utf8')) as { name: string; not: string[] }[];
  const vendors = [...new Set(ownSet().flatMap(({ vendor }) => vendor ?? []))];
  const wrong = vendors.flatMap((vendor) => listed.filter(({ not }) => not.includes(vendor)).map(({ name }) => `${vendor}: write ${name}`));
  expect(wrong).toEqual([]);
  const spellings = Map.groupBy([...vendors, ...listed.map(({ name }) => name)], (vendor) =>
    vendor
      .toLowerCase()
      .replace(/[ ,]*(inc|ltd|gmbh|corp|corporation|systems|technologies|international)\.?$/, '')
      .replaceAll(/[^a-z0-9]/g, ''),
  );
  expect([...spellings.values()].map((names) => [...new Set(names)]).filter((names) => names.length > 1)).toEqual([]);
  expect(listed.flatMap(({ name, not }) => not.filter((other) => listed.some((one) => one.name === other) || other === name))).toEqual([]);
});

test('a definition whose rules look at one channel says so at the end of its title', () => {
  const wrong = ownSet()
    .filter(({ title, rules }) => {
      const channels = new Set(rules.flatMap((rule) => conditionsOf(rule).map(({ fact }) => channelOf(fact))));
      return (channels.size === 1) !== title.endsWith(`(${[...channels][0]} only)`);
    })
    .map(({ id, title }) => `${id}: ${title}`);
  expect(wrong).toEqual([]);
});

test('a base that only one definition names is that of other brands too: it is written in docs/fingerprints.md or is the id of a definition', () => {
  const doc = readFileSync('docs/fingerprints.md', 'utf8');
  const set = ownSet();
  const lonely = set
    .filter(({ base }) => base !== undefined && set.filter((other) => other.base === base).length === 1)
    .filter(({ base = '' }) => !doc.includes(`\`${base}\``) && !set.some(({ id }) => id === base));
  expect(lonely.map(({ id, base }) => `${id}: ${base}`)).toEqual([]);
  expect(set.flatMap(({ base }) => base ?? []).filter((base) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(base))).toEqual([]);
});

/** What is in every network and none of ours. Each is one host; nothing may be claimed of it, not even as possible. */
test.for([
  {
    name: 'office printer',
    endpoints: [
      { 'http.title': 'HP LaserJet M507', 'http.server': 'HP HTTP Server; HP LaserJet' },
      { 'snmp.engine.pen': 11 },
      { 'mac.vendor': 'Hewlett Packard' },
    ],
  },
  {
    name: 'printer on Appweb',
    endpoints: [{ 'http.title': 'Lexmark', 'http.server': 'Mbedthis-Appweb/2.4.2', 'http.cookies': ['_appwebSessionId_'] }],
  },
  {
    name: 'router with a start page',
    endpoints: [{ 'http.title': 'Router', 'http.server': 'micro_httpd', 'http.redirects': [{ status: 302, location: '/start.html' }] }],
  },
  { name: 'home router', endpoints: [{ 'http.title': 'FRITZ!Box', 'http.status': 200 }, { 'mdns.hostname': 'fritz.box' }] },
  {
    name: 'switch of Dell',
    endpoints: [
      { 'http.title': 'Dell EMC Networking N1548', 'tls.subject.o': 'Dell Inc.' },
      { 'snmp.engine.pen': 674 },
      { 'mac.vendor': 'Dell' },
    ],
  },
  { name: 'switch of Supermicro', endpoints: [{ 'snmp.sysDescr': 'SSE-G3648B' }, { 'mac.address': '00:25:90:01:02:03' }] },
  {
    name: 'camera',
    endpoints: [
      { 'http.title': 'index', 'http.server': 'App-webs/', 'http.redirects': [{ status: 302, location: '/doc/page/login.asp' }] },
    ],
  },
  {
    name: 'camera on GoAhead',
    endpoints: [{ 'http.title': 'Network Camera', 'http.server': 'GoAhead-Webs', 'http.forms': ['login', 'password'] }],
  },
  { name: 'NAS', endpoints: [{ 'http.title': 'Synology DiskStation', 'http.server': 'nginx', 'tls.subject.o': 'Synology Inc.' }] },
  { name: 'web server', endpoints: [{ 'http.title': 'Apache2 Debian Default Page: It works', 'http.server': 'Apache/2.4.62 (Debian)' }] },
  {
    name: 'page that answers every path',
    endpoints: [
      {
        'http.title': 'App',
        'http.pages': {
          '/xmldata?item=all': { status: 200, type: 'text/html', body: '<html><title>App</title>' },
          '/api/vm/info': { status: 200, body: '<html>' },
          '/device/status': { status: 200, body: '<html>' },
          '/api/auth/check': { status: 200, body: '<html>' },
        },
      },
    ],
  },
  {
    name: 'helpdesk about all of them',
    endpoints: [
      {
        'http.title': 'Knowledge base: iDRAC, iLO, PiKVM, NanoKVM, Supermicro BMC',
        'http.body': 'How to reset iDRAC9, iLO 5, JetKVM, TinyPilot, Dominion KX II and OpenBMC',
      },
    ],
  },
  {
    name: 'words that hold others',
    endpoints: [{ 'http.title': 'Silo 4 attention: Digital pattern patent', 'http.body': 'silo attention Digital patent adder rose' }],
  },
  { name: 'hypervisor', endpoints: [{ 'http.title': 'KVM host 12 - libvirt', 'dns.ptr': 'kvm-host12.example.com' }] },
  {
    name: 'VirtualBMC',
    endpoints: [{ 'ipmi.auth.channel': 1, 'ipmi.auth.types': 128, 'ipmi.auth.status': 4, 'ipmi.auth.extended': 2, 'ipmi.auth.oem': 0 }],
  },
  { name: 'DMTF mock-up', endpoints: [{ 'redfish.version': '1.15.0', 'redfish.uuid': '92384634-2938-2342-8820-489239905423' }] },
  {
    name: 'Raspberry Pi',
    endpoints: [{ 'http.title': 'Pi-hole', 'http.server': 'lighttpd/1.4.69' }, { 'mac.address': 'DC:A6:32:00:00:01' }],
  },
  { name: '3D printer camera', endpoints: [{ 'http.title': 'µStreamer', 'http.favicon.mmh3': 404861441 }] },
  {
    name: 'ProLiant host with HP SMH',
    endpoints: [
      {
        'http.server': 'CompaqHTTPServer/9.9',
        'tls.subject.o': 'Hewlett-Packard Company',
        'tls.subject.ou': 'Hewlett-Packard Network Management Software (SMH)',
      },
    ],
  },
])('nothing is claimed of: $name', ({ endpoints }) => {
  const claims = claimsAt(ownSet(), ...endpoints).filter(
    ({ certainty }) => Math.max(certainty.product, certainty.class, certainty.vendor) >= 30,
  );
  expect(claims.map(({ fingerprint, certainty }) => `${fingerprint} ${JSON.stringify(certainty)}`)).toEqual([]);
});

test.for([
  {
    name: 'unknown BMC',
    endpoints: [{ 'ipmi.auth.channel': 8, 'ipmi.auth.types': 132, 'ipmi.auth.status': 20, 'ipmi.auth.extended': 3 }],
    first: 'ipmi-bmc',
    class: 'bmc',
  },
  {
    name: 'noVNC on a Raspberry Pi',
    endpoints: [{ 'http.title': 'noVNC', 'http.links': ['app/ui.js'] }, { 'mac.address': 'B8:27:EB:00:00:01' }],
    first: 'novnc-kvm',
    class: 'ip-kvm',
  },
  { name: 'noVNC elsewhere', endpoints: [{ 'http.title': 'noVNC', 'http.links': ['app/ui.js'] }], first: 'novnc', class: 'vnc-software' },
  {
    name: 'Mac',
    endpoints: [{ 'rfb.version': '003.889', 'rfb.security': [30, 33, 36, 35] }],
    first: 'apple-screen-sharing',
    class: 'vnc-software',
  },
  {
    name: 'PC with Intel AMT',
    endpoints: [{ 'ipmi.pong.iana': 343, 'ipmi.pong.entities': 1, 'ipmi.pong.dash': true, 'amt.version': '11.0' }],
    first: 'intel-amt',
    class: 'amt',
  },
  {
    name: 'PC with a DASH controller',
    endpoints: [{ 'ipmi.pong.iana': 4542, 'ipmi.pong.entities': 1, 'ipmi.pong.dash': true }],
    first: 'dash-controller',
    class: 'amt',
  },
  {
    name: 'console that offers 16 alone',
    endpoints: [{ 'rfb.version': '003.008', 'rfb.security': [16] }],
    first: 'supermicro-bmc',
    class: 'bmc',
  },
])('the surest claim of: $name', ({ endpoints, first, class: kind }) => {
  expect(claimsAt(ownSet(), ...endpoints)[0]).toMatchObject({ fingerprint: first, class: kind });
});

test('prove: shows what a definition does not show', () => {
  const lame = definition({
    rules: [
      { fact: 'http.title', equals: 'RackView', certainty: 80 },
      { name: 'never used', fact: 'http.server', equals: 'x', certainty: 80 },
    ],
    examples: [
      { name: 'not recognised', source: 'guide', facts: { 'http.title': 'Other' }, expect: {} },
      {
        name: 'other values',
        source: 'guide',
        facts: { 'http.title': 'RackView' },
        expect: { level: 'certain', version: '2', posture: ['not-set-up'] },
      },
    ],
    near_misses: [{ name: 'a look-alike', facts: { 'http.title': 'RackView' } }],
  });
  const rival = definition({
    id: 'acme-rival',
    product: 'Rival',
    rules: [{ fact: 'http.title', contains: 'Rack', certainty: 50 }],
    examples: [{ name: 'own', source: 'guide', facts: { 'http.title': 'Rack' }, expect: {} }],
  });
  expect(prove([lame, rival]).flaws.map(({ at, text }) => `${at}: ${text}`)).toEqual([
    'example "not recognised": none of its rules holds',
    'example "other values": likely (80), not certain',
    'example "other values": version is absent, not 2',
    'example "other values": posture not-set-up is not seen',
    'example "other values": acme-rival takes it for its own (50)',
    'near miss "a look-alike": it is 80 certain, and should be below possible',
    'rule 2 "never used": no example uses it',
  ]);
});

test('the worked example of docs/fingerprints.md loads and proves itself', () => {
  const text = /```yaml\n(# yaml-language-server[\s\S]*?)```/.exec(readFileSync('docs/fingerprints.md', 'utf8'))?.[1] ?? '';
  const { fingerprint, problems } = parseFingerprint(text, 'docs/fingerprints.md', checks());
  expect(problems).toEqual([]);
  expect(prove(fingerprint === undefined ? [] : [fingerprint])).toMatchObject({ definitions: 1, flaws: [] });
});
