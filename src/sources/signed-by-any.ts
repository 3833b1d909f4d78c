import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * True when any of the secrets made this signature, so that one can be retired without a gap: lower-case hex of the HMAC
 * over all parts of the message, keyed by the secret's text. An empty secret signs nothing.
 */
export function signedByAny(
  secrets: readonly (string | undefined)[],
  {
    hash,
    message,
    signature,
  }: { hash: 'sha256' | 'sha1'; message: readonly Uint8Array[]; signature: string },
): boolean {
  const given = Buffer.from(signature);
  if (given.byteLength !== hexLength[hash]) return false;
  let signed = false;
  for (const secret of secrets) {
    if (secret === undefined || secret === '') continue;
    const hmac = createHmac(hash, secret);
    for (const part of message) hmac.update(part);
    // Both are letters, and as many. Node makes them faster as a string than as bytes.
    signed = timingSafeEqual(given, Buffer.from(hmac.digest('hex'))) || signed;
  }
  return signed;
}

const hexLength = { sha256: 64, sha1: 40 };
