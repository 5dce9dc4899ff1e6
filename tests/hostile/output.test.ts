import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Inventory } from '../../src/inventory/schema.ts';
import { onFirst, page, PORTS, PORTS_OPTION, pour, replies, Zoo } from './devices.ts';

const KVMSWEEP = fileURLToPath(new URL('../../bin/kvmsweep.js', import.meta.url));

/** What a terminal would act on: controls (the line feed is taken out before), and what turns text around. */
const ACTIVE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

const NASTY = [
  { name: 'escape sequences', text: '\u001b[2J\u001b]0;owned\u0007\u001b[31mred' },
  { name: 'C1 controls', text: '\u009b31mred\u009d0;owned\u009c' },
  { name: 'line breaks and backspaces', text: 'one\r\ntwo\b\b\b\vthree' },
  { name: 'text that turns around', text: 'gnp.\u202eexe\u2066x\u2069' },
  { name: 'a formula', text: `=cmd|'/C calc'!A0` },
  { name: 'markup', text: '<script>alert(1)</script><img src=x onerror=alert(1)>' },
  { name: 'a shell', text: '$(touch /tmp/owned)`id`;%n%s' },
];

/** Claims that put text of the device into every column that can hold it. */
const FINGERPRINT = `
id: test-nasty
title: Device of this test (http only)
vendor: Test
product: Nasty
class: ip-kvm
sources: ['tests/hostile/output.test.ts']
rules:
  - { fact: http.headers, of: x-model, regex: '(?s)^(?P<model>.+)$', certainty: 90 }
  - { fact: http.headers, of: x-version, regex: '(?s)^(?P<version>.+)$', certainty: 90 }
  - { fact: http.headers, of: x-serial, regex: '(?s)^(?P<serial>.+)$', certainty: 90 }
  - { fact: http.title, regex: '(?s)^(?P<hostname>.+)$', certainty: 90 }
examples:
  - { name: any, source: this test, facts: { http.title: nasty }, expect: { hostname: nasty } }
near_misses:
  - { name: no title, facts: { http.status: 200 } }
`;

interface Printed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The most memory that the process held, in bytes. */
  readonly peak: number;
}

function kvmsweep(words: readonly string[], cwd: string): Promise<Printed> {
  const child = spawn(process.execPath, [KVMSWEEP, ...words], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', KVMSWEEP_ONLY: '127.0.0.0/8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  let peak = 0;
  const watch = setInterval(() => {
    try {
      peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
    } catch {
      clearInterval(watch); // it has ended, or the system has no such file
    }
  }, 100);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(watch);
      resolve({ code, ...output, peak });
    });
  });
}

let folder: string;
let zoo: Zoo;
let printed: Printed;
let inventory: Inventory;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kvmsweep-output-'));
  mkdirSync(join(folder, 'own'));
  writeFileSync(join(folder, 'own', 'nasty.yaml'), FINGERPRINT);
  zoo = new Zoo();
  for (const [at, { text }] of NASTY.entries()) {
    // In a header there are no line breaks; the loose reader takes what undici's parser refuses.
    const header = text.replaceAll(/[\r\n]/g, ' ');
    await zoo.tcp(
      `127.60.2.${at + 1}`,
      PORTS.http,
      replies(
        Buffer.from(page(text, `X-Model: ${header}\r\nX-Version: ${header}\r\nX-Serial: ${header}\r\nServer: ${header}\r\n`), 'utf8'),
      ),
    );
  }
  await zoo.tcp('127.60.2.20', PORTS.rfb, (socket) => {
    socket.write('RFB 003.008\n');
    onFirst(socket, () => void socket.end(Buffer.concat([Buffer.from([0, 0, 0, 0, 40]), Buffer.from('\u001b]0;owned\u0007'.padEnd(40))])));
  });
  for (const last of [21, 22, 23, 24])
    await zoo.tcp(
      `127.60.2.${last}`,
      PORTS.http,
      (socket) => (socket.write('HTTP/1.1 200 OK\r\n\r\n'), socket.resume(), pour(socket, Buffer.alloc(65_536, '<p>'))),
    );
  printed = await kvmsweep(
    [
      'scan',
      '127.60.2.0/27',
      '-p',
      PORTS_OPTION,
      '--fingerprints',
      'own',
      '--host-timeout',
      '4s',
      '--rate',
      '5000',
      '--rate-per-24',
      '5000',
      '-o',
      'out.json',
      '--all',
    ],
    folder,
  );
  if (printed.code !== 0) throw new Error(`exit ${printed.code}: ${printed.stderr}`);
  inventory = JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8')) as Inventory;
}, 60_000);

afterAll(async () => {
  await zoo[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('the sweep is complete, in bounded memory', () => {
  expect(printed.stderr).toContain('; complete');
  process.stderr.write(`      ${(printed.peak / 2 ** 20).toFixed(0)} MB at most\n`);
  expect(printed.peak).toBeLessThan(400 * 1024 * 1024);
});

test('nothing that a terminal acts on is printed', () => {
  expect(printed.stdout.replaceAll('\n', '')).not.toMatch(ACTIVE);
  expect(printed.stderr.replaceAll('\n', '')).not.toMatch(ACTIVE);
});

test.for(NASTY.map((nasty, at) => ({ ...nasty, host: `127.60.2.${at + 1}` })))('$name: one device, one line', ({ host, text }) => {
  const device = inventory.devices.find(({ addresses }) => addresses.includes(host));
  expect(device).toMatchObject({ vendor: 'Test', product: 'Nasty' });
  const lines = printed.stdout.split('\n').filter((line) => line.startsWith(`${host} `));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('Test Nasty');
  const plain = text.replaceAll(new RegExp(ACTIVE, 'gu'), ' ').trim().split(/\s+/).at(-1) ?? '';
  expect(lines[0], 'what is harmless is still there').toContain(plain);
});

test.for(['explain', 'diff'])('%s prints nothing of the kind either', async (command) => {
  const words = command === 'explain' ? ['explain', 'out.json', '127.60.2.1'] : ['diff', 'out.json', 'out.json'];
  const { stdout, stderr, code } = await kvmsweep(words, folder);
  expect(code, stderr).toBe(0);
  expect(`${stdout}${stderr}`.replaceAll('\n', '')).not.toMatch(ACTIVE);
});
