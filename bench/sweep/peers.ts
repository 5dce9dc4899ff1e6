import type { Lab } from '../../tests/real/lab.ts';
import type { Net } from '../lab/fleet.ts';
import { median } from './measure.ts';
import { seconds, type Table, times, whole } from './report.ts';
import { FACTS, kvmsweep, masscan, nmapAsTyped, nmapTuned, PORTS, type Run } from './tools.ts';

/** Several runs of the same. */
export interface Series<One extends Run = Run> {
  readonly name: string;
  readonly runs: readonly One[];
}

interface Contestant {
  readonly name: string;
  run(): Promise<Run>;
}

/** Runs all of them in turn, and that so many times: what the machine does meanwhile befalls all alike. */
export async function interleaved(contestants: readonly Contestant[], rounds: number): Promise<Series[]> {
  const all = contestants.map(({ name }) => ({ name, runs: [] as Run[] }));
  for (let round = 1; round <= rounds; round += 1)
    for (const [at, contestant] of contestants.entries()) {
      process.stderr.write(`  ${contestant.name} (${round} of ${rounds})\n`);
      all[at]?.runs.push(await contestant.run());
    }
  return all;
}

export const medianOf = ({ runs }: Series, value: (run: Run) => number): number => median(runs.map((run) => value(run)));

/** Names that the targets find their figures by. */
export const NAMES = {
  own: 'kvmsweep, defaults',
  ownFast: 'kvmsweep, same ports and facts, 5,000 a second',
  typed: 'nmap as typed: -T4, two sweeps, scripts',
  tuned: 'nmap, five tuned commands, 5,000 a second',
  masscan: 'masscan, discovery only, 5,000 a second',
} as const;

/** The product and what would be used instead, at the same addresses. */
export async function comparePeers(
  lab: Lab,
  net: Net,
  { rounds, withTyped, withMasscan }: { rounds: number; withTyped: boolean; withMasscan: boolean },
): Promise<Series[]> {
  const { scanner } = lab;
  const { block, bits } = net;
  return interleaved(
    [
      { name: NAMES.own, run: () => kvmsweep(scanner, { block }) },
      {
        name: NAMES.ownFast,
        run: () =>
          kvmsweep(scanner, { block, ports: PORTS, words: ['--rate', '5000', '--rate-per-24', '5000', '--snmp-community', 'public'] }),
      },
      ...(withTyped ? [{ name: NAMES.typed, run: () => nmapAsTyped(scanner, block) }] : []),
      { name: NAMES.tuned, run: () => nmapTuned(scanner, block, bits) },
      ...(withMasscan ? [{ name: NAMES.masscan, run: () => masscan(lab, block, 2 ** (32 - bits), 5000) }] : []),
    ],
    rounds,
  );
}

/** A table of such runs; ratios are to the last of the product's. */
export function peersTable(title: string, net: Net, series: readonly Series[], base: string, notes: readonly string[] = []): Table {
  const baseSeconds = medianOf(series.find(({ name }) => name === base) as Series, (run) => run.seconds);
  return {
    title,
    columns: [
      '',
      'seconds (min / median / max)',
      'ratio',
      'CPU s',
      'packets sent',
      'peak MB',
      `services of ${net.services.size}`,
      FACTS.join(', '),
    ],
    rows: series.map((one) => {
      const all = one.runs.map((run) => run.seconds).toSorted((a, b) => a - b);
      const last = one.runs.at(-1) as Run;
      return [
        one.name,
        `${[all[0], median(all), all.at(-1)].map((value) => seconds(value as number)).join(' / ')}${last.cutOff ? ' (cut off)' : ''}`,
        times(medianOf(one, (run) => run.seconds) / baseSeconds),
        seconds(medianOf(one, (run) => run.cpuSeconds)),
        whole(medianOf(one, (run) => run.packets)),
        whole(medianOf(one, (run) => run.peakMb)),
        String(Math.min(...one.runs.map((run) => found(run, net)))),
        FACTS.map((name) => Math.min(...one.runs.map(({ facts }) => facts[name]))).join(', '),
      ];
    }),
    notes: [`Ratios are to “${base}”; services and facts are those of the worst run.`, ...notes],
  };
}

/** Services that are there and were found. */
export function found(run: Run, net: Net): number {
  return [...net.services].filter((service) => run.services.has(service)).length;
}
