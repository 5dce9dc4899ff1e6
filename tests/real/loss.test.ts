import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lab, type Profile, REAL, report, type Swept } from './lab.ts';
import { SERVICES } from './services.ts';

const SPECIAL: Readonly<Record<string, Profile>> = {
  '10.77.0.11': 'bmc',
  '10.77.0.22': 'old-bmc',
  '10.77.0.33': 'snmp-v3',
  '10.77.0.44': 'vnc-auth',
  '10.77.0.55': 'novnc',
  '10.77.0.66': 'x11vnc',
  '10.77.0.77': 'tls13',
  '10.77.0.88': 'printer',
};
/** Enough services that one lost among them is less than one in a hundred: chance alone loses one in some ten sweeps. */
const HOSTS: Readonly<Record<string, Profile>> = {
  ...Object.fromEntries(
    Array.from({ length: 40 }, (_, at): [string, Profile] => [`10.77.0.${at * 6 + 3}`, at % 2 === 0 ? 'tls13' : 'web']),
  ),
  ...SPECIAL,
};
const WANTED = Object.entries(HOSTS).flatMap(([host, profile]) => (SERVICES[profile] ?? []).map((port) => `${host} ${port}`));

describe('a way with 20 ms of delay that loses one packet of a hundred, each way', REAL, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start({ hosts: HOSTS, delayMs: 20, lossPercent: 1 });
  });
  afterAll(() => lab?.stop());

  const found: string[][] = [];
  const sweeps: Swept[] = [];

  test.for([1, 2, 3])('sweep %s finds every host', async (number) => {
    const swept = await lab.scanner.sweep(`loss${number}`, ['10.77.0.0/24', '--seed', String(number), '--rate-per-24', '2000']);
    expect(swept.code).toBe(0);
    const answered = swept.files.observations.filter(({ outcome }) => outcome === 'answered');
    const services = new Set(answered.map(({ host, port, transport }) => `${host} ${port}/${transport}`));
    const { ledger } = swept.files.inventory;
    report(
      `sweep ${number}: ${ledger?.alive} of ${Object.keys(HOSTS).length} hosts, ${ledger?.total.answered} of ${WANTED.length} services answered, ${services.size} told something; ${swept.seconds.toFixed(1)} s; missing: ${WANTED.filter((service) => !services.has(service)).join(', ') || 'none'}`,
    );
    expect(ledger?.alive).toBe(Object.keys(HOSTS).length);
    expect([...services].filter((service) => !WANTED.includes(service))).toEqual([]);
    found.push([...services]);
    sweeps.push(swept);
  });

  test('of all services in three sweeps at least 99 in 100 are found', async () => {
    const packets = sweeps.reduce(
      (sum, { files }) => sum + (files.inventory.ledger?.packets.tcp ?? 0) + (files.inventory.ledger?.packets.udp ?? 0),
      0,
    );
    const lost = await lab.lost();
    report(`${lost} packets were lost, of ${packets} of the sweeps and those of the answers and conversations`);
    expect(lost).toBeGreaterThan(packets / 200);
    expect(sweeps).toHaveLength(3);
    expect(found.flat().length / (3 * WANTED.length)).toBeGreaterThanOrEqual(0.99);
  });
});
