import type { Command } from 'commander';
import { suggestion } from '../sources/suggestion.ts';
import { UsageError } from './faults.ts';
import { note } from './terminal.ts';

export interface Anyway {
  readonly anyway?: true | undefined;
}

/** Adds the way to send names that this version does not know. */
export function addAnyway(command: Command): Command {
  return command.option('--anyway', 'send names that are not known here; a newer server may know them');
}

/** Throws a UsageError where a name is not known, unless it is to be sent all the same. */
export function mustBeKnown(
  what: string,
  { names, known }: { names: readonly string[]; known: readonly string[] },
  { anyway }: Anyway,
): void {
  const faults = names
    .filter((name) => !known.includes(name))
    .map((name) => `${name} is no ${what} that is known.${suggestion(name, known)}`);
  if (faults.length === 0) return;
  if (anyway !== true) throw new UsageError([...faults, 'If it is meant, say --anyway.'].join('\n'));
  for (const fault of faults) note(`Warning: ${fault} It is asked for all the same.`);
}
