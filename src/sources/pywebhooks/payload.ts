import * as pointer from '@hyperjump/json-pointer';
import type { SourceConfig } from '../../config.ts';
import { cleanText } from '../../pipeline/clean-text.ts';
import type { SourceSystem } from '../../pipeline/source-system.ts';

/** The text or number in a payload that a JSON Pointer (RFC 6901) leads to; undefined where there is none. Never throws. */
export function pointedAt(payload: unknown, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const found = find(payload, path);
  if (typeof found === 'number') return Number.isFinite(found) ? String(found) : undefined;
  return typeof found === 'string' && found.trim() !== '' ? found : undefined;
}

/** A source that cannot be asked: its record is the payload itself, with what the settings point at. */
export function payloadSystem({ pointers }: Pick<SourceConfig, 'pointers'>): SourceSystem {
  return {
    lookUp: async ({ kind }, _turn, _signal, { event: { data } }) => {
      const payload = payloadIn(data);
      const at = (path: string | undefined): string | undefined => pointedAt(payload, path);
      const [title, link] = [at(pointers.title), at(pointers.link)];
      return {
        kind: 'found',
        details: {
          kind,
          title: title === undefined ? null : cleanText(title, 1000),
          links: link !== undefined && isWebAddress(link) ? { page: link } : {},
          details: data,
        },
        thumbnail: { kind: 'none' },
      };
    },
  };
}

/** The payload as it came: one that is no object stands in the event as its only member, of that name. */
function payloadIn(data: Readonly<Record<string, unknown>>): unknown {
  const { payload } = data;
  return Array.isArray(payload) && Object.keys(data).length === 1 ? payload : data;
}

function find(payload: unknown, path: string): unknown {
  try {
    return isJson(payload) ? pointer.get(path, payload) : undefined;
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
