import { createSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { demoPlacements, type Fleet, FLEET_PORTS, loadPersonas, type Placement, portsOption, startFleet } from '../../src/fleet/index.ts';
import { parsePorts } from '../../src/targets/ports.ts';
import { get, hear, PORTS } from './client.ts';

const HOST = '127.88.7.1';
const personas = loadPersonas();
const fleets: Fleet[] = [];

async function start(placements: readonly Placement[], ports: Partial<typeof PORTS> = PORTS): Promise<Fleet> {
  const fleet = await startFleet(placements, { ports, personas });
  fleets.push(fleet);
  return fleet;
}
afterEach(async () => {
  await Promise.all(fleets.splice(0).map((fleet) => fleet.stop()));
});

/** The codes of an InputError; anything else is thrown on. */
async function problemsOf(work: Promise<unknown>): Promise<{ code: string; args: unknown }[]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof InputError) return error.problems.map(({ code, args }) => ({ code, args }));
    throw error;
  }
  return [];
}

describe('a port in use', () => {
  test('is reported with its address, for every port at once, and nothing is left running', async () => {
    await start([{ persona: 'pikvm-v4-vnc-ipmi', address: HOST }]);
    const problems = await problemsOf(
      startFleet(
        [
          { persona: 'bmc-ipmi-only', address: HOST },
          { persona: 'vnc-realvnc', address: '127.88.7.2' },
          { persona: 'nanokvm-pro', address: HOST.replace('7.1', '7.3') },
        ],
        { ports: PORTS, personas },
      ),
    );
    expect(problems).toEqual([{ code: 'port-in-use', args: { address: HOST, port: PORTS.ipmi, transport: 'udp' } }]);
    // What did start has been stopped: its port is free again.
    await start([{ persona: 'vnc-realvnc', address: '127.88.7.2' }]);
  });

  test('starting the same fleet twice', async () => {
    const placements = [{ persona: 'tinypilot-2-accounts', address: HOST }];
    await start(placements);
    expect(await problemsOf(startFleet(placements, { ports: PORTS, personas }))).toEqual([
      { code: 'port-in-use', args: { address: HOST, port: PORTS.http, transport: 'tcp' } },
      { code: 'port-in-use', args: { address: HOST, port: PORTS.https, transport: 'tcp' } },
      { code: 'port-in-use', args: { address: HOST, port: PORTS.mdns, transport: 'udp' } },
    ]);
  });

  test('by a program that is none of ours', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(PORTS.rfb, HOST, resolve));
    expect(await problemsOf(startFleet([{ persona: 'vnc-tigervnc', address: HOST }], { ports: PORTS, personas }))).toHaveLength(1);
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('only loopback', () => {
  test.for(['192.0.2.1', '10.0.0.1', '0.0.0.0', '::1', 'localhost', '127.0.0.1.example', '128.0.0.1', ''])(
    '%j is refused',
    async (address) => {
      const problems = await problemsOf(startFleet([{ persona: 'decoy-nginx', address }], { ports: PORTS, personas }));
      expect(problems.map(({ code }) => code)).toEqual(['forbidden-address']);
    },
  );
});

describe('placements', () => {
  test('that are wrong are all told at once', async () => {
    const problems = await problemsOf(
      startFleet(
        [
          { persona: 'pikvm-v5', address: HOST },
          { persona: 'dell-idrac9', address: '127.88.7.2', parameters: { serail: 'X' } },
          { persona: 'decoy-nginx', address: HOST },
        ],
        { ports: PORTS, personas },
      ),
    );
    expect(problems.map(({ args }) => args)).toEqual([
      { what: 'there is no persona "pikvm-v5"; did you mean "pikvm-v4"?' },
      { what: 'the persona dell-idrac9 has no parameter "serail"; it has serial, mac, model, version, guid' },
      { what: `two simulated devices at ${HOST}` },
    ]);
  });

  test('may give a device a serial number of its own, and what is made of it follows', async () => {
    const fleet = await start([{ persona: 'dell-idrac8', address: HOST, parameters: { serial: 'ABCD123' } }]);
    expect(fleet.hosts[0]).toMatchObject({
      truth: { serial: 'ABCD123', hostname: 'idrac-ABCD123' },
      parameters: { hostname: 'idrac-ABCD123' },
      ports: { http: PORTS.http, https: PORTS.https, ipmi: PORTS.ipmi },
    });
    const { bytes } = await hear(HOST, PORTS.https, { tls: {}, send: get('/redfish/v1/', HOST) });
    expect(bytes.toString('utf8')).toContain('"ServiceTag":"ABCD123"');
  });
});

describe('what a fleet knows of its visitors', () => {
  test('how many connections were open at once', async () => {
    const fleet = await start([
      { persona: 'hostile-silent', address: HOST },
      { persona: 'decoy-nginx', address: '127.88.7.2' },
    ]);
    const sockets = await Promise.all([PORTS.http, PORTS.https, PORTS.rfb].map((port) => open(port)));
    await sleep(50);
    expect(fleet.load(HOST)).toEqual({ connections: 3, open: 3, mostOpen: 3 });
    for (const socket of sockets) socket.destroy();
    await sleep(50);
    await hear(HOST, PORTS.http, { waitMs: 30 });
    await sleep(50);
    expect(fleet.load(HOST)).toEqual({ connections: 4, open: 0, mostOpen: 3 });
    expect(fleet.load('127.88.7.2')).toEqual({ connections: 0, open: 0, mostOpen: 0 });
  });

  test('what each was asked: datagrams, requests and bytes, in order', async () => {
    const fleet = await start([{ persona: 'pikvm-v4-vnc-ipmi', address: HOST }]);
    await hear(HOST, PORTS.https, { tls: {}, send: get('/login/', HOST) });
    await hear(HOST, PORTS.rfb, { send: 'RFB 003.008\n', waitMs: 100 });
    const udp = createSocket('udp4');
    await new Promise((resolve) => udp.send('hello', PORTS.ipmi, HOST, resolve));
    await sleep(50);
    udp.close();
    expect(fleet.requests.map(({ role, transport, method, path }) => ({ role, transport, method, path }))).toEqual([
      { role: 'https', transport: 'tcp', method: 'GET', path: '/login/' },
      { role: 'rfb', transport: 'tcp', method: undefined, path: undefined },
      { role: 'ipmi', transport: 'udp', method: undefined, path: undefined },
    ]);
    expect(fleet.requests[0]?.bytes.toString('latin1')).toBe(get('/login/', HOST));
    expect(fleet.requests[2]?.bytes.toString()).toBe('hello');
    expect(fleet.requests.every(({ at }, index) => at >= (fleet.requests[index - 1]?.at ?? 0))).toBe(true);
  });
});

describe('visitors that misbehave', () => {
  test.for([
    { name: 'says no HTTP', send: 'SSH-2.0-x\r\n\r\n' },
    { name: 'says too much', send: `GET / HTTP/1.1\r\nx: ${'y'.repeat(40_000)}` },
    { name: 'asks and hangs up', send: get('/', HOST), maxBytes: 1 },
  ])('one that $name', async ({ send, maxBytes = 1000 }) => {
    const fleet = await start([{ persona: 'decoy-nginx', address: HOST }]);
    await hear(HOST, PORTS.http, { send, maxBytes });
    const { bytes } = await hear(HOST, PORTS.http, { send: get('/', HOST) });
    expect(bytes.toString('latin1')).toContain('Welcome to nginx!');
    expect(fleet.requests[0]?.bytes.toString('latin1')).toBe(send.slice(0, 1024));
  });

  test('one that closes its side before it reads', async () => {
    await start([{ persona: 'decoy-nginx', address: HOST }]);
    const socket = connect({ port: PORTS.http, host: HOST, allowHalfOpen: true });
    socket.end(get('/', HOST));
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toContain('Welcome to nginx!');
    const plain = connect({ port: PORTS.https, host: HOST, allowHalfOpen: true });
    plain.end('GET / HTTP/1.1\r\n\r\n');
    for await (const chunk of plain) text += String(chunk);
    expect(text).toMatch(/Welcome to nginx![\s\S]*plain HTTP request was sent to HTTPS port/);
  });
});

test('stop() closes everything, half-open and silent connections too', async () => {
  const fleet = await startFleet(
    [
      { persona: 'pikvm-v4-vnc-ipmi', address: HOST },
      { persona: 'hostile-silent', address: '127.88.7.2' },
      { persona: 'hostile-drip', address: '127.88.7.3' },
      { persona: 'hostile-endless', address: '127.88.7.4' },
      { persona: 'raritan-kx3', address: '127.88.7.5' },
    ],
    { ports: PORTS, personas },
  );
  const visitors = await Promise.all([
    open(PORTS.rfb),
    open(PORTS.https),
    open(PORTS.http, '127.88.7.2'),
    open(PORTS.http, '127.88.7.3', get('/', HOST)),
    open(PORTS.http, '127.88.7.4', get('/', HOST)),
    open(PORTS.listen, '127.88.7.5'),
  ]);
  await sleep(100);
  const closed = Promise.all(visitors.map((socket) => new Promise((resolve) => void socket.once('close', resolve))));
  for (const socket of visitors) socket.resume();
  await fleet.stop();
  await closed;
  await sleep(20);
  expect(handles()).toEqual([]);
  await fleet.stop(); // A second time does no harm.
});

test('the demo starts in time', async () => {
  const from = performance.now();
  const fleet = await start(
    demoPlacements().map((placement) => ({ ...placement, address: placement.address.replace('127.77.', '127.87.') })),
  );
  expect(performance.now() - from).toBeLessThan(4000);
  expect(fleet.hosts.length).toBeGreaterThanOrEqual(30);
});

test('the ports of a fleet are a -p option', () => {
  expect(portsOption()).toMatch(/^8080=http,8443=https,8888=http,5000=listen-http,.*2222=ssh@living,.*1623\/udp=ipmi,1161\/udp=snmp/);
  const opted = ['netbios', 'slp', 'wsd', 'ubiquiti'] as const;
  expect(portsOption()).not.toMatch(/netbios|slp|wsd|ubiquiti/);
  expect(portsOption({}, ['wsd'])).toMatch(/,3702\/udp=wsd@living$/);
  const { ports, problems } = parsePorts(portsOption(PORTS, opted));
  expect(problems).toEqual([]);
  expect(ports.map(({ port }) => port).toSorted((a, b) => a - b)).toEqual(Object.values(PORTS).toSorted((a, b) => a - b));
  expect(Object.keys(FLEET_PORTS)).toEqual(Object.keys(PORTS));
});

/** A connection that reads nothing yet. */
function open(port: number, host = HOST, send = ''): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => {
      if (send !== '') socket.write(send);
      resolve(socket);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? socket.destroy() : reject(error)));
    socket.pause();
  });
}

/** Servers, sockets and timers that keep this process alive. */
function handles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /TCP|UDP|TLS/.test(name))
    .toSorted();
}
