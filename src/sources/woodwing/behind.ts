import type { AssetEvent } from '../../pipeline/event.ts';
import { plainValue, type Hit } from './search.ts';

const mostFields = 50;

/** The new values that an event gives its fields (section 2.4), as far as they can be compared with a hit's. */
export function changedTo(event: AssetEvent): Map<string, Plain> {
  const changed = event.data['changedMetadata'];
  if (typeof changed !== 'object' || changed === null) return new Map();
  const fields = Object.entries(changed).filter(([name]) => /^[A-Za-z0-9_.-]{1,128}$/.test(name));
  return new Map(
    fields.slice(0, mostFields).flatMap(([name, change]: [string, unknown]): [string, Plain][] => {
      if (typeof change !== 'object' || change === null || !('newValue' in change)) return [];
      const value = plainValue(change.newValue);
      return isPlain(value) ? [[name, value]] : [];
    }),
  );
}

/** A field in which the hit says something else than the event; undefined where none does. */
export function fieldBehind(changed: ReadonlyMap<string, Plain>, { metadata }: Hit): string | undefined {
  for (const [name, wanted] of changed) {
    if (!Object.hasOwn(metadata, name)) continue;
    const found = plainValue(metadata[name]);
    if (isPlain(found) && !alike(found, wanted)) return name;
  }
  return undefined;
}

export type Plain = string | number | boolean | null;

function isPlain(value: unknown): value is Plain {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

// One says `5` and the other `"5"`, one leaves out what the other calls empty: that is no difference.
function alike(found: Plain, wanted: Plain): boolean {
  return String(found ?? '') === String(wanted ?? '');
}
