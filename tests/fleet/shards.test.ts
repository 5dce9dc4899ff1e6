import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadKnowledge } from '../../src/cli/knowledge.ts';
import { InputError } from '../../src/errors.ts';
import { type Fleet, portsFrom, portsOption, startFleet } from '../../src/fleet/index.ts';
import { deriveInventory } from '../../src/inventory/derive.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import { scan } from '../../src/scan/scan.ts';
import { ledgerErrors } from '../../src/sweep/ledger.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parseRange } from '../../src/targets/parse.ts';
import { parsePorts } from '../../src/targets/ports.ts';
import type { Shard } from '../../src/targets/shard.ts';

/** One range, swept whole and in three parts: put together, the parts are the whole. */
const PORTS = portsFrom(27_000);
const PERSONAS = ['pikvm-v4', 'dell-idrac9', 'hpe-ilo5', 'supermicro-x13', 'decoy-nginx', 'vnc-tigervnc', 'nanokvm-cube'];
const OF = 3;

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-shards-'));
const { matcher, paths } = loadKnowledge();
let fleet: Fleet;

async function sweep(name: string, { shard, ranges = '127.80.0.0/27' }: { shard?: Shard; ranges?: string } = {}): Promise<string> {
  const journal = join(folder, `${name}.ndjson`);
  const hosts = new HostSet([parseRange(ranges) as never]);
  await scan(
    {
      hosts: shard === undefined ? hosts : hosts.part(shard),
      ports: parsePorts(portsOption(PORTS)).ports,
      seed: 1,
      rate: 2000,
      ratePerNetwork: 2000,
      retries: 0,
      hostTimeoutMs: 20_000,
      arguments: ['test'],
    },
    { journal, matcher, guard: Guard.fromEnvironment(), paths },
  );
  return journal;
}

/** What has to be the same: not times, and not how many packets answers in time have saved. */
function essence({ devices, unrecognised, ledger, asked, completeness }: Inventory): unknown {
  return {
    devices: devices.map(({ deviceKey, addresses, vendor, product, serial, certainty }) => ({
      deviceKey,
      addresses,
      vendor,
      product,
      serial,
      certainty,
    })),
    unrecognised,
    asked,
    complete: completeness.complete,
    planned: ledger?.total.planned,
    answered: ledger?.total.answered,
    refused: ledger?.total.refused,
    alive: ledger?.alive,
  };
}

let whole: string;
let shards: string[];
beforeAll(async () => {
  fleet = await startFleet(
    PERSONAS.map((persona, i) => ({ persona, address: `127.80.0.${i * 3 + 1}` })),
    { ports: PORTS },
  );
  whole = await sweep('whole');
  shards = [];
  for (let part = 1; part <= OF; part += 1) shards.push(await sweep(`shard-${part}`, { shard: { part, of: OF } }));
}, 120_000);
afterAll(async () => {
  await fleet.stop();
  rmSync(folder, { recursive: true });
});

test('the journals of all shards, in any order, are the inventory of one sweep', async () => {
  const { inventory: one } = await deriveInventory(whole, matcher);
  const { inventory: together } = await deriveInventory(shards.toReversed(), matcher);
  expect(one.devices.length).toBeGreaterThan(4);
  expect(essence(together)).toEqual(essence(one));
  expect(ledgerErrors(together.ledger?.ports ?? {})).toEqual([]);
});

test('a shard alone says that it is a part; where one is missing, the whole is incomplete and says which', async () => {
  const { inventory: alone } = await deriveInventory(shards[1] as string, matcher);
  expect(alone.asked).toMatchObject({ shard: '2/3', hosts: 11 });
  expect(alone.completeness.notes.some((note) => note.startsWith('this is shard 2/3'))).toBe(true);
  const { inventory } = await deriveInventory([shards[0] as string, shards[2] as string], matcher);
  expect(inventory.completeness).toMatchObject({
    complete: false,
    limitations: [{ what: 'shards', text: 'of 3 shards 1 are missing: 2' }],
  });
});

test('what is no shard of the same sweep is refused, and named', async () => {
  const other = await sweep('other', { shard: { part: 2, of: OF }, ranges: '127.80.0.32/28' });
  for (const [files, why] of [
    [[shards[0], shards[0]], 'it is shard 1/3, and so is'],
    [[shards[0], whole], 'it is no shard'],
    [[shards[0], other], 'it is of another sweep than'],
  ] as [string[], string][]) {
    const refused = deriveInventory(files, matcher);
    await expect(refused).rejects.toBeInstanceOf(InputError);
    await expect(refused).rejects.toThrow(why);
  }
});
