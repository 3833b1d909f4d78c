import { QueueServiceClient } from '@azure/storage-queue';
import { createHmac, randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import type { Entity } from '../../src/local/simulators/preservica/library.ts';
import { startAppUnderTest, until, webhookSecret, type AppUnderTest } from '../support/app-under-test.ts';

let app: AppUnderTest;
beforeAll(async () => {
  app = await startAppUnderTest({ RETRY_DELAYS_SECONDS: '1,1' });
  expect(await app.subscribe()).toBe(200);
});

type Line = Readonly<Record<string, unknown>>;

/** The lines of that name that the app has written to its output. */
const linesOf = (name: string): Line[] =>
  app.host.lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
    .filter(({ event }) => event === name);

it('says of every event how it ended, in one line each', async () => {
  const { library } = app.preservica;
  const away = library.addAsset({ title: 'Away' });
  const assets: Record<string, Entity> = {
    'done –': library.addAsset({ title: 'Harbour' }),
    'ignored not-found': { ...library.addAsset({ title: 'Gone' }), ref: randomUUID() },
    'failed no-permission': library.addAsset({ title: 'Closed' }),
    'failed gave-up': away,
  };
  app.preservica.fault({ kind: 'status', status: 500, path: new RegExp(away.ref) });
  const closed = assets['failed no-permission']?.ref ?? '';
  app.preservica.fault({ kind: 'status', status: 403, path: new RegExp(closed) });
  await app.preservica.happen('FULL_TEXT_INDEXED', Object.values(assets));

  const body = 'signed, and no JSON';
  const signature = createHmac('sha256', webhookSecret).update('preservica-webhook-auth').update(body);
  const headers = { 'preservica-signature': signature.digest('hex') };
  const refused = await fetch(`${app.host.url}/webhooks/archive`, { method: 'POST', headers, body });
  expect(refused.status).toBe(400);
  const service = QueueServiceClient.fromConnectionString(app.azurite.connectionString);
  await service.getQueueClient('asset-events').sendMessage(Buffer.from('no message').toString('base64'));

  const events = await app.settled(6);
  const ended = await until(async () => {
    const lines = linesOf('event-ended');
    return lines.length >= events.length ? lines : undefined;
  });
  expect(ended).toHaveLength(events.length);
  for (const { id, source, type, state, reason, attempts, deliveryId, receivedAt, finishedAt } of events) {
    expect(ended.filter(({ eventId }) => eventId === id)).toEqual([
      {
        event: 'event-ended',
        source,
        eventId: id,
        delivery: deliveryId,
        type,
        state,
        ...(reason === null ? {} : { code: reason.code }),
        attempts,
        lagMs: Date.parse(finishedAt ?? '') - Date.parse(receivedAt),
      },
    ]);
  }
  expect(new Set(ended.map(({ state, code = '–' }) => `${String(state)} ${String(code)}`))).toEqual(
    new Set([...Object.keys(assets), 'failed unreadable']),
  );
  expect(linesOf('event-waiting')).toMatchObject([
    { state: 'waiting', code: 'source-unavailable', attempts: 1 },
    { state: 'waiting', code: 'source-unavailable', attempts: 2 },
  ]);
});
