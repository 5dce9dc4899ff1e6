import { expect, test } from 'vitest';
import { factVocabulary } from '../../../src/fingerprints/facts.ts';
import { commonOids, isListed, loadOidRules, makersOids, readOidRules } from '../../../src/sweep/snmp/oids.ts';

const MEANINGS = [
  'sysDescr',
  'sysObjectID',
  'sysName',
  'sysLocation',
  'entity.class',
  'entity.firmware',
  'entity.serial',
  'entity.model',
  'mac',
  'model',
  'firmware',
  'serial',
];

test('every row of the list is whole, and each object is on it once', () => {
  const rules = readOidRules();
  for (const rule of rules) {
    expect(Object.keys(rule).toSorted(), rule.oid).toEqual(['means', 'oid', 'source', 'when']);
    expect(rule.oid).toMatch(/^1\.3\.6\.1(\.\d+)+$/);
    expect(rule.when).toMatch(/^any$|^1\.3\.6\.1\.4\.1(\.\d+)+$/);
    expect(MEANINGS, rule.oid).toContain(rule.means);
    expect(rule.source.length, rule.oid).toBeGreaterThan(8);
    if (rule.when !== 'any') expect(['model', 'firmware', 'serial'], rule.oid).toContain(rule.means);
  }
  expect(new Set(rules.map(({ oid }) => oid)).size).toBe(rules.length);
  expect(loadOidRules()).toEqual(rules);
});

test('what all agents are asked for becomes a fact that there is', () => {
  const facts = factVocabulary();
  const meanings = loadOidRules()
    .filter(({ when, means }) => when === 'any' && means !== 'entity.class')
    .map(({ means }) => means);
  expect(meanings.filter((means) => !facts.has(`snmp.${means}`))).toEqual([]);
});

test('nobody is asked for more than one request holds, of one meaning or one maker', () => {
  const makers = new Set(loadOidRules().map(({ when }) => when));
  for (const when of makers) if (when !== 'any') expect(makersOids(when).length, when).toBeLessThanOrEqual(6);
  expect(commonOids('entity.class', 'entity.firmware', 'entity.serial', 'entity.model').length).toBeLessThanOrEqual(6);
});

test('no object that may hold a secret is listed', () => {
  // Where agents keep communities, users and keys (RFC 3584, RFC 3414, RFC 3415), and a few makers their passwords.
  const secrets = ['1.3.6.1.6.3.', '1.3.6.1.4.1.244.1.1.2.', '1.3.6.1.4.1.318.1.1.12.1.10', '1.3.6.1.2.1.1.4'];
  for (const { oid } of loadOidRules()) for (const secret of secrets) expect(oid.startsWith(secret), oid).toBe(false);
});

test.for<[type: string, first: string | undefined]>([
  ['1.3.6.1.4.1.13742.6', '1.3.6.1.4.1.13742.6.3.2.1.1.3.1'],
  ['1.3.6.1.4.1.13742.6.1.2', '1.3.6.1.4.1.13742.6.3.2.1.1.3.1'],
  ['1.3.6.1.4.1.13742.60', undefined],
  ['1.3.6.1.4.1.13742', undefined],
  ['1.3.6.1.4.1.10418.16.1.2', '1.3.6.1.4.1.10418.16.2.1.2.0'],
  ['1.3.6.1.4.1.10418.26.1.2', '1.3.6.1.4.1.10418.26.2.1.2.0'],
  ['1.3.6.1.4.1.244.1.1', '1.3.6.1.4.1.244.1.1.6.1.0'],
  ['1.3.6.1.4.1.244.1.11', undefined],
  ['1.3.6.1.4.1.232.9.4.11', '1.3.6.1.4.1.232.2.2.4.2.0'],
  ['1.3.6.1.4.1.8072.3.2.10', undefined],
  ['any', undefined],
  ['', undefined],
])('a device of type %s is asked for its maker’s objects from %s on', ([type, first]) => expect(makersOids(type)[0]?.oid).toBe(first));

test('only whole numbers are listed', () => {
  expect(isListed('1.3.6.1.2.1.1.1.0')).toBe(true);
  for (const oid of ['1.3.6.1.2.1.1.1', '1.3.6.1.2.1.1.1.0.0', '1.3.6.1.2.1.1.4.0', '.1.3.6.1.2.1.1.1.0', ''])
    expect(isListed(oid), oid).toBe(false);
});
