import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readInventory } from '../../src/inventory/file.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import { LEVELS, QUIET_CLASSES } from '../../src/vocabulary.ts';
import { ordinaryAgents } from '../fingerprints/ordinary.ts';
import { SweepFiles } from './lab.ts';
import { type Agent, FalseAlarmLab, missing, readRows } from './false-alarms/lab.ts';

const ROWS = readRows();
const why = missing(ROWS);
if (why !== undefined) {
  if (process.env['KVMSWEEP_REAL'] === 'required') throw new Error(`the false-alarm lab cannot be made: ${why}`);
  process.stderr.write(`skipped, because the false-alarm lab cannot be made (docs/lab.md): ${why}\n`);
}

describe('what stands in ordinary networks is no remote-access hardware', { skip: why !== undefined, timeout: 180_000 }, () => {
  const agents: Agent[] = ordinaryAgents().map((agent, i) => ({ ...agent, address: `127.88.1.${i + 1}` }));
  let lab: FalseAlarmLab;
  let swept: { code: number | null; out: string; err: string };
  let inventory: Inventory;

  beforeAll(async () => {
    lab = await FalseAlarmLab.start(ROWS, agents);
    await lab.ready(ROWS);
    swept = await lab.kvmsweep(
      'scan',
      '127.88.0.0/23',
      '-o',
      'false-alarms.json',
      '--snmp-community',
      'public',
      '--fast',
      '--seed',
      '3',
      '-q',
    );
    inventory = readInventory(join(lab.folder, 'false-alarms.json'));
  }, 180_000);
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test('the sweep is complete, and every program and agent answered it', () => {
    expect(swept.code, swept.err).toBe(0);
    expect(inventory.completeness.limitations).toEqual([]);
    const spoke = new Set([
      ...inventory.unrecognised.filter(({ endpoints }) => endpoints.length > 0).map(({ host }) => host),
      ...inventory.devices.flatMap(({ addresses }) => addresses),
    ]);
    expect(
      ROWS.filter(({ address }) => !spoke.has(address)).map(({ package: name, what, address }) => `${address} ${name} ${what}`),
      lab.ended().join('\n'),
    ).toEqual([]);
    expect(agents.filter(({ address }) => !spoke.has(address))).toEqual([]);
    const said = new SweepFiles(join(lab.folder, 'false-alarms')).observations;
    // The agents say what they are told to say, and pages are what the packages have, not errors of this lab.
    expect(said.filter(({ facts }) => facts['snmp.sysDescr'] !== undefined)).toHaveLength(agents.length);
    expect(said.filter(({ facts }) => facts['http.status'] === 200 && typeof facts['http.title'] === 'string').length).toBeGreaterThan(85);
    expect(ROWS.length).toBeGreaterThan(100);
    process.stderr.write(
      `      ${ROWS.length} programs of ${new Set(ROWS.map(({ package: name }) => name)).size} packages and ${agents.length} agents swept; named: ${inventory.devices.map(({ addresses, class: kind, certainty }) => `${addresses.join()} ${kind} ${certainty}`).join(', ')}\n`,
    );
  });

  test('none of them is likely to be a device', () => {
    const alarms = inventory.devices
      .filter(({ certainty, class: kind }) => certainty >= LEVELS.likely && !QUIET_CLASSES.has(kind))
      .map(({ addresses, certainty, evidence }) => {
        const row = ROWS.find(({ address }) => addresses.includes(address)) ?? agents.find(({ address }) => addresses.includes(address));
        return `${JSON.stringify(row)}: ${certainty} ${evidence.map(({ fingerprint, rule, text }) => `${fingerprint} (${rule}: ${text})`).join('; ')}`;
      });
    expect(alarms).toEqual([]);
  });

  test('VNC servers are named as software', () => {
    const kinds = ROWS.filter(({ what }) => what === 'Xtigervnc' || what === 'x11vnc').map(
      ({ address }) => inventory.devices.find(({ addresses }) => addresses.includes(address))?.class,
    );
    expect(kinds).toEqual(['vnc-software', 'vnc-software']);
  });
});
