import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Inventory } from '../../src/inventory/schema.ts';
import { ledgerErrors } from '../../src/sweep/ledger.ts';
import { type Account, accountOf } from './account.ts';
import { withoutTimes } from './inventories.ts';
import {
  type Finished,
  Lab,
  type ObservationLine,
  type OtherLine,
  type Profile,
  REAL,
  report,
  type Scanner,
  type SweepFiles,
} from './lab.ts';

const HOSTS: Readonly<Record<string, Profile>> = {
  '10.77.0.11': 'bmc',
  '10.77.1.22': 'vnc-auth',
  '10.77.1.33': 'snmp-v3',
  '10.77.2.44': 'tls13',
  '10.77.2.55': 'printer',
  '10.77.3.66': 'web',
};
const RATE = 700;
const ENDPOINTS = 1024 * 5;
const SWEEP = ['10.77.0.0/22', '-p', '80,443,5900,U:161,U:623', '--rate', String(RATE), '--rate-per-24', String(RATE), '--seed', '5'];
/** What leaves in a quarter of a second: in 100 ms that answers are awaited, in some 20 ms between two checkpoints, and the conversations that were open. */
const MAX_REPEATED = RATE / 4;

/** The state of a sweep in its journal: how much of the ledger is asked (0 to 1), and which pass is under way (0: UDP, 1: TCP, then again). */
interface Reached {
  readonly share: number;
  readonly pass: number;
}

/** A sweep that was ended early and continued, with what left the machine in both parts. */
interface Part {
  readonly when: string;
  readonly stopped: Finished;
  /** The ledger and the inventory as the first part left them. */
  readonly asked: number;
  readonly partial: Inventory | undefined;
  readonly resumed: Finished;
  readonly files: SweepFiles;
  readonly account: Account;
  readonly sent: number;
}

/** Ends a sweep as soon as its journal says that it has come so far. */
async function stopAndResume(
  scanner: Scanner,
  when: string,
  hasReached: (now: Reached) => boolean,
  signal: 'SIGKILL' | 'SIGINT',
): Promise<Part> {
  const name = when.replaceAll(/\W+/g, '-');
  const capture = await scanner.capture(name);
  const running = scanner.kvmsweep(['scan', '-o', `${name}.json`, ...SWEEP]);
  const files = scanner.read(name);
  const reached = (): Reached => {
    const last = existsSync(`${files.base}.ndjson`) ? files.journal.filter(isLedgerLine).at(-1) : undefined;
    return { share: (last?.ledger?.total.asked ?? 0) / ENDPOINTS, pass: last?.checkpoint?.pass ?? 0 };
  };
  while (!hasReached(reached()) && running.process.exitCode === null) await sleep(50);
  running.process.kill(signal);
  const stopped = await running.finished;
  // A kill may have torn the last line; what is before it must be whole.
  const ledgers = files.journal.filter(isLedgerLine);
  const partial = files.hasInventory ? files.inventory : undefined;
  const resumed = await scanner.kvmsweep(['scan', '--resume', `${name}.ndjson`]).finished;
  const account = accountOf(await capture.packets(), scanner.address);
  return {
    when,
    stopped,
    asked: ledgers.at(-1)?.ledger?.total.asked ?? 0,
    partial,
    resumed,
    files,
    account,
    sent: account.connections.length + account.datagrams,
  };
}

/** One checkpoint a second has the account. */
function isLedgerLine(line: ObservationLine | OtherLine): line is OtherLine {
  return (line.kind === 'checkpoint' || line.kind === 'end') && line.ledger !== undefined;
}

function conversations(files: SweepFiles): string[] {
  return [...new Set(files.observations.map(({ host, port, probe, outcome }) => `${host} ${port} ${probe} ${outcome}`))].toSorted();
}

/** How often each endpoint that never answered was tried. */
function tries(account: Account): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { server, serverPort, outcome } of account.connections)
    if (outcome === 'silent') counts.set(`${server}:${serverPort}`, (counts.get(`${server}:${serverPort}`) ?? 0) + 1);
  return counts;
}

describe('killed and resumed', REAL, () => {
  let lab: Lab;
  let whole: { finished: Finished; files: SweepFiles; account: Account; sent: number };
  let killed: Part[];
  let interrupted: Part;

  // All at once, each from a place of its own: the servers see five scanners, and the test takes as long as one sweep.
  beforeAll(async () => {
    lab = await Lab.start({ hosts: HOSTS, scanners: 6 });
    const [first, second, third, fourth, fifth, sixth] = lab.scanners as [Scanner, Scanner, Scanner, Scanner, Scanner, Scanner];
    const baseline = async (): Promise<void> => {
      const capture = await first.capture('whole');
      const { files, ...finished } = await first.sweep('whole', SWEEP);
      const account = accountOf(await capture.packets(), first.address);
      whole = { finished, files, account, sent: account.connections.length + account.datagrams };
    };
    [, interrupted, ...killed] = await Promise.all([
      baseline(),
      stopAndResume(second, 'Ctrl-C at 70 %', ({ share }) => share >= 0.7, 'SIGINT'),
      stopAndResume(third, 'killed at 10 %', ({ share }) => share >= 0.1, 'SIGKILL'),
      stopAndResume(fourth, 'killed at 50 %', ({ share }) => share >= 0.5, 'SIGKILL'),
      stopAndResume(fifth, 'killed at 90 %', ({ share }) => share >= 0.9, 'SIGKILL'),
      stopAndResume(sixth, 'killed in the last pass', ({ pass }) => pass >= 3, 'SIGKILL'),
    ]);
  }, 120_000);
  afterAll(() => lab?.stop());

  test('the sweep that nobody disturbed is complete', () => {
    expect(whole.finished.code).toBe(0);
    const { ledger } = whole.files.inventory;
    expect(ledger?.total).toMatchObject({ planned: ENDPOINTS, asked: ENDPOINTS, answered: 9, lost: 0, givenUp: 0 });
    expect(ledger?.packets).toEqual({ tcp: whole.account.sweepConnects + whole.files.canaries, udp: whole.account.datagrams });
    report(`undisturbed: ${whole.sent} packets in ${whole.finished.seconds.toFixed(1)} s`);
  });

  test.for([0, 1, 2, 3])(
    'kill -9 (%s): the rest is swept, less than a quarter of a second is repeated, and the inventory is the same',
    (at) => {
      const { when, stopped, asked, resumed, files, account, sent } = killed[at] as Part;
      expect(stopped.signal).toBe('SIGKILL');
      expect(resumed.code).toBe(0);
      const repeated = sent - whole.sent;
      report(
        `${when}: ${asked} of ${ENDPOINTS} endpoints in the journal; ${sent} packets in both parts, ${repeated} repeated (at most ${MAX_REPEATED})`,
      );
      expect(repeated).toBeLessThan(MAX_REPEATED);
      expect(withoutTimes(files.inventory)).toEqual(withoutTimes(whole.files.inventory));
      expect(files.inventory.run?.resumedAt).toHaveLength(1);
      expect(ledgerErrors(files.inventory.ledger?.ports ?? {})).toEqual([]);
      expect(conversations(files)).toEqual(conversations(whole.files));
      // Nothing was passed over: whatever stays silent has been asked as often as without the kill.
      const [got, wanted] = [tries(account), tries(whole.account)];
      expect([...wanted].filter(([endpoint, times]) => (got.get(endpoint) ?? 0) < times)).toEqual([]);
    },
  );

  test('Ctrl-C: ends with 130 and a partial inventory that says so; a resume completes it', () => {
    const { stopped, partial, resumed, files, sent } = interrupted;
    expect(stopped).toMatchObject({ code: 130, signal: null });
    expect(stopped.stderr).toContain('INCOMPLETE');
    expect(partial?.completeness.complete).toBe(false);
    expect(partial?.completeness.limitations.map(({ what }) => what)).toEqual(['interrupted']);
    expect(ledgerErrors(partial?.ledger?.ports ?? {})).toEqual([]);
    expect(resumed.code).toBe(0);
    report(
      `Ctrl-C at 70 % of the ledger: ${partial?.ledger?.total.asked} of ${ENDPOINTS} endpoints in the partial inventory, skipped ${JSON.stringify(partial?.ledger?.total.skipped)}; ${sent - whole.sent} packets repeated`,
    );
    expect(sent - whole.sent).toBeLessThan(MAX_REPEATED);
    expect(withoutTimes(files.inventory)).toEqual(withoutTimes(whole.files.inventory));
    expect(conversations(files)).toEqual(conversations(whole.files));
  });
});
