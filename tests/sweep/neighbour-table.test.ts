import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Neighbour,
  parseArpProgram,
  parseIpNeigh,
  parseNdp,
  parseProcArp,
  parseWindows,
  readNeighbours,
} from '../../src/sweep/neighbour-table.ts';
import { formatAddress } from '../../src/targets/addresses.ts';

const PARSERS = { parseProcArp, parseIpNeigh, parseArpProgram, parseNdp, parseWindows };

test.for<{ name: string; parse: keyof typeof PARSERS; text: string; neighbours: readonly string[] }>([
  {
    name: 'Linux, /proc/net/arp',
    parse: 'parseProcArp',
    text: [
      'IP address       HW type     Flags       HW address            Mask     Device',
      '192.0.2.1        0x1         0x2         00:00:5e:00:53:01     *        eth0',
      '192.0.2.2        0x1         0x0         00:00:00:00:00:00     *        eth0',
      '192.0.2.3        0x1         0x6         00:00:5e:00:53:03     *        eth0',
    ].join('\n'),
    neighbours: ['192.0.2.1 00:00:5E:00:53:01', '192.0.2.3 00:00:5E:00:53:03'],
  },
  {
    name: 'Linux, ip -6 neigh',
    parse: 'parseIpNeigh',
    text: [
      'fe80::200:5eff:fe00:5301 dev eth0 lladdr 00:00:5e:00:53:01 router REACHABLE',
      '2001:db8::2 dev eth0 lladdr 00:00:5e:00:53:02 STALE',
      '2001:db8::3 dev eth0 FAILED',
      'fe80::4 dev wlan0 INCOMPLETE',
      'fe80::5 dev wlan0 lladdr 00:00:5e:00:53:05 router offload FAILED',
      'fe80::6 dev br-lan.7 lladdr 00:00:5e:00:53:06 used 0/0/0 probes 1 DELAY',
    ].join('\n'),
    neighbours: ['fe80::200:5eff:fe00:5301%eth0 00:00:5E:00:53:01', '2001:db8::2 00:00:5E:00:53:02', 'fe80::6%br-lan.7 00:00:5E:00:53:06'],
  },
  {
    name: 'macOS, arp -an',
    parse: 'parseArpProgram',
    text: [
      '? (192.0.2.1) at 0:0:5e:0:53:1 on en0 ifscope [ethernet]',
      '? (192.0.2.2) at (incomplete) on en0 ifscope [ethernet]',
      '? (224.0.0.251) at 1:0:5e:0:0:fb on en0 ifscope permanent [ethernet]',
      '? (192.0.2.3) at 00:00:5e:00:53:03 on vlan7 expires in 1093 seconds [vlan]',
    ].join('\n'),
    neighbours: ['192.0.2.1 00:00:5E:00:53:01', '192.0.2.3 00:00:5E:00:53:03'],
  },
  {
    name: 'macOS, ndp -an',
    parse: 'parseNdp',
    text: [
      'Neighbor                                Linklayer Address  Netif Expire    St Flgs Prbs',
      'fe80::1%lo0                             (incomplete)         lo0 permanent R            ',
      'fe80::8a%en0                            0:0:5e:0:53:8a       en0 23h59m58s S  R         ',
      '2001:db8::9                             00:00:5e:00:53:09    en0 12s       R            ',
    ].join('\n'),
    neighbours: ['fe80::8a%en0 00:00:5E:00:53:8A', '2001:db8::9 00:00:5E:00:53:09'],
  },
  {
    name: 'Windows, arp -a, in German',
    parse: 'parseWindows',
    text: [
      '',
      'Schnittstelle: 192.0.2.10 --- 0x5',
      '  Internetadresse       Physische Adresse     Typ',
      '  192.0.2.1             00-00-5e-00-53-01     dynamisch ',
      '  192.0.2.255           ff-ff-ff-ff-ff-ff     statisch  ',
    ].join('\r\n'),
    neighbours: ['192.0.2.1 00:00:5E:00:53:01'],
  },
  {
    name: 'Windows, netsh',
    parse: 'parseWindows',
    text: [
      '',
      'Interface 1: Loopback Pseudo-Interface 1',
      '',
      'Internet Address                              Physical Address   Type',
      '--------------------------------------------  -----------------  -----------',
      'ff02::16                                                         Permanent',
      '',
      'Interface 12: Ethernet',
      '',
      'Internet Address                              Physical Address   Type',
      '--------------------------------------------  -----------------  -----------',
      'fe80::1                                       00-00-5e-00-53-01  Reachable (Router)',
      '2001:db8::5                                   00-00-5e-00-53-05  Stale',
      'ff02::1                                       33-33-00-00-00-01  Permanent',
      'fe80::7                                       00-00-00-00-00-00  Unreachable',
    ].join('\r\n'),
    neighbours: ['fe80::1%12 00:00:5E:00:53:01', '2001:db8::5 00:00:5E:00:53:05'],
  },
])('neighbours: $name', ({ parse, text, neighbours }) => expect(shown(PARSERS[parse](text))).toEqual(neighbours));

function shown(neighbours: readonly Neighbour[]): string[] {
  return neighbours.map(({ address, mac }) => `${formatAddress(address)} ${mac}`);
}

test('neighbours: any text ends in a list', () =>
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(PARSERS)), fc.string(), (parse, text) => {
      expect(Array.isArray(parse(text))).toBe(true);
    }),
  ));

test('a system that does not tell is told apart from one without neighbours', async () => {
  expect(await readNeighbours(4, 'aix')).toBeUndefined();
  expect(await readNeighbours(4, 'linux')).toBeDefined();
  // There is no such program here: that is "does not tell" too.
  expect(await readNeighbours(6, 'win32')).toBeUndefined();
});
