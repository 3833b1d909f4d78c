import { isName } from './survey-json.ts';

/**
 * JSON in which each number that a double does not hold exactly is a text of the same digits, so that an id of 19 digits
 * or `1e400` comes through untouched. Small fractions stay numbers. What is no JSON stays none. Takes time in proportion to the
 * length: `JSON.parse` with a reviver takes fifty times as long for a list of small numbers.
 */
export function withExactNumbers(bytes: Uint8Array): Uint8Array {
  const places = endsOfInexactNumbers(bytes);
  if (places.length === 0) return bytes;
  const written = Buffer.alloc(bytes.byteLength + places.length);
  let length = 0;
  let copied = 0;
  const copyTo = (end: number): void => {
    written.set(bytes.subarray(copied, end), length);
    length += end - copied;
    copied = end;
  };
  for (const place of places) {
    copyTo(place);
    length = written.writeUInt8(quote, length);
  }
  copyTo(bytes.byteLength);
  return written;
}

const quote = 0x22;
const backslash = 0x5c;

/** Where each of them begins and ends, in turn: a flat list, because there may be hundreds of thousands. */
function endsOfInexactNumbers(bytes: Uint8Array): number[] {
  const found: number[] = [];
  const end = bytes.byteLength;
  for (let index = 0; index < end; index += 1) {
    if (bytes[index] === quote) {
      for (index += 1; index < end && bytes[index] !== quote; index += 1)
        if (bytes[index] === backslash) index += 1;
      continue;
    }
    if (!isOfNumber(bytes[index])) continue;
    const from = index;
    while (isOfNumber(bytes[index + 1])) index += 1;
    const to = index + 1;
    // In the place of a member's name a number is a fault, and must not become a name.
    if (to - from >= shortest && isInexact(bytes, from, to) && !isName(bytes, to)) found.push(from, to);
  }
  return found;
}

// `1e309` is the shortest number past what a double holds.
const shortest = 5;

/** True for a digit, and for `+`, `-`, `.`, `E` and `e`. */
function isOfNumber(byte: number | undefined): boolean {
  return isDigit(byte) || byte === minus || byte === plus || byte === point || isLetterE(byte);
}

function isDigit(byte: number | undefined): byte is number {
  return byte !== undefined && byte >= zero && byte <= 0x39;
}

function isLetterE(byte: number | undefined): boolean {
  return byte === 0x45 || byte === 0x65;
}

const zero = 0x30;
const minus = 0x2d;
const plus = 0x2b;
const point = 0x2e;

// Of every number of 15 digits a double holds all.
const digitsHeld = 15;
const largest = Buffer.from(String(Number.MAX_SAFE_INTEGER));
// Below ten to this power every number is finite.
const powerHeld = 308;
const mostExponent = 1_000_000;

/**
 * True for a number of JSON that is past the whole numbers which a double tells apart, if it is a whole number in digits, so
 * that an id is not a text or a number as its last digits happen to be, or has more digits than a double holds, or is larger
 * than any double. By its bytes alone, because a parse of each costs many times as much as the parse of the whole.
 */
function isInexact(bytes: Uint8Array, from: number, to: number): boolean {
  let index = bytes[from] === minus ? from + 1 : from;
  const wholeFrom = index;
  /** From the first that is not zero. */
  let digits = 0;
  /** Of ten, that the number is below. */
  let power = 0;
  for (; isDigit(bytes[index]); index += 1) {
    if (digits > 0 || bytes[index] !== zero) digits += 1;
  }
  const wholeLength = index - wholeFrom;
  if (wholeLength === 0 || (wholeLength > 1 && bytes[wholeFrom] === zero)) return false;
  power = digits;
  if (index === to) return digits > largest.byteLength || isPastLargest(bytes, wholeFrom, wholeLength);

  if (bytes[index] === point) {
    const fractionFrom = index + 1;
    for (index = fractionFrom; isDigit(bytes[index]); index += 1) {
      if (digits > 0 || bytes[index] !== zero) digits += 1;
      else power -= 1;
    }
    if (index === fractionFrom) return false;
  }
  const hasExponent = index < to;
  if (hasExponent) {
    if (!isLetterE(bytes[index])) return false;
    const sign = bytes[index + 1];
    const exponentFrom = sign === plus || sign === minus ? index + 2 : index + 1;
    let exponent = 0;
    for (index = exponentFrom; isDigit(bytes[index]); index += 1)
      exponent = Math.min(mostExponent, exponent * 10 + (bytes[index] ?? 0) - zero);
    if (index === exponentFrom || index !== to) return false;
    power += sign === minus ? -exponent : exponent;
  }
  if (digits === 0 || power < largest.byteLength) return false;
  if (power > powerHeld) return true;
  if (!hasExponent && power === largest.byteLength && !isPastLargest(bytes, wholeFrom, wholeLength))
    return false;
  return digits > digitsHeld;
}

function isPastLargest(bytes: Uint8Array, from: number, length: number): boolean {
  return length === largest.byteLength && Buffer.compare(bytes.subarray(from, from + length), largest) > 0;
}
