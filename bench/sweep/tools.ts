import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Inventory } from '../../src/inventory/schema.ts';
import type { Ledger } from '../../src/sweep/ledger.ts';
import { KVMSWEEP, type Lab, type ObservationLine, type Running, type Scanner } from '../../tests/real/lab.ts';
import { type Effort, measure, type Measured, packetsSent, together } from './measure.ts';

/** The ports that all tools ask in a comparison. */
export const TCP_PORTS = '80,443,5000,5900,5901,8080,8443,8888';
const UDP_PORTS = '161,623';
/** The same as the product is told them. */
export const PORTS = `${TCP_PORTS},U:161,U:623`;
const WATCH = fileURLToPath(new URL('../lab/watch-process.mjs', import.meta.url));

/** What `used.json` of `watch-process.mjs` holds. */
interface Used {
  /** Of a timer of one millisecond, in 99 of 100 of its turns, in milliseconds. */
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  /** The most that was resident. */
  readonly peakMb: number;
}

/** What is learnt of a service, by the names of nmap's scripts. */
export const FACTS = ['http-title', 'ssl-cert', 'vnc-info', 'ipmi-version', 'snmp-info', 'snmp-sysdescr'] as const;
export type FactCounts = Readonly<Record<(typeof FACTS)[number], number>>;

/** One run of one tool. */
export interface Run extends Effort {
  /** `10.77.0.5 443/tcp` */
  readonly services: ReadonlySet<string>;
  readonly facts: FactCounts;
  /** Whether it was cut off by the bench's limit. */
  readonly cutOff: boolean;
}

/** A run of the product. */
export interface OwnRun extends Run {
  readonly ledger: Ledger;
  readonly complete: boolean;
  readonly limitations: readonly string[];
  readonly observations: readonly ObservationLine[];
  /** The inventory's and journal's path without the ending. */
  readonly base: string;
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  readonly exitCode: number | null;
}

export interface OwnOptions {
  readonly block: string;
  /** `80,443,U:161`; otherwise the product's own. */
  readonly ports?: string | undefined;
  readonly words?: readonly string[];
  /** Ended with Ctrl-C's signal after so long. */
  readonly endAfterMs?: number;
  /** The block it may send to, where that is not the lab's. */
  readonly only?: string;
  /** Descriptors. */
  readonly descriptors?: number;
  /** Whether it is measured how late the event loop is, which costs some processor time. */
  readonly watchLoop?: boolean;
}

let runs = 0;

/** `kvmsweep scan`, as nobody. */
export async function kvmsweep(scanner: Scanner, options: OwnOptions): Promise<OwnRun> {
  const name = `own${(runs += 1)}`;
  const { endAfterMs } = options;
  let timer: NodeJS.Timeout | undefined;
  const measured = await measure(scanner, () => {
    const running = start(scanner, [...scanOf(options), '-o', `${name}.json`], options);
    if (endAfterMs !== undefined) timer = setTimeout(() => running.process.kill('SIGINT'), endAfterMs);
    return running;
  });
  clearTimeout(timer);
  return ownRun(scanner, name, measured);
}

/** The same, killed as soon as so many packets have left by the link, and resumed. Packets, seconds and CPU are those of both parts. */
export async function killedAndResumed(scanner: Scanner, options: OwnOptions, packets: number): Promise<OwnRun & { killedAt: number }> {
  const name = `own${(runs += 1)}`;
  const from = packetsSent(scanner);
  const first = await measure(scanner, () => {
    const running = start(scanner, [...scanOf(options), '-o', `${name}.json`], options);
    const timer = setInterval(() => packetsSent(scanner) - from >= packets && running.process.kill('SIGKILL'), 10);
    void running.finished.finally(() => clearInterval(timer));
    return running;
  });
  if (first.finished.signal !== 'SIGKILL') throw new Error(`the sweep ended before ${packets} packets had left: ${first.finished.stderr}`);
  const second = await measure(scanner, () => start(scanner, ['scan', '--resume', `${name}.ndjson`], options));
  return { ...ownRun(scanner, name, { ...second, ...together([first, second]) }), killedAt: first.packets };
}

function scanOf({ block, ports, words = [] }: OwnOptions): string[] {
  return ['scan', block, ...(ports === undefined ? [] : ['-p', ports]), ...words];
}

function start(scanner: Scanner, words: readonly string[], { only, descriptors, watchLoop = false }: OwnOptions): Running {
  const [node = '', script = ''] = KVMSWEEP;
  const command = [
    ...(descriptors === undefined ? [] : ['prlimit', `--nofile=${descriptors}`]),
    ...(only === undefined ? [] : ['env', `KVMSWEEP_ONLY=${only}`]),
    ...(watchLoop ? ['env', 'WATCH_LOOP=1'] : []),
    node,
    '--import',
    WATCH,
    script,
    ...words,
    '--quiet',
  ];
  return scanner.start(command, { as: 'nobody', timeLimitMs: 20 * 60_000 });
}

/** What a sweep that has ended has left behind. */
function ownRun(scanner: Scanner, name: string, measured: Measured): OwnRun {
  const { code, stderr } = measured.finished;
  if (code !== 0 && code !== 3 && code !== 130) throw new Error(`kvmsweep ended with ${code}: ${stderr}`);
  const files = scanner.read(name);
  const inventory: Inventory = files.inventory;
  if (inventory.ledger === undefined) throw new Error('an inventory without an account');
  const observations = files.observations.filter(({ outcome }) => outcome === 'answered');
  const used = JSON.parse(readFileSync(join(scanner.folder, 'used.json'), 'utf8')) as Used;
  const having = (fact: string): number => observations.filter(({ facts }) => facts[fact] !== undefined).length;
  return {
    ...measured,
    peakMb: used.peakMb,
    services: new Set(
      observations.filter(({ port }) => port !== undefined).map(({ host, port, transport }) => `${host} ${port}/${transport}`),
    ),
    facts: {
      'http-title': having('http.title'),
      'ssl-cert': having('tls.subject'),
      'vnc-info': having('rfb.security'),
      'ipmi-version': having('ipmi.auth.types'),
      'snmp-info': having('snmp.engine.id'),
      'snmp-sysdescr': having('snmp.sysDescr'),
    },
    cutOff: code === 130,
    ledger: inventory.ledger,
    complete: inventory.completeness.complete,
    limitations: inventory.completeness.limitations.map(({ what }) => what),
    observations,
    base: files.base,
    loopP99Ms: used.loopP99Ms,
    loopMaxMs: used.loopMaxMs,
    exitCode: code,
  };
}

interface NmapStep extends Run {
  readonly hosts: readonly string[];
}

/** One nmap command, as root: `-sS` and `-sU` need that. */
async function nmapStep(scanner: Scanner, words: readonly string[], timeLimitMs: number): Promise<NmapStep> {
  const measured = await measure(scanner, () => scanner.start(['nmap', '-n', '-Pn', '--open', ...words], { timeLimitMs }));
  const services = new Set<string>();
  let host = '';
  for (const line of measured.finished.stdout.split('\n')) {
    host = /^Nmap scan report for (\S+)/.exec(line)?.[1] ?? host;
    const port = /^(\d+\/(?:tcp|udp)) +open /.exec(line)?.[1];
    if (port !== undefined) services.add(`${host} ${port}`);
  }
  const facts = Object.fromEntries(
    FACTS.map((name) => [name, [...measured.finished.stdout.matchAll(new RegExp(`^\\|[_ ]${name}:`, 'gm'))].length]),
  ) as FactCounts;
  return {
    ...measured,
    services,
    facts,
    hosts: [...new Set([...services].map((service) => service.split(' ')[0] as string))],
    cutOff: measured.finished.signal !== null,
  };
}

function asOne(steps: readonly NmapStep[]): Run {
  return {
    ...together(steps),
    services: new Set(steps.flatMap(({ services }) => [...services])),
    facts: Object.fromEntries(FACTS.map((name) => [name, steps.reduce((all, { facts }) => all + facts[name], 0)])) as FactCounts,
    cutOff: steps.some(({ cutOff }) => cutOff),
  };
}

/** nmap as it is typed: both sweeps with -T4, then the scripts at all of the ports of whom they found. */
export async function nmapAsTyped(scanner: Scanner, block: string, timeLimitMs = 300_000): Promise<Run> {
  const tcp = await nmapStep(scanner, ['-sS', '-T4', `-p${TCP_PORTS}`, block], timeLimitMs);
  const udp = await nmapStep(scanner, ['-sU', '-T4', `-p${UDP_PORTS}`, block], timeLimitMs);
  const found = [...new Set([...tcp.hosts, ...udp.hosts])];
  const facts = await nmapStep(
    scanner,
    ['-sS', '-sU', '-T4', `-pT:${TCP_PORTS},U:${UDP_PORTS}`, '--script', FACTS.join(','), ...found],
    timeLimitMs,
  );
  return asOne([tcp, udp, facts]);
}

/** nmap by the hand of somebody who knows it: five commands, scripts only where their port is open, and no wait that can be left out. */
export async function nmapTuned(scanner: Scanner, block: string, bits: number): Promise<Run> {
  const rate = ['--min-rate', '5000', ...(bits < 24 ? ['-T5', '--max-retries', '1', '--min-hostgroup', '4096'] : ['-T4'])];
  const limit = 300_000;
  const tcp = await nmapStep(scanner, ['-sS', ...rate, `-p${TCP_PORTS}`, block], limit);
  const udp = await nmapStep(scanner, ['-sU', ...rate, `-p${UDP_PORTS}`, block], limit);
  const having = (port: string): string[] =>
    [...udp.services].filter((service) => service.endsWith(` ${port}`)).map((service) => service.split(' ')[0] as string);
  const scripts = async (how: string, port: string, names: string, hosts: readonly string[]): Promise<NmapStep[]> =>
    hosts.length === 0
      ? []
      : [
          await nmapStep(
            scanner,
            [how, '-T5', '--max-retries', '1', '--min-rate', '5000', `-p${port}`, '--script', names, ...hosts],
            limit,
          ),
        ];
  return asOne([
    tcp,
    udp,
    ...(await scripts('-sS', TCP_PORTS, 'http-title,ssl-cert,vnc-info', tcp.hosts)),
    ...(await scripts('-sU', '623', 'ipmi-version', having('623/udp'))),
    ...(await scripts('-sU', '161', 'snmp-info,snmp-sysdescr', having('161/udp'))),
  ]);
}

/** `nmap -sT -T4` over a block for so long, to see how far it comes. */
export function nmapForAWhile(scanner: Scanner, block: string, timeLimitMs: number): Promise<Run> {
  return nmapStep(scanner, ['-sT', '-T4', `-p${TCP_PORTS}`, block], timeLimitMs);
}

/** nmap's connect sweep alone, one pass, at a rate. */
export function nmapConnects(scanner: Scanner, block: string, rate: number): Promise<Run> {
  return nmapStep(
    scanner,
    ['-sT', '-T5', '--min-rate', String(rate), '--max-retries', '0', '--min-hostgroup', '4096', `-p${TCP_PORTS}`, block],
    300_000,
  );
}

/**
 * masscan: discovery only, one try. It has to be told the way where there is no default route, and goes on waiting when it is done: it is ended three seconds
 * after its last packet should have left.
 */
export async function masscan(lab: Lab, block: string, addresses: number, rate: number): Promise<Run> {
  const { scanner } = lab;
  const { stdout: router } = await lab.onFleet(['cat', '/sys/class/net/fl1/address']).finished;
  const ports = `${TCP_PORTS},U:${UDP_PORTS.replace(',', ',U:')}`;
  const timeLimitMs = ((addresses * ports.split(',').length) / rate + 3) * 1000;
  const way = ['--adapter', 'sc0', '--adapter-ip', scanner.address, '--router-mac', router.trim()];
  const measured = await measure(scanner, () =>
    scanner.start(['masscan', block, `-p${ports}`, '--rate', String(rate), '--wait', '2', ...way], { timeLimitMs }),
  );
  return {
    ...measured,
    services: new Set(
      [...measured.finished.stdout.matchAll(/open port (\d+\/(?:tcp|udp)) on ([\d.]+)/g)].map(([, port, host]) => `${host} ${port}`),
    ),
    facts: Object.fromEntries(FACTS.map((name) => [name, 0])) as FactCounts,
    cutOff: false,
  };
}

/** The least that a connect sweep costs, in C. */
export async function connectFloor(lab: Lab, block: string, rate: number): Promise<Effort> {
  const program = await compile(lab, 'connect-floor');
  const [first = '', bits] = block.split('/');
  const addresses = String(2 ** (32 - Number(bits)));
  return measure(lab.scanner, () => lab.scanner.start([program, String(rate), '800', first, addresses, ...TCP_PORTS.split(',')]));
}

/** The least that a page and a certificate of each of so many addresses cost in Node.js, 32 at once as in a sweep. */
export async function httpsFloor({ scanner }: Lab, first: string, addresses: number): Promise<Effort> {
  const script = fileURLToPath(new URL('../lab/https-floor.ts', import.meta.url));
  const measured = await measure(scanner, () => scanner.start([process.execPath, script, first, String(addresses), '32']));
  if (measured.finished.code !== 0) throw new Error(`https-floor: ${measured.finished.stderr}`);
  return measured;
}

/** Makes a program of `bench/lab/`. @returns where it is */
export async function compile(lab: Lab, name: string): Promise<string> {
  const program = join(lab.folder, name);
  const source = fileURLToPath(new URL(`../lab/${name}.c`, import.meta.url));
  const { code, stderr } = await lab.onFleet(['cc', '-O2', '-o', program, source]).finished;
  if (code !== 0) throw new Error(`cc: ${stderr}`);
  return program;
}
