import { createHash } from 'node:crypto';
import type { AssetEvent, Identifier } from '../../pipeline/model/event.ts';
import { sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import { eventIds } from '../../pipeline/model/event-id.ts';
import type {
  Call,
  CallHead,
  CallVerdict,
  Reading,
  Receipt,
  Receiver,
} from '../../pipeline/ports/receiver.ts';
import type { WebhookSecrets } from '../../pipeline/ports/secrets.ts';
import { isJsonObject, readJson, whyUnread } from '../../pipeline/model/read-json.ts';
import { textOf, timeOf } from '../parse-values.ts';
import { signatureIn } from '../verify-signature.ts';
import { challengeAnswer, isAnswerableCode, verifyEvent } from './signature.ts';

/** Preservica as a caller: the handshake and the signed event documents (README.md says what it relies on). */
export function preservicaReceiver({ handshake }: { handshake: 'strict' | 'lenient' }): Receiver {
  return {
    methods: ['POST'],
    verifyWithoutSecret: (head) => verifyWithoutSecret(head, handshake),
    unsignedBodyBytes: ({ query }) => (query.has('challengeCode') ? longestHandshakeBody : undefined),
    verify: (call, secrets) => verify(call, secrets, handshake),
    read,
    announcesThumbnail: ({ type }) => type === 'FULL_TEXT_INDEXED',
    assetId,
  };
}

// A handshake has no body; in lenient mode one may stand there, and is not looked at.
const longestHandshakeBody = 4096;

type Refusal = Exclude<CallVerdict, { kind: 'proved' | 'handshake' }>;

const signatureHeader = { header: 'preservica-signature', hexDigits: 64 };

function verifyWithoutSecret(head: CallHead, handshake: 'strict' | 'lenient'): Refusal | undefined {
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

function verify(call: Call, secrets: WebhookSecrets, handshake: 'strict' | 'lenient'): CallVerdict {
  const alone = verifyWithoutSecret(call, handshake);
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
  return verifyEvent(secrets, call.body, signature);
}

function read(body: Uint8Array, receipt: Receipt): Reading {
  const json = readJson(body);
  if (json === undefined) return { kind: 'unreadable', why: whyUnread(body) };
  if (!isJsonObject(json)) return { kind: 'unreadable', why: 'unknown-shape' };
  // Unknown members are kept, and what is missing or odd inside an item costs that item only.
  const { events: items, ...envelope } = json;
  if (items === undefined || items === null) return { kind: 'events', events: [] };
  if (!isListOfObjects(items) || items.length > fewItems + body.byteLength / bytesAnItem) {
    return { kind: 'unreadable', why: 'unknown-shape' };
  }
  const about = aboutAll(envelope, { body, receipt, count: items.length });
  return {
    kind: 'events',
    events: {
      length: items.length,
      slice: (from, to) => items.slice(from, to).map((item, at) => readItem(item, from + at, about)),
    },
  };
}

function assetId(given: string): string | undefined {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(given) ? given.toLowerCase() : undefined;
}

type Members = Readonly<Record<string, unknown>>;

// An item that names an entity has more bytes than these.
const bytesAnItem = 64;
const fewItems = 10_000;

function isListOfObjects(given: unknown): given is Members[] {
  return Array.isArray(given) && given.every(isJsonObject);
}

const assetKinds: Readonly<Record<string, AssetEvent['assetKind']>> = { IO: 'asset', SO: 'folder' };

/** What the events of one body share, found once. */
interface AboutAll {
  readonly trigger: string | undefined;
  readonly occurredAt: string;
  readonly data: Members;
  /** Undefined where the envelope lacks a part of what makes an event the same. */
  readonly idOf: ((reference: string) => string) | undefined;
  readonly idAt: (index: number) => string;
}

function aboutAll(
  envelope: Members,
  { body, receipt, count }: { body: Uint8Array; receipt: Receipt; count: number },
): AboutAll {
  const [subscription, timestamp, trigger] = ['subscriptionId', 'timestamp', 'trigger'].map((name) =>
    textOf(envelope[name]),
  );
  const whole = ![subscription, timestamp, trigger].includes(undefined);
  return {
    trigger,
    occurredAt: (readTimestamp(timestamp) ?? receipt.receivedAt).toISOString(),
    data: sharedData(envelope, body.byteLength / count),
    idOf: whole ? eventIds(receipt.source, [subscription, timestamp, trigger]) : undefined,
    idAt: eventIds(receipt.source, [createHash('sha256').update(body).digest('hex')]),
  };
}

const smallEnvelope = 512;
const knownMembers = ['subscriptionId', 'timestamp', 'tenant', 'version', 'trigger'];
const longestKnown = 128;

/**
 * What of the envelope goes into the data of every event. All of it, unless it is large and its copies together would be
 * more than the whole body: then the members that are known, where they are as short as Preservica's.
 */
function sharedData(envelope: Members, bytesEach: number): Members {
  if (Buffer.byteLength(JSON.stringify(envelope)) <= Math.max(smallEnvelope, bytesEach)) return envelope;
  return Object.fromEntries(
    knownMembers.flatMap((name) => {
      const value = textOf(envelope[name]);
      return value === undefined || value.length > longestKnown ? [] : [[name, value]];
    }),
  );
}

function readItem(
  item: Members,
  index: number,
  { trigger, occurredAt, data, idOf, idAt }: AboutAll,
): AssetEvent {
  const reference = textOf(item['entityRef']);
  const { identifiers, ...rest } = item;
  const known = textOf(item['entityType']);
  return {
    id: idOf === undefined || reference === undefined ? idAt(index) : idOf(reference.toLowerCase()),
    type: sanitizeText(trigger ?? textOf(item['event']) ?? 'unknown', 256),
    assetKind:
      (known !== undefined && Object.hasOwn(assetKinds, known) ? assetKinds[known] : undefined) ?? 'other',
    ...(reference === undefined ? {} : { assetId: sanitizeText(assetId(reference) ?? reference, 512) }),
    occurredAt,
    identifiers: readIdentifiers(identifiers),
    data: { ...data, ...rest },
  };
}

/**
 * `{"BatchId":"B-0042"}` most likely, `{"type":…,"value":…}` in either case as well, and one by itself. An ingest that failed
 * has no asset to ask for: these are all that is known of it.
 */
function readIdentifiers(given: unknown): Identifier[] {
  return (Array.isArray(given) ? given : [given]).flatMap((item: unknown): Identifier[] => {
    if (!isJsonObject(item)) return [];
    const type = item['type'] ?? item['Type'];
    const value = valueOf(item['value'] ?? item['Value']);
    if (typeof type === 'string' && value !== undefined) return [identifierOf(type, value)];
    return Object.entries(item).flatMap(([key, each]) => {
      const text = valueOf(each);
      return text === undefined ? [] : [identifierOf(key, text)];
    });
  });
}

function valueOf(given: unknown): string | undefined {
  if (typeof given === 'number') return String(given);
  return typeof given === 'string' ? given : undefined;
}

function identifierOf(type: string, value: string): Identifier {
  return { type: sanitizeText(type, 1024), value: sanitizeText(value, 10_000) };
}

/** Local-looking ISO date-time without a zone, to be read as UTC; other fraction lengths and a zone may come. */
function readTimestamp(given: unknown): Date | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?$/i.exec(
    textOf(given) ?? '',
  );
  if (match === null) return undefined;
  const [, seconds = '', fraction = '', zone = 'Z'] = match;
  const colonZone = zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2').toUpperCase();
  return timeOf(Date.parse(`${seconds.toUpperCase()}${fraction.slice(0, 4)}${colonZone}`));
}
