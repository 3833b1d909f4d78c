import { copyOf } from './alike.ts';
import { claimedEvents } from './claimed-events.ts';
import type { AssetEvent } from './event.ts';
import {
  decodeMessage,
  encodeMessage,
  type AssetMessage,
  type Claim,
  type MessageHead,
  type Arrival,
} from './message.ts';
import { recordLost, recordUnreadable } from './record-unreadable.ts';
import { workOnEvent } from './work.ts';
import type { WorkDeps } from './work-deps.ts';

// Events that are sent on as messages of their own at once; more are first split into batches of so many.
const batchOf = 64;
const sendsAtOnce = 16;
const laterVersionWaitMs = 3_600_000;

/**
 * Does what a queue message asks for: one event is worked on, many are split into smaller messages. Whatever the
 * message is, it ends as work, as smaller messages, put back, or as a row of the ledger. Throws a StorageError only
 * when our own storage failed.
 */
export async function handleMessage(arrival: Arrival, deps: WorkDeps): Promise<void> {
  const decoded = decodeMessage(arrival.item);
  switch (decoded.kind) {
    case 'message':
      return await handleEvents(decoded.message, arrival, deps);
    case 'later-version':
      return await waitForLaterVersion(decoded.members, arrival, deps);
    case 'unknown':
      return await recordUnreadable(arrival, deps);
    default:
      return decoded satisfies never;
  }
}

async function handleEvents(message: AssetMessage, arrival: Arrival, deps: WorkDeps): Promise<void> {
  const { events: inline, claim, ...head } = message;
  const source = deps.sources.get(head.source);
  if (source === undefined) {
    return await recordLost(
      { ...head, source: '' },
      { code: 'unknown-source', text: `The settings name no source ${head.source} any more.` },
      { claim, arrival },
      deps,
    );
  }
  const events =
    inline ?? (claim === undefined ? [] : await claimedEvents(head, claim, source.receiver, deps.deliveries));
  const [event, ...more] = events;
  if (event === undefined) {
    const text = 'The body of this delivery is gone from storage, or can no longer be read.';
    return await recordLost(head, { code: 'unreadable', text }, { claim, arrival }, deps);
  }
  if (more.length === 0) {
    const { messageId } = arrival;
    const copy = await copyOf(event, { head, claim, messageId }, deps.ledger);
    await workOnEvent(copy, source, deps);
    return;
  }
  const texts = [...split(head, events, claim)];
  for (let sent = 0; sent < texts.length; sent += sendsAtOnce) {
    await Promise.all(texts.slice(sent, sent + sendsAtOnce).map(async (text) => await deps.queue.send(text)));
  }
  deps.log('info', 'delivery-split', {
    source: head.source,
    delivery: head.deliveryId,
    events: events.length,
    messages: texts.length,
  });
}

/** Smaller messages with all the events, in their order; an event that is too large for any stays a claim with its index. */
function* split(
  head: MessageHead,
  events: readonly AssetEvent[],
  claim: Claim | undefined,
): Generator<string> {
  const size = events.length > batchOf ? batchOf : 1;
  for (let from = 0; from < events.length; from += size) {
    yield* pack(
      head,
      events.slice(from, from + size),
      claim === undefined ? undefined : { ...claim, from: claim.from + from },
    );
  }
}

function* pack(
  head: MessageHead,
  events: readonly AssetEvent[],
  claim: Claim | undefined,
): Generator<string> {
  const inline = encodeMessage({ ...head, events: [...events] });
  if (inline !== undefined) {
    yield inline;
    return;
  }
  if (events.length > 1) {
    const half = Math.ceil(events.length / 2);
    yield* pack(head, events.slice(0, half), claim);
    yield* pack(
      head,
      events.slice(half),
      claim === undefined ? undefined : { ...claim, from: claim.from + half },
    );
    return;
  }
  const reference =
    claim === undefined ? undefined : encodeMessage({ ...head, claim: { ...claim, to: claim.from + 1 } });
  // What came inside a message fits into one; only a claim can hold more.
  if (reference === undefined)
    throw new Error(`an event of delivery ${head.deliveryId} fits into no message`);
  yield reference;
}

/** A message of a newer version of this app, which a rolling deployment will bring here too: once it has waited, it is recorded. */
async function waitForLaterVersion(
  members: Readonly<Record<string, unknown>>,
  arrival: Arrival,
  deps: WorkDeps,
): Promise<void> {
  if (typeof members['putBackAt'] === 'string') return await recordUnreadable(arrival, deps);
  const putBack = JSON.stringify({ ...members, putBackAt: deps.now().toISOString() });
  await deps.queue.send(putBack, { delayMs: laterVersionWaitMs });
  deps.log('warn', 'message-of-later-version', { version: String(members['v']) });
}
