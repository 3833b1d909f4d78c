import { createHash } from 'node:crypto';
import { sanitizeText, cutText } from '../../pipeline/model/sanitize-text.ts';
import { eventId } from '../../pipeline/model/event-id.ts';
import { readJson, whyUnread } from '../../pipeline/model/read-json.ts';
import type {
  Call,
  CallHead,
  CallVerdict,
  HeadVerdict,
  Reading,
  Receipt,
  Receiver,
} from '../../pipeline/ports/receiver.ts';
import type { WebhookSecrets } from '../../pipeline/ports/secrets.ts';
import { signatureIn, verifySignature } from '../verify-signature.ts';
import { dataOf, idAt } from './payload.ts';
import type { PyWebhooksSource } from './settings.ts';

type PyWebhooksSettings = Pick<PyWebhooksSource, 'pointers' | 'deduplicateMs'>;

/** PyWebhooks as a caller: an echo, new keys, and signed events that hold any JSON (README.md says what it relies on). */
export function pywebhooksReceiver(settings: PyWebhooksSettings): Receiver {
  return {
    methods: ['GET', 'POST'],
    verifyWithoutSecret,
    verify,
    // The claim check that keeps it has room for a name, not for whatever fits into a header.
    eventName({ headers }) {
      const event = headers.get('event');
      return event === undefined ? undefined : cutText(event, longestName);
    },
    read: (body, receipt) => read(body, receipt, settings),
    assetId,
  };
}

const longestName = 256;
const longestId = 512;

const questions = ['echo', 'secret_key', 'api_key'] as const;

const signatureHeader = { header: 'pywebhooks-signature', hexDigits: 40 };

/** A GET brings one of three things, and nothing proves any of them; a POST is signed. */
function verifyWithoutSecret(head: CallHead): HeadVerdict | undefined {
  if (head.method !== 'GET') {
    const signature = signatureIn(head, signatureHeader);
    return typeof signature === 'string' ? undefined : signature;
  }
  const asked = questions.flatMap((name) => head.query.getAll(name).map((value) => ({ name, value })));
  const [only, ...more] = asked;
  if (only === undefined || more.length > 0) return { kind: 'refused', why: 'no-question' };
  if (only.name === 'echo') {
    // 40 hex digits from the original; whatever else may come must be nothing that a browser or a shell reads.
    return /^[A-Za-z0-9_-]{1,128}$/.test(only.value)
      ? { kind: 'handshake', answer: { echo: only.value } }
      : { kind: 'refused', why: 'echo-not-answerable' };
  }
  if (!/^[0-9a-f]{40}$/.test(only.value)) return { kind: 'refused', why: 'malformed-key' };
  return {
    kind: 'secret-offered',
    which: only.name === 'secret_key' ? 'secret' : 'api-key',
    value: only.value,
  };
}

function verify(call: Call, secrets: WebhookSecrets): CallVerdict {
  const signature = signatureIn(call, signatureHeader);
  if (typeof signature !== 'string') return signature;
  return verifySignature(secrets, { hash: 'sha1', message: [call.body], signature });
}

function read(body: Uint8Array, receipt: Receipt, { pointers, deduplicateMs }: PyWebhooksSettings): Reading {
  const payload = readJson(body);
  if (payload === undefined) return { kind: 'unreadable', why: whyUnread(body) };
  const reference = idAt(payload, pointers.assetId);
  return {
    kind: 'events',
    events: [
      {
        // Retries and equal triggers are the same bytes, so each delivery is an event of its own, unless a
        // window says otherwise.
        id: eventId(receipt.source, [receipt.deliveryId]),
        ...(deduplicateMs === 0
          ? {}
          : { dedupe: { key: createHash('sha256').update(body).digest('hex'), windowMs: deduplicateMs } }),
        type: sanitizeText(
          receipt.eventName === undefined || receipt.eventName === '' ? 'event' : receipt.eventName,
          longestName,
        ),
        ...(reference === undefined
          ? { assetKind: 'other' as const }
          : // What is cleaned away, or stands beyond what an id may have, leaves an impossible one, and not another's.
            { assetKind: 'asset' as const, assetId: sanitizeText(reference, longestId + 2) }),
        occurredAt: receipt.receivedAt.toISOString(),
        identifiers: [],
        data: dataOf(payload),
      },
    ],
  };
}

/** Any text can name an asset, as long as it can be shown and kept; a replacement character stands for what cannot. */
function assetId(given: string): string | undefined {
  const possible = given !== '' && given.length <= longestId && !given.includes('\ufffd');
  return possible && sanitizeText(given, longestId) === given ? given : undefined;
}
