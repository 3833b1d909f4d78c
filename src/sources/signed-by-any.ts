import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CallHead, CallVerdict } from '../pipeline/ports/receiver.ts';

/** The signature in a header, so many lower-case hex digits, or why there is none. */
export function signatureIn(
  { headers }: CallHead,
  { header, hexDigits }: { header: string; hexDigits: number },
): string | Extract<CallVerdict, { kind: 'not-proved' }> {
  const signature = headers.get(header);
  if (signature === undefined) return { kind: 'not-proved', why: 'no-signature' };
  const wellFormed = signature.length === hexDigits && /^[0-9a-f]+$/.test(signature);
  return wellFormed ? signature : { kind: 'not-proved', why: 'malformed-signature' };
}

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
  const { given, expected } = digests[hash];
  if (signature.length !== given.byteLength || given.write(signature) !== given.byteLength) return false;
  let signed = false;
  for (const secret of secrets) {
    if (secret === undefined || secret === '') continue;
    const hmac = createHmac(hash, secret);
    for (const part of message) hmac.update(part);
    // Both are letters, and as many. Node makes them faster as a string than as bytes.
    expected.write(hmac.digest('hex'), 'latin1');
    signed = timingSafeEqual(given, expected) || signed;
  }
  return signed;
}

// Written anew at each check: two new ones would cost a tenth of checking a small call.
const digests = { sha256: roomFor(64), sha1: roomFor(40) };

function roomFor(hexDigits: number): { given: Buffer; expected: Buffer } {
  return { given: Buffer.alloc(hexDigits), expected: Buffer.alloc(hexDigits) };
}
