// Loaded before the command line (`node --import`): what the process has used, and how late its event loop was, into a file of the working directory at its end.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What `used.json` holds. */
export interface Used {
  /** Of a timer of one millisecond, in 99 of 100 of its turns, in milliseconds. */
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  /** The most that was resident. */
  readonly peakMb: number;
}

const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
process.on('exit', () => {
  loop.disable();
  const used: Used = {
    loopP99Ms: loop.percentile(99) / 1e6,
    loopMaxMs: loop.max / 1e6,
    peakMb: process.resourceUsage().maxRSS / 1024,
  };
  writeFileSync('used.json', JSON.stringify(used));
});
