import { UsageError } from './faults.ts';

const shortest = 4;
const mostShown = 20;

/** The id that is meant: given whole, or by a beginning that no other has. One that is not there stays as it was given. */
export function wholeId(given: string, ids: readonly string[]): string {
  if (ids.includes(given) || given.length < shortest) return given;
  const fitting = [...new Set(ids)].filter((id) => id.startsWith(given));
  if (fitting.length > 1) throw ambiguous(given, fitting);
  return fitting[0] ?? given;
}

/** Says which ids begin so. */
export function ambiguous(given: string, fitting: readonly string[]): UsageError {
  const shown = fitting.slice(0, mostShown).map((id) => `  ${id}`);
  const rest = fitting.length > mostShown ? ['  …'] : [];
  return new UsageError([`Several ids begin with ${given}:`, ...shown, ...rest].join('\n'));
}
