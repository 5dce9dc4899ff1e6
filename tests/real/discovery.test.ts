import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Facts } from '../../src/vocabulary.ts';
import type { Packet } from '../support/pcap.ts';
import { accountOf } from './account.ts';
import { violations } from './grammar.ts';
import { Lab, type Profile, REAL, report, type Swept } from './lab.ts';

const HOSTS = { netbios: '10.77.0.11', wsd: '10.77.0.22', web: '10.77.0.33', names: '10.77.0.53' } as const;
const PROFILES: Readonly<Record<string, Profile>> = Object.fromEntries(
  Object.entries(HOSTS).map(([profile, address]) => [address, profile as Profile]),
);
const ALSO = 'netbios,wsd,slp,ubiquiti,dns';
/** Four of the five send datagrams to a device. */
const MOST_DATAGRAMS = 12 + 2 * 4;
/** Debian has no server of SLP (openslp is gone from it) and none of the makers' protocols. */
const OPTED = ['137/udp', '427/udp', '3702/udp', '10001/udp'];
const MAKERS = ['2362/udp', '3211/udp', '4800/udp', '30718/udp'];

describe('discovery: nmbd, wsdd2 and dnsmasq, as nobody', REAL, () => {
  let lab: Lab;
  let swept: Swept;
  let packets: Packet[];

  beforeAll(async () => {
    lab = await Lab.start({ hosts: PROFILES });
    const capture = await lab.scanner.capture('discovery');
    swept = await lab.scanner.sweep('discovery', [...Object.values(HOSTS), '--also', ALSO, '--seed', '7'], {
      before: `printf 'nameserver ${HOSTS.names}\\n' >resolv.conf; mount --bind resolv.conf /etc/resolv.conf`,
    });
    packets = await capture.packets();
  });
  afterAll(() => lab?.stop());

  function said(host: string, probe: string): Facts {
    const all = swept.files.observations.filter((line) => line.host === host && line.probe === probe);
    expect(
      all.map(({ outcome }) => outcome),
      `${probe} at ${host}`,
    ).toEqual(['answered']);
    return all[0]?.facts ?? {};
  }

  test('NetBIOS: names and workgroup are those that nmblookup reads', async () => {
    const { stdout } = await lab.scanner.run(['nmblookup', '-s', '/dev/null', '-A', HOSTS.netbios]);
    const rows = [...stdout.matchAll(/^\t(?<name>\S+)\s+<(?<purpose>[0-9a-f]{2})> - (?<group><GROUP>)?/gm)].map(({ groups }) => groups);
    expect(rows.length).toBeGreaterThanOrEqual(5);
    expect(said(HOSTS.netbios, 'netbios')).toEqual({
      'netbios.names': rows.map((row) => `${row?.['name']}<${row?.['purpose']}>`),
      'netbios.name': rows.find((row) => row?.['group'] === undefined)?.['name'],
      'netbios.group': rows.find((row) => row?.['group'] !== undefined)?.['name'],
    });
    expect(stdout).toContain('MAC Address = 00-00-00-00-00-00');
    report(`nmbd: ${rows.length} names, as nmblookup reads them`);
  });

  test('WS-Discovery: types and addresses are those of the server, and the addresses are not fetched', () => {
    const facts = said(HOSTS.wsd, 'wsd');
    const uuid = /^urn:uuid:(?<uuid>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(JSON.stringify(facts['wsd.endpoint']).slice(1, -1))
      ?.groups?.['uuid'];
    expect(uuid).toBeDefined();
    expect(facts).toEqual({
      'wsd.endpoint': `urn:uuid:${uuid}`,
      'wsd.types': ['wsdp:Device', 'pub:Computer'],
      'wsd.addresses': [`http://${HOSTS.wsd}:3702/${uuid}`],
    });
    expect(accountOf(packets, lab.scanner.address).connections.filter(({ serverPort }) => serverPort === 3702)).toEqual([]);
    report(`wsdd2: ${uuid} at ${JSON.stringify(facts['wsd.addresses'])}`);
  });

  test('reverse names are those that the name server has, asked once each', () => {
    for (const [profile, address] of Object.entries(HOSTS))
      expect(said(address, 'dns')).toEqual({ 'dns.ptr': `${profile}-${address.split('.')[3]}.lab.invalid` });
    const queries = readFileSync(`${lab.folder}/log/names-${HOSTS.names}`, 'utf8').match(/query\[\w+\] \S+ from \S+/g) ?? [];
    expect(queries.toSorted()).toEqual(
      Object.values(HOSTS)
        .map((address) => `query[PTR] ${address.split('.').toReversed().join('.')}.in-addr.arpa from ${lab.scanner.address}`)
        .toSorted(),
    );
    const { completeness, asked } = swept.files.inventory;
    expect(completeness.notes.join()).toContain(`${HOSTS.names} was asked for the names of 4 living addresses and knew 4`);
    expect(asked?.also).toEqual(ALSO.split(','));
  });

  test('it is complete, the ledger is what the wire shows, and nobody is asked more than may be', () => {
    const { ledger, completeness } = swept.files.inventory;
    expect(swept.code).toBe(0);
    expect(completeness).toMatchObject({ complete: true, limitations: [] });
    expect(ledger).toMatchObject({ alive: 4, stray: 0 });
    const { ports } = accountOf(packets, lab.scanner.address);
    for (const port of [...OPTED, ...MAKERS]) {
      expect(ledger?.ports[port], port).toMatchObject(ports[port] ?? {});
      expect(ports[port]?.asked, port).toBe(4);
    }
    expect([...OPTED, ...MAKERS].map((port) => ports[port]?.answered)).toEqual([1, 0, 1, 0, 0, 0, 0, 0]);
    const counts = Object.values(HOSTS).map(
      (address) =>
        packets.filter(
          ({ source, target, content }) =>
            source === lab.scanner.address && target === address && content.protocol === 'udp' && content.targetPort !== 53,
        ).length,
    );
    expect(Math.max(...counts)).toBeLessThanOrEqual(MOST_DATAGRAMS);
    report(`datagrams to a device, all channels on: ${counts.join(', ')} of ${MOST_DATAGRAMS}; ${swept.seconds.toFixed(1)} s`);
  });

  test('every byte that left is of the second list, went to the targets, and nothing was multicast', () => {
    expect(violations(packets, lab.scanner.address, (address) => Object.values<string>(HOSTS).includes(address))).toEqual([]);
    const names = new Set(swept.files.audit.filter(({ what }) => what.startsWith('dns.ptr')).map(({ host }) => host));
    expect([...names]).toEqual([HOSTS.names]);
    const datagrams = packets.filter(({ source, content }) => source === lab.scanner.address && content.protocol === 'udp');
    expect(swept.files.audit.filter(({ transport }) => transport === 'udp')).toHaveLength(datagrams.length);
  });
});
