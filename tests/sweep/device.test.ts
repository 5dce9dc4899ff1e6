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

test('one GET a connection, with the name that was given, and each page once', async () => {
  const asked = await serve(18080, (_, reply) => reply.end('<title>x</title>'));
  const { device, audit } = deviceAt(HOST, { name: 'kvm.example' });
  const web = device.web(18080, 'http', soon());
  const [page, again] = await Promise.all([web.get('/'), web.get('/')]);
  expect(page).toBe(again);
  expect(page).toMatchObject({ status: 200, loose: false });
  await web.get('/favicon.ico', 'icon');
  expect(asked).toEqual(['GET / kvm.example:18080', 'GET /favicon.ico kvm.example:18080']);
  expect(audit.entries.map(({ what }) => what)).toEqual(['connect', 'http.get', 'connect', 'http.get']);
  expect((audit.entries[2]?.ms ?? 0) - (audit.entries[1]?.ms ?? 0), 'the device rests between connections').toBeGreaterThan(240);
});

test('a connection whose page is known already gives its place to the next: a slow device has only one', async () => {
  const asked = await serve(18080, (_, reply) => reply.end('x'));
  const { device, gates } = deviceAt();
  gates.slow(device.address);
  await device.web(18080, 'http', soon()).get('/');
  const idle = device.web(18080, 'http', soon(), await device.open(18080, 'http', soon()));
  await idle.get('/');
  const from = performance.now();
  await device.web(18080, 'http', soon()).get('/login');
  expect(performance.now() - from).toBeLessThan(5000);
  expect(asked.map((line) => line.split(' ')[1])).toEqual(['/', '/login']);
  await idle.close();
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
