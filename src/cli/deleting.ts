import type { Command } from 'commander';
import { RefusedError } from './faults.ts';
import { confirmed } from './terminal.ts';

export interface Deleting {
  readonly yes?: true;
}

/** Adds to a command that deletes what every one of them takes. */
export function addYes(command: Command): Command {
  return command.option('--yes', 'do not ask; without a terminal, nothing is deleted without it');
}

/** Asks whether it is meant, unless that is said. Throws where it is not, or where nobody can answer. */
export async function mustBeMeant(question: string, { yes }: Deleting): Promise<void> {
  if (yes !== true && !(await confirmed(question))) throw new RefusedError('Nothing was deleted.');
}
