import type { Exchange } from '../exchange.ts';

/** A body as the original reads it; undefined where it is no JSON. */
export function readBody({ headers, body }: Exchange): { value: unknown } | undefined {
  const [type = ''] = String(headers['content-type'] ?? '').split(';');
  const declared = type.trim().toLowerCase();
  // What is only named like JSON is not looked at.
  if (declared !== 'application/json' && !declared.endsWith('+json')) return { value: null };
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch {
    return undefined;
  }
}

/** The members of a JSON object; undefined for every other value. */
export function membersOf(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map<string, unknown>(Object.entries(value));
}

/** What Python's `name in value` finds: a member, an item or a part of a text; undefined where it raises. */
export function holds(value: unknown, name: string): boolean | undefined {
  if (typeof value === 'string' || Array.isArray(value)) return value.includes(name);
  return membersOf(value)?.has(name);
}
