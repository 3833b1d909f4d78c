import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Plugin } from 'esbuild';
import { buildApp } from '../build.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/** Text of a source file, and what stands in its place in the bundle. */
interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Times of the app that no setting changes, each about a tenth: so that a killed process's work is taken up, and leases run
 * out, many times in one run.
 */
const shorterTimes = (anotherVersionMs: number): Change[] => [
  { file: 'src/pipeline/process/event-lease.ts', from: 'leaseMs = 60_000', to: 'leaseMs = 6_000' },
  { file: 'src/pipeline/process/event-lease.ts', from: 'renewEveryMs = 20_000', to: 'renewEveryMs = 2_000' },
  {
    file: 'src/pipeline/process/event-transitions.ts',
    from: 'leaseMarginMs = 5_000',
    to: 'leaseMarginMs = 1_000',
  },
  {
    file: 'src/pipeline/process/handle-message.ts',
    from: 'firstStumbleMs = 5_000',
    to: 'firstStumbleMs = 1_000',
  },
  {
    file: 'src/pipeline/process/handle-message.ts',
    from: 'anotherWaitMs = 3_600_000',
    to: `anotherWaitMs = ${anotherVersionMs}`,
  },
  {
    file: 'src/pipeline/concurrency/source-transitions.ts',
    from: 'probeMs = 60_000',
    to: 'probeMs = 10_000',
  },
  { file: 'src/azure/poison-queue.ts', from: 'hiddenSeconds = 300', to: 'hiddenSeconds = 10' },
  { file: 'src/index.ts', from: "schedule: '0 * * * * *'", to: "schedule: '*/5 * * * * *'" },
];

/** What makes of these sources one that writes no message of version 2, and knows none. */
const versionOne: readonly Change[] = [
  {
    file: 'src/pipeline/model/message.ts',
    from: 'if (bytes > maxTextBytes && count > 0) break;',
    to: 'if (count > 0) break;',
  },
  { file: 'src/pipeline/model/message.ts', from: 'v: z.literal(2)', to: 'v: z.literal(-2)' },
];

/** What keeps a promise, and what takes it out: a run without it must find that the promise is broken. */
export const safeguards = {
  lease: [
    {
      file: 'src/pipeline/process/event-transitions.ts',
      from: "return until === undefined ? { kind: 'ours' } : { kind: 'held', until };",
      to: "return { kind: 'ours' };",
    },
  ],
  'retry-order': [
    {
      file: 'src/pipeline/process/close-event.ts',
      from: 'await deps.queue.send(textOf(copy, head.attempt + 1, lease), { delayMs });',
      to: 'const send = async () => await deps.queue.send(textOf(copy, head.attempt + 1, lease), { delayMs });',
    },
    {
      file: 'src/pipeline/process/close-event.ts',
      from: 'await tell(copy, settled, about, deps, lease);\n      return;',
      to: 'await tell(copy, settled, about, deps, lease);\n      await send();\n      return;',
    },
  ],
  fence: [{ file: 'src/pipeline/process/store-asset.ts', from: 'after: before?.etag ?? null,', to: '' }],
  'put-back': [
    {
      file: 'src/pipeline/process/handle-message.ts',
      from: 'if (!(error instanceof StorageError)) throw error;',
      to: 'throw error;',
    },
  ],
} as const satisfies Record<string, readonly Change[]>;
export type Safeguard = keyof typeof safeguards;

export interface Bundles {
  readonly present: string;
  /** Knows messages of version 1 only. */
  readonly older: string;
}

/**
 * Builds the app twice into a folder. `anotherVersionMs` is how long a message that a version does not know waits for
 * another one; it must outlast the older process, as the app's own hour outlasts a deployment. `without` is what is taken
 * out of it.
 */
export async function buildBundles(
  folder: string,
  anotherVersionMs: number,
  without: Safeguard | undefined,
): Promise<Bundles> {
  const times = [...shorterTimes(anotherVersionMs), ...(without === undefined ? [] : safeguards[without])];
  const build = async (name: string, changes: readonly Change[]): Promise<string> =>
    await buildApp({ outfile: join(folder, name, 'index.js'), plugins: [changed(changes)] });
  return {
    present: await build('present', times),
    older: await build('older', [...times, ...versionOne]),
  };
}

/** Bundles the sources with those changes. Fails where one does not fit any more. */
function changed(changes: readonly Change[]): Plugin {
  return {
    name: 'changed',
    setup(build) {
      const made = new Set<Change>();
      build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
        const file = relative(root, path).replaceAll('\\', '/');
        const own = changes.filter((change) => change.file === file);
        if (own.length === 0) return undefined;
        let contents = await readFile(path, 'utf8');
        for (const change of own) {
          const parts = contents.split(change.from);
          if (parts.length !== 2) continue;
          contents = parts.join(change.to);
          made.add(change);
        }
        return { contents, loader: 'ts' };
      });
      build.onEnd(() => ({
        errors: changes
          .filter((change) => !made.has(change))
          .map(({ file, from }) => ({
            text: `${file} does not hold "${from}" once. See src/local/chaos/bundles.ts.`,
          })),
      }));
    },
  };
}
