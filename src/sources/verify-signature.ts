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
 * Says which of the secrets made this signature, so that one can be retired without a gap: lower-case hex of the HMAC over all
 * parts of the message, keyed by the secret's text. An empty secret signs nothing.
 */
export function verifySignature(
  secrets: readonly (string | undefined)[],
  {
    hash,
    message,
    signature,
  }: { hash: 'sha256' | 'sha1'; message: readonly Uint8Array[]; signature: string },
): Extract<CallVerdict, { kind: 'proved' | 'not-proved' }> {
  const { given, expected } = digests[hash];
  const wrong = { kind: 'not-proved', why: 'wrong-signature' } as const;
  if (signature.length !== given.byteLength || given.write(signature) !== given.byteLength) return wrong;
  let signedBy: 'current' | 'previous' | undefined;
  for (const [index, secret] of secrets.entries()) {
    if (secret === undefined || secret === '') continue;
    const hmac = createHmac(hash, secret);
    for (const part of message) hmac.update(part);
    // Both are letters, and as many. Node makes them faster as a string than as bytes.
    expected.write(hmac.digest('hex'), 'latin1');
    if (timingSafeEqual(given, expected)) signedBy ??= index === 0 ? 'current' : 'previous';
  }
  return signedBy === undefined ? wrong : { kind: 'proved', secret: signedBy };
}

// Written anew at each check: two new ones would cost a tenth of checking a small call.
const digests = { sha256: roomFor(64), sha1: roomFor(40) };

function roomFor(hexDigits: number): { given: Buffer; expected: Buffer } {
  return { given: Buffer.alloc(hexDigits), expected: Buffer.alloc(hexDigits) };
}
