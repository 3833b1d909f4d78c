import pLimit from 'p-limit';
import type { Entity } from './library.ts';
import { post } from '../post.ts';
import { signEvent, type Sent } from './sender.ts';
import { pause } from '../faults.ts';
import type { Settings } from './settings.ts';
import { triggers, type Subscription } from './webhook-api.ts';

/** Sends what happened to every subscription of that trigger, as the settings say; resolves when all is sent. */
export async function deliverEvents(
  trigger: string,
  entities: readonly Entity[],
  about: {
    subscriptions: Iterable<Subscription>;
    settings: Settings;
    sent: (sent: Sent) => void;
    closed: AbortSignal;
  },
): Promise<void> {
  const { settings } = about;
  const wanting = [...about.subscriptions].filter(({ triggerType }) => triggerType === trigger);
  const bodies = wanting.flatMap((subscription) =>
    documentsOf(trigger, entities, subscription, settings).flatMap((document) =>
      Array.from({ length: settings.copies }, () => ({ subscription, document })),
    ),
  );
  if (settings.shuffled) bodies.sort(() => Math.random() - 0.5);
  const limit = pLimit(settings.deliveriesAtOnce);
  await Promise.all(
    bodies.map(({ subscription, document }) =>
      limit(() => deliver(subscription, Buffer.from(JSON.stringify(document)), about)),
    ),
  );
}

async function deliver(
  { url, secret }: Subscription,
  body: Buffer,
  { settings, sent, closed }: { settings: Settings; sent: (sent: Sent) => void; closed: AbortSignal },
): Promise<void> {
  const headers = {
    'Content-Type': 'application/json',
    'Preservica-Signature': signEvent(secret, body, settings.encoding),
  };
  for (const delayMs of [0, ...settings.retryDelaysMs]) {
    await pause(delayMs, closed);
    if (closed.aborted) return;
    const { framing, answerWithinMs } = settings;
    const { status, body: answer } = await post(url, {
      body,
      headers,
      framing,
      answerWithinMs,
      ended: closed,
    });
    if (closed.aborted) return;
    sent({ kind: 'event', url, status, body: answer });
    if (status >= 200 && status < 300) return;
  }
}

function documentsOf(
  trigger: string,
  entities: readonly Entity[],
  subscription: Subscription,
  settings: Settings,
): object[] {
  const batches = [];
  for (let from = 0; from < entities.length; from += settings.batch)
    batches.push(entities.slice(from, from + settings.batch));
  return batches.map((batch) => ({
    subscriptionId: subscription.id,
    timestamp: new Date().toISOString().replace('Z', ''),
    tenant: settings.account.tenant,
    version: settings.version,
    events: batch.map((entity) => ({
      event: triggers[trigger] ?? trigger,
      entityType: entity.code,
      entityRef: entity.ref,
      ...(subscription.includeIdentifiers && settings.identifiers !== 'none'
        ? {
            identifiers: entity.identifiers.map(({ type, value }) =>
              settings.identifiers === 'by-type' ? { [type]: value } : { type, value },
            ),
          }
        : {}),
    })),
    trigger,
  }));
}
