/**
 * How the command is typed, in the folder of this project. Not by `npx`: anywhere else that looks for a package of this
 * name in a registry, and whoever published one would be run.
 */
export const command = 'node src/cli';

/** These words as they are typed, for one source where that must be said. What follows them is an id, or several. */
export function typed(words: string, source?: string, ids: readonly string[] = []): string {
  const shown = ids.map(quoted);
  // Whatever begins with a hyphen would be taken for an option.
  const atEnd = ids.some((id) => id.startsWith('-'));
  return [
    command,
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
