import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readsWith } from '../../src/sweep/budget.ts';
import type { Packet } from '../support/pcap.ts';
import { accountOf, mostAtOnce } from './account.ts';
import { snmp, violations } from './grammar.ts';
import { Lab, type Profile, REAL, report, type Swept } from './lab.ts';
import { PEERS } from './peers.ts';

/** One of each kind of server, on one link with the scanner. */
const PROFILES: readonly Profile[] = [
  'bmc',
  'tls13',
  'old-3des',
  'old-rc4',
  'old-ssl3',
  'vnc-auth',
  'novnc',
  'snmp-v3',
  'snmp-v2c',
  'snmp-users',
  'snmp-pdu',
  'printer',
  'web',
  'openssh',
  'dropbear',
  'telnet',
  'ftp',
  'mdns-pikvm',
  'ssdp-media',
  'ssdp-device',
  'netbios',
  'wsd',
  'names',
];
const addressOf = (profile: Profile): string => `10.77.0.${PROFILES.indexOf(profile) + 11}`;
const GROUPS = new Set(['224.0.0.251', '239.255.255.250']);
const mayBeAsked = (address: string): boolean => /^10\.77\.0\.([0-9]|[1-5]\d|6[0-3])$/.test(address) || GROUPS.has(address);
const COMMUNITY = 'labcommunity';
const USER = 'lab256';
const CREDENTIALS = `
- { version: 2c, community: ${COMMUNITY} }
- { version: 3, user: ${USER}, auth: { protocol: sha256, key: labauthpass256 }, privacy: { protocol: aes, key: labprivpass256 } }
`;
const GIVEN = { communities: [[1, COMMUNITY]] as const, users: { [USER]: 3 } };
/** Four of the opt-in channels send datagrams to a device. */
const MOST_DATAGRAMS = 12 + 2 * 4 + readsWith({ communities: 1, users: 1 });

describe('all channels on, against one of each real server, as nobody', REAL, () => {
  let lab: Lab;
  let swept: Swept;
  let packets: Packet[];

  beforeAll(async () => {
    lab = await Lab.start({ hosts: Object.fromEntries(PROFILES.map((profile) => [addressOf(profile), profile])), onLinkBits: 24 });
    const file = join(lab.scanner.folder, 'snmp.yaml');
    writeFileSync(file, CREDENTIALS);
    chmodSync(file, 0o600);
    chownSync(file, 65_534, 65_534);
    const capture = await lab.scanner.capture('channels');
    const words = ['10.77.0.0/26', '--also', 'netbios,wsd,slp,ubiquiti,dns', '--snmp-credentials', 'snmp.yaml', '--seed', '7'];
    swept = await lab.scanner.sweep('channels', words, {
      before: `printf 'nameserver ${addressOf('names')}\\n' >resolv.conf; mount --bind resolv.conf /etc/resolv.conf`,
    });
    packets = await capture.packets();
  });
  afterAll(() => lab?.stop());

  test('it is complete', () => {
    expect(swept).toMatchObject({ code: 0, signal: null });
    expect(swept.files.inventory.completeness).toMatchObject({ complete: true, limitations: [] });
  });

  test.for(Object.entries(PEERS).flatMap(([probe, { server, profiles }]) => profiles.map((profile) => ({ probe, server, profile }))))(
    '$probe: $profile answers',
    ({ probe, profile }) => {
      const rows = swept.files.observations.filter((row) => row.host === addressOf(profile) && row.probe === probe);
      expect(rows.filter(({ outcome, facts }) => outcome === 'answered' && Object.keys(facts).length > 0).length).toBeGreaterThan(0);
    },
  );

  test('nobody receives more than may be, and all of it is of the second list', () => {
    const { scanner } = lab;
    expect(violations(packets, scanner.address, mayBeAsked, { '161/udp': snmp(GIVEN) })).toEqual([]);
    const { connections } = accountOf(packets, scanner.address);
    expect(mostAtOnce(connections).most).toBeLessThanOrEqual(2);
    report('packets that one device received, all channels on (datagrams, connections, all packets of them, bytes said in them):');
    for (const profile of PROFILES) {
      const to = packets.filter(({ source, target }) => source === scanner.address && target === addressOf(profile));
      // The name server is asked for the names of all.
      const datagrams = to.filter(({ content }) => content.protocol === 'udp' && content.targetPort !== 53);
      const segments = to.filter(({ content }) => content.protocol === 'tcp');
      const connects = connections.filter(({ server }) => server === addressOf(profile));
      const bytes = [...datagrams, ...segments].reduce((sum, { content }) => sum + ('data' in content ? content.data.length : 0), 0);
      report(`| ${profile} | ${datagrams.length} | ${connects.length} | ${datagrams.length + segments.length} | ${bytes} |`);
      expect(datagrams.length, profile).toBeLessThanOrEqual(MOST_DATAGRAMS);
      expect(connects.filter(({ outcome }) => outcome === 'accepted').length, profile).toBeLessThanOrEqual(40);
    }
    report(
      `${packets.filter(({ source, target }) => source === scanner.address && GROUPS.has(target)).length} packets to everybody on the link; ${swept.seconds.toFixed(1)} s`,
    );
  });
});
