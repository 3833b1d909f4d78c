import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, symlink, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';
import { until } from '../../support/until.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const parts = ['src', 'package.json', 'package-lock.json', 'host.json', 'tsconfig.json'];

const ending: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const end of ending) await end();
});

/** This project in a folder of its own, installed. */
export async function makeClone(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'clone-'));
  for (const part of parts) await cp(join(root, part), join(folder, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  // Newer than what is installed, it would be installed, over what the link leads to.
  await utimes(join(folder, 'package-lock.json'), 0, 0);
  ending.push(async () => await rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Npm {
  readonly child: ChildProcess;
  /** Every line so far, of both outputs. */
  readonly lines: readonly string[];
  /** The first line that fits, now or later; rejects where it ends without one. */
  waitForLine(fits: RegExp): Promise<string>;
  readonly ended: Promise<number | null>;
  /** How many processes there are of this run, at whatever depth. */
  processes(): Promise<number>;
}

/** Runs `npm` in that folder as a person would, under whatever Node the machine has. */
export function runNpm(folder: string, args: readonly string[], env: Record<string, string> = {}): Npm {
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
  const mark = `TEST_RUN_${randomUUID().replaceAll('-', '_')}`;
  const child = spawn('npm', ['--silent', ...args], {
    cwd: folder,
    env: { PATH, HOME, TMPDIR, [mark]: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const output of [child.stdout, child.stderr])
    createInterface(output).on('line', (line) => lines.push(line));
  let over = false;
  const ended = once(child, 'close').then(() => {
    over = true;
    return child.exitCode;
  });
  const processes = async (): Promise<number> => (await markedWith(mark)).length;
  ending.push(async () => {
    for (const pid of await markedWith(mark)) process.kill(pid, 'SIGKILL');
    await ended;
  });
  return {
    child,
    lines,
    ended,
    processes,
    waitForLine: async (fits) =>
      await until(async () => {
        const found = lines.find((line) => fits.test(line));
        if (found === undefined && over) throw new Error(lines.join('\n'));
        return found;
      }),
  };
}

async function markedWith(mark: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.includes(mark) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
