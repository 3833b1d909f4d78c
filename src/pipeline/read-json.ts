import { isParsable } from './survey-json.ts';

const decoder = new TextDecoder();

/**
 * Bytes as JSON: a BOM is dropped, invalid UTF-8 replaced. Undefined where it is no JSON, or nested or split up past all
 * sense. Takes time and memory in proportion to their length. Never throws.
 */
export function readJson(bytes: Uint8Array): unknown {
  return isParsable(bytes) ? parse(decoder.decode(bytes)) : undefined;
}

/**
 * Bytes as JSON, read as well as they can be: a control character that nobody escaped is taken as if somebody had, and
 * what may not stand around a token is a blank. Never throws.
 */
export function readBrokenJson(bytes: Uint8Array): unknown {
  if (!isParsable(bytes)) return undefined;
  const text = decoder.decode(bytes);
  return parse(text) ?? parse(mended(text));
}

/** Bytes that we wrote ourselves, however dense what they hold. Undefined where it is no JSON. Never throws. */
export function readOwnJson(bytes: Uint8Array): unknown {
  return parse(decoder.decode(bytes));
}

/** An object in JSON's sense: a list is none. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Escaped, a fault is six characters long; so many of them are taken, and one in eight characters beyond that.
const fewFaults = 262_144;
const lengthAFault = 8;
const piecesAtOnce = 16_384;

/**
 * The text with every control character inside its strings escaped, and with a blank for those between its tokens:
 * dropped, they would make one number of two. Undefined where so many make it no text that people wrote.
 */
function mended(text: string): string | undefined {
  let faultsLeft = fewFaults + text.length / lengthAFault;
  let done = '';
  let pieces: string[] = [];
  let from = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) inString = !inString;
    else if (code === backslash && inString) index += 1;
    else if (isFault(code)) {
      pieces.push(text.slice(from, index), inString ? escaped(code) : ' ');
      from = index + 1;
      if (inString) faultsLeft -= 1;
      if (faultsLeft < 0) return undefined;
      // A piece takes more room than its characters.
      if (pieces.length >= piecesAtOnce) {
        done += pieces.join('');
        pieces = [];
      }
    }
  }
  return done + pieces.join('') + text.slice(from);
}

const quote = 0x22;
const backslash = 0x5c;

/** Control characters, and what is left of the mark of the order of bytes. */
function isFault(code: number): boolean {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0xfeff || code === 0xfffe;
}

function escaped(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
