import { sanitizeText } from '../pipeline/model/sanitize-text.ts';

const deepest = 12;

/** Members as text for people: one a line, what is inside of one indented below it. */
export function indented(value: unknown, depth = 0): string {
  const indent = '  '.repeat(depth);
  if (typeof value !== 'object' || value === null) return `${indent}${plain(value, indent)}`;
  const members = Array.isArray(value)
    ? value.map((item: unknown) => ['-', item] as const)
    : Object.entries(value).map(
        ([name, item]: [string, unknown]) => [`${sanitizeText(name, 200)}:`, item] as const,
      );
  if (members.length === 0) return `${indent}none`;
  return members
    .map(([name, item]) => {
      if (typeof item !== 'object' || item === null) return `${indent}${name} ${plain(item, `${indent}  `)}`;
      if (Object.keys(item).length === 0) return `${indent}${name} none`;
      return depth < deepest ? `${indent}${name}\n${indented(item, depth + 1)}` : `${indent}${name} …`;
    })
    .join('\n');
}

function plain(value: unknown, indent: string): string {
  if (typeof value === 'string') return value === '' ? '""' : value.replaceAll('\n', `\n${indent}`);
  return value === null ? 'null' : JSON.stringify(value);
}
