import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Inventory } from '../../src/inventory/schema.ts';
import type { Ledger } from '../../src/sweep/ledger.ts';
import type { Checkpoint } from '../../src/sweep/state.ts';
import type { Facts, Outcome } from '../../src/vocabulary.ts';
import { type Packet, readCapture } from '../support/pcap.ts';

const SCRIPT = fileURLToPath(new URL('lab/lab.sh', import.meta.url));
const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
/** The built command line: program and script. */
export const KVMSWEEP: readonly string[] = [process.execPath, join(CHECKOUT, 'bin', 'kvmsweep.js')];
/** Whom the product runs as: it needs no privilege, so it gets none. Debian's nobody. */
const NOBODY = '65534';
/** The way of all packets of the lab. Nothing else is routed, and nothing else is allowed. */
const ONLY = '10.77.0.0/16,fe80::/10';
const MAX_OUTPUT = 16 * 1024 * 1024;
const TIME_LIMIT_MS = 120_000;

const missing = ((): string | undefined => {
  const { status, stderr } = spawnSync('bash', [SCRIPT, 'check'], { encoding: 'utf8' });
  return status === 0 ? undefined : stderr.trim();
})();
if (missing !== undefined) {
  if (process.env['KVMSWEEP_REAL'] === 'required') throw new Error(`the laboratory cannot be made: ${missing}`);
  process.stderr.write(`skipped, because the laboratory cannot be made (docs/lab.md): ${missing}\n`);
}

/** For `describe`: these tests are skipped where the laboratory cannot be made. With `KVMSWEEP_REAL=required` that is a failure instead. */
export const REAL = { skip: missing !== undefined, timeout: TIME_LIMIT_MS } as const;

/** A number for whoever reads the log of the tests: what was seen, not only that it was enough. */
export function report(text: string): void {
  process.stderr.write(`      ${text}\n`);
}

/** What stands at an address; lab.sh tells what each is made of. */
export type Profile =
  | 'bmc'
  | 'old-bmc'
  | 'tls13'
  | 'vnc-auth'
  | 'novnc'
  | 'x11vnc'
  | 'snmp-v3'
  | 'snmp-v1'
  | 'snmp-v2c'
  | 'snmp-users'
  | 'snmp-pdu'
  | 'printer'
  | 'web'
  | 'mute'
  | 'trap-setup'
  | 'trap-away'
  | 'canary'
  | 'openssh'
  | 'dropbear'
  | 'telnet'
  | 'ftp'
  | 'web6'
  | 'netbios'
  | 'wsd'
  | 'names'
  | 'old-3des'
  | 'old-rc4'
  | 'old-ssl3'
  | 'old-null'
  | 'old-anon'
  | 'mutual-tls'
  | 'mdns-pikvm'
  | 'mdns-reflector'
  | 'ssdp-media'
  | 'ssdp-device'
  | 'ssdp-away';

export interface LabOptions {
  readonly hosts: Readonly<Record<string, Profile>>;
  /** What an address without a host does. */
  readonly mode?: 'drop' | 'refuse' | 'unreach';
  /** The scanner is in the block of 10.77.0.0 with this prefix, instead of behind a router. */
  readonly onLinkBits?: 20 | 22 | 23 | 24;
  /** Network cards of on-link hosts, by address; others get one that was made up locally. */
  readonly macs?: Readonly<Record<string, string>>;
  /** Each way. */
  readonly delayMs?: number;
  /** Each way. */
  readonly lossPercent?: number;
  readonly scanners?: number;
  /** A router is between scanner and hosts whose state table has so many entries, which live for so many seconds (120, UDP 30); routed only. */
  readonly stateTable?: { readonly entries: number; readonly seconds?: number };
  /** Hosts and scanners have link-local IPv6 addresses too; on-link only. */
  readonly ipv6?: boolean;
  /** After so many connections without a password a VNC server locks an address out (TigerVNC's BlacklistThreshold). */
  readonly vncLockout?: number;
}

/** Real servers in network namespaces of their own, made for one file of tests. */
export class Lab implements AsyncDisposable {
  readonly folder: string;
  readonly scanners: readonly Scanner[];
  readonly #fleet: string;
  readonly #router: string;

  private constructor(folder: string, name: string, onLinkBits: number | undefined, scanners: number) {
    this.folder = folder;
    this.#fleet = `${name}-fleet`;
    this.#router = `${name}-path1`;
    this.scanners = Array.from(
      { length: scanners },
      (_, at) => new Scanner(folder, `${name}-scan${at + 1}`, addressOf(at + 1, onLinkBits)),
    );
  }

  /** Makes a lab; it takes itself down where this process is killed. */
  static async start({
    hosts,
    macs = {},
    mode = 'drop',
    onLinkBits,
    delayMs = 0,
    lossPercent = 0,
    scanners = 1,
    ipv6 = false,
    stateTable,
    vncLockout = 5,
  }: LabOptions): Promise<Lab> {
    const folder = mkdtempSync(join(tmpdir(), 'kvml-'));
    const name = `kvml${randomBytes(4).toString('hex')}`;
    const list = join(folder, 'hosts');
    writeFileSync(
      list,
      Object.entries(hosts)
        .map(([address, profile]) => `${[address, profile, macs[address]].join(' ').trimEnd()}\n`)
        .join(''),
    );
    const { code, stderr } = await start(['bash', SCRIPT, 'up', folder, list], {
      env: {
        PATH: process.env['PATH'] ?? '',
        NAME: name,
        OWNER: String(process.pid),
        MODE: mode,
        DELAY: String(delayMs),
        LOSS: String(lossPercent),
        SCANNERS: String(scanners),
        IPV6: ipv6 ? '1' : '0',
        ...(stateTable === undefined ? {} : { TABLE: String(stateTable.entries) }),
        ...(stateTable?.seconds === undefined ? {} : { TABLE_SECONDS: String(stateTable.seconds) }),
        VNC_LOCKOUT: String(vncLockout),
        ...(onLinkBits === undefined ? {} : { LINK: 'onlink', ONLINK_BITS: String(onLinkBits) }),
      },
    }).finished;
    const lab = new Lab(folder, name, onLinkBits, scanners);
    if (code !== 0) {
      await lab.stop();
      throw new Error(`the lab did not come up: ${stderr}`);
    }
    return lab;
  }

  /** The only scanner, or the first. */
  get scanner(): Scanner {
    return this.scanners[0] as Scanner;
  }

  /** What a server of the lab wrote down. */
  log(name: string): string {
    return readFileSync(join(this.folder, 'log', name), 'utf8');
  }

  /** Starts a command on the devices' side, as root. Taking the lab down ends it. */
  onFleet(command: readonly string[]): Running {
    return start(['ip', 'netns', 'exec', this.#fleet, ...command], { env: { PATH: process.env['PATH'] ?? '' }, timeLimitMs: 30 * 60_000 });
  }

  /** Packets that were lost on purpose until now. */
  lost(): Promise<number> {
    return this.#dropped(this.#fleet);
  }

  /** Packets that the router's state table had no room for until now. */
  refused(): Promise<number> {
    return this.#dropped(this.#router);
  }

  async #dropped(namespace: string): Promise<number> {
    const { stdout } = await start(['ip', 'netns', 'exec', namespace, 'nft', 'list', 'table', 'ip', 'kvml'], {
      env: { PATH: process.env['PATH'] ?? '' },
    }).finished;
    return [...stdout.matchAll(/counter packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0);
  }

  async stop(): Promise<void> {
    for (const scanner of this.scanners) await scanner.stop();
    const { code, stderr } = await start(['bash', SCRIPT, 'down', this.folder], { env: { PATH: process.env['PATH'] ?? '' } }).finished;
    if (code !== 0) throw new Error(`the lab did not go down: ${stderr}`);
    rmSync(this.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function addressOf(number: number, onLinkBits: number | undefined): string {
  return onLinkBits === undefined ? `10.76.${number}.1` : `10.77.${2 ** (24 - onLinkBits) - 1}.254`;
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
}

interface StartOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly timeLimitMs?: number | undefined;
}

function start(command: readonly string[], { env, cwd, timeLimitMs = TIME_LIMIT_MS }: StartOptions): Running {
  const from = performance.now();
  const child = spawn(command[0] as string, command.slice(1), {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (output[name].length < MAX_OUTPUT) output[name] += text;
    });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeLimitMs);
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    // Not `close`: a server that the command left behind may hold its output open.
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      setTimeout(() => resolve({ code, signal, ...output, seconds: (performance.now() - from) / 1000 }), 20);
    });
  });
  return { process: child, finished };
}

export interface RunOptions {
  /** The product never runs as root; what looks at it may. */
  readonly as?: 'nobody' | 'root';
  /** What a shell does, as root, before the command, in a mount namespace that ends with it. */
  readonly before?: string;
  readonly timeLimitMs?: number;
}

/** A place to scan from: a namespace with one link and no default route. */
export class Scanner {
  readonly namespace: string;
  readonly address: string;
  /** A folder that nobody may write to but root and the product. */
  readonly folder: string;
  readonly #lab: string;
  readonly #captures = new Set<Capture>();

  constructor(lab: string, namespace: string, address: string) {
    this.#lab = lab;
    this.namespace = namespace;
    this.address = address;
    this.folder = join(lab, 'out');
  }

  start(command: readonly string[], { as = 'root', before = '', timeLimitMs }: RunOptions = {}): Running {
    // The checkout may lie where only root can look (a home folder): it is shown under the lab's, which all may enter.
    const view = join(this.#lab, 'checkout');
    const drop = [
      'setpriv',
      '--reuid',
      NOBODY,
      '--regid',
      NOBODY,
      '--clear-groups',
      '--no-new-privs',
      '--inh-caps=-all',
      '--bounding-set=-all',
    ];
    const prepare = `set -e; mkdir -p "$2"; mount --bind "$1" "$2"; ${before}\nshift 2; exec "$@"`;
    return start(
      [
        'ip',
        'netns',
        'exec',
        this.namespace,
        'bash',
        '-c',
        prepare,
        'bash',
        CHECKOUT,
        view,
        ...(as === 'nobody' ? drop : []),
        ...command.map((word) => seenFrom(word, view)),
      ],
      {
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: this.folder,
          LC_ALL: 'C',
          NO_COLOR: '1',
          KVMSWEEP_ONLY: ONLY,
          OPENSSL_CONF: '/dev/null',
        },
        cwd: this.folder,
        timeLimitMs,
      },
    );
  }

  run(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.start(command, options).finished;
  }

  /** The built command line, as nobody. */
  kvmsweep(words: readonly string[], options: Omit<RunOptions, 'as'> = {}): Running {
    return this.start([...KVMSWEEP, ...words], { ...options, as: 'nobody' });
  }

  /** Sweeps, and reads what came of it. */
  async sweep(name: string, words: readonly string[], options: Omit<RunOptions, 'as'> = {}): Promise<Swept> {
    const finished = await this.kvmsweep(['scan', '-o', `${name}.json`, '--audit', `${name}.audit`, ...words], options).finished;
    return { ...finished, files: this.read(name) };
  }

  /** The files of a sweep, of which there may be none. */
  read(name: string): SweepFiles {
    return new SweepFiles(join(this.folder, name));
  }

  /** Captures everything on the scanner's link. */
  async capture(name: string): Promise<Capture> {
    const file = join(this.#lab, `${name}.pcap`);
    const running = this.start(
      ['tcpdump', '-Z', 'root', '-i', 'sc0', '-n', '-U', '--immediate-mode', '-s', '0', '-B', '65536', '-w', file],
      { timeLimitMs: 10 * 60_000 },
    );
    await new Promise<void>((resolve, reject) => {
      running.process.stderr?.on('data', (text: string) => text.includes('listening on') && resolve());
      running.process.once('exit', () => reject(new Error('tcpdump did not start')));
    });
    const capture = new Capture(file, running, () => this.#captures.delete(capture));
    this.#captures.add(capture);
    return capture;
  }

  async stop(): Promise<void> {
    for (const capture of this.#captures) await capture.packets();
  }
}

function seenFrom(word: string, view: string): string {
  const root = CHECKOUT.endsWith(sep) ? CHECKOUT : `${CHECKOUT}${sep}`;
  return word.startsWith(root) ? join(view, word.slice(root.length)) : word;
}

export class Capture {
  readonly #file: string;
  readonly #running: Running;
  readonly #onEnd: () => void;

  constructor(file: string, running: Running, onEnd: () => void) {
    this.#file = file;
    this.#running = running;
    this.#onEnd = onEnd;
  }

  /** Ends the capture. @throws {Error} where it lost packets: then no count of it proves anything */
  async packets(): Promise<Packet[]> {
    this.#onEnd();
    // What has just passed the link may not have reached tcpdump yet.
    await sleep(200);
    this.#running.process.kill('SIGINT');
    const { stderr } = await this.#running.finished;
    if (!/\b0 packets dropped by kernel/.test(stderr)) throw new Error(`tcpdump: ${stderr.trim()}`);
    return readCapture(readFileSync(this.#file));
  }
}

export interface ObservationLine {
  readonly kind: 'observation';
  readonly host: string;
  readonly transport?: string;
  readonly port?: number;
  readonly probe: string;
  readonly at: string;
  readonly outcome: Outcome;
  readonly facts: Facts;
  readonly note?: string;
}

export interface OtherLine {
  readonly kind: 'run' | 'checkpoint' | 'end';
  readonly at: string;
  readonly ledger?: Ledger;
  readonly checkpoint?: Checkpoint;
}

export interface AuditLine {
  readonly at: string;
  readonly host: string;
  readonly transport: 'tcp' | 'udp';
  readonly port: number;
  readonly what: string;
  readonly hex?: string;
}

/** What a sweep left on the disk, as another program would read it. */
export class SweepFiles {
  readonly base: string;

  constructor(base: string) {
    this.base = base;
  }

  get inventory(): Inventory {
    return JSON.parse(readFileSync(`${this.base}.json`, 'utf8')) as Inventory;
  }

  get hasInventory(): boolean {
    return existsSync(`${this.base}.json`);
  }

  /** Every whole line of the journal. */
  get journal(): (ObservationLine | OtherLine)[] {
    return linesOf(`${this.base}.ndjson`) as (ObservationLine | OtherLine)[];
  }

  get observations(): ObservationLine[] {
    return this.journal.filter((line): line is ObservationLine => line.kind === 'observation');
  }

  get audit(): AuditLine[] {
    return linesOf(`${this.base}.audit`) as AuditLine[];
  }

  /** Connections that looked whether the path bears the sweep. */
  get canaries(): number {
    return this.audit.filter(({ what }) => what === 'canary').length;
  }
}

export interface Swept extends Finished {
  readonly files: SweepFiles;
}

function linesOf(file: string): unknown[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
}
