import { relative } from 'node:path';
import { terminal } from './terminal.ts';

const folder = import.meta.dirname;

/**
 * How the command is typed from where the person is. Not by `npx`: outside of this project's folder that looks for a package
 * of this name in a registry, and whoever published one would be run.
 */
export function command(): string {
  const { typedAs } = terminal();
  if (typedAs !== undefined) return typedAs;
  const fromHere = relative(process.cwd(), folder);
  return `node ${quoted(fromHere.startsWith('..') ? folder : fromHere || '.')}`;
}

/** These words as they are typed, for one source where that must be said. What follows them is an id, or several. */
export function typed(words: string, source?: string, ids: readonly string[] = []): string {
  const shown = ids.map(quoted);
  // Whatever begins with a hyphen would be taken for an option.
  const atEnd = ids.some((id) => id.startsWith('-'));
  return [
    command(),
    words,
    ...(atEnd ? [] : shown),
    ...(source === undefined ? [] : ['--source', source]),
    ...(atEnd ? ['--', ...shown] : []),
  ].join(' ');
}

/** A word that a shell takes as it stands, or one in quotes. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_.,:/@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
