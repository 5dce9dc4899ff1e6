// Start-up of the command line against a bare Node.js, interleaved, as ratios of medians: `npm run bench:startup`.
import { spawnSync } from 'node:child_process';

const RUNS = 21;
const COMMANDS = { bare: ['-e', '0'], version: ['bin/kvmsweep.js', '--version'], help: ['bin/kvmsweep.js', '--help'] } as const;
const LIMITS = { version: 2.5, help: 3 } as const;

const times: Record<keyof typeof COMMANDS, number[]> = { bare: [], version: [], help: [] };
for (let run = 0; run <= RUNS; run += 1)
  for (const [name, args] of Object.entries(COMMANDS)) {
    const from = performance.now();
    const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`);
    if (run > 0) times[name as keyof typeof COMMANDS].push(performance.now() - from); // the first run warms the caches
  }

const median = (list: readonly number[]): number => [...list].toSorted((a, b) => a - b)[Math.floor(list.length / 2)] as number;
const bare = median(times.bare);
console.log(`node -e 0: ${bare.toFixed(1)} ms (median of ${RUNS}, interleaved)`);
for (const name of ['version', 'help'] as const) {
  const ratio = median(times[name]) / bare;
  console.log(`kvmsweep --${name}: ${median(times[name]).toFixed(1)} ms, ${ratio.toFixed(2)} x (limit ${LIMITS[name]})`);
  if (ratio > LIMITS[name]) process.exitCode = 1;
}
