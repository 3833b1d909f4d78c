/**
 * How the command is typed, in the folder of this project. Not by `npx`: anywhere else that looks for a package of this
 * name in a registry, and whoever published one would be run.
 */
export const command = 'node src/cli';

/** These words as they are typed, for one source where that must be said. */
export function typed(words: string, source?: string): string {
  return [command, words, ...(source === undefined ? [] : ['--source', source])].join(' ');
}
