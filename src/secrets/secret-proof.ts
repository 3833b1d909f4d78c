import { createHmac } from 'node:crypto';

// Who asks for a proof may try secrets against it: one that can be guessed gives none.
const shortestSecret = 16;

/** What may be asked with: random enough that no answer is of use to another question. */
export const proofNonce = /^[A-Za-z0-9_-]{22,64}$/;

/**
 * Shows that somebody holds a secret, without the secret; undefined where it is too short for that. SHA-512, because all
 * that sources sign is SHA-256 or SHA-1 with the same key: a proof can never pass as a signature or a handshake's answer.
 */
export function secretProof(
  secret: string,
  { source, nonce }: { source: string; nonce: string },
): string | undefined {
  if (secret.length < shortestSecret) return undefined;
  return createHmac('sha512', secret)
    .update(`asset-webhooks-secret-proof\n${source}\n${nonce}`)
    .digest('hex');
}
