import type { DequeuedMessageItem } from '@azure/storage-queue';
import { BindingData } from './binding-data.ts';
import type { TypedData } from './core-types.ts';
import { jsonObject } from './json-object.ts';

export type MessageText =
  | { kind: 'text'; text: string }
  /** No attempt can make sense of it: it goes to the poison queue without a call. */
  | { kind: 'not-base64' }
  /** Counts as a failed attempt each time, without a call. */
  | { kind: 'not-utf8' };

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function readMessage(messageText: string, encoding: 'base64' | 'none'): MessageText {
  if (encoding === 'none') return { kind: 'text', text: messageText };
  const compact = messageText.replaceAll(/\s+/g, '');
  if (!base64.test(compact)) return { kind: 'not-base64' };
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(compact, 'base64'),
    );
    return { kind: 'text', text };
  } catch {
    return { kind: 'not-utf8' };
  }
}

/** What the platform tells a queue function about its message. A member of the message wins over the platform's own. */
export function queueMetadata(message: DequeuedMessageItem, text: string): Record<string, TypedData> {
  const data = new BindingData();
  data.set('QueueTrigger', { string: text });
  data.set('DequeueCount', { int: message.dequeueCount });
  data.set('Id', { string: message.messageId });
  data.set('PopReceipt', { string: message.popReceipt });
  data.set('InsertionTime', time(message.insertedOn));
  data.set('ExpirationTime', time(message.expiresOn));
  data.set('NextVisibleTime', time(message.nextVisibleOn));
  for (const [name, value] of Object.entries(jsonObject(text) ?? {})) {
    data.set(name, typeof value === 'string' ? { string: value } : { json: JSON.stringify(value) });
  }
  return data.toMetadata();
}

function time(at: Date): TypedData {
  return { json: JSON.stringify(at.toISOString().replace(/Z$/, '+00:00')) };
}
