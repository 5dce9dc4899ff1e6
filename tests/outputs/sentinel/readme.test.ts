import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Bundle } from '../../../src/outputs/sentinel/bundle.ts';
import { device, IDRAC } from '../../reconcile/build.ts';
import { bundle, fileText, rowsOf, sweep } from './build.ts';

/**
 * Stands for Azure: keeps what `az rest` puts and deletes as files, and writes down what else was called. Sentinel itself is a service that no test can
 * have; this proves that the commands of the README are run by a shell as they stand, and that what they do to items makes the list.
 */
const AZ = `#!/bin/sh
printf '%s\\n' "$*" >> "$STORE/calls"
method=; url=; body=
while [ $# -gt 0 ]; do
  case "$1" in
    --method) method=$2; shift ;;
    --url) url=$2; shift ;;
    --body) body=$(cat "\${2#@}") || exit 1; shift ;;
    --template-file) test -s "$2" || exit 1; shift ;;
  esac
  shift
done
case "$url" in
  */watchlistItems/*)
    name="\${url#*/watchlists/}"; name="\${name%%\\?*}"
    mkdir -p "$STORE/\${name%/*}"
    if [ "$method" = put ]; then printf '%s' "$body" > "$STORE/$name"; else rm "$STORE/$name"; fi ;;
  "") echo "answer" ;;
esac
`;

const home = mkdtempSync(join(tmpdir(), 'kvmsweep-readme-'));
const store = join(home, 'store');
mkdirSync(store);
mkdirSync(join(home, 'bin'));
writeFileSync(join(home, 'bin/az'), AZ);
chmodSync(join(home, 'bin/az'), 0o755);

/** The shell blocks of a README, by the heading they stand under. */
function blocks(readme: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const part of readme.split(/^## /m).slice(1))
    found.set(
      part.split('\n', 1)[0] ?? '',
      [...part.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? ''),
    );
  return found;
}

function run(of: Bundle, headings: readonly string[]): { readonly err: string; readonly calls: string[] } {
  const folder = mkdtempSync(join(home, 'bundle-'));
  for (const { name, text } of of.files) writeFileSync(join(folder, name), text);
  const all = blocks(readFileSync(join(folder, 'README.md'), 'utf8'));
  const script = headings.flatMap((heading) => all.get(heading) ?? []).join('\n');
  const calls = join(store, 'calls');
  writeFileSync(calls, '');
  const { status, stderr } = spawnSync('sh', ['-eu', '-c', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { STORE: store, PATH: `${join(home, 'bin')}:${process.env['PATH']}` },
  });
  expect(status, stderr).toBe(0);
  return {
    err: stderr,
    calls: readFileSync(calls, 'utf8')
      .trimEnd()
      .split('\n')
      .filter((line) => line !== ''),
  };
}

/** The rows that stand in a list after what was run. */
function stored(alias: string): Record<string, string>[] {
  const folder = join(store, alias, 'watchlistItems');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map(
    (id) =>
      (JSON.parse(readFileSync(join(folder, id), 'utf8')) as { properties: { itemsKeyValue: Record<string, string> } }).properties
        .itemsKeyValue,
  );
}
const byIp = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): number =>
  (a['SearchIp'] ?? '') < (b['SearchIp'] ?? '') ? -1 : 1;

const BEFORE = 'Before the first command';
const A = device('10.0.0.1', { deviceKey: 'kvm-a', hostname: `it's "$HOME" \`id\` \\n %s`, ids: { mac: '00:00:5E:00:53:01' } });
const B = device('10.0.0.2', { deviceKey: 'kvm-b', ids: { mac: '00:00:5E:00:53:02' } });
const C = device('10.0.0.3', { ...IDRAC, deviceKey: 'kvm-c', ids: { mac: '00:00:5E:00:53:03' } });

test('the commands make the lists, write what changed and delete what is gone', () => {
  const first = bundle(sweep(21, [A, B]), undefined, { adminSubnets: [{ Cidr: '10.9.0.0/16' }] });
  const once = run(first, [BEFORE, 'Once']);
  expect(once.calls.filter((call) => call.startsWith('rest --method put')).map((call) => /(\w+)\?api-version/.exec(call)?.[1])).toEqual([
    'KvmDevices',
    'KvmScanners',
    'KvmAdminSubnets',
    'KvmSweepDevices_CL',
  ]);
  const { calls } = run(first, [BEFORE, 'Each time']);
  expect(stored('KvmDevices').toSorted(byIp)).toEqual(rowsOf(first));
  expect(stored('KvmAdminSubnets')).toEqual(rowsOf(first, 'KvmAdminSubnets'));
  expect(calls.at(-1)).toBe(
    'rest --method post --resource https://monitor.azure.com --url answer/dataCollectionRules/answer/streams/Custom-KvmSweepDevices?api-version=2023-01-01 --headers Content-Type=application/json --body @KvmSweepDevices.records.json',
  );
  expect(calls.find((call) => call.includes('watchlistItems'))).toMatch(
    /^rest --method put --url https:\/\/management\.azure\.com\/subscriptions\/0{8}-0{4}-0{4}-0{4}-0{12}\/resourceGroups\/the-resource-group-of-the-workspace\/providers\/Microsoft\.OperationalInsights\/workspaces\/the-workspace\/providers\/Microsoft\.SecurityInsights\/watchlists\/KvmDevices\/watchlistItems\/[0-9a-f-]{36}\?api-version=2025-09-01 --body @item\.body\.json --output none$/,
  );

  // The same sweep again asks for nothing but its records.
  const again = bundle(sweep(22, [A, B]), first.state);
  expect(run(again, [BEFORE, 'Each time']).calls.filter((call) => call.includes('watchlistItems'))).toEqual([]);
  // One is new, one moved, and one is not seen the second time.
  const moved = { ...A, addresses: ['10.0.0.9'] };
  const missed = bundle(sweep(23, [moved, C]), again.state);
  run(missed, [BEFORE, 'Each time']);
  expect(new Set(stored('KvmDevices').map((row) => row['SearchIp']))).toEqual(new Set(['10.0.0.2', '10.0.0.3', '10.0.0.9']));
  const gone = bundle(sweep(24, [moved, C]), missed.state);
  run(gone, [BEFORE, 'Each time']);
  expect(stored('KvmDevices').toSorted(byIp)).toEqual(rowsOf(gone));
  expect(rowsOf(gone)).toHaveLength(2);
});

test('the commands for whole lists name files that are there', () => {
  const { calls } = run(bundle(sweep(21, [A, B])), [BEFORE, 'A whole list at once instead']);
  expect(calls).toHaveLength(4);
});

test('the counts stand beside the limit', () => {
  const first = bundle(sweep(21, [A, B]));
  expect(fileText(first, 'README.md')).toContain('| KvmDevices | 2 | 2 | 0 |');
  expect(fileText(first, 'README.md')).toContain('**3 of the 100,000 changes a month**');
  expect(fileText(first, 'README.md')).toContain('Sweeps that change every row: 1,111 sweeps a day.');
  expect(fileText(bundle(sweep(22, [A, B]), first.state), 'README.md')).toContain(
    'Sweeps that change as much as this one: any number of sweeps a day',
  );
  expect(fileText(bundle(sweep(22, [], { complete: false }), first.state), 'README.md')).toContain('**not complete**: nothing is deleted');
});

test('the README names every file of the folder, and no other', () => {
  const { files } = bundle(sweep(21, [A, B]));
  const table = (files.find(({ name }) => name === 'README.md')?.text ?? '').split('## The files')[1] ?? '';
  const named = [...table.matchAll(/\b(Kvm[\w-]+\.[\w.]+)\b/g)].map((match) => match[1] ?? '');
  expect(named.toSorted()).toEqual(
    files
      .map(({ name }) => name)
      .filter((name) => name !== 'README.md')
      .toSorted(),
  );
});
