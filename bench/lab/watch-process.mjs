// Loaded before the command line (`node --import`): what the process has used, and how late its event loop was, into a file of the working directory at its end.
// Plain JavaScript, because loading TypeScript takes a tenth of a second that would be on the product's account.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const loop = monitorEventLoopDelay({ resolution: 1 });
// It wakes the process a thousand times a second: only where that is what is measured.
if (process.env['WATCH_LOOP'] === '1') loop.enable();
process.on('exit', () => {
  loop.disable();
  // As `Used` in bench/sweep/tools.ts has it.
  writeFileSync(
    'used.json',
    JSON.stringify({
      loopP99Ms: loop.percentile(99) / 1e6,
      loopMaxMs: loop.max / 1e6,
      peakMb: process.resourceUsage().maxRSS / 1024,
    }),
  );
});
