import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sanitizeLines, sanitizeText, cutText } from '../../../src/pipeline/model/sanitize-text.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 60 });
const odd = fc.constantFrom(
  '\ud83d',
  '\udca9',
  '💩',
  '\u2028',
  '\u2029',
  '\u202e',
  '\u2066',
  '\n',
  '\r\n',
  '\u0085',
);
const text = fc.array(fc.oneof(anyText, odd), { maxLength: 8 }).map((pieces) => pieces.join(''));

describe('a cut', () => {
  it('leaves no half of a character', () => {
    expect(cutText('ab💩', 3)).toBe('ab');
    expect(cutText('ab💩', 4)).toBe('ab💩');
    expect(cutText('💩', 1)).toBe('');
    // A half that came so stands for itself until it is cleaned.
    expect(cutText('a\ud83db', 2)).toBe('a\ud83d');
  });

  it('takes the beginning of any text, and as much of it as fits', () => {
    fc.assert(
      fc.property(text, fc.nat(80), (given, most) => {
        const cut = cutText(given, most);
        expect(given.startsWith(cut)).toBe(true);
        expect(cut.length).toBeLessThanOrEqual(most);
        expect(cut.length).toBeGreaterThanOrEqual(Math.min(given.length, most) - 1);
        if (given.isWellFormed()) expect(cut.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('clean text', () => {
  it.each([
    ['a control character', 'a\u0000b\u009bc', 'a\ufffdb\ufffdc'],
    ['a line end', 'a\nb\u0085c\u2028d\u2029e', 'a\ufffdb\ufffdc\ufffdd\ufffde'],
    ['half a character', 'a\ud83db\udca9', 'a\ufffdb\ufffd'],
    ['no character', 'a\uffffb\ufdd0c', 'a\ufffdb\ufffdc'],
    ['a permit of the direction', 'a\u202eb\u2066c\u2069', 'a\ufffdb\ufffdc\ufffd'],
  ])('has a mark in the place of %s', (_name, given, expected) => {
    expect(sanitizeText(given, 100)).toBe(expected);
  });

  it('keeps what languages are written with', () => {
    const given = 'Café, שלום\u200f (1), فارسی\u200cها, 東京, 👩‍👩‍👧, e\u0301, \u00a0';
    expect(sanitizeText(given, 1000)).toBe(given);
    expect(sanitizeLines(given, 1000)).toBe(given);
  });

  it('keeps the lines of a text that has some', () => {
    expect(sanitizeLines('a\r\nb\rc\nd\u2028e\u2029f\u0085g\th\u0000\u202e', 100)).toBe(
      'a\nb\nc\nd\ne\nf\ng\th\ufffd\ufffd',
    );
  });

  it('is what it says, of any text, and the same when it is cleaned again', () => {
    fc.assert(
      fc.property(text, fc.nat(80), (given, most) => {
        for (const clean of [sanitizeText, sanitizeLines]) {
          const cleaned = clean(given, most);
          expect(cleaned.length).toBeLessThanOrEqual(most);
          expect(cleaned.isWellFormed()).toBe(true);
          expect(clean(cleaned, most)).toBe(cleaned);
          expect(cleaned).not.toMatch(/[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
        }
        expect(sanitizeText(given, most)).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
