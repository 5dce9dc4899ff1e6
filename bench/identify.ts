// How many observations a second are held against the whole set, on one core: `npm run bench:identify`.
// All are different: one in fifty is an example of a definition, the others are ordinary pages, agents, servers. First the matcher alone, then all that
// `kvmsweep identify` does, from a file on disk to an inventory. The limits are those of a sweep that finds a service in each of its packets.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fingerprint } from '../src/fingerprints/schema.ts';
import type { Facts } from '../src/vocabulary.ts';
import { randomNumbers } from './random-numbers.ts';

/** What users run: reading the definitions as YAML would leave a heap of twice the size. */
async function built<Module>(path: string): Promise<Module> {
  return (await import(`../dist/${path}`)) as Module;
}
const { loadKnowledge } = await built<typeof import('../src/cli/knowledge.ts')>('cli/knowledge.js');
const { judge } = await built<typeof import('../src/fingerprints/judge.ts')>('fingerprints/judge.js');
const { deriveInventory } = await built<typeof import('../src/inventory/derive.ts')>('inventory/derive.js');

const OBSERVATIONS = Number(process.argv[2] ?? 100_000);
/** A network where every fiftieth answer comes from remote-access hardware is full of it. */
const DEVICE_EVERY = 50;
const PAGE_BYTES = 5 * 1024;
const LIMITS = { pages: 5000, plain: 50_000, megabytes: 400 } as const;

const WORDS =
  'status login system management welcome network server user password remote access router printer camera device index home page the and of to control panel version language javascript console web service client kvm support digital power'.split(
    ' ',
  );

const random = randomNumbers(1);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const text = (bytes: number): string => {
  let all = '';
  while (all.length < bytes) all += random() < 0.1 ? `<a href="/${pick(WORDS)}/${Math.floor(random() * 1e6)}.html">` : `${pick(WORDS)} `;
  return all;
};

const { matcher } = loadKnowledge({});
const examples = matcher.fingerprints.flatMap(({ examples: own }: Fingerprint) =>
  own.flatMap(({ facts, endpoints }): Facts[] => endpoints ?? [facts ?? {}]),
);
const [withPage, plain] = [examples.filter((facts) => 'http.body' in facts), examples.filter((facts) => !('http.body' in facts))];

function pageFacts(i: number): Facts {
  if (i % DEVICE_EVERY === 0) {
    const facts = pick(withPage);
    return { ...facts, 'http.body': `${facts['http.body'] as string}${text(PAGE_BYTES)}` };
  }
  return {
    'http.status': 200,
    'http.title': text(30),
    'http.server': `${pick(WORDS)}/${i}`,
    'http.headers': { 'content-type': 'text/html', server: pick(WORDS), 'x-frame-options': 'SAMEORIGIN' },
    'http.links': Array.from({ length: 10 }, () => `/${pick(WORDS)}/${Math.floor(random() * 1e6)}.js`),
    'http.forms': ['username', 'password'],
    'http.favicon.mmh3': i,
    'http.body': text(PAGE_BYTES),
  };
}

const ORDINARY: readonly ((i: number) => Facts)[] = [
  (i) => ({
    'snmp.sysDescr': `${text(60)} version ${i}`,
    'snmp.sysObjectID': `1.3.6.1.4.1.${i % 60_000}.1.2.${i}`,
    'snmp.engine.pen': i % 60_000,
  }),
  (i) => ({ 'ssh.banner': `SSH-2.0-OpenSSH_9.${i % 10}p1 ${text(8)}${i}` }),
  (i) => ({ 'ftp.banner': `220 ${text(20)} FTP server (Version ${i}) ready.` }),
  (i) => ({ 'telnet.banner': `${text(30)} ${i} login: ` }),
  (i) => ({
    'tls.subject': `CN=host${i}.example.com, O=${text(12)}, C=US`,
    'tls.issuer': 'CN=Example CA',
    'tls.sha256': i.toString(16).padStart(64, '0'),
  }),
  (i) => ({ 'http.title': `${text(20)} ${i}`, 'http.server': pick(['nginx', 'Apache', 'lighttpd/1.4.69']), 'http.status': 200 }),
];
const plainFacts = (i: number): Facts =>
  i % DEVICE_EVERY === 0
    ? { ...pick(plain), 'dns.ptr': `host${i}.example.com` }
    : (ORDINARY[i % ORDINARY.length] as (i: number) => Facts)(i);

function addressOf(i: number): string {
  return `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
}

const megabytes = (): number => Math.round(process.resourceUsage().maxRSS / 1024);
function tell(what: string, ms: number, limit: number): void {
  const rate = Math.round((OBSERVATIONS / ms) * 1000);
  console.log(
    `${what.padEnd(58)} ${rate.toLocaleString('en').padStart(8)} a second (${(rate / limit).toFixed(2)} x ${limit.toLocaleString('en')}), ${megabytes()} MB (limit ${LIMITS.megabytes})`,
  );
  // Where the observations are made in the same process, its memory is mostly theirs.
  if (rate < limit || (file !== undefined && megabytes() > LIMITS.megabytes)) process.exitCode = 1;
}

function matcherAlone(what: string, make: (i: number) => Facts, limit: number): void {
  const CHUNK = 200;
  let ms = 0;
  for (let from = 0; from < OBSERVATIONS; from += CHUNK) {
    const chunk = Array.from({ length: Math.min(CHUNK, OBSERVATIONS - from) }, (_, i) => make(from + i));
    const began = performance.now();
    for (const [i, facts] of chunk.entries())
      judge(matcher.match({ host: addressOf(from + i), transport: 'tcp', port: 80, probes: ['http'], outcomes: {}, facts }));
    ms += performance.now() - began;
  }
  tell(`matcher, ${what}`, ms, limit);
}

function writeFile(file: string, make: (i: number) => Facts): void {
  const descriptor = openSync(file, 'w');
  for (let i = 0; i < OBSERVATIONS; i += 1)
    writeSync(
      descriptor,
      `${JSON.stringify({ v: 1, kind: 'observation', host: addressOf(i), transport: 'tcp', port: 80, probe: 'http', outcome: 'answered', facts: make(i) })}\n`,
    );
  closeSync(descriptor);
}

async function fromFile(what: string, file: string, limit: number): Promise<void> {
  const began = performance.now();
  const { inventory } = await deriveInventory(file, matcher);
  tell(`file to inventory, ${what} (${inventory.devices.length} devices)`, performance.now() - began, limit);
}

const KINDS = {
  plain: { what: 'without pages', make: plainFacts, limit: LIMITS.plain },
  pages: { what: 'with pages of 5 KB', make: pageFacts, limit: LIMITS.pages },
} as const;

/** Each in a process of its own, so that its memory is its own. */
function inChild(...args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [import.meta.filename, String(OBSERVATIONS), ...args], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

const [, , , kind, file] = process.argv;
if (kind === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-bench-'));
  try {
    console.log(`${OBSERVATIONS.toLocaleString('en')} observations, ${matcher.fingerprints.length} definitions`);
    for (const [name, { make }] of Object.entries(KINDS)) {
      inChild(name);
      const journal = join(folder, `${name}.ndjson`);
      writeFile(journal, make);
      inChild(name, journal);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  const { what, make, limit } = KINDS[kind as keyof typeof KINDS];
  if (file === undefined) matcherAlone(what, make, limit);
  else await fromFile(what, file, limit);
}
