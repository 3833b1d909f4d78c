import { Command } from 'commander';
import Table from 'cli-table3';
import { cleanText } from '../pipeline/clean-text.ts';

/** What a command has to say: to scripts, and to people. */
export interface Answer {
  readonly json: object;
  readonly text: string;
  /** 1 where something was done or found, and not all is well. */
  readonly exitCode?: 0 | 1;
}

/** Makes an action of what a command answers: prints it, with `--json` for scripts, and sets the exit code. */
export function answering<Given extends unknown[]>(
  answer: (...given: Given) => Promise<Answer>,
): (...given: Given) => Promise<void> {
  return async (...given) => {
    const { json, text, exitCode = 0 } = await answer(...given);
    // Commander gives the command itself last.
    const command = given.at(-1);
    const asJson = command instanceof Command && command.optsWithGlobals<{ json?: true }>().json === true;
    process.stdout.write(`${asJson ? JSON.stringify(json, undefined, 2) : text}\n`);
    process.exitCode = exitCode;
  };
}

const lines = ['top', 'bottom', 'left', 'right', 'mid'].flatMap((name) =>
  ['', '-mid', '-left', '-right'].map((end) => name + end),
);
const noLines = { ...Object.fromEntries(lines.map((name) => [name, ''])), middle: '  ' };

/** Aligned columns under their heads. What a cell holds may come from outside: control characters never reach the terminal. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], none = 'None.'): string {
  if (rows.length === 0) return none;
  const columns = new Table({
    head: head.map((name) => name.toUpperCase()),
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) columns.push(row.map((cell) => cleanText(cell, 500)));
  return columns
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
