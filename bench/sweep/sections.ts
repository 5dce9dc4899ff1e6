import { readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accountOf, mostAtOnce } from '../../tests/real/account.ts';
import { withoutTimes } from '../../tests/real/inventories.ts';
import { Lab, type LabOptions, type ObservationLine } from '../../tests/real/lab.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import { emptyPort, portChange } from '../../src/sweep/ledger.ts';
import { isDeepStrictEqual } from 'node:util';
import { type Net, netOf } from '../lab/fleet.ts';
import { median, sum } from './measure.ts';
import { comparePeers, found, interleaved, medianOf, NAMES, peersTable, type Series } from './peers.ts';
import { seconds, type Table, type Target, times, whole } from './report.ts';
import {
  compile,
  connectFloor,
  httpsFloor,
  killedAndResumed,
  kvmsweep,
  masscan,
  nmapAsTyped,
  nmapConnects,
  nmapForAWhile,
  type OwnRun,
  PORTS,
  type Run,
  TCP_PORTS,
} from './tools.ts';

export interface Mode {
  /** How often each command is run. */
  readonly rounds: number;
  /** Less of everything: no section takes more than a minute. */
  readonly quick: boolean;
  /** Whether nmap is run as it is typed, which takes most of the time. */
  readonly withTyped: boolean;
  readonly withMasscan: boolean;
  /** Sweeps of the way that loses packets. */
  readonly lossSweeps: number;
}

export interface Section {
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
}

/** No VNC server of the lab may lock out whom ten tools connect from. */
const labOf = (net: Pick<Net, 'hosts'>, options: Omit<LabOptions, 'hosts'> = {}): Promise<Lab> =>
  Lab.start({ ...options, hosts: net.hosts, vncLockout: 1_000_000 });
/** Addresses of the lab behind which nobody is; larger ones where a difference is to be seen beside what a start costs. */
const SILENT = '10.77.16.0/20';
const SILENT_TCP = '10.77.32.0/19';
const SILENT_UDP = '10.77.64.0/18';
const TIMEOUT_S = 0.8;
const atRate = (rate: number): string[] => ['--rate', String(rate), '--rate-per-24', String(rate)];

const seriesOf = (all: readonly Series[], name: string): Series => all.find((one) => one.name === name) as Series;
const secondsOf = (all: readonly Series[], name: string): number => medianOf(seriesOf(all, name), (run) => run.seconds);
const ratioOf = (all: readonly Series[], name: string, base: string): number => secondsOf(all, name) / secondsOf(all, base);

/** 10 hosts in a /24: everybody. */
async function slash24({ rounds, withTyped, withMasscan }: Mode): Promise<Section> {
  const net = netOf(24);
  await using lab = await labOf(net);
  const all = await comparePeers(lab, net, { rounds, withTyped, withMasscan });
  const tuned = ratioOf(all, NAMES.tuned, NAMES.ownFast);
  return {
    tables: [peersTable('/24, 10 hosts, the rest silent', net, all, NAMES.ownFast)],
    targets: [
      { number: 4, what: '/24: five tuned nmap commands take at least as long (stretch: 1.5 x)', figure: times(tuned), isMet: tuned >= 1 },
      ...(withTyped
        ? [NAMES.own].map((name) => {
            const ratio = ratioOf(all, NAMES.typed, name);
            return { number: 5, what: '/24, defaults: nmap as typed takes at least 5 x', figure: times(ratio), isMet: ratio >= 5 };
          })
        : []),
    ],
  };
}

/** 40 hosts in a /20. nmap as typed takes more than ten minutes there. */
async function slash20({ rounds, withMasscan }: Mode): Promise<Section> {
  const net = netOf(20);
  await using lab = await labOf(net);
  const all = await comparePeers(lab, net, { rounds, withTyped: false, withMasscan });
  const tuned = ratioOf(all, NAMES.tuned, NAMES.ownFast);
  const worst = Math.min(...seriesOf(all, NAMES.own).runs.map((run) => found(run, net)));
  return {
    tables: [peersTable('/20, 40 hosts, the rest silent', net, all, NAMES.ownFast)],
    targets: [
      { number: 4, what: '/20: five tuned nmap commands take at least as long (stretch: 1.5 x)', figure: times(tuned), isMet: tuned >= 1 },
      {
        number: 7,
        what: 'no loss, routed /20: every service',
        figure: `${worst} of ${net.services.size}`,
        isMet: worst === net.services.size,
      },
    ],
  };
}

/** 40 hosts in a /16, at 10,000 packets a second, and how far nmap's defaults come meanwhile. */
async function slash16({ withMasscan }: Mode): Promise<Section> {
  const net = netOf(16);
  await using lab = await labOf(net);
  const { scanner } = lab;
  const AWHILE_MS = 60_000;
  const fast = await kvmsweep(scanner, { block: net.block, ports: PORTS, words: ['--fast'] });
  const typed = await nmapForAWhile(scanner, net.block, AWHILE_MS);
  const series: Series[] = [
    { name: 'kvmsweep --fast, same ports', runs: [fast] },
    { name: 'nmap -sT -T4, for a minute', runs: [typed] },
    ...(withMasscan ? [{ name: 'masscan, discovery only, 10,000 a second', runs: [await masscan(lab, net.block, 65_536, 10_000)] }] : []),
  ];
  const ratio = (typedHours(typed) * 3600) / fast.seconds;
  return {
    tables: [
      peersTable('/16, 40 hosts, the rest silent', net, series, 'kvmsweep --fast, same ports', [
        `At the pace of its first minute nmap -sT -T4 would take ${whole(typedHours(typed))} hours for its TCP sweep.`,
      ]),
    ],
    targets: [
      { number: 6, what: '/16 at 10,000 a second: at most 125 s', figure: `${seconds(fast.seconds)} s`, isMet: fast.seconds <= 125 },
      { number: 6, what: '/16: nmap -sT -T4 would take at least 100 x (by its progress)', figure: times(ratio), isMet: ratio >= 100 },
    ],
  };
}

/** What an admin gets without a thought about speed: the same ports and facts at everybody's defaults. Once: nmap takes most of half an hour. */
async function defaults(): Promise<Section> {
  const tables: Table[] = [];
  for (const bits of [20, 16] as const) {
    const net = netOf(bits);
    await using lab = await labOf(net);
    const own = await kvmsweep(lab.scanner, { block: net.block, ports: PORTS });
    const typed =
      bits === 20 ? await nmapAsTyped(lab.scanner, net.block, 20 * 60_000) : await nmapForAWhile(lab.scanner, net.block, 60_000);
    const series: Series[] = [
      { name: 'kvmsweep, defaults, same ports', runs: [own] },
      { name: bits === 20 ? NAMES.typed : 'nmap -sT -T4, for a minute', runs: [typed] },
    ];
    tables.push(
      peersTable(
        `/${bits} at the defaults, 40 hosts, the rest silent`,
        net,
        series,
        'kvmsweep, defaults, same ports',
        bits === 20 ? [] : [`At the pace of its first minute nmap -sT -T4 would take ${whole(typedHours(typed))} hours for its TCP sweep.`],
      ),
    );
  }
  return { tables, targets: [] };
}

/** What nmap would take for two tries at eight ports of every address of a /16, at its pace until now. */
const typedHours = (typed: Run): number => (typed.seconds * 65_536 * 8 * 2) / typed.packets / 3600;

/** Whether a sweep takes what its packets need: growth from /24 to /16. */
async function growth({ quick, rounds }: Mode): Promise<Section> {
  const cases = [
    { block: '10.77.16.0/24', rate: 1000 },
    { block: '10.77.16.0/24', rate: 5000 },
    { block: SILENT, rate: 5000 },
    { block: SILENT, rate: 10_000 },
    ...(quick
      ? []
      : [
          { block: SILENT, rate: 2000 },
          { block: '10.77.0.0/16', rate: 10_000 },
        ]),
  ];
  await using lab = await labOf({ hosts: { '10.77.0.5': 'web' } });
  const rows: string[][] = [];
  let worst = 0;
  for (const { block, rate } of cases) {
    const often = block.endsWith('/16') ? 1 : rounds;
    const runs: OwnRun[] = [];
    for (let round = 0; round < often; round += 1) runs.push(await kvmsweep(lab.scanner, { block, ports: PORTS, words: atRate(rate) }));
    const packets = median(runs.map(({ ledger }) => ledger.packets.tcp + ledger.packets.udp));
    const wall = median(runs.map((run) => run.seconds));
    const allowed = (1.05 * packets) / rate + 2 * TIMEOUT_S;
    worst = Math.max(worst, wall / allowed);
    rows.push([
      block,
      whole(rate),
      whole(packets),
      seconds(wall),
      seconds(packets / rate),
      seconds(allowed),
      (wall / allowed).toFixed(2),
      seconds(median(runs.map((run) => run.cpuSeconds))),
      whole(Math.max(...runs.map((run) => run.peakMb))),
    ]);
  }
  return {
    tables: [
      {
        title: 'Growth, silent networks, same ports',
        columns: ['block', 'packets a second', 'packets', 'seconds', 'packets / rate', 'allowed', 'of it', 'CPU s', 'peak MB'],
        rows,
        notes: ['Allowed: 1.05 x packets / rate, and two time-outs of 0.8 s. Seconds are those of the whole command, its start included.'],
      },
    ],
    targets: [
      {
        number: 1,
        what: 'wall at most 1.05 x packets / rate + 2 time-outs',
        figure: `at worst ${worst.toFixed(2)} of it`,
        isMet: worst <= 1,
      },
    ],
  };
}

/** What a packet costs, where nobody answers. */
async function probes({ rounds }: Mode): Promise<Section> {
  const RATE = 10_000;
  await using lab = await labOf({ hosts: { '10.77.0.5': 'web' } });
  const { scanner } = lab;
  const once = ['--retries', '0', ...atRate(RATE)];
  const none = { services: new Set<string>(), facts: {} as Run['facts'], cutOff: false };
  const all = await interleaved(
    [
      { name: 'kvmsweep, one address', run: () => kvmsweep(scanner, { block: '10.77.16.1', ports: '80', words: once }) },
      { name: 'kvmsweep, TCP', run: () => kvmsweep(scanner, { block: SILENT_TCP, ports: TCP_PORTS, words: once }) },
      { name: 'kvmsweep, UDP', run: () => kvmsweep(scanner, { block: SILENT_UDP, ports: 'U:161,U:623', words: once }) },
      { name: 'C, TCP', run: async () => ({ ...(await connectFloor(lab, SILENT_TCP, RATE)), ...none }) },
      { name: 'nmap -sT, tuned', run: () => nmapConnects(scanner, SILENT_TCP, RATE) },
    ],
    rounds,
  );
  const start = medianOf(seriesOf(all, 'kvmsweep, one address'), (run) => run.cpuSeconds);
  const each = (name: string, base: number): number =>
    (medianOf(seriesOf(all, name), (run) => run.cpuSeconds) - base) / medianOf(seriesOf(all, name), (run) => run.packets);
  const [tcp, udp, floor] = [each('kvmsweep, TCP', start), each('kvmsweep, UDP', start), each('C, TCP', 0)];
  const connects = seriesOf(all, 'nmap -sT, tuned');
  const wall = secondsOf(all, 'kvmsweep, TCP') / secondsOf(all, 'nmap -sT, tuned');
  const cpu = medianOf(seriesOf(all, 'kvmsweep, TCP'), (run) => run.cpuSeconds) / medianOf(connects, (run) => run.cpuSeconds);
  return {
    tables: [
      {
        title: 'One pass at 10,000 a second: eight TCP ports of a silent /19, three datagrams to a silent /18',
        columns: ['', 'seconds', 'CPU s', 'packets', 'CPU, µs a packet'],
        rows: all.map((series) => [
          series.name,
          seconds(medianOf(series, (run) => run.seconds)),
          seconds(medianOf(series, (run) => run.cpuSeconds)),
          whole(medianOf(series, (run) => run.packets)),
          series.name === 'kvmsweep, one address'
            ? ''
            : (each(series.name, series.name.startsWith('kvmsweep') ? start : 0) * 1e6).toFixed(1),
        ]),
        notes: ['Of the product’s CPU that of its start (the sweep of one address) is taken off before it is divided.'],
      },
    ],
    targets: [
      {
        number: 2,
        what: 'CPU: a TCP probe at most 2.5 x the same in C; UDP at most 0.35 x TCP',
        figure: `${times(tcp / floor)}; ${times(udp / tcp)}`,
        isMet: tcp / floor <= 2.5 && udp / tcp <= 0.35,
      },
      {
        number: 3,
        what: 'one pass at one rate against tuned nmap -sT: wall at most 1.25 x, CPU at most 0.5 x',
        figure: `${times(wall)}; ${times(cpu)}`,
        isMet: wall <= 1.25 && cpu <= 0.5,
      },
    ],
  };
}

/** Memory by the size of the network, up to a /12, and how late the event loop is. */
async function memory({ quick }: Mode): Promise<Section> {
  const net = netOf(20);
  await using lab = await labOf(net);
  const { scanner } = lab;
  spawnSync('ip', ['-n', scanner.namespace, 'route', 'add', '10.64.0.0/12', 'via', scanner.address.replace(/1$/, '2')]);
  await lab.onFleet(['ip', 'route', 'add', 'blackhole', '10.64.0.0/12']).finished;
  const cases = ['10.77.0.0/24', '10.77.0.0/20', ...(quick ? [] : ['10.77.0.0/16']), '10.64.0.0/12'];
  const runs: (OwnRun & { block: string })[] = [];
  for (const block of cases) {
    const wide = block.endsWith('/12') || block.endsWith('/16');
    const limit = wide ? { endAfterMs: quick ? 20_000 : 120_000 } : {};
    runs.push({
      block,
      ...(await kvmsweep(scanner, { block, ports: PORTS, words: atRate(10_000), only: '10.64.0.0/12', watchLoop: true, ...limit })),
    });
  }
  const peak = Math.max(...runs.map((run) => run.peakMb));
  const late = Math.max(...runs.map((run) => run.loopP99Ms));
  return {
    tables: [
      {
        title: 'Memory and event loop, 10,000 a second, 40 hosts in the first /20',
        columns: ['block', 'seconds', 'endpoints asked', 'peak MB', 'event loop late, ms (99 %)', 'at most'],
        rows: runs.map((run) => [
          run.block,
          `${seconds(run.seconds)}${run.cutOff ? ' (ended)' : ''}`,
          whole(run.ledger.total.asked),
          whole(run.peakMb),
          run.loopP99Ms.toFixed(1),
          run.loopMaxMs.toFixed(0),
        ]),
        notes: ['“Ended” ones were stopped as by Ctrl-C; the tables of a sweep are as large from its beginning.'],
      },
    ],
    targets: [
      {
        number: 10,
        what: `RSS at most 250 MB, ${cases.map((block) => block.slice(block.indexOf('/'))).join(', ')}`,
        figure: `${whole(peak)} MB`,
        isMet: peak <= 250,
      },
      { number: 10, what: 'event loop at most 20 ms late in 99 of 100 turns', figure: `${late.toFixed(1)} ms`, isMet: late <= 20 },
    ],
  };
}

/** What an observation holds, by the slope from few to many. */
async function held({ quick }: Mode): Promise<Section> {
  const net = netOf(24);
  await using lab = await labOf(net);
  const { observations, base } = await kvmsweep(lab.scanner, { block: net.block });
  const [first = ''] = readFileSync(`${base}.ndjson`, 'utf8').split('\n', 1);
  const hosts = Object.keys(net.hosts);
  const sizes = quick ? [2000, 10_000] : [10_000, 60_000];
  const files = sizes.map((size) => {
    const file = join(lab.folder, `many${size}.ndjson`);
    // Each time all hosts once more, at new addresses.
    const lines = Array.from({ length: size }, (_, i) => {
      const one = observations[i % observations.length] as ObservationLine;
      const at = Math.floor(i / observations.length) * hosts.length + hosts.indexOf(one.host);
      return JSON.stringify({ ...one, host: `10.${64 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}` });
    });
    writeFileSync(file, `${[first, ...lines].join('\n')}\n`);
    return file;
  });
  const script = fileURLToPath(new URL('../lab/held-memory.ts', import.meta.url));
  const [few = Number.NaN, many = Number.NaN] = files.map((file) =>
    Number(spawnSync(process.execPath, ['--expose-gc', script, file], { encoding: 'utf8' }).stdout),
  );
  const bytes = (many - few) / ((sizes[1] ?? 0) - (sizes[0] ?? 0));
  return {
    tables: [],
    targets: [
      {
        number: 10,
        what: 'an observation holds at most 1.3 KB, its part of the inventory included',
        figure: `${whole(bytes)} bytes`,
        isMet: bytes <= 1.3 * 1024,
      },
    ],
  };
}

/** What a device notices of a sweep, seen on the link. */
async function devices({ withTyped }: Mode): Promise<Section> {
  const net = netOf(24);
  await using lab = await labOf(net);
  const { scanner } = lab;
  const living = new Set(Object.keys(net.hosts));
  const watched = async (name: string, run: () => Promise<Run>) => {
    const capture = await scanner.capture(name);
    await run();
    const { stdout: waiting } = await scanner.run(['ss', '-Htan', 'state', 'time-wait']);
    const packets = await capture.packets();
    const { connections } = accountOf(packets, scanner.address);
    const accepted = [
      ...Map.groupBy(
        connections.filter(({ server, outcome }) => living.has(server) && outcome === 'accepted'),
        ({ server }) => server,
      ).values(),
    ];
    return {
      name,
      packets: packets.filter(({ source, target }) => source === scanner.address && living.has(target)).length / living.size,
      connections: sum(accepted.map(({ length }) => length)) / living.size,
      mostConnections: Math.max(...accepted.map(({ length }) => length)),
      atOnce: mostAtOnce(connections).most,
      timeWait: waiting.split('\n').filter((line) => line !== '').length,
    };
  };
  const own = await watched('kvmsweep, its own ports', () => kvmsweep(scanner, { block: net.block }));
  const same = await watched('kvmsweep, same ports', () => kvmsweep(scanner, { block: net.block, ports: PORTS }));
  const typed = withTyped ? await watched('nmap as typed, its two phases', () => nmapAsTyped(scanner, net.block)) : undefined;
  const all = [own, same, ...(typed === undefined ? [] : [typed])];
  return {
    tables: [
      {
        title: 'What a living device notices (/24, defaults)',
        columns: ['', 'packets to it', 'connections it accepted', 'the most of one', 'at once', 'TIME_WAIT left on the scanner'],
        rows: all.map((one) => [
          one.name,
          whole(one.packets),
          one.connections.toFixed(1),
          whole(one.mostConnections),
          whole(one.atOnce),
          whole(one.timeWait),
        ]),
      },
    ],
    targets: [
      {
        number: 9,
        what: 'never more than 2 connections at once to a device, at most 10 in all, no TIME_WAIT from probes',
        figure: `${own.atOnce}; ${own.mostConnections}; ${own.timeWait} in all, conversations included`,
        // A conversation may leave one; there are a hundred probes to each.
        isMet: own.atOnce <= 2 && own.mostConnections <= 10 && own.timeWait <= own.connections * living.size,
      },
      ...(typed === undefined
        ? []
        : [
            {
              number: 9,
              what: 'packets and connections of a living device at most those of nmap’s two phases, same ports',
              figure: `${whole(same.packets)} of ${whole(typed.packets)}; ${same.connections.toFixed(1)} of ${typed.connections.toFixed(1)}`,
              isMet: same.packets <= typed.packets && same.connections <= typed.connections,
            },
          ]),
    ],
  };
}

/** Directly attached, with the neighbour table as it is; few descriptors. */
async function limits(): Promise<Section> {
  const net = netOf(20);
  await using lab = await labOf(net, { onLinkBits: 20 });
  const run = await kvmsweep(lab.scanner, { block: net.block });
  const few = await kvmsweep(lab.scanner, { block: net.block, words: ['--fast'], descriptors: 300 });
  const all = found(run, net);
  const withFew = found(few, net);
  return {
    tables: [
      {
        title: 'Limits of this machine, /20 on the link, as nobody',
        columns: ['', 'services', 'complete', 'seconds'],
        rows: [
          [
            'default neighbour table',
            `${all} of ${net.services.size}`,
            run.complete ? 'yes' : run.limitations.join(', '),
            seconds(run.seconds),
          ],
          [
            'the same, 300 descriptors, --fast',
            `${withFew} of ${net.services.size}`,
            few.complete ? 'yes' : few.limitations.join(', '),
            seconds(few.seconds),
          ],
        ],
      },
    ],
    targets: [
      {
        number: 7,
        what: 'no loss, on-link /20: every service',
        figure: `${all} of ${net.services.size}`,
        isMet: all === net.services.size,
      },
      {
        number: 8,
        what: 'nothing lost silently: neighbour table, descriptors (tracking table and receive drops: tests/sweep, tests/real)',
        figure: [run, few]
          .map((one) => `${found(one, net)} of ${net.services.size}, ${one.complete ? 'complete' : 'incomplete'}`)
          .join('; '),
        isMet: [run, few].every((one) => !one.complete || found(one, net) === net.services.size),
      },
    ],
  };
}

/** 20 ms and one packet of a hundred lost, each way. */
async function loss({ lossSweeps }: Mode): Promise<Section> {
  const net = netOf(20);
  await using lab = await labOf(net, { delayMs: 20, lossPercent: 1 });
  const runs: OwnRun[] = [];
  for (let at = 0; at < lossSweeps; at += 1) {
    process.stderr.write(`  1 % loss (${at + 1} of ${lossSweeps})\n`);
    runs.push(await kvmsweep(lab.scanner, { block: net.block, words: ['--seed', String(at + 1)] }));
  }
  const services = sum(runs.map((run) => found(run, net)));
  const hosts = sum(runs.map(({ ledger }) => ledger.alive));
  const [allServices, allHosts] = [net.services.size * runs.length, Object.keys(net.hosts).length * runs.length];
  return {
    tables: [],
    targets: [
      {
        number: 7,
        what: `1 % loss, 20 ms, /20, ${runs.length} sweeps at the defaults: at least 99.9 % of hosts and services`,
        figure: `${hosts} of ${allHosts} hosts, ${services} of ${allServices} services`,
        isMet: hosts >= 0.999 * allHosts && services >= 0.999 * allServices,
      },
    ],
  };
}

/** Every address answers. */
async function answers(mode: Mode): Promise<Section> {
  const { quick } = mode;
  await using lab = await labOf({ hosts: { '10.77.255.9': 'web' } }, { mode: 'refuse' });
  const { scanner } = lab;
  lab.onFleet([await compile(lab, 'answer-all'), '161']);
  const RATE = 20_000;
  const block = quick ? '10.77.0.0/20' : '10.77.0.0/18';
  const echoed = await kvmsweep(scanner, { block, ports: 'U:161', words: ['--retries', '0', ...atRate(RATE)] });
  const taken = echoed.ledger.stray + echoed.ledger.total.answered;
  const { udp } = echoed.ledger.packets;
  const pages = await secured(lab, mode);
  return {
    tables: [
      {
        title: 'Where everybody answers over UDP',
        columns: ['', 'answered', 'seconds', 'CPU s', 'peak MB'],
        rows: [
          [
            `UDP 161 of ${whole(udp)} addresses, ${whole(RATE)} a second`,
            whole(taken),
            seconds(echoed.seconds),
            seconds(echoed.cpuSeconds),
            whole(echoed.peakMb),
          ],
        ],
      },
      ...pages.tables,
    ],
    targets: [
      {
        number: 11,
        what: 'no UDP answer lost at 20,000 a second',
        figure: `${whole(udp - taken)} of ${whole(udp)} lost`,
        isMet: taken === udp,
      },
      ...pages.targets,
    ],
  };
}

/** What an HTTPS endpoint costs: by the difference between some and twice as many, so that start and definitions are not in it. */
async function secured(lab: Lab, { quick, rounds }: Mode): Promise<Section> {
  const { scanner } = lab;
  // A certificate and a page at port 443 of every address; in each page stands its address, so that no two are alike.
  const site = `events { worker_connections 4096; } daemon off; pid ${lab.folder}/all.pid; http { default_type text/html; ssl_session_cache off; access_log off;
    server { listen 443 ssl; ssl_certificate ${lab.folder}/tls/bmc.crt; ssl_certificate_key ${lab.folder}/tls/bmc.key; root ${lab.folder}/www/bmc;
      ssl_protocols TLSv1.2 TLSv1.3; sub_filter 'Setting 7<' 'Setting $server_addr<'; } }`;
  writeFileSync(join(lab.folder, 'all.conf'), site);
  lab.onFleet(['nginx', '-e', join(lab.folder, 'log', 'all'), '-c', join(lab.folder, 'all.conf')]);
  await lab.onFleet(['bash', '-c', 'for _ in $(seq 100); do ss -Hltn "sport = :443" | grep -q . && break; sleep 0.1; done']).finished;
  const bits = quick ? 24 : 22;
  const some = 2 ** (32 - bits);
  const words = ['--retries', '0', ...atRate(10_000)];
  const none = { services: new Set<string>(), facts: {} as Run['facts'], cutOff: false };
  const own = async (wide: number): Promise<OwnRun> => {
    const run = await kvmsweep(scanner, { block: `10.77.0.0/${wide}`, ports: '443', words });
    if (run.facts['http-title'] !== 2 ** (32 - wide)) throw new Error(`${run.facts['http-title']} pages of a /${wide}`);
    return run;
  };
  const names = { own: 'kvmsweep', ownTwice: 'kvmsweep, twice as many', floor: 'node:https', floorTwice: 'node:https, twice as many' };
  const all = await interleaved(
    [
      { name: names.own, run: () => own(bits) },
      { name: names.ownTwice, run: () => own(bits - 1) },
      { name: names.floor, run: async () => ({ ...(await httpsFloor(lab, '10.77.0.0', some)), ...none }) },
      { name: names.floorTwice, run: async () => ({ ...(await httpsFloor(lab, '10.77.0.0', 2 * some)), ...none }) },
    ],
    rounds,
  );
  const cpu = (name: string): number => medianOf(seriesOf(all, name), (run) => run.cpuSeconds);
  const each = ((cpu(names.ownTwice) - cpu(names.own)) * 1000) / some;
  const floor = ((cpu(names.floorTwice) - cpu(names.floor)) * 1000) / some;
  return {
    tables: [
      {
        title: 'Where everybody answers over HTTPS',
        columns: ['', 'endpoints', 'seconds', 'CPU s', 'CPU, ms for each more', 'peak MB'],
        rows: all.map((series) => [
          series.name,
          whole(series.name === names.own || series.name === names.floor ? some : 2 * some),
          seconds(medianOf(series, (run) => run.seconds)),
          seconds(cpu(series.name)),
          series.name === names.ownTwice ? each.toFixed(2) : series.name === names.floorTwice ? floor.toFixed(2) : '',
          whole(medianOf(series, (run) => run.peakMb)),
        ]),
        notes: [
          'In an endpoint of kvmsweep: the connection, one TLS handshake, the certificate read, four requests (page, icon, Redfish root twice), the page parsed, hashes, matching, journal, and its part of the inventory.',
          'In one of node:https: the connection, one TLS handshake, the certificate in DER, one request for the page; nothing is read in either.',
        ],
      },
    ],
    targets: [
      {
        number: 12,
        what: 'CPU at most 1 ms for an HTTPS endpoint (beside it: that of a bare page and certificate with node:https)',
        figure: `${each.toFixed(2)} ms; ${times(each / floor)} of ${floor.toFixed(2)} ms`,
        isMet: each <= 1,
      },
    ],
  };
}

/** Killed at 10, 50 and 90 % of the packets, and resumed: what is sent twice, and whether the inventory is the same. */
async function resume({ quick }: Mode): Promise<Section> {
  const cases: readonly { bits: 20 | 24; words: readonly string[] }[] = [
    ...(quick ? [] : [{ bits: 20 as const, words: [] }]),
    { bits: 20, words: atRate(5000) },
    { bits: 24, words: [] },
  ];
  const rows: string[][] = [];
  const targets: Target[] = [];
  for (const { bits, words } of cases) {
    const net = netOf(bits);
    await using lab = await labOf(net);
    const { scanner } = lab;
    const what = `/${bits}, ${words.length === 0 ? 'defaults' : words.join(' ')}`;
    const options = { block: net.block, words: [...words, '--seed', '7'], watchLoop: true };
    const row = (when: string, run: OwnRun, [until = '', repeated = '', same = '', otherwise = '']: readonly string[] = []): string[] => {
      const { lines, bytes } = checkpointsOf(run);
      const [packets, late] = [[whole(run.packets), whole(run.kernelRepeats)], run.loopP99Ms.toFixed(1)];
      return [what, when, until, ...packets, repeated, same, otherwise, whole(lines), whole(bytes / 1024), late];
    };
    process.stderr.write(`  ${what}\n`);
    const undisturbed = await kvmsweep(scanner, options);
    rows.push(row('not killed', undisturbed));
    let worst = -Infinity;
    let same = 0;
    let others = 0;
    for (const share of [0.1, 0.5, 0.9]) {
      process.stderr.write(`  ${what}, killed at ${share * 100} %\n`);
      const run = await killedAndResumed(scanner, options, Math.round(share * undisturbed.packets));
      const repeated = run.packets - run.kernelRepeats - (undisturbed.packets - undisturbed.kernelRepeats);
      const isSame = isDeepStrictEqual(foundBy(run), foundBy(undisturbed));
      const otherwise = otherwiseAsked(run, undisturbed);
      worst = Math.max(worst, repeated / undisturbed.packets);
      same += Number(isSame);
      others = Math.max(others, otherwise);
      rows.push(
        row(`${share * 100} %`, run, [
          whole(run.killedAt),
          `${whole(repeated)} (${percent(repeated / undisturbed.packets)})`,
          isSame ? 'yes' : 'no',
          whole(otherwise),
        ]),
      );
    }
    targets.push({
      number: 13,
      // What is in flight alone is more on a /24.
      what: `${what}: killed three times, the inventory is the same but for times${bits === 24 ? '' : ', and less than 1 % is sent twice'}`,
      figure: `${same} of 3, at most ${others} endpoints otherwise accounted for; at most ${percent(worst)}`,
      isMet: same === 3 && (bits === 24 || worst < 0.01),
    });
  }
  return {
    tables: [
      {
        title: 'kill -9, and resumed',
        columns: [
          'sweep',
          'killed at',
          'packets until then',
          'in all',
          'of them the kernel’s',
          'repeated',
          'same',
          'otherwise accounted',
          'checkpoints',
          'KB of them',
          'loop late, ms (99 %)',
        ],
        rows,
        notes: [
          'Packets are all that left by the link, conversations and canaries included: those of two undisturbed sweeps differ by some too. The kernel’s are SYNs that it sent again by itself because the machine was busy; they are left out of what is repeated.',
          '“Same”: the inventory but for times and account. “Otherwise accounted”: of the account by port, endpoints in another column. How many datagrams a conversation takes depends on how busy the machine is, and what a device is asked at last on how many are left.',
        ],
      },
    ],
    targets,
  };
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

const inventoryOf = ({ base }: OwnRun): Inventory => JSON.parse(readFileSync(`${base}.json`, 'utf8')) as Inventory;

const foundBy = (run: OwnRun): object => withoutTimes({ ...inventoryOf(run), ledger: { ...run.ledger, ports: {}, total: emptyPort() } });

/** Endpoints that one account has in another column than the other. */
function otherwiseAsked({ ledger: one }: OwnRun, { ledger: other }: OwnRun): number {
  const moved = Object.entries(one.ports).flatMap(([name, port]) => {
    const { asked: _, skipped = {}, ...outcomes } = portChange(other.ports[name] ?? emptyPort(), port) ?? {};
    return [...Object.values(outcomes), ...Object.values(skipped)].map(Math.abs);
  });
  return sum(moved) / 2;
}

/** What of a journal is the state of its sweep. */
function checkpointsOf({ base }: OwnRun): { lines: number; bytes: number } {
  const lines = readFileSync(`${base}.ndjson`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"v":1,"kind":"checkpoint"'));
  return { lines: lines.length, bytes: sum(lines.map((line) => line.length + 1)) };
}

export const SECTIONS = {
  slash24,
  slash20,
  slash16,
  defaults,
  growth,
  probes,
  memory,
  held,
  devices,
  limits,
  loss,
  resume,
  answers,
} as const;
export type SectionName = keyof typeof SECTIONS;
/** Those that fit into three minutes. */
export const QUICK: readonly SectionName[] = ['slash24', 'probes', 'memory', 'held', 'devices', 'answers'];
