import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { spawn, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { problemText } from '../../src/errors.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import { formatAddress } from '../../src/targets/addresses.ts';
import { knownOpen } from '../../src/targets/known-open.ts';
import { collectTargets } from '../../src/targets/lists.ts';
import { parseTargets } from '../../src/targets/parse.ts';
import { portText } from '../../src/targets/ports.ts';

const NMAP = fileURLToPath(new URL('../observations/scans/nmap.xml', import.meta.url));
const CLI = fileURLToPath(new URL('../../bin/kvmsweep.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-known-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function collect(text: string): Promise<{ targets: string[]; problems: string[]; notes: string[] }> {
  const { targets, problems, notes } = await collectTargets(['-'], [], () => Promise.resolve(text));
  return {
    targets: targets.map(({ text: target, ports }) => [target, ...(ports ?? [])].join(' ')),
    problems: problems.map(problemText),
    notes,
  };
}

test.for([
  ['a list is a list', '10.0.0.1, 10.0.0.2 # two\n10.0.0.0/30', ['10.0.0.1', '10.0.0.2', '10.0.0.0/30']],
  ['addresses under a heading', 'IP Address\r\n10.0.0.1\r\n10.0.0.2\r\n', ['10.0.0.1', '10.0.0.2']],
  ['a port column', 'host;port\n10.0.0.1;443\n10.0.0.2;8443/tcp\n', ['10.0.0.1 443/tcp', '10.0.0.2 8443/tcp']],
  [
    'several ports, protocols, other columns',
    'Name,IP,Ports,Protocol\nx,10.0.0.1,"80, 443",tcp\ny,10.0.0.2,623,UDP\n',
    ['10.0.0.1 80/tcp 443/tcp', '10.0.0.2 623/udp'],
  ],
  ['masscan lists', 'open tcp 80 10.0.0.1 1795702194\nopen udp 623 10.0.0.1 1795702194\n# end', ['10.0.0.1 80/tcp', '10.0.0.1 623/udp']],
  [
    'masscan JSON',
    '[\n{ "ip": "10.0.0.1", "ports": [ {"port": 80, "proto": "tcp", "status": "open"} ] },\n{ "ip": "10.0.0.2", "ports": [ {"port": 81, "proto": "tcp", "status": "closed"} ] }\n]',
    ['10.0.0.1 80/tcp'],
  ],
] as const)('targets: %s', async ([, text, targets]) => expect(await collect(text)).toEqual({ targets, problems: [], notes: [] }));

test('targets: nmap names what is spoken where it has spoken to it', async () => {
  const { targets } = await collectTargets([], [NMAP]);
  expect(targets).toEqual([
    { text: '10.77.9.2', place: { file: NMAP }, ports: ['21/tcp', '22/tcp=ssh', '80/tcp=http', '443/tcp=https', '5900/tcp=rfb'] },
  ]);
});

test('targets: a bad row is told with its line; an interrupted scan is used as far as it goes, and said to be one', async () => {
  expect((await collect('ip,port\n10.0.0.1,x\n10.0.0.2,70000\n')).problems).toEqual([
    'standard input holds no targets',
    'standard input:2: "x" is no port (443, 443/tcp, 623/udp)',
    'standard input:3: "70000" is no port (443, 443/tcp, 623/udp)',
  ]);
  const cut = await collect('#masscan\nopen tcp 80 10.0.0.1 1795702194\n');
  expect(cut).toEqual({
    targets: ['10.0.0.1 80/tcp'],
    problems: [],
    notes: [
      'standard input:2: it breaks off: "# end" is missing, so the scan was interrupted or still runs; the 1 finding before that is read',
    ],
  });
  expect((await collect('<nmaprun></nmaprun>')).problems).toEqual(['standard input holds no targets']);
});

test('known ports: endpoints by address, one protocol a port, what nobody speaks is counted, serial lines stay silent', () => {
  const { ranges } = parseTargets([
    { text: '10.0.0.1', place: {}, ports: ['8443/tcp', '4001/tcp', '9/udp', '623/udp'] },
    { text: '10.0.0.2/31', place: {}, ports: ['8443/tcp', '8081/tcp=http', '9/udp'] },
  ]);
  const { open, ports, unspoken, problems } = knownOpen(ranges.map((one) => ({ ...one, ports: one.ports ?? [] })));
  expect(problems).toEqual([]);
  expect(ports.map(portText)).toEqual(['4001/tcp=listen', '8081/tcp=http', '8443/tcp=https', '623/udp=ipmi']);
  expect([...open].map(([address, keys]) => `${formatAddress(address)} ${[...keys].join(' ')}`)).toEqual([
    '10.0.0.1 8443/tcp 4001/tcp 623/udp',
    '10.0.0.2 8443/tcp 8081/tcp',
    '10.0.0.3 8443/tcp 8081/tcp',
  ]);
  expect(unspoken).toBe(3);
  const wide = parseTargets([{ text: '10.0.0.0/8', place: {}, ports: ['443/tcp'] }]).ranges;
  expect(knownOpen(wide.map((one) => ({ ...one, ports: one.ports ?? [] }))).problems.map(problemText)).toEqual([
    '"10.0.0.0/8" is no target: with ports it may stand for 65,536 addresses at most',
  ]);
});

// ---- a sweep of them ----

let server: Server;
let port = 0;
const asked: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('<title>PiKVM Login</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as { port: number }).port;
});
afterAll(() => server.close());

function scan(...words: string[]): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(process.execPath, [CLI, 'scan', ...words], {
    cwd: folder,
    env: { ...process.env, KVMSWEEP_ONLY: '127.0.0.0/8' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stderr })));
}

function hostXml(address: string, number: number): string {
  return `<host><status state="up" reason="x" reason_ttl="0"/><address addr="${address}" addrtype="ipv4"/><ports><port protocol="tcp" portid="${number}"><state state="open" reason="syn-ack" reason_ttl="0"/><service name="http" method="probed" conf="10"/></port></ports></host>`;
}

function nmapFile(name: string): string {
  const file = join(folder, name);
  writeFileSync(file, `<?xml version="1.0"?><nmaprun scanner="nmap">${hostXml('127.0.0.1', port)}${hostXml('127.0.0.2', 9)}</nmaprun>`);
  return file;
}

test('a sweep asks the endpoints that nmap found open, no others, and its account says so', { timeout: 60_000 }, async () => {
  const file = nmapFile('scan.xml');
  const { status, stderr } = await scan(
    '-iL',
    file,
    '-o',
    join(folder, 'known.json'),
    '--journal',
    join(folder, 'known.ndjson'),
    '--audit',
    join(folder, 'audit.ndjson'),
  );
  expect(status, stderr).toBe(0);
  const { default: inventory } = (await import(join(folder, 'known.json'), { with: { type: 'json' } })) as { default: Inventory };
  expect(inventory.devices).toMatchObject([{ product: 'PiKVM', addresses: ['127.0.0.1'] }]);
  expect(inventory.asked).toMatchObject({ hosts: 2, only: { '127.0.0.1': [`${port}/tcp`], '127.0.0.2': ['9/tcp'] } });
  expect(inventory.ledger?.total).toMatchObject({
    planned: 4,
    asked: 2,
    answered: 1,
    refused: 1,
    skipped: { 'not among the known ports': 2 },
  });
  expect(inventory.completeness.notes).toContainEqual(expect.stringContaining('only 2 endpoints were asked'));
  expect(asked[0]).toBe('/');
});

test.for([
  ['targets with ports and targets without', ['127.0.0.9'], /"127\.0\.0\.9" comes without ports, and other targets with the ones to ask/],
  ['less coverage', ['--coverage', 'life'], /--coverage life: the targets name their ports/],
] as const)('%s are refused', ([, words, message]) => {
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'scan', '-iL', nmapFile('mixed.xml'), ...words, '--dry-run'], {
    encoding: 'utf8',
    env: { ...process.env, KVMSWEEP_ONLY: '127.0.0.0/8' },
  });
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
});

test('with -p the ports of the file are not used, and that is said', () => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [CLI, 'scan', '-iL', nmapFile('named.xml'), '-p', '443', '--dry-run'], {
    encoding: 'utf8',
    env: { ...process.env, KVMSWEEP_ONLY: '127.0.0.0/8' },
  });
  expect(status).toBe(0);
  expect(stderr).toContain('note: the ports that the targets name are not used, because -p names others');
  expect(stdout).toMatch(/^2 addresses, each at 1 port;/);
});
