import { gunzipSync } from 'node:zlib';
import { decode } from 'dns-packet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fleet, loadPersonas, startFleet } from '../../src/fleet/index.ts';
import { ask, get, handshake, hear, type Heard, PORTS, type Talk, takeApart } from './client.ts';

const HOSTILE = loadPersonas().filter(({ id }) => id.startsWith('hostile-'));

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet(
    HOSTILE.map(({ id }, index) => ({ persona: id, address: `127.88.5.${index + 1}` })),
    { ports: PORTS, personas: HOSTILE },
  );
});
afterAll(() => fleet.stop());

function at(id: string): string {
  const host = fleet.hosts.find(({ persona }) => persona === `hostile-${id}`);
  if (host === undefined) throw new Error(`no hostile-${id}`);
  return host.address;
}

function page(id: string, talk: Talk & { port?: number; path?: string } = {}): Promise<Heard> {
  const { port = PORTS.http, path = '/', ...rest } = talk;
  return hear(at(id), port, { send: get(path, `${at(id)}:${port}`), ...rest });
}

function header({ bytes }: Heard, name: string): string | undefined {
  return takeApart(bytes).headers.find(([one]) => one.toLowerCase() === name)?.[1];
}

test('none of them may be named', () => {
  for (const { truth } of fleet.hosts) expect(truth).toMatchObject({ decoy: true });
});

describe('text that means harm', () => {
  test('stands in headers, title and realm', async () => {
    const heard = await page('escapes');
    expect(header(heard, 'server')).toBe('\u001b]0;owned\u0007\u001b[31mnginx\u001b[2J');
    expect(header(heard, 'www-authenticate')).toContain('=HYPERLINK(');
    expect(heard.bytes.toString('utf8')).toContain("<title>=cmd|' /C calc'!A0 \u001b[31m<script>alert(1)</script>\u202eevil");
  });

  test('stands in the certificate', async () => {
    const { certificate } = await handshake(at('escapes'), PORTS.https);
    expect(certificate.subject).toMatchObject({
      O: "=cmd|' /C calc'!A0",
      OU: '\u001b[31m<script>alert(3)</script>',
      CN: "-2+3+cmd|' /C calc'!A0",
    });
  });

  test('stands in the reason of a VNC refusal', async () => {
    const { bytes } = await hear(at('escapes'), PORTS.rfb, { send: 'RFB 003.008\n' });
    expect([bytes[12], bytes.readUInt32BE(13)]).toEqual([0, bytes.length - 17]);
    expect(bytes.toString('latin1', 17)).toBe("\u001b[31m=cmd|' /C calc'!A0<script>alert(5)</script>");
  });
});

describe('answers without end', () => {
  test('a body that goes on as long as it is read', async () => {
    const { bytes, end } = await page('endless', { maxBytes: 3 * 1024 * 1024 });
    expect(end).toBe('enough');
    expect(bytes.toString('latin1', 0, 200)).toMatch(
      /^HTTP\/1\.1 200 OK\r\nServer: endless\r\n[\s\S]*\r\n\r\n<p>and then there is more<\/p>\n<p>and/,
    );
  });

  test('one byte every 300 ms', async () => {
    const { bytes, end } = await page('drip', { waitMs: 1600 });
    expect(end).toBe('quiet');
    expect(bytes.toString('latin1')).toBe('HTTP/1.1 200 OK'.slice(0, bytes.length));
    expect(bytes.length).toBeGreaterThanOrEqual(3);
    expect(bytes.length).toBeLessThanOrEqual(6);
  });

  test('a header of two hundred thousand lines', async () => {
    const { bytes, end } = await page('header-flood', { maxBytes: 64 * 1024 * 1024 });
    expect(end).toBe('closed');
    expect(bytes.toString('latin1').match(/^X-Flood: a{64}\r$/gm)).toHaveLength(200_000);
    expect(bytes.toString('latin1')).toMatch(/\r\n\r\n<title>flood<\/title>$/);
  });

  test('a little gzip that becomes sixty-four megabytes', async () => {
    const heard = await page('gzip-bomb');
    const { body } = takeApart(heard.bytes);
    expect(header(heard, 'content-encoding')).toBe('gzip');
    expect(body.length).toBeLessThan(128 * 1024);
    expect(gunzipSync(body)).toHaveLength(64 * 1024 * 1024);
  });

  test('a banner that goes on', async () => {
    const { bytes } = await hear(at('banner-endless'), PORTS.listen, { waitMs: 500 });
    expect(bytes.length).toBeGreaterThan(1100);
  });
});

describe('ways that lead elsewhere', () => {
  test.for([
    { id: 'redirect-loop', path: '/', location: '/login' },
    { id: 'redirect-loop', path: '/login', location: '/login.html' },
    { id: 'redirect-loop', path: '/login.html', location: '/' },
    { id: 'redirect-init', path: '/', location: '/api/init/init?username=a&password=b' },
    { id: 'redirect-elsewhere', path: '/', location: `http://127.99.99.99:${PORTS.http}/` },
    { id: 'redirect-elsewhere', path: '/', port: PORTS.alternative, location: `//127.99.99.99:${PORTS.http}/` },
    { id: 'location-elsewhere', path: '/', location: `http://127.99.99.99:${PORTS.http}/rootDesc.xml` },
  ])('$id $path leads to $location', async ({ id, path, location, port = PORTS.http }) => {
    expect(header(await page(id, { path, port }), 'location')).toBe(location);
  });

  test('by a refresh and a script, and an icon that would change the device', async () => {
    const refresh = (await page('redirect-init', { port: PORTS.https, tls: {} })).bytes.toString('latin1');
    expect(refresh).toContain('http-equiv="refresh" content="0; url=/api/init/init?username=a&amp;password=b"');
    const away = (await page('redirect-elsewhere', { port: PORTS.https, tls: {} })).bytes.toString('latin1');
    expect(away).toContain(`top.location.href = "http://127.99.99.99:${PORTS.http}/"`);
    expect((await page('icon-init')).bytes.toString('latin1')).toContain('<link rel="shortcut icon" href="/api/init/init">');
  });

  test('and what is asked of them is written down, so that a sweep can be held to it', async () => {
    await page('icon-init', { path: '/api/init/init' });
    expect(fleet.requests).toContainEqual(
      expect.objectContaining({
        host: at('icon-init'),
        port: PORTS.http,
        role: 'http',
        transport: 'tcp',
        method: 'GET',
        path: '/api/init/init',
      }),
    );
  });
});

describe('connections that break', () => {
  test.for(['http', 'https', 'alternative', 'listen', 'rfb', 'rfb2'] as const)('%s', async (role) => {
    const reset = await hear(at('reset'), PORTS[role]);
    expect([reset.end, reset.bytes.length]).toEqual(['reset', 0]);
    const late = await hear(at('reset-late'), PORTS[role], { send: 'hello' });
    expect([late.end, late.bytes.length]).toEqual(['reset', 0]);
    const silent = await hear(at('silent'), PORTS[role], { send: 'hello', waitMs: 200 });
    expect([silent.end, silent.bytes.length]).toEqual(['quiet', 0]);
  });

  test('in the middle of a handshake, and of a header', async () => {
    await expect(handshake(at('tls-breakoff'), PORTS.https)).rejects.toMatchObject({
      code: expect.stringMatching(/^(ECONNRESET|ERR_SSL|EPROTO)/),
    });
    const { bytes, end } = await page('tls-breakoff');
    expect([end, bytes.toString('latin1')]).toEqual(['closed', 'HTTP/1.1 200 OK\r\nServer: broken\r\nContent-Le']);
  });
});

describe('replies that break the rules', () => {
  test('no status line', async () => expect((await page('http09')).bytes.toString('latin1')).toMatch(/^<html>/));
  test('status 000', async () =>
    expect(takeApart((await page('http09', { port: PORTS.alternative })).bytes).line).toBe('HTTP/1.1 000 Nothing'));
  test('line ends of LF', async () => {
    const text = (await page('lf-only')).bytes.toString('latin1');
    expect(text).not.toContain('\r');
    expect(text.match(/^Content-Length: /gm)).toHaveLength(2);
  });
  test('broken header lines', async () => {
    expect((await page('lf-only', { port: PORTS.alternative })).bytes.toString('latin1')).toMatch(
      /^HTTP\/1 200 OK\r\nServer : blank before the colon\r\nthis line has none\r\n/,
    );
  });
  test('a VNC reason of four gigabytes', async () => {
    const { bytes, end } = await hear(at('rfb-length'), PORTS.rfb, { send: 'RFB 003.008\n', waitMs: 300 });
    expect(end).toBe('quiet');
    expect([bytes[12], bytes.readUInt32BE(13)]).toEqual([0, 0xffffffff]);
  });
});

describe('datagrams that lie', () => {
  const CAPABILITIES = Buffer.from('0600ff07000000000000000000092018c88100388e04b5', 'hex');
  const DISCOVERY = Buffer.from(
    '303e020103301102044a690000020300ffe30401040201030410300e0400020100020100040004000400301404000400a00e020437f000000201000201003000',
    'hex',
  );

  test.for([
    { id: 'ipmi-cut', holds: (bytes: Buffer) => bytes.length === 19 },
    { id: 'ipmi-length', holds: (bytes: Buffer) => bytes[13] === 0xff && bytes.length === 30 },
    { id: 'ipmi-checksums', holds: (bytes: Buffer) => bytes.length === 30 && bytes[16] !== 0x63 },
  ])('$id', async ({ id, holds }) => {
    const answer = await ask(at(id), PORTS.ipmi, CAPABILITIES);
    expect(answer === undefined ? 'nothing' : holds(answer)).toBe(true);
  });

  test('a service of another host, and names that point to themselves', async () => {
    const browse = Buffer.from('000000000001000000000000065f70696b766d045f746370056c6f63616c00000c8001', 'hex');
    const { answers = [] } = decode((await ask(at('mdns-others'), PORTS.mdns, browse)) ?? Buffer.alloc(0));
    expect(answers.map((record) => ('data' in record ? record.data : ''))).toContain('127.99.99.98');
    const loop = await ask(at('mdns-loop'), PORTS.mdns, browse);
    expect(loop?.readUInt16BE(12)).toBe(0xc000 + 12);
    expect(() => decode(loop ?? Buffer.alloc(0))).toThrow(/pointer/);
  });

  test.for([
    { id: 'ssdp-elsewhere', location: `http://127.99.99.99:${PORTS.http}/rootDesc.xml` },
    { id: 'ssdp-link-local', location: 'http://169.254.169.254/latest/desc.xml' },
    { id: 'ssdp-serial-line', location: 'http://HERE:9100/rootDesc.xml' },
    { id: 'ssdp-vnc', location: 'http://HERE:5900/rootDesc.xml' },
    { id: 'ssdp-endless', location: `http://HERE:${PORTS.http}/rootDesc.xml` },
    { id: 'ssdp-bomb', location: `http://HERE:${PORTS.http}/rootDesc.xml` },
  ])('$id names a description at $location', async ({ id, location }) => {
    const search = Buffer.from('M-SEARCH * HTTP/1.1\r\nST: upnp:rootdevice\r\nMX: 1\r\n\r\n');
    expect((await ask(at(id), PORTS.ssdp, search))?.toString('latin1')).toContain(`\r\nLOCATION: ${location.replace('HERE', at(id))}\r\n`);
  });

  test.for([
    { id: 'snmp-cut', holds: (bytes: Buffer) => bytes.length === 30 },
    { id: 'snmp-length', holds: (bytes: Buffer) => bytes.toString('hex', 0, 6) === '30847fffffff' },
    { id: 'snmp-msgid', holds: (bytes: Buffer) => bytes.indexOf(Buffer.from('02044a690001', 'hex')) > 0 },
  ])('$id', async ({ id, holds }) => {
    const answer = await ask(at(id), PORTS.snmp, DISCOVERY);
    expect(answer === undefined ? 'nothing' : holds(answer)).toBe(true);
  });
});
