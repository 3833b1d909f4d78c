import { hash, pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto';

/** A new key, secret or echo: 40 lower-case hex digits. */
export function newKey(): string {
  return hash('sha1', randomBytes(128));
}

/** The form in which API keys are kept, with so few rounds that tests are quick. */
export function hashApiKey(apiKey: string): string {
  const method = 'pbkdf2:sha256:1000';
  const salt = randomBytes(4).toString('hex');
  return `${method}$${salt}$${digestOf(apiKey, method, salt)}`;
}

/** True when the text was made of this key; reads every method that the original's library has had. */
export function isHashOf(stored: string, apiKey: string): boolean {
  const [method = '', salt = '', digest] = stored.split('$');
  return digest !== undefined && digestOf(apiKey, method, salt) === digest;
}

function digestOf(apiKey: string, method: string, salt: string): string | undefined {
  const [kind, ...given] = method.split(':');
  if (kind === 'scrypt') {
    const [cost = 0, blockSize = 0, parallelization = 0] = given.map(Number);
    const options = { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize };
    return scryptSync(apiKey, salt, 64, options).toString('hex');
  }
  const [name, rounds] = given;
  if (kind !== 'pbkdf2' || (name !== 'sha1' && name !== 'sha256')) return undefined;
  const length = name === 'sha1' ? 20 : 32;
  return pbkdf2Sync(apiKey, salt, Number(rounds), length, name).toString('hex');
}
