import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COVERAGE_PAGE, coveragePage } from '../../scripts/coverage.ts';
import { knownValues, readSections, readUnused } from '../../scripts/knowledge.ts';
import { definition, ownSet } from './definitions.ts';

test('every known value is used by a rule, or somebody has said why not', () => {
  const values = knownValues(ownSet());
  expect(values.length).toBeGreaterThan(2400);
  const open = values.filter(({ used, reason }) => !used && reason === undefined);
  expect(open.map(({ section, value }) => `${section}: ${value}`)).toEqual([]);
});

test('every reason is that of a section that there is, and concerns a value that no rule uses', () => {
  const sections = new Set(readSections().map(({ section }) => section));
  const unused = new Set(knownValues(ownSet()).flatMap(({ reason }) => reason ?? []));
  for (const { section, reason } of readUnused()) {
    expect(section === '*' || sections.has(section), section).toBe(true);
    expect(unused, reason).toContain(reason);
  }
});

test.for<[value: string, used: boolean]>([
  ['RackView-httpd', true],
  ['Server: RackView-httpd', true],
  ['99999.3.1', true],
  ['99999.3.2', false],
  ['index-AbCd12', true],
  ['index-ZzZz12', false],
  ['RackView R<n> v<version>', true],
  ['RackPort R<n>', false],
  ['aa bb cc', true],
  ['1d6b:0104', true],
  ['1d6b:0105', false],
  ['ab', false],
])('whether a rule uses %s', ([value, used]) => {
  const own = definition({
    rules: [
      { fact: 'http.server', prefix: 'RackView-httpd', certainty: 90 },
      { fact: 'snmp.sysObjectID', regex: String.raw`^1\.3\.6\.1\.4\.1\.99999\.3\.1$`, certainty: 90 },
      { fact: 'http.links', regex: '/index-(?:AbCd12|EfGh34)\\.js', certainty: 90 },
      { fact: 'http.title', regex: '^RackView R\\d+ v', certainty: 90 },
      { fact: 'banner.hex', equals: 'aabbcc', certainty: 90 },
      {
        all: [
          { fact: 'usb.vid', equals: '1d6b' },
          { fact: 'usb.pid', equals: '0104' },
        ],
        certainty: 90,
      },
    ],
  });
  expect(knownValues([own], [{ section: 'any', values: [value] }])[0]?.used).toBe(used);
});

test('docs/coverage.md is what `npm run -s coverage` makes', () => {
  expect(readFileSync(COVERAGE_PAGE, 'utf8')).toBe(coveragePage(ownSet()));
});
