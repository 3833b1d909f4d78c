import { expect, it } from 'vitest';
import fc from 'fast-check';
import { signEvent } from '../../../../src/local/simulators/pywebhooks/deliveries.ts';
import { isStorable, pythonJson } from '../../../../src/local/simulators/pywebhooks/python-json.ts';
import { s1, vectors } from './vectors.ts';

it.each(vectors)('%s', (_name, secret, registered, body, signature) => {
  expect(pythonJson(JSON.parse(registered))).toBe(body);
  expect(signEvent(secret, Buffer.from(body))).toBe(signature);
});

it('signs as the unit tests of the original do', () => {
  const body = pythonJson("{'message': 'hello world'}");
  expect(signEvent('secret-key', Buffer.from(body))).toBe('1c38f2f288d9fd8639485c5151f7aed51b77df67');
});

it.each([
  ['compact JSON', '5a1dc8ed63ae3cdf6634f52fbd825be68b457e7e'],
  ['the secret as hex', 'f5d34ae755e9dd30d373885f3d8caa6e53b172a7'],
  ['the secret in upper case', '2547b50d7f5dfc1981e53edb85434842f435bef6'],
  ['a newline at the end', 'c19c44e3f740066cecbe53b37d1cdb71c0d5ee74'],
  ['SHA-256', '2d1aec222367526fd64f423e22ab9820a8cf5cbfb9ffe3af106850b3bc572ae3'],
  ['Base64', 'JC+EBKoJNcvwKS6RRmNWU/Kj78g='],
  ['a changed body', '4be5043567b12c1f53f6cdb18144b5e14dd92935'],
  ['an empty message', 'a3cf4bcf3ee1267882c9fb28f12b44bd7aa8bcbd'],
])('does not sign as if it were %s', (_mistake, value) => {
  const body = pythonJson({ title: 'nightly build', steps: [{ compile: 1 }, { test: 2 }] });
  expect(signEvent(s1, Buffer.from(body))).not.toBe(value);
});

it('does not sign what is not ASCII', () => {
  const body = pythonJson({ city: 'Zürich', name: '日本語', sign: '€' });
  expect(signEvent(s1, Buffer.from(body))).not.toBe('ba26ab5579e43e8a1cd262ae2c798e61a5c880ca');
});

it.each([
  ['0', '0'],
  ['-0.0', '-0.0'],
  ['9007199254740992', '9007199254740992'],
  ['9007199254740994', '9007199254740994.0'],
  ['-9007199254740994', '-9007199254740994.0'],
  ['0.0001', '0.0001'],
  ['0.00012345', '0.00012345'],
  ['0.000099', '9.9e-05'],
  ['123456.789e-12', '1.23456789e-07'],
  ['2.5e21', '2.5e+21'],
  ['1e100', '1e+100'],
  ['5e-324', '5e-324'],
])('writes the number %s as %s', (given, expected) => {
  expect(pythonJson(JSON.parse(given))).toBe(expected);
});

it('writes ASCII that means the same, whatever it is given', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value: unknown = JSON.parse(text);
      expect(pythonJson(value)).toMatch(/^[ -~]*$/);
      expect(JSON.parse(pythonJson(value))).toEqual(value);
      expect(JSON.parse(pythonJson(value, 'compact'))).toEqual(value);
    }),
  );
});

it('knows what the database does not take', () => {
  const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + '1' + ']'.repeat(levels));
  expect(isStorable(nested(18))).toBe(true);
  expect(isStorable(nested(19))).toBe(false);
  expect(isStorable(nested(100_000))).toBe(false);
  expect(isStorable(JSON.parse('{"a":1e999}'))).toBe(false);
});
