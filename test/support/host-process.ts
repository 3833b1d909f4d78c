import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll } from 'vitest';
import { processEnv } from './process-env.ts';

export interface HostProcess {
  readonly url: string;
  readonly pid: number;
  /** Every line so far, of both outputs. */
  readonly lines: readonly string[];
  /** The first line that fits, now or later. */
  waitForLine(fits: string | RegExp): Promise<string>;
  kill(signal?: NodeJS.Signals): void;
  /** Bytes that are left on its heap, and outside of it, after everything else was collected. */
  memory(): Promise<number>;
  /** How it ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface HostProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  /** A free one if left out. */
  readonly port?: number;
  /** Another app than the one built from the sources. */
  readonly bundle?: string;
}

const main = join(import.meta.dirname, '..', '..', 'src', 'local', 'host', 'main.ts');

// The channel to us closes however we end, so that a test run that is killed leaves no host behind.
const ofParent = `data:text/javascript,${encodeURIComponent(`
  process.on('disconnect', () => process.exit());
  process.on('message', () => {
    for (let round = 0; round < 4; round += 1) gc();
    const { heapUsed, external } = process.memoryUsage();
    process.send(heapUsed + external);
  });`)}`;

const running = new Set<HostProcess>();

afterAll(async () => {
  for (const host of running) host.kill('SIGKILL');
  await Promise.all([...running].map(async (host) => await host.exited));
});

/** The host in a process of its own, once it serves; rejects with what it said where it does not come that far. */
export async function startHostProcess(options: HostProcessOptions): Promise<HostProcess> {
  const host = spawnHost(options);
  const ready = await Promise.race([host.waitForLine(/^Listening on /), host.exited]);
  if (typeof ready !== 'string') {
    throw new Error(`The host ended (${ready.code ?? ready.signal}): ${host.lines.join('\n')}`);
  }
  return Object.assign(host, { url: ready.replace('Listening on ', '') });
}

/** The host's process without waiting for anything; it has no address yet. */
export function spawnHost({ env, port = 0, bundle }: HostProcessOptions): HostProcess {
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
  const child = spawn(
    process.execPath,
    [
      '--expose-gc',
      '--import',
      ofParent,
      main,
      '--port',
      String(port),
      ...(bundle === undefined ? [] : ['--bundle', bundle]),
    ],
    {
      env: { PATH, HOME, TMPDIR, ...processEnv, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  const lines: string[] = [];
  const waiting = new Set<(line: string) => void>();
  for (const output of [child.stdout, child.stderr]) {
    if (output === null) continue;
    createInterface(output).on('line', (line) => {
      lines.push(line);
      for (const look of waiting) look(line);
    });
  }
  const exited = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode }));
  const host: HostProcess = {
    url: '',
    pid: child.pid ?? 0,
    lines,
    async waitForLine(fits) {
      const matches = (line: string): boolean =>
        typeof fits === 'string' ? line.includes(fits) : fits.test(line);
      const found = lines.find(matches);
      if (found !== undefined) return found;
      return await new Promise((resolve) => {
        const look = (line: string): void => {
          if (!matches(line)) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
      });
    },
    kill: (signal = 'SIGTERM') => {
      child.kill(signal);
    },
    async memory() {
      const [answer] = await Promise.all([
        once(child, 'message'),
        new Promise((sent) => child.send('', sent)),
      ]);
      return Number(answer[0]);
    },
    exited,
  };
  running.add(host);
  void exited.then(() => running.delete(host));
  return host;
}
