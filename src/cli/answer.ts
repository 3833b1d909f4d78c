import { Command } from 'commander';
import Table from 'cli-table3';
import { cleanText } from '../pipeline/clean-text.ts';
import { harmless, terminal } from './terminal.ts';

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
    const here = terminal();
    here.stdout.write(`${asJson ? plainJson(json) : harmless(text)}\n`);
    here.exitCode = exitCode;
  };
}

/** JSON leaves some characters as they are that a terminal would obey. */
function plainJson(json: object): string {
  const escaped = (character: string): string =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(json, undefined, 2).replaceAll(/[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, escaped);
}

const lines = ['top', 'bottom', 'left', 'right', 'mid'].flatMap((name) =>
  ['', '-mid', '-left', '-right'].map((end) => name + end),
);
const noLines = { ...Object.fromEntries(lines.map((name) => [name, ''])), middle: '  ' };

const longestCell = 500;

function shortened(cell: string): string {
  const text = cleanText(cell, longestCell);
  return cell.length > longestCell ? `${text}…` : text;
}

/** Aligned columns under their heads. What a cell holds may come from outside: control characters never reach the terminal. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], none = 'None.'): string {
  if (rows.length === 0) return none;
  const columns = new Table({
    head: head.map((name) => name.toUpperCase()),
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) columns.push(row.map(shortened));
  return columns
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
