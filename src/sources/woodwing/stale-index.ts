import type { AssetEvent } from '../../pipeline/model/event.ts';
import { isJsonObject } from '../../pipeline/model/read-json.ts';
import { plainValue, type Hit } from './search.ts';

const mostFields = 50;

/** The new values that an event gives its fields, as far as they can be compared with a hit's. */
export function changedTo(event: AssetEvent): Map<string, Comparable> {
  const changed = event.data['changedMetadata'];
  if (!isJsonObject(changed)) return new Map();
  const fields = Object.entries(changed).filter(([name]) => /^[A-Za-z0-9_.-]{1,128}$/.test(name));
  return new Map(
    fields.slice(0, mostFields).flatMap(([name, change]: [string, unknown]): [string, Comparable][] => {
      if (!isJsonObject(change) || !Object.hasOwn(change, 'newValue')) return [];
      const value = plainValue(change['newValue']);
      return isComparable(value) ? [[name, value]] : [];
    }),
  );
}

/**
 * A field in which the hit says something else than the event; undefined where none does. The fields were asked for by
 * name: one that the hit leaves out has no value.
 */
export function fieldBehind(changed: ReadonlyMap<string, Comparable>, { metadata }: Hit): string | undefined {
  for (const [name, wanted] of changed) {
    const found = Object.hasOwn(metadata, name) ? plainValue(metadata[name]) : null;
    if (isComparable(found) && differ(found, wanted)) return name;
  }
  return undefined;
}

export type Comparable = string | number | boolean | null | readonly unknown[];

function isComparable(value: unknown): value is Comparable {
  return value === null || Array.isArray(value) || ['string', 'number', 'boolean'].includes(typeof value);
}

// One says `5` and the other `"5"`, one leaves out what the other calls empty, an index keeps a list of tags in an order of
// its own and each once, and it may compose letters and marks: none of that is a difference. How a list is written as one
// value is nowhere said.
function differ(found: Comparable, wanted: Comparable): boolean {
  if (isEmpty(found) || isEmpty(wanted)) return isEmpty(found) !== isEmpty(wanted);
  if (Array.isArray(found) !== Array.isArray(wanted)) return false;
  return plain(found) !== plain(wanted);
}

function plain(value: Comparable): string {
  const text = Array.isArray(value)
    ? JSON.stringify([...new Set(value.map((each) => JSON.stringify(plainItem(each))))].toSorted())
    : String(value);
  return text.normalize('NFC');
}

function plainItem(item: unknown): unknown {
  if (typeof item === 'string') return item.normalize('NFC');
  return typeof item === 'number' || typeof item === 'boolean' ? String(item) : item;
}

function isEmpty(value: Comparable): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}
