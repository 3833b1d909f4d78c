import * as z from 'zod';
import type { EventCopy } from './event-rules.ts';
import type { AssetEvent } from './event.ts';
import type { Ledger } from './ledger.ts';
import type { Claim, MessageHead } from './message.ts';

/** An event that gave its id to all that were alike and received close to it. */
export const First = z.object({ id: z.string(), receivedAt: z.iso.datetime() });
export type First = z.infer<typeof First>;

const firstsKept = 50;

/**
 * The first of those alike that a comer belongs to, itself where none is close enough, and all of them then. Who comes
 * again gets the same answer, in whatever order others came in between.
 */
export function firstAmong(
  firsts: readonly First[],
  comer: First,
  withinMs: number,
): { first: First; all: readonly First[] } {
  const at = Date.parse(comer.receivedAt);
  const known = firsts.find(({ receivedAt }) => Math.abs(Date.parse(receivedAt) - at) < withinMs);
  if (known !== undefined) return { first: known, all: firsts };
  return { first: comer, all: [...firsts, comer].slice(-firstsKept) };
}

/** A message's one event in our hands, under the id that it goes by from here on. */
export async function copyOf(
  event: AssetEvent,
  { head, claim, messageId }: { head: MessageHead; claim: Claim | undefined; messageId: string },
  ledger: Pick<Ledger, 'firstOf'>,
): Promise<EventCopy> {
  const { alike, ...known } = event;
  if (alike !== undefined) {
    const comer = { id: event.id, receivedAt: head.receivedAt };
    known.id = await ledger.firstOf(head.source, alike.digest, comer, alike.withinMs);
  }
  const content =
    claim === undefined
      ? { event: known }
      : { claim: alike === undefined ? claim : { ...claim, eventId: known.id } };
  return { event: known, head, messageId, content };
}
