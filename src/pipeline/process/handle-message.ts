import * as z from 'zod';
import { isToldAlready } from './close-event.ts';
import { copyOf } from './event-copy.ts';
import { decodeMessage, maxTextBytes, type AssetMessage, type Arrival } from '../model/message.ts';
import { StorageError } from '../ports/errors.ts';
import { inSpan, queueAttributes, SpanKind, traceOf } from '../ports/telemetry.ts';
import { recordLost, recordUnknownSource, recordUnreadable } from '../dead-letter/record-unreadable.ts';
import { splitDelivery } from './split-delivery.ts';
import { handleJob } from './jobs.ts';
import { processEvent, untilOpen } from './process-event.ts';
import type { ProcessDeps, ProcessSource } from './process-deps.ts';

const sendsAtOnce = 16;
const anotherWaitMs = 3_600_000;
// While deliveries come without a pause, events are still worked on, at a slower pace.
const longestWaitMs = 2_000;

/**
 * Does what a queue message asks for: one event is worked on, many are split into smaller messages. Whatever the
 * message is, it ends as work, as smaller messages, put back, or as a row of the ledger. Throws a StorageError only
 * when our own storage failed and the message could not be put back either.
 */
export async function handleMessage(arrival: Arrival, deps: ProcessDeps): Promise<void> {
  const owner = deps.newId();
  try {
    await handleDecoded({ ...arrival, owner }, deps);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    await putBackStumbled({ ...arrival, owner }, error, deps);
  }
}

/** A message in our hands, and who we are while we have it. */
type Handled = Arrival & { readonly owner: string };

const Stumbled = z.looseObject({
  v: z.number(),
  stumbles: z.int().min(0).default(0),
  leaseOwners: z.array(z.string()).default([]),
});
const leaseOwnersKept = 4;
const firstStumbleMs = 5_000;
const longestStumbleMs = 600_000;

/**
 * Our own storage failing is no fault of the message: it comes again, later and later, with no try counted. Only where it
 * cannot be put back the platform brings it again, which gives up after some times.
 */
async function putBackStumbled(
  { item, owner }: Handled,
  failure: StorageError,
  deps: Pick<ProcessDeps, 'queue' | 'log' | 'random'>,
): Promise<void> {
  const message = Stumbled.safeParse(item);
  if (!message.success) throw failure;
  const { stumbles, leaseOwners: former, ...members } = message.data;
  const leaseOwners = [owner, ...former].slice(0, leaseOwnersKept);
  const text = JSON.stringify({ ...members, stumbles: stumbles + 1, leaseOwners });
  if (Buffer.byteLength(text) > maxTextBytes) throw failure;
  const delayMs = Math.min(firstStumbleMs * 2 ** stumbles, longestStumbleMs) * (1 + deps.random() / 2);
  await deps.queue.send(text, { delayMs }).catch(() => {
    throw failure;
  });
  deps.log('warn', 'message-put-back', { stumbles, delayMs: Math.round(delayMs), error: failure.message });
}

async function handleDecoded(arrival: Handled, deps: ProcessDeps): Promise<void> {
  const decoded = decodeMessage(arrival.item);
  switch (decoded.kind) {
    case 'message':
      return await handleEvents(decoded.message, arrival, deps);
    case 'deliveries':
      // Each is put back by itself where our storage fails.
      await Promise.all(
        decoded.deliveries.map(async (item) => await handleMessage({ ...arrival, item }, deps)),
      );
      return;
    case 'job':
      if (deps.jobKinds.has(decoded.message.job.kind))
        return await handleJob({ ...decoded.message, owner: arrival.owner }, deps);
      return await handleLater({ ...decoded.message }, arrival, deps);
    case 'later-version':
      return await handleLater(decoded.members, arrival, deps);
    case 'unknown':
      return await recordUnreadable(arrival, deps);
    default:
      return decoded satisfies never;
  }
}

/** What a later version may know, and this one does not, waits once. */
async function handleLater(
  members: Readonly<Record<string, unknown>>,
  arrival: Handled,
  deps: ProcessDeps,
): Promise<void> {
  if (typeof members['putBackAt'] === 'string') return await recordUnreadable(arrival, deps);
  deps.log('warn', 'message-of-later-version', { version: String(members['v']) });
  await waitForAnother(members, deps);
}

async function handleEvents(message: AssetMessage, arrival: Handled, deps: ProcessDeps): Promise<void> {
  const { events: inline, claim, ...head } = message;
  const source = deps.sources.get(head.source);
  if (source === undefined) {
    // A deployment under way, or a second app on this storage, may know it.
    if (head.putBackAt === undefined) return await waitForAnother({ ...message }, deps);
    return await recordUnknownSource(message, arrival, deps);
  }
  const closed = head.waitingFor === undefined ? undefined : await source.limiter.closed();
  const delayMs = closed === undefined ? 0 : untilOpen(closed, deps);
  if (closed !== undefined && isToldAlready(head, closed.code, delayMs))
    return await deps.putBacks.send(JSON.stringify(message), { delayMs });
  const count = inline?.length ?? (claim?.to ?? 1) - (claim?.from ?? 0);
  const release = await source.slots.take(count);
  if (release === undefined) {
    const untilRoomMs = source.slots.untilRoomMs(count);
    return await deps.putBacks.send(JSON.stringify(message), { delayMs: untilRoomMs });
  }
  try {
    const about = {
      kind: SpanKind.CONSUMER,
      attributes: {
        ...queueAttributes('process'),
        'asset_webhooks.source': head.source,
        'asset_webhooks.delivery': head.deliveryId,
        'asset_webhooks.attempt': head.attempt,
        'asset_webhooks.events': count,
      },
      parent: traceOf(head.traceparent),
      linked: traceOf(arrival.traceparent),
    };
    await inSpan(
      'process asset-events',
      about,
      async () => await handleKnown(message, source, arrival, deps),
    );
  } finally {
    release();
  }
}

/** The events of a source that the settings name. */
async function handleKnown(
  { events: inline, claim, ...head }: AssetMessage,
  source: ProcessSource,
  arrival: Handled,
  deps: ProcessDeps,
): Promise<void> {
  const events =
    inline ?? (claim === undefined ? [] : await deps.claimedEvents(head, claim, source.receiver));
  const [event] = events.slice(0, 1);
  if (event === undefined) {
    const text = 'The body of this delivery is gone from storage, or can no longer be read.';
    return await recordLost(head, { code: 'unreadable', text }, { claim, arrival }, deps);
  }
  if (claim !== undefined && events.length < claim.to - claim.from) {
    const text = 'The body of this delivery holds fewer events than were read from it when it came.';
    const missing = { ...claim, from: claim.from + events.length };
    await recordLost(head, { code: 'unreadable', text }, { claim: missing, arrival }, deps);
  }
  if (events.length === 1) {
    await deps.keeping.letGoFirst(longestWaitMs);
    const copy = await copyOf(event, { head, claim, owner: arrival.owner }, deps.ledger);
    await processEvent(copy, source, deps);
    return;
  }
  let messages = 0;
  let waiting: { text: string; delayMs: number }[] = [];
  const sendWaiting = async (): Promise<void> => {
    messages += waiting.length;
    await Promise.all(waiting.map(async ({ text, delayMs }) => await deps.queue.send(text, { delayMs })));
    waiting = [];
  };
  for (const { text, count } of splitDelivery(head, events, claim)) {
    // Only so many events come into the queue at one time as there will be room for.
    const isLater = count > 1 && messages + waiting.length > 0;
    waiting.push({ text, delayMs: isLater ? source.slots.untilRoomMs(count) : 0 });
    if (waiting.length === sendsAtOnce) await sendWaiting();
  }
  await sendWaiting();
  deps.log('info', 'delivery-split', {
    source: head.source,
    delivery: head.deliveryId,
    events: events.length,
    messages,
  });
}

/** Puts a message back, once, that a version or settings of tomorrow may know what to do with. */
async function waitForAnother(
  members: Readonly<Record<string, unknown>>,
  deps: Pick<ProcessDeps, 'queue' | 'now'>,
): Promise<void> {
  const putBack = JSON.stringify({ ...members, putBackAt: new Date(deps.now()).toISOString() });
  await deps.queue.send(putBack, { delayMs: anotherWaitMs });
}
