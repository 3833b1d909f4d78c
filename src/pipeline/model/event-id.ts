import { createHash } from 'node:crypto';

type Part = string | number | undefined;

/** The id of an event from what makes it the same event: 43 characters of `A-Za-z0-9_-`, the same for the same parts of one source. */
export function eventId(source: string, parts: readonly Part[]): string {
  return createHash('sha256')
    .update(JSON.stringify([source, ...parts]))
    .digest('base64url');
}

/** Gives events whose first parts are the same their ids, as `eventId` would: what they share is hashed once. */
export function eventIds(source: string, shared: readonly Part[]): (own: Part) => string {
  const begun = createHash('sha256').update(JSON.stringify([source, ...shared]).slice(0, -1));
  return (own) =>
    begun
      .copy()
      .update(`,${JSON.stringify([own]).slice(1)}`)
      .digest('base64url');
}
