import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { run } from '../../src/cli/run.ts';
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

interface Given {
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs `asset-webhooks` without a terminal, with these settings and nothing else of our environment. */
export async function runCommand(args: readonly string[], { env, input }: Given): Promise<Ran> {
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
  const whole = { PATH, HOME, TMPDIR, ...apart, ...env };
  const readsInput = args.some((each) => each.endsWith('-stdin'));
  return await (readsInput
    ? inProcess(args, whole, input ?? '')
    : inTurn(async () => await here(args, whole)));
}

async function inProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input: string,
): Promise<Ran> {
  const child = spawn(process.execPath, [command, ...args], { env });
  child.stdin.end(input);
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  return ran({ code, stdout, stderr });
}

/** Runs it in this process: starting one takes longer than most commands do. */
async function here(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  const before = { env: process.env, exitCode: process.exitCode };
  const writes = [process.stdout, process.stderr].map((output) => {
    const write = Object.getOwnPropertyDescriptor(output, 'write');
    const said: string[] = [];
    output.write = (chunk: string | Uint8Array): boolean => {
      said.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      return true;
    };
    const restore = (): unknown =>
      write === undefined
        ? Reflect.deleteProperty(output, 'write')
        : Object.defineProperty(output, 'write', write);
    return { said, restore };
  });
  process.env = { ...env };
  process.exitCode = undefined;
  try {
    await run(args);
    const [stdout = '', stderr = ''] = writes.map(({ said }) => said.join(''));
    return ran({ code: exitCode(), stdout, stderr });
  } finally {
    process.env = before.env;
    process.exitCode = before.exitCode;
    for (const { restore } of writes) restore();
  }
}

/** What the process would end with; the command is what sets it, which no type can tell. */
function exitCode(): number {
  const { exitCode: code } = process as { exitCode?: number };
  return code ?? 0;
}

let turns: Promise<unknown> = Promise.resolve();

/** One after the other: settings and outputs are those of the whole process. */
async function inTurn(work: () => Promise<Ran>): Promise<Ran> {
  const turn = turns.then(work, work);
  turns = turn;
  return await turn;
}

function ran(ended: Omit<Ran, 'json'>): Ran {
  return { ...ended, json: () => JSON.parse(ended.stdout) as unknown };
}
