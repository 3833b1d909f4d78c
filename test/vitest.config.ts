import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A slow machine is no failure: these only end a test that would wait for ever.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most of the time a test waits for processes of its own; one worker more than cores keeps the cores busy.
    maxWorkers: availableParallelism() + 1,
    coverage: { include: ['src/**/*.ts'], exclude: ['src/local/bench/**'], reporter: ['text-summary'] },
  },
});
