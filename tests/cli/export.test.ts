import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
