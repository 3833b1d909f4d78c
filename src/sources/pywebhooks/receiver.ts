import { createHash } from 'node:crypto';
import type { SourceConfig } from '../../config.ts';
import { cleanText } from '../../pipeline/clean-text.ts';
import type { AssetEvent } from '../../pipeline/event.ts';
import { eventId } from '../../pipeline/event-id.ts';
import { readJson } from '../../pipeline/read-json.ts';
import type { Call, Reading, Receipt, Receiver, Verdict } from '../../pipeline/receiver.ts';
import type { WebhookSecrets } from '../../pipeline/secrets.ts';
import { signedByAny } from '../signed-by-any.ts';
import { pointedAt } from './payload.ts';

type PyWebhooksSettings = Pick<SourceConfig, 'pointers' | 'deduplicateMs'>;

/** PyWebhooks as a caller: an echo, new keys, and signed events that hold any JSON (reference/pywebhooks.md, sections 8, 9 and 13). */
export function pywebhooksReceiver(settings: PyWebhooksSettings): Receiver {
  return {
    methods: ['GET', 'POST'],
    judgeAlone,
    judge,
    // The claim check that keeps it has room for a name, not for whatever fits into a header.
    hint: ({ headers }) => headers.get('event')?.slice(0, longestName),
    read: (body, receipt) => read(body, receipt, settings),
    assetId,
  };
}

const longestName = 256;

const questions = ['echo', 'secret_key', 'api_key'] as const;

/** Section 8: a GET brings one of three things, and nothing proves any of them. */
function judgeAlone({ method, query }: Call): Verdict | undefined {
  if (method !== 'GET') return undefined;
  const asked = questions.flatMap((name) => query.getAll(name).map((value) => ({ name, value })));
  const [only, ...more] = asked;
  if (only === undefined || more.length > 0) return { kind: 'refused', status: 400, why: 'no-question' };
  if (only.name === 'echo') {
    // Section 13: 40 hex digits from the original; whatever else may come must be nothing that a browser or a shell reads.
    return /^[A-Za-z0-9_-]{1,128}$/.test(only.value)
      ? { kind: 'handshake', answer: { echo: only.value } }
      : { kind: 'refused', status: 400, why: 'echo-not-answerable' };
  }
  // Section 4.1.
  if (!/^[0-9a-f]{40}$/.test(only.value)) return { kind: 'refused', status: 400, why: 'malformed-key' };
  return {
    kind: 'secret-offered',
    which: only.name === 'secret_key' ? 'secret' : 'api-key',
    value: only.value,
  };
}

function judge({ headers, body }: Call, secrets: WebhookSecrets): Verdict {
  const signature = headers.get('pywebhooks-signature');
  if (signature === undefined) return { kind: 'not-proved', why: 'no-signature' };
  if (!/^[0-9a-f]{40}$/.test(signature)) return { kind: 'not-proved', why: 'malformed-signature' };
  return signedByAny(secrets, { hash: 'sha1', message: [body], signature })
    ? { kind: 'proved' }
    : { kind: 'not-proved', why: 'wrong-signature' };
}

function read(body: Uint8Array, receipt: Receipt, { pointers, deduplicateMs }: PyWebhooksSettings): Reading {
  const payload = readJson(body);
  if (payload === undefined) return { kind: 'unreadable', why: 'not-json' };
  const pointed = pointedAt(payload, pointers.assetId);
  const reference = pointed === undefined ? undefined : cleanText(pointed, 512);
  return {
    kind: 'events',
    events: [
      {
        ...identity(body, receipt, deduplicateMs),
        type: cleanText(
          receipt.hint === undefined || receipt.hint === '' ? 'event' : receipt.hint,
          longestName,
        ),
        ...(reference === undefined
          ? { assetKind: 'other' as const }
          : { assetKind: 'asset' as const, assetId: reference }),
        occurredAt: receipt.receivedAt.toISOString(),
        identifiers: [],
        data: isObject(payload) ? payload : { payload },
      },
    ],
  };
}

/**
 * Section 13: retries and equal triggers are the same bytes, so each delivery is an event of its own, unless a window
 * says otherwise. Then time is cut into windows, and an event may also be the one of the window before.
 */
function identity(
  body: Uint8Array,
  { source, deliveryId, receivedAt }: Receipt,
  windowMs: number,
): Pick<AssetEvent, 'id' | 'earlier'> {
  if (windowMs === 0) return { id: eventId(source, [deliveryId]) };
  const digest = createHash('sha256').update(body).digest('hex');
  const window = Math.floor(receivedAt.getTime() / windowMs);
  return {
    id: eventId(source, [digest, window]),
    earlier: {
      id: eventId(source, [digest, window - 1]),
      since: new Date(receivedAt.getTime() - windowMs + 1).toISOString(),
    },
  };
}

/** Any text can name an asset, as long as it can be shown and kept. */
function assetId(given: string): string | undefined {
  return given !== '' && given.length <= 512 && cleanText(given, 512) === given ? given : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
