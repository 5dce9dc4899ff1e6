import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lab, type Profile, REAL, report, type Swept } from './lab.ts';

/** Link-local addresses follow from the cards (RFC 4291 appendix A): 04:C9:8B:10:00:01 is fe80::6c9:8bff:fe10:1. */
const HOSTS: Readonly<Record<string, { profile: Profile; mac: string; linkLocal: string }>> = {
  '10.77.0.11': { profile: 'web6', mac: '04:C9:8B:10:00:01', linkLocal: 'fe80::6c9:8bff:fe10:1' },
  '10.77.0.12': { profile: 'web6', mac: '48:DA:35:6F:00:02', linkLocal: 'fe80::4ada:35ff:fe6f:2' },
  '10.77.0.13': { profile: 'web6', mac: 'B8:27:EB:00:00:03', linkLocal: 'fe80::ba27:ebff:fe00:3' },
};
const hosts = Object.values(HOSTS);
const ZONE = 'sc0';

describe('IPv6 neighbours, as nobody', REAL, () => {
  let lab: Lab;
  let swept: Swept;
  beforeAll(async () => {
    lab = await Lab.start({
      hosts: Object.fromEntries(Object.entries(HOSTS).map(([address, { profile }]) => [address, profile])),
      macs: Object.fromEntries(Object.entries(HOSTS).map(([address, { mac }]) => [address, mac])),
      onLinkBits: 24,
      ipv6: true,
    });
    // Two of them have been talked to before: they are in the table of this machine.
    for (const { linkLocal } of hosts.slice(0, 2)) {
      const { code, stderr } = await lab.scanner.run(['bash', '-c', `exec 3<>/dev/tcp/${linkLocal}%${ZONE}/80`]);
      if (code !== 0) throw new Error(stderr);
    }
    swept = await lab.scanner.sweep('neighbours', ['--neighbours', '-p', '80,443,U:623']);
  });
  afterAll(() => lab?.stop());

  test('who is in the table is swept, in the zone of the link, and named by card and maker', () => {
    expect(swept).toMatchObject({ code: 0 });
    expect(swept.stderr).toContain('2 neighbours in the table of this machine');
    const { asked, ledger, unrecognised } = swept.files.inventory;
    expect(asked?.ranges.toSorted()).toEqual(
      hosts
        .slice(0, 2)
        .map(({ linkLocal }) => `${linkLocal}%${ZONE}`)
        .toSorted(),
    );
    expect(ledger?.total).toMatchObject({ planned: 6, asked: 6, answered: 2, refused: 2, silent: 2 });
    expect(unrecognised.map(({ host, mac, macVendor }) => `${host} ${mac} ${macVendor}`).toSorted()).toEqual(
      [
        `fe80::6c9:8bff:fe10:1%${ZONE} 04:C9:8B:10:00:01 TinyPilot, LLC`,
        `fe80::4ada:35ff:fe6f:2%${ZONE} 48:DA:35:6F:00:02 Shenzhen Sipeed Technology Co., Ltd`,
      ].toSorted(),
    );
    const pages = swept.files.observations.filter(({ probe, outcome }) => probe === 'http' && outcome === 'answered');
    expect(pages.map(({ facts }) => facts['http.title'])).toEqual(['Welcome', 'Welcome']);
    report(unrecognised.map(({ host, macVendor }) => `${host} ${macVendor}`).join('; '));
  });

  test('a link-local address is a target with its zone, and requests do not tell it', async () => {
    const [, , third] = hosts;
    const { code, files } = await lab.scanner.sweep('one', [`${third?.linkLocal}%${ZONE}`, '-p', '80']);
    expect(code).toBe(0);
    expect(files.inventory.unrecognised).toMatchObject([
      { host: `${third?.linkLocal}%${ZONE}`, mac: third?.mac, endpoints: ['80/tcp=http'] },
    ]);
    const [request] = files.audit
      .filter(({ what }) => what === 'http.get')
      .map(({ hex = '' }) => Buffer.from(hex, 'hex').toString('latin1'));
    expect(request).toContain(`host: [${third?.linkLocal}]\r\n`);
  });

  test('a journal with zones is resumed and identified again', async () => {
    const again = await lab.scanner.kvmsweep(['identify', 'neighbours.ndjson', '-o', 'again.json']).finished;
    expect(again.code).toBe(0);
    expect(lab.scanner.read('again').inventory.unrecognised).toEqual(swept.files.inventory.unrecognised);
  });
});
