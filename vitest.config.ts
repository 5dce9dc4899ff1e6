import { defineConfig } from 'vitest/config';

const REAL = 'tests/real/**/*.test.ts';

export default defineConfig({
  test: {
    // Every test, and every process that one starts, may talk to this machine only.
    env: { KVMSWEEP_ONLY: '127.0.0.0/8,::1/128' },
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        // They wait more than they work.
        test: { name: 'simulated', include: ['tests/**/*.test.ts'], exclude: [REAL], maxWorkers: 4, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        // Each makes a laboratory, and holds a sweep against a clock and a capture: two at a time, when the others are done.
        test: { name: 'real', include: [REAL], maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
