import { describe, expect, test } from 'vitest';
import { ledgerErrors } from '../../src/sweep/ledger.ts';
import { accountOf, mostAtOnce } from './account.ts';
import { Lab, type LabOptions, type Profile, REAL, report } from './lab.ts';

/** Forty services in four /24s, so that some of them lie in whatever is dropped. */
const HOSTS: Readonly<Record<string, Profile>> = Object.fromEntries(
  Array.from({ length: 40 }, (_, at): [string, Profile] => [`10.77.${at % 4}.${3 + at * 6}`, at % 2 === 0 ? 'web' : 'tls13']),
);
const WANTED = Object.entries(HOSTS)
  .map(([host, profile]) => `${host} ${profile === 'web' ? 80 : 443}`)
  .toSorted();
const ENDPOINTS = 1024 * 5;

interface Case {
  readonly name: string;
  readonly lab: Omit<LabOptions, 'hosts'>;
  readonly words: readonly string[];
}

const TARGETS = ['10.77.0.0/22', '-p', '80,443,5900,8443,U:623', '--seed', '7'];
const TABLE = { stateTable: { entries: 4096, seconds: 8 } } as const;

describe('a state table of 4,096 entries in the path', REAL, () => {
  test.for<Case>([
    { name: 'fills: the sweep notices, slows down and asks again', lab: TABLE, words: ['--rate', '2000', '--rate-per-24', '2000'] },
    { name: 'is not there: nothing is different', lab: {}, words: ['--rate', '2000', '--rate-per-24', '2000'] },
  ])('$name', async ({ lab: options, words }) => {
    await using lab = await Lab.start({ hosts: HOSTS, ...options });
    const capture = await lab.scanner.capture('path');
    const swept = await lab.scanner.sweep('path', [...TARGETS, ...words], { timeLimitMs: 110_000 });
    const account = accountOf(await capture.packets(), lab.scanner.address);
    const { ledger, completeness } = swept.files.inventory;
    const dropped = options.stateTable === undefined ? 0 : await lab.refused();
    const found = swept.files.observations.filter(({ outcome }) => outcome === 'answered').map(({ host, port }) => `${host} ${port}`);
    const missing = WANTED.filter((service) => !found.includes(service));
    report(
      `exit ${swept.code} after ${swept.seconds.toFixed(1)} s: ${ledger?.packets.tcp} SYNs, ${ledger?.packets.udp} datagrams, ${dropped} packets dropped in the path; missing: ${missing.join(', ') || 'none'}; ${[...completeness.limitations.map(({ text }) => text), ...completeness.notes].join(' | ')}`,
    );
    expect(ledgerErrors(ledger?.ports ?? {})).toEqual([]);
    expect(ledger?.total).toMatchObject({ planned: ENDPOINTS, asked: ENDPOINTS });
    expect(account.datagrams).toBe(ledger?.packets.udp);
    const known = [...completeness.limitations.map(({ text }) => text), ...completeness.notes].join('\n');
    if (options.stateTable === undefined) {
      expect(swept.code).toBe(0);
      expect(missing).toEqual([]);
      expect(known).not.toContain('stopped answering');
      // One a second at most, and one at the end of the last pass.
      const { canaries } = swept.files;
      expect(ledger?.packets.tcp).toBe(account.sweepConnects + canaries);
      expect(canaries).toBeGreaterThan(0);
      expect(canaries).toBeLessThanOrEqual(swept.seconds + 1);
    } else {
      expect(dropped, 'the table was full').toBeGreaterThan(500);
      expect(known).toContain('open ports stopped answering while the sweep went on');
      expect(known).toMatch(/the rate went down to \d+ packets a second/);
      expect(swept.code).toBe(completeness.complete ? 0 : 3);
      if (completeness.complete) expect(missing).toEqual([]);
      expect(known, 'conversations are held again').not.toContain('were cut off');
    }
    expect(mostAtOnce(account.connections).most).toBeLessThanOrEqual(2);
  });

  test('nothing answers: a note says that nobody can tell whether it arrives', async () => {
    await using lab = await Lab.start({ hosts: {} });
    const words = [...TARGETS, '--rate', '10000', '--rate-per-24', '10000', '--retries', '0'];
    const swept = await lab.scanner.sweep('nothing', words);
    const { completeness, ledger } = swept.files.inventory;
    report(`exit ${swept.code} after ${swept.seconds.toFixed(1)} s: ${completeness.notes.join(' | ')}`);
    expect(ledger?.total).toMatchObject({ asked: ENDPOINTS, silent: ENDPOINTS });
    expect(swept.code).toBe(0);
    expect(completeness.notes.join('\n')).toContain('nothing beyond a router answered, so nothing tells whether');
  });
});
