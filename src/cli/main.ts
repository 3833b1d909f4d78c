import { CommanderError } from 'commander';
import { UpstreamError } from '../errors.ts';
import { RefusedError, UsageError } from './faults.ts';
import { program } from './program.ts';
import { note } from './terminal.ts';

// Exit code 0 is done, 1 the other side said no, 2 wrong use.
try {
  await program().parseAsync(idsLast(process.argv.slice(2)), { from: 'user' });
} catch (error) {
  process.exitCode = exitCodeOf(error);
  const said = error instanceof CommanderError ? undefined : wordsFor(error);
  if (said !== undefined) note(said);
}

/** An id of WoodWing Assets may begin with a hyphen; no option of ours is as long (reference/woodwing-assets.md, 5.4). */
function idsLast(args: readonly string[]): string[] {
  const isId = (each: string): boolean => /^-[A-Za-z0-9_-]{21}$/.test(each);
  if (args.includes('--') || !args.some(isId)) return [...args];
  return [...args.filter((each) => !isId(each)), '--', ...args.filter(isId)];
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof UsageError ? 2 : 1;
}

function wordsFor(error: unknown): string {
  if (error instanceof UsageError || error instanceof RefusedError || error instanceof UpstreamError)
    return error.message;
  const name = error instanceof Error ? error.name : 'unknown';
  // The text of an error that nobody expected might hold what was sent.
  return `Something unexpected went wrong (${name}).`;
}
