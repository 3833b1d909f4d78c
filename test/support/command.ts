import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { apart } from './apart.ts';

const command = join(import.meta.dirname, '..', '..', 'src', 'cli', 'asset-webhooks.mjs');

/** How a run of the command ended. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--json` printed. */
  json(): unknown;
}

/** Runs `asset-webhooks` in a process of its own, without a terminal, with these settings and nothing else of our environment. */
export async function runCommand(
  args: readonly string[],
  { env, input = '' }: { env: Readonly<Record<string, string>>; input?: string },
): Promise<Ran> {
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
  const own = { PATH, HOME, TMPDIR, ...apart };
  const child = spawn(process.execPath, [command, ...args], { env: { ...own, ...env } });
  child.stdin.end(input);
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  return { code, stdout, stderr, json: () => JSON.parse(stdout) as unknown };
}
