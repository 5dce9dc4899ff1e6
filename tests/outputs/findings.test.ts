import { spawnSync } from 'node:child_process';
import * as cheerio from 'cheerio/slim';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesBetween } from '../../src/inventory/changes.ts';
import { changesCsv, changesMarkdown } from '../../src/outputs/changes.ts';
import { findingsCsv } from '../../src/outputs/findings-csv.ts';
import { findingsMarkdown } from '../../src/outputs/findings-markdown.ts';
import { type Finding, parsePolicy, reconcile } from '../../src/reconcile/index.ts';
import { printable } from '../../src/text.ts';
import { asset, device, IDRAC, inventory, list, type Sweep } from '../reconcile/build.ts';

const NOW = new Date('2026-11-22T18:00:00Z');
const SEEN = '2026-11-01T00:00:00.000Z';
const POLICY = parsePolicy('allowed: [{ classes: [bmc], networks: [10.9.0.0/16] }]', 'policy.yaml');

/** A device and a record that say something in every place where they can. */
function told(text: string, sweep?: Sweep): { readonly findings: readonly Finding[]; readonly inventory: ReturnType<typeof inventory> } {
  const all = inventory(
    [
      device('10.0.0.1', {
        ...IDRAC,
        model: text,
        version: text,
        serial: text,
        hostname: text,
        ids: { serial: 'S1' },
        firstSeen: SEEN,
        posture: ['telnet-open'],
        evidence: [{ fingerprint: 'x', rule: text, fact: 'http.title', text, certainty: 90, endpoint: '10.0.0.1:443' }],
      }),
      device('10.0.0.2', { vendor: text, product: text }),
      device('10.0.0.3', { ids: { serial: 'S3' } }),
    ],
    sweep,
  );
  const records = [
    asset({ name: text, serials: ['S1'], owner: text, site: text, addresses: ['10.0.0.9'], vendor: 'Dell', model: text }),
    asset({ name: text, addresses: ['10.0.0.7'], class: 'pdu' }),
    asset({ name: 'known', serials: ['S3'] }),
  ];
  return { findings: reconcile(all, list(records), { now: NOW, policy: POLICY }), inventory: all };
}

test('CSV: stable columns, a row for each finding, everything that is known of it', () => {
  const { findings, inventory: swept } = told('R740');
  const rows = parse<Record<string, string>>(findingsCsv(findings, swept), { columns: true });
  expect(Object.keys(rows[0] ?? {})).toEqual([
    'state',
    'severity',
    'first seen',
    'addresses',
    'name',
    'class',
    'vendor',
    'product',
    'model',
    'version',
    'serial',
    'risk',
    'record',
    'owner',
    'site',
    'record source',
    'policy source',
    'matched',
    'conflicts',
    'explanation',
    'device key',
  ]);
  expect(rows.map(({ state }) => state)).toEqual(findings.map(({ state }) => state));
  expect(rows.find(({ state }) => state === 'moved')).toMatchObject({
    severity: 'high',
    'first seen': SEEN,
    addresses: '10.0.0.1',
    name: 'Dell iDRAC 9',
    class: 'bmc',
    vendor: 'Dell',
    product: 'iDRAC 9',
    model: 'R740',
    risk: 'telnet-open',
    owner: 'R740',
    site: 'R740',
    'record source': expect.stringMatching(/^approved\.csv:\d+$/) as string,
    'policy source': 'policy.yaml:1',
    matched: 'serial S1',
    conflicts: 'address 10.0.0.1 (approved: 10.0.0.9); network 10.0.0.1 (approved: 10.9.0.0/16)',
    'device key': 'kvm-10.0.0.1',
  });
});

test('CSV: no cell is a formula, and none breaks its row', () => {
  const hostile = fc.string({
    unit: fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', '"', "'", ',', ';', '1', '(', '|', '\u001b', '\u202e'),
    maxLength: 12,
  });
  fc.assert(
    fc.property(hostile, (text) => {
      const { findings, inventory: swept } = told(text);
      const rows = parse(findingsCsv(findings, swept));
      expect(rows).toHaveLength(findings.length + 1);
      const changes = changesBetween(inventory([device('10.0.0.2', { vendor: text, product: text, version: 'x' })]), swept);
      for (const cell of [...rows, ...parse(changesCsv(changes))].flat())
        expect(cell).toMatch(/^(?![=+\-@\t\r]|[＝＋－＠])[^\p{Cc}\u202e]*$/u);
    }),
  );
});

test('Markdown: the answer on top, a table of what is pressing, then what, where, why and what to do', () => {
  const { findings, inventory: swept } = told('R740', { complete: false });
  const text = findingsMarkdown(findings, swept);
  expect(text).toMatch(
    /^# kvmsweep: 2 findings to look at\n\n\*\*The sweep is not complete\*\*, so something may be missing: the sweep was ended/,
  );
  expect(text).toContain('\n\nFindings: unapproved 1, moved 1, not-checked 1, approved-present 1.\n\n');
  expect(text).toContain('\n| moved | high | `10.0.0.1` | `Dell iDRAC 9` | `R740` | `R740` | 2026-11-01 |\n');
  expect(text).toContain(
    [
      '## 2. moved: `Dell iDRAC 9`',
      '',
      '- **What:** bmc, maker `Dell`, product `iDRAC 9`, model `R740`, version `R740`, serial number `R740`, name `R740`, **risk: telnet-open**',
      '- **Where:** `10.0.0.1`; `443/tcp https`',
    ].join('\n'),
  );
  expect(text).toContain('- **Why we think so:** certain, 95 of 100; `10.0.0.1:443` says `http.title` `R740`\n');
  expect(text).toContain('- **Network policy:** `policy.yaml:1`\n');
  expect(text).toContain('- **What to do:** Find out who moved it, and why. Then correct the record.\n');
  expect(text).not.toContain('approved-present: ');
  expect(findingsMarkdown([], inventory([]))).toMatch(/^# kvmsweep: nothing to look at\n/);
});

test('Markdown: a ticket stays within what a ticket can hold', () => {
  const many = inventory(Array.from({ length: 300 }, (_, at) => device(`10.0.${at >> 8}.${at & 255}`, { model: 'x'.repeat(400) })));
  const text = findingsMarkdown(reconcile(many, list([]), { now: NOW }), many);
  expect(text.length).toBeLessThan(32_767);
  expect(text).toContain('\nand 200 more\n');
  expect(text).toContain('\n280 more findings without details here: `--format csv` has them all.\n');
});

const cmark = spawnSync('cmark-gfm', ['--version']);
if (cmark.error !== undefined && process.env['KVMSWEEP_REAL'] === 'required') throw cmark.error;
if (cmark.error !== undefined) process.stderr.write('skipped, because cmark-gfm is not there (Debian: cmark-gfm)\n');

/** What GitHub's own renderer makes of it, raw HTML let through. */
function rendered(text: string): cheerio.CheerioAPI {
  const { stdout, status } = spawnSync(
    'cmark-gfm',
    ['--unsafe', '-e', 'autolink', '-e', 'table', '-e', 'strikethrough', '-e', 'footnotes'],
    {
      input: text,
      encoding: 'utf8',
    },
  );
  expect(status).toBe(0);
  return cheerio.load(`<body>${stdout}</body>`);
}

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '[click](http://evil.example)',
  '![x](http://evil.example/x.png)',
  'http://evil.example and www.evil.example',
  '@everyone and root@evil.example',
  '#1 !2 &3 $4 ~5 %6',
  '`code` ``more`` `',
  '<http://evil.example>',
  '[x]: http://evil.example',
  'a | b | c',
  '\\',
  '*x* _y_ ~~z~~ **w**',
  '&lt;script&gt;',
  '\n\n# heading\n\n- item\n',
  '[^1]',
  '`',
];

const OURS: ReadonlySet<string> = new Set(['h1', 'h2', 'p', 'ul', 'li', 'strong', 'code', 'table', 'thead', 'tbody', 'tr', 'th', 'td']);

test.for(HOSTILE.map((text) => [text]))('Markdown: %j of a device is text', { skip: cmark.error !== undefined }, ([text = '']) => {
  const { findings, inventory: swept } = told(text);
  const changed = changesBetween(
    inventory([device('10.0.0.1', { ids: { serial: 'S1' }, vendor: text, version: text })]),
    told(`${text}2`).inventory,
  );
  const shown = printable(text);
  const pages = [findingsMarkdown(findings, swept), changesMarkdown(changed, swept, swept)].map(rendered);
  for (const [at, page] of pages.entries()) {
    const tags = new Set(
      page('body *')
        .toArray()
        .map((element) => (element as { name: string }).name),
    );
    expect([...tags].filter((tag) => !OURS.has(tag))).toEqual([]);
    // In a table it is all of its cell, and no other's.
    const cells = page('td')
      .toArray()
      .map((element) => page(element).text());
    expect(cells).toContain(printable(at === 0 ? text : `${text}2`).replaceAll('|', '\u00a6'));
  }
  const [page] = pages;
  const sentences =
    page?.('li')
      .toArray()
      .map((element) => page(element).text().replaceAll('\u2060', '')) ?? [];
  expect(sentences.some((one) => one.startsWith('Finding:') && one.includes(shown))).toBe(true);
  for (const one of pages) {
    one('code').remove();
    // Who renders it looks for these in what is left.
    expect(one('body').text()).not.toMatch(/@\w|[#!$~%&]\w|:\/\/|\bwww\./);
  }
});
