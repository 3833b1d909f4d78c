import { readQuery, type Question, type Term } from './query-reader.ts';
import { fieldOf } from './asset-fields.ts';
import type { Asset } from './library.ts';
import { plainValue, textOf } from './values.ts';

export type Query = (asset: Asset) => boolean;

/** A query in the part of the Assets syntax that the simulator knows; undefined for a broken one. */
export function queryOf(text: string, { wildcards = true } = {}): Query | undefined {
  if (text.trim() === '') return () => true;
  const question = readQuery(text);
  return question === undefined ? undefined : (asset) => holds(question, asset, wildcards);
}

/** True for an asset of the folder or of one below it; a leading slash makes no difference. */
export function isInFolder({ metadata }: Asset, folder: string): boolean {
  const trimmed = folder.replaceAll(/^\/+|\/+$/g, '');
  return `${metadata.folderPath}/`.startsWith(trimmed === '' ? '/' : `/${trimmed}/`);
}

function holds(question: Question, asset: Asset, wildcards: boolean): boolean {
  switch (question.kind) {
    case 'and':
      return question.parts.every((part) => holds(part, asset, wildcards));
    case 'or':
      return question.parts.some((part) => holds(part, asset, wildcards));
    case 'not':
      return !holds(question.part, asset, wildcards);
    case 'range':
      return isBetween(plainValue(fieldOf(asset, question.field)), question);
    case 'term':
      return question.field === undefined
        ? hasWord(asset, question.term)
        : hasValue(asset, question.field, question.term, wildcards);
    default:
      return question satisfies never;
  }
}

function hasValue(asset: Asset, field: string, term: Term, wildcards: boolean): boolean {
  if (field === '*') return term.pattern === '*';
  if (field === 'ancestorPaths') return isInFolder(asset, term.text);
  const value = fieldOf(asset, field);
  const values = (Array.isArray(value) ? value : [value])
    .map(plainValue)
    .map(textOf)
    .filter((each) => each !== '');
  if (field === 'id') return values.includes(term.text);
  const { pattern } = term;
  if (pattern === undefined || !wildcards)
    return values.some((each) => each.toLowerCase() === term.text.toLowerCase());
  const expression = new RegExp(`^${asExpression(pattern)}$`, 'iu');
  return values.some((each) => expression.test(each));
}

function hasWord({ metadata }: Asset, { text, pattern }: Term): boolean {
  if (pattern === '*') return true;
  const words = Object.values(metadata).flat().map(plainValue).map(textOf).join(' ');
  return words.toLowerCase().includes(text.toLowerCase());
}

function isBetween(
  value: unknown,
  { from, to, withFrom, withTo }: { from: string; to: string; withFrom: boolean; withTo: boolean },
): boolean {
  if (typeof value !== 'number' && typeof value !== 'string') return false;
  const order = (bound: string): number => {
    if (typeof value === 'string') return value < bound ? -1 : Number(value > bound);
    return value - (/^-?\d+(\.\d+)?$/.test(bound) ? Number(bound) : Date.parse(bound));
  };
  const after = from === '*' || (withFrom ? order(from) >= 0 : order(from) > 0);
  const before = to === '*' || (withTo ? order(to) <= 0 : order(to) < 0);
  return after && before;
}

function asExpression(pattern: string): string {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\/-]/g, (each) => `\\${each}`);
  return escaped.replaceAll('*', '.*').replaceAll('?', '.');
}
