import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withoutSecrets, withoutUnknownValues } from '../../src/cli/arguments.ts';
import { TestAgent } from '../support/snmp-agent.ts';

const CLI = join(import.meta.dirname, '../../bin/kvmsweep.js');
const PORT = 27_400;
const HOST = '127.81.0.1';
const COMMUNITY = 'SECRETCOMMUNITY';
const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-snmp-cli-'));

test.for<[words: string[], redacted: string[]]>([
  [
    ['scan', '10.0.0.1', '--snmp-community', 'SECRET', '--fast'],
    ['scan', '10.0.0.1', '--snmp-community', '***', '--fast'],
  ],
  [
    ['--snmp-community=SECRET=1', '--snmp-user=name=SECRET,auth=sha:SECRET'],
    ['--snmp-community=***', '--snmp-user=***'],
  ],
  [
    ['--snmp-user', 'name=SECRET', '--snmp-user', '--SECRET', 'x'],
    ['--snmp-user', '***', '--snmp-user', '***', 'x'],
  ],
  // Rather too much than too little.
  [
    ['--snmp-community', '--snmp-community', '--fast'],
    ['--snmp-community', '***', '***'],
  ],
  [
    ['--snmp-credentials', 'snmp.yaml', '--snmp-credentials=snmp.yaml'],
    ['--snmp-credentials', 'snmp.yaml', '--snmp-credentials=snmp.yaml'],
  ],
  [['--snmp-community'], ['--snmp-community']],
])('the words %j are written down as %j', ([words, redacted]) => expect(withoutSecrets(words)).toEqual(redacted));

test.for<[text: string, shown: string]>([
  [
    "error: unknown option '--snmp-comunity=SE'CRET'\n(Did you mean --snmp-community?)\n",
    "error: unknown option '--snmp-comunity=***'\n(Did you mean --snmp-community?)\n",
  ],
  ["error: unknown option '--fats'\n", "error: unknown option '--fats'\n"],
  ["error: option '--rate <packets>' argument 'x=1' is invalid.", "error: option '--rate <packets>' argument 'x=1' is invalid."],
])('%j is shown as %j', ([text, shown]) => expect(withoutUnknownValues(text)).toBe(shown));

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], { cwd: folder, env: { ...process.env, ...env }, timeout: 60_000 });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** Everything that a sweep has left. */
function leftBy(name: string): string {
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${name}.`))
    .map((file) => readFileSync(join(folder, file), 'latin1'))
    .join('\n');
}

const SCAN = ['scan', HOST, '-p', `${PORT}/udp=snmp`, '--retries', '0'];

describe('kvmsweep scan with SNMP credentials', () => {
  let agent: TestAgent;
  beforeAll(async () => {
    agent = await TestAgent.start(HOST, PORT, {
      communities: [COMMUNITY],
      objects: {
        // It calls itself what it has heard.
        '1.3.6.1.2.1.1.1.0': Buffer.from('Avocent ACS 8000 {community}'),
        '1.3.6.1.2.1.1.2.0': '1.3.6.1.4.1.10418.26.1.2',
        '1.3.6.1.2.1.1.5.0': Buffer.from('{community}'),
        '1.3.6.1.4.1.10418.26.2.1.4.0': Buffer.from('0520011842'),
      },
    });
  });
  afterAll(() => agent?.[Symbol.asyncDispose]());

  test.for<{ name: string; words: readonly string[]; env?: NodeJS.ProcessEnv; file?: string; note?: RegExp }>([
    { name: 'option', words: ['--snmp-community', COMMUNITY, '--snmp-user', 'name=SECRETUSER,auth=sha:SECRETAUTH,privacy=aes:SECRETPRIV'] },
    { name: 'equals', words: [`--snmp-community=${COMMUNITY}`, '--format', 'json'] },
    { name: 'environment', words: ['--format', 'ndjson', '--all'], env: { KVMSWEEP_SNMP_COMMUNITY: COMMUNITY } },
    {
      name: 'file',
      words: ['--snmp-credentials', 'own.yaml'],
      file: `- { version: 3, user: SECRETUSER, auth: { protocol: sha256, key: SECRETAUTH }, privacy: { protocol: aes, key: SECRETPRIV } }\n- { version: 2c, community: ${COMMUNITY} }\n`,
    },
    {
      name: 'path',
      words: [],
      env: { KVMSWEEP_SNMP_CREDENTIALS: 'own.yaml' },
      file: `- { version: 2c, community: ${COMMUNITY} }\n`,
      note: /own\.yaml can be read by others/,
    },
  ])('$name: the agent is read, and no file and no line holds a secret', async ({ name, words, env, file, note }) => {
    if (file !== undefined) {
      writeFileSync(join(folder, 'own.yaml'), file);
      chmodSync(join(folder, 'own.yaml'), note === undefined ? 0o600 : 0o644);
    }
    const { code, out, err } = await run([...SCAN, '-o', `${name}.json`, '--audit', `${name}.audit`, ...words], env);
    expect(code, err).toBe(0);
    const left = leftBy(name);
    expect(left).toContain('0520011842');
    expect(left).toContain('Avocent ACS 8000 ***');
    for (const secret of ['SECRETCOMMUNITY', 'SECRETUSER', 'SECRETAUTH', 'SECRETPRIV'])
      for (const form of [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64')]) {
        expect(left, form).not.toContain(form);
        expect(`${out}${err}`, form).not.toContain(form);
      }
    if (note === undefined) expect(err).not.toMatch(/can be read by others/);
    else expect(err).toMatch(note);
    expect(err).not.toMatch(/sysDescr not asked/);
    const inventory = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as {
      run: { arguments: string[] };
      asked: { snmp?: object };
    };
    expect(inventory.run.arguments.join(' ')).not.toContain('SECRET');
    expect(inventory.asked.snmp).toBeDefined();
  });

  test('without any it is told what was not asked, of the sweep and of the device', async () => {
    const { code, err } = await run([...SCAN, '-o', 'none.json']);
    expect(code).toBe(0);
    expect(err).toContain('note: 1 address answered SNMP; sysDescr not asked: give --snmp-community\n');
  });

  test('a community that is wrong: who took none is counted, and it was sent once', async () => {
    agent.heard.length = 0;
    const { code, err } = await run([...SCAN, '-o', 'wrong.json', '--snmp-community', 'SECRETWRONG']);
    expect(code).toBe(0);
    expect(err).toContain('note: 1 address of 1 that answered SNMP took none of the credentials given');
    expect(agent.gets.map(({ community }) => community)).toEqual(['SECRETWRONG']);
    expect(`${err}${leftBy('wrong')}`).not.toContain('SECRETWRONG');
  });
});

async function explained(name: string, content: object): Promise<string> {
  writeFileSync(join(folder, name), JSON.stringify(content));
  return (await run(['explain', name, '192.0.2.1'])).out;
}

test('explain says of a device with an agent that it was not asked', async () => {
  const device = {
    deviceKey: 'kvm-000000000001',
    class: 'pdu',
    certainty: 50,
    level: 'possible',
    addresses: ['192.0.2.1'],
    identifiers: [],
    endpoints: [{ host: '192.0.2.1', port: 161, transport: 'udp', probe: 'snmp' }],
    evidence: [],
    alternatives: [],
    posture: [],
  };
  const inventory = {
    schemaVersion: 1,
    tool: { name: 'kvmsweep', version: '0.1.0', fingerprints: 'x' },
    asked: { hosts: 1, ranges: ['192.0.2.1'], names: {}, ports: ['161/udp=snmp'] },
    completeness: { complete: true, limitations: [], notes: [] },
    devices: [device],
    unrecognised: [],
  };
  expect(await explained('asked.json', inventory)).toContain('  not asked  sysDescr: give --snmp-community\n');
  expect(await explained('given.json', { ...inventory, asked: { ...inventory.asked, snmp: { communities: 1, users: 0 } } })).not.toContain(
    'not asked',
  );
  expect(await explained('web.json', { ...inventory, devices: [{ ...device, endpoints: [] }] })).not.toContain('not asked');
  const { asked: _, ...unknown } = inventory;
  expect(await explained('unknown.json', unknown)).not.toContain('not asked');
});

test('explain --wire shows the form of a read, and every object that may be asked for', async () => {
  const { out } = await run(['explain', '--wire'], { KVMSWEEP_SNMP_COMMUNITY: 'SECRETCOMMUNITY' });
  expect(out).toContain('<community given by the operator>');
  expect(out).toContain('snmp.get  (udp, snmp; only where the operator gave a credential)');
  for (const oid of ['1.3.6.1.2.1.1.1.0', '1.3.6.1.4.1.13742.6.3.2.1.1.4.1', '1.3.6.1.2.1.47.1.1.1.1.11.1'])
    expect(out).toContain(`  ${oid}\n`);
  expect(out).not.toContain('SECRET');
});

test.for<{ words: readonly string[]; text: RegExp }>([
  { words: ['--snmp-comunity=SECRET'], text: /unknown option '--snmp-comunity=\*\*\*'/ },
  { words: ['--snmp-community='], text: /the community is empty/ },
  { words: ['--snmp-user', 'SECRET:SECRET'], text: /--snmp-user: it has not the form name=NAME/ },
  { words: ['--snmp-user', 'name=a,auth=sha:SECRET'], text: /at least 8 characters/ },
  { words: ['--snmp-credentials', 'nowhere.yaml'], text: /cannot read nowhere\.yaml: there is no such file/ },
  { words: ['--snmp-community'], text: /argument missing/ },
])('$words ends with 2 before anything is sent, and is told without what was given', async ({ words, text }) => {
  const { code, out, err } = await run([...SCAN, '-o', 'never.json', ...words]);
  expect(code).toBe(2);
  expect(err).toMatch(text);
  expect(`${out}${err}`).not.toContain('SECRET');
  expect(readdirSync(folder)).not.toContain('never.ndjson');
});
