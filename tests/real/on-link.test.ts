import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { accountOf, mostAtOnce, seenPart } from './account.ts';
import { violations } from './grammar.ts';
import { Lab, type Profile, REAL, report } from './lab.ts';
import { EVERYWHERE, EVERYWHERE_TCP, isLiving, LIVING, LIVING_TCP, spentOn } from './ports.ts';

interface Case {
  readonly block: string;
  readonly excluded: readonly string[];
  readonly bits: 20 | 24;
  readonly hosts: Readonly<Record<string, Profile>>;
}

const SMALL: Readonly<Record<string, Profile>> = {
  '10.77.0.11': 'bmc',
  '10.77.0.44': 'vnc-auth',
  '10.77.0.77': 'tls13',
  '10.77.0.88': 'printer',
  '10.77.0.99': 'web',
};
/** Forty living addresses among 4,000 dead ones; half of them have no service, so that only their card tells that they are there. */
const WIDE: Readonly<Record<string, Profile>> = Object.fromEntries(
  Array.from({ length: 40 }, (_, at): [string, Profile] => [
    `10.77.${(at * 7) % 16}.${5 + ((at * 37) % 240)}`,
    at === 0 ? 'bmc' : at % 2 === 0 ? 'web' : 'mute',
  ]),
);
/** Blocks of makers of remote-access devices and of what they are built on, with the names that the IEEE has for them. */
const MAKERS = [
  ['04:C9:8B:1', 'TinyPilot, LLC'],
  ['48:DA:35:6', 'Shenzhen Sipeed Technology Co., Ltd'],
  ['94:83:C4', 'GL Technologies (Hong Kong) Limited'],
  ['B8:27:EB', 'Raspberry Pi Foundation'],
  ['DC:A6:32', 'Raspberry Pi Trading Ltd'],
  ['00:0D:5D', 'Raritan Computer, Inc'],
  ['3C:EC:EF', 'Super Micro Computer, Inc.'],
  ['D0:8E:79', 'Dell Inc.'],
  ['70:B3:D5:24:8', 'GL TECH CO.,LTD'],
  ['00:80:A3', 'Lantronix'],
] as const;

/** The card of a host, by its number: one of the makers' blocks and then the number. */
function cardOf(at: number): { mac: string; maker: string } {
  const [block, maker] = MAKERS[at % MAKERS.length] as (typeof MAKERS)[number];
  const digits = block.replaceAll(':', '').padEnd(10, '0') + at.toString(16).padStart(2, '0').toUpperCase();
  return { mac: (digits.match(/../g) ?? []).join(':'), maker };
}

describe('directly attached addresses, as nobody', REAL, () => {
  test.for<Case>([
    { block: '10.77.0.0/24', excluded: [], bits: 24, hosts: SMALL },
    { block: '10.77.0.0/20', excluded: ['10.77.15.254'], bits: 20, hosts: WIDE },
  ])(
    '$block: every host is found with its MAC and maker, and TCP goes to those that are there',
    async ({ block, excluded, bits, hosts }) => {
      const macs = Object.fromEntries(Object.keys(hosts).map((host, at) => [host, cardOf(at).mac]));
      await using lab = await Lab.start({ hosts, macs, onLinkBits: bits });
      const { scanner } = lab;
      const before = overflows();
      const capture = await scanner.capture('link');
      const { code, files, seconds } = await scanner.sweep('link', [
        block,
        '--seed',
        '3',
        ...excluded.flatMap((address) => ['--exclude', address]),
      ]);
      const packets = await capture.packets();
      const account = accountOf(packets, scanner.address);
      const { ledger, completeness } = files.inventory;
      expect(code).toBe(0);
      expect(completeness).toMatchObject({ complete: true, limitations: [] });
      expect(overflows() - before).toBe(0);

      const cards = new Map(files.observations.filter(({ probe }) => probe === 'neighbours').map(({ host, facts }) => [host, facts]));
      const wanted = Object.keys(hosts).map((host, at) => [host, cardOf(at)] as const);
      expect(Object.fromEntries(cards)).toEqual(
        Object.fromEntries(wanted.map(([host, { mac, maker }]) => [host, { 'mac.address': mac, 'mac.vendor': maker }])),
      );
      // In the inventory each of them is a device, or an address that is not recognised, with card and maker.
      const { devices, unrecognised } = files.inventory;
      const named = [...devices.map(({ addresses: [host], macVendor }) => ({ host, macVendor })), ...unrecognised];
      expect(named.map(({ host, macVendor }) => `${host} ${macVendor}`).toSorted()).toEqual(
        wanted.map(([host, { maker }]) => `${host} ${maker}`).toSorted(),
      );

      const addresses = 2 ** (32 - bits) - excluded.length;
      const there = wanted.length;
      // The scanner's own address is in the block unless it was excluded: it refuses by itself, no neighbour answers for it, and no link is needed.
      const own = 1 - excluded.length;
      const edges = 2;
      expect(ledger?.alive).toBe(there + own);
      expect(ledger?.total).toMatchObject({ planned: addresses * (EVERYWHERE + LIVING), lost: 0, givenUp: 0 });
      expect(ledger?.total.skipped).toEqual({
        'network or broadcast address': edges * EVERYWHERE,
        'no neighbour answered for it': (addresses - edges - there - own) * EVERYWHERE_TCP,
        'no sign of life': (addresses - there - own) * LIVING,
        ...spentOn(1, ledger?.total.skipped),
      });
      const asked = new Set(account.connections.map(({ server }) => server));
      expect([...asked].toSorted()).toEqual(Object.keys(hosts).toSorted());
      expect(violations(packets, scanner.address, (address) => address.startsWith('10.77.') || GROUPS.has(address))).toEqual([]);
      // One question in mDNS and two searches, twice: everybody on the link hears them.
      expect(account.multicasts).toBe(6);
      expect(mostAtOnce(account.connections).most).toBeLessThanOrEqual(2);
      // A datagram to an address that nobody has never becomes a packet: the kernel asks for its MAC in vain. That question is what left.
      const questions = new Set(
        packets
          .filter(({ source, content }) => source === scanner.address && content.protocol === 'arp' && content.isRequest)
          .map(({ target }) => target),
      );
      const inVain = [...questions].filter((address) => !(address in hosts)).length;
      expect(inVain).toBe(addresses - edges - there - own);
      const seen = Object.entries(account.ports).map(([port, counts]) => {
        if (port.endsWith('tcp')) return [port, { ...counts, asked: counts.asked + own, refused: counts.refused + own }];
        const unseen = isLiving(port) ? own : own + inVain;
        return [port, { ...counts, asked: counts.asked + unseen, silent: counts.silent + unseen }];
      });
      expect(seenPart(ledger?.ports ?? {})).toEqual(Object.fromEntries(seen));
      const datagrams = files.audit.filter(({ transport, host }) => transport === 'udp' && (host in hosts || GROUPS.has(host)));
      expect(datagrams.length).toBe(account.datagrams);
      expect(ledger?.packets.tcp).toBe(account.sweepConnects + (EVERYWHERE_TCP + LIVING_TCP) * own);
      expect(completeness.notes.join()).toMatch(/neighbour table/);
      report(
        `${block}: ${cards.size} of ${there} with MAC and maker, ${ledger?.total.answered} services, TCP to ${asked.size} addresses, ${ledger?.packets.tcp} + ${ledger?.packets.udp} packets, ${seconds.toFixed(1)} s`,
      );
    },
  );
});

/** mDNS and SSDP. */
const GROUPS: ReadonlySet<string> = new Set(['224.0.0.251', '239.255.255.250']);

/** How often the kernel found its table full: one table for all namespaces. */
function overflows(): number {
  const [heading = '', ...rows] = readFileSync('/proc/net/stat/arp_cache', 'latin1').trim().split('\n');
  const column = heading.trim().split(/\s+/).indexOf('table_fulls');
  return rows.reduce((sum, row) => sum + Number.parseInt(row.trim().split(/\s+/)[column] ?? '0', 16), 0);
}
