import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readsWith } from '../../src/sweep/budget.ts';
import type { Facts } from '../../src/vocabulary.ts';
import type { Packet } from '../support/pcap.ts';
import { accountOf, seenPart } from './account.ts';
import { type GivenSnmp, snmp, violations } from './grammar.ts';
import { Lab, type Profile, REAL, report, type Swept } from './lab.ts';

/** Real agents, read with credentials, and held against what snmpget reads of them. */
const HOSTS = {
  pdu: '10.77.0.11',
  v1: '10.77.0.22',
  v2c: '10.77.0.33',
  v3: '10.77.0.44',
  users: '10.77.0.55',
  /** Its community is none of those that are given. */
  printer: '10.77.0.66',
} as const;
const PROFILES: Readonly<Record<string, Profile>> = {
  [HOSTS.pdu]: 'snmp-pdu',
  [HOSTS.v1]: 'snmp-v1',
  [HOSTS.v2c]: 'snmp-v2c',
  [HOSTS.v3]: 'snmp-v3',
  [HOSTS.users]: 'snmp-users',
  [HOSTS.printer]: 'printer',
};
const COMMUNITY = 'labcommunity';
const LAB = ['-v3', '-l', 'authPriv', '-u', 'lab', '-a', 'SHA', '-A', 'labauthpass', '-x', 'AES', '-X', 'labprivpass'];
const LAB256 = ['-v3', '-l', 'authPriv', '-u', 'lab256', '-a', 'SHA-256', '-A', 'labauthpass256', '-x', 'AES', '-X', 'labprivpass256'];
/** How snmpget reads each of them. */
const READ_BY: Readonly<Record<string, readonly string[]>> = {
  [HOSTS.pdu]: ['-v2c', '-c', COMMUNITY],
  [HOSTS.v1]: ['-v1', '-c', COMMUNITY],
  [HOSTS.v2c]: ['-v2c', '-c', COMMUNITY],
  [HOSTS.v3]: LAB,
  [HOSTS.users]: LAB256,
};
const CREDENTIALS = `
- { version: 2c, community: ${COMMUNITY} }
- { version: 1, community: ${COMMUNITY} }
- { version: 2c, community: wrongcommunity }
- { version: 3, user: lab, auth: { protocol: sha, key: labauthpass }, privacy: { protocol: aes, key: labprivpass } }
- { version: 3, user: lab256, auth: { protocol: sha256, key: labauthpass256 }, privacy: { protocol: aes, key: labprivpass256 } }
`;
const GIVEN: GivenSnmp = {
  communities: [
    [1, COMMUNITY],
    [0, COMMUNITY],
    [1, 'wrongcommunity'],
  ],
  users: { lab: 3, lab256: 3 },
};
const COUNTS = { communities: 3, users: 2 };
const SECRETS = [COMMUNITY, 'wrongcommunity', 'labauthpass', 'labprivpass', 'lab256'];

const SYSTEM = {
  'snmp.sysDescr': '1.3.6.1.2.1.1.1.0',
  'snmp.sysObjectID': '1.3.6.1.2.1.1.2.0',
  'snmp.sysName': '1.3.6.1.2.1.1.5.0',
  'snmp.sysLocation': '1.3.6.1.2.1.1.6.0',
};
const ENTITY = {
  'snmp.entity.firmware': '1.3.6.1.2.1.47.1.1.1.1.9.1',
  'snmp.entity.serial': '1.3.6.1.2.1.47.1.1.1.1.11.1',
  'snmp.entity.model': '1.3.6.1.2.1.47.1.1.1.1.13.1',
};

describe('one sweep of a /24 with SNMP credentials, as nobody', REAL, () => {
  let lab: Lab;
  let swept: Swept;
  let packets: Packet[];
  /** Datagrams to port 161 of an address, after those of the sweep's own discovery. */
  let sent: (host: string) => Buffer[];

  beforeAll(async () => {
    lab = await Lab.start({ hosts: PROFILES });
    const file = join(lab.scanner.folder, 'snmp.yaml');
    writeFileSync(file, CREDENTIALS);
    chmodSync(file, 0o600);
    chownSync(file, 65_534, 65_534);
    const capture = await lab.scanner.capture('snmp');
    swept = await lab.scanner.sweep('snmp', ['10.77.0.0/24', '-p', '80,U:161', '--seed', '7', '--snmp-credentials', 'snmp.yaml']);
    packets = await capture.packets();
    sent = (host) =>
      packets.flatMap(({ target, content }) =>
        target === host && content.protocol === 'udp' && content.targetPort === 161 ? [content.data] : [],
      );
  });
  afterAll(() => lab?.stop());

  /** What the sweep knows of an agent. */
  function factsOf(host: string): Facts {
    return Object.assign(
      {},
      ...swept.files.observations.filter((one) => one.host === host && one.port === 161).map(({ facts }) => facts),
    ) as Facts;
  }

  /** Requests with the community that works, by version. */
  function withCommunity(host: string, version: number): Buffer[] {
    return sent(host).filter((bytes) => bytes.includes(COMMUNITY) && bytes[4] === version);
  }

  /** What snmpget or snmpwalk reads: values in quotes without them, identifiers without the leading dot. */
  async function oracle(
    command: 'snmpget' | 'snmpwalk',
    host: string,
    by: readonly string[],
    oids: readonly string[],
    as: '-Oa' | '-Ox' = '-Oa',
  ): Promise<Map<string, string>> {
    const { stdout } = await lab.scanner.run(['env', 'MIBS=', command, ...by, '-r0', '-t3', '-On', as, host, ...oids]);
    return new Map(
      [...stdout.matchAll(/^\.([\d.]+) = (?:\w[\w-]*: )?(?:"(.*)"|(.*))$/gm)].map(([, oid = '', quoted, bare = '']) => [
        oid,
        quoted ?? bare.replace(/^\./, ''),
      ]),
    );
  }

  test('it is complete, and every agent is found: that of v1 and that of v2c only too', () => {
    expect(swept).toMatchObject({ code: 0, signal: null });
    const { completeness, asked } = swept.files.inventory;
    expect(completeness).toMatchObject({ complete: true, limitations: [] });
    expect(asked?.snmp).toEqual(COUNTS);
    const answered = swept.files.observations
      .filter(({ outcome, port }) => outcome === 'answered' && port === 161)
      .map(({ host, probe }) => `${host} ${probe}`);
    expect(answered.toSorted()).toEqual(
      [
        ...[HOSTS.pdu, HOSTS.v1, HOSTS.v2c, HOSTS.v3, HOSTS.users].flatMap((host) => [`${host} snmp`, `${host} snmp-read`]),
        `${HOSTS.printer} snmp`,
      ].toSorted(),
    );
    report(`${answered.length} rows, ${swept.seconds.toFixed(1)} s`);
  });

  test('name, type, place and description are those that snmpget reads', async () => {
    let compared = 0;
    for (const [host, by] of Object.entries(READ_BY)) {
      const wanted = await oracle('snmpget', host, by, Object.values(SYSTEM));
      const facts = factsOf(host);
      for (const [fact, oid] of Object.entries(SYSTEM)) {
        expect(facts[fact], `${fact} of ${host}`).toBe(wanted.get(oid));
        expect(wanted.get(oid), `${fact} of ${host}`).toMatch(/./);
        compared += 1;
      }
    }
    report(`${compared} facts compared with snmpget`);
  });

  test('the maker’s objects, the entity and the MAC are those that snmpget reads', async () => {
    const facts = factsOf(HOSTS.pdu);
    const values = facts['snmp.values'] as Record<string, string>;
    const by = READ_BY[HOSTS.pdu] ?? [];
    const makers = await oracle('snmpget', HOSTS.pdu, by, Object.keys(values));
    expect(Object.keys(values)).toHaveLength(3);
    expect(values).toEqual(Object.fromEntries(makers));
    // A walk over the tables shows them where they are, and nothing that should have been asked for instead.
    const entity = await oracle('snmpwalk', HOSTS.pdu, by, ['1.3.6.1.2.1.47.1.1.1.1']);
    for (const [fact, oid] of Object.entries(ENTITY)) expect(facts[fact], fact).toBe(entity.get(oid));
    const interfaces = await oracle('snmpwalk', HOSTS.pdu, by, ['1.3.6.1.2.1.2.2.1.6.1'], '-Ox');
    expect(interfaces.get('1.3.6.1.2.1.2.2.1.6.1')).toBe('00 0D 5D 0C 99 B0 ');
    expect(facts['snmp.mac']).toBe('00:0D:5D:0C:99:B0');
    // The others have no entities, and only made-up addresses.
    for (const host of [HOSTS.v1, HOSTS.v2c, HOSTS.v3, HOSTS.users])
      expect(
        Object.keys(factsOf(host)).filter((name) => /^snmp\.(entity|values|mac)/.test(name)),
        host,
      ).toEqual([]);
  });

  test('answers of v3 do not hide those of v2c: where an agent speaks both, both are there', () => {
    expect(factsOf(HOSTS.pdu)).toMatchObject({ 'snmp.engine.pen': 8072, 'snmp.sysDescr': 'Laboratory snmp-pdu' });
    for (const host of [HOSTS.v1, HOSTS.v2c])
      expect(
        Object.keys(factsOf(host)).filter((name) => name.startsWith('snmp.engine')),
        host,
      ).toEqual([]);
    expect(factsOf(HOSTS.v3)['snmp.engine.pen']).toBe(8072);
  });

  test('a wrong community costs one datagram, and none is sent twice to who does not take it', () => {
    for (const host of [...Object.values(HOSTS), '10.77.0.99', '10.77.0.200'])
      expect(
        sent(host).filter((bytes) => bytes.includes('wrongcommunity')),
        host,
      ).toHaveLength(1);
    for (const host of [HOSTS.printer, HOSTS.v3, HOSTS.users, '10.77.0.99', '10.77.0.200'])
      for (const version of [0, 1]) expect(withCommunity(host, version), `${host} ${version}`).toHaveLength(1);
    // Who takes it as v2c has it as v1 once, and the other way round.
    expect(withCommunity(HOSTS.v2c, 0)).toHaveLength(1);
    expect(withCommunity(HOSTS.v1, 1)).toHaveLength(1);
    expect(withCommunity(HOSTS.v1, 0).length).toBeGreaterThan(4);
    const silent = packets.filter(({ target, content }) => target === '10.77.0.99' && content.protocol === 'udp');
    expect(silent, 'two discoveries, and each community once').toHaveLength(5);
  });

  test('users are tried in order, each once; the first that is taken reads', () => {
    const rows = (host: string): string[] =>
      swept.files.observations
        .filter((one) => one.host === host && one.probe === 'snmp-read')
        .map(({ outcome, note }) => `${outcome} ${note ?? ''}`.trim());
    expect(rows(HOSTS.v3)).toEqual(['answered']);
    expect(rows(HOSTS.users)).toEqual(['refused user 1 of 2: the agent does not know this user', 'answered']);
    expect(rows(HOSTS.printer)).toEqual([
      'refused user 1 of 2: the agent does not know this user',
      'refused user 2 of 2: the agent does not know this user',
    ]);
    expect(swept.files.inventory.completeness.notes.join('\n')).toMatch(
      /1 address of 6 that answered SNMP took none of the credentials given/,
    );
    expect(sent(HOSTS.v3).filter((bytes) => bytes.includes('lab256'))).toEqual([]);
  });

  test('nothing left that the grammar does not allow; every datagram is in the ledger, and no device had too many', () => {
    expect(violations(packets, lab.scanner.address, (address) => address.startsWith('10.77.0.'), { '161/udp': snmp(GIVEN) })).toEqual([]);
    const account = accountOf(packets, lab.scanner.address);
    const { ledger } = swept.files.inventory;
    expect(ledger?.packets.udp).toBe(account.datagrams);
    expect(swept.files.audit.filter(({ transport }) => transport === 'udp')).toHaveLength(account.datagrams);
    expect(seenPart(ledger?.ports ?? {})['161/udp']).toEqual(account.ports['161/udp']);
    const most = Object.entries(HOSTS).map(([name, host]) => [name, sent(host).length] as const);
    for (const [name, number] of most) expect(number, name).toBeLessThanOrEqual(12 + readsWith(COUNTS));
    report(`datagrams to each agent: ${most.map(([name, number]) => `${name} ${number}`).join(', ')}`);
  });

  test('what was sent is what the audit record says, without the credentials', () => {
    const recorded = swept.files.audit.filter(({ host, what }) => host === HOSTS.pdu && what === 'snmp.get').map(({ hex = '' }) => hex);
    const captured = sent(HOSTS.pdu).filter((bytes) => bytes[4] !== 3);
    const struck = captured.map((bytes) =>
      bytes
        .toString('hex')
        .replace(/(040c|040e)((?:[67][0-9a-f])+)(?=a0)/, (_, head: string, text: string) => head + '2a'.repeat(text.length / 2)),
    );
    expect(recorded).toEqual(struck);
    expect(recorded.length).toBeGreaterThan(5);
    for (const { what, hex } of swept.files.audit) if (what === 'snmp.user-get') expect(hex).toBeUndefined();
  });

  test('no file that the sweep wrote, and nothing that it printed, holds a secret', () => {
    const texts = ['json', 'ndjson', 'audit'].map((extension) => readFileSync(join(lab.scanner.folder, `snmp.${extension}`), 'latin1'));
    for (const secret of SECRETS)
      for (const form of [secret, Buffer.from(secret).toString('hex')])
        for (const text of [...texts, swept.stdout, swept.stderr]) expect(text.includes(form), `${secret} as ${form}`).toBe(false);
  });

  test('every security that net-snmp and snmpd have in common is read', async () => {
    const users = [
      'name=labdes,auth=md5:labauthpassdes,privacy=des:labprivpassdes',
      'name=lab512,auth=sha512:labauthpass512,privacy=aes256b:labprivpass512',
      'name=labcisco,auth=sha:labauthpasscisco,privacy=aes256r:labprivpasscisco',
      'name=labauth,auth=sha224:labauthpass224',
      'name=labname',
    ];
    const read = await Promise.all(
      users.map(async (user, at) => {
        const { code, files } = await lab.scanner.sweep(`user${at}`, [HOSTS.users, '-p', 'U:161', '--retries', '0', '--snmp-user', user]);
        return { code, descriptions: files.observations.flatMap(({ facts }) => facts['snmp.sysDescr'] ?? []) };
      }),
    );
    expect(read).toEqual(users.map(() => ({ code: 0, descriptions: ['Laboratory snmp-users'] })));
  });
});
