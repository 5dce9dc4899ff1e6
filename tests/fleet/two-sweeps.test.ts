import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadKnowledge } from '../../src/cli/knowledge.ts';
import { type Fleet, type Placement, portsFrom, portsOption, startFleet } from '../../src/fleet/index.ts';
import { changesBetween } from '../../src/inventory/changes.ts';
import { deriveInventory } from '../../src/inventory/derive.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import { readApproved, reconcile } from '../../src/reconcile/index.ts';
import { scan } from '../../src/scan/scan.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parseRange } from '../../src/targets/parse.ts';
import { parsePorts } from '../../src/targets/ports.ts';

/** Two real sweeps of one range. Between them some devices stay up, and others are taken down and come up otherwise. */
const PORTS = portsFrom(26_000);
const at = (host: number): string => `127.79.0.${host}`;

function idrac9(host: number, serial: string, guid: string, version = '7.10.50.00'): Placement {
  return {
    address: at(host),
    persona: 'dell-idrac9',
    parameters: { serial, guid, version, mac: `D0:8E:79:00:00:${guid.slice(-2)}` },
  };
}
function ilo5(host: number, serial: string, uuid: string): Placement {
  return {
    address: at(host),
    persona: 'hpe-ilo5',
    parameters: { serial, uuid, rooted: uuid.replace(/^./, '9'), mac: `98:F2:B3:00:00:${uuid.slice(-2)}` },
  };
}
function supermicro(host: number, serial: string, mac: string): Placement {
  return { address: at(host), persona: 'supermicro-x13', parameters: { serial, mac } };
}

const STAY = [
  idrac9(1, 'STAY001', '44454c4c580010528037cac04f420001'),
  ilo5(2, 'STAY002XXX', '35383738-3835-5a43-4a38-343130320002'),
  { address: at(3), persona: 'nanokvm-cube' },
];
const MOVED = {
  before: idrac9(10, 'MOVE001', '44454c4c580010528037cac04f420010'),
  after: idrac9(20, 'MOVE001', '44454c4c580010528037cac04f420010'),
};
const SWAPPED = {
  before: [idrac9(11, 'SWAPA01', '44454c4c580010528037cac04f420011'), ilo5(12, 'SWAPB01XXX', '35383738-3835-5a43-4a38-343130320012')],
  after: [idrac9(12, 'SWAPA01', '44454c4c580010528037cac04f420011'), ilo5(11, 'SWAPB01XXX', '35383738-3835-5a43-4a38-343130320012')],
};
// A fleet makes new keys when it starts: this one comes back with another certificate, and nothing else is different.
const RENEWED = idrac9(13, 'CERT001', '44454c4c580010528037cac04f420013');
const VANISHED = ilo5(14, 'GONE001XXX', '35383738-3835-5a43-4a38-343130320014');
const CLONED = supermicro(15, 'S482931X2800015', '3C:EC:EF:00:00:15');
const CLONE = supermicro(25, 'S482931X2800015', '3C:EC:EF:00:00:25');
const REPLACED = { before: idrac9(16, 'REPL001', '44454c4c580010528037cac04f420016'), after: { address: at(16), persona: 'pikvm-v4' } };
const UPDATED = {
  before: idrac9(17, 'UPDT001', '44454c4c580010528037cac04f420017'),
  after: idrac9(17, 'UPDT001', '44454c4c580010528037cac04f420017', '7.20.30.00'),
};

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-two-'));
const { matcher, paths } = loadKnowledge();
let fleets: Fleet[] = [];
let [monday, tuesday]: Inventory[] = [];

async function sweep(name: string, previous?: Inventory): Promise<Inventory> {
  const journal = join(folder, `${name}.ndjson`);
  await scan(
    {
      hosts: new HostSet([parseRange('127.79.0.0/27') as never]),
      ports: parsePorts(portsOption(PORTS)).ports,
      seed: 3,
      rate: 2000,
      ratePerNetwork: 2000,
      retries: 0,
      hostTimeoutMs: 30_000,
      arguments: ['scan', name],
    },
    { journal, matcher, guard: Guard.fromEnvironment(), paths },
  );
  return (await deriveInventory(journal, matcher, { previous: previous?.devices ?? [] })).inventory;
}

beforeAll(async () => {
  const stay = await startFleet(STAY, { ports: PORTS });
  const before = await startFleet([MOVED.before, ...SWAPPED.before, RENEWED, VANISHED, CLONED, REPLACED.before, UPDATED.before], {
    ports: PORTS,
  });
  fleets = [stay];
  monday = await sweep('monday');
  await before.stop();
  fleets.push(await startFleet([MOVED.after, ...SWAPPED.after, RENEWED, CLONED, CLONE, REPLACED.after, UPDATED.after], { ports: PORTS }));
  tuesday = await sweep('tuesday', monday);
}, 90_000);

afterAll(async () => {
  for (const fleet of fleets) await fleet.stop();
});

/** The approved list, as a team writes it on Monday: all that is there but the NanoKVM. */
function approved(): string {
  const file = join(folder, 'approved.json');
  const assets = (monday as Inventory).devices
    .filter(({ vendor }) => vendor !== 'Sipeed')
    .map(({ serial, addresses, class: kind, vendor, product, version, identifiers }) => ({
      serial,
      ip: addresses[0],
      class: kind,
      vendor,
      product,
      firmware: version,
      ...(serial === 'CERT001' ? { spki: identifiers.find((one) => one.kind === 'spki')?.value } : {}),
      ...(serial === 'STAY001' ? { validUntil: '2026-12-01' } : {}),
    }));
  writeFileSync(file, JSON.stringify([...assets, { name: 'idrac-elsewhere', ip: '127.80.0.1', class: 'bmc' }]));
  return file;
}

function states(inventory: Inventory): string[] {
  return reconcile(inventory, readApproved(approved()), { now: new Date('2026-11-22T18:00:00Z') }).map(
    ({ state, addresses, name, asset }) =>
      `${state} ${addresses.map((address) => address.replace('127.79.0', '')).join(' ')} ${name}${asset?.name === undefined ? '' : ` = ${asset.name}`}`,
  );
}

test('on Monday everything is as it was written down', () => {
  expect(monday?.completeness.complete).toBe(true);
  expect(states(monday as Inventory).map((text) => text.split(' ')[0])).toEqual([
    'unapproved',
    'expiring',
    'not-checked',
    ...Array.from({ length: 9 }, () => 'approved-present'),
  ]);
});

test('on Tuesday every state comes from what happened in between', () => {
  const found = states(tuesday as Inventory);
  const count = (state: string): number => found.filter((text) => text.startsWith(`${state} `)).length;
  expect(found.join('\n')).toMatch(/^impostor \.16 PiKVM/m);
  expect(found.join('\n')).toMatch(/^approved-missing \.16 /m);
  expect(found.join('\n')).toMatch(/^approved-missing \.14 /m);
  expect(found.join('\n')).toMatch(/^unapproved \.3 Sipeed NanoKVM/m);
  expect(found.join('\n')).toMatch(/^moved \.20 Dell iDRAC 9/m);
  expect(found.join('\n')).toMatch(/^moved \.11 HPE iLO 5/m);
  expect(found.join('\n')).toMatch(/^moved \.12 Dell iDRAC 9/m);
  expect(found.join('\n')).toMatch(/^changed \.13 Dell iDRAC 9/m);
  expect(found.join('\n')).toMatch(/^changed \.17 Dell iDRAC 9/m);
  expect(found.join('\n')).toMatch(/^duplicate \.15 Supermicro/m);
  expect(found.join('\n')).toMatch(/^duplicate \.25 Supermicro/m);
  expect(found.join('\n')).toMatch(/^expiring \.1 Dell iDRAC 9/m);
  expect(found.join('\n')).toMatch(/^approved-present \.2 HPE iLO 5/m);
  expect(found.join('\n')).toMatch(/^not-checked .*idrac-elsewhere/m);
  expect({
    impostor: count('impostor'),
    missing: count('approved-missing'),
    moved: count('moved'),
    changed: count('changed'),
    duplicate: count('duplicate'),
    present: count('approved-present'),
  }).toEqual({
    impostor: 1,
    missing: 2,
    moved: 3,
    changed: 2,
    duplicate: 2,
    present: 1,
  });
});

test('the difference of the two sweeps tells the same, one row a device', () => {
  const changes = changesBetween(monday as Inventory, tuesday as Inventory).map(
    ({ change, name, addresses }) => `${change} ${addresses.map((address) => address.replace('127.79.0', '')).join(' ')} ${name}`,
  );
  expect(changes.toSorted()).toEqual(
    [
      'appeared .16 PiKVM',
      'appeared .25 Supermicro BMC',
      'gone .14 HPE iLO 5',
      'gone .16 Dell iDRAC 9',
      'moved .11 HPE iLO 5',
      'moved .12 Dell iDRAC 9',
      'moved .20 Dell iDRAC 9',
      'changed .13 Dell iDRAC 9',
      'changed .15 Supermicro BMC',
      'changed .17 Dell iDRAC 9',
    ].toSorted(),
  );
});

function keyOf(inventory: Inventory | undefined, serial: string): string | undefined {
  return inventory?.devices.find((device) => device.serial === serial)?.deviceKey;
}

test('keys go with the device, wherever it is, and the day it was first seen stays', () => {
  for (const serial of ['STAY001', 'MOVE001', 'SWAPA01', 'SWAPB01XXX', 'CERT001', 'UPDT001']) {
    expect(keyOf(monday, serial), serial).toBeDefined();
    expect(keyOf(tuesday, serial), serial).toBe(keyOf(monday, serial));
    const [before, after] = [monday, tuesday].map((inventory) => inventory?.devices.find((device) => device.serial === serial));
    expect(after?.firstSeen, serial).toBe(before?.firstSeen);
    expect((after?.lastSeen ?? '') > (before?.lastSeen ?? ''), serial).toBe(true);
  }
  const keys = (tuesday as Inventory).devices.map(({ deviceKey }) => deviceKey);
  expect(new Set(keys).size, 'clones included').toBe(keys.length);
});
