import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Table, Target } from '../../bench/sweep/report.ts';
import { REAL, report } from './lab.ts';

const SCRIPT = fileURLToPath(new URL('../../bench/sweep.ts', import.meta.url));

describe('the bench of the sweep', REAL, () => {
  test('it runs the product and nmap on one network, counts their packets, and both find what is there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kvml-bench-'));
    const file = join(folder, 'figures.json');
    const child = spawn(process.execPath, [SCRIPT, '--only', 'slash24', '--rounds', '1', '--without-typed', '-o', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(code, stdout).toBe(0);
    const { tables, targets } = JSON.parse(readFileSync(file, 'utf8')) as { tables: Table[]; targets: Target[] };
    rmSync(folder, { recursive: true });
    const [table] = tables;
    const column = (start: string): number => table?.columns.findIndex((name) => name.startsWith(start)) ?? -1;
    const tools = (table?.rows ?? []).filter(([name]) => !name?.startsWith('masscan'));
    expect(tools.map(([name]) => name?.split(',')[0])).toEqual(['kvmsweep', 'kvmsweep', 'nmap']);
    for (const row of tools) {
      report(row.join(' | '));
      expect(row[column('services')]).toBe('16');
      // The same facts: 8 pages, 4 certificates, 4 VNC servers, 2 controllers, 2 agents. Nobody gave the sweep with the defaults a community.
      expect(row[column('http-title')]).toMatch(/^8, 4, 4, 2, 2, [01]$/);
      // Every port of every silent address was asked at least once.
      expect(Number(row[column('packets')]?.replaceAll(',', ''))).toBeGreaterThan(246 * 10);
    }
    expect(targets.map(({ number }) => number)).toEqual([4]);
    expect(stdout).toContain('## Targets');
  });
});
