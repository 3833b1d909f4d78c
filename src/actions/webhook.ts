import * as z from 'zod';
import { AssetRecord } from '../pipeline/model/record.ts';
import { actionKind, type Occasion } from '../pipeline/ports/action.ts';
import { webAddress } from '../pipeline/ports/setting-values.ts';
import { refusalOf } from './answered.ts';
import { signedHeaders, signingKey } from './standard-webhooks.ts';

/** What `GET /schemas/asset-event.json` answers. */
export function assetEventSchema(): object {
  return z.toJSONSchema(AssetEventDocument, { io: 'input', unrepresentable: 'any' });
}

/** The document that is sent: a CloudEvent (1.0, structured) of what happened to an asset, with what is known of it. */
export const AssetEventDocument = z.object({
  specversion: z.literal('1.0'),
  /** The same at every try. */
  id: z.string(),
  /** `/sources/{name}`. */
  source: z.string(),
  type: z.enum(['asset.changed', 'asset.removed']),
  /** The asset's id at its source. */
  subject: z.string(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  data: z.object({
    record: AssetRecord,
    event: z.object({ id: z.string(), type: z.string(), occurredAt: z.string(), receivedAt: z.string() }),
  }),
});
type AssetEventDocument = z.infer<typeof AssetEventDocument>;

const mostBytes = 262_144;

/** Tells another system of every asset: an HTTP POST that is signed by Standard Webhooks. */
export const webhook = actionKind({
  settings: z.object({
    URL: webAddress,
    ALLOW_HOST: z.string().max(300, 'must be a host such as hooks.example.org:8443').optional(),
  }),
  secrets: { secret: 'with-previous' },
  sendsOutside: true,
  async run(record, occasion, { settings, call, secret, now }) {
    const secrets = await secret('secret');
    const keys = secrets.map(signingKey).filter((key) => key !== undefined);
    if (keys.length === 0 || keys.length < secrets.length)
      return {
        kind: 'failed',
        text: 'There is no secret to sign with: whsec_ and the Base64 of 24 to 64 bytes is wanted.',
      };
    const body = documentOf(record, occasion);
    if (body === undefined)
      return { kind: 'failed', text: `What is known of the asset is larger than ${mostBytes} bytes.` };
    const answer = await call({
      method: 'POST',
      url: settings.URL,
      allowedHost: settings.ALLOW_HOST,
      headers: {
        'content-type': 'application/cloudevents+json; charset=UTF-8',
        ...signedHeaders(keys, { id: occasion.idempotencyKey, body, now: now() }),
      },
      body,
    });
    return (
      refusalOf('The receiver', answer) ?? {
        kind: 'done',
        text: `Sent; the receiver answered ${answer.status}.`,
      }
    );
  },
});

/** Undefined where even without its files the record is too large. */
function documentOf(record: AssetRecord, { event, idempotencyKey }: Occasion): string | undefined {
  const document: AssetEventDocument = {
    specversion: '1.0',
    id: idempotencyKey,
    source: `/sources/${record.source}`,
    type: record.deleted ? 'asset.removed' : 'asset.changed',
    subject: record.assetId,
    time: event.occurredAt,
    datacontenttype: 'application/json',
    data: { record, event },
  };
  const whole = JSON.stringify(document);
  if (Buffer.byteLength(whole) <= mostBytes) return whole;
  const short = JSON.stringify({
    ...document,
    data: { event, record: { ...record, files: [], filesTruncated: true, details: {} } },
  });
  return Buffer.byteLength(short) <= mostBytes ? short : undefined;
}
