import * as pointer from '@hyperjump/json-pointer';
import type { SourceConfig } from '../../config.ts';
import { cleanText } from '../../pipeline/clean-text.ts';
import { isJsonObject } from '../../pipeline/read-json.ts';
import type { SourceSystem } from '../../pipeline/source-system.ts';

/** The text or whole number that names an asset, where a JSON Pointer (RFC 6901) leads to one. Never throws. */
export function idAt(payload: unknown, path: string | undefined): string | undefined {
  const found = find(payload, path);
  // Beyond these, several numbers are read as one.
  return typeof found === 'number' && !Number.isSafeInteger(found) ? undefined : textIn(found);
}

/** A payload as an event's data: itself, or, where it is no object or would be taken for one that is none, the only member of `payload`. */
export function dataOf(payload: unknown): Record<string, unknown> {
  return isJsonObject(payload) && !isWrapping(payload) ? payload : { payload };
}

/** A source that cannot be asked: its record is the payload itself, with what the settings point at. */
export function payloadSystem({ pointers }: Pick<SourceConfig, 'pointers'>): SourceSystem {
  return {
    lookUp: async ({ kind }, _turn, _signal, { event: { data } }) => {
      const payload = isWrapping(data) ? data['payload'] : data;
      const [title, link] = [pointers.title, pointers.link].map((path) => textIn(find(payload, path)));
      return {
        kind: 'found',
        details: {
          kind,
          title: title === undefined ? null : cleanText(title, 1000),
          links: link !== undefined && isWebAddress(link) ? { page: link } : {},
          details: isJsonObject(payload) ? payload : data,
        },
        thumbnail: { kind: 'none' },
      };
    },
  };
}

function isWrapping(data: Readonly<Record<string, unknown>>): boolean {
  return Object.hasOwn(data, 'payload') && Object.keys(data).length === 1;
}

function textIn(found: unknown): string | undefined {
  if (typeof found === 'number') return Number.isFinite(found) ? String(found) : undefined;
  return typeof found === 'string' && found.trim() !== '' ? found : undefined;
}

function find(payload: unknown, path: string | undefined): unknown {
  try {
    return isJson(payload) && path !== undefined ? pointer.get(path, payload) : undefined;
  } catch {
    return undefined;
  }
}

// What a parser made of JSON is JSON, or was not there.
function isJson(payload: unknown): payload is pointer.Json {
  return payload !== undefined;
}

// A parser of addresses drops blanks and line ends before it judges; a page would get them as they stand.
function isWebAddress(text: string): boolean {
  return (
    text.length <= 2048 &&
    !/[\s\p{Cc}]/u.test(text) &&
    URL.canParse(text) &&
    ['http:', 'https:'].includes(new URL(text).protocol)
  );
}
