import { isName } from './survey-json.ts';

/**
 * JSON in which each number that a double does not hold exactly is a text of the same digits, so that an id of 19 digits
 * or `1e400` comes through untouched. Fractions stay numbers. What is no JSON stays none. Takes time in proportion to the
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

// Numbers with fewer characters are exact, but for those with an exponent.
const shortest = 16;

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
    let mayBeLarge = false;
    while (isOfNumber(bytes[index + 1])) {
      index += 1;
      if (isLetterE(bytes[index])) mayBeLarge = true;
    }
    const to = index + 1;
    if (to - from < shortest && !mayBeLarge) continue;
    // In the place of a member's name a number is a fault, and must not become a name.
    if (isInexact(bytes, from, to) && !isName(bytes, to)) found.push(from, to);
  }
  return found;
}

/** True for a digit, and for `+`, `-`, `.`, `E` and `e`. */
function isOfNumber(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  if (byte >= 0x30 && byte <= 0x39) return true;
  return byte === 0x2b || byte === 0x2d || byte === 0x2e || isLetterE(byte);
}

function isLetterE(byte: number | undefined): boolean {
  return byte === 0x45 || byte === 0x65;
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?<fraction>\.\d+)?(?<exponent>[eE][+-]?\d+)?$/;

function isInexact(bytes: Uint8Array, from: number, to: number): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
  const match = jsonNumber.exec(text);
  if (match === null) return false;
  const value = Number(text);
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return false;
  if (!Number.isFinite(value)) return true;
  // All whole numbers in digits alike: an id must not be a text or a number as its last digits happen to be.
  if (match.groups?.['fraction'] === undefined && match.groups?.['exponent'] === undefined) return true;
  return digitsOf(text) !== digitsOf(String(value));
}

/** The digits that a large number begins with, without its point, its exponent and the zeros behind. */
function digitsOf(number: string): string {
  const [digits = ''] = number.replace('.', '').split(/e/i);
  const significant = digits.replace(/^(-?)0+/, '$1');
  let end = significant.length;
  while (significant[end - 1] === '0') end -= 1;
  return significant.slice(0, end);
}
