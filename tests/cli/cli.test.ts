import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'csv-parse/sync';
import { beforeAll, expect, test } from 'vitest';
import type { Device } from '../../src/devices/device.ts';
import { demoTruth } from '../../src/fleet/index.ts';
import { readInventory } from '../../src/inventory/file.ts';
import type { Finding } from '../../src/reconcile/index.ts';
import { KNOWN_PORTS } from '../../src/targets/known-ports.ts';

const CLI = join(import.meta.dirname, '../../bin/kvmsweep.js');
const EXAMPLE = join(import.meta.dirname, '../../docs/examples/approved.csv');
const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-cli-'));

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built command line in a folder of its own, bounded in time. */
function run(
  args: readonly string[],
  { input = '', env = {}, cwd = folder }: { input?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], { cwd, env: { ...process.env, ...env }, timeout: 90_000 });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end(input);
  });
}

const demo = join(folder, 'demo');
let first: Run;
beforeAll(async () => {
  first = await run(['demo', '--out', demo, '--port-base', '24000']);
}, 90_000);

test('the demo finds its fleet, reconciles it and leaves three valid files', () => {
  expect(first.code, first.err).toBe(0);
  expect(first.out).toMatch(/PiKVM/);
  expect(first.err).toMatch(/complete\n/);
  const text = readFileSync(join(demo, 'inventory.json'), 'utf8');
  expect(text.endsWith('}\n')).toBe(true);
  const validate = new Ajv2020({ strict: false, formats: { 'date-time': true } }).compile(
    JSON.parse(readFileSync('data/inventory.schema.json', 'utf8')) as object,
  );
  expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
  for (const line of readFileSync(join(demo, 'journal.ndjson'), 'utf8').trimEnd().split('\n')) JSON.parse(line);
  expect(statSync(join(demo, 'inventory.json')).mode & 0o077, 'readable for the owner only').toBe(0);
  // What a device says reaches no terminal as it is.
  expect(/[\p{Cc}\u202e]/u.test((first.out + first.err).replaceAll('\n', ''))).toBe(false);
});

test('every row of the demo is what it is meant to be', async () => {
  const { out, code } = await run([
    'reconcile',
    join(demo, 'inventory.json'),
    '--approved',
    join(demo, 'approved.csv'),
    '--format',
    'ndjson',
  ]);
  expect(code).toBe(0);
  const findings = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Finding);
  const { rows, unapproved, quiet } = demoTruth();
  for (const { assetTag, state } of rows) {
    const states = findings.filter(({ asset }) => asset?.id === assetTag).map((finding) => finding.state);
    expect(states, assetTag).toContain(state);
  }
  expect(
    findings
      .filter(({ state }) => state === 'unapproved')
      .flatMap(({ addresses }) => addresses)
      .toSorted(),
  ).toEqual(unapproved.map(({ address }) => address).toSorted());
  const named = findings.filter(({ deviceKey }) => deviceKey !== undefined).flatMap(({ addresses }) => addresses);
  for (const { address } of quiet) expect(named, address).not.toContain(address);
});

test('several lists and rules are held against it together, and every record is accounted for', async () => {
  const rules = join(folder, 'rules.yaml');
  writeFileSync(rules, 'rules:\n  - { class: ip-kvm, vendor: TinyPilot, network: 127.77.0.0/24, until: 2099-12-31 }\n');
  const netbox = join(import.meta.dirname, '../reconcile/exports/netbox.csv');
  const file = join(demo, 'inventory.json');
  const lists = ['--approved', join(demo, 'approved.csv'), '--approved', netbox, '--approved', rules];
  const { out, err, code } = await run(['reconcile', file, ...lists, '--format', 'json']);
  expect(code, err).toBe(0);
  const byRule = (JSON.parse(out) as Finding[]).filter(({ asset }) => asset?.source.file === rules);
  expect(byRule.length).toBeGreaterThan(0);
  for (const { state, explanation } of byRule) {
    expect(state).toBe('approved-present');
    expect(explanation).toContain(`is approved by a rule (${rules}:2)`);
  }
  const [, total = '', parts = ''] = /^(\d+) records: (.*); 1 rule for \d+ devices?$/m.exec(err) ?? [];
  const sum = [...parts.matchAll(/\d+(?= )/g)].reduce((all, [number]) => all + Number(number), 0);
  expect(sum, err).toBe(Number(total));
});

test.for([
  [['--fail-on', 'unapproved,impostor'], 1],
  [['--fail-on', 'severity>=critical'], 1],
  [['--fail-on', 'ambiguous'], 0],
  [['--fail-on', 'unaproved'], 2],
] as const)('reconcile %j ends with %i', async ([args, code]) => {
  const ended = await run(['reconcile', join(demo, 'inventory.json'), '--approved', join(demo, 'approved.csv'), '-q', ...args]);
  expect(ended.code, ended.err).toBe(code);
});

test('an inventory made again from the journal is the same, and so is one without any fingerprint of another day', async () => {
  const again = join(folder, 'again.json');
  const { code, out } = await run(['identify', join(demo, 'journal.ndjson'), '-o', again, '--format', 'ndjson']);
  expect(code).toBe(0);
  expect(readFileSync(again, 'utf8')).toBe(readFileSync(join(demo, 'inventory.json'), 'utf8'));
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as Device).deviceKey),
  ).toEqual(readInventory(again).devices.map(({ deviceKey }) => deviceKey));
});

test('diff of an inventory with itself is empty and ends with 0; with a changed one it tells and ends with 1', async () => {
  const file = join(demo, 'inventory.json');
  expect(await run(['diff', file, file])).toMatchObject({ code: 0, out: 'nothing changed\n' });
  const inventory = readInventory(file);
  const changed = join(folder, 'changed.json');
  writeFileSync(
    changed,
    JSON.stringify({
      ...inventory,
      devices: inventory.devices
        .slice(1)
        .map((device) => (device.product === 'iDRAC' && device.generation === '9' ? { ...device, version: '9.9' } : device)),
    }),
  );
  const { code, out } = await run(['diff', file, changed]);
  expect(code).toBe(1);
  expect(out).toMatch(/^gone/m);
  expect(out).toMatch(/changed .*version: 7\.10\.50\.00 -> 9\.9/);
});

test('diff: nobody looked is no change, and of a sweep that is not complete it says so', async () => {
  const inventory = readInventory(join(demo, 'inventory.json'));
  const elsewhere = join(folder, 'elsewhere.json');
  writeFileSync(elsewhere, JSON.stringify({ ...inventory, asked: { ...inventory.asked, ranges: ['10.0.0.1'] }, devices: [] }));
  const unasked = await run(['diff', join(demo, 'inventory.json'), elsewhere]);
  expect(unasked.code, unasked.err).toBe(0);
  expect(unasked.out).toMatch(/^not-asked/m);
  const partial = join(folder, 'partial.json');
  const completeness = { complete: false, limitations: [{ what: 'interrupted', text: 'the sweep was ended' }], notes: [] };
  writeFileSync(partial, JSON.stringify({ ...inventory, completeness }));
  expect(await run(['diff', join(demo, 'inventory.json'), partial])).toMatchObject({
    code: 3,
    out: 'nothing changed\n',
    err: 'incomplete: the sweep was ended\n',
  });
});

// It starts the program ten times.
test('findings and changes go into a file, in the form of its name or the one that was asked for', { timeout: 60_000 }, async () => {
  const file = join(demo, 'inventory.json');
  const against = [file, '--approved', join(demo, 'approved.csv')];
  const findings = JSON.parse((await run(['reconcile', ...against, '--format', 'json'])).out) as Finding[];
  const at = (name: string): string => join(folder, name);
  const names = ['f.csv', 'f.md', 'f.json', 'f.ndjson', 'f.txt'];
  for (const ended of await Promise.all(names.map((name) => run(['reconcile', ...against, '-q', '-o', at(name)]))))
    expect(ended).toMatchObject({ code: 0, out: '', err: '' });
  expect(parse<Record<string, string>>(readFileSync(at('f.csv')), { columns: true }).map(({ state }) => state)).toEqual(
    findings.map(({ state }) => state),
  );
  expect(readFileSync(at('f.md'), 'utf8')).toMatch(/^# kvmsweep: \d+ findings to look at\n\nThe sweep is complete\. /);
  expect(JSON.parse(readFileSync(at('f.json'), 'utf8'))).toEqual(findings);
  expect(readFileSync(at('f.ndjson'), 'utf8').trimEnd().split('\n')).toHaveLength(findings.length);
  expect(readFileSync(at('f.txt'), 'utf8')).toMatch(/^STATE +SEVERITY/);
  for (const { deviceKey, firstSeen } of findings) expect(firstSeen !== undefined).toBe(deviceKey !== undefined);
  expect(await run(['reconcile', ...against, '-q', '--format', 'markdown', '-o', at('f.csv')])).toMatchObject({ code: 0 });
  expect(readFileSync(at('f.csv'), 'utf8')).toMatch(/^# kvmsweep/);
  expect(await run(['diff', file, join(folder, 'changed.json'), '-o', at('d.csv')])).toMatchObject({ code: 1, out: '' });
  expect(parse<Record<string, string>>(readFileSync(at('d.csv')), { columns: true }).at(-1)).toMatchObject({
    change: 'changed',
    what: 'version',
    from: 'version 7.10.50.00',
    to: 'version 9.9',
  });
  expect((await run(['diff', file, join(folder, 'changed.json'), '--format', 'markdown'])).out).toMatch(
    /^# kvmsweep: \d+ devices? changed\n/,
  );
});

test('a network policy is a finding of approved devices too, with a list and without', async () => {
  const policy = join(folder, 'networks.yaml');
  writeFileSync(policy, 'allowed:\n  - classes: [bmc]\n    networks: [127.77.0.32/30]\n');
  const file = join(demo, 'inventory.json');
  const alone = await run(['reconcile', file, '--policy', policy, '--format', 'json', '--fail-on', 'wrong-network']);
  expect(alone.code, alone.err).toBe(1);
  const outside = JSON.parse(alone.out) as Finding[];
  expect(new Set(outside.map(({ state }) => state))).toEqual(new Set(['wrong-network']));
  const bmcs = readInventory(file)
    .devices.filter((device) => device.class === 'bmc')
    .flatMap(({ addresses }) => addresses);
  expect(outside.flatMap(({ addresses }) => addresses).toSorted()).toEqual(
    bmcs.filter((address) => !/^127\.77\.0\.3[2-5]$/.test(address)).toSorted(),
  );
  const both = await run(['reconcile', file, '--policy', policy, '--approved', join(demo, 'approved.csv'), '--format', 'ndjson']);
  const lines = both.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Finding);
  expect(
    lines
      .filter((finding) => finding.policy !== undefined)
      .flatMap(({ addresses }) => addresses)
      .toSorted(),
  ).toEqual(outside.flatMap(({ addresses }) => addresses).toSorted());
  expect(lines.some(({ state }) => state === 'wrong-network')).toBe(true);
  expect(lines.some(({ state, policy: broken }) => state === 'unapproved' && broken !== undefined)).toBe(true);
  writeFileSync(policy, 'allowed:\n  - classes: [bmc]\n    networks: [127.77.0.32/33]\n');
  expect(await run(['scan', '127.0.0.1', '--policy', policy])).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      /networks\.yaml:3:16: allowed\[0\]\.networks\[0\]: "127\.77\.0\.32\/33" is no network: \/33 is more than \/32/,
    ) as string,
  });
});

test('scan leaves its findings where it is told, and gives programs one JSON text', async () => {
  const sweep = (name: string, ...args: string[]): Promise<Run> =>
    run([
      'scan',
      '127.61.9.1',
      '-p',
      '24999=http',
      '--approved',
      join(demo, 'approved.csv'),
      '-q',
      '-o',
      join(folder, `${name}.json`),
      ...args,
    ]);
  const whole = await sweep('one', '--format', 'json');
  expect(whole.code, whole.err).toBe(0);
  const { devices, findings } = JSON.parse(whole.out) as { devices: unknown[]; findings: Finding[] };
  expect(devices).toEqual([]);
  expect(new Set(findings.map(({ state }) => state))).toEqual(new Set(['not-checked']));
  const file = join(folder, 'findings.csv');
  const apart = await sweep('two', '--format', 'json', '--findings', file);
  expect(JSON.parse(apart.out)).toEqual([]);
  expect(parse(readFileSync(file), { columns: true })).toHaveLength(findings.length);
  const nowhere = await sweep('three', '--findings', '/no/such/folder/x.csv');
  expect(nowhere).toMatchObject({ code: 2, err: expect.stringContaining('cannot write /no/such/folder/x.csv') as string });
  expect(existsSync(join(folder, 'three.ndjson')), 'before the sweep').toBe(false);
});

test('validate usb says what the rule looks for, and how to look at the computer', async () => {
  const { code, out } = await run(['validate', 'usb']);
  expect(code).toBe(0);
  expect(out).toMatch(/^The rule "KVM attached to a computer" should fire\n {2}in +DeviceEvents/);
  expect(out).toContain('ActionType: PnpDeviceConnected');
  expect(out).toContain('the event comes only then');
  expect(out).toMatch(/\n {2}Get-PnpDevice -PresentOnly \| Select-Object .* \| ConvertTo-Json \| kvmsweep evidence -\n/);
  expect(JSON.parse((await run(['validate', 'usb', '--format', 'json'])).out)).toMatchObject({
    expected: [{ fields: { ActionType: 'PnpDeviceConnected' } }],
  });
});

test('validate vnc tells each connection, and the events that should follow', async () => {
  const { code, out, err } = await run(['validate', 'vnc', '127.61.8.1', '--rule', 'connection-to-unapproved-device']);
  expect(code, err).toBe(0);
  expect(out).toMatch(
    /^TIME +FROM +TO +PORT +SENT +OUTCOME +ANSWER\n\S+Z +127\.0\.0\.1 +127\.61\.8\.1 +5900\/tcp +a connection, and no byte over it +refused/,
  );
  expect(out).toMatch(/\nThe rule "Connection to an unapproved remote-access device" should fire\n[^]*RemoteIP: 127\.61\.8\.1\n/);
});

test('identify takes the least that an observation can be, from standard input', async () => {
  const { code, out } = await run(['identify', '-', '--format', 'ndjson'], {
    input:
      '{"host":"192.0.2.10","probe":"https","facts":{"http.title":"PiKVM Login","tls.subject.o":"PiKVM","tls.subject.ou":"PiKVM","own.fact":1}}\nnot json\n',
  });
  expect(code).toBe(0);
  expect(JSON.parse(out) as Device).toMatchObject({ vendor: 'PiKVM', class: 'ip-kvm', level: 'certain', addresses: ['192.0.2.10'] });
});

test('standard input may be larger than a pipe holds', async () => {
  const line = `${JSON.stringify({ host: '192.0.2.10', probe: 'http', facts: { 'http.title': 'PiKVM Login', 'http.body': 'x'.repeat(4000) } })}\n`;
  const { code, err } = await run(['identify', '-', '--format', 'ndjson'], { input: line.repeat(200) });
  expect(code).toBe(0);
  expect(err).toContain('200 observations, 1 devices');
});

test('a definition to begin with is made of a journal, and joins the set at once', async () => {
  const own = join(folder, 'own');
  mkdirSync(own);
  const file = join(own, 'oa.yaml');
  const journal = join(demo, 'journal.ndjson');
  expect(await run(['fingerprints', 'new', journal, '127.77.0.60', '-o', file])).toMatchObject({ code: 0, err: '' });
  expect(readFileSync(file, 'utf8')).toMatch(/^# yaml-language-server: \$schema=\.\..*data\/fingerprint\.schema\.json\n/);
  const tested = await run(['fingerprints', 'test', '--fingerprints', own]);
  expect(tested).toMatchObject({ code: 0, out: expect.stringMatching(/all hold\n$/) as string });
  expect(await run(['fingerprints', 'new', journal, '127.77.0.60', '-o', file])).toMatchObject({
    code: 2,
    err: expect.stringContaining('exists already') as string,
  });
  expect(await run(['fingerprints', 'new', journal, '10.0.0.1'])).toMatchObject({ code: 2 });
});

test('coverage tells product by product what can be told', async () => {
  const { code, out } = await run(['fingerprints', 'coverage']);
  expect(code).toBe(0);
  expect(out).toMatch(/\nPiKVM PiKVM +ip-kvm +\d+ +http tls /);
  expect(out).toMatch(/\n\d+ products of \d+ vendors; \d+ are recognised in more than one channel\./);
  const products = JSON.parse((await run(['fingerprints', 'coverage', '--format', 'json'])).out) as { product: string; fields: object }[];
  expect(products.find(({ product }) => product === 'iDRAC')?.fields).toMatchObject({
    serial: expect.arrayContaining(['tls.subject.cn']) as string[],
  });
  expect((await run(['fingerprints', 'coverage', '--format', 'markdown'])).out).toMatch(/\n\| Dell iDRAC \| bmc \| http, tls/);
});

test('explain tells what an address said that is not recognised, by the journal beside the inventory', async () => {
  const { code, out } = await run(['explain', join(demo, 'inventory.json'), '127.77.0.61']);
  expect(code).toBe(0);
  expect(out).toMatch(/^127\.77\.0\.61 is not recognised\n {2}answered +.*\d+\/udp=snmp\n {2}it says\n/);
  expect(out).toMatch(/\d+\/udp +snmp\.engine\.pen 11\n/);
  const moved = join(folder, 'moved.json');
  copyFileSync(join(demo, 'inventory.json'), moved);
  expect((await run(['explain', moved, '127.77.0.61'])).out).not.toContain('it says');
  expect((await run(['explain', moved, '127.77.0.61', '--journal', join(demo, 'journal.ndjson')])).out).toBe(out);
  expect((await run(['explain', moved])).out).toContain('\n127.77.0.61 is not recognised\n');
  expect(await run(['explain', moved, '127.77.0.61', '--journal', join(folder, 'none.ndjson')])).toMatchObject({
    code: 2,
    err: expect.stringContaining('cannot read') as string,
  });
});

test('explain tells a device in words; --wire all that can be sent', async () => {
  const one = await run(['explain', join(demo, 'inventory.json'), '127.77.0.32']);
  expect(one.code).toBe(0);
  expect(one.out).toMatch(/^Dell iDRAC 9 at 127\.77\.0\.32: certain/);
  expect(one.out).toMatch(/because\n +\d+ +127\.77\.0\.32:\d+ says/);
  expect(one.out, 'what was asked').toMatch(/\n {2}asked\n(?: {4}.*\n)* {4}\d+\/tcp +tls \(answered, \d+ ms\); /);
  expect(one.out, 'why it is so sure').toMatch(
    /\n {2}why (\d+)\n {4} *\d+ {2}\w+: .* \(\d+\/\w+\)\n(?:.*\n)*? +what each leaves in doubt multiplies: 1 - 0\.\d\d x /,
  );
  const { out: atenBmc } = await run(['explain', join(demo, 'inventory.json'), '127.77.0.37']);
  expect(atenBmc).toMatch(
    /what spoke against\n {4}not VNC server .*: \d+\/tcp says rfb\.security "\[16\]" \(the scheme of ATEN firmware\)/,
  );
  expect(await run(['explain', join(demo, 'inventory.json'), '10.0.0.1'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('has no device at 10.0.0.1') as string,
  });
  const { out } = await run(['explain', '--wire']);
  for (const what of [
    'ipmi.asf-ping',
    '06 00 ff 06 00 00 11 be 80 .. 00 00',
    'snmp.engine-discovery',
    '/xmldata?item=all',
    'tls.client-hello',
    'tls.raw-client-hello',
    '16 03 00 00 5b 01 00 00 57 03 01 .. ..',
    'Never asked for',
  ])
    expect(out).toContain(what);
});

test('the definitions that are shipped prove themselves, are listed and shown', async () => {
  const proof = await run(['fingerprints', 'test']);
  expect(proof).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^\d+ definitions, \d+ rules, \d+ examples, \d+ near misses: all hold\n$/) as string,
  });
  expect((await run(['fingerprints', 'list'])).out).toMatch(/^dell-idrac +Dell +iDRAC +bmc/m);
  expect((await run(['fingerprints', 'show', 'pikvm'])).out).toMatch(/^pikvm: /);
  expect(await run(['fingerprints', 'show', 'pikmv'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('did you mean "pikvm"?') as string,
  });
  expect((await run(['fingerprints', 'facts'])).out).toMatch(/^http\.title +text +http/m);
});

test('own definitions add and override, and are refused with file and line where they are wrong', async () => {
  const own = mkdtempSync(join(folder, 'own-'));
  const text = readFileSync(join(import.meta.dirname, '../../data/fingerprints/jetkvm/jetkvm.yaml'), 'utf8');
  writeFileSync(join(own, 'mine.yaml'), text.replace('product: JetKVM', 'product: MyKVM'));
  expect((await run(['fingerprints', 'list', '--fingerprints', own])).out).toMatch(/^jetkvm +JetKVM +MyKVM/m);
  writeFileSync(join(own, 'mine.yaml'), text.replace('http.title', 'http.tittle'));
  const wrong = await run(['fingerprints', 'list', '--fingerprints', own]);
  expect(wrong.code).toBe(2);
  expect(wrong.err).toMatch(/mine\.yaml:\d+:\d+: no probe reports "http\.tittle"; did you mean "http\.title"\?/);
});

test.for([
  [['scan'], /no targets given/],
  [['scan', '8.8.8.8'], /KVMSWEEP_ONLY/],
  [['scan', '8.8.8.8'], /sweep only networks you own/, { KVMSWEEP_ONLY: '' }],
  [['scan', '10.0.0.0/99', '10.0.0.300', '-p', '70000'], /99 is more than \/32[\s\S]*300 is more than 255[\s\S]*1 to 65535/],
  [['scan', '127.0.0.1', '--exclude', '127.0.0.0/8'], /exclusions take away all 1 addresses/],
  [['scan', '127.0.0.1', '--unheard-of'], /unknown option '--unheard-of'/],
  [['scan', '127.0.0.1', '--rate', '0'], /whole number from 1/],
  [['scan', '127.0.0.1', '--rate', '5', '--fast'], /cannot be used with/],
  [['scan', '127.0.0.1', '--also', 'netbois'], /--also netbois: there is no such channel, did you mean "netbios"\?/],
  [['scan', '--resume', 'x.ndjson', '--also', 'dns'], /cannot be used with/],
  // The name servers of this machine are none of ours, whatever is asked for.
  [['scan', '127.0.0.1', '--also', 'dns'], /--also dns: .*(outside of KVMSWEEP_ONLY|no name server)/, { KVMSWEEP_ONLY: '127.0.0.1' }],
  [['scan', '127.0.0.1', '--approved', '/no/such.csv'], /cannot read \/no\/such\.csv/],
  [['scan', '127.0.0.1', '--map', 'mac=NIC 1'], /--map mac=NIC 1: it is about the list that --approved gives/],
  [['export', 'x.json', '--to', 'csv', '--expiring-within', '7'], /--expiring-within 7: it is about the list that --approved gives/],
  [['reconcile', 'x.json', '--policy', 'x.yaml', '--date-format', 'DD/MM/YYYY'], /--date-format DD\/MM\/YYYY: it is about the list/],
  [['reconcile', 'x.json', '--approved', EXAMPLE, '--map', 'mac=NIC'], /no list has a heading "NIC"; they are "Asset tag", /],
  [['export', join(demo, 'inventory.json'), '--to', 'ndjson', '--approved', EXAMPLE, '--map', 'mac'], /write it as MEANING=HEADING/],
  [['scan', '127.0.0.1', '-o', '/no/such/folder/x.json'], /no such file/],
  [['scan', '--resume', '/no/such.ndjson'], /cannot read \/no\/such\.ndjson/],
  [['scan', '127.0.0.1', '--allow-path', '/api/init/init'], /never asked/],
  [['identify', '/no/such'], /cannot read \/no\/such/],
  [['reconcile', 'package.json', '--approved', 'x'], /cannot read/],
  [['reconcile'], /missing required argument 'inventory'/],
  [['reconcile', 'x.json'], /nothing to hold the inventory against: give --approved FILE, --policy FILE, or both/],
  [['reconcile', 'x.json', '--fail-on', 'unapproved'], /--fail-on unapproved: there are findings only with --approved or --policy/],
  [['reconcile', 'x.json', '--policy', '/no/such.yaml'], /cannot read \/no\/such\.yaml/],
  [['scan', '127.0.0.1', '--fail-on', 'unapproved'], /there are findings only with --approved or --policy/],
  [['scan', '127.0.0.1', '--findings', 'x.csv'], /--findings x\.csv: there are findings only with --approved or --policy/],
  [['diff', 'one.json', 'two.json', '--format', 'xml'], /Allowed choices are table, json, ndjson, csv, markdown/],
  [['diff', 'one.json'], /missing required argument 'new'/],
  [['validate', 'ipmi'], /missing required argument 'hosts'/],
  [['validate', 'ipmi', '8.8.8.8'], /KVMSWEEP_ONLY/],
  [['validate', 'ipmi', '8.8.8.8'], /sweep only networks you own/, { KVMSWEEP_ONLY: '' }],
  [['validate', 'vnc', '127.0.0.1-4'], /^4 of 5 addresses: the rule fires where one computer tries VNC on 5 within fifteen minutes/],
  [['validate', 'vnc', '127.0.0.0/24'], /256 addresses are too many: this makes a signal and is no sweep; name 64 at most/],
  [['validate', 'vnc', '127.0.0.1', '--rule', 'other'], /Allowed choices are vnc-fan-out, connection-to-unapproved-device/],
  [['frobnicate'], /unknown command/],
] as const)('bad input %j: exit 2 and the reason', async ([args, reason, env = {}]) => {
  const ended = await run(args, { env });
  expect(ended.code, ended.err).toBe(2);
  expect(ended.err).toMatch(reason);
});

test('a journal of an older form is not resumed: its checkpoints say something else', async () => {
  const [begun = ''] = readFileSync(join(demo, 'journal.ndjson'), 'utf8').split('\n', 1);
  const old = join(folder, 'old.ndjson');
  const checkpoint = { pass: 0, position: 5, open: '', talking: '', settled: '', alive: '', unreachable: '', resolved: [], asked: '' };
  writeFileSync(old, `${begun}\n${JSON.stringify({ v: 1, kind: 'checkpoint', at: '2026-11-25T00:00:00.000Z', checkpoint })}\n`);
  const before = readFileSync(old, 'utf8');
  const ended = await run(['scan', '--resume', old]);
  expect(ended.code, ended.err).toBe(2);
  expect(ended.err).toMatch(/old\.ndjson.*an older kvmsweep wrote it; `kvmsweep identify` makes an inventory/);
  expect(readFileSync(old, 'utf8')).toBe(before);
});

test('help says of each opt-in channel what it sends, and to whom', async () => {
  const { out } = await run(['scan', '--help']);
  for (const says of [
    /netbios +to UDP 137 of living addresses one/,
    /wsd +to UDP 3702/,
    /slp +to UDP 427/,
    /ubiquiti +to UDP 10001/,
    /dns +to this machine's name servers/,
  ])
    expect(out).toMatch(says);
});

test('an approved list without an identifier is refused before the sweep begins', async () => {
  const file = join(folder, 'useless.csv');
  writeFileSync(file, 'Colour,Owner\nred,me\n');
  const ended = await run(['scan', '127.0.0.1', '-p', '24999=http', '--approved', file, '-o', join(folder, 'never.json')]);
  expect(ended.code).toBe(2);
  expect(ended.err).toMatch(/useless\.csv.*no column names a device/);
  expect(existsSync(join(folder, 'never.ndjson'))).toBe(false);
});

test('a port in use in the demo is told with the way out', async () => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(24100, '127.77.0.10', resolve));
  const ended = await run(['demo', '--out', join(folder, 'demo2'), '--port-base', '24100']);
  server.close();
  expect(ended.code).toBe(2);
  expect(ended.err).toMatch(/127\.77\.0\.10:24100\/tcp is in use.*--port-base/);
});

test('targets from a list, an exclusion, a name: swept, and the ledger counts them', async () => {
  const list = join(folder, 'list.txt');
  writeFileSync(list, '# lab\n127.61.0.0/29, 127.61.0.9 # one more\nlocalhost\n');
  const output = join(folder, 'list.json');
  const ended = await run([
    'scan',
    '-iL',
    list,
    '--exclude',
    '127.61.0.0-3',
    '-p',
    '24999=http',
    '-o',
    output,
    '--format',
    'json',
    '--audit',
    join(folder, 'audit.ndjson'),
  ]);
  expect(ended.code, ended.err).toBe(0);
  expect(JSON.parse(ended.out)).toEqual([]);
  const { asked, ledger } = readInventory(output);
  expect(asked?.ranges.filter((range) => range !== '::1')).toEqual(['127.0.0.1', '127.61.0.4-127.61.0.7', '127.61.0.9']);
  expect(asked?.names['127.0.0.1']).toBe('localhost');
  expect(ledger?.total).toMatchObject({ planned: asked?.hosts, asked: asked?.hosts, refused: asked?.hosts });
  expect(readFileSync(join(folder, 'audit.ndjson'), 'utf8').trimEnd().split('\n')).toHaveLength(asked?.hosts ?? 0);
  const again = await run(['scan', '-iL', list, '-p', '24999=http', '-o', output]);
  expect(again.code, 'a journal is not written over').toBe(2);
  expect(again.err).toMatch(/list\.ndjson exists already/);
});

test('a corrupt journal line is reported with its number, and the rest is kept', async () => {
  const file = join(folder, 'corrupt.ndjson');
  const lines = readFileSync(join(demo, 'journal.ndjson'), 'utf8').trimEnd().split('\n');
  writeFileSync(file, [...lines.slice(0, 5), '{"torn', ...lines.slice(5)].join('\n'));
  const ended = await run(['identify', file, '--format', 'ndjson']);
  expect(ended.code).toBe(0);
  expect(ended.err).toMatch(/corrupt\.ndjson:6: not a journal line/);
  expect(ended.out.trimEnd().split('\n')).toHaveLength(readInventory(join(demo, 'inventory.json')).devices.length);
});

test('an unknown Node.js is refused by the launcher in plain words', () => {
  const text = readFileSync(CLI, 'utf8');
  expect(text).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect(text).not.toMatch(/^import /m);
});

test('-p list shows every known port, and sends nothing', async () => {
  const { code, out } = await run(['scan', '-p', 'list']);
  expect(code).toBe(0);
  for (const { port, transport } of KNOWN_PORTS) expect(out).toMatch(new RegExp(`^${port}/${transport} `, 'm'));
  expect(out).toMatch(/^-p default +\d+ packets to a silent address/m);
  expect(out).toMatch(/^-p wide +\d+ packets/m);
});

test('a demo takes nothing away that is not of a demo', async () => {
  const real = join(folder, 'real');
  mkdirSync(real);
  const list = join(real, 'approved.csv');
  writeFileSync(list, 'IP Address\n10.0.0.1\n');
  const { code, err } = await run(['demo', '--out', real, '--port-base', '26000']);
  expect(code).toBe(2);
  expect(err).toMatch(/real.approved\.csv exists already and is not overwritten/);
  expect(readFileSync(list, 'utf8')).toBe('IP Address\n10.0.0.1\n');
  expect(existsSync(join(real, 'inventory.json'))).toBe(false);
});
