import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { InputError, problemText } from '../../src/errors.ts';
import { type ApprovedList, readApproved, reconcile } from '../../src/reconcile/index.ts';
import { asset, device, IDRAC, inventory, list, unnamed } from './build.ts';

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-rules-'));
afterAll(() => rmSync(folder, { recursive: true }));
const NOW = new Date('2026-11-26T12:00:00Z'); // a Thursday

let files = 0;
function written(content: string, ending = 'yaml'): string {
  files += 1;
  const file = join(folder, `${files}.${ending}`);
  writeFileSync(file, content);
  return file;
}

function read(content: string, ending?: string): ApprovedList {
  return readApproved(written(content, ending));
}

const BMC = device('10.9.0.5', { ...IDRAC });

/** What becomes of a device under rules. */
function stateOf(rules: string, seen = BMC): string {
  const [finding, ...others] = reconcile(inventory([seen]), read(rules), { now: NOW });
  expect(others).toEqual([]);
  return finding?.state ?? 'no finding';
}

const rule = (text: string): string => `rules:\n  - { ${text} }\n`;

test.for<{ name: string; rules: string; seen?: typeof BMC; state: string }>([
  { name: 'class and network', rules: rule('class: bmc, network: 10.9.0.0/16'), state: 'approved-present' },
  { name: 'network alone', rules: rule('cidr: 10.9.0.0/16'), state: 'approved-present' },
  { name: 'several of each', rules: rule('class: [pdu, bmc], networks: [10.8.0.0/16, 10.9.0.0-10.9.0.99]'), state: 'approved-present' },
  { name: 'vendor in other words', rules: rule('vendor: Dell Inc.'), state: 'approved-present' },
  { name: 'product with its generation', rules: rule('product: iDRAC9'), state: 'approved-present' },
  { name: 'another class', rules: rule('class: ip-kvm, network: 10.9.0.0/16'), state: 'unapproved' },
  { name: 'another network', rules: rule('class: bmc, network: 10.8.0.0/16'), state: 'unapproved' },
  { name: 'another vendor', rules: rule('class: bmc, vendor: HPE'), state: 'unapproved' },
  { name: 'another product', rules: rule('product: iLO'), state: 'unapproved' },
  { name: 'another generation', rules: rule('product: iDRAC8'), state: 'unapproved' },
  {
    name: 'a vendor that is not known',
    rules: rule('vendor: Dell'),
    seen: { deviceKey: 'kvm-1', ...unnamed('10.9.0.5') },
    state: 'unapproved',
  },
  // Every address counts: one in another network is in no rule.
  {
    name: 'one address outside',
    rules: rule('network: 10.9.0.0/16'),
    seen: device('10.9.0.5', { ...IDRAC, addresses: ['10.9.0.5', '10.0.0.5'] }),
    state: 'unapproved',
  },
  {
    name: 'a link-local address besides',
    rules: rule('network: 10.9.0.0/16'),
    seen: device('10.9.0.5', { ...IDRAC, addresses: ['10.9.0.5', 'fe80::1'] }),
    state: 'approved-present',
  },
  {
    name: 'what may be something else',
    rules: rule('class: bmc'),
    seen: device('10.9.0.5', { ...IDRAC, level: 'possible', certainty: 40 }),
    state: 'unapproved',
  },
  {
    name: 'conflicting marks',
    rules: rule('class: bmc'),
    seen: device('10.9.0.5', { ...IDRAC, posture: ['conflicting-identity'] }),
    state: 'unapproved',
  },
  { name: 'ended', rules: rule('class: bmc, until: 2026-11-25'), state: 'expired' },
  { name: 'ends soon', rules: rule('class: bmc, until: 2026-12-01'), state: 'expiring' },
  { name: 'begins later', rules: rule('class: bmc, from: 2026-12-01'), state: 'outside-window' },
  { name: 'at another time', rules: rule('class: bmc, window: "Sat 22:00-06:00 Europe/Berlin"'), state: 'outside-window' },
  {
    name: 'seen before the sweep left its window',
    rules: rule('class: bmc, window: "Thu 09:00-10:00 UTC"'),
    seen: { ...BMC, lastSeen: '2026-11-26T09:30:00.000Z' },
    state: 'approved-present',
  },
  { name: 'now', rules: rule('class: bmc, window: "Thu 12:00-14:00 UTC"'), state: 'approved-present' },
  { name: 'an exception', rules: rule('class: bmc, ignored: yes, reason: training'), state: 'ignored' },
  {
    name: 'an ended one beside one that counts',
    rules: 'rules:\n  - { class: bmc, until: 2026-01-01 }\n  - { vendor: Dell }\n',
    state: 'approved-present',
  },
  { name: 'JSON', rules: '{"rules": [{"class": "bmc", "network": "10.9.0.0/16"}]}', state: 'approved-present' },
])('a rule of $name: $state', ({ rules, seen, state }) => expect(stateOf(rules, seen)).toBe(state));

test('a rule is told with its line, ticket and owner', () => {
  const file = written(
    '# management network\nrules:\n  - class: bmc\n    network: 10.9.0.0/16\n    vendor: Dell\n    owner: Database Team\n    ticket: CHG0041\n    until: 2027-12-31\n',
  );
  const [finding] = reconcile(inventory([BMC]), readApproved(file), { now: NOW });
  expect(finding).toMatchObject({
    state: 'approved-present',
    severity: 'info',
    asset: { id: 'CHG0041', name: 'Dell bmc in 10.9.0.0/16', owner: 'Database Team', source: { file, line: 3 } },
    explanation: `Dell bmc in 10.9.0.0/16 is approved by a rule (${file}:3); no record names the device itself.`,
  });
});

test('the example of the documentation is a list of rules', () => {
  const { rules, problems, notes, rows } = readApproved('docs/examples/rules.yaml');
  expect([problems, notes, rows]).toEqual([[], [], 0]);
  expect(rules.map(({ classes, networks, source }) => `${classes.join(' ')} ${networks.length} ${source.line}`)).toEqual([
    'bmc 2 3',
    'console-server pdu 1 9',
    'ip-kvm 1 10',
    ' 1 14',
  ]);
  expect(rules[3]?.ignored?.reason).toMatch(/^training room/);
});

test('rules as CSV', () => {
  const rules = read('Class,Network,Owner,Valid until\nbmc,10.9.0.0/16,Database Team,2027-12-31\n', 'csv');
  expect(rules.assets).toEqual([]);
  expect(
    rules.rules.map(({ classes, networks, owner, source }) => [classes, networks.map(({ text }) => text), owner, source.line]),
  ).toEqual([[['bmc'], ['10.9.0.0/16'], 'Database Team', 2]]);
});

test('a record that names a device comes before a rule', () => {
  const { rules } = read(rule('network: 10.0.0.0/8'));
  const now = { now: NOW };
  const expired = asset({ addresses: ['10.9.0.5'], validUntil: '2026-01-01T23:59:59.999Z' });
  expect(reconcile(inventory([BMC]), list([expired], { rules }), now)[0]?.state).toBe('expired');
  const retired = { asset: asset({ addresses: ['10.9.0.5'] }), why: 'its status is "stolen"' };
  expect(reconcile(inventory([BMC]), list([], { rules, setAside: [retired] }), now)[0]?.state).toBe('unapproved');
  const other = asset({ addresses: ['10.9.0.5'], vendor: 'HPE', product: 'iLO' });
  expect(reconcile(inventory([BMC]), list([other], { rules }), now).map(({ state }) => state)).toContain('impostor');
});

test('rules miss nothing, and say nothing of software that only looks like hardware', () => {
  const { rules } = read(rule('network: 10.0.0.0/8'));
  expect(reconcile(inventory([]), list([], { rules }), { now: NOW })).toEqual([]);
  const viewer = device('10.0.0.9', { class: 'vnc-software' });
  expect(reconcile(inventory([viewer]), list([], { rules }), { now: NOW })).toEqual([]);
});

test.for<{ name: string; content: string; ending?: string; says: RegExp[] }>([
  {
    name: 'everything',
    content: rule('owner: me'),
    says: [
      /:2: it names no class, vendor, product or network, and would approve everything \(the record is left out\)$/,
      /it holds no rule that approves anything$/,
    ],
  },
  {
    name: 'a misspelt class',
    content: rule('class: bmcs-and-more'),
    says: [
      /:2: "bmcs-and-more" is no class; they are ip-kvm, bmc, .* \(the record is left out\)$/,
      /it holds no rule that approves anything$/,
    ],
  },
  {
    name: 'no network',
    content: rule('network: mgmt'),
    says: [/:2: "mgmt" is no network: write it as 10\.9\.0\.0\/16 or fd00:9::\/64/, /it holds no rule that approves anything$/],
  },
  {
    name: 'a key that rules do not have',
    content: rule('class: bmc, serial: X1, netwrok: 10.9.0.0/16'),
    says: [
      /:2:19: a rule cannot ask for "serial" \(a rule has class, vendor/,
      /:2:31: a rule cannot ask for "netwrok"; did you mean network\? \(/,
    ],
  },
  { name: 'no list', content: 'rules: all\n', says: [/:1:1: rules: it is a list: `- \{ class: bmc, network: 10\.9\.0\.0\/16 \}`$/] },
  { name: 'broken YAML', content: 'rules:\n  - { class: bmc\n', says: [/:3:1: /] },
  {
    name: 'a rule with a date of some country',
    content: rule('class: bmc, until: 03/04/2027'),
    says: [/:2: "03\/04\/2027" means another day in another country/, /it holds no rule that approves anything$/],
  },
  {
    name: 'an exception without a reason',
    content: rule('class: bmc, ignored: true'),
    says: [/:2: an exception needs a reason/, /it holds no rule that approves anything$/],
  },
  {
    name: 'CSV with a column that rules do not have',
    content: 'Class,Network,Model\nbmc,10.9.0.0/16,R740\n',
    ending: 'csv',
    says: [/a rule cannot ask for "Model"/],
  },
])('a file of rules is refused: $name', ({ content, ending, says }) => {
  const file = written(content, ending);
  try {
    readApproved(file);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const texts = error.problems.map(problemText);
    expect(texts).toHaveLength(says.length);
    for (const [at, text] of texts.entries()) expect(text).toMatch(says[at] ?? /never/);
    return;
  }
  throw new Error('it was taken');
});
