import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Packet } from '../support/pcap.ts';
import { accountOf } from './account.ts';
import { violations } from './grammar.ts';
import { Lab, type ObservationLine, type Profile, REAL, report, type Swept } from './lab.ts';
import { nmap } from './oracles.ts';

const HOSTS = { openssh: '10.77.0.21', dropbear: '10.77.0.22', telnet: '10.77.0.23', ftp: '10.77.0.24' } as const;
const PROFILES: Readonly<Record<string, Profile>> = Object.fromEntries(
  Object.entries(HOSTS).map(([profile, host]) => [host, profile as Profile]),
);

describe('servers that greet, as nobody', REAL, () => {
  let lab: Lab;
  let swept: Swept;
  let packets: Packet[];
  beforeAll(async () => {
    lab = await Lab.start({ hosts: PROFILES });
    const capture = await lab.scanner.capture('greetings');
    swept = await lab.scanner.sweep('greetings', ['10.77.0.0/27', '--seed', '5']);
    packets = await capture.packets();
  });
  afterAll(() => lab?.stop());

  function said(host: string, probe: string): ObservationLine['facts'] {
    const all = swept.files.observations.filter((line) => line.host === host && line.probe === probe);
    expect(
      all.map(({ outcome }) => outcome),
      `${probe} at ${host}`,
    ).toEqual(['answered']);
    return (all[0] as ObservationLine).facts;
  }

  test('identification lines, options and greetings are those that nmap reads', async () => {
    expect(swept.code).toBe(0);
    const [banners, lists] = await Promise.all([
      nmap(lab.scanner, Object.values(HOSTS), '21,22', 'banner'),
      nmap(lab.scanner, [HOSTS.openssh, HOSTS.dropbear], '22', 'ssh2-enum-algos'),
    ]);
    const banner = (host: string, port: number): string | undefined => banners.get(`${host} ${port}/tcp`)?.get('banner')?.split('\n', 1)[0];
    expect(said(HOSTS.openssh, 'ssh')['ssh.banner']).toBe(banner(HOSTS.openssh, 22));
    expect(banner(HOSTS.dropbear, 22)).toContain(said(HOSTS.dropbear, 'ssh')['ssh.banner']);
    expect(said(HOSTS.ftp, 'ftp')['ftp.banner']).toBe(banner(HOSTS.ftp, 21));
    // OpenSSH waits for our identification, which is not sent; dropbear sends its lists at once.
    expect(said(HOSTS.openssh, 'ssh')['ssh.algorithms']).toBeUndefined();
    const text = lists.get(`${HOSTS.dropbear} 22/tcp`)?.get('ssh2-enum-algos') ?? '';
    const offered = said(HOSTS.dropbear, 'ssh')['ssh.algorithms'] as Readonly<Record<string, readonly string[]>>;
    for (const name of ['kex_algorithms', 'server_host_key_algorithms'])
      expect(offered[name]?.length, name).toBe(Number(new RegExp(`${name}: \\((\\d+)\\)`).exec(text)?.[1]));
    for (const algorithm of offered['kex_algorithms'] ?? []) expect(text).toContain(algorithm);
    const telnet = said(HOSTS.telnet, 'telnet');
    expect(telnet['telnet.options']).toContain('DO 24');
    report(
      `${JSON.stringify([said(HOSTS.openssh, 'ssh'), said(HOSTS.dropbear, 'ssh')['ssh.banner'], telnet, said(HOSTS.ftp, 'ftp')])}; ${Object.values(offered).flat().length} algorithms of dropbear`,
    );
  });

  test('nothing is said to any of them, each is connected to once, and addresses without a host are not asked', () => {
    expect(violations(packets, lab.scanner.address, (address) => address.startsWith('10.77.0.'))).toEqual([]);
    const { connections } = accountOf(packets, lab.scanner.address);
    const greeted = connections.filter(({ serverPort, outcome }) => [21, 22, 23].includes(serverPort) && outcome === 'accepted');
    expect(greeted.map(({ server, serverPort, sent }) => `${server}:${serverPort} ${sent.length}`).toSorted()).toEqual(
      [`${HOSTS.openssh}:22 0`, `${HOSTS.dropbear}:22 0`, `${HOSTS.telnet}:23 0`, `${HOSTS.ftp}:21 0`].toSorted(),
    );
    const asked = new Set(connections.filter(({ serverPort }) => serverPort === 22).map(({ server }) => server));
    expect([...asked].toSorted()).toEqual(Object.values(HOSTS).toSorted());
  });

  test('what greets as a device is one, by the version in its banner; servers of every system are none', () => {
    expect(
      swept.files.inventory.devices.map(({ addresses, vendor, product, version }) => ({ addresses, vendor, product, version })),
    ).toEqual([{ addresses: [HOSTS.ftp], vendor: 'Server Technology', product: 'Sentry', version: '7.1d' }]);
    expect(swept.files.inventory.unrecognised.map(({ host, endpoints }) => `${host} ${endpoints.join()}`).toSorted()).toEqual(
      [`${HOSTS.openssh} 22/tcp=ssh`, `${HOSTS.dropbear} 22/tcp=ssh`, `${HOSTS.telnet} 23/tcp=telnet`].toSorted(),
    );
  });
});
