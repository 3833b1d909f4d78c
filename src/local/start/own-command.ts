import { run } from '../../cli/run.ts';

/** Runs `asset-webhooks` with these arguments in this environment; resolves with its exit code. */
export async function runCommand(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const terminal = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env,
    typedAs: tried('').trimEnd(),
    exitCode: undefined as number | undefined,
  };
  await run(args, terminal);
  return terminal.exitCode ?? 0;
}

/** Runs it as a person would, and shows what can be typed for the same. Throws where it did not succeed. */
export async function typeCommand(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  console.log(`$ ${tried(args.join(' '))}`);
  const code = await runCommand(args, env);
  if (code !== 0) throw new Error(`${tried(args.join(' '))} ended with ${code}.`);
}

/** These words of the command as they are typed against the simulators. */
export function tried(words: string): string {
  return `npm run try -- ${words}`;
}
