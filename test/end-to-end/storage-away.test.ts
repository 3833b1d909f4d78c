import { createHmac } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { signEvent } from '../../src/local/simulators/preservica/sender.ts';
import { startAppUnderTest, until, webhookSecret, type AppUnderTest } from '../support/app-under-test.ts';

let app: AppUnderTest;
beforeAll(async () => {
  app = await startAppUnderTest({
    LOCAL_QUEUE_LEASE_SECONDS: '2',
    AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:00:01',
  });
  expect(await app.subscribe()).toBe(200);
});

it('while storage is away: 503 in time, nothing claimed to be kept, alive; afterwards everything', async () => {
  const asset = app.preservica.library.addAsset({ title: 'Sent while storage was away' });
  await app.azurite.pause();

  const { sent, settings } = app.preservica;
  settings.retryDelaysMs = Array.from({ length: 60 }, () => 500);
  const before = sent.length;
  const happening = app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
  await until(async () => (sent.length >= before + 2 ? true : undefined));
  expect(sent.slice(before, before + 2).map(({ status }) => status)).toEqual([503, 503]);

  const body = Buffer.from('no json');
  const startedAt = performance.now();
  const unreadable = await fetch(`${app.host.url}/webhooks/archive`, {
    method: 'POST',
    headers: { 'Preservica-Signature': signEvent(webhookSecret, body) },
    body,
  });
  expect(unreadable.status).toBe(503);
  expect(Number(unreadable.headers.get('retry-after'))).toBeGreaterThan(0);
  // The contract's deadline.
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(await app.get('/health')).toMatchObject({ status: 200, json: { status: 'ok' } });
  expect(await app.get('/events')).toMatchObject({ status: 503 });
  const handshake = await fetch(`${app.host.url}/webhooks/archive?challengeCode=abc`, { method: 'POST' });
  expect(await handshake.json()).toEqual({
    challengeCode: 'abc',
    challengeResponse: createHmac('sha256', webhookSecret).update('abc').digest('hex'),
  });

  await app.azurite.resume();
  await happening;
  expect(sent.at(-1)).toMatchObject({ kind: 'event', status: 200 });
  const event = await until(async () => (await app.events(`&assetId=${asset.ref}&state=done`))[0]);
  expect(event).toMatchObject({ title: asset.title });
  expect(await app.record(asset.ref)).toMatchObject({ title: asset.title });
});
