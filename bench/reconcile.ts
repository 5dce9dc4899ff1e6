// A messy approved list of 10,000 rows held against 5,000 devices, as a command, start-up included: `npm run bench:reconcile`.
// The list is the same on every run: four files of four systems, in UTF-8, Windows-1252 and UTF-16, with duplicates, cells of several values, and faults.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messyList } from './messy-list.ts';

const DEVICES = 5000;
const ROWS = 10_000;
const RUNS = 5;
const LIMIT_MS = 2000;

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-reconcile-'));
try {
  const { inventory, files } = messyList(DEVICES, ROWS);
  const inventoryFile = join(folder, 'inventory.json');
  writeFileSync(inventoryFile, JSON.stringify(inventory, null, 2));
  const lists = files.flatMap(({ name, bytes }) => {
    writeFileSync(join(folder, name), bytes);
    return ['--approved', join(folder, name)];
  });
  const args = ['bin/kvmsweep.js', 'reconcile', inventoryFile, ...lists, '--map', 'validUntil=u_approved_until', '--format', 'ndjson'];
  const times: number[] = [];
  let said: string[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const from = performance.now();
    const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
    times.push(performance.now() - from);
    if (status !== 0) throw new Error(`reconcile ended with ${status}: ${stderr.slice(0, 2000)}`);
    said = [...stderr.split('\n').filter((line) => / records: |approved assets/.test(line)), `${stdout.split('\n').length - 1} findings`];
  }
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(RUNS / 2)] ?? 0;
  console.log(said.join('\n'));
  const [account = ''] = said;
  const [total = 0, ...parts] = [...account.matchAll(/\d[\d,]*(?= )/g)].map(([digits]) => Number(digits.replaceAll(',', '')));
  const sum = parts.reduce((all, part) => all + part, 0);
  console.log(`${parts.join(' + ')} = ${sum} of ${ROWS} rows`);
  console.log(
    `${DEVICES} devices, ${ROWS} rows: ${(median / 1000).toFixed(2)} s (median of ${RUNS}; ${(sorted[0] ?? 0).toFixed(0)} to ${(sorted.at(-1) ?? 0).toFixed(0)} ms), limit ${LIMIT_MS / 1000} s`,
  );
  if (total !== ROWS || sum !== ROWS || median > LIMIT_MS) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
