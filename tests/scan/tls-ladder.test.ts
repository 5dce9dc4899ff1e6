import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Matcher } from '../../src/fingerprints/match.ts';
import { identities } from '../../src/fleet/certificates.ts';
import { indexObservations } from '../../src/observations/read.ts';
import type { Observation } from '../../src/observations/observation.ts';
import { scan, type ScanResult } from '../../src/scan/scan.ts';
import { AllowedPaths } from '../../src/sweep/paths.ts';
import { parseAddress } from '../../src/targets/addresses.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parsePorts } from '../../src/targets/ports.ts';
import type { Facts } from '../../src/vocabulary.ts';

const PORTS = { https: 18_444, tls: 18_445 } as const;
const HOST_TIMEOUT_MS = 4000;

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const alert = (number: number): Buffer => Buffer.from([21, 3, 1, 0, 2, 2, number]);
/** What GnuTLS with 3DES alone, and NSS with SSL 3.0 alone, answered to the raw hello (tests/probes/tls-raw.test.ts). */
const flight = (name: string): Buffer =>
  hex(readFileSync(new URL(`../probes/flights/${name}.hex`, import.meta.url), 'latin1').replace(/\s/g, ''));

/** What a hello of ours is, by its bytes alone: the raw one has no extensions, that of TLS 1.3 offers it (supported_versions, RFC 8446 section 4.2.1). */
type Hello = 'first' | 'cautious' | 'raw' | 'other';
function kindOf(hello: Buffer): Hello {
  if (hello[0] !== 22 || hello[5] !== 1) return 'other';
  if (hello.length === 96 && hello.readUInt16BE(1) === 0x0300) return 'raw';
  return hello.includes(hex('002b')) && hello.includes(hex('0304')) ? 'first' : 'cautious';
}

type Answer = Buffer | 'hang-up' | 'silence';
interface Case {
  readonly name: string;
  /** The name that the operator gave for the address. */
  readonly known?: string;
  readonly answers: Readonly<Partial<Record<Hello, Answer>>>;
  readonly hellos: readonly Hello[];
  readonly outcome: string;
  readonly facts: Facts;
  readonly note: RegExp;
}

const REFUSED = 'the TLS handshake failed \\(ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE\\)';
const OLD = { 'tls.subject.cn': 'old-kvm', 'tls.sha256': 'afc3e68093d403d79a849c08a6c76397a914408cddaa4d062317df871160229b' };

const CASES: readonly Case[] = [
  {
    name: 'no common suite: the raw hello at once',
    answers: { first: alert(40), cautious: alert(40), raw: flight('gnutls-3des') },
    hellos: ['first', 'raw'],
    outcome: 'answered',
    facts: { ...OLD, 'tls.version': 'TLSv1', 'tls.cipher': 'DES-CBC3-SHA', 'tls.legacy': '3des-only' },
    note: new RegExp(`^${REFUSED}; read from an old hello, so no page can be asked for over it$`),
  },
  {
    name: 'insufficient security',
    answers: { first: alert(71), raw: flight('gnutls-3des') },
    hellos: ['first', 'raw'],
    outcome: 'answered',
    facts: { ...OLD, 'tls.legacy': '3des-only' },
    note: /read from an old hello/,
  },
  {
    name: 'no common version, said by alert',
    answers: { first: alert(70), raw: flight('nss-ssl3') },
    hellos: ['first', 'raw'],
    outcome: 'answered',
    facts: { ...OLD, 'tls.version': 'SSLv3', 'tls.legacy': 'sslv3' },
    note: /PROTOCOL_VERSION.*read from an old hello/,
  },
  {
    name: 'no common version, found in its answer of SSL 3.0',
    answers: { first: flight('nss-ssl3'), raw: flight('nss-ssl3') },
    hellos: ['first', 'raw'],
    outcome: 'answered',
    facts: { ...OLD, 'tls.version': 'SSLv3', 'tls.legacy': 'sslv3' },
    note: /UNSUPPORTED_PROTOCOL.*read from an old hello/,
  },
  {
    name: 'a server that only minds the version is limited to nothing',
    answers: { first: alert(70), raw: flight('gnutls-3des') },
    hellos: ['first', 'raw'],
    outcome: 'answered',
    facts: { ...OLD, 'tls.version': 'TLSv1', 'tls.cipher': 'DES-CBC3-SHA' },
    note: /read from an old hello/,
  },
  {
    name: 'another alert: the cautious hello first',
    answers: { first: alert(80), cautious: alert(80), raw: flight('nss-ssl3') },
    hellos: ['first', 'cautious', 'raw'],
    outcome: 'answered',
    facts: { ...OLD, 'tls.legacy': 'sslv3' },
    note: /read from an old hello/,
  },
  {
    name: 'an answer that the library does not take: the cautious hello first',
    answers: { first: hex('160301000502000001ff'), cautious: hex('160301000502000001ff'), raw: flight('gnutls-3des') },
    hellos: ['first', 'cautious', 'raw'],
    outcome: 'answered',
    facts: OLD,
    note: /read from an old hello/,
  },
  {
    name: 'a name was sent: it may be that which was refused',
    known: 'old-kvm.example',
    answers: { first: alert(40), cautious: alert(40), raw: flight('gnutls-3des') },
    hellos: ['first', 'cautious', 'raw'],
    outcome: 'answered',
    facts: { ...OLD, 'tls.legacy': '3des-only' },
    note: /read from an old hello/,
  },
  {
    name: 'refuses the raw hello too',
    answers: { first: alert(40), raw: alert(40) },
    hellos: ['first', 'raw'],
    outcome: 'cut-off',
    facts: {},
    note: new RegExp(`^${REFUSED}; to an old hello: refused with alert 40$`),
  },
  {
    name: 'says its version to the raw hello, and no certificate',
    answers: { first: alert(40), raw: flight('gnutls-3des').subarray(0, 86) },
    hellos: ['first', 'raw'],
    outcome: 'cut-off',
    facts: { 'tls.version': 'TLSv1', 'tls.cipher': 'DES-CBC3-SHA', 'tls.legacy': '3des-only' },
    note: /to an old hello: stopped after 0 of 5 bytes$/,
  },
  {
    name: 'hangs up: no third try',
    answers: { first: 'hang-up', cautious: 'hang-up', raw: flight('gnutls-3des') },
    hellos: ['first', 'cautious'],
    outcome: 'cut-off',
    facts: {},
    note: /^hung up in the TLS handshake$/,
  },
  {
    name: 'hangs up first, then refuses',
    answers: { first: 'hang-up', cautious: alert(40), raw: flight('gnutls-3des') },
    hellos: ['first', 'cautious', 'raw'],
    outcome: 'answered',
    facts: { ...OLD, 'tls.legacy': '3des-only' },
    note: /read from an old hello/,
  },
];
const MODERN = '127.62.1.1';
const MUTE = '127.62.1.2';
const MUTUAL = '127.62.1.3';

/** Each case at an address of its own, for each protocol. */
const hostOf = (index: number): string => `127.62.0.${index + 1}`;

const servers: Server[] = [];
const sockets = new Set<Socket>();
const seen = new Map<string, Hello[]>();
const observations: Observation[] = [];
let folder: string;
let result: ScanResult;

async function listen(host: string, port: number, onHello: (socket: Socket, hello: Buffer) => void): Promise<void> {
  const hellos: Hello[] = [];
  seen.set(`${host}:${port}`, hellos);
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
    socket.once('data', (hello: Buffer) => {
      hellos.push(kindOf(hello));
      onHello(socket, hello);
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  servers.push(server);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kvmsweep-ladder-'));
  const { key, chain } = await identities.of(
    { subject: [['CN', 'modern']], key: 'ec-p256', hash: 'sha256', days: 30, madeDaysAgo: 1, san: [], chain: false, shared: false },
    'test',
    {},
  );
  for (const port of Object.values(PORTS)) {
    for (const [index, { answers }] of CASES.entries())
      await listen(hostOf(index), port, (socket, hello) => {
        const answer = answers[kindOf(hello)] ?? 'silence';
        if (answer === 'hang-up') socket.destroy();
        else if (answer !== 'silence') socket.write(answer);
      });
    await listen(MUTE, port, () => undefined);
    // As a server of TLS 1.2 that wants a certificate of ours: its whole flight, and the alert after what we sent then.
    await listen(MUTUAL, port, (socket, hello) => {
      const [inside, outside] = duplexPair();
      const secured = new TLSSocket(inside, { isServer: true, key, cert: chain, maxVersion: 'TLSv1.2' });
      secured.on('error', () => undefined);
      outside.on('data', (said: Buffer) => void socket.write(said));
      outside.write(hello);
      socket.once('data', () => socket.end(hex('15030300020228')));
    });
    await listen(MODERN, port, (socket, hello) => {
      socket.pause();
      socket.unshift(hello);
      const secured = new TLSSocket(socket, { isServer: true, key, cert: chain });
      secured.on('error', () => undefined);
      secured.once('data', () => secured.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
    });
  }
  const hosts = [...CASES.keys()].map(hostOf).concat(MODERN, MUTE, MUTUAL);
  const addresses = hosts.map((host) => parseAddress(host) as number);
  const journal = join(folder, 'journal.ndjson');
  result = await scan(
    {
      hosts: new HostSet(
        addresses.map((address) => ({ first: address, last: address })),
        new Map(CASES.flatMap(({ known }, index) => (known === undefined ? [] : [[addresses[index] as number, known] as const]))),
      ),
      ports: parsePorts(`${PORTS.https}=https,${PORTS.tls}=tls`).ports,
      seed: 1,
      rate: 2000,
      ratePerNetwork: 2000,
      retries: 0,
      hostTimeoutMs: HOST_TIMEOUT_MS,
      arguments: [],
    },
    { journal, matcher: new Matcher([]), guard: Guard.fromEnvironment(), paths: AllowedPaths.load() },
  );
  const index = await indexObservations(journal);
  for (const host of index.hosts) observations.push(...index.of(host));
  index.close();
});

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

function at(host: string, port: number): Observation[] {
  return observations.filter((one) => one.host === host && one.port === port);
}

test('the sweep is complete', () => expect(result).toMatchObject({ complete: true, limitations: [] }));

test.for(CASES.flatMap((one, index) => Object.entries(PORTS).map(([protocol, port]) => ({ ...one, protocol, port, host: hostOf(index) }))))(
  'TLS by $protocol: $name',
  ({ host, port, hellos, outcome, facts, note }) => {
    const all = at(host, port);
    expect(seen.get(`${host}:${port}`)).toEqual(hellos);
    // One observation, and no page: HTTP cannot be read over a TLS that cannot be spoken.
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({ probe: 'tls', outcome, facts, note: expect.stringMatching(note) as unknown });
    expect(all[0]?.facts['tls.legacy']).toBe(facts['tls.legacy']);
  },
);

test('a server that says nothing is not asked a third time', () => {
  for (const port of Object.values(PORTS)) {
    expect(at(MUTE, port)).toMatchObject([{ probe: 'tls', outcome: 'silent', facts: {} }]);
    expect(seen.get(`${MUTE}:${port}`)).toContain('first');
    expect(seen.get(`${MUTE}:${port}`)).not.toContain('raw');
  }
});

test('a server that wants a certificate of ours has shown its own before: nothing is concluded of its alert, and it is not asked again', () => {
  for (const port of Object.values(PORTS)) {
    const [tls, ...rest] = at(MUTUAL, port);
    expect(rest).toEqual([]);
    expect(tls).toMatchObject({
      probe: 'tls',
      outcome: 'answered',
      facts: { 'tls.subject.cn': 'modern', 'tls.version': 'TLSv1.2', 'tls.cipher': 'ECDHE-ECDSA-AES256-GCM-SHA384', 'tls.keyBits': 256 },
      note: expect.stringMatching(/ALERT_HANDSHAKE_FAILURE\), after its certificate had come$/) as unknown,
    });
    expect(tls?.facts['tls.legacy']).toBeUndefined();
    expect(seen.get(`${MUTUAL}:${port}`)).toEqual(['first']);
  }
});

test('a server of today is greeted once, and read over that connection', () => {
  expect(seen.get(`${MODERN}:${PORTS.tls}`)).toEqual(['first']);
  expect(at(MODERN, PORTS.tls)).toMatchObject([{ probe: 'tls', outcome: 'answered', facts: { 'tls.subject.cn': 'modern' } }]);
  expect(at(MODERN, PORTS.https).map(({ probe, outcome }) => `${probe} ${outcome}`)).toEqual(
    expect.arrayContaining(['tls answered', 'https answered']),
  );
  expect(new Set(seen.get(`${MODERN}:${PORTS.https}`))).toEqual(new Set(['first']));
});
