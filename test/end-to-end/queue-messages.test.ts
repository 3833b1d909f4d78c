import { QueueServiceClient } from '@azure/storage-queue';
import { beforeAll, expect, it } from 'vitest';
import { startAppUnderTest, until, type AppUnderTest } from '../support/app-under-test.ts';

let app: AppUnderTest;
const base64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');

beforeAll(async () => {
  app = await startAppUnderTest();
});

it('records whatever stands in the queue and is no event, once, and goes on', async () => {
  const service = QueueServiceClient.fromConnectionString(app.azurite.connectionString);
  const queue = service.getQueueClient('asset-events');
  await queue.createIfNotExists();
  // The one without base64 goes to the poison queue, and is found there by a timer within a minute.
  const messages = [
    'no base64, no JSON!',
    base64('hello'),
    base64('"hello"'),
    base64({ v: 1, events: [] }),
    base64([1, 2]),
    base64(7),
  ];
  for (const message of messages) await queue.sendMessage(message);
  const later = base64({ v: 2, something: 'new' });
  await queue.sendMessage(later);

  // The text and the JSON of it reach a function as the same thing.
  const rows = await until(async () => {
    const found = await app.events('&state=failed');
    return found.length === messages.length - 1 ? found : undefined;
  });
  expect(new Set(rows.map(({ source, reason }) => `${source} ${reason?.code}`))).toEqual(
    new Set(['null unreadable']),
  );
  expect(rows.filter(({ id }) => /^undecodable-[0-9a-f-]{36}$/.test(id))).toHaveLength(1);
  // What a later version sent waits, unseen, for an hour.
  expect((await queue.getProperties()).approximateMessagesCount).toBe(1);
  expect((await queue.receiveMessages()).receivedMessageItems).toEqual([]);

  const asset = app.preservica.library.addAsset({ title: 'After all that' });
  expect(await app.subscribe()).toBe(200);
  await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
  expect(await until(async () => await app.record(asset.ref))).toMatchObject({ title: 'After all that' });
});
