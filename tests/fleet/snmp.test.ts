import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadKnowledge } from '../../src/cli/knowledge.ts';
import { type Fleet, portsFrom, startFleet } from '../../src/fleet/index.ts';
import { deriveInventory } from '../../src/inventory/derive.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import type { Observation } from '../../src/observations/observation.ts';
import { resumeScan, scan, type ScanOptions, type ScanPlan } from '../../src/scan/scan.ts';
import { readsWith } from '../../src/sweep/budget.ts';
import { collectCredentials } from '../../src/sweep/snmp/credential-sources.ts';
import type { SnmpCredentials } from '../../src/sweep/snmp/credentials.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parseRange } from '../../src/targets/parse.ts';
import { parsePorts } from '../../src/targets/ports.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { TestAgent } from '../support/snmp-agent.ts';

/** Sweeps with credentials over simulated agents. */
const PORTS = portsFrom(27_200);
const SNMP = PORTS.snmp;
const at = (host: number): string => `127.80.0.${host}`;
const [PDU, LATE_V3, LATE_V2C, ONLY_V2C, ACS, MUTE, ECHO, ENGINE] = [1, 2, 3, 4, 5, 6, 7, 8].map(at) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
const COMMUNITY = 'SECRETCOMMUNITY';
const OBJECTS = {
  '1.3.6.1.2.1.1.1.0': Buffer.from('Box'),
  '1.3.6.1.2.1.1.2.0': '1.3.6.1.4.1.8072.3.2.10',
  '1.3.6.1.2.1.1.5.0': Buffer.from('box-1'),
};

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-snmp-'));
const { matcher, paths } = loadKnowledge();
const { credentials } = collectCredentials(
  { communities: [COMMUNITY, 'px-reader', 'acs-reader'], users: ['name=SECRETUSER,auth=sha:SECRETKEY'] },
  {},
);
const NONE = collectCredentials({}, {}).credentials;

function planOf(hosts: string, ports = `${SNMP}/udp=snmp`, more: Partial<ScanPlan> = {}): ScanPlan {
  return {
    hosts: new HostSet([parseRange(hosts) as never]),
    ports: parsePorts(ports).ports,
    seed: 5,
    rate: 2000,
    ratePerNetwork: 2000,
    retries: 1,
    hostTimeoutMs: 30_000,
    arguments: ['scan'],
    ...more,
  };
}

interface Swept {
  readonly inventory: Inventory;
  readonly observations: readonly Observation[];
  readonly audit: readonly { host: string; what: string; port: number; bytes?: number; hex?: string; withheld?: string }[];
  /** Everything that it wrote. */
  readonly written: string;
  readonly packets: number;
}

let sweeps = 0;
async function sweep(plan: ScanPlan, given: SnmpCredentials, more: Partial<ScanOptions> = {}): Promise<Swept> {
  sweeps += 1;
  const journal = join(folder, `${sweeps}.ndjson`);
  const audit = join(folder, `${sweeps}.audit`);
  const { ledger } = await scan(plan, { journal, audit, matcher, paths, guard: Guard.fromEnvironment(), credentials: given, ...more });
  return { ...(await read(journal, audit)), packets: ledger.packets.udp };
}

async function read(journal: string, audit: string): Promise<Omit<Swept, 'packets'>> {
  const { inventory } = await deriveInventory(journal, matcher);
  const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
  return {
    inventory,
    observations: lines.map((line) => JSON.parse(line) as Observation).filter(({ kind }) => kind === 'observation'),
    audit: readFileSync(audit, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Swept['audit'][number]),
    written: `${readFileSync(journal, 'utf8')}${readFileSync(audit, 'utf8')}${JSON.stringify(inventory)}`,
  };
}

function factsOf({ observations }: Pick<Swept, 'observations'>, host: string): Facts {
  return Object.assign({}, ...observations.filter((one) => one.host === host).map(({ facts }) => facts)) as Facts;
}

describe('one sweep over agents of every kind', () => {
  let fleet: Fleet;
  const agents = new Map<string, TestAgent>();
  let swept: Swept;

  beforeAll(async () => {
    fleet = await startFleet(
      [
        { address: PDU, persona: 'raritan-px2' },
        { address: ACS, persona: 'avocent-acs8000' },
        { address: ENGINE, persona: 'supermicro-x11' },
      ],
      { ports: PORTS },
    );
    const both = { communities: [COMMUNITY], objects: OBJECTS };
    for (const [host, manners] of [
      [LATE_V3, { ...both, discoveryAfterMs: 150 }],
      // Later than answers are gathered for: reading an object takes some agents longer than saying who they are.
      [LATE_V2C, { ...both, getAfterMs: 900 }],
      [ONLY_V2C, { ...both, engine: false }],
      [MUTE, { engine: false }],
      [
        ECHO,
        {
          ...both,
          objects: {
            ...OBJECTS,
            '1.3.6.1.2.1.1.1.0': Buffer.from('{community} says {community}'),
            '1.3.6.1.2.1.1.6.0': Buffer.from('{community}'),
          },
        },
      ],
    ] as const)
      agents.set(host, await TestAgent.start(host, SNMP, manners));
    swept = await sweep(planOf('127.80.0.0/28'), credentials);
  }, 60_000);
  afterAll(async () => {
    await fleet?.stop();
    for (const agent of agents.values()) await agent[Symbol.asyncDispose]();
  });

  test.for([
    ['the report comes late', LATE_V3],
    ['the community’s answer comes late', LATE_V2C],
  ] as const)('an agent of both: %s, and both are kept', ([, host]) => {
    expect(factsOf(swept, host)).toMatchObject({
      'snmp.engine.pen': 8072,
      'snmp.sysDescr': 'Box',
      'snmp.sysName': 'box-1',
      'snmp.sysObjectID': '1.3.6.1.4.1.8072.3.2.10',
    });
  });

  test('an agent of v2c only is found, and read', () => {
    const facts = factsOf(swept, ONLY_V2C);
    expect(facts).toMatchObject({ 'snmp.sysDescr': 'Box', 'snmp.sysName': 'box-1' });
    expect(Object.keys(facts).filter((name) => name.startsWith('snmp.engine'))).toEqual([]);
  });

  test('the maker’s objects are read, and become what tells the device from others', () => {
    expect(factsOf(swept, PDU)).toMatchObject({
      'snmp.sysDescr': 'PX2 030404',
      'snmp.sysObjectID': '1.3.6.1.4.1.13742.6',
      'snmp.sysName': 'pdu-QLF2450117',
      'snmp.sysLocation': 'Rack 7',
      'snmp.values': {
        '1.3.6.1.4.1.13742.6.3.2.1.1.3.1': 'PX2-2166',
        '1.3.6.1.4.1.13742.6.3.2.1.1.4.1': 'QLF2450117',
        '1.3.6.1.4.1.13742.6.3.2.3.1.6.1.1.1': '030404',
      },
      'snmp.mac': '00:0D:5D:0C:99:B0',
    });
    expect(factsOf(swept, ACS)['snmp.values']).toEqual({
      '1.3.6.1.4.1.10418.26.2.1.2.0': 'ACS8032DAC',
      '1.3.6.1.4.1.10418.26.2.1.4.0': '0520011842',
      '1.3.6.1.4.1.10418.26.2.1.7.0': '2.14.6',
    });
  });

  test('an agent that takes nothing is a row, and counted', () => {
    const rows = swept.observations.filter(({ host }) => host === ENGINE);
    expect(rows.map(({ probe, outcome }) => `${probe} ${outcome}`)).toEqual(['snmp answered', 'snmp-read refused']);
    expect(rows[1]?.note).toBe('user 1 of 1: the agent does not know this user');
    expect(swept.inventory.completeness.notes).toContainEqual(
      '1 address of 7 that answered SNMP took none of the credentials given: what such a device says of itself is not in here',
    );
    expect(swept.inventory.asked?.snmp).toEqual({ communities: 3, users: 1 });
  });

  test('each community goes to an address once, however often it is silent', () => {
    for (const host of [MUTE, at(9), at(12)]) {
      const sent = swept.audit.filter((line) => line.host === host);
      expect(sent.map(({ what }) => what).toSorted(), host).toEqual([
        'snmp.engine-discovery',
        'snmp.engine-discovery',
        'snmp.get',
        'snmp.get',
        'snmp.get',
      ]);
    }
    const mute = agents.get(MUTE) as TestAgent;
    expect(mute.gets.map(({ community }) => String(community)).toSorted()).toEqual([COMMUNITY, 'acs-reader', 'px-reader'].toSorted());
    expect(mute.gets.map(({ tag }) => tag)).toEqual([0xa0, 0xa0, 0xa0]);
  });

  test('one that works is used for the rest: the others are sent once, the user not at all', () => {
    const { gets, heard } = agents.get(ONLY_V2C) as TestAgent;
    expect(Map.groupBy(gets, ({ community }) => community).get('px-reader')).toHaveLength(1);
    expect(gets.filter(({ community }) => community === COMMUNITY).length).toBeGreaterThan(2);
    expect(gets.every(({ tag }) => tag === 0xa0)).toBe(true);
    expect(heard.length - gets.length, 'the discovery of the sweep').toBe(1);
    for (const [host, agent] of agents) expect(agent.heard.length, host).toBeLessThanOrEqual(12 + readsWith(credentials.counts));
  });

  test('nothing that is written holds a secret, not even where the device says it back', () => {
    expect(swept.written).not.toMatch(/SECRET|px-reader|acs-reader/);
    for (const secret of [COMMUNITY, 'SECRETKEY', 'SECRETUSER', 'px-reader', 'acs-reader'])
      expect(swept.written, secret).not.toContain(Buffer.from(secret).toString('hex'));
    expect(factsOf(swept, ECHO)).toMatchObject({ 'snmp.sysDescr': '*** says ***', 'snmp.sysLocation': '***', 'snmp.sysName': 'box-1' });
    expect(
      swept.audit
        .filter(({ what }) => what === 'snmp.get')
        .every(({ withheld, hex }) => withheld !== undefined && hex?.includes('2a2a2a') === true),
    ).toBe(true);
    expect(
      swept.audit.filter(({ what }) => what === 'snmp.user-get').every(({ bytes, hex }) => bytes !== undefined && hex === undefined),
    ).toBe(true);
  });

  test('the ledger has every datagram, those of sessions too', () => {
    expect(swept.packets).toBe(swept.audit.length);
    expect(swept.audit.filter(({ what }) => what.startsWith('snmp')).length).toBe(swept.audit.length);
  });

  test('without credentials the same agents are not asked, and that is said', async () => {
    const without = await sweep(planOf('127.80.0.0/28'), NONE);
    expect(without.inventory.completeness.notes).toContainEqual('6 addresses answered SNMP; sysDescr not asked: give --snmp-community');
    expect(without.inventory.asked).not.toHaveProperty('snmp');
    expect(new Set(without.audit.map(({ what }) => what))).toEqual(new Set(['snmp.engine-discovery']));
    expect(without.observations.some(({ probe }) => probe === 'snmp-read')).toBe(false);
  });

  test('a user alone does not speak to those of v2c only', async () => {
    const users = await sweep(planOf('127.80.0.0/29'), collectCredentials({ users: ['name=SECRETUSER'] }, {}).credentials);
    expect(users.observations.some(({ host }) => host === ONLY_V2C)).toBe(false);
    expect(users.audit.filter(({ what }) => what === 'snmp.get')).toEqual([]);
    expect(users.audit.filter(({ what, host }) => what === 'snmp.user-get' && host === ECHO)).toHaveLength(1);
    expect(users.inventory.completeness.notes.join()).toMatch(/took none of the credentials given/);
  });
});

async function interrupted(name: string, given: SnmpCredentials): Promise<string> {
  const journal = join(folder, `${name}.ndjson`);
  const controller = new AbortController();
  const plan = planOf('127.80.1.0/24', `${SNMP}/udp=snmp,${PORTS.http}=http`, { rate: 300, ratePerNetwork: 300 });
  await scan(plan, {
    journal,
    matcher,
    paths,
    guard: Guard.fromEnvironment(),
    credentials: given,
    signal: controller.signal,
    onProgress: ({ done, total }) => {
      if (done > total / 8) controller.abort();
    },
  });
  return journal;
}
async function resumed(
  journal: string,
  given: SnmpCredentials,
): Promise<{ notes: readonly string[]; said: string[]; inventory: Inventory }> {
  const said: string[] = [];
  await resumeScan({ journal, matcher, paths, guard: Guard.fromEnvironment(), credentials: given, onNote: (text) => said.push(text) });
  const { inventory } = await deriveInventory(journal, matcher);
  return { notes: inventory.completeness.notes, said, inventory };
}

describe('a sweep that is resumed', () => {
  test.for<{
    name: string;
    first: SnmpCredentials;
    later: SnmpCredentials;
    said: RegExp | undefined;
    note: RegExp | undefined;
    counts: object | undefined;
  }>([
    {
      name: 'with what was given',
      first: credentials,
      later: credentials,
      said: undefined,
      note: undefined,
      counts: { communities: 3, users: 1 },
    },
    {
      name: 'without what was given',
      first: credentials,
      later: NONE,
      said: /began with SNMP credentials.*give them again/,
      note: /given when the sweep began, and not when it was resumed at \d{4}-/,
      counts: { communities: 3, users: 1 },
    },
    {
      name: 'with what was not given',
      first: NONE,
      later: credentials,
      said: undefined,
      note: /from the resume at .* on/,
      counts: { communities: 3, users: 1 },
    },
    { name: 'without, as before', first: NONE, later: NONE, said: undefined, note: undefined, counts: undefined },
  ])('$name', { timeout: 60_000 }, async ({ name, first, later, said, note, counts }) => {
    const { notes, said: told, inventory } = await resumed(await interrupted(name.replaceAll(/\W/g, '-'), first), later);
    if (said === undefined) expect(told).toEqual([]);
    else expect(told.join('\n')).toMatch(said);
    const own = notes.filter((one) => one.includes('SNMP credentials'));
    if (note === undefined) expect(own).toEqual([]);
    else expect(own.join('\n')).toMatch(note);
    expect(inventory.asked?.snmp).toEqual(counts);
    expect(inventory.completeness.complete).toBe(true);
  });
});
