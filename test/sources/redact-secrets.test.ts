import { describe, expect, it } from 'vitest';
import { redactSecrets } from '../../src/sources/redact-secrets.ts';

const secret = 'p"a\\ss/w+o%72d=';

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

describe('a text without secrets', () => {
  it.each([
    ['as it stands', secret],
    ['in JSON', JSON.stringify(secret)],
    ['in JSON of another writer', secret.replaceAll(/["\\/]/g, '\\$&').replaceAll('=', '\\u003D')],
    ['in JSON that escapes all it can', secret.replaceAll(/[^]/g, escaped)],
    ['in an address', encodeURIComponent(secret)],
    ['in an address, in small letters', encodeURIComponent(secret).toLowerCase()],
    ['in a form', new URLSearchParams([['', secret]]).toString().slice(1)],
    ['more than once', `${secret} and ${secret}${secret}`],
  ])('does not show one %s', (_how, written) => {
    const shown = redactSecrets(`It was ${written}, said 100 %.`, [secret]);
    expect(shown).toMatch(/^It was "?(?:…(?: and )?)+"?, said 100 %\.$/);
  });

  it('shows nothing of a secret that begins as another does', () => {
    expect(redactSecrets('token-10, token-1', ['token-1', 'token-10'])).toBe('…, …');
  });

  it('knows a blank of a form, and ends with secrets that look like what takes their place', () => {
    expect(redactSecrets('a=open+sesame……', ['open sesame', '…', ''])).toBe('a=………');
  });
});
