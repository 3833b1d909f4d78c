import { decodeMessage, encodeMessage, type AssetMessage, type MessageHead } from '../model/message.ts';
import type { EventEntry } from '../model/ledger.ts';
import { readOwnJson } from '../model/read-json.ts';
import type { EventCopy } from './event-copy.ts';
import type { ProcessDeps } from './process-deps.ts';
import { settleEvent } from './settle-event.ts';

export type ReplayDeps = Pick<ProcessDeps, 'sources' | 'deliveries' | 'queue' | 'ledger' | 'log' | 'now'>;

export type ReplayResult =
  | { kind: 'queued' }
  /** It cannot be worked on now; why, for people. */
  | { kind: 'refused'; why: string };

/**
 * Queues an event's work once more, from what its row holds. Done twice for one replay id it is done once. What was
 * unreadable is read again; its events get rows of their own.
 */
export async function replayEvent(
  entry: EventEntry,
  replayId: string,
  deps: ReplayDeps,
): Promise<ReplayResult> {
  const { summary, content } = entry;
  const source = summary.source ?? '';
  const known = deps.sources.get(source);
  const replay = { replayId, replayedAt: new Date(deps.now()).toISOString() };
  const head: MessageHead = {
    v: 1,
    deliveryId: summary.deliveryId,
    source,
    receivedAt: summary.receivedAt,
    attempt: 0,
    ...replay,
  };
  if ('unread' in content) {
    const message = await readAgain(content.unread.blob, head, deps);
    if (message === undefined)
      return { kind: 'refused', why: `What is kept as ${content.unread.blob} in deliveries cannot be read.` };
    return await queued(message, entry, deps);
  }
  if (known === undefined)
    return { kind: 'refused', why: `The settings name no source "${source}", so it cannot be asked.` };
  const message: AssetMessage =
    'claim' in content ? { ...head, claim: content.claim } : { ...head, events: [content.event] };
  return await queued(message, entry, deps);
}

async function queued(message: AssetMessage, entry: EventEntry, deps: ReplayDeps): Promise<ReplayResult> {
  const text = encodeMessage(message);
  if (text === undefined) return { kind: 'refused', why: 'It does not fit into a message.' };
  await deps.queue.send(text);
  const { summary, content } = entry;
  // A row of no source, or of something unreadable, is not the row of what is worked on now: it has done its part.
  if ('unread' in content || summary.reason?.code === 'unknown-source')
    await settleEvent(standIn(entry, message), { state: 'done', reason: null }, { countsAsTry: false }, deps);
  return { kind: 'queued' };
}

/** What was unreadable, as a message of the events that are read from it now. */
async function readAgain(
  blob: string,
  head: MessageHead,
  { sources, deliveries }: ReplayDeps,
): Promise<AssetMessage | undefined> {
  const body = await deliveries.get(blob);
  if (body === undefined) return undefined;
  const { receiver } = sources.get(head.source) ?? {};
  if (receiver !== undefined) {
    const { source, deliveryId, receivedAt } = head;
    const receipt = { source, deliveryId, receivedAt: new Date(receivedAt), eventName: body.eventName };
    const reading = receiver.read(body.bytes, receipt);
    if (reading.kind === 'events' && reading.events.length > 0)
      return { ...head, claim: { blob, from: 0, to: reading.events.length } };
  }
  const decoded = decodeMessage(readOwnJson(body.bytes));
  return decoded.kind === 'message' && sources.has(decoded.message.source)
    ? { ...decoded.message, attempt: 0, replayId: head.replayId, replayedAt: head.replayedAt }
    : undefined;
}

/** The row's own event, as far as it is known, as a copy that this replay may settle. */
function standIn({ summary, identifiers, content }: EventEntry, message: MessageHead): EventCopy {
  const { id, type, assetKind, assetId, occurredAt, source } = summary;
  const about = assetId === null ? {} : { assetId };
  const ofUnknownSource = summary.reason?.code === 'unknown-source' ? { ofUnknownSource: true as const } : {};
  return {
    event: { id, type, assetKind, ...about, occurredAt, identifiers: [...identifiers], data: {} },
    head: { ...message, source: source ?? '' },
    owner: message.deliveryId,
    content,
    ...ofUnknownSource,
  };
}
