import { QueueServiceClient } from '@azure/storage-queue';
import { randomUUID } from 'node:crypto';
import { eventId } from '../../pipeline/model/event-id.ts';

/** A message that no delivery brought, and the row that it must end as. */
export interface Planted {
  readonly what: string;
  readonly text: string;
  readonly code: string;
  /** Stands in the message, and in no other. */
  readonly mark: string;
  /** Its event, where the message names one. */
  readonly eventId?: string;
}

/** Messages of a later version, of an unknown source, and some that nobody can read. */
export function plantedMessages(): Planted[] {
  const base64 = (message: unknown): string => Buffer.from(JSON.stringify(message)).toString('base64');
  const head = (source: string) => ({
    deliveryId: randomUUID(),
    source,
    receivedAt: new Date().toISOString(),
    attempt: 0,
    replayId: null,
  });
  const event = (id: string) => ({
    id,
    type: 'MOVED',
    assetKind: 'asset',
    assetId: randomUUID(),
    occurredAt: new Date().toISOString(),
    identifiers: [],
    data: {},
  });
  const marked = (
    what: string,
    code: string,
    make: (mark: string) => { text: string; eventId?: string },
  ): Planted => {
    const mark = randomUUID();
    return { what, code, mark, ...make(mark) };
  };
  const named = (v: number, source: string, mark: string) => {
    const id = eventId(source, [mark]);
    return { eventId: id, text: base64({ v, ...head(source), events: [event(id)], mark }) };
  };
  return [
    marked('version 3, which names its event', 'unreadable', (mark) => named(3, 'archive', mark)),
    marked('version 3, of another shape', 'unreadable', (mark) => ({ text: base64({ v: 3, mark }) })),
    marked('an unknown source', 'unknown-source', (mark) => named(1, 'elsewhere', mark)),
    marked('no base64', 'unreadable', (mark) => ({ text: `no base64: ${mark}` })),
    marked('no UTF-8', 'unreadable', (mark) => ({
      text: Buffer.concat([Buffer.from([0xff, 0xfe, 0xc3, 0x28]), Buffer.from(mark)]).toString('base64'),
    })),
    marked('no JSON', 'unreadable', (mark) => ({ text: Buffer.from(`no JSON: ${mark}`).toString('base64') })),
  ];
}

/** Puts them on the queue past the app. */
export async function plant(storage: string, messages: readonly Planted[]): Promise<void> {
  const queue = QueueServiceClient.fromConnectionString(storage).getQueueClient('asset-events');
  await queue.createIfNotExists();
  for (const { text } of messages) await queue.sendMessage(text, { messageTimeToLive: -1 });
}
