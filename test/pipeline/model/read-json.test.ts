import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLenientJson, readJson } from '../../../src/pipeline/model/read-json.ts';

const read = (text: string): unknown => readJson(Buffer.from(text));

describe('a number that a double does not hold', () => {
  it.each([
    ['9007199254740993', '9007199254740993'],
    ['9007199254740992', '9007199254740992'],
    ['-9007199254740993', '-9007199254740993'],
    ['1234567890123456789', '1234567890123456789'],
    ['1234567890123456000', '1234567890123456000'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['1e400', '1e400'],
    ['-1E+400', '-1E+400'],
    ['1e99999999999999999999', '1e99999999999999999999'],
    ['0.00001e400', '0.00001e400'],
    ['9007199254740993.0', '9007199254740993.0'],
    ['1.2345678901234567891e30', '1.2345678901234567891e30'],
  ])('(%s) comes through as text', (number, expected) => {
    expect(read(number)).toBe(expected);
    expect(read(`{"a":[${number} , ${number}],"b" :\n${number}}`)).toEqual({
      a: [expected, expected],
      b: expected,
    });
    expect(parseLenientJson(Buffer.from(`{"x":"a\0b","a":${number}}\0`))).toEqual({ x: 'a\0b', a: expected });
  });

  it.each([
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['0.1234567890123456789', 0.12345678901234568],
    ['1e22', 1e22],
    ['1.50e300', 1.5e300],
    ['-0', -0],
    ['1e-400', 0],
    ['17.0', 17],
    ['1234567890123456.5', 1234567890123456.5],
    ['0e400', 0],
    ['0.0000000000000000001e20', 10],
    ['1e-999999999999', 0],
  ])('is not what %s is', (number, expected) => {
    expect(read(number)).toBe(expected);
  });

  it('is none inside of a text or a name', () => {
    const text = '{"12345678901234567890":"12345678901234567890 1e400","\\"12345678901234567890":"\\\\"}';
    expect(read(text)).toEqual(JSON.parse(text));
  });

  it.each([
    '{12345678901234567890:1}',
    '{12345678901234567890 :1}',
    '012345678901234567890',
    '12345678901234567890.',
    '+12345678901234567890',
    '--12345678901234567890',
    '12345678901234567890 12345678901234567890',
    '"x"12345678901234567890',
    '12345678901234567890e',
    '1.e400',
    '.1e400',
    '1e400e400',
    '1e4-00',
    '01e400',
    'tru12345678901234567890',
    '[12345678901234567890',
  ])('makes no JSON of what is none: %s', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it('changes nothing else, and makes nothing readable that is not', () => {
    const pieces = fc.constantFrom(
      ...'{}[]",:0123456789eE.-+ \\'.split(''),
      '1e400',
      '12345678901234567890',
      '"a"',
      'true',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (given) => {
        const text = given.join('');
        const isJson = ((): boolean => {
          try {
            JSON.parse(text);
            return true;
          } catch {
            return false;
          }
        })();
        expect(read(text) !== undefined).toBe(isJson);
      }),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        const large = (_key: string, each: unknown): unknown =>
          typeof each === 'number' && Math.abs(each) > Number.MAX_SAFE_INTEGER ? 'large' : each;
        const readAgain = JSON.parse(JSON.stringify(read(text))) as unknown;
        // What is large is a text or a number, as it was written.
        expect(JSON.stringify(readAgain).replaceAll('"', '')).toBe(text.replaceAll('"', ''));
        if (JSON.stringify(value, large) === text) expect(readAgain).toEqual(JSON.parse(text));
      }),
    );
  });

  it('costs in proportion to the length, however many there are', () => {
    const many = '12345678901234567890,'.repeat(150_000);
    expect(read(`[${many}1]`)).toHaveLength(150_001);
    expect(read(`["${'\\"'.repeat(1_000_000)}",${'9'.repeat(1_000_000)}]`)).toHaveLength(2);
  });
});
