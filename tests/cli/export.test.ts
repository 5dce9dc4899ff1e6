import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { TEXT_FORMATS } from '../../src/outputs/formats/index.ts';
import { device, inventory } from '../reconcile/build.ts';

const CLI = fileURLToPath(new URL('../../bin/kvmsweep.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const INVENTORY = join(folder, 'inventory.json');
const APPROVED = join(folder, 'approved.csv');
writeFileSync(INVENTORY, JSON.stringify(inventory([device('10.0.0.5')])));
writeFileSync(APPROVED, 'IP Address,Owner\n10.0.0.5,Lab\n');

function kvmsweep(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [CLI, ...words], { encoding: 'utf8' });
}

test.for(TEXT_FORMATS.map(({ id, isPublic = false }) => ({ id, isPublic })))(
  'export --to $id: to a file and to standard output',
  ({ id, isPublic }) => {
    const file = join(folder, id);
    expect(kvmsweep('export', INVENTORY, '--to', id, '--approved', APPROVED, '--out', file)).toMatchObject({ status: 0, stdout: '' });
    const { status, stdout } = kvmsweep('export', INVENTORY, '--to', id, '--approved', APPROVED);
    expect(status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(stdout);
    // Of an export that others may read the umask has the last word; the others are the owner's, whatever it is.
    expect(statSync(file).mode & (isPublic ? 0o111 : 0o077)).toBe(0);
  },
);

test('export: the forms are in the help, and in the error of one that is none', () => {
  const { stdout } = kvmsweep('export', '--help');
  const { status, stderr } = kvmsweep('export', INVENTORY, '--to', 'xls');
  expect(status).toBe(2);
  for (const { id, summary } of TEXT_FORMATS) {
    expect(stdout).toContain(`  ${id.padEnd(12)}${summary}\n`);
    expect(stderr).toContain(id);
  }
});

test.for<{ name: string; words: (file: string) => string[] }>([
  { name: 'export over its inventory', words: (file) => ['export', file, '--to', 'csv', '--out', file] },
  { name: 'export over the list', words: (file) => ['export', INVENTORY, '--to', 'csv', '--approved', file, '--out', file] },
  { name: 'reconcile over the list', words: (file) => ['reconcile', INVENTORY, '--approved', APPROVED, '--approved', file, '-o', file] },
  {
    name: 'reconcile over the list, by another name',
    words: (file) => ['reconcile', INVENTORY, '--approved', file, '-o', `${folder}/../${basename(folder)}/${basename(file)}`],
  },
  { name: 'reconcile over the policy', words: (file) => ['reconcile', INVENTORY, '--policy', file, '-o', file] },
  { name: 'diff over the new one', words: (file) => ['diff', INVENTORY, file, '-o', file] },
  { name: 'report over the old one', words: (file) => ['report', INVENTORY, '--against', file, '-o', file] },
  { name: 'import over the scan', words: (file) => ['import', file, '-o', file] },
  { name: 'evidence over the export', words: (file) => ['evidence', file, '-o', file] },
  { name: 'identify over the observations', words: (file) => ['identify', file, '-o', file] },
  { name: 'findings of a sweep over the list', words: (file) => ['scan', '127.0.0.1', '--approved', file, '--findings', file] },
])('what is read is not overwritten: $name', ({ words }) => {
  const file = join(folder, 'read.txt');
  const text = readFileSync(APPROVED, 'utf8');
  writeFileSync(file, text);
  const { status, stderr } = kvmsweep(...words(file));
  expect(stderr).toMatch(/read\.txt is read by this command and is not overwritten/);
  expect(status).toBe(2);
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('a file of another kind, wrong in every line, is not told line by line without end', () => {
  const file = join(folder, 'lines.ndjson');
  writeFileSync(file, '{"a": {"b": 1}}\n'.repeat(5000));
  const { status, stderr } = kvmsweep('reconcile', INVENTORY, '--policy', file);
  expect(status).toBe(2);
  const lines = stderr.trimEnd().split('\n');
  expect(lines.length).toBeLessThan(110);
  expect(lines.at(-1)).toMatch(/^… and [\d,]+ more of these$/);
  expect(lines[0]).toMatch(/lines\.ndjson:2:1: /);
  expect(lines[0]).not.toMatch(/at line|:$/);
});
