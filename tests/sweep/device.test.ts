import http from 'node:http';
import net from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ForbiddenError, ProbeError } from '../../src/errors.ts';
import { type BudgetLimits, DEFAULT_BUDGET } from '../../src/sweep/budget.ts';
import { type Device, Devices } from '../../src/sweep/device.ts';
import { Gates } from '../../src/sweep/gates.ts';
import { AllowedPaths } from '../../src/sweep/paths.ts';
import { parseAddress } from '../../src/targets/addresses.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parsePorts } from '../../src/targets/ports.ts';
import { AuditLog } from '../support/audit-log.ts';

const HOST = '127.51.0.1';
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function deviceAt(
  host = HOST,
  { ports = '18080=http,18443=https,15900=rfb', name, budget = {} }: { ports?: string; name?: string; budget?: Partial<BudgetLimits> } = {},
): { device: Device; audit: AuditLog; gates: Gates } {
  const address = parseAddress(host) as number;
  const audit = new AuditLog();
  const gates = new Gates();
  const devices = new Devices({
    guard: Guard.fromEnvironment(),
    audit,
    paths: AllowedPaths.load(),
    gates,
    hosts: new HostSet([{ first: address, last: address }], new Map(name === undefined ? [] : [[address, name]])),
    ports: parsePorts(ports).ports,
    budget: { ...DEFAULT_BUDGET, ...budget },
  });
  return { device: devices.at(address), audit, gates };
}

function soon(): number {
  return performance.now() + 10_000;
}

async function serve(port: number, answer: http.RequestListener): Promise<string[]> {
  const asked: string[] = [];
  const server = http.createServer((request, reply) => {
    asked.push(`${request.method} ${request.url} ${request.headers.host}`);
    answer(request, reply);
  });
  await new Promise<void>((resolve) => server.listen(port, HOST, resolve));
  closers.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  return asked;
}

test.for([
  ['https://127.51.0.1:18443/login', '18443 https /login'],
  ['/login.html', '18080 http /login.html'],
  ['login.html?next=1', '18080 http /login.html'],
  ['//127.51.0.1:18443/login', '18443 http /login'],
  ['http://127.51.0.1:18080/api/init/init?username=a&password=b', undefined],
  ['https://127.51.0.1/login', undefined],
  ['https://127.51.0.1:15900/login', undefined],
  ['https://127.51.0.2:18443/login', undefined],
  ['https://kvm.example:18443/login', '18443 https /login'],
  ['https://other.example:18443/login', undefined],
  ['https://user:pass@127.51.0.1:18443/login', undefined],
  ['ftp://127.51.0.1/login', undefined],
  ['https://:443/start.html', undefined],
  ['javascript:alert(1)', undefined],
  ['https://0x7f330001:18443/login', '18443 https /login'],
  ['https://[::1]:18443/login', undefined],
] as const)('a redirect to %s is followed to %s', ([location, target]) => {
  const { device } = deviceAt(HOST, { name: 'kvm.example' });
  const next = device.web(18080, 'http', soon()).follow(location, '/');
  expect(next === undefined ? undefined : `${next.web.endpoint.port} ${next.web.scheme} ${next.path}`).toBe(target);
});

test.for([
  ['http://127.51.0.1:18080/desc.xml', '18080 http /desc.xml'],
  ['http://127.51.0.1:49152/desc.xml', '49152 http /desc.xml'],
  ['https://127.51.0.1/upnp/desc.xml', '443 https /upnp/desc.xml'],
  ['http://127.51.0.1:5000/ssdp/desc-eth0.xml', '5000 http /ssdp/desc-eth0.xml'],
  ['http://127.51.0.1:18080/xmldata?item=all', '18080 http /xmldata?item=all'],
  ['http://127.51.0.2:18080/desc.xml', undefined],
  ['http://169.254.169.254/desc.xml', undefined],
  ['http://kvm.example:18080/desc.xml', undefined],
  ['http://127.51.0.1:9100/desc.xml', undefined],
  ['http://127.51.0.1:4001/desc.xml', undefined],
  ['http://127.51.0.1:15900/desc.xml', undefined],
  ['http://127.51.0.1:5900/desc.xml', undefined],
  ['http://127.51.0.1:22/desc.xml', undefined],
  ['http://127.51.0.1:0/desc.xml', undefined],
  ['http://127.51.0.1:18080/desc.xml?id=1', undefined],
  ['http://127.51.0.1:18080/reboot.xml', undefined],
  ['http://127.51.0.1:18080/', '18080 http /'],
  ['http://user:pass@127.51.0.1:18080/desc.xml', undefined],
  ['ftp://127.51.0.1/desc.xml', undefined],
  ['/desc.xml', undefined],
  ['', undefined],
] as const)('a description at %s is read at %s', ([location, target]) => {
  const { device } = deviceAt(HOST, { name: 'kvm.example' });
  const found = device.description(location, soon());
  expect(found === undefined ? undefined : `${found.web.endpoint.port} ${found.web.scheme} ${found.path}`).toBe(target);
});

test('pages are asked for over one connection, with the name that was given, and each page once', async () => {
  const asked = await serve(18080, (_, reply) => reply.end('<title>x</title>'));
  const { device, audit } = deviceAt(HOST, { name: 'kvm.example' });
  const web = device.web(18080, 'http', soon());
  const [page, again] = await Promise.all([web.get('/'), web.get('/')]);
  expect(page).toBe(again);
  expect(page).toMatchObject({ status: 200, loose: false });
  await web.get('/favicon.ico', 'icon');
  await web.close();
  expect(asked).toEqual(['GET / kvm.example:18080', 'GET /favicon.ico kvm.example:18080']);
  expect(audit.entries.map(({ what }) => what)).toEqual(['connect', 'http.get', 'http.get']);
});

/** What a server does with the requests of one connection, in their order; after the last of them it goes on as with it. */
interface Habit {
  readonly name: string;
  readonly answers: readonly ((socket: net.Socket) => void)[];
  /** How many requests each connection brought. */
  readonly connections: readonly number[];
}

const WHOLE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
const answers = (socket: net.Socket): void => void socket.write(WHOLE);

test.for<Habit>([
  { name: 'keeps the connection open', answers: [answers], connections: [3] },
  {
    name: 'says that it closes it, and does not',
    answers: [(socket) => socket.write(WHOLE.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))],
    connections: [1, 1, 1],
  },
  { name: 'closes it without a word', answers: [(socket) => socket.end(WHOLE)], connections: [1, 1, 1] },
  { name: 'ends a page by closing it', answers: [(socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhi')], connections: [1, 1, 1] },
  { name: 'speaks HTTP/1.0', answers: [(socket) => socket.write(WHOLE.replace('/1.1', '/1.0'))], connections: [1, 1, 1] },
  { name: 'says more than it promised', answers: [(socket) => socket.write(`${WHOLE}more`)], connections: [1, 1, 1] },
  { name: 'breaks the rules', answers: [(socket) => socket.end(WHOLE.replaceAll('\r\n', '\n'))], connections: [1, 1, 1] },
  {
    name: 'is in trouble',
    answers: [(socket) => socket.write(WHOLE.replace('200 OK', '503 Busy'))],
    connections: [1, 1, 1],
  },
  // The second request goes unanswered, and is made again over a connection of its own, as all are from then on.
  { name: 'hangs up on the second request', answers: [answers, (socket) => socket.destroy()], connections: [2, 1, 1] },
  { name: 'takes no notice of the second request', answers: [answers, () => undefined], connections: [2, 1, 1] },
])('a device that $name is asked for three pages', async ({ answers: habits, connections }) => {
  const seen: number[] = [];
  const server = net.createServer((socket) => {
    const at = seen.push(0) - 1;
    socket.on('error', () => undefined);
    socket.on('data', () => {
      seen[at] = (seen[at] ?? 0) + 1;
      habits[Math.min(seen[at], habits.length) - 1]?.(socket);
    });
    closers.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(18080, HOST, resolve));
  closers.push(() => server.close());
  const { device, audit } = deviceAt();
  const web = device.web(18080, 'http', performance.now() + 20_000);
  for (const path of ['/', '/login', '/index.html']) expect((await web.get(path)).body.toString(), path).toMatch(/^hi/);
  await web.close();
  expect(seen).toEqual(connections);
  const connects = audit.entries.filter(({ what }) => what === 'connect').map(({ ms }) => ms);
  for (const [at, ms] of connects.slice(1).entries())
    expect(ms - (connects[at] ?? ms), 'the device rests between connections').toBeGreaterThan(240);
});

test('the account of a device is charged for a request that is made again', async () => {
  const server = net.createServer((socket) => {
    let requests = 0;
    socket.on('error', () => undefined).on('data', () => ((requests += 1) === 1 ? socket.write(WHOLE) : socket.destroy()));
    closers.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(18080, HOST, resolve));
  closers.push(() => server.close());
  const web = deviceAt(HOST, { budget: { requests: 2 } }).device.web(18080, 'http', soon());
  await web.get('/');
  await expect(web.get('/login')).rejects.toMatchObject({ kind: 'given-up' });
  await web.close();
});

test('a connection whose page is known already gives its place to the next: a slow device has only one', async () => {
  const asked = await serve(18080, (_, reply) => reply.end('x'));
  const { device, gates } = deviceAt();
  gates.slow(device.address);
  const first = device.web(18080, 'http', soon());
  await first.get('/');
  await first.close();
  const idle = device.web(18080, 'http', soon(), await device.open(18080, 'http', soon()));
  await idle.get('/');
  const from = performance.now();
  const second = device.web(18080, 'http', soon());
  await second.get('/login');
  expect(performance.now() - from).toBeLessThan(5000);
  expect(asked.map((line) => line.split(' ')[1])).toEqual(['/', '/login']);
  await Promise.all([idle.close(), second.close()]);
});

test('a connection gives its place to that of the port that a redirect leads to, and both are closed at the end', async () => {
  await serve(18080, (_, reply) => reply.end('x'));
  const asked = await serve(18443, (_, reply) => reply.end('y'));
  const { device, gates } = deviceAt(HOST, { ports: '18080=http,18443=http' });
  gates.slow(device.address);
  const web = device.web(18080, 'http', soon());
  await web.get('/');
  const from = performance.now();
  const target = web.follow(`http://${HOST}:18443/login`, '/');
  expect((await target?.web.get('/login'))?.body.toString()).toBe('y');
  expect(performance.now() - from).toBeLessThan(5000);
  expect(asked).toEqual([`GET /login ${HOST}:18443`]);
  await web.close();
  // Only now there is a place again.
  (await gates.enter(device.address))();
});

test('what is not listed never reaches the device', async () => {
  const asked = await serve(18080, (_, reply) => reply.end());
  const { device } = deviceAt();
  for (const path of ['/api/init/init', '/secret', '/ HTTP/1.1\r\nX: y'])
    await expect(device.web(18080, 'http', soon()).get(path)).rejects.toThrow(/not in the list|never sent|invalid/i);
  expect(asked).toEqual([]);
  await expect(device.web(18080, 'http', soon()).get('/secret')).rejects.toBeInstanceOf(ForbiddenError);
});

test('a device is asked no more than its budget, and given up where its ports stop answering', async () => {
  await serve(18080, (_, reply) => reply.end('x'));
  const { device } = deviceAt(HOST, { budget: { requests: 2 } });
  const web = device.web(18080, 'http', soon());
  await web.get('/');
  await web.get('/login');
  await expect(web.get('/index.html')).rejects.toMatchObject({ kind: 'given-up' });
  await expect(deviceAt().device.open(18081, 'http', soon())).rejects.toMatchObject({ kind: 'refused' });
});

test('a conversation that reads over its deadline ends, and the connection with it', async () => {
  const server = net.createServer((socket) => {
    const drip = setInterval(() => socket.write('x'), 50);
    socket.on('close', () => clearInterval(drip)).on('error', () => undefined);
    closers.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(15900, HOST, resolve));
  closers.push(() => server.close());
  const { device } = deviceAt();
  const wire = await device.open(15900, 'rfb', performance.now() + 400);
  await expect(wire.read(1000)).rejects.toBeInstanceOf(ProbeError);
  await wire.end();
});

test('bytes that no protocol has are not written', async () => {
  const got: Buffer[] = [];
  const server = net.createServer((socket) => {
    socket.on('data', (chunk) => got.push(chunk)).on('error', () => undefined);
    closers.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(15900, HOST, resolve));
  closers.push(() => server.close());
  const { device } = deviceAt();
  const wire = await device.open(15900, 'rfb', soon());
  await expect(wire.write(Buffer.from([1]))).rejects.toBeInstanceOf(ForbiddenError); // a choice of security type
  await wire.write(Buffer.from('RFB 003.008\n'));
  await wire.end();
  expect(Buffer.concat(got).toString()).toBe('RFB 003.008\n');
});
