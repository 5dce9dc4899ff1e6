import { appendFileSync, mkdtempSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputError, problemText } from '../../src/errors.ts';
import { Journal } from '../../src/observations/journal.ts';
import { splitLines } from '../../src/observations/lines.ts';
import { byEndpoint, type Observation, readObservation } from '../../src/observations/observation.ts';
import { byAddress, indexObservations, type ReadEntry } from '../../src/observations/read.ts';
import type { Facts } from '../../src/vocabulary.ts';

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-'));
let files = 0;
function newFile(): string {
  files += 1;
  return join(folder, `journal-${files}.ndjson`);
}

function observation(host: string, port: number, probe: string, facts: Facts): Observation {
  return { v: 1, kind: 'observation', host, transport: 'tcp', port, probe, outcome: 'answered', facts };
}

test('what is written is read again, host by host, in the order of the addresses', async () => {
  const file = newFile();
  const journal = Journal.create(file);
  journal.write({
    v: 1,
    kind: 'run',
  });
  for (const host of ['10.0.0.20', '10.0.0.3', 'fd00::1', '10.0.0.20'])
    journal.write(observation(host, 443, 'https', { 'http.title': host }));
  journal.write({
    v: 1,
    kind: 'checkpoint',
  });
  journal.write(observation('10.0.0.3', 80, 'http', { 'http.title': 'é"\n' }));
  journal.close();
  const entries: ReadEntry[] = [];
  const index = await indexObservations(file, (entry) => entries.push(entry));
  expect(index.hosts).toEqual(['10.0.0.3', '10.0.0.20', 'fd00::1']);
  expect(index.of('10.0.0.3').map(({ facts }) => facts['http.title'])).toEqual(['10.0.0.3', 'é"\n']);
  expect(index.of('10.0.0.20')).toHaveLength(2);
  expect(index.observations).toBe(5);
  expect(entries.map(({ kind }) => kind)).toEqual(['run', 'checkpoint']);
  expect(index.afterCheckpoint.map(({ port }) => port)).toEqual([80]);
  expect(index.problems).toEqual([]);
  expect(index.torn).toBe(false);
  index.close();
});

test('of a large file only the places are held, and each host is read again', async () => {
  const file = newFile();
  writeFileSync(
    file,
    ['10.0.0.2', '10.0.0.1', '10.0.0.2']
      .map((host, i) => `${JSON.stringify(observation(host, 80 + i, 'http', { 'http.title': `é ${i}` }))}\n`)
      .join(''),
  );
  const [held, again] = [await indexObservations(file), await indexObservations(file, () => undefined, { maxHeldBytes: 10 })];
  for (const index of [held, again]) {
    expect(index.hosts).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(index.of('10.0.0.2').map(({ facts }) => facts['http.title'])).toEqual(['é 0', 'é 2']);
    expect(index.of('10.0.0.9')).toEqual([]);
    expect(index.afterCheckpoint, 'a file of observations alone has nothing to resume').toEqual([]);
  }
  held.close();
  again.close();
});

test('corrupt lines are reported with their numbers and the rest is kept', async () => {
  const file = newFile();
  writeFileSync(
    file,
    [
      JSON.stringify(observation('10.0.0.1', 80, 'http', { 'http.status': 200 })),
      'not json',
      '{"kind":"observation","host":"10.0.0.2","facts":{}}',
      '{"kind":"unheard-of"}',
      '',
      '{"host":"10.0.0.3","probe":"http","facts":{"http.title":"x","own.fact":[1]}}',
      '[1]',
      '{"host":"10.0.0.4","probe":"http","facts":{},"outcome":"sunny"}',
      `{"host":"10.0.0.5","probe":"http","port":70000,"facts":{}}`,
    ].join('\n') + '\n',
  );
  const index = await indexObservations(file);
  expect(index.hosts).toEqual(['10.0.0.1', '10.0.0.3']);
  expect(index.of('10.0.0.3')[0]?.facts['own.fact'], 'unknown facts are kept').toEqual([1]);
  expect(index.problems.map(problemText)).toEqual([
    `${file}:2: not a journal line (it is not JSON); it is left out, the rest is kept`,
    `${file}:3: not a journal line (probe is missing); it is left out, the rest is kept`,
    `${file}:4: not a journal line (its kind is not known); it is left out, the rest is kept`,
    `${file}:7: not a journal line (it is no object); it is left out, the rest is kept`,
    `${file}:8: not a journal line (outcome is none of the known ones); it is left out, the rest is kept`,
    `${file}:9: not a journal line (port is no port); it is left out, the rest is kept`,
  ]);
  index.close();
});

test('a torn last line is seen, cut before appending, and what follows is whole', async () => {
  const file = newFile();
  const journal = Journal.create(file);
  for (const port of [80, 443]) journal.write(observation('10.0.0.1', port, 'http', { 'http.title': 'x'.repeat(100) }));
  journal.close();
  truncateSync(file, statSync(file).size - 30);
  const index = await indexObservations(file);
  expect(index).toMatchObject({ observations: 1, torn: true });
  index.close();
  const again = Journal.continue(file, index.wholeBytes);
  again.write(observation('10.0.0.1', 8443, 'https', {}));
  again.close();
  const mended = await indexObservations(file);
  expect(mended.problems).toEqual([]);
  expect(mended.of('10.0.0.1').map(({ port }) => port)).toEqual([80, 8443]);
  mended.close();
});

test('a journal is not written over, and one that cannot be made says why', () => {
  const file = newFile();
  Journal.create(file).close();
  expect(() => Journal.create(file)).toThrow(/exists already and is not overwritten/);
  expect(() => Journal.create('/no/such/folder/journal')).toThrow(/cannot write .*no such file/);
  expect(() => Journal.create('/dev/full')).toThrow(InputError);
});

test('a file that is none, and a folder, are input errors', async () => {
  await expect(indexObservations('/no/such/file')).rejects.toThrow(/there is no such file/);
  await expect(indexObservations(folder)).rejects.toThrow(/it is a folder/);
});

test('a line that is too long is passed over, with its number', async () => {
  const file = newFile();
  appendFileSync(file, `{"host":"10.0.0.1","probe":"http","facts":{"http.body":"${'x'.repeat(9 * 1024 * 1024)}"}}\n`);
  appendFileSync(file, '{"host":"10.0.0.2","probe":"http","facts":{}}\n');
  const index = await indexObservations(file);
  expect(index.hosts).toEqual(['10.0.0.2']);
  expect(problemText(index.problems[0] as never)).toMatch(/:1: not a journal line \(it is too long\)/);
  index.close();
});

test('any bytes as a journal end in an index', async () => {
  const file = newFile();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      writeFileSync(file, bytes);
      const index = await indexObservations(file);
      for (const host of index.hosts) index.of(host);
      index.close();
      expect([...splitLines(Buffer.from(bytes))].map(({ text }) => text).join('\n')).toBe(
        readFileSync(file).toString('utf8').replace(/\n$/, ''),
      );
    }),
    { numRuns: 60 },
  );
});

test('anything as an observation is read or refused with a reason', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const read = readObservation(value);
      expect('reason' in read || (read.host !== '' && read.probe !== '')).toBe(true);
    }),
  );
});

test('facts of one endpoint come together: the later one counts, pages add up, probes that answered are named', () => {
  const [first, second] = byEndpoint([
    { ...observation('10.0.0.1', 443, 'tls', { 'tls.version': 'TLSv1.2' }), at: '2026-11-22T10:00:01.000Z' },
    {
      ...observation('10.0.0.1', 443, 'https', { 'http.title': 'old', 'http.pages': { '/a': { status: 200 } } }),
      at: '2026-11-22T10:00:03.000Z',
    },
    {
      ...observation('10.0.0.1', 443, 'https', { 'http.title': 'new', 'http.pages': { '/b': { status: 401 } } }),
      at: '2026-11-22T10:00:02.000Z',
    },
    { ...observation('10.0.0.1', 443, 'redfish', {}), outcome: 'not-this-protocol' },
    observation('10.0.0.1', 80, 'http', {}),
  ]);
  expect(first?.port).toBe(80);
  expect(second).toMatchObject({
    probes: ['https', 'tls'],
    outcomes: { redfish: 'not-this-protocol' },
    facts: { 'tls.version': 'TLSv1.2', 'http.title': 'new', 'http.pages': { '/a': { status: 200 }, '/b': { status: 401 } } },
    first: '2026-11-22T10:00:01.000Z',
    last: '2026-11-22T10:00:03.000Z',
  });
});

test('addresses sort as numbers, IPv4 before IPv6, names last', () => {
  expect(['name-b', 'fd00::10', '10.0.0.10', 'fd00::2', '10.0.0.9', 'name-a'].toSorted(byAddress)).toEqual([
    '10.0.0.9',
    '10.0.0.10',
    'fd00::2',
    'fd00::10',
    'name-a',
    'name-b',
  ]);
});
