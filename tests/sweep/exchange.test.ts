import net, { type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { ForbiddenError, ProbeError } from '../../src/errors.ts';
import { type AuditEntry, NO_AUDIT } from '../../src/sweep/audit.ts';
import type { Page } from '../../src/sweep/contract.ts';
import { dial } from '../../src/sweep/dial.ts';
import { exchange, type Question, type WebLineOptions } from '../../src/sweep/exchange.ts';
import { AllowedPaths, type PathKind } from '../../src/sweep/paths.ts';
import { parseAddress } from '../../src/targets/addresses.ts';
import { Guard } from '../../src/targets/guard.ts';

const paths = AllowedPaths.load();
const servers = new Set<net.Server>();
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  sockets.clear();
  servers.clear();
});

/** A server that does with each connection what `greet` does. */
async function listen(greet: (socket: Socket) => unknown): Promise<number> {
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    greet(socket);
  });
  servers.add(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** A web server that answers each request with what `answer` writes, whatever the rules say. `requests` holds what came. */
async function serve(answer: (socket: Socket) => unknown): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const port = await listen((socket) => {
    let request = '';
    socket.on('data', (chunk) => {
      request += chunk.toString('latin1');
      if (!request.endsWith('\r\n\r\n')) return;
      requests.push(request);
      request = '';
      void answer(socket);
    });
  });
  return { port, requests };
}

async function connect(port: number): Promise<Socket> {
  const dialled = await dial(parseAddress('127.0.0.1') ?? 0, port, 1000, { guard: Guard.fromEnvironment(), audit: NO_AUDIT });
  if (dialled.outcome !== 'open') throw new Error(dialled.outcome);
  return dialled.socket;
}

async function ask(
  port: number,
  { withinMs = 8000, afterMs = 0, ...options }: Partial<WebLineOptions & Question> & { withinMs?: number; afterMs?: number } = {},
): Promise<Page> {
  const socket = await connect(port);
  await sleep(afterMs);
  try {
    return await exchange(socket, {
      endpoint: { host: '127.0.0.1', transport: 'tcp', port },
      scheme: 'http',
      hostHeader: `127.0.0.1:${port}`,
      path: '/',
      as: 'page',
      paths,
      audit: NO_AUDIT,
      deadline: performance.now() + withinMs,
      ...options,
    });
  } finally {
    socket.destroy();
  }
}

interface Case {
  readonly name: string;
  /** All that the device says before it hangs up; latin1. */
  readonly said: string;
  readonly status: number | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly loose: boolean;
  readonly cut?: string;
}

const SERVER = [['Server', 'x']] as const;

test.for<Case>([
  {
    name: 'a reply by the rules',
    said: 'HTTP/1.1 200 OK\r\nServer: x\r\nX-a: 1\r\nx-A: 2\r\n\r\nhi',
    status: 200,
    headers: [
      ['Server', 'x'],
      ['X-a', '1'],
      ['x-A', '2'],
    ],
    body: 'hi',
    loose: false,
  },
  {
    name: 'chunks',
    said: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\n\r\n',
    status: 200,
    headers: [['Transfer-Encoding', 'chunked']],
    body: 'hi',
    loose: false,
  },
  { name: 'LF instead of CR LF', said: 'HTTP/1.1 200 OK\nServer: x\n\nhi', status: 200, headers: SERVER, body: 'hi', loose: true },
  { name: 'HTTP/1', said: 'HTTP/1 200 OK\r\nServer: x\r\n\r\nhi', status: 200, headers: SERVER, body: 'hi', loose: true },
  { name: 'HTTP/2 in text', said: 'HTTP/2 200\r\nServer: x\r\n\r\nhi', status: 200, headers: SERVER, body: 'hi', loose: true },
  {
    name: 'a blank before the colon',
    said: 'HTTP/1.1 200 OK\r\nServer : x\r\n\r\nhi',
    status: 200,
    headers: SERVER,
    body: 'hi',
    loose: true,
  },
  {
    name: 'a header line without colon',
    said: 'HTTP/1.1 200 OK\r\nnonsense\r\nServer: x\r\n\r\nhi',
    status: 200,
    headers: SERVER,
    body: 'hi',
    loose: true,
  },
  {
    name: 'a control byte in a value',
    said: 'HTTP/1.1 200 OK\r\nServer: a\x01b\r\n\r\nhi',
    status: 200,
    headers: [['Server', 'a\x01b']],
    body: 'hi',
    loose: true,
  },
  {
    name: 'bytes above 127 in a value',
    said: 'HTTP/1.1 200 OK\r\nServer: G\xe4\r\n\r\nhi',
    status: 200,
    headers: [['Server', 'Gä']],
    body: 'hi',
    loose: false,
  },
  {
    name: 'Content-Length twice, equal',
    said: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi',
    status: 200,
    headers: [
      ['Content-Length', '2'],
      ['Content-Length', '2'],
    ],
    body: 'hi',
    loose: true,
  },
  {
    name: 'Content-Length and chunked',
    said: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
    status: 200,
    headers: [
      ['Content-Length', '2'],
      ['Transfer-Encoding', 'chunked'],
    ],
    body: 'hi',
    loose: true,
  },
  {
    name: 'Content-Length larger than the body',
    said: 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhi',
    status: 200,
    headers: [['Content-Length', '99']],
    body: 'hi',
    loose: false,
    cut: 'hung up',
  },
  {
    name: 'the same, with lines that end in LF',
    said: 'HTTP/1.1 200 OK\nContent-Length: 99\n\nhi',
    status: 200,
    headers: [['Content-Length', '99']],
    body: 'hi',
    loose: true,
    cut: 'hung up',
  },
  {
    name: 'Content-Length too small',
    said: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nhi',
    status: 200,
    headers: [['Content-Length', '1']],
    body: 'h',
    loose: false,
  },
  {
    name: 'Content-Length 0 with a body',
    said: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nhi',
    status: 200,
    headers: [['Content-Length', '0']],
    body: '',
    loose: false,
  },
  {
    name: 'Content-Length below 0',
    said: 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhi',
    status: 200,
    headers: [['Content-Length', '-1']],
    body: 'hi',
    loose: true,
  },
  {
    name: 'Content-Length that is no number',
    said: 'HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nhi',
    status: 200,
    headers: [['Content-Length', 'abc']],
    body: 'hi',
    loose: true,
  },
  {
    name: 'a folded header',
    said: 'HTTP/1.1 200 OK\r\nServer: a\r\n b\r\n\r\nhi',
    status: 200,
    headers: [['Server', 'a b']],
    body: 'hi',
    loose: true,
  },
  { name: 'no status line', said: '<html>hi</html>', status: undefined, headers: [], body: '<html>hi</html>', loose: true },
  { name: 'status 000', said: 'HTTP/1.1 000 \r\nServer: x\r\n\r\nhi', status: 0, headers: SERVER, body: 'hi', loose: true },
  { name: 'status 999', said: 'HTTP/1.1 999 Odd\r\nServer: x\r\n\r\nhi', status: 999, headers: SERVER, body: 'hi', loose: false },
  { name: 'ICY 200 OK', said: 'ICY 200 OK\r\nServer: x\r\n\r\nhi', status: 200, headers: SERVER, body: 'hi', loose: true },
  {
    name: 'a status without a reason',
    said: 'HTTP/1.1 200\r\nServer: x\r\n\r\nhi',
    status: 200,
    headers: SERVER,
    body: 'hi',
    loose: false,
  },
  {
    name: 'an interim answer that nobody asked for',
    said: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nServer: x\r\n\r\nhi',
    status: 200,
    headers: SERVER,
    body: 'hi',
    loose: true,
  },
  {
    name: 'an upgrade that nobody asked for',
    said: 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhi',
    status: 101,
    headers: [
      ['Upgrade', 'x'],
      ['Connection', 'upgrade'],
    ],
    body: 'hi',
    loose: true,
  },
  {
    name: 'a body where there is none',
    said: 'HTTP/1.1 204 No Content\r\nServer: x\r\n\r\nhi',
    status: 204,
    headers: SERVER,
    body: '',
    loose: false,
  },
  {
    name: 'chunks that are none',
    said: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<html>',
    status: 200,
    headers: [['Transfer-Encoding', 'chunked']],
    body: '<html>',
    loose: true,
  },
  {
    name: 'chunks that are cut',
    said: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel',
    status: 200,
    headers: [['Transfer-Encoding', 'chunked']],
    body: 'hel',
    loose: false,
    cut: 'hung up',
  },
  {
    name: 'headers that are cut',
    said: 'HTTP/1.1 200 OK\r\nServer: x',
    status: 200,
    headers: SERVER,
    body: '',
    loose: true,
    cut: 'hung up',
  },
  {
    name: 'a second reply that nobody asked for',
    said: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nyo',
    status: 200,
    headers: [['Content-Length', '2']],
    body: 'hi',
    loose: false,
  },
  {
    name: 'empty lines first',
    said: '\r\n\r\nHTTP/1.1 200 OK\r\nServer: x\r\n\r\nhi',
    status: 200,
    headers: SERVER,
    body: 'hi',
    loose: false,
  },
  { name: 'a TLS alert', said: '\x15\x03\x01\0\x02\x02F', status: undefined, headers: [], body: '\x15\x03\x01\0\x02\x02F', loose: true },
  { name: 'another protocol', said: 'SSH-2.0-x\r\n', status: undefined, headers: [], body: 'SSH-2.0-x\r\n', loose: true },
])('exchange: $name', async ({ said, status, headers, body, loose, cut }) => {
  const { port, requests } = await serve((socket) => socket.end(said, 'latin1'));
  const page = await ask(port);
  expect({ status: page.status, headers: page.headers, body: page.body.toString('latin1'), loose: page.loose, cut: page.cut }).toEqual({
    status,
    headers,
    body,
    loose,
    cut,
  });
  expect(page.path).toBe('/');
  expect(requests.length).toBe(1);
});

test('exchange: the request is one GET with our five headers, and is in the audit before it is sent', async () => {
  const entries: AuditEntry[] = [];
  const { port, requests } = await serve((socket) => {
    expect(entries.length).toBe(1);
    socket.end('HTTP/1.1 200 OK\r\n\r\n');
  });
  await ask(port, {
    path: '/redfish/v1/',
    hostHeader: 'kvm.example',
    audit: { record: (entry) => entries.push(entry), close: () => undefined },
  });
  expect(requests[0]).toMatch(
    /^GET \/redfish\/v1\/ HTTP\/1\.1\r\nhost: kvm\.example\r\nconnection: keep-alive\r\nuser-agent: kvmsweep\/\S+ \(\+asset inventory, read-only\)\r\naccept: \*\/\*\r\naccept-encoding: identity\r\n\r\n$/,
  );
  expect(entries).toEqual([
    { host: '127.0.0.1', transport: 'tcp', port, what: 'http.get', bytes: Buffer.from(requests[0] ?? '', 'latin1') },
  ]);
});

test.for<{ name: string; path: string; as: PathKind }>([
  { name: 'a path that is not listed', path: '/admin', as: 'page' },
  { name: 'a path that sets a password', path: '/api/init/init', as: 'page' },
  { name: 'a page asked as an icon', path: '/setup.cgi', as: 'icon' },
])('exchange: $name never leaves', async ({ path, as }) => {
  const { port, requests } = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
  await expect(ask(port, { path, as })).rejects.toBeInstanceOf(ForbiddenError);
  await sleep(30);
  expect(requests).toEqual([]);
});

/** Repeats a text until the other side is gone. */
async function drip(socket: Socket, text: string, everyMs: number): Promise<void> {
  while (!socket.destroyed && socket.writable) {
    socket.write(text, 'latin1');
    await sleep(everyMs);
  }
}

/** Writes as fast as the other side reads. */
function pour(socket: Socket, text: string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.writable && socket.write(text, 'latin1'));
  };
  socket.on('drain', more);
  more();
}

const HEAD = 'HTTP/1.1 200 OK\r\nServer: x\r\n\r\n';

test('exchange: one byte every 300 ms ends with the time, and what came is kept', async () => {
  const { port } = await serve((socket) => {
    socket.write(HEAD);
    return drip(socket, 'x', 300);
  });
  const from = performance.now();
  const page = await ask(port, { withinMs: 1500 });
  expect(performance.now() - from).toBeLessThan(2000);
  expect(page).toMatchObject({ status: 200, headers: SERVER, cut: 'time', loose: false });
  expect(page.body.toString()).toMatch(/^x{3,6}$/);
});

test('exchange: headers that drip end with the time', async () => {
  const { port } = await serve((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nServer: x\r\n');
    return drip(socket, 'A: b\r\n', 300);
  });
  const from = performance.now();
  const page = await ask(port, { withinMs: 1000 });
  expect(performance.now() - from).toBeLessThan(1500);
  expect(page).toMatchObject({ status: 200, cut: 'time', loose: true });
  expect(page.headers.slice(0, 2)).toEqual([...SERVER, ['A', 'b']]);
});

test('exchange: a body that stops ends with the time', async () => {
  const { port } = await serve((socket) => socket.write(`${HEAD}hi`));
  expect(await ask(port, { withinMs: 500 })).toMatchObject({ status: 200, body: Buffer.from('hi'), cut: 'time' });
});

test('exchange: a refused reply on a connection that stays open is read until the time is over', async () => {
  const { port } = await serve((socket) => socket.write('HTTP/1.1 200 OK\nServer: x\nContent-Length: 2\n\nhi'));
  expect(await ask(port, { withinMs: 500 })).toMatchObject({
    status: 200,
    headers: [...SERVER, ['Content-Length', '2']],
    body: Buffer.from('hi'),
    loose: true,
  });
  const unsaid = await serve((socket) => socket.write('HTTP/1.1 200 OK\nServer: x\n\nhi'));
  expect(await ask(unsaid.port, { withinMs: 500 })).toMatchObject({ status: 200, body: Buffer.from('hi'), loose: true, cut: 'time' });
});

test.for<{ name: string; said: string; cut: string }>([
  { name: 'a body', said: HEAD, cut: 'max' },
  { name: 'a body with LF', said: 'HTTP/1.1 200 OK\n\n', cut: 'max' },
  { name: 'a body in chunks', said: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n', cut: 'max' },
  { name: 'a page without a status line', said: '<html>', cut: 'max' },
])('exchange: $name without end is cut at 512 KiB', async ({ said, cut }) => {
  const { port } = await serve((socket) => {
    socket.write(said);
    pour(socket, 'x'.repeat(16384));
  });
  const page = await ask(port);
  expect(page.body.length).toBe(512 * 1024);
  expect(page.cut).toBe(cut);
});

test.for<{ name: string; flood: string }>([
  { name: 'header lines', flood: 'A: b\r\n'.repeat(1000) },
  { name: 'a header line', flood: 'x'.repeat(16384) },
  { name: 'interim answers', flood: 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(500) },
])('exchange: $name without end', async ({ flood }) => {
  const { port } = await serve((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nServer: x\r\nB: ');
    pour(socket, flood);
  });
  const from = performance.now();
  const page = await ask(port);
  expect(performance.now() - from).toBeLessThan(3000);
  expect(page.status).toBe(200);
  expect(page.headers.length).toBeLessThanOrEqual(200);
  expect(page.headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0)).toBeLessThanOrEqual(64 * 1024);
  expect(page.headers[0]).toEqual(['Server', 'x']);
  expect(page.body.length).toBeLessThanOrEqual(512 * 1024);
});

test('exchange: many header lines by the rules are cut at 200', async () => {
  const { port } = await serve((socket) => socket.end(`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(500)}\r\nhi`));
  const page = await ask(port);
  expect(page).toMatchObject({ status: 200, body: Buffer.from('hi'), loose: false });
  expect(page.headers.length).toBe(200);
});

test.for<{ name: string; answer: (socket: Socket) => unknown; kind: string }>([
  { name: 'says nothing', answer: () => undefined, kind: 'silent' },
  { name: 'hangs up', answer: (socket) => socket.end(), kind: 'cut-off' },
  { name: 'resets', answer: (socket) => socket.resetAndDestroy(), kind: 'cut-off' },
])('exchange: a device that $name', async ({ answer, kind }) => {
  const { port, requests } = await serve(answer);
  const failure = await ask(port, { withinMs: 500 }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ProbeError);
  expect(failure).toMatchObject({ kind });
  expect(requests.length).toBe(1);
});

test('exchange: what came before a reset is kept', async () => {
  const { port } = await serve(async (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhi');
    await sleep(50);
    socket.resetAndDestroy();
  });
  expect(await ask(port)).toMatchObject({ status: 200, body: Buffer.from('hi'), cut: 'hung up', loose: false });
});

test.for<{ name: string; greet: (socket: Socket) => unknown; kind: string }>([
  { name: 'hangs up before it was asked', greet: (socket) => socket.end(), kind: 'cut-off' },
  { name: 'resets before it was asked', greet: (socket) => setTimeout(() => socket.resetAndDestroy(), 20), kind: 'cut-off' },
])('exchange: a device that $name', async ({ greet, kind }) => {
  const port = await listen(greet);
  await expect(ask(port, { afterMs: 50, withinMs: 1000 })).rejects.toMatchObject({ name: 'ProbeError', kind });
});

test('exchange: a device that speaks first is read all the same', async () => {
  const port = await listen((socket) => socket.end('220 ftp.example ready\r\n'));
  const page = await ask(port, { withinMs: 1000 });
  expect(page).toMatchObject({ body: Buffer.from('220 ftp.example ready\r\n'), loose: true });
  expect(page.status).toBeUndefined();
});
