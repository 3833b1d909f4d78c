import { createHash } from 'node:crypto';

/** The id of an event from what makes it the same event: 43 characters of `A-Za-z0-9_-`, alike for alike parts of one source. */
export function eventId(source: string, parts: readonly (string | number | undefined)[]): string {
  return createHash('sha256')
    .update(JSON.stringify([source, ...parts]))
    .digest('base64url');
}
