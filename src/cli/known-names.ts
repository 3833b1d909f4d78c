import type { Command } from 'commander';
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

/** Names the known word that a mistyped one is nearest to; nothing where none is near. */
export function suggestion(given: string, known: readonly string[]): string {
  const far = Math.max(2, Math.ceil(given.length / 3)) + 1;
  const [nearest] = known
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance < far)
    .toSorted((a, b) => a.distance - b.distance);
  return nearest === undefined ? '' : ` Did you mean ${nearest.name}?`;
}

/** How many characters must change, come or go (Levenshtein). */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, character] of Array.from(one).entries()) {
    const next = [index + 1];
    for (let at = 1; at <= other.length; at += 1) {
      const changed = (row[at - 1] ?? 0) + (other[at - 1] === character ? 0 : 1);
      next.push(Math.min(changed, (row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
