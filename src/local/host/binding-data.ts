import type { TypedData } from './core-types.ts';
import type { JsonObject } from './json-object.ts';

/**
 * The values that stand beside an invocation. Their names have no case: who comes later wins the value, who came
 * first the spelling. The library knows the names only as spelled, which is how a caller's `headers` makes the real
 * ones vanish.
 */
export class BindingData {
  readonly #entries = new Map<string, { name: string; value: TypedData }>();

  set(name: string, value: TypedData): void {
    const lower = name.toLowerCase();
    this.#entries.set(lower, { name: this.#entries.get(lower)?.name ?? name, value });
  }

  setIfAbsent(name: string, value: TypedData): void {
    if (!this.#entries.has(name.toLowerCase())) this.set(name, value);
  }

  toMetadata(): Record<string, TypedData> {
    return Object.fromEntries([...this.#entries.values()].map(({ name, value }) => [name, value]));
  }
}

/** What the platform says about an HTTP call: the body's members, the query, the route, and only then its own. */
export function httpBindingData(call: {
  readonly json: JsonObject | undefined;
  readonly query: URLSearchParams;
  readonly params: ReadonlyMap<string, string>;
  readonly headers: Readonly<Record<string, string>>;
}): Record<string, TypedData> {
  const data = new BindingData();
  for (const [name, value] of Object.entries(call.json ?? {})) data.set(name, plainText(value));
  for (const [name, value] of call.query) data.set(name, { string: value });
  for (const [name, value] of call.params) data.set(name, { string: value });
  data.setIfAbsent('Headers', { json: JSON.stringify(call.headers) });
  data.setIfAbsent('Query', { json: JSON.stringify(Object.fromEntries(call.query)) });
  return data.toMetadata();
}

// Of a body's members only texts reach the app; the name of any other is taken all the same.
function plainText(value: unknown): TypedData {
  return typeof value === 'string' ? { string: value } : {};
}
