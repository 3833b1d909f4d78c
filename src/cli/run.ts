import { CommanderError, type Command } from 'commander';
import { AppAwayError, isForPeople, UsageError } from './faults.ts';
import { program } from './program.ts';
import { atTerminal, note, type Terminal } from './terminal.ts';
import { typed } from './typed.ts';

/** Runs the command with these arguments. Its exit code: 0 is done, 1 the other side said no, 2 wrong use. Never throws. */
export async function run(args: readonly string[], terminal: Terminal): Promise<void> {
  await atTerminal(terminal, async () => {
    try {
      const whole = program();
      await whole.parseAsync(idsLast(args, valued(whole)), { from: 'user' });
    } catch (error) {
      terminal.exitCode = exitCodeOf(error);
      const said = error instanceof CommanderError ? undefined : wordsFor(error);
      if (said !== undefined) note(said);
    }
  });
}

/**
 * Ids may begin with a hyphen, those of WoodWing Assets (22 characters) and those of events (43). No option of ours is as long and as odd as they are; a beginning of one is told by a capital letter, a
 * digit or an underscore, which no option of ours has.
 */
function idsLast(args: readonly string[], takeValue: ReadonlySet<string>): string[] {
  const isId = (each: string, index: number): boolean =>
    /^-(?:[A-Za-z0-9_-]{21}|[A-Za-z0-9_-]{42}|(?=[a-z-]*[A-Z0-9_])[A-Za-z0-9_-]{7,})$/.test(each) &&
    !takeValue.has(args[index - 1] ?? '');
  if (args.includes('--') || !args.some(isId)) return [...args];
  const others = args.filter((each, index) => !isId(each, index));
  return [...others, '--', ...args.filter(isId)];
}

/** The options, of whatever command, that are followed by a value. */
function valued(command: Command): Set<string> {
  const own = command.options.filter(({ required }) => required).map(({ long }) => long ?? '');
  return new Set([...own, ...command.commands.flatMap((each) => [...valued(each)])]);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof UsageError ? 2 : 1;
}

function wordsFor(error: unknown): string {
  if (error instanceof AppAwayError) return `${error.message} To see why: ${typed('doctor')}`;
  if (isForPeople(error)) return error.message;
  const name = error instanceof Error ? error.name : 'unknown';
  // The text of an error that nobody expected might hold what was sent.
  return `Something unexpected went wrong (${name}).`;
}
