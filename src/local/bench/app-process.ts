import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
  stop(): Promise<void>;
}

/** Starts the app under the small host in a process of its own; resolves once it serves. */
export async function startApp(env: Record<string, string>, bundle?: string): Promise<AppProcess> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(
    process.execPath,
    [main, '--port', '0', ...(bundle === undefined ? [] : ['--bundle', bundle])],
    {
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = once(child, 'exit');
  let handled = 0;
  let waiting: { count: number; go: () => void } | undefined;
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      if (line.includes('"event-ended"')) handled += 1;
      if (waiting !== undefined && handled >= waiting.count) waiting.go();
      if (line.startsWith('Listening on ')) resolve(line.slice('Listening on '.length));
    });
    exited.then(() => reject(new Error('The host ended before it served.')), reject);
  });
  return {
    url,
    async handled(count) {
      if (handled >= count) return;
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
