import * as z from 'zod';

export const Identifier = z.object({ type: z.string(), value: z.string() });
export type Identifier = z.infer<typeof Identifier>;

/** One thing that happened to one asset, in our words. */
export const AssetEvent = z.object({
  /** Derived from what makes it the same event, so that a second copy is known for one. */
  id: z.string().min(1).max(128),
  /** The source's own word, such as `FULL_TEXT_INDEXED`. */
  type: z.string().max(1024),
  assetKind: z.enum(['asset', 'folder', 'other']),
  /** Absent where the event is about no asset. */
  assetId: z.string().min(1).max(1024).optional(),
  /** ISO 8601 in UTC. */
  occurredAt: z.iso.datetime(),
  /** Set where the sender gave no time that we could read: then `occurredAt` is the time of receipt, and its age is no reason. */
  untimed: z.literal(true).optional(),
  identifiers: z.array(Identifier),
  /** The source's own members, as they came. */
  data: z.record(z.string(), z.unknown()),
});
export type AssetEvent = z.infer<typeof AssetEvent>;
