import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { dataPath } from '../../src/data.ts';
import { InputError } from '../../src/errors.ts';
import { type Derived, deriveInventory } from '../../src/inventory/derive.ts';
import { inventoryText, readInventory } from '../../src/inventory/file.ts';
import { InventorySchema } from '../../src/inventory/schema.ts';
import { matcher } from '../devices/fingerprints.ts';

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-derive-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function journal(...lines: readonly unknown[]): string {
  files += 1;
  const file = join(folder, `${files}.ndjson`);
  writeFileSync(file, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  return file;
}

const COUNTS = { planned: 1, asked: 1, skipped: {}, answered: 1, refused: 0, silent: 0, unreachable: 0, givenUp: 0, lost: 0 };
const LEDGER = { ports: { '443/tcp': COUNTS }, total: COUNTS, packets: { tcp: 1, udp: 0 }, alive: 1, stray: 0 };
const RUN = {
  v: 1,
  kind: 'run',
  at: '2026-11-22T18:00:00.000Z',
  run: {
    arguments: ['192.0.2.10'],
    startedAt: '2026-11-22T18:00:00.000Z',
    sourceAddresses: ['127.0.0.1'],
    seed: 7,
    rate: 100,
    ratePerNetwork: 100,
    retries: 1,
  },
  asked: { hosts: 1, ranges: ['192.0.2.10'], names: { '192.0.2.10': 'kvm.example.com' }, ports: ['443/tcp=https'] },
};
const END = {
  v: 1,
  kind: 'end',
  at: '2026-11-22T18:00:09.000Z',
  ledger: LEDGER,
  completeness: { complete: true, limitations: [], notes: ['a note'] },
};
const CHECKPOINT = { v: 1, kind: 'checkpoint', at: '2026-11-22T18:00:05.000Z', checkpoint: {}, ledger: LEDGER };

function seen(host: string, facts: Record<string, unknown>, rest: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    v: 1,
    kind: 'observation',
    host,
    transport: 'tcp',
    port: 443,
    probe: 'https',
    at: '2026-11-22T18:00:01.000Z',
    ms: 4,
    outcome: 'answered',
    facts,
    ...rest,
  };
}

const ALPHA = seen('192.0.2.10', {
  'http.title': 'Alpha 1.2',
  'http.server': 'alpha; sn=A1',
  'tls.spki': 'ab'.repeat(32),
  'tls.notAfter': '2026-11-22T18:00:05.000Z',
});

const schema = z.toJSONSchema(InventorySchema);
const validate = new Ajv2020({ allErrors: true, formats: { 'date-time': (text: string) => !Number.isNaN(Date.parse(text)) } }).compile(
  schema,
);

/** What is derived is what the published schema says, and is read again as it is. */
function expectPublished({ inventory }: Derived): void {
  expect(InventorySchema.safeParse(inventory).error).toBeUndefined();
  validate(inventory);
  expect(validate.errors).toBeNull();
  const file = join(folder, 'published.json');
  writeFileSync(file, inventoryText(inventory));
  expect(readInventory(file)).toEqual(inventory);
}

test.skipIf(!existsSync(dataPath('inventory.schema.json')))('the schema in data/ is that of the code (npm run build writes it)', () => {
  expect(JSON.parse(readFileSync(dataPath('inventory.schema.json'), 'utf8'))).toEqual(schema);
});

test('a sweep that has ended', async () => {
  const derived = await deriveInventory(journal(RUN, ALPHA, CHECKPOINT, END), matcher);
  expectPublished(derived);
  expect(derived.problems).toEqual([]);
  expect(derived.inventory).toMatchObject({
    run: { endedAt: END.at, seed: 7 },
    asked: RUN.asked,
    ledger: LEDGER,
    completeness: END.completeness,
  });
  expect(derived.inventory.devices).toHaveLength(1);
  expect(derived.inventory.devices[0]).toMatchObject({
    product: 'AlphaKVM',
    serial: 'A1',
    firstSeen: '2026-11-22T18:00:01.000Z',
    posture: ['expired-certificate'],
  });
});

test('a sweep that was cut off is marked, with the account of its last checkpoint', async () => {
  const derived = await deriveInventory(journal(RUN, ALPHA, CHECKPOINT, '{"v":1,"kind":"obser'), matcher);
  expectPublished(derived);
  expect(derived.problems.map(({ code, place }) => `${code} ${place.line}`)).toEqual(['bad-journal-line 4']);
  expect(derived.inventory).toMatchObject({ ledger: LEDGER, completeness: { complete: false, limitations: [{ what: 'interrupted' }] } });
});

test('a sweep that was resumed has ended where its last end is', async () => {
  const resumed = { v: 1, kind: 'run', resumed: true, at: '2026-11-22T19:00:00.000Z' };
  const derived = await deriveInventory(
    journal(RUN, ALPHA, { ...END, completeness: { ...END.completeness, complete: false } }, resumed, {
      ...END,
      at: '2026-11-22T19:00:09.000Z',
    }),
    matcher,
  );
  expectPublished(derived);
  expect(derived.inventory).toMatchObject({
    run: { endedAt: '2026-11-22T19:00:09.000Z', resumedAt: [resumed.at] },
    completeness: { complete: true },
  });
  const again = await deriveInventory(journal(RUN, ALPHA, END, resumed), matcher);
  expect(again.inventory.completeness.complete).toBe(false);
});

test("other tools' observations, with what they call a time", async () => {
  const derived = await deriveInventory(
    journal(
      { host: '192.0.2.10', probe: 'zgrab', facts: { 'http.title': 'Alpha' }, at: '22 Nov 2026' },
      { host: 'kvm2.example.com', probe: 'httpx', facts: { 'http.title': 'Alpha' }, at: '2026-11-22T19:00:00+01:00' },
    ),
    matcher,
  );
  expectPublished(derived);
  expect(derived.inventory.asked).toBeUndefined();
  expect(derived.inventory.devices.map(({ addresses, firstSeen }) => [addresses[0], firstSeen])).toEqual([
    ['192.0.2.10', undefined],
    ['kvm2.example.com', '2026-11-22T18:00:00.000Z'],
  ]);
});

test('a previous inventory gives its keys', async () => {
  const before = (await deriveInventory(journal(RUN, ALPHA, END), matcher)).inventory.devices;
  const moved = journal(RUN, { ...ALPHA, host: '192.0.2.11', at: '2026-12-01T00:00:00.000Z' }, END);
  const after = (await deriveInventory(moved, matcher, { previous: before })).inventory.devices;
  expect(after[0]).toMatchObject({
    deviceKey: before[0]?.deviceKey,
    firstSeen: '2026-11-22T18:00:01.000Z',
    lastSeen: '2026-12-01T00:00:00.000Z',
  });
});

test('the same journal gives the same text', async () => {
  const file = journal(RUN, seen('192.0.2.11', { 'http.title': 'Alpha' }), ALPHA, END);
  const [one, two] = [await deriveInventory(file, matcher), await deriveInventory(file, matcher)];
  expect(inventoryText(one.inventory)).toBe(inventoryText(two.inventory));
  expect(one.inventory.devices.map(({ addresses }) => addresses[0])).toEqual(['192.0.2.10', '192.0.2.11']);
});

test('a sweep that was killed in its first second', async () => {
  const derived = await deriveInventory(journal(RUN, ALPHA), matcher);
  expectPublished(derived);
  expect(derived.inventory.completeness.complete).toBe(false);
  expect(derived.inventory).not.toHaveProperty('ledger');
});

test('a sweep that found nothing is an inventory', async () => {
  const derived = await deriveInventory(journal(RUN, END), matcher);
  expectPublished(derived);
  expect(derived.inventory.devices).toEqual([]);
});

const factNames = fc.constantFrom(
  'http.title',
  'http.server',
  'http.body',
  'http.generator',
  'tls.spki',
  'tls.notAfter',
  'ipmi.guid',
  'ipmi.auth.types',
  'redfish.uuid',
  'mac.address',
  'snmp.engine.text',
  'rfb.security',
);
const factValues = fc.oneof(
  fc.constantFrom(
    'Alpha 1.2',
    'alpha; sn= ',
    'alpha; sn=A1',
    'Beta',
    'one two three',
    'S fw 1 at .',
    'ab'.repeat(32),
    '00112233445566778899aabbccddeeff',
    '00:00:5E:00:53:10',
    '',
  ),
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.array(fc.integer()),
);
const observation = fc.record(
  {
    host: fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1', 'kvm.example.com', '\u001b[0m'),
    transport: fc.constant('tcp'),
    port: fc.constantFrom(80, 443),
    probe: fc.constantFrom('http', 'x'),
    at: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01 00:00:00.5+02:00', '9', 'x'),
    facts: fc.dictionary(factNames, factValues, { maxKeys: 5 }),
  },
  { requiredKeys: ['host', 'probe', 'facts'] },
);

test('whatever devices say, the inventory is what the schema says', () =>
  fc.assert(
    fc.asyncProperty(fc.array(observation, { minLength: 1, maxLength: 8 }), async (lines) =>
      expectPublished(await deriveInventory(journal(...lines), matcher)),
    ),
    { numRuns: 200 },
  ));

test.for<{ name: string; lines: readonly unknown[]; says: RegExp }>([
  { name: 'an empty file', lines: [], says: /holds no observations/ },
  { name: 'a file of something else', lines: ['hello', 'world'], says: /:1: not a journal line/ },
  { name: 'a run line that says nothing', lines: [{ v: 1, kind: 'run' }, END], says: /is no journal of a sweep: run/ },
  { name: 'a run that is no object', lines: [{ ...RUN, run: 'x' }, END], says: /is no journal of a sweep: run/ },
])('deriveInventory: $name', async ({ lines, says }) => {
  const file = journal(...lines);
  await expect(deriveInventory(file, matcher)).rejects.toThrow(InputError);
  await expect(deriveInventory(file, matcher)).rejects.toThrow(says);
});
