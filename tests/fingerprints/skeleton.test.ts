import { expect, test } from 'vitest';
import { parseFingerprint } from '../../src/fingerprints/load.ts';
import { prove } from '../../src/fingerprints/prove.ts';
import { skeletonOf } from '../../src/fingerprints/skeleton.ts';
import type { EndpointFacts } from '../../src/observations/observation.ts';
import { printable } from '../../src/text.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { checks, ownSet } from './definitions.ts';

function skeleton(...endpoints: readonly Facts[]): string | undefined {
  return skeletonOf(
    endpoints.map((facts, i): EndpointFacts => ({ host: '192.0.2.1', transport: 'tcp', port: 80 + i, probes: [], outcomes: {}, facts })),
    '../fingerprint.schema.json',
  );
}

test('a definition to begin with holds what tells a product', () => {
  expect(
    skeleton(
      { 'http.title': 'RackView (R16)', 'http.server': 'RackView-httpd/2.4', 'http.status': 200, 'http.body': '<p>'.repeat(2000) },
      { 'ssh.banner': 'SSH-2.0-OpenSSH_9.2', 'mdns.services': ['_http._tcp', '_rackview._tcp'] },
      { 'mac.address': '00:00:5E:00:53:10' },
    )
      ?.split('\n')
      .filter((line) => /^(?:# yaml| {2}- fact| {4}(?:regex|prefix|contains|claims))/.test(line)),
  ).toEqual([
    '# yaml-language-server: $schema=../fingerprint.schema.json',
    '  - fact: http.title',
    String.raw`    regex: ^RackView \(R16\)$`,
    '  - fact: http.server',
    '    prefix: RackView-httpd/',
    '  - fact: mdns.services',
    '    contains: _rackview._tcp',
    '  - fact: mac.address',
    '    prefix: 00:00:5E',
    '    claims: vendor',
  ]);
});

test('what any host says is nothing to begin with', () => {
  expect(skeleton({ 'http.status': 200, 'http.server': 'nginx/1.22.1' }, { 'ssh.banner': 'SSH-2.0-dropbear' })).toBeUndefined();
});

test('what a device says cannot act on the terminal that shows it', () => {
  const text =
    skeleton({ 'http.title': 'a\u001b[31m\u202eb\u009b2J', 'http.forms': ['\u2066x'], 'telnet.banner': '\u009b2Jhi there' }) ?? '';
  // `printable` replaces what may act; here nothing is left for it but the line breaks.
  expect(text.split('\n').filter((line) => line !== printable(line))).toEqual([]);
  expect(parseFingerprint(text, 'new.yaml', checks()).problems).toEqual([]);
});

test('a definition to begin with loads and proves itself, whatever the device', () => {
  let made = 0;
  for (const { id, examples } of ownSet())
    for (const { name, facts, endpoints = [facts ?? {}] } of examples.slice(0, 1)) {
      const text = skeleton(...endpoints);
      if (text === undefined) continue;
      made += 1;
      const { fingerprint, problems } = parseFingerprint(text, 'new.yaml', checks());
      expect(problems, `${id} "${name}"`).toEqual([]);
      // Its only flaw may be that what it looks at claims nothing yet: an address block, a word of the maker.
      const flaws =
        fingerprint === undefined ? [] : prove([fingerprint]).flaws.filter(({ text: flaw }) => !flaw.includes('claims nothing'));
      expect(flaws, `${id} "${name}"`).toEqual([]);
    }
  expect(made).toBeGreaterThan(50);
});
