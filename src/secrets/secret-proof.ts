import { createHmac } from 'node:crypto';
import type { SecretProof } from '../pipeline/ports/secrets.ts';

// Who asks for a proof may try secrets against it: one that can be guessed gives none.
const shortestSecret = 16;

/**
 * SHA-512, because all that sources sign is SHA-256 or SHA-1 with the same key: a proof can never pass as a signature or a
 * handshake's answer.
 */
export const secretProof: SecretProof = (secret, { source, nonce }) => {
  if (secret.length < shortestSecret) return undefined;
  return createHmac('sha512', secret)
    .update(`asset-webhooks-secret-proof\n${source}\n${nonce}`)
    .digest('hex');
};
