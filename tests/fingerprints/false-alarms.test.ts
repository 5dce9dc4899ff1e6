import { describe, expect, test } from 'vitest';
import { devicesAt } from '../../src/devices/from-host.ts';
import { Matcher } from '../../src/fingerprints/match.ts';
import { type Facts, LEVELS, QUIET_CLASSES } from '../../src/vocabulary.ts';
import { ownSet } from './definitions.ts';
import { ordinaryFacts } from './ordinary.ts';

const matcher = new Matcher(ownSet());
const NOW = new Date('2026-11-26T00:00:00Z');

/** The devices that are believed to be at an address: likely or certain, and no software. */
function alarms(endpoints: readonly Facts[]): string[] {
  return devicesAt(
    '192.0.2.1',
    endpoints.map((facts, i) => ({
      host: '192.0.2.1',
      transport: 'tcp',
      port: i + 1,
      probes: ['http'],
      outcomes: { http: 'answered' },
      facts,
    })),
    matcher,
    NOW,
  )
    .filter(({ certainty, class: kind }) => certainty >= LEVELS.likely && !QUIET_CLASSES.has(kind))
    .map(
      ({ evidence, certainty }) =>
        `${certainty} ${evidence.map(({ fingerprint, rule, text }) => `${fingerprint} (${rule}: ${text})`).join('; ')}`,
    );
}

/** Names that people write about, whether or not there is a definition yet. */
const KNOWN_NAMES = [
  'Dell iDRAC',
  'iDRAC9',
  'HPE iLO',
  'iLO 5',
  'Supermicro IPMI',
  'Lenovo XClarity Controller',
  'IBM IMM',
  'Cisco CIMC',
  'Cisco UCS Manager',
  'Fujitsu iRMC',
  'Huawei iBMC',
  'Oracle ILOM',
  'AMI MegaRAC SP-X',
  'OpenBMC',
  'Intel AMT',
  'Raritan Dominion KX III',
  'Raritan PX3',
  'CommandCenter Secure Gateway',
  'Avocent MergePoint Unity',
  'Avocent ACS 8000',
  'Vertiv Geist',
  'DSView',
  'ATEN KN2116',
  'ATEN CN8000',
  'Lantronix Spider',
  'Lantronix SLC 8000',
  'XPort',
  'Opengear OM2200',
  'Lighthouse',
  'Digi Connect',
  'Digi Passport',
  'AnywhereUSB',
  'CyberPower RMCARD205',
  'Server Technology Sentry',
  'APC Switched Rack PDU',
  'APC Network Management Card',
  'Eaton ePDU',
  'Adder ALIF',
  'Black Box KV9300',
  'Belkin OmniView',
  'G&D ControlCenter',
  'IHSE Draco',
  'Rose UltraConsole',
  'WTI',
  'Perle IOLAN SCS',
  'ZPE Nodegrid',
  'Moxa NPort',
  'NetBotz',
  'PiKVM',
  'PiKVM V4 Plus',
  'TinyPilot Voyager',
  'JetKVM',
  'Sipeed NanoKVM',
  'GL.iNet Comet',
  'BliKVM',
  'One-KVM',
  'Openterface',
  'noVNC',
];

const names = [
  ...new Set([
    ...KNOWN_NAMES,
    ...ownSet().flatMap(({ vendor, product, generic }) =>
      generic === true
        ? []
        : [vendor, product, vendor === undefined || product === undefined ? undefined : `${vendor} ${product}`].filter(
            (part) => part !== undefined,
          ),
    ),
  ]),
].toSorted();

const TITLES: readonly ((name: string) => string)[] = [
  (name) => `How to set up ${name}`,
  (name) => `${name} - Forum`,
  (name) => `${name} 4 - Forum`,
  (name) => `${name} review: is it worth it?`,
  (name) => `${name}: login problem after update [SOLVED]`,
  (name) => `Buy ${name} online | Example Shop`,
  (name) => `${name} | Example Shop`,
  (name) => `${name} manual (PDF) - Example Downloads`,
  (name) => `${name} - Wikipedia`,
  (name) => `${name} documentation`,
  (name) => `${name} Documentation 2.4`,
  (name) => `${name} firmware 1.2.3 release notes`,
  (name) => `Search results for "${name}"`,
  (name) => `News: ${name} 2.0 released`,
  (name) => `${name} vs. other products`,
  (name) => `Re: ${name} Login page does not load`,
  (name) => `[Ticket 1234] ${name} is down`,
  (name) => `${name} Support - Drivers and Downloads`,
  (name) => `Knowledge base: ${name}`,
  (name) => `${name} (@example) | Social`,
  (name) => `GitHub - example/exporter: Prometheus exporter for ${name}`,
  (name) => `Inventory / Devices / ${name} - NetBox`,
  (name) => `${name} - Zabbix`,
  (name) => `Welcome to the ${name} user group`,
];

const PROSE = (name: string): string =>
  `<!doctype html><html><head><title>Blog</title><meta name="description" content="All about ${name}"></head><body><h1>${name}</h1><p>We unpacked the ${name} today. ` +
  `Log in to ${name} with the user name and password on the label, open the ${name} web interface, then update the firmware of your ${name} to version 2.4.1.</p>` +
  `<ul><li><a href="/tags/${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}">${name}</a></li></ul><pre>curl -k https://host/redfish/v1/ # ${name}</pre>` +
  `<form action="/search"><input name="q" placeholder="${name}"></form></body></html>`;

const OTHERS: readonly ((name: string) => Facts)[] = [
  (name) => ({ 'http.title': 'Blog', 'http.body': PROSE(name) }),
  (name) => ({ 'http.title': 'Shop', 'http.links': [`/products/${name.toLowerCase().replaceAll(' ', '-')}`, `/img/${name}.png`] }),
  (name) => ({ 'http.realm': `${name} documentation` }),
  (name) => ({ 'http.realm': `Restricted: the ${name} wiki` }),
  (name) => ({ 'http.generator': `Theme for ${name} 1.0` }),
  (name) => ({ 'http.headers': { 'x-powered-by': `a fan of ${name}`, server: 'nginx' } }),
  (name) => ({ 'telnet.banner': `*** Jump host for ${name}: authorised users only ***\r\nlogin: ` }),
  (name) => ({ 'telnet.banner': `Welcome to Debian GNU/Linux. This host manages ${name}.\r\n\r\nhost login: ` }),
  (name) => ({ 'ftp.banner': `220 Welcome to the ${name} firmware mirror` }),
  (name) => ({ 'banner.text': `Notes about ${name}, line 1\r\n` }),
  (name) => ({
    'snmp.sysDescr': `Linux monitor of ${name} 5.10.0-28-amd64 #1 SMP Debian x86_64`,
    'snmp.sysObjectID': '1.3.6.1.4.1.8072.3.2.10',
  }),
  (name) => ({ 'snmp.sysDescr': `Windows host with software for ${name}`, 'snmp.sysObjectID': '1.3.6.1.4.1.311.1.1.3.1.2' }),
  (name) => ({ 'snmp.sysName': name }),
  (name) => ({
    'snmp.sysName': `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-docs`,
    'snmp.sysLocation': `Rack 7, below the ${name}`,
  }),
  (name) => ({ 'snmp.sysLocation': name }),
  (name) => ({ 'dns.ptr': `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.example.com` }),
  (name) => ({
    'tls.subject': `CN=${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.example.com`,
    'tls.issuer': "CN=R3, O=Let's Encrypt, C=US",
    'tls.selfSigned': false,
  }),
  (name) => ({
    'tls.subject': `CN=www.example.com, O=${name} Resellers Ltd, C=GB`,
    'tls.issuer': 'CN=DigiCert TLS RSA SHA256 2020 CA1, O=DigiCert Inc, C=US',
    'tls.selfSigned': false,
  }),
  (name) => ({ 'ssdp.friendlyName': `Film about ${name}`, 'ssdp.server': 'Linux/5.4 UPnP/1.0 MiniDLNA/1.3.0' }),
  (name) => ({
    'http.title': `${name} - Forum`,
    'http.body': PROSE(name),
    'http.realm': `about ${name}`,
    'tls.subject': `CN=about-${name}`,
  }),
];

describe('a page or a host that only names it is no device', () => {
  test.for(names)('%s', (name) => {
    const found = [
      ...TITLES.flatMap((title) => alarms([{ 'http.title': title(name), 'http.status': 200 }])),
      ...OTHERS.flatMap((facts) => alarms([facts(name)])),
      // All of it at one host: many hints are still hints.
      ...alarms([...TITLES.slice(0, 3).map((title): Facts => ({ 'http.title': title(name) })), ...OTHERS.map((facts) => facts(name))]),
    ];
    expect([...new Set(found)].join('\n')).toBe('');
  });
});

describe('pages about all of them at once are no devices', () => {
  const list = names.join(', ');
  test.for([
    {
      name: 'list of products',
      facts: {
        'http.title': 'Products',
        'http.body': `<html><body><ul>${names.map((one) => `<li>${one}</li>`).join('')}</ul></body></html>`,
      },
    },
    {
      name: 'search results',
      facts: { 'http.title': `Search: ${list}`.slice(0, 1000), 'http.body': names.map(PROSE).join('\n').slice(0, 65_536) },
    },
    { name: 'shop', facts: { 'http.title': 'Shop', 'http.links': names.map((one) => `/${one}/`), 'http.forms': names } },
    { name: 'mail', facts: { 'banner.text': `Subject: ${list}\r\n` } },
    { name: 'agent that lists them', facts: { 'snmp.sysDescr': `Inventory server for ${list}` } },
    { name: 'login text', facts: { 'telnet.banner': `This network has: ${list}\r\nlogin: ` } },
  ] satisfies { name: string; facts: Facts }[])('$name', ({ facts }) => expect(alarms([facts]).join('\n')).toBe(''));
});

describe('what ordinary devices say is no device', () => {
  test.for(ordinaryFacts().map((facts) => ({ name: JSON.stringify(facts).slice(0, 120), facts })))('$name', ({ facts }) =>
    expect(alarms([facts]).join('\n')).toBe(''),
  );
});
