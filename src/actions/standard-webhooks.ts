import { createHmac } from 'node:crypto';

// Standard Webhooks 1.0: `{id}.{timestamp}.{body}` is signed with HMAC-SHA-256, by the bytes that a secret holds after its
// prefix in Base64; each secret that counts gives a signature of its own, beside the others in one header.

/** The bytes that sign: 24 to 64 of them; undefined for what is no such secret. */
export function signingKey(secret: string): Buffer | undefined {
  const [, base64] = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/.exec(secret) ?? [];
  const key = Buffer.from(base64 ?? '', 'base64');
  return key.byteLength >= 24 && key.byteLength <= 64 ? key : undefined;
}

/** The headers of a message. `id` has no dot, and stays the same at every try; `now` is in milliseconds. */
export function signedHeaders(
  keys: readonly Buffer[],
  { id, body, now }: { id: string; body: string; now: number },
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const signed = `${id}.${timestamp}.${body}`;
  const signatures = keys.map((key) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
