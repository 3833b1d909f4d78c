import { createHmac } from 'node:crypto';
import { verifySignature } from '../verify-signature.ts';

// An event's signature covers this text and then the body.
const prefix = 'preservica-webhook-auth';
const prefixBytes = Buffer.from(prefix);

/** The `challengeResponse` to a code that `isAnswerableCode` let through: lower-case hex. */
export function challengeAnswer(secret: string, code: string): string {
  return createHmac('sha256', secret).update(code).digest('hex');
}

/**
 * The fence: a code that could be the start of an event is never signed, since both are signed with one
 * key; and a code has only characters that no event body can do without others.
 */
export function isAnswerableCode(code: string): boolean {
  return /^[A-Za-z0-9._~+/=-]{1,256}$/.test(code) && !code.startsWith(prefix);
}

/** Says which of the secrets made this signature over the raw body. */
export function verifyEvent(
  secrets: readonly (string | undefined)[],
  body: Uint8Array,
  signature: string,
): ReturnType<typeof verifySignature> {
  return verifySignature(secrets, { hash: 'sha256', message: [prefixBytes, body], signature });
}
