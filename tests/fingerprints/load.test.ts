import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InputError, type Problem, problemText } from '../../src/errors.ts';
import { ownFingerprints, parseFingerprint, readFingerprints, setHash } from '../../src/fingerprints/load.ts';
import { checks, ownSet } from './definitions.ts';

/** Line numbers of the tests below count from here: the file of a contributor who made no mistake yet. */
const GOOD = `# yaml-language-server: $schema=../../fingerprint.schema.json
id: acme-rackview
title: Acme RackView
vendor: Acme
product: RackView
class: ip-kvm
sources: [admin guide 2.4]
asks:
  - { path: /login/ }
rules:
  - { fact: http.title, regex: '^RackView (?P<version>\\d+)', certainty: 80 }
  - name: certificate
    all:
      - { fact: tls.subject.o, equals: Acme }
      - { fact: tls.subject.cn, prefix: rack }
    certainty: 60
    set: { version: '2.4 - 2.6' }
  - name: page
    all:
      - { fact: http.body, contains: RackView }
      - { fact: http.body, regex: 'v(?P<version>\\d+)' }
    certainty: 70
exclude:
  - { fact: http.title, contains: Demo, why: a demonstration }
examples:
  - name: login page
    source: guide, figure 7
    facts: { http.title: RackView 2 }
    expect: { certainty: 80, version: '2' }
near_misses:
  - name: a page that writes about it
    facts: { http.title: About RackView }
`;

const textsOf = (text: string): string[] =>
  parseFingerprint(text, 'rackview.yaml', checks()).problems.map((problem) => problemText(problem));

test('a file without a mistake is read', () => {
  expect(textsOf(GOOD)).toEqual([]);
  expect(parseFingerprint(GOOD, 'rackview.yaml', checks())).toMatchObject({
    line: 2,
    fingerprint: { id: 'acme-rackview', rules: { length: 3 } },
  });
});

interface Mistake {
  readonly name: string;
  readonly replace: readonly [string, string];
  readonly line: number;
  readonly says: string | RegExp;
}

test.for<Mistake>([
  {
    name: 'unknown fact, with the nearest name',
    replace: ['http.title, regex', 'http.tittle, regex'],
    line: 11,
    says: 'did you mean "http.title"?',
  },
  {
    name: 'unknown fact in a condition of several',
    replace: ['fact: tls.subject.o,', 'fact: tls.subject.org,'],
    line: 14,
    says: 'did you mean "tls.subject.o"?',
  },
  {
    name: 'unknown fact in an exclusion',
    replace: ['fact: http.title, contains', 'fact: http.titel, contains'],
    line: 24,
    says: 'did you mean "http.title"?',
  },
  {
    name: 'unknown fact in an example',
    replace: ['facts: { http.title: RackView 2 }', 'facts:\n      http.status: 200\n      http.titel: RackView 2'],
    line: 30,
    says: 'did you mean "http.title"?',
  },
  {
    name: 'unknown fact at one of several endpoints',
    replace: ['facts: { http.title: About RackView }', 'endpoints:\n      - { http.status: 200 }\n      - { rfb.versions: x }'],
    line: 34,
    says: 'did you mean "rfb.version"?',
  },
  { name: 'misspelt key of the file', replace: ['vendor: Acme', 'vender: Acme'], line: 4, says: 'vender: there is no such key' },
  {
    name: 'misspelt key of a rule on one line',
    replace: ['certainty: 80 }', 'certainty: 80, wieght: 5 }'],
    line: 11,
    says: 'rules.0.wieght: there is no such key',
  },
  {
    name: 'misspelt key of a rule on several',
    replace: ['    certainty: 60\n', '    certainty: 60\n    clams: vendor\n'],
    line: 17,
    says: 'rules.1.clams: there is no such key',
  },
  {
    name: 'misspelt key of a condition of several',
    replace: ['prefix: rack', 'prefixes: rack'],
    line: 15,
    says: 'rules.1.all.1.prefixes: there is no such key',
  },
  {
    name: 'version without quotes',
    replace: ["set: { version: '2.4 - 2.6' }", 'set: { version: 2.4 }'],
    line: 17,
    says: /set\.version: .*expected string/,
  },
  {
    name: 'version without quotes in an example',
    replace: ["version: '2' }", 'version: 2 }'],
    line: 29,
    says: /expect\.version: .*expected string/,
  },
  {
    name: 'what a list cannot give',
    replace: ['equals: Acme }', 'in: [Acme], gives: model }'],
    line: 14,
    says: '`gives` goes with a map of `in`',
  },
  {
    name: 'text without quotes',
    replace: ['equals: Acme }', 'equals: 12 }'],
    line: 14,
    says: 'tls.subject.o is text: put the value in quotes',
  },
  {
    name: 'list of texts without quotes',
    replace: ['equals: Acme }', 'in: [Acme, 12] }'],
    line: 14,
    says: 'tls.subject.o is text: put the value in quotes',
  },
  { name: 'bad pattern', replace: ["(?P<version>\\d+)', certainty", "(?P<version>\\d+', certainty"], line: 11, says: 'missing closing )' },
  { name: 'pattern with a look-ahead', replace: ["'^RackView (?P<version>\\d+)'", "'^RackView (?=x)'"], line: 11, says: 'no lookaround' },
  {
    name: 'pattern that matches the empty text',
    replace: ["'^RackView (?P<version>\\d+)'", "'(?P<version>\\d*)'"],
    line: 11,
    says: 'it matches the empty text',
  },
  {
    name: 'unknown capture',
    replace: ["(?P<version>\\d+)', certainty", "(?P<firmware>\\d+)', certainty"],
    line: 11,
    says: 'it captures "firmware"',
  },
  {
    name: 'pattern over a body without a literal',
    replace: ['      - { fact: http.body, contains: RackView }\n', '      - { fact: http.status, equals: 200 }\n'],
    line: 21,
    says: 'beside a `contains` or `prefix` on the same body',
  },
  {
    name: 'pattern over the body of another page than the literal',
    replace: ["{ fact: http.body, regex: 'v", "{ fact: http.pages, of: /login/, regex: 'v"],
    line: 21,
    says: 'beside a `contains` or `prefix` on the same body',
  },
  {
    name: 'path that is not listed',
    replace: ['path: /login/', 'path: /setup/reset'],
    line: 9,
    says: 'which is not in the reviewed list of paths',
  },
  { name: 'two operators', replace: ['equals: Acme }', 'equals: Acme, prefix: A }'], line: 14, says: 'a condition has one of' },
  { name: 'no operator', replace: [', equals: Acme }', ' }'], line: 14, says: 'a condition has one of' },
  {
    name: 'page without its path',
    replace: ['{ fact: http.body, contains: RackView }', '{ fact: http.pages, contains: RackView }'],
    line: 20,
    says: 'http.pages needs `of:`',
  },
  {
    name: 'key of what is no map',
    replace: ['fact: tls.subject.o, equals', 'fact: tls.subject.o, of: x, equals'],
    line: 14,
    says: 'tls.subject.o is no map',
  },
  {
    name: 'field of what is no page',
    replace: ['fact: tls.subject.o, equals', 'fact: tls.subject.o, field: sha256, equals'],
    line: 14,
    says: '`field` applies to http.pages only',
  },
  {
    name: 'member of what is no JSON',
    replace: ['fact: tls.subject.o, equals', 'fact: tls.subject.o, json: a.b, equals'],
    line: 14,
    says: 'tls.subject.o is not JSON',
  },
  {
    name: 'pattern over a number',
    replace: ["http.title, regex: '^RackView (?P<version>\\d+)'", "http.status, regex: '^20'"],
    line: 11,
    says: 'http.status is a number',
  },
  {
    name: 'text compared with a number',
    replace: ["http.title, regex: '^RackView (?P<version>\\d+)'", "http.status, equals: '200'"],
    line: 11,
    says: 'http.status is a number',
  },
  { name: 'class that does not exist', replace: ['class: ip-kvm', 'class: kvm'], line: 6, says: 'class:' },
  { name: 'certainty above 100', replace: ['certainty: 80 }', 'certainty: 101 }'], line: 11, says: 'certainty' },
  {
    name: 'rests on one channel and does not say so',
    replace: [
      'fact: tls.subject.o, equals: Acme }\n      - { fact: tls.subject.cn, prefix: rack }',
      'fact: http.server, equals: Acme }\n      - { fact: http.realm, prefix: rack }',
    ],
    line: 3,
    says: '"(http only)"',
  },
  {
    name: 'says one channel and rests on two',
    replace: ['title: Acme RackView', 'title: Acme RackView (http only)'],
    line: 3,
    says: 'does not end in "only)"',
  },
  { name: 'no vendor', replace: ['vendor: Acme\n', ''], line: 2, says: 'names a vendor and a product' },
  {
    name: 'facts and endpoints',
    replace: ['facts: { http.title: RackView 2 }', 'facts: { http.title: RackView 2 }\n    endpoints: [{ http.status: 200 }]'],
    line: 26,
    says: 'either facts or endpoints',
  },
  { name: 'no examples', replace: ['examples:\n', 'exampels:\n'], line: 25, says: 'exampels: there is no such key' },
  { name: 'YAML that does not close', replace: ['certainty: 80 }', 'certainty: 80'], line: 12, says: '' },
  { name: 'key given twice', replace: ['product: RackView\n', 'product: RackView\nproduct: RackPort\n'], line: 6, says: 'unique' },
])('refused in its line: $name', ({ replace: [from, to], line, says }) => {
  expect(GOOD).toContain(from);
  const texts = textsOf(GOOD.replace(from, to));
  const [, ...rest] = texts.find((text) => text.startsWith(`rackview.yaml:${line}:`))?.split(': ') ?? [];
  expect(rest.join(': '), texts.join('\n')).toMatch(
    typeof says === 'string' ? new RegExp(says.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : says,
  );
});

test('all mistakes of a file are told at once', () => {
  const text = GOOD.replace('http.title, regex', 'http.tittle, regex')
    .replace('path: /login/', 'path: /nowhere')
    .replace('tls.subject.cn', 'tls.subject.cm');
  expect(parseFingerprint(text, 'x.yaml', checks()).problems.map(({ place }: Problem) => place.line)).toEqual([11, 15, 9]);
});

function inFolder<T>(files: Readonly<Record<string, string>>, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-fingerprints-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function problemsOf(files: Readonly<Record<string, string>>): string[] {
  return inFolder(files, (folder) => {
    try {
      readFingerprints(folder, checks());
      return [];
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return error.problems.map((problem) => problemText(problem).replaceAll(/[^ ]*\//g, ''));
    }
  });
}

test('an id stands once in a set; the second one is told with the line of its id', () => {
  expect(problemsOf({ 'a.yaml': GOOD, 'b.yaml': `# a comment\n${GOOD}` })).toEqual([
    expect.stringMatching(/^b\.yaml:3: id: "acme-rackview" is the id of a\.yaml already$/),
  ]);
});

test('the mistakes of all files are told at once', () => {
  const texts = problemsOf({
    'a.yaml': GOOD.replace('class: ip-kvm', 'class: kvm'),
    'b.yaml': GOOD.replace('http.title, regex', 'http.tittle, regex'),
  });
  expect(texts).toEqual([expect.stringMatching(/^a\.yaml:6:/), expect.stringMatching(/^b\.yaml:11:/)]);
});

test('a folder without definitions is no set', () => {
  expect(problemsOf({})).toEqual([expect.stringContaining('fingerprint files')]);
});

test('a hash tells two sets apart', () => {
  expect(setHash(ownSet())).toMatch(/^[0-9a-f]{16}$/);
  expect(setHash(ownSet().slice(1))).not.toBe(setHash(ownSet()));
});

test('the definitions that come with the tool are those of the folder', () => {
  expect(ownFingerprints(checks).map(({ id }) => id)).toEqual(ownSet().map(({ id }) => id));
});
