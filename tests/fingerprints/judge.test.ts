import { expect, test } from 'vitest';
import { asksOf, certaintyOf, type Claim, claimLevel } from '../../src/fingerprints/judge.ts';
import type { Ask, Rule } from '../../src/fingerprints/schema.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { claimOf, claimsAt, definition } from './definitions.ts';

const http = (certainty: number, parts: object = {}): Rule => ({ fact: 'http.title', exists: true, certainty, ...parts });
const server = (certainty: number, parts: object = {}): Rule => ({ fact: 'http.server', exists: true, certainty, ...parts });
const tls = (certainty: number, parts: object = {}): Rule => ({ fact: 'tls.subject.o', exists: true, certainty, ...parts });
const ssh = (certainty: number, parts: object = {}): Rule => ({ fact: 'ssh.banner', exists: true, certainty, ...parts });
const ALL: Facts = { 'http.title': 'x', 'http.server': 'x', 'tls.subject.o': 'x', 'ssh.banner': 'x' };

interface Combined {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly certainty: number;
}

test.for<Combined>([
  { name: 'one rule', rules: [http(80)], certainty: 80 },
  { name: 'within a channel the strongest', rules: [http(60), server(80), http(70)], certainty: 80 },
  { name: 'across channels 1 - prod(1 - c)', rules: [http(60), tls(50)], certainty: 80 },
  { name: 'three channels', rules: [http(60), tls(50), ssh(50)], certainty: 90 },
  { name: 'the strongest of each channel', rules: [http(60), server(40), tls(50), tls(30)], certainty: 80 },
  { name: 'rounded down', rules: [http(55), tls(55)], certainty: 79 },
  { name: 'rules with one cause count once', rules: [http(60, { cause: 'base' }), tls(50, { cause: 'base' })], certainty: 60 },
  { name: 'another cause counts', rules: [http(60, { cause: 'base' }), tls(50, { cause: 'other' })], certainty: 80 },
  { name: 'a cause and a rule without one', rules: [http(60, { cause: 'base' }), tls(50, { cause: 'base' }), ssh(50)], certainty: 80 },
  { name: 'hints alone never pass possible', rules: [http(49), tls(49), ssh(49)], certainty: 59 },
  { name: 'hints beside a rule that is none', rules: [http(50), tls(49), ssh(49)], certainty: 86 },
  { name: 'one hint', rules: [http(20)], certainty: 20 },
  { name: 'certain rules stay certain', rules: [http(100), tls(50)], certainty: 100 },
])('certainty: $name', ({ rules, certainty }) => {
  const claim = claimOf(rules, ALL);
  expect(claim?.certainty.product).toBe(certainty);
});

test('endpoints of one host add up like those of one', () => {
  expect(claimOf([http(60), ssh(50)], { 'http.title': 'x' }, { 'ssh.banner': 'y' })?.certainty.product).toBe(80);
  expect(claimOf([http(60)], { 'http.title': 'x' }, { 'http.title': 'y' })?.certainty.product).toBe(60);
});

test('vendor, product, class and generation have certainties of their own', () => {
  const claim = claimOf([tls(90, { claims: 'vendor' }), http(60), ssh(40, { claims: 'generation', set: { generation: '3' } })], ALL);
  // A generation is one of the product, a product one of the vendor and the class; a vendor says nothing of the product.
  expect(claim?.certainty).toEqual({ vendor: 97, product: 76, class: 76, generation: 40 });
  expect(claimOf([tls(90, { claims: 'vendor' })], ALL)?.certainty).toEqual({ vendor: 90, product: 0, class: 0, generation: 0 });
  expect(claimOf([http(70, { claims: 'class' })], ALL)?.certainty).toEqual({ vendor: 0, product: 0, class: 70, generation: 0 });
  expect(claimOf([http(70, { claims: ['product', 'generation'] })], ALL)?.certainty).toEqual({
    vendor: 70,
    product: 70,
    class: 70,
    generation: 70,
  });
});

test('a generic definition is as sure as its class', () => {
  const [claim] = claimsAt(
    [definition({ generic: true, vendor: undefined, product: undefined, rules: [http(70, { claims: 'class' })] })],
    ALL,
  ) as [Claim];
  expect(certaintyOf(claim)).toBe(70);
  expect(claimLevel(claim)).toBe('likely');
  expect(claim).toMatchObject({ generic: true, class: 'ip-kvm' });
  expect(claim).not.toHaveProperty('vendor');
});

test.for([
  [100, 'certain'],
  [90, 'certain'],
  [89, 'likely'],
  [60, 'likely'],
  [59, 'possible'],
  [30, 'possible'],
  [29, undefined],
] as const)('%i of a hundred is %s', ([certainty, level]) => {
  expect(claimLevel(claimOf([http(certainty)], ALL) as Claim)).toBe(level);
});

test('the surest claim comes first, of two alike by id', () => {
  const set = [
    definition({ id: 'c', rules: [http(50)] }),
    definition({ id: 'b', rules: [http(70)] }),
    definition({ id: 'a', rules: [http(50)] }),
  ];
  expect(claimsAt(set, ALL).map(({ fingerprint }) => fingerprint)).toEqual(['b', 'a', 'c']);
});

const versions = (...values: readonly string[]): Rule[] => {
  const facts = ['http.title', 'http.server', 'tls.subject.o', 'ssh.banner'];
  return values.map((version, i) => ({ fact: facts[i] as string, exists: true, certainty: 90 - i, set: { version } }));
};

test.for([
  { name: 'ranges narrow each other', rules: versions('v4.66 - v4.128', 'v4.84 - v4.125'), version: 'v4.84 - v4.125' },
  { name: 'in any order', rules: versions('v4.84 - v4.125', 'v4.66 - v4.128'), version: 'v4.84 - v4.125' },
  { name: 'from both sides', rules: versions('1.5 - 1.9', '1.8 - 2.1'), version: '1.8 - 1.9' },
  { name: 'to one version', rules: versions('1.5 - 1.9', '1.9 - 2.1'), version: '1.9' },
  { name: 'numbers are compared as numbers', rules: versions('v4.9 - v4.100', 'v4.20 - v4.90'), version: 'v4.20 - v4.90' },
  { name: 'an exact version counts before any range', rules: versions('1.5 - 1.9', '1.10.2'), version: '1.10.2' },
  { name: 'what does not overlap stays as the surest says', rules: versions('1.5 - 1.9', '2.0 - 2.4'), version: '1.5 - 1.9' },
  { name: 'one that does not overlap spoils no other', rules: versions('1.5 - 1.9', '2.0 - 2.4', '1.7 - 1.8'), version: '1.7 - 1.8' },
  { name: 'the surest of two exact ones', rules: versions('1.5', '1.6'), version: '1.5' },
])('versions: $name', ({ rules, version }) => {
  expect(claimOf(rules, ALL)?.values.version).toBe(version);
});

test('other values are those of the surest rule that has them', () => {
  const rules = [http(60, { set: { model: 'weak', serial: 'S1' } }), tls(80, { set: { model: 'strong' } })];
  expect(claimOf(rules, ALL)?.values).toEqual({ model: 'strong', serial: 'S1' });
});

test('posture marks of all rules that hold, each once', () => {
  const rules = [
    http(60, { posture: ['not-set-up'] }),
    tls(80, { posture: ['default-certificate', 'not-set-up'] }),
    { fact: 'rfb.version', exists: true, certainty: 50, posture: ['telnet-open'] } as Rule,
  ];
  expect(claimOf(rules, ALL)?.posture).toEqual(['not-set-up', 'default-certificate']);
});

test('questions are asked from the level that they name, and not where the answer is known', () => {
  const asks: Ask[] = [{ path: '/a' }, { path: '/b', from: 'likely' }, { path: '/c', from: 'certain' }, { path: '/d', unless: 'version' }];
  const paths = (rules: readonly Rule[]): string[] => asksOf(claimOf(rules, ALL) as Claim, asks).map(({ path }) => path);
  expect(paths([http(29)])).toEqual([]);
  expect(paths([http(30)])).toEqual(['/a', '/d']);
  expect(paths([http(60)])).toEqual(['/a', '/b', '/d']);
  expect(paths([http(90, { set: { version: '1' } })])).toEqual(['/a', '/b', '/c']);
});
