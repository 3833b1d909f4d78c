import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { AssetEvent, Identifier } from '../../pipeline/event.ts';
import { cleanText } from '../../pipeline/clean-text.ts';
import { eventId } from '../../pipeline/event-id.ts';
import type { Call, CallHead, CallVerdict, Reading, Receipt, Receiver } from '../../pipeline/receiver.ts';
import type { WebhookSecrets } from '../../pipeline/secrets.ts';
import { isJsonObject, readJson } from '../../pipeline/read-json.ts';
import { textOf, timeOf } from '../event-values.ts';
import { signatureIn } from '../signed-by-any.ts';
import { challengeAnswer, isAnswerableCode, signedEvent } from './signature.ts';

/** Preservica as a caller: the handshake and the signed event documents (reference/preservica.md, section 2). */
export function preservicaReceiver({ handshake }: { handshake: 'strict' | 'lenient' }): Receiver {
  return {
    methods: ['POST'],
    judgeAlone: (head) => judgeAlone(head, handshake),
    unsignedBodyBytes: ({ query }) => (query.has('challengeCode') ? longestHandshakeBody : undefined),
    judge: (call, secrets) => judge(call, secrets, handshake),
    read,
    assetId,
  };
}

// A handshake has no body; in lenient mode one may stand there, and is not looked at.
const longestHandshakeBody = 4096;

type Refusal = Exclude<CallVerdict, { kind: 'proved' | 'handshake' }>;

const signatureHeader = { header: 'preservica-signature', hexDigits: 64 };

function judgeAlone(head: CallHead, handshake: 'strict' | 'lenient'): Refusal | undefined {
  if (!head.query.has('challengeCode')) {
    const signature = signatureIn(head, signatureHeader);
    return typeof signature === 'string' ? undefined : signature;
  }
  const [code, ...more] = head.query.getAll('challengeCode');
  if (code === undefined || more.length > 0 || !isAnswerableCode(code)) {
    return { kind: 'refused', why: 'challenge-code-not-answerable' };
  }
  return handshake === 'strict' && head.headers.has(signatureHeader.header)
    ? { kind: 'refused', why: 'challenge-with-signature-or-body' }
    : undefined;
}

function judge(call: Call, secrets: WebhookSecrets, handshake: 'strict' | 'lenient'): CallVerdict {
  const alone = judgeAlone(call, handshake);
  if (alone !== undefined) return alone;
  const code = call.query.get('challengeCode');
  if (code !== null) {
    if (handshake === 'strict' && call.body.byteLength > 0) {
      return { kind: 'refused', why: 'challenge-with-signature-or-body' };
    }
    const answer = { challengeCode: code, challengeResponse: challengeAnswer(secrets[0], code) };
    return { kind: 'handshake', answer };
  }
  const signature = call.headers.get(signatureHeader.header) ?? '';
  return signedEvent(secrets, call.body, signature)
    ? { kind: 'proved' }
    : { kind: 'not-proved', why: 'wrong-signature' };
}

function read(body: Uint8Array, receipt: Receipt): Reading {
  const json = readJson(body);
  if (json === undefined) return { kind: 'unreadable', why: 'not-json' };
  const document = EventDocument.safeParse(json);
  if (!document.success) return { kind: 'unreadable', why: 'unknown-shape' };
  const { events: items, ...envelope } = document.data;
  if (items === undefined || items === null) return { kind: 'events', events: [] };

  const time = readTimestamp(envelope['timestamp']);
  const bodyDigest = createHash('sha256').update(body).digest('hex');
  const events = items.map((item, index) => readItem(item, { envelope, time, receipt, bodyDigest, index }));
  return { kind: 'events', events };
}

/** Section 3.1: references are UUIDs, written in lower case. */
function assetId(given: string): string | undefined {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(given) ? given.toLowerCase() : undefined;
}

type Members = Record<string, unknown>;

// Section 2.8: unknown members are kept, and what is missing or odd inside an item costs that item only.
const EventDocument = z.looseObject({ events: z.array(z.looseObject({})).nullish() });

const assetKinds: Readonly<Record<string, AssetEvent['assetKind']>> = { IO: 'asset', SO: 'folder' };

function readItem(
  item: Members,
  about: { envelope: Members; time: Date | undefined; receipt: Receipt; bodyDigest: string; index: number },
): AssetEvent {
  const { envelope, time, receipt, bodyDigest, index } = about;
  const trigger = textOf(envelope['trigger']);
  const reference = textOf(item['entityRef']);
  const same = [
    textOf(envelope['subscriptionId']),
    textOf(envelope['timestamp']),
    trigger,
    reference?.toLowerCase(),
  ];
  const { identifiers, ...rest } = item;
  const known = textOf(item['entityType']);
  return {
    id: same.includes(undefined)
      ? eventId(receipt.source, [bodyDigest, index])
      : eventId(receipt.source, same),
    type: cleanText(trigger ?? textOf(item['event']) ?? 'unknown', 256),
    assetKind:
      (known !== undefined && Object.hasOwn(assetKinds, known) ? assetKinds[known] : undefined) ?? 'other',
    ...(reference === undefined ? {} : { assetId: cleanText(assetId(reference) ?? reference, 512) }),
    occurredAt: (time ?? receipt.receivedAt).toISOString(),
    identifiers: readIdentifiers(identifiers),
    data: { ...envelope, ...rest },
  };
}

/** Section 2.8: `{"BatchId":"B-0042"}` most likely, `{"type":…,"value":…}` in either case as well. */
function readIdentifiers(given: unknown): Identifier[] {
  if (!Array.isArray(given)) return [];
  return given.flatMap((item: unknown): Identifier[] => {
    if (!isJsonObject(item)) return [];
    const members = new Map(Object.entries(item));
    const type = members.get('type') ?? members.get('Type');
    const value = members.get('value') ?? members.get('Value');
    if (typeof type === 'string' && typeof value === 'string') return [identifierOf(type, value)];
    return [...members].flatMap(([key, each]) => (typeof each === 'string' ? [identifierOf(key, each)] : []));
  });
}

function identifierOf(type: string, value: string): Identifier {
  return { type: cleanText(type, 1024), value: cleanText(value, 10_000) };
}

/** Section 2.8: local-looking ISO date-time without a zone, to be read as UTC; other fraction lengths and a zone may come. */
function readTimestamp(given: unknown): Date | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?$/i.exec(
    textOf(given) ?? '',
  );
  if (match === null) return undefined;
  const [, seconds = '', fraction = '', zone = 'Z'] = match;
  const colonZone = zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2').toUpperCase();
  return timeOf(Date.parse(`${seconds.toUpperCase()}${fraction.slice(0, 4)}${colonZone}`));
}
