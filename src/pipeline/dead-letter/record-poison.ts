import { copyOf } from '../process/event-copy.ts';
import { decodeMessage } from '../model/message.ts';
import { readJson } from '../model/read-json.ts';
import { failJob } from '../process/jobs.ts';
import { recordLost, recordUnknownSource, recordUnreadable } from './record-unreadable.ts';
import { splitDelivery } from '../process/split-delivery.ts';
import { settleEvent } from '../process/settle-event.ts';
import type { ProcessDeps } from '../process/process-deps.ts';

const reason = {
  code: 'poison',
  text: 'Every try to handle it failed inside this app or at its own storage; the log of that time says how.',
} as const;

export type PoisonDeps = Omit<ProcessDeps, 'assets' | 'coalescer' | 'newId'>;

/**
 * Writes down what the platform gave up on, so that it is seen and can be replayed: one failed row an event, unless
 * it has ended otherwise. `text` is the message as it stood in the queue. Answers whether all of it is on record;
 * where somebody still works on an event, it is not yet.
 */
export async function recordPoison(
  { text, messageId }: { text: string; messageId: string },
  deps: PoisonDeps,
): Promise<'recorded' | 'not-yet'> {
  const item = fromBase64(text);
  const decoded = decodeMessage(item);
  if (decoded.kind === 'deliveries') {
    for (const delivery of decoded.deliveries) await deps.queue.send(JSON.stringify(delivery));
    return 'recorded';
  }
  if (decoded.kind === 'job') {
    await failJob(decoded.message, reason, deps);
    return 'recorded';
  }
  if (decoded.kind !== 'message') {
    await recordUnreadable({ item, messageId }, deps, `undecodable-${messageId}`);
    return 'recorded';
  }
  const source = deps.sources.get(decoded.message.source);
  if (source === undefined) {
    await recordUnknownSource(decoded.message, { item, messageId }, deps);
    return 'recorded';
  }
  const { events: inline, claim, ...head } = decoded.message;
  const events =
    inline ?? (claim === undefined ? [] : await deps.claimedEvents(head, claim, source.receiver));
  if (events.length === 0) {
    await recordLost(head, reason, { claim, arrival: { item, messageId } }, deps);
    return 'recorded';
  }
  if (events.length > 1 && head.fromPoison === undefined) {
    // Their own messages may be on their way: each is worked on, or given up, by itself.
    for (const part of splitDelivery({ ...head, fromPoison: true }, events, claim))
      await deps.queue.send(part.text);
    return 'recorded';
  }
  let held = false;
  for (let index = 0; index < events.length; index += 1) {
    const [event] = events.slice(index, index + 1);
    if (event === undefined) break;
    const own = claim && { ...claim, from: claim.from + index, to: claim.from + index + 1 };
    const copy = await copyOf(event, { head, claim: own, owner: messageId }, deps.ledger);
    const claimed = await settleEvent(copy, { state: 'failed', reason }, { countsAsTry: false }, deps);
    held ||= claimed.kind === 'held';
  }
  return held ? 'not-yet' : 'recorded';
}

/** What the platform would have made of the text: JSON where it is some, else text; the text as it stands where it is no base64. */
function fromBase64(text: string): unknown {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return text;
  const bytes = Buffer.from(text, 'base64');
  return readJson(bytes) ?? bytes.toString('utf8');
}
