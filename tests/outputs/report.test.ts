import { createHash } from 'node:crypto';
import { load } from 'cheerio';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Device } from '../../src/devices/device.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import { html, jsonInScript } from '../../src/outputs/html.ts';
import { reportPage } from '../../src/outputs/report/index.ts';
import { RISKS } from '../../src/outputs/report/words.ts';
import type { Finding } from '../../src/reconcile/index.ts';
import { printable } from '../../src/text.ts';
import { POSTURES, STATES } from '../../src/vocabulary.ts';

const PORT = { planned: 256, asked: 256, skipped: {}, answered: 2, refused: 4, silent: 250, unreachable: 0, givenUp: 0, lost: 0 };

function device(address: string, rest: Partial<Device> = {}): Device {
  return {
    deviceKey: `kvm-${address}`,
    class: 'ip-kvm',
    vendor: 'PiKVM',
    product: 'PiKVM',
    certainty: 96,
    level: 'certain',
    addresses: [address],
    identifiers: [{ kind: 'ip', value: address, from: 'address' }],
    endpoints: [{ host: address, port: 443, transport: 'tcp', probe: 'https' }],
    evidence: [
      { fingerprint: 'pikvm', rule: 'login page', fact: 'http.title', text: 'PiKVM Login', certainty: 96, endpoint: `${address}:443` },
    ],
    alternatives: [],
    posture: [],
    firstSeen: '2026-11-20T18:00:00.000Z',
    lastSeen: '2026-11-22T18:00:00.000Z',
    ...rest,
  };
}

function inventory(devices: readonly Device[], rest: Partial<Inventory> = {}): Inventory {
  return {
    schemaVersion: 1,
    tool: { name: 'kvmsweep', version: '0.1.0', fingerprints: 'abcdef' },
    run: {
      arguments: ['scan', '10.20.0.0/24'],
      startedAt: '2026-11-22T18:00:00.000Z',
      endedAt: '2026-11-22T18:00:09.000Z',
      sourceAddresses: ['10.0.0.1'],
      seed: 1,
      rate: 2000,
      ratePerNetwork: 1000,
      retries: 1,
    },
    asked: { hosts: 256, ranges: ['10.20.0.0-10.20.0.255'], names: {}, ports: ['443/tcp=https'] },
    completeness: { complete: true, limitations: [], notes: [] },
    ledger: { ports: { '443/tcp': PORT }, total: PORT, packets: { tcp: 512, udp: 0 }, alive: 6, stray: 0 },
    devices,
    unrecognised: [],
    ...rest,
  };
}

const MEANINGS = new Map([['http.title', 'text of the title element']]);

function page(of: Inventory, rest: { before?: Inventory; findings?: readonly Finding[] } = {}): ReturnType<typeof load> {
  return load(reportPage({ inventory: of, factMeanings: MEANINGS, ...rest }));
}

function card($: ReturnType<typeof load>, label: string): string {
  return $(`.card:has(dt:contains("${label}"))`).find('strong').text();
}

const UNAPPROVED: Finding = {
  state: 'unapproved',
  severity: 'high',
  deviceKey: 'kvm-10.20.0.7',
  class: 'ip-kvm',
  name: 'PiKVM',
  addresses: ['10.20.0.7'],
  matched: [],
  conflicts: [],
  explanation: 'No record of the approved list names it.',
};

test('the answer is on top: devices, unapproved, new, completeness', () => {
  const now = inventory([device('10.20.0.7'), device('10.20.0.9')]);
  const $ = page(now, { before: inventory([device('10.20.0.9')]), findings: [UNAPPROVED] });
  expect(['Devices', 'Unapproved', 'New', 'Completeness'].map((label) => card($, label))).toEqual(['2', '1', '1', 'Complete']);
  expect($('#findings tbody tr').text()).toContain('No record of the approved list names it.');
  expect($('#changes tbody tr').text()).toContain('New');
});

test('what was not looked at is not called none', () => {
  const $ = page(inventory([device('10.20.0.7')]));
  expect(card($, 'Unapproved')).toBe('Not known');
  expect(card($, 'New')).toBe('Not known');
  const { run: _run, asked: _asked, ledger: _ledger, ...observed } = inventory([device('10.20.0.7')]);
  expect(card(page(observed), 'Completeness')).toBe('Not known');
});

test('a sweep that may have missed something says so, and why, on top', () => {
  const $ = page(
    inventory([], {
      completeness: { complete: false, limitations: [{ what: 'interrupted', text: 'the sweep was ended before it was done' }], notes: [] },
    }),
  );
  expect(card($, 'Completeness')).toBe('Incomplete');
  expect($('#summary .alert').text()).toContain('the sweep was ended before it was done');
});

test.for<{ name: string; ranges: string[]; blocks: string[] }>([
  { name: 'a /24', ranges: ['10.20.0.0-10.20.0.255'], blocks: ['10.20.0.0/24'] },
  { name: 'parts of two /24s', ranges: ['10.20.0.200-10.20.1.20'], blocks: ['10.20.0.0/24', '10.20.1.0/24'] },
  { name: 'a /16', ranges: ['10.20.0.0-10.20.255.255'], blocks: ['10.20.0.0/16'] },
  { name: 'a /8', ranges: ['10.0.0.0-10.255.255.255'], blocks: ['10.0.0.0/8'] },
])('the map of $name', ({ ranges, blocks }) => {
  const { asked = { hosts: 0, names: {}, ports: [] } } = inventory([]);
  const $ = page(inventory([device('10.20.0.7')], { asked: { ...asked, ranges } }), { findings: [UNAPPROVED] });
  expect(
    $('.block figcaption .mono')
      .toArray()
      .map((one) => $(one).text()),
  ).toEqual(blocks);
  expect($('.block rect.found.high')).toHaveLength(1);
});

test('the map of a /24 has each device in its place, and nothing where nothing was asked', () => {
  const { asked = { hosts: 0, names: {}, ports: [] } } = inventory([]);
  const $ = page(
    inventory([device('10.20.0.17')], {
      asked: { ...asked, ranges: ['10.20.0.16-10.20.0.47'] },
      unrecognised: [{ host: '10.20.0.18', endpoints: ['80/tcp=http'] }],
    }),
  );
  const place = (one: string): string[] => ['x', 'y', 'width'].map((name) => $(one).attr(name) ?? '');
  expect(place('.block rect.found')).toEqual(['8.5', '8.5', '7']);
  expect(place('.block rect.unnamed')).toEqual(['16.5', '8.5', '7']);
  expect(
    $('.block rect.asked')
      .toArray()
      .map((one) => [$(one).attr('y'), $(one).attr('width')]),
  ).toEqual([
    ['8', '128'],
    ['16', '128'],
  ]);
});

test('its policy lets its own style and script run, and nothing else', () => {
  const text = reportPage({ inventory: inventory([device('10.20.0.7')]), factMeanings: MEANINGS });
  const $ = load(text);
  const policy = $('meta[http-equiv="Content-Security-Policy"]').attr('content') ?? '';
  expect(policy).toMatch(
    /^default-src 'none'; style-src 'sha256-[^' ]+'; script-src 'sha256-[^' ]+'; base-uri 'none'; form-action 'none'$/,
  );
  for (const content of [$('style').text(), $('script[type="module"]').text()])
    expect(policy).toContain(`'sha256-${createHash('sha256').update(content).digest('base64')}'`);
  expect($('[style], [onclick], link, img, iframe, script[src], a[href]')).toHaveLength(0);
  expect(text).not.toMatch(/https?:\/\//);
});

/** The elements of a page in which a text stands wherever a device, a list or a sweep can put one, with the names of their attributes. */
function elementsWith(text: string): string[] {
  const $ = page(
    inventory([device('10.20.0.7', { model: text, version: text, hostname: text, serial: text, vendor: text, product: text })], {
      unrecognised: [{ host: '10.20.0.8', macVendor: text, endpoints: [text] }],
      completeness: { complete: false, limitations: [{ what: 'fault', text }], notes: [text] },
    }),
    { findings: [{ ...UNAPPROVED, name: text, explanation: text }] },
  );
  const { texts } = JSON.parse($('#details').text()) as { texts: string[] };
  for (const one of texts) expect(one).toBe(printable(one));
  return $('*')
    .toArray()
    .map((one) => `${$(one).prop('tagName')} ${Object.keys($(one).attr() ?? {}).join()}`);
}

test('whatever a device says is text in the page', () => {
  const hostile = fc.string({
    unit: fc.constantFrom('<', '>', '"', "'", '&', '</script>', '<!--', '\u2028', '\u202e', '\u0000', '`', '${', 'a'),
  });
  const plain = elementsWith('x');
  fc.assert(
    fc.property(
      hostile.filter((text) => text !== ''),
      (text) => {
        expect(elementsWith(text)).toEqual(plain);
      },
    ),
    { numRuns: 60 },
  );
});

test('a template escapes values, and its own line breaks are no part of the page', () => {
  expect(
    html`<p title="${'"<&>\''}">
    ${'<b>'}${[html`<i>${1}</i>`, undefined, 'x']}
  </p>`.markup,
  ).toBe('<p title="&quot;&lt;&amp;&gt;&#39;">&lt;b&gt;<i>1</i>x</p>');
  expect(jsonInScript({ text: '</script><!--' }).markup).toBe(String.raw`{"text":"\u003c/script>\u003c!--"}`);
});

test('every risk has words for it, and every state a name', () => {
  expect(Object.keys(RISKS).toSorted()).toEqual([...POSTURES].toSorted());
  const $ = page(inventory([]), { findings: STATES.map((state) => ({ ...UNAPPROVED, state, name: state })) });
  expect($('#charts').text()).not.toContain('undefined');
});
