import { describe, expect, test } from 'vitest';
import { accountOf, mostAtOnce, seenPart } from './account.ts';
import { violations } from './grammar.ts';
import { Lab, type Profile, REAL, report } from './lab.ts';
import { EVERYWHERE, EVERYWHERE_TCP, LIVING, LIVING_TCP, spentOn, sum } from './ports.ts';

const HOSTS: Readonly<Record<string, Profile>> = {
  '10.77.0.11': 'bmc',
  '10.77.0.33': 'snmp-v3',
  '10.77.0.77': 'tls13',
  '10.77.0.88': 'printer',
  '10.77.0.99': 'web',
};
const SERVICES = 8;

interface Case {
  readonly mode: 'refuse' | 'unreach';
  /** ICMP errors come back inside the connect() call where there is no delay, which no network does. */
  readonly delayMs: number;
  readonly name: string;
}

describe('the ledger against tcpdump, where addresses without a host answer', REAL, () => {
  test.for<Case>([
    { name: 'refuse', mode: 'refuse', delayMs: 0 },
    { name: 'say that they are not there', mode: 'unreach', delayMs: 5 },
  ])('and $name', async ({ mode, delayMs }) => {
    await using lab = await Lab.start({ hosts: HOSTS, mode, delayMs });
    const capture = await lab.scanner.capture(mode);
    const { code, files, seconds } = await lab.scanner.sweep(mode, ['10.77.0.0/24', '--seed', '11']);
    const packets = await capture.packets();
    const account = accountOf(packets, lab.scanner.address);
    const { ledger } = files.inventory;
    expect(code).toBe(0);
    const living = mode === 'refuse' ? 256 : 5;
    expect(ledger?.total).toMatchObject({
      planned: 256 * (EVERYWHERE + LIVING),
      asked: 256 * EVERYWHERE + living * LIVING - sum(spentOn(1, ledger?.total.skipped)),
      answered: SERVICES,
      givenUp: 0,
      lost: 0,
    });
    expect(seenPart(ledger?.ports ?? {})).toEqual(account.ports);
    expect(ledger?.packets).toEqual({ tcp: account.sweepConnects + files.canaries, udp: account.datagrams });
    expect(files.audit.filter(({ what }) => what === 'connect' || what === 'canary').length).toBe(account.connections.length);
    expect(account.retransmissions).toBeLessThanOrEqual(account.connections.length / 100);
    expect(violations(packets, lab.scanner.address, (address) => /^10\.77\.0\.\d+$/.test(address))).toEqual([]);
    expect(mostAtOnce(account.connections).most).toBeLessThanOrEqual(2);
    const { refused = 0, silent = 0, unreachable = 0 } = ledger?.total ?? {};
    // Five TCP ports are open; the walled host drops all of its own.
    const tcp = EVERYWHERE_TCP + LIVING_TCP;
    if (mode === 'refuse') expect({ refused, unreachable }).toEqual({ refused: 255 * tcp - 5, unreachable: 0 });
    else expect({ refused, unreachable }).toEqual({ refused: 4 * tcp - 5, unreachable: 251 * EVERYWHERE_TCP });
    report(
      `${mode}: ${ledger?.total.answered} answered, ${refused} refused, ${unreachable} unreachable, ${silent} silent; ${ledger?.packets.tcp} + ${ledger?.packets.udp} packets, ${seconds.toFixed(1)} s`,
    );
  });
});
