import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { messyList } from '../../bench/messy-list.ts';
import { accountFor, accountText, type ApprovedList, readApproved, type RecordAccount, reconcile } from '../../src/reconcile/index.ts';
import { asset, device, IDRAC, inventory, list } from './build.ts';

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-account-'));
afterAll(() => rmSync(folder, { recursive: true }));
const NOW = new Date('2026-11-26T09:00:00Z');

function sum({ byState, leftOut, approveNothing }: RecordAccount): number {
  return [...byState.values(), leftOut, approveNothing].reduce((all, part) => all + part, 0);
}

test.for([1, 2, 3])('a messy list in four encodings: no record is unaccounted for (seed %i)', (seed) => {
  const { inventory: swept, files, rows } = messyList(250, 500, seed);
  const paths = files.map(({ name, bytes }) => {
    const file = join(folder, `${seed}-${name}`);
    writeFileSync(file, bytes);
    return file;
  });
  const approved = readApproved(paths, { map: ['validUntil=u_approved_until'] });
  const account = accountFor(approved, reconcile(swept, approved, { now: NOW }));
  expect(account.rows).toBe(rows);
  expect(sum(account)).toBe(rows);
  for (const state of ['approved-present', 'approved-missing', 'not-checked', 'duplicate', 'expired'] as const)
    expect(account.byState.get(state), state).toBeGreaterThan(0);
  expect(account.leftOut).toBe(approved.problems.length);
});

test.for<{ name: string; account: (approved: ApprovedList) => ReturnType<typeof reconcile>; approved: ApprovedList; text: string }>([
  {
    name: 'a record that another device poses as is told once',
    approved: list([asset({ addresses: ['10.0.0.5'], vendor: 'HPE', product: 'iLO' })]),
    account: (approved) => reconcile(inventory([device('10.0.0.5', { ...IDRAC })]), approved, { now: NOW }),
    text: '1 record: 1 approved-missing',
  },
  {
    name: 'two records of one device',
    approved: list([asset({ addresses: ['10.0.0.5'] }), asset({ addresses: ['10.0.0.5'] }), asset({ addresses: ['10.0.0.6'] })]),
    account: (approved) => reconcile(inventory([device('10.0.0.5')]), approved, { now: NOW }),
    text: '3 records: 2 duplicate, 1 approved-missing',
  },
  {
    name: 'one record of two devices',
    approved: list([asset({ addresses: ['10.0.0.5', '10.0.0.6'] })]),
    account: (approved) => reconcile(inventory([device('10.0.0.5'), device('10.0.0.6')]), approved, { now: NOW }),
    text: '1 record: 1 approved-present',
  },
])('$name', ({ approved, account, text }) => {
  const whole = accountFor(approved, account(approved));
  expect(accountText(whole)).toBe(text);
  expect(sum(whole)).toBe(whole.rows);
});

test('two records of one device of NetBox are two, and rules are counted apart', () => {
  const exports = fileURLToPath(new URL('./exports/netbox.csv', import.meta.url));
  const rules = join(folder, 'rules.yaml');
  writeFileSync(rules, 'rules:\n  - { class: ip-kvm, network: 10.9.0.0/16 }\n');
  const approved = readApproved([exports, rules]);
  const swept = inventory(
    [device('10.9.7.17', { ...IDRAC }), device('10.9.7.99'), device('10.9.7.18', { class: 'pdu', vendor: 'APC', product: 'Rack PDU' })],
    {
      ranges: ['10.9.0.0-10.9.255.255', '10.0.7.0-10.0.7.255'],
    },
  );
  const findings = reconcile(swept, approved, { now: NOW });
  expect(findings.map(({ state, name }) => `${state} ${name}`)).toEqual([
    'impostor APC Rack PDU',
    'approved-missing con-a07',
    // An ordinary server is not missed where no remote-access device is.
    'not-checked sql07',
    'approved-present Dell iDRAC 9',
    'approved-present PiKVM',
  ]);
  const account = accountFor(approved, findings);
  expect(accountText(account)).toBe(
    '4 records: 1 approved-missing, 1 not-checked, 1 approved-present, 1 approve nothing; 1 rule for 1 device',
  );
  expect(sum(account)).toBe(account.rows);
});
