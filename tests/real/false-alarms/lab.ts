import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { programs } from './programs.ts';

/** Where fetch.sh unpacks. */
export const PACKAGES = process.env['KVMSWEEP_PACKAGES'] ?? '/var/tmp/kvmsweep-packages';
const TABLE = fileURLToPath(new URL('packages.tsv', import.meta.url));

export interface Row {
  readonly package: string;
  readonly how: 'files' | 'php' | 'extracted' | 'installed';
  readonly what: string;
  readonly address: string;
}

export interface Agent {
  readonly address: string;
  readonly sysDescr: string;
  readonly sysObjectID: string;
}

/** The rows of packages.tsv, an address each. */
export function readRows(): Row[] {
  return readFileSync(TABLE, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line, i) => {
      const [name = '', how = '', what = ''] = line.split('\t');
      return { package: name, how: how as Row['how'], what, address: `127.88.0.${i + 1}` };
    });
}

/** What this machine lacks for the lab, or undefined. */
export function missing(rows: readonly Row[]): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const unpacked = rows.filter(({ how, package: name, what }) => how !== 'installed' && !existsSync(join(PACKAGES, name, what)));
  if (unpacked.length > 0) return `not unpacked (tests/real/false-alarms/fetch.sh): ${unpacked.map(({ package: name }) => name).join(' ')}`;
  const tools = ['ip', 'nginx', 'snmpd', 'socat', ...rows.filter(({ how }) => how === 'installed').map(({ what }) => what)].filter(
    (tool) => tool !== 'cockpit-ws' && spawnSync('bash', ['-c', `PATH=$PATH:/usr/sbin; command -v ${tool}`]).status !== 0,
  );
  return tools.length === 0 ? undefined : `not on this machine: ${tools.join(' ')}`;
}

/**
 * Ordinary programs, one address of the loopback each, in a network namespace that has nothing else: none of them can speak to anybody.
 */
export class FalseAlarmLab implements AsyncDisposable {
  readonly folder: string;
  readonly namespace: string;
  readonly #children: ChildProcess[] = [];

  private constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'kvmfa-'));
    chmodSync(this.folder, 0o755);
    this.namespace = `kvmfa${randomBytes(3).toString('hex')}`;
  }

  static async start(rows: readonly Row[], agents: readonly Agent[]): Promise<FalseAlarmLab> {
    const lab = new FalseAlarmLab();
    run('ip', 'netns', 'add', lab.namespace);
    run('ip', '-n', lab.namespace, 'link', 'set', 'lo', 'up');
    lab.#nginx(rows.filter(({ how }) => how === 'files'));
    for (const { package: name, what, address } of rows.filter(({ how }) => how === 'php')) {
      const page = join(PACKAGES, name, what);
      // Where the page is not index.php, a router sends everything to it.
      const words = basename(page) === 'index.php' ? ['-t', dirname(page)] : ['-t', dirname(page), page];
      lab.start(`php-${address}`, ['php', '-d', 'display_errors=1', '-S', `${address}:80`, ...words]);
    }
    for (const row of rows.filter(({ how }) => how === 'extracted' || how === 'installed')) {
      const folder = join(lab.folder, row.address);
      mkdirSync(folder);
      chmodSync(folder, 0o777);
      const program = programs[row.what === 'php' ? 'php' : basename(row.what)];
      if (program === undefined) throw new Error(`programs.ts does not say how ${row.what} is started`);
      const path = row.how === 'extracted' ? join(PACKAGES, row.package, row.what) : row.what;
      for (const [i, command] of program({ address: row.address, folder, path }).entries())
        lab.start(`${basename(row.what)}-${i}`, command);
    }
    for (const agent of agents) lab.#agent(agent);
    return lab;
  }

  /** Waits until every address listens; what does not after so long is told by the test. */
  async ready(rows: readonly Row[], waitMs = 30_000): Promise<void> {
    const until = performance.now() + waitMs;
    for (;;) {
      const { stdout } = spawnSync('ip', ['netns', 'exec', this.namespace, 'ss', '-Hlnt'], { encoding: 'utf8' });
      if (rows.every(({ address }) => stdout.includes(` ${address}:`)) || performance.now() > until) return;
      await sleep(250);
    }
  }

  start(label: string, command: readonly string[]): void {
    const child = spawn('ip', ['netns', 'exec', this.namespace, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/lib/cockpit`, LC_ALL: 'C', HOME: this.folder, GUI: '0' },
      cwd: this.folder,
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-4000)));
    child.on('exit', () => writeFileSync(join(this.folder, `ended-${label}`), text));
    this.#children.push(child);
  }

  #nginx(rows: readonly Row[]): void {
    const conf = join(this.folder, 'nginx.conf');
    const servers = rows.map(({ package: name, what, address }) => {
      const page = join(PACKAGES, name, what);
      return `server { listen ${address}:80; root ${dirname(page)}; index ${basename(page)}; autoindex on; }`;
    });
    const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${this.folder}/temp-${kind};`);
    writeFileSync(
      conf,
      `user root; worker_processes 1; daemon off; pid ${this.folder}/nginx.pid; error_log ${this.folder}/nginx.log warn;
events { worker_connections 1024; }
http { include /etc/nginx/mime.types; default_type text/plain; access_log off; ${temps.join(' ')}
${servers.join('\n')} }\n`,
    );
    this.start('nginx', ['nginx', '-e', join(this.folder, 'nginx.log'), '-c', conf]);
  }

  #agent({ address, sysDescr, sysObjectID }: Agent): void {
    const folder = join(this.folder, `snmp-${address}`);
    mkdirSync(folder);
    const conf = join(folder, 'snmpd.conf');
    writeFileSync(
      conf,
      `agentAddress udp:${address}:161\nrocommunity public\nsysDescr ${sysDescr.replaceAll(/[\r\n]+/g, ' ')}\nsysObjectID ${sysObjectID}\n`,
    );
    const words = ['-f', '-Lo', '-C', '-c', conf, '-p', join(folder, 'pid'), '-I', 'system_mib,sysORTable,snmpv3mibs,vacm_conf,vacm_vars'];
    this.start(`snmpd-${address}`, ['env', 'MIBS=', `SNMP_PERSISTENT_DIR=${folder}`, `SNMPCONFPATH=${folder}`, 'snmpd', ...words]);
  }

  /** The built command line, in the namespace. */
  kvmsweep(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const cli = fileURLToPath(new URL('../../../bin/kvmsweep.js', import.meta.url));
    return new Promise((resolve, reject) => {
      const child = spawn('ip', ['netns', 'exec', this.namespace, process.execPath, cli, ...words], {
        cwd: this.folder,
        env: { PATH: process.env['PATH'] ?? '', KVMSWEEP_ONLY: '127.0.0.0/8', NO_COLOR: '1' },
      });
      let [out, err] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
    });
  }

  /** Why programs ended by themselves. */
  ended(): string[] {
    return this.#children
      .filter(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null)
      .map(({ spawnargs, exitCode }) => `${spawnargs.slice(4).join(' ').slice(0, 120)}: ${exitCode}`);
  }

  /** Ends everything that lives in the namespace, which is ours alone. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let i = 0; i < 20; i += 1) {
      const { stdout } = spawnSync('ip', ['netns', 'pids', this.namespace], { encoding: 'utf8' });
      const pids = (stdout ?? '').split('\n').filter(Boolean).map(Number);
      if (pids.length === 0) break;
      for (const pid of pids)
        try {
          process.kill(pid, i < 10 ? 'SIGTERM' : 'SIGKILL');
        } catch {
          // It ended before its turn.
        }
      await sleep(100);
    }
    spawnSync('ip', ['netns', 'del', this.namespace]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function run(...[command = '', ...words]: string[]): void {
  const { status, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`);
}
