import { createHash } from 'node:crypto';
import type { AssetEvent } from '../../pipeline/model/event.ts';
import { sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import { eventId } from '../../pipeline/model/event-id.ts';
import { isJsonObject, parseLenientJson, whyUnread } from '../../pipeline/model/read-json.ts';
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
import { textOf, timeOf } from '../parse-values.ts';
import { signatureIn, verifySignature } from '../verify-signature.ts';

/** WoodWing Assets as a caller: one signed event a call, and no handshake (README.md says what it relies on). */
export const woodwingReceiver: Receiver = {
  methods: ['POST'],
  verifyWithoutSecret,
  verify,
  read,
  announcesThumbnail,
  assetId,
};

const signatureHeader = { header: 'x-hook-signature', hexDigits: 64 };

function verifyWithoutSecret(head: CallHead): HeadVerdict | undefined {
  const signature = signatureIn(head, signatureHeader);
  return typeof signature === 'string' ? undefined : signature;
}

function verify(call: Call, secrets: WebhookSecrets): CallVerdict {
  const signature = signatureIn(call, signatureHeader);
  if (typeof signature !== 'string') return signature;
  return verifySignature(secrets, { hash: 'sha256', message: [call.body], signature });
}

function read(body: Uint8Array, { source, deliveryId, receivedAt }: Receipt): Reading {
  const payload = parseLenientJson(body);
  if (payload === undefined) return { kind: 'unreadable', why: whyUnread(body) };
  if (!isJsonObject(payload)) return { kind: 'unreadable', why: 'unknown-shape' };

  const type = textOf(payload['type']) ?? 'unknown';
  const reference = textOf(payload['assetId']);
  const about = subject(type, reference);
  const { timestamp } = payload;
  // Unix time in milliseconds.
  const time = typeof timestamp === 'number' ? timeOf(timestamp) : undefined;
  // Nothing names a delivery. A body that holds its time is the same event when it comes again.
  const sameness =
    timestamp === undefined || timestamp === null
      ? deliveryId
      : createHash('sha256').update(body).digest('hex');
  const event: AssetEvent = {
    id: eventId(source, [sameness]),
    type: sanitizeText(type, 256),
    ...about,
    occurredAt: (time ?? receivedAt).toISOString(),
    ...(time === undefined ? { timeUnknown: true } : {}),
    identifiers: [],
    ...(type === 'asset_remove' ? { removal: true } : {}),
    data: payload,
  };
  return { kind: 'events', events: [event] };
}

function announcesThumbnail({ data }: AssetEvent): boolean {
  const { changedMetadata: changed } = data;
  const state = isJsonObject(changed) ? changed['previewState'] : undefined;
  return isJsonObject(state) && state['newValue'] === 'yes';
}

function assetId(given: string): string | undefined {
  return /^[A-Za-z0-9_-]{22}$/.test(given) ? given : undefined;
}

/** How a folder or a Share Link is named in their events is unknown, so they are of no asset. */
function subject(type: string, reference: string | undefined): Pick<AssetEvent, 'assetKind' | 'assetId'> {
  if (type.startsWith('folder_')) return { assetKind: 'folder' };
  if (type.startsWith('authkey_') || reference === undefined) return { assetKind: 'other' };
  return { assetKind: 'asset', assetId: sanitizeText(reference, 512) };
}
