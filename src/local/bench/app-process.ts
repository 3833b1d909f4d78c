import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const main = join(import.meta.dirname, '..', 'host', 'main.ts');

export const secret = 'a secret for measuring';

/** Settings of an app with one Preservica source. */
export function settings(
  storage: string,
  sourceUrl: string,
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    AzureWebJobsStorage: storage,
    SOURCES: 'archive',
    SOURCE_ARCHIVE_KIND: 'preservica',
    SOURCE_ARCHIVE_URL: sourceUrl,
    SOURCE_ARCHIVE_USERNAME: 'archivist@example.org',
    SOURCE_ARCHIVE_PASSWORD: 'a password for measuring',
    SOURCE_ARCHIVE_SECRET: secret,
    ...more,
  };
}

export interface AppProcess {
  readonly url: string;
  /** Resolves once the app has said so often that it came to the end of an event. */
  handled(count: number): Promise<void>;
  /** Milliseconds from the receipt of each event to its end, as the app said. */
  readonly lags: readonly number[];
  /** What the process takes of memory now, and has taken of the processor so far. */
  usage(): Promise<{ residentMiB: number; cpuMs: number }>;
  stop(): Promise<void>;
}

/** Starts the app under the small host in a process of its own; resolves once it serves. */
export async function startApp(
  env: Record<string, string>,
  { bundle, nodeOptions = [] }: { bundle?: string | undefined; nodeOptions?: readonly string[] } = {},
): Promise<AppProcess> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(
    process.execPath,
    [...nodeOptions, main, '--port', '0', ...(bundle === undefined ? [] : ['--bundle', bundle])],
    {
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = once(child, 'exit');
  const lags: number[] = [];
  let waiting: { count: number; go: () => void } | undefined;
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const lag = line.includes('"event-ended"') ? /"lagMs":(\d+)/.exec(line)?.[1] : undefined;
      if (lag !== undefined) lags.push(Number(lag));
      if (waiting !== undefined && lags.length >= waiting.count) waiting.go();
      if (line.startsWith('Listening on ')) resolve(line.slice('Listening on '.length));
    });
    exited.then(() => reject(new Error('The host ended before it served.')), reject);
  });
  return {
    url,
    lags,
    async usage() {
      const [memory, stat] = await Promise.all(
        ['status', 'stat'].map(async (name) => await readFile(`/proc/${child.pid}/${name}`, 'utf8')),
      );
      const residentKiB = Number(/^VmRSS:\s+(\d+) kB/m.exec(memory ?? '')?.[1]);
      // After the name of the process in brackets; times are in hundredths of a second.
      const fields = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ');
      return { residentMiB: residentKiB / 1024, cpuMs: 10 * (Number(fields[11]) + Number(fields[12])) };
    },
    async handled(count) {
      if (lags.length >= count) return;
      await new Promise<void>((go) => {
        waiting = { count, go };
      });
    },
    async stop() {
      process.off('exit', kill);
      child.kill('SIGKILL');
      await exited;
    },
  };
}
