import * as z from 'zod';
import type { EventCopy } from '../process/event-transitions.ts';
import type { AssetEvent } from './event.ts';
import type { Ledger } from './ledger.ts';
import { claimedAs, type ClaimCheck, type MessageHead } from './message.ts';

/** An event that gave its id to all that were dedupe and received close to it. */
export const CanonicalEvent = z.object({ id: z.string(), receivedAt: z.iso.datetime() });
export type CanonicalEvent = z.infer<typeof CanonicalEvent>;

const canonicalEventsKept = 50;

/**
 * The first of those dedupe that a candidate belongs to, itself where none is close enough, and all of them then. Who comes
 * again gets the same answer, in whatever order others came in between.
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

/** A message's one event in our hands, under the id that it goes by from here on. */
export async function copyOf(
  event: AssetEvent,
  { head, claim, owner }: { head: MessageHead; claim: ClaimCheck | undefined; owner: string },
  ledger: Pick<Ledger, 'canonicalEventId'>,
): Promise<EventCopy> {
  const { dedupe, ...known } = event;
  if (dedupe !== undefined) {
    const candidate = { id: event.id, receivedAt: head.receivedAt };
    known.id = await ledger.canonicalEventId(head.source, dedupe.key, candidate, dedupe.windowMs);
  }
  const content = claim === undefined ? { event: known } : { claim: { ...claim, ...claimedAs(known) } };
  return { event: known, head, owner, content };
}
