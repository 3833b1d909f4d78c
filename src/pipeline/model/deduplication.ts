import * as z from 'zod';

/** The first of some events that are the same: all of them go by its id. */
export const CanonicalEvent = z.object({ id: z.string(), receivedAt: z.iso.datetime() });
export type CanonicalEvent = z.infer<typeof CanonicalEvent>;

const canonicalEventsKept = 50;

/**
 * The canonical event that was received within the window of a candidate, or the candidate itself; and all canonical
 * events then. The same candidate gets the same answer each time, whatever came in between.
 */
export function canonicalAmong(
  canonicalEvents: readonly CanonicalEvent[],
  candidate: CanonicalEvent,
  withinMs: number,
): { first: CanonicalEvent; all: readonly CanonicalEvent[] } {
  const at = Date.parse(candidate.receivedAt);
  const known = canonicalEvents.find(({ receivedAt }) => Math.abs(Date.parse(receivedAt) - at) < withinMs);
  if (known !== undefined) return { first: known, all: canonicalEvents };
  return { first: candidate, all: [...canonicalEvents, candidate].slice(-canonicalEventsKept) };
}
