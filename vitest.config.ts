import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // Every test, and every process that one starts, may talk to this machine only.
    env: { KVMSWEEP_ONLY: '127.0.0.0/8,::1/128' },
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
