import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Matcher } from '../../src/fingerprints/match.ts';
import { deriveInventory } from '../../src/inventory/derive.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import { indexObservations } from '../../src/observations/read.ts';
import type { Observation } from '../../src/observations/observation.ts';
import { scan, type ScanResult } from '../../src/scan/scan.ts';
import { ledgerErrors } from '../../src/sweep/ledger.ts';
import { AllowedPaths } from '../../src/sweep/paths.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parseRange } from '../../src/targets/parse.ts';
import { parsePorts } from '../../src/targets/ports.ts';
import { commandOf, ipmiAnswer, onFirst, page, PORTS, PORTS_OPTION, pour, replies, Zoo } from './devices.ts';

const HOST_TIMEOUT_MS = 4000;
const MAX_SECONDS = 30;
const MAX_GROWTH_BYTES = 250 * 1024 * 1024;

/** A device that does something wrong, and the outcomes that its first observation may have. */
interface Misbehaviour {
  readonly name: string;
  readonly port: number;
  readonly start: (zoo: Zoo, host: string) => Promise<void>;
  readonly outcomes: readonly string[];
}

const random = (bytes: number): Buffer => Buffer.from(Array.from({ length: bytes }, (_, at) => (at * 167 + 13) % 256));
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n';
const SERVER_HELLO_BEGUN = hex('160303005a020000560303');
/** A whole hello of TLS 1.0 that chooses 3DES, and a Certificate message of 16 MB that begins. */
const OLD_SERVER_HELLO = hex(`160301002a 02000026 0301 ${'07'.repeat(32)} 00 000a 00`.replaceAll(' ', ''));
const HUGE_CERTIFICATE = hex('1603010010 0bffffff fffffc fffff9 308282828282'.replaceAll(' ', ''));

const web = (name: string, act: (zoo: Zoo) => Parameters<Zoo['tcp']>[2], outcomes: readonly string[]): Misbehaviour => ({
  name,
  port: PORTS.http,
  start: (zoo, host) => zoo.tcp(host, PORTS.http, act(zoo)),
  outcomes,
});
const secure = (name: string, act: (zoo: Zoo) => Parameters<Zoo['tcp']>[2], outcomes: readonly string[]): Misbehaviour => ({
  name,
  port: PORTS.https,
  start: (zoo, host) => zoo.tcp(host, PORTS.https, act(zoo)),
  outcomes,
});
const vnc = (name: string, act: (zoo: Zoo) => Parameters<Zoo['tcp']>[2], outcomes: readonly string[]): Misbehaviour => ({
  name,
  port: PORTS.rfb,
  start: (zoo, host) => zoo.tcp(host, PORTS.rfb, act(zoo)),
  outcomes,
});
const ipmi = (name: string, answers: Parameters<Zoo['udp']>[2], outcomes: readonly string[]): Misbehaviour => ({
  name,
  port: PORTS.ipmi,
  start: async (zoo, host) => {
    await zoo.udp(host, PORTS.ipmi, answers);
    await zoo.udp(host, PORTS.snmp, () => []); // what goes there counts as well
  },
  outcomes,
});
const snmp = (name: string, answers: Parameters<Zoo['udp']>[2], outcomes: readonly string[]): Misbehaviour => ({
  name,
  port: PORTS.snmp,
  start: (zoo, host) => zoo.udp(host, PORTS.snmp, answers),
  outcomes,
});
const NO_OBSERVATION = 'no observation';
/** Nothing that came was an answer. */
const NOTHING: readonly string[] = [NO_OBSERVATION, 'not-this-protocol', 'silent'];
/** Refuses the newer form of the capabilities, and has a full page of suites for every number. */
function pageAfterPage(request: Buffer): Buffer {
  if (commandOf(request) === 0x54) return ipmiAnswer(request, 0, [1, ...random(16)]);
  return request[20] === 0x8e ? ipmiAnswer(request, 0xcc, []) : ipmiAnswer(request, 0, [1, 0x17, 6, 0, 0, 0, 0, 0]);
}

/** Answers its second request for the same thing, after the first was given up. */
function everyOther(answer: (request: Buffer) => Buffer): Parameters<Zoo['udp']>[2] {
  let count = 0;
  return (request) => {
    const command = commandOf(request);
    if (command === undefined) return [];
    count += 1;
    return command === 0x38 || count % 2 === 0 ? [answer(request)] : [];
  };
}

/** Has no suite in common with a TLS library, and does something else to a hello without extensions. */
function refusing(act: (socket: Parameters<Parameters<Zoo['tcp']>[2]>[0]) => void): Parameters<Zoo['tcp']>[2] {
  return (socket) => onFirst(socket, (hello) => (hello.length === 96 ? act(socket) : void socket.end(hex('15030100020228'))));
}

const DEVICES: readonly Misbehaviour[] = [
  web(
    'streams a page for ever',
    () => (socket) => onFirst(socket, () => (socket.write(`${OK}\r\n<title>stream</title>`), pour(socket, random(65_536)))),
    ['answered'],
  ),
  web(
    'streams chunks for ever',
    () => (socket) =>
      onFirst(
        socket,
        () => (socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`), pour(socket, Buffer.from(`8000\r\n${'x'.repeat(0x8000)}\r\n`))),
      ),
    ['answered'],
  ),
  web('streams without having been asked', () => (socket) => (socket.resume(), pour(socket, random(65_536))), [
    'not-this-protocol',
    'answered',
  ]),
  web('drips a header', (zoo) => (socket) => onFirst(socket, () => zoo.every(100, socket, () => socket.write('H'))), [
    'not-this-protocol',
    'silent',
    'cut-off',
    'answered',
  ]),
  web(
    'drips a page',
    (zoo) => (socket) =>
      onFirst(
        socket,
        () => (socket.write(`${OK}Content-Length: 100000\r\n\r\n<title>drip`), zoo.every(100, socket, () => socket.write('.'))),
      ),
    ['answered'],
  ),
  web(
    'floods headers',
    () => (socket) => onFirst(socket, () => (socket.write(OK), pour(socket, Buffer.from('X-Flood: 0123456789abcdef\r\n'.repeat(1000))))),
    ['answered', 'cut-off'],
  ),
  web(
    'sends one header without an end',
    () => (socket) => onFirst(socket, () => (socket.write(`${OK}X-Long: `), pour(socket, Buffer.alloc(65_536, 'a')))),
    ['answered', 'cut-off'],
  ),
  web('resets at once', () => (socket) => void socket.resetAndDestroy(), ['cut-off', 'silent', NO_OBSERVATION]),
  web('resets when asked', () => (socket) => onFirst(socket, () => void socket.resetAndDestroy()), ['cut-off']),
  web(
    'resets in the middle of a page',
    () => (socket) =>
      onFirst(socket, () =>
        socket.write(`${OK}Content-Length: 9999\r\n\r\n<title>half</title>`, () => setTimeout(() => socket.resetAndDestroy(), 50)),
      ),
    ['answered'],
  ),
  web('says nothing', () => (socket) => void socket.resume(), ['silent']),
  web('hangs up at once', () => (socket) => void socket.end(), ['cut-off']),
  web('redirects to itself', () => replies('HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'), [
    'answered',
  ]),
  web(
    'redirects in a circle',
    () => (socket) =>
      onFirst(socket, (data) =>
        socket.end(
          `HTTP/1.1 302 Found\r\nLocation: ${data.includes('GET /login ') ? '/index.html' : data.includes('GET /index.html') ? '/home' : '/login'}\r\nContent-Length: 0\r\n\r\n`,
        ),
      ),
    ['answered'],
  ),
  web(
    'redirects to other hosts and to what sets something',
    () =>
      replies(
        `HTTP/1.1 302 Found\r\nLocation: http://127.60.9.9:18080/\r\nRefresh: 0; url=/api/init/init?username=a&password=b\r\nContent-Length: 0\r\n\r\n`,
      ),
    ['answered'],
  ),
  web('refreshes to a port without end', () => replies(page('x', 'Refresh: 0; url=http://127.60.9.9:99999999/\r\n')), ['answered']),
  web('names lengths that cannot be', () => replies(`${OK}Content-Length: 99999999999999999999999\r\nContent-Length: -5\r\n\r\nbody`), [
    'answered',
  ]),
  web('sends chunks that cannot be', () => replies(`${OK}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx`), ['answered']),
  web('sends no HTTP', () => replies(random(5000)), ['not-this-protocol']),
  web('sends status 000', () => replies('HTTP/1.1 000 \r\n\r\n'), ['answered', 'not-this-protocol']),
  web('nests without end', () => replies(`${OK}\r\n${'<div>'.repeat(100_000)}`), ['answered']),
  web('says that it is TLS', () => replies(hex('15030300020246')), ['answered', 'not-this-protocol']),
  secure('breaks off after the ClientHello', () => (socket) => onFirst(socket, () => void socket.end()), ['cut-off']),
  secure('resets after the ClientHello', () => (socket) => onFirst(socket, () => void socket.resetAndDestroy()), ['cut-off']),
  secure('stops in the middle of the ServerHello', () => (socket) => onFirst(socket, () => void socket.write(SERVER_HELLO_BEGUN)), [
    'silent',
  ]),
  secure('breaks off in the middle of the ServerHello', () => (socket) => onFirst(socket, () => void socket.end(SERVER_HELLO_BEGUN)), [
    'cut-off',
  ]),
  secure('sends alerts for ever', () => (socket) => onFirst(socket, () => pour(socket, hex('15030300020100'.repeat(1000)))), [
    'cut-off',
    'silent',
    'not-this-protocol',
  ]),
  secure('answers with noise', () => replies(random(2000)), ['not-this-protocol', 'cut-off']),
  secure('says nothing to the ClientHello', () => (socket) => void socket.resume(), ['silent', 'cut-off']),
  secure('speaks plain HTTP', () => replies(page('plain')), ['not-this-protocol', 'cut-off']),
  secure('refuses, and floods who asks again with warnings', () => refusing((socket) => pour(socket, hex('15030100020170'.repeat(1000)))), [
    'cut-off',
  ]),
  secure(
    'refuses, and promises 16 MB of certificate',
    () => refusing((socket) => (socket.write(OLD_SERVER_HELLO), pour(socket, HUGE_CERTIFICATE))),
    ['cut-off'],
  ),
  secure(
    'refuses, and drips a hello',
    (zoo) =>
      refusing((socket) => {
        let at = 0;
        zoo.every(100, socket, () => (socket.write(OLD_SERVER_HELLO.subarray(at, at + 1)), (at += 1)));
      }),
    ['cut-off'],
  ),
  vnc('streams for ever', () => (socket) => (socket.resume(), socket.write('RFB 003.008\n'), pour(socket, random(65_536))), [
    'answered',
    'cut-off',
  ]),
  vnc('drips its version', (zoo) => (socket) => (socket.resume(), zoo.every(1000, socket, () => socket.write('R'))), [
    'not-this-protocol',
    'cut-off',
    'silent',
  ]),
  vnc(
    'promises a reason of four gigabytes',
    () => (socket) => (socket.write('RFB 003.008\n'), onFirst(socket, () => void socket.end(hex('00ffffffff41')))),
    ['answered'],
  ),
  vnc(
    'names 255 types and sends three',
    () => (socket) => (socket.write('RFB 003.008\n'), onFirst(socket, () => void socket.end(hex('ff010203')))),
    ['cut-off', 'answered'],
  ),
  vnc('says nothing', () => (socket) => void socket.resume(), ['silent']),
  ipmi('echoes', (request) => [request], NOTHING),
  ipmi('answers with noise', () => [random(1400), Buffer.alloc(0), hex('06'), hex('0600ff07')], NOTHING),
  ipmi(
    'names lengths past the datagram',
    (request) => [Buffer.concat([ipmiAnswer(request, 0, [1, 2, 3]).subarray(0, 13), hex('ff811c')])],
    NOTHING,
  ),
  ipmi('sends a pong that is cut off', () => [hex('0600ff06000011be4000001000'), hex('0600ff06000011be40')], NOTHING),
  ipmi('refuses everything', (request) => (commandOf(request) === undefined ? [] : [ipmiAnswer(request, 0xcc, [])]), ['answered']),
  ipmi('has pages of suites without end', (request) => (commandOf(request) === undefined ? [] : [pageAfterPage(request)]), ['answered']),
  ipmi(
    'answers every other time',
    everyOther((request) => ipmiAnswer(request, 0, commandOf(request) === 0x54 ? [1, ...random(16)] : [1, 0x97, 6, 3, 0, 0, 0, 0])),
    ['answered'],
  ),
  ipmi(
    'answers a hundred times',
    (request) =>
      commandOf(request) === undefined ? [] : Array.from({ length: 100 }, () => ipmiAnswer(request, 0, [1, 0x97, 6, 3, 0, 0, 0, 0])),
    ['answered'],
  ),
  snmp('sends a length that swallows everything', () => [hex('30840000'), hex('3084ffffffff')], NOTHING),
  snmp('nests without end', () => [hex('3080'.repeat(600)), hex('3082057a'.repeat(350))], NOTHING),
  snmp('echoes', (request) => [request], NOTHING),
  snmp('answers with an empty engine', (request) => [discoveryAnswer(request, '')], NOTHING),
];

const GOOD = { web: '127.60.0.241', vnc: '127.60.0.242', ipmi: '127.60.0.243', snmp: '127.60.0.244' } as const;
/** RFC 3411 section 5: enterprise 25049, a MAC. */
const ENGINE = '800061d903001361123456';

function hostOf(index: number): string {
  return `127.60.0.${index + 1}`;
}

/** A BER value of up to 127 bytes. */
function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}

/** The report to an engine discovery (RFC 3414 section 4), with the message's own id. */
function discoveryAnswer(request: Buffer, engine = ENGINE): Buffer {
  const id = request.subarray(9, 13);
  const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, ...parts);
  const integer = (...bytes: number[]): Buffer => tagged(0x02, Buffer.from(bytes));
  const octets = (text: string): Buffer => tagged(0x04, hex(text));
  return sequence(
    integer(3),
    sequence(tagged(0x02, id), integer(0, 0xff, 0xe3), tagged(0x04, Buffer.from([0])), integer(3)),
    tagged(0x04, sequence(octets(engine), integer(7), integer(60), octets(''), octets(''), octets(''))),
    sequence(octets(engine), octets(''), tagged(0xa8, integer(0), integer(0), integer(0), sequence())),
  );
}

let folder: string;
let zoo: Zoo;
let result: ScanResult;
let inventory: Inventory;
let seconds: number;
let growth = 0;
const observations: Observation[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kvmsweep-hostile-'));
  zoo = new Zoo();
  for (const [index, { start }] of DEVICES.entries()) await start(zoo, hostOf(index));
  await zoo.tcp(GOOD.web, PORTS.http, replies(page('A good device')));
  await zoo.tcp(GOOD.vnc, PORTS.rfb, (socket) => {
    socket.write('RFB 003.008\n');
    onFirst(socket, () => void socket.write(Buffer.from([2, 2, 16])));
  });
  await zoo.udp(GOOD.ipmi, PORTS.ipmi, (request) =>
    commandOf(request) === 0x38 ? [ipmiAnswer(request, 0, [1, 0x84, 4, 3, 0, 0, 0, 0])] : [],
  );
  await zoo.udp(GOOD.snmp, PORTS.snmp, (request) => [discoveryAnswer(request)]);
  const journal = join(folder, 'journal.ndjson');
  const matcher = new Matcher([]);
  const before = process.memoryUsage().rss;
  const watch = setInterval(() => (growth = Math.max(growth, process.memoryUsage().rss - before)), 50);
  const from = performance.now();
  result = await scan(
    {
      hosts: new HostSet([parseRange('127.60.0.0/24') as never]),
      ports: parsePorts(PORTS_OPTION).ports,
      seed: 1,
      rate: 5000,
      ratePerNetwork: 5000,
      retries: 1,
      hostTimeoutMs: HOST_TIMEOUT_MS,
      arguments: [],
    },
    { journal, matcher, guard: Guard.fromEnvironment(), paths: AllowedPaths.load() },
  );
  seconds = (performance.now() - from) / 1000;
  clearInterval(watch);
  ({ inventory } = await deriveInventory(journal, matcher));
  const index = await indexObservations(journal);
  for (const host of index.hosts) observations.push(...index.of(host));
  index.close();
}, 90_000);

afterAll(async () => {
  await zoo[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** The most that one device saw. */
function most(of: 'most' | 'connections' | 'datagrams'): number {
  return Math.max(...[...zoo.loads.values()].map((load) => load[of]));
}

/** All that a host told. */
function factsOf(host: string): object {
  return Object.assign(
    {},
    ...observations.filter((one) => one.host === host && one.outcome === 'answered').map((one) => one.facts),
  ) as object;
}

test('the sweep ends in time and memory, complete, with an account that adds up', () => {
  process.stderr.write(
    `      ${DEVICES.length} hostile devices: ${seconds.toFixed(1)} s, ${(growth / 2 ** 20).toFixed(0)} MB more at most; a device saw at most ${most('most')} connections at a time, ${most('connections')} in all, ${most('datagrams')} datagrams\n`,
  );
  expect(result).toMatchObject({ complete: true, limitations: [] });
  expect(ledgerErrors(result.ledger.ports)).toEqual([]);
  expect(inventory.completeness.complete).toBe(true);
  expect(seconds).toBeLessThan(MAX_SECONDS);
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
});

test('every good device is found', () => {
  expect(factsOf(GOOD.web)).toMatchObject({ 'http.title': 'A good device' });
  expect(factsOf(GOOD.vnc)).toMatchObject({ 'rfb.version': '003.008', 'rfb.security': [2, 16] });
  expect(factsOf(GOOD.ipmi)).toMatchObject({ 'ipmi.auth.types': 0x84 });
  expect(factsOf(GOOD.snmp)).toMatchObject({ 'snmp.engine.id': ENGINE, 'snmp.engine.pen': 25_049, 'snmp.engine.boots': 7 });
});

test.for(DEVICES.map((device, index) => ({ ...device, host: hostOf(index) })))('a device that $name', ({ host, port, outcomes }) => {
  const first = observations.find((one) => one.host === host && one.port === port);
  expect(outcomes, first?.note ?? '').toContain(first?.outcome ?? NO_OBSERVATION);
  const load = zoo.load(host);
  expect(load.most, 'connections at a time').toBeLessThanOrEqual(2);
  expect(load.connections, 'connections').toBeLessThanOrEqual(40);
  expect(load.datagrams, 'datagrams').toBeLessThanOrEqual(12);
});

test('no device is talked to for longer than it may be', () => {
  for (const { host, port, probe, ms = 0 } of observations) expect(ms, `${probe} at ${host}:${port}`).toBeLessThan(HOST_TIMEOUT_MS + 1000);
});

test('what a device says is kept within bounds', () => {
  for (const { host, port, facts } of observations) expect(JSON.stringify(facts).length, `${host}:${port}`).toBeLessThan(256 * 1024);
});
