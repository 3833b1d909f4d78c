import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { run } from '../../src/cli/run.ts';
import { processEnv } from './process-env.ts';

const command = join(import.meta.dirname, '..', '..', 'src', 'cli', 'asset-webhooks.mjs');

/** How a run of the command ended. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--json` printed. */
  json(): unknown;
}

interface Given {
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
}

/**
 * Runs `asset-webhooks` inside this process, with these settings and nothing else of our environment. Without a terminal,
 * unless it is told how wide one is; then `input` is what is typed.
 */
export async function runCommand(
  args: readonly string[],
  { env, input = '', columns }: Given & { columns?: number },
): Promise<Ran> {
  const isTTY = columns !== undefined;
  const output = (): PassThrough & { isTTY: boolean } => Object.assign(new PassThrough(), { isTTY, columns });
  const terminal = {
    stdin: Object.assign(new PassThrough(), { isTTY }),
    stdout: output(),
    stderr: output(),
    env: { ...processEnv, ...env },
    exitCode: undefined as number | undefined,
  };
  terminal.stdin.end(input);
  const outputs = [text(terminal.stdout), text(terminal.stderr)] as const;
  await run(args, terminal);
  terminal.stdout.end();
  terminal.stderr.end();
  const [stdout, stderr] = await Promise.all(outputs);
  return ranWith({ code: terminal.exitCode ?? 0, stdout, stderr });
}

/** Runs it in a process of its own, as a person without a terminal would, who may send it a signal. */
export async function startCommand(
  args: readonly string[],
  {
    env,
    input = '',
    kill,
    cwd,
  }: Given & { kill?: { after: Promise<unknown>; signal: NodeJS.Signals }; cwd?: string },
): Promise<Ran> {
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
  const own = { PATH, HOME, TMPDIR, ...processEnv };
  const child = spawn(process.execPath, [command, ...args], { env: { ...own, ...env }, cwd });
  child.stdin.end(input);
  void kill?.after.then(() => child.kill(kill.signal));
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  return ranWith({ code, stdout, stderr });
}

function ranWith(ran: Omit<Ran, 'json'>): Ran {
  return { ...ran, json: () => JSON.parse(ran.stdout) as unknown };
}
