import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { InputError, problemText } from '../../src/errors.ts';
import { observationsOf, withoutBare } from '../../src/observations/import/observations.ts';
import type { Observation } from '../../src/observations/observation.ts';
import { readScan } from '../../src/targets/scans/read.ts';

/** Made by nmap 7.93 and masscan 1.3.2 of nginx, TigerVNC and an SSH greeting in a network namespace. */
const SCANS = fileURLToPath(new URL('scans', import.meta.url));
const CLI = fileURLToPath(new URL('../../bin/kvmsweep.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-import-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Imported {
  readonly observations: Observation[];
  readonly isWhole: boolean;
  readonly problems: string[];
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(content: string | Buffer, file = 'scan', size = 65_536): Promise<Imported> {
  const observations: Observation[] = [];
  const bytes = Buffer.from(content);
  const end = await readScan(file, pieces(bytes, size), (host) => observations.push(...observationsOf(host)));
  return { observations: withoutBare(observations), isWhole: end.isWhole, problems: end.problems.map(problemText) };
}

async function refused(content: string | Buffer): Promise<string> {
  const error = await read(content).catch((caught: unknown) => caught);
  return error instanceof InputError ? error.message : 'not refused';
}

function scan(name: string): Buffer {
  return readFileSync(join(SCANS, name));
}

/** `80/tcp http http.server,http.title`: what of each port is told. */
function told({ observations }: Imported): string[] {
  return observations.map(({ port, transport, probe, facts }) =>
    [
      port === undefined ? 'address' : `${port}/${transport}`,
      probe,
      Object.keys(facts)
        .filter((name) => !name.startsWith('tls.'))
        .toSorted()
        .join(),
    ]
      .join(' ')
      .trim(),
  );
}

test('nmap: what devices said themselves becomes facts, closed ports and guesses do not', async () => {
  const imported = await read(scan('nmap.xml'));
  expect(imported).toMatchObject({ isWhole: true, problems: [] });
  expect(told(imported)).toEqual([
    'address neighbours mac.address',
    '21/tcp open-port',
    '22/tcp ssh ssh.banner',
    '80/tcp http http.server,http.title',
    '443/tcp https http.server,http.title',
    '5900/tcp rfb rfb.security,rfb.version',
  ]);
  const [, , ssh, page, secure, vnc] = imported.observations.map(({ facts }) => facts);
  expect(ssh).toEqual({ 'ssh.banner': 'SSH-2.0-dropbear_2022.83' });
  expect(page).toEqual({
    'http.server': 'nginx/1.22.1',
    'http.title': 'Acme & Co RackView 2.4 - Login with a rather long title that goes past sixty-five characters',
  });
  expect(secure).toMatchObject({
    'tls.subject': 'CN=rackview.example.net, O=Acme Rack Systems',
    'tls.san': ['DNS:rackview.example.net', 'IP:10.77.9.2'],
    'tls.keyBits': 2048,
    'tls.selfSigned': true,
  });
  expect(vnc).toEqual({ 'rfb.version': '003.008', 'rfb.security': [2] });
  expect(imported.observations[1]?.at).toBe('2026-11-26T13:42:11.000Z');
});

test.for([
  [
    'masscan.oJ',
    [
      '21/tcp open-port',
      '22/tcp ssh ssh.banner',
      '5900/tcp rfb rfb.version',
      '80/tcp http http.server',
      '80/tcp http http.title',
      '80/tcp http',
      '443/tcp tls',
    ],
  ],
  ['masscan.ndjson', ['80/tcp open-port', '21/tcp open-port', '443/tcp open-port', '5900/tcp rfb rfb.version', '22/tcp ssh ssh.banner']],
  ['masscan.list', ['22/tcp ssh ssh.banner', '80/tcp http http.server', '80/tcp http http.title', '80/tcp http', '443/tcp tls']],
  ['masscan.xml', ['22/tcp ssh ssh.banner', '80/tcp http http.server', '80/tcp http http.title', '80/tcp http', '443/tcp tls']],
] as const)('masscan: %s', async ([file, expected]) => {
  const imported = await read(scan(file));
  expect(imported).toMatchObject({ isWhole: true, problems: [] });
  expect(told(imported)).toEqual(expected);
  const title = imported.observations.find(({ facts }) => 'http.title' in facts)?.facts['http.title'];
  if (file !== 'masscan.ndjson')
    expect(title).toBe('Acme & Co RackView 2.4 - Login with a rather long title that goes past sixty-five characters');
});

test.for(['nmap.xml', 'masscan.oJ', 'masscan.ndjson', 'masscan.list', 'masscan.xml'])(
  '%s in small pieces, and with a byte order mark, is the same',
  async (file) => {
    const whole = await read(scan(file));
    expect(await read(scan(file), 'scan', 7)).toEqual(whole);
    expect(await read(Buffer.concat([Buffer.from('\ufeff'), scan(file)]))).toEqual(whole);
  },
);

test('nmap: as Windows PowerShell writes it (UTF-16)', async () => {
  const text = scan('nmap.xml').toString('utf8').replace('encoding="UTF-8"', 'encoding="UTF-16"');
  expect(await read(Buffer.from(`\ufeff${text}`, 'utf16le'))).toEqual(await read(scan('nmap.xml')));
});

// ---- files that break off, or are none ----

const HOST = (address: string, ports: string): string =>
  `<host endtime="1795700531"><status state="up" reason="x" reason_ttl="0"/><address addr="${address}" addrtype="ipv4"/><ports>${ports}</ports></host>`;
const OPEN = '<port protocol="tcp" portid="443"><state state="open" reason="syn-ack" reason_ttl="0"/></port>';
const RUN = (hosts: string): string =>
  `<?xml version="1.0"?>\n<!DOCTYPE nmaprun>\n<nmaprun scanner="nmap" version="7" xmloutputversion="1.05">\n${hosts}`;

test('nmap: a file that breaks off gives the hosts before, and says where', async () => {
  const { observations, isWhole, problems } = await read(
    RUN(`${HOST('10.0.0.1', OPEN)}\n${HOST('10.0.0.2', OPEN)}\n<host><status state="up"/><address addr="10.0.0.3" addr`),
    'cut.xml',
  );
  expect(observations.map(({ host }) => host)).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(isWhole).toBe(false);
  expect(problems).toEqual(['cut.xml:6: it breaks off: the scan was interrupted, or still runs; the 2 hosts before that are read']);
});

test.for([
  [
    'masscan.oJ',
    700,
    'scan:10: it breaks off in the middle of a line: the scan was interrupted, or still runs; the 4 findings before that are read',
  ],
  [
    'masscan.oJ',
    593,
    'scan:8: it breaks off: the closing ] is missing, so the scan was interrupted or still runs; the 4 findings before that are read',
  ],
  [
    'masscan.ndjson',
    200,
    'scan:2: it breaks off in the middle of a line: the scan was interrupted, or still runs; the 1 finding before that is read',
  ],
  [
    'masscan.list',
    109,
    'scan:4: it breaks off: "# end" is missing, so the scan was interrupted or still runs; the 3 findings before that are read',
  ],
] as const)('masscan: %s cut after %d bytes', async ([file, bytes, problem]) => {
  const { observations, isWhole, problems } = await read(scan(file).subarray(0, bytes));
  expect(problems).toEqual([problem]);
  expect(isWhole).toBe(false);
  expect(observations.length).toBeGreaterThan(0);
});

test.for([
  ['nothing', '', 'scan: it is empty'],
  ['a list', '10.0.0.1\n10.0.0.2\n', /none of the forms that are read: nmap's XML \(-oX\), masscan's JSON/],
  ['other JSON', '{"devices":[]}', /none of the forms/],
] as const)('what is no scan is refused: %s', async ([, content, message]) => {
  expect(await refused(content)).toMatch(message);
});

test.for([
  ['another XML', '<html><body>x</body></html>', 'scan: it is XML, but not of a scan: its root is <html>, not <nmaprun>'],
  ['damaged', RUN(`${HOST('10.0.0.1', OPEN)}<host><</host>`), /^scan:4: it is damaged from here on: .*; the 1 host before that is read$/],
  ['elements without end', RUN('<host>'.repeat(100_000)), /nested too deep/],
] as const)('nmap: %s', async ([, content, message]) => {
  const { problems } = await read(content);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(message);
});

test('masscan: an array that jq has written over is the same', async () => {
  const value: unknown = JSON.parse(scan('masscan.oJ').toString('utf8'));
  expect(await read(JSON.stringify(value, null, 2))).toEqual(await read(scan('masscan.oJ')));
});

test('masscan: a line that is none costs that line', async () => {
  const { observations, problems } = await read(
    'open tcp 80 10.0.0.1 1795702194\nopen tcp 99999 10.0.0.1 1\nopen udp 623 10.0.0.2 1795702194\n# end\n',
  );
  expect(observations.map(({ host, port }) => `${host}:${port}`)).toEqual(['10.0.0.1:80', '10.0.0.2:623']);
  expect(problems).toEqual(['scan:2: the line is none of masscan (open tcp 80 192.0.2.10 1795372993); it is left out, the rest is kept']);
});

// ---- what devices, and whoever wrote the file, may do ----

test('nmap: no entity is fetched or multiplied', async () => {
  const external = `<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY x SYSTEM "file:///etc/passwd">]><nmaprun>${HOST('10.0.0.1', OPEN.replace('</port>', '<script id="http-title" output="x"><elem key="title">&x;</elem></script></port>'))}</nmaprun>`;
  const { observations, problems } = await read(external);
  expect(JSON.stringify(observations)).not.toContain('root:');
  expect(problems.join()).toMatch(/undefined entity/);
});

test.for([
  ['the usual name of a number', '<service name="https" method="table" conf="3"/>', {}, 'open-port'],
  ['product and version', '<service name="http" product="Dell iDRAC9" version="7" method="probed" conf="10"/>', {}, 'http'],
  ['a banner that may be cut', `<script id="banner" output="SSH-2.0-${'x'.repeat(80)}"/>`, {}, 'open-port'],
  [
    'a page of another host',
    '<script id="http-title" output="x"><elem key="title">Elsewhere</elem><elem key="redirect_url">https://other.example/</elem></script>',
    {},
    'open-port',
  ],
  [
    'a page of its own',
    '<script id="http-title" output="x"><elem key="title">Here</elem><elem key="redirect_url">https://10.0.0.1/login</elem></script>',
    { 'http.title': 'Here' },
    'http',
  ],
  ['headers of two servers', '<script id="http-server-header" output="x"><elem>a</elem><elem>b</elem></script>', {}, 'open-port'],
  [
    'an icon',
    '<script id="http-favicon" output="Unknown favicon MD5: 0123456789ABCDEF0123456789ABCDEF"/>',
    { 'http.favicon.md5': '0123456789abcdef0123456789abcdef' },
    'http',
  ],
  [
    'a certificate that is none',
    '<script id="ssl-cert" output="x"><elem key="pem">-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----</elem></script>',
    {},
    'open-port',
  ],
] as const)('nmap: %s', async ([, inside, facts, probe]) => {
  const { observations } = await read(`${RUN(HOST('10.0.0.1', OPEN.replace('</port>', `${inside}</port>`)))}</nmaprun>`);
  expect(observations).toMatchObject([{ host: '10.0.0.1', port: 443, probe, facts }]);
  expect(Object.keys(observations[0]?.facts ?? {})).toEqual(Object.keys(facts));
});

test('any bytes, and any cut or damage of a real file, end in observations, problems or an InputError', () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom('nmap.xml', 'masscan.oJ', 'masscan.ndjson', 'masscan.list'),
      fc.nat(8000),
      fc.uint8Array({ maxLength: 40 }),
      fc.boolean(),
      async (file, at, noise, isCut) => {
        const bytes = scan(file);
        const damaged = Buffer.concat([bytes.subarray(0, at), noise, isCut ? Buffer.alloc(0) : bytes.subarray(at + noise.length)]);
        await read(damaged).catch((error: unknown) => {
          if (!(error instanceof InputError)) throw error;
        });
      },
    ),
    { numRuns: 300 },
  ));

// ---- the command ----

function kvmsweep(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [CLI, ...words], { encoding: 'utf8', env: { ...process.env, KVMSWEEP_ONLY: '127.0.0.0/8' } });
}

test('import and identify: devices by what nmap wrote down', () => {
  const file = join(folder, 'pikvm.xml');
  const page = '<script id="http-title" output="PiKVM Login"><elem key="title">PiKVM Login</elem></script>';
  writeFileSync(file, `${RUN(HOST('10.0.0.1', OPEN.replace('</port>', `${page}</port>`)))}</nmaprun>`);
  const out = join(folder, 'pikvm.ndjson');
  const imported = kvmsweep('import', file, '-o', out);
  expect(imported).toMatchObject({ status: 0, stderr: '1 host, 1 open port, 1 of them with something that a device said\n' });
  const { status, stdout } = kvmsweep('identify', out, '--format', 'ndjson');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ product: 'PiKVM', addresses: ['10.0.0.1'] });
});

test('import: an interrupted scan is said to be one, by the exit code too', () => {
  const file = join(folder, 'cut.json');
  writeFileSync(file, scan('masscan.oJ').subarray(0, 700));
  const { status, stderr, stdout } = kvmsweep('import', file, '-o', '-');
  expect(status).toBe(3);
  expect(stderr).toContain('it breaks off in the middle of a line');
  expect(stdout.trimEnd().split('\n')).toHaveLength(4);
});

test('import: nothing is written where one of the files cannot be read', () => {
  const { status, stderr } = kvmsweep('import', join(SCANS, 'nmap.xml'), join(folder, 'not-there.xml'), '-o', join(folder, 'x.ndjson'));
  expect(status).toBe(2);
  expect(stderr).toMatch(/cannot read .*not-there\.xml: there is no such file/);
});
