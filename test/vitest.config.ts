import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// What starts processes of its own, and so takes its time.
const withProcesses = [
  'test/azure/**/*.test.ts',
  'test/cli/**/*.test.ts',
  'test/end-to-end/**/*.test.ts',
  'test/infra/**/*.test.ts',
  'test/local/*.test.ts',
  'test/local/{chaos,host,start}/**/*.test.ts',
  'test/pipeline/accept/hostile-bodies.test.ts',
];

// Of minutes, most of them spent waiting: begun last, they would be waited for alone.
const long = /\/(?:chaos|killed-|hostile-(?:callers|source)|start\.test|pywebhooks-windows-vault)/;

class LongOnesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- not an array's, but Vitest's own
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => (long.test(moduleId) ? 0 : 1);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    // A slow machine is no failure: these only end a test that would wait for ever.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    sequence: { sequencer: LongOnesFirst },
    // Most of the time a test waits for processes of its own; more workers than cores keep the cores busy.
    maxWorkers: availableParallelism() + 2,
    coverage: { include: ['src/**/*.ts'], exclude: ['src/local/bench/**'], reporter: ['text-summary'] },
    projects: [
      { extends: true, test: { name: 'whole', include: withProcesses } },
      {
        extends: true,
        // One process for many files: half of their time is its start.
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: withProcesses, isolate: false },
      },
    ],
  },
});
