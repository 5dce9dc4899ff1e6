import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { devicesAt } from '../../src/devices/from-host.ts';
import { Matcher } from '../../src/fingerprints/match.ts';
import { type Facts, LEVELS, QUIET_CLASSES } from '../../src/vocabulary.ts';
import { ownSet } from './definitions.ts';

const matcher = new Matcher(ownSet());

/** What is claimed, at likely or above, of something that is no remote-access hardware. */
function alarms(facts: Facts): string[] {
  return devicesAt(
    '192.0.2.1',
    [{ host: '192.0.2.1', transport: 'tcp', port: 80, probes: ['http'], outcomes: {}, facts }],
    matcher,
    new Date(),
  )
    .filter(({ certainty, class: kind }) => certainty >= LEVELS.likely && !QUIET_CLASSES.has(kind))
    .map(({ vendor = '', product = '', certainty, evidence }) => `${vendor} ${product} ${certainty} by "${evidence[0]?.rule}"`);
}

const innocent = parse(readFileSync(new URL('innocent.yaml', import.meta.url), 'utf8')) as Record<string, readonly string[]>;

test.for(Object.entries(innocent))('ordinary devices raise no alarm by their %s', ([fact, values]) => {
  expect(values.length).toBeGreaterThan(15);
  expect(values.flatMap((value) => alarms({ [fact]: value }).map((alarm) => `${value}: ${alarm}`))).toEqual([]);
});

/** Every name of the set, as people write it: maker and product, product alone, maker alone. */
const NAMES: readonly string[] = [
  ...new Set(
    ownSet().flatMap(({ vendor, product }) => [
      ...(vendor === undefined ? [] : [vendor]),
      ...(product === undefined ? [] : [product, `${vendor ?? ''} ${product}`.trim()]),
    ]),
  ),
];

/** Where names stand that mean no device: titles of articles, shops, forums, documentation; lists; banners of hosts that manage one. */
const PLACES: Readonly<Record<string, (name: string) => Facts>> = {
  encyclopedia: (name) => page(`${name} - Wikipedia`, `<h1>${name}</h1><p>${name} is a product for remote management.</p>`),
  'how-to': (name) =>
    page(`How to set up ${name}`, `<h2>Log in to ${name}</h2><p>Open the ${name} login page and enter user name and password.</p>`),
  shop: (name) => page(`Buy ${name} online | Shop`, `<ul class="products"><li><a href="/p/1">${name}</a> 199.00</li></ul>`),
  review: (name) => page(`${name} review: is it any good?`, `<article>${name} firmware 1.2.3, ${name} console</article>`),
  news: (name) => page(`News: vulnerability in ${name}`, `<article>Researchers found a flaw in ${name} web server 2.0.</article>`),
  search: (name) =>
    page(`Search results for ${name}`, `<form><input name="q" value="${name}"></form><p>${name} - ${name} manual - ${name} download</p>`),
  documentation: (name) => page(`${name} user guide`, `<nav>${name}</nav><p>${name} (c) 2024. All rights reserved.</p>`),
  forum: (name) => page(`Problem with ${name} | Forum`, `<p>My ${name} shows "${name} Login".</p>`),
  'page of all products': () => page('Products', `<ul>${NAMES.map((name) => `<li>${name}</li>`).join('')}</ul>`),
  'front page': (name) => page('Welcome', `<p>Our ${name} is in room 5.</p>`),
  'host that stands beside it': (name) => ({
    'snmp.sysDescr': 'Linux host 5.10.0-8-amd64 #1 SMP Debian x86_64',
    'snmp.sysObjectID': '1.3.6.1.4.1.8072.3.2.10',
    'snmp.sysName': name,
    'snmp.sysLocation': `next to the ${name}`,
  }),
  'host that manages it': (name) => ({ 'telnet.banner': `Debian GNU/Linux 12\r\nThis host manages the ${name}.\r\nlogin: ` }),
  'file server for it': (name) => ({ 'ftp.banner': `220 Firmware files of ${name} (vsFTPd 3.0.3)` }),
  'certificate of a company': (name) => ({
    'tls.subject': `CN=www.example.com, O=${name} Users Group, C=US`,
    'tls.subject.cn': 'www.example.com',
    'tls.subject.o': `${name} Users Group`,
    'tls.issuer.o': "Let's Encrypt",
  }),
};

function page(title: string, body: string): Facts {
  return {
    'http.status': 200,
    'http.server': 'nginx',
    'http.title': title,
    'http.body': `<!DOCTYPE html><html><head><title>${title}</title></head><body>${body}</body></html>`,
  };
}

test.for(Object.entries(PLACES))('a name is no device: %s', ([, place]) => {
  expect(NAMES.length).toBeGreaterThan(30);
  expect(NAMES.flatMap((name) => alarms(place(name)).map((alarm) => `${name}: ${alarm}`))).toEqual([]);
});
