import stringWidth from 'string-width';
import { sanitizeText } from '../pipeline/model/sanitize-text.ts';
import { coloured, terminalWidth, type Colour } from './terminal.ts';

/** What a table shows at one place. */
export type Cell = string | { readonly text: string; readonly colour: Colour | undefined };

interface Piece {
  readonly text: string;
  readonly colour: Colour | undefined;
}

interface Column {
  readonly width: number;
  /** What must be left of it. */
  readonly least: number;
  readonly isId: boolean;
}

const gap = '  ';
const longestCell = 500;
// An id may be given by its beginning, so that is enough of it.
const shortestId = 10;
const shortestText = 8;

/**
 * Aligned columns under their heads, as wide as the terminal at the most; on one that is too narrow for them, the cells of
 * each row below each other. What a cell holds may come from outside: control characters never reach the terminal.
 */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], none = 'None.'): string {
  if (rows.length === 0) return none;
  const cells = rows.map((row) => row.map(cleaned));
  const heads = head.map((name) => ({ text: name.toUpperCase(), colour: undefined }));
  const columns = fitted(
    columnsOf([heads, ...cells]).map((column, index) => ({
      ...column,
      least: Math.max(shortestText, stringWidth(head[index] ?? '')),
      isId: head[index] === 'id',
    })),
  );
  if (columns === undefined)
    return cells.map((row) => fields(row.map((cell, index) => [head[index] ?? '', cell]))).join('\n\n');
  return [heads, ...cells].map((row) => line(row, columns)).join('\n');
}

/**
 * One line of a table whose rows come one at a time, by the width of each column; the last takes what is left. Nothing is
 * cut without widths.
 */
export function fixedRow(row: readonly Cell[], widths?: readonly number[]): string {
  const cells = row.map(cleaned);
  const columns = widths && [...widths, Infinity].map((width) => ({ width, least: width, isId: false }));
  return line(cells, columns ?? columnsOf([cells]));
}

/** Lines of aligned columns without heads, as wide as what is in them. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(cleaned));
  const columns = columnsOf(cells);
  return cells.map((row) => line(row, columns));
}

/** Names and values below each other; a value is broken at its blanks where the terminal ends. */
export function fields(pairs: readonly (readonly [name: string, value: Cell])[]): string {
  const indent = Math.max(...pairs.map(([name]) => stringWidth(name))) + gap.length;
  const room = Math.max((terminalWidth() ?? Infinity) - indent, 20);
  return pairs
    .map(([name, value]) => {
      const { text, colour } = typeof value === 'string' ? { text: value, colour: undefined } : value;
      const lines = text.split('\n').flatMap((each) => broken(each, room));
      const shown = lines.map((each) => coloured(each, colour)).join(`\n${' '.repeat(indent)}`);
      return `${padded(name, indent)}${shown}`.trimEnd();
    })
    .join('\n');
}

function columnsOf(rows: readonly (readonly Piece[])[]): Column[] {
  return (rows[0] ?? []).map((_, index) => {
    const width = Math.max(...rows.map((row) => stringWidth(row[index]?.text ?? '')));
    return { width, least: width, isId: false };
  });
}

function cleaned(cell: Cell): Piece {
  const { text, colour } = typeof cell === 'string' ? { text: cell, colour: undefined } : cell;
  const clean = sanitizeText(text, longestCell);
  return { text: text.length > longestCell ? `${clean}…` : clean, colour };
}

/** Takes from ids first, then from whatever is widest, until all fits; undefined where it cannot. */
function fitted(columns: readonly Column[]): Column[] | undefined {
  const most = terminalWidth();
  if (most === undefined) return [...columns];
  const fit = columns.map((column) => ({ ...column }));
  const used = (): number => fit.reduce((sum, { width }) => sum + width, gap.length * (fit.length - 1));
  for (let over = used() - most; over > 0; over -= 1) {
    const widest = (found: typeof fit): (typeof fit)[number] | undefined =>
      found.toSorted((a, b) => b.width - a.width)[0];
    const next =
      widest(fit.filter(({ isId, width }) => isId && width > shortestId)) ??
      widest(fit.filter(({ isId, width, least }) => !isId && width > least));
    if (next === undefined) return undefined;
    next.width -= 1;
  }
  return fit;
}

function line(row: readonly Piece[], columns: readonly Column[]): string {
  const cells = columns.map(({ width, isId }, index) => {
    const { text, colour } = row[index] ?? { text: '', colour: undefined };
    const shown = cut(text, width, isId ? '' : '…');
    const last = index === columns.length - 1;
    return coloured(shown, colour) + (last ? '' : padding(shown, width));
  });
  return cells.join(gap).trimEnd();
}

function padded(text: string, width: number): string {
  return text + padding(text, width);
}

function padding(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - stringWidth(text)));
}

/** The beginning of a text that is no wider, and a mark that there is more. */
function cut(text: string, width: number, mark: string): string {
  if (stringWidth(text) <= width) return text;
  let beginning = '';
  for (const character of text) {
    if (stringWidth(beginning + character) > width - stringWidth(mark)) break;
    beginning += character;
  }
  return beginning + mark;
}

function broken(text: string, room: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(/(?<= )(?=\S)/)) {
    if (current !== '' && stringWidth((current + word).trimEnd()) > room) {
      lines.push(current.trimEnd());
      current = '';
    }
    current += word;
  }
  return [...lines, current];
}
