import { expect, it } from 'vitest';
import { hashApiKey, isHashOf, newKey } from '../../../../src/local/simulators/pywebhooks/api-keys.ts';
import { s2 } from './vectors.ts';

it.each([
  [s2, 'pbkdf2:sha1:1000$Ab3dEf9h$e6aced466a2ca65b1b908a1606b28a2f86c96a30'],
  ['f'.repeat(40), 'pbkdf2:sha1:1000$zZ00yY11$23083ca78b96d9bc122c9554293fad4fb117cf0a'],
  [s2, 'pbkdf2:sha256:50000$Ab3dEf9h$e50d9bb42b1f88c5bebca13c7c54ae3d34a1ff98cf4fe69109e41c9b4d0ca775'],
  [
    s2,
    'scrypt:32768:8:1$AbCdEfGhIjKlMnOp$80541ec0e2f18f36487f939029669995cff50e83b63842198714bf10c94c1d6ccc137cf6817e87591d0f50ff3f7d24da25b041c4df36288734b8d3b82b508ee3',
  ],
])('knows the key %s in %s', (key, stored) => {
  expect(isHashOf(stored, key)).toBe(true);
  expect(isHashOf(stored, `${key.slice(1)}e`)).toBe(false);
});

it('knows the keys that it made, each hashed in its own way', () => {
  const key = newKey();
  expect(key).toMatch(/^[0-9a-f]{40}$/);
  expect(newKey()).not.toBe(key);
  expect(hashApiKey(key)).not.toBe(hashApiKey(key));
  expect(isHashOf(hashApiKey(key), key)).toBe(true);
  expect(isHashOf(hashApiKey(newKey()), key)).toBe(false);
});

it.each(['', 'plain', 'md5$a$b'])('knows no key in %j', (stored) => {
  expect(isHashOf(stored, 'b')).toBe(false);
});
