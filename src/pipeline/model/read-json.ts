import { withExactNumbers } from './exact-numbers.ts';
import { isParsable } from './survey-json.ts';

const decoder = new TextDecoder();

/**
 * Bytes as JSON: a BOM is dropped, invalid UTF-8 replaced, and a number that a double does not hold exactly becomes a
 * text of the same digits. Undefined where it is no JSON, or nested or split up past all
 * sense. Takes time and memory in proportion to their length. Never throws.
 */
export function readJson(bytes: Uint8Array): unknown {
  return isParsable(bytes) ? parse(decoder.decode(withExactNumbers(bytes))) : undefined;
}

/**
 * Bytes as JSON, read as well as they can be: a control character that nobody escaped is taken as if somebody had, and
 * what may not stand around a token is a blank. Never throws.
 */
export function parseLenientJson(bytes: Uint8Array): unknown {
  if (!isParsable(bytes)) return undefined;
  return (
    parse(decoder.decode(withExactNumbers(bytes))) ?? parse(decoder.decode(withExactNumbers(mended(bytes))))
  );
}

/** Why bytes could not be read as JSON: they are none, or it would cost more than bytes of that length may. */
export function whyUnread(bytes: Uint8Array): 'not-json' | 'too-dense' {
  return isParsable(bytes) ? 'not-json' : 'too-dense';
}

/** Bytes that we wrote ourselves, however dense what they hold. Undefined where it is no JSON. Never throws. */
export function readOwnJson(bytes: Uint8Array): unknown {
  return parse(decoder.decode(bytes));
}

/** An object in JSON's sense: a list is none. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Escaped, a fault is six bytes long; so many of them are taken, and one in eight bytes beyond that.
const fewFaults = 262_144;
const bytesAFault = 8;

/**
 * The bytes with every control character inside their strings escaped, and with a blank for those between their tokens:
 * dropped, they would make one number of two. None where so many make it no text that people wrote.
 */
function mended(bytes: Uint8Array): Uint8Array {
  const end = bytes.byteLength;
  let controls = 0;
  for (let index = 0; index < end; index += 1) if ((bytes[index] ?? 0) < blank) controls += 1;
  const mostFaults = fewFaults + end / bytesAFault;
  const done = Buffer.alloc(end + 5 * Math.ceil(Math.min(controls, mostFaults)));
  let length = 0;
  let faults = 0;
  let inString = false;
  for (let index = 0; index < end; index += 1) {
    const byte = bytes[index] ?? 0;
    if (inString && byte < blank) {
      faults += 1;
      if (faults > mostFaults) return new Uint8Array();
      length += done.write(`\\u00${byte < 16 ? '0' : ''}${byte.toString(16)}`, length, 'latin1');
      continue;
    }
    const faultLength = inString ? 0 : faultAt(bytes, index);
    if (faultLength > 0) {
      done[length] = blank;
      length += 1;
      index += faultLength - 1;
      continue;
    }
    done[length] = byte;
    length += 1;
    if (byte === quote) inString = !inString;
    if (byte === backslash && inString && index + 1 < end) {
      index += 1;
      done[length] = bytes[index] ?? 0;
      length += 1;
    }
  }
  return done.subarray(0, length);
}

const blank = 0x20;
const quote = 0x22;
const backslash = 0x5c;

/** How many bytes a control character, or a mark of the order of bytes, takes there between tokens; 0 where there is none. */
function faultAt(bytes: Uint8Array, index: number): number {
  const first = bytes[index] ?? 0;
  if (first < blank || first === 0x7f) return 1;
  if (first !== 0xc2 && first !== 0xef) return 0;
  const [second = 0, third = 0] = bytes.subarray(index + 1, index + 3);
  if (first === 0xc2) return second >= 0x80 && second < 0xa0 ? 2 : 0;
  return (second === 0xbb && third === 0xbf) || (second === 0xbf && third === 0xbe) ? 3 : 0;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
