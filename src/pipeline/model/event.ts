import * as z from 'zod';
import { plainId } from './asset-key.ts';
import { isJsonObject } from './read-json.ts';

/** Members that somebody else named; `__proto__` is a name like any other, which a record of zod's would leave out. */
export const Members = z.custom<Record<string, unknown>>(isJsonObject, 'must be an object');

/** An object that carries on the members that a later version gave it; this version's types do not name them. */
export function carrying<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape> {
  const schema: z.ZodType = z.looseObject(shape);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without the index signature, by which any misspelt member would pass
  return schema as z.ZodObject<Shape>;
}

export const Identifier = z.object({ type: z.string(), value: z.string() });
export type Identifier = z.infer<typeof Identifier>;

export const EventId = z.string().regex(plainId);

/** One thing that happened to one asset, in our words. */
export const AssetEvent = carrying({
  /** Derived from what makes it the same event, so that a second copy is known for one. */
  id: EventId,
  /** The source's own word, such as `FULL_TEXT_INDEXED`. */
  type: z.string().max(1024),
  assetKind: z.enum(['asset', 'folder', 'other']),
  /** Absent where the event is about no asset. */
  assetId: z.string().min(1).max(1024).optional(),
  /** ISO 8601 in UTC; the time of receipt where the sender gave none that we could read. */
  occurredAt: z.iso.datetime(),
  /** The sender says when its events occur, and not of this one: it is neither earlier nor later than another. */
  timeUnknown: z.literal(true).optional(),
  identifiers: z.array(Identifier),
  /** The event itself says that its asset is gone at the source. */
  removal: z.literal(true).optional(),
  /** No call told us of it: the source's own list of changes did, whatever its age. */
  caughtUp: z.literal(true).optional(),
  /** It is the same event as another of this digest that was received less than so long before or after it. */
  dedupe: z.object({ key: z.string().regex(/^[0-9a-f]{64}$/), windowMs: z.int().min(1) }).optional(),
  /** The source's own members, as they came. */
  data: Members,
});
export type AssetEvent = z.infer<typeof AssetEvent>;

/** The events of a delivery in their order, made as they are asked for: there may be tens of thousands. */
export interface Events {
  readonly length: number;
  slice(from: number, to: number): AssetEvent[];
}
