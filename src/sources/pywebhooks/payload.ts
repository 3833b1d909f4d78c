import * as pointer from '@hyperjump/json-pointer';
import { sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import { isJsonObject } from '../../pipeline/model/read-json.ts';
import type { SourceClient } from '../../pipeline/ports/source-client.ts';
import type { PyWebhooksSource } from './settings.ts';

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
export function payloadClient({ pointers }: Pick<PyWebhooksSource, 'pointers'>): SourceClient {
  return {
    fetchAsset: async ({ kind }, _turn, _signal, { event: { data } }) => {
      const payload = isWrapping(data) ? data['payload'] : data;
      const [title, link] = [pointers.title, pointers.link].map((path) => textIn(find(payload, path)));
      const page = link === undefined ? undefined : pageAddress(link);
      return {
        kind: 'found',
        details: {
          kind,
          title: title === undefined ? null : sanitizeText(title, 1000),
          links: page === undefined ? {} : { page },
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

const longestAddress = 2_048;

/**
 * An address that people may follow, as a parser of addresses writes it; undefined where it is none. What such a parser
 * drops or turns silently is refused: blanks, line ends, marks of direction, and a scheme without its two slashes.
 */
function pageAddress(given: string): string | undefined {
  if (!/^https?:\/\/[^/\\]/i.test(given) || given.length > longestAddress) return undefined;
  if (/[\s\p{Cc}\p{Bidi_Control}]/u.test(given) || !URL.canParse(given)) return undefined;
  const { href, username, password } = new URL(given);
  return username === '' && password === '' && href.length <= longestAddress ? href : undefined;
}
