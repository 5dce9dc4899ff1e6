import { parse as parseCsv } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { DEMO_TARGETS, demoApproved, demoPlacements, demoTruth, loadPersonas, readPersona } from '../../src/fleet/index.ts';
import { problemText } from '../../src/errors.ts';
import { CLASSES, POSTURES, STATES } from '../../src/vocabulary.ts';

const personas = loadPersonas();

const MINIMAL = `id: small
title: A small device
sources: { spec: RFC 9110 }
truth: { decoy: true }
services:
  - at: http
    speaks: web
    cite: spec:section 9
    otherwise:
      cite: spec:section 9
      headers: [[Content-Length, '{{length}}']]
      body: hello
`;

describe('the files of data/fleet', () => {
  test('all load, with the generations that were asked for', () => {
    const ids = personas.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining([
        'pikvm-v4',
        'pikvm-v3.29',
        'dell-idrac6-blade',
        'dell-idrac10',
        'hpe-ilo2',
        'hpe-ilo7',
        'supermicro-x9',
        'raritan-kx2',
        'openbmc',
        'hostile-drip',
      ]),
    );
  });

  test('use the words of the project', () => {
    for (const { id, truth } of personas) {
      if (truth.class !== undefined) expect(CLASSES, id).toContain(truth.class);
      for (const flag of truth.posture) expect(POSTURES, id).toContain(flag);
      if (!truth.decoy) expect(truth.class ?? truth.vendor, id).toBeDefined();
    }
  });

  test('have every body in them, so that the build can put them into one file', () => {
    for (const service of personas.flatMap(({ services }) => services)) {
      if (service.speaks !== 'web') continue;
      for (const reply of [...service.routes, service.otherwise]) expect(reply.bodyFile).toBeUndefined();
    }
  });

  test('are JSON through and through', () => expect(JSON.parse(JSON.stringify(personas))).toEqual(personas));

  test('no two routes of a service for one path', () => {
    for (const { id, services } of personas)
      for (const service of services) {
        if (service.speaks !== 'web') continue;
        const paths = service.routes.map(({ path }) => path);
        expect(new Set(paths).size, id).toBe(paths.length);
      }
  });
});

function problemsOf(text: string): string[] {
  return readPersona(text, 'small.yaml').problems.map(problemText);
}

describe('a persona that is wrong says where', () => {
  test('the small one is right', () => expect(problemsOf(MINIMAL)).toEqual([]));

  test.for([
    { name: 'a misspelt key', from: 'speaks: web', to: 'speaks: web\n    rautes: []', says: /^small\.yaml:6:5: services\.0: .*rautes/ },
    { name: 'a number for a text', from: 'body: hello', to: 'body: 7', says: /^small\.yaml:12:13: services\.0\.otherwise\.body: / },
    { name: 'a key that is missing', from: 'title: A small device\n', to: '', says: /^small\.yaml:1:1: title: / },
    { name: 'a protocol that is none', from: 'speaks: web', to: 'speaks: wap', says: /^small\.yaml:\d+:\d+: services\.0\.speaks: / },
    {
      name: 'a source that is none',
      from: 'cite: spec:section 9\n    otherwise',
      to: 'cite: speck:section 9\n    otherwise',
      says: /^small\.yaml:8:11: services\.0\.cite: "speck" is not among the sources; did you mean "spec"\?/,
    },
    { name: 'a place that nothing fills', from: "'{{length}}'", to: "'{{lenght}}'", says: /^small\.yaml:11:34: .*\{\{lenght\}\}/ },
    { name: 'a filter that is none', from: "'{{length}}'", to: "'{{length|loud}}'", says: /^small\.yaml:11:34: .*"loud"/ },
    {
      name: 'a body that is not there',
      from: 'body: hello',
      to: 'bodyFile: nothing.txt',
      says: /^small\.yaml:12:17: .*there is no data\/fleet\/bodies\/nothing\.txt/,
    },
    {
      name: 'a body outside the folder',
      from: 'body: hello',
      to: 'bodyFile: ../small.yaml',
      says: /^small\.yaml:12:17: .*plain file name/,
    },
    { name: 'two bodies', from: 'body: hello', to: 'body: hello\n      bodyBase64: aGVsbG8=', says: /one body is enough/ },
    { name: 'broken YAML', from: 'truth: { decoy: true }', to: 'truth: { decoy: true', says: /^small\.yaml:\d+:\d+: / },
    { name: 'another file name', from: 'id: small', to: 'id: large', says: /^small\.yaml:1:5: id: the file is called small\.yaml/ },
    {
      name: 'two services at one port',
      from: 'services:\n',
      to: 'services:\n  - { at: http, speaks: script, cite: spec:x }\n',
      says: /^small\.yaml:7:9: services\.1\.at: two services at http/,
    },
  ])('$name', ({ from, to, says }) => {
    const text = MINIMAL.replace(from, to);
    expect(text).not.toBe(MINIMAL);
    expect(problemsOf(text).join('\n')).toMatch(says);
  });
});

function parametersAt(address: string): Record<string, string> {
  const placement = demoPlacements().find((one) => one.address === address);
  return personas.find(({ id }) => id === placement?.persona)?.parameters ?? {};
}

describe('the demo', () => {
  const placements = demoPlacements();
  const rows = parseCsv<Record<string, string>>(demoApproved(new Date('2026-11-22T12:00:00Z')), { columns: true });
  const truth = demoTruth();

  test('stands within its targets, on addresses of its own, and knows every persona', () => {
    expect(new Set(placements.map(({ address }) => address)).size).toBe(placements.length);
    expect(DEMO_TARGETS).toBe('127.77.0.0/24');
    for (const { address, persona } of placements) {
      expect(address).toMatch(/^127\.77\.0\./);
      expect(personas.map(({ id }) => id)).toContain(persona);
    }
  });

  test('has decoys and a hostile device among its devices', () => {
    const of = (prefix: string): number => placements.filter(({ persona }) => persona.startsWith(prefix)).length;
    expect(of('decoy-')).toBe(5);
    expect(of('hostile-')).toBe(1);
    expect(placements.length - of('decoy-') - of('hostile-')).toBeGreaterThanOrEqual(24);
  });

  test('gives every row of the list a state, and the states that a demo should show', () => {
    expect(truth.rows.map(({ assetTag }) => assetTag)).toEqual(rows.map((row) => row['Asset Tag']));
    for (const { state } of truth.rows) expect(STATES).toContain(state);
    for (const state of ['approved-present', 'approved-missing', 'not-checked', 'changed', 'impostor', 'moved', 'expired', 'expiring'])
      expect(truth.rows.map((row) => row.state)).toContain(state);
  });

  test('accounts for every address: in a row, unapproved, or quiet', () => {
    const listed = new Set(rows.map((row) => row['IP Address']));
    const apart = new Set([...truth.unapproved, ...truth.quiet].map(({ address }) => address));
    // The moved one stands at another address than its row says.
    const moved = placements.filter(({ address }) => !listed.has(address) && !apart.has(address));
    expect(moved).toEqual([{ address: '127.77.0.36', persona: 'hpe-ilo6' }]);
    for (const address of apart) expect(listed.has(address), address).toBe(false);
  });

  test('tells the identifiers of the list', () => {
    const told = new Set(['approved-present', 'changed', 'expired', 'expiring']);
    expect.hasAssertions();
    for (const { assetTag, state } of truth.rows.filter((row) => told.has(row.state))) {
      const row = rows.find((one) => one['Asset Tag'] === assetTag);
      const { serial, mac } = parametersAt(row?.['IP Address'] ?? '');
      if (row?.['Serial Number'] !== '') expect(serial, `${assetTag} ${state}`).toBe(row?.['Serial Number']);
      if (row?.['MAC Address'] !== '')
        expect(mac?.replaceAll(':', ''), assetTag).toBe(row?.['MAC Address']?.replace(/[^0-9a-f]/gi, '').toUpperCase());
    }
  });

  test('has an approval that is always about to run out', () => {
    expect(rows.find((row) => row['Asset Tag'] === 'BMC-0135')?.['Valid Until']).toBe('2026-12-04');
    for (const row of rows) expect(row['Valid Until']).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });
});
