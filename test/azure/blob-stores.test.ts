import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetStore, deliveryStore } from '../../src/azure/blob-stores.ts';
import { poisonQueue } from '../../src/azure/poison-queue.ts';
import { storageClients, type StorageClients } from '../../src/azure/storage-clients.ts';
import { workQueue } from '../../src/azure/work-queue.ts';
import { StorageError } from '../../src/pipeline/ports/errors.ts';
import { startAzurite, type Azurite } from '../../src/local/azurite.ts';
import type { AssetBlob, AssetStore } from '../../src/pipeline/ports/stores.ts';
import { configFor } from '../support/config.ts';

let azurite: Azurite;
let clients: StorageClients;
let assets: AssetStore;
let serial = 0;

beforeAll(async () => {
  azurite = await startAzurite({ inMemory: true });
  clients = storageClients(configFor(azurite.connectionString));
  assets = assetStore(clients);
});
afterAll(async () => {
  await azurite.stop();
});

const aBlob = (): AssetBlob => ({ source: 'archive', assetId: `a-${(serial += 1)}`, name: 'record.json' });
const text = async (blob: AssetBlob) => Buffer.from((await assets.read(blob))?.bytes ?? []).toString();
const write = async (blob: AssetBlob, fetch: number, etag?: string) =>
  await assets.write(blob, { bytes: Buffer.from(`fetch ${fetch}`), contentType: 'text/plain', fetch, etag });

describe('records and thumbnails', () => {
  it('are kept with their type, in a container that is made when it is needed', async () => {
    const blob = aBlob();
    expect(await assets.read(blob)).toBeUndefined();
    const written = await write(blob, 1);
    expect(await assets.read(blob)).toMatchObject({
      contentType: 'text/plain',
      etag: (written as { etag: string }).etag,
    });
    expect(await text(blob)).toBe('fetch 1');
  });

  it.each([
    ['what is known of it is right', (etag: string) => etag],
    ['nothing is known of it', () => undefined],
    ['what is known of it is out of date', () => '"0x8D0"'],
  ])('go over a lower fetch when %s', async (_name, known) => {
    const blob = aBlob();
    const first = await write(blob, 1);
    expect(await write(blob, 2, known((first as { etag: string }).etag))).toMatchObject({ kind: 'written' });
    expect(await text(blob)).toBe('fetch 2');
  });

  it('never go over a later fetch', async () => {
    const blob = aBlob();
    await write(blob, 3);
    expect(await write(blob, 2)).toEqual({ kind: 'later-one-there' });
    expect(await text(blob)).toBe('fetch 3');
  });

  it('may be written again by the same fetch', async () => {
    const blob = aBlob();
    await write(blob, 3);
    expect(await write(blob, 3)).toMatchObject({ kind: 'written' });
  });

  it('end with the latest of many that are written at once', async () => {
    const blob = aBlob();
    await Promise.all([4, 1, 5, 2, 3].map(async (fetch) => await write(blob, fetch)));
    expect(await text(blob)).toBe('fetch 5');
  });

  it('are removed only as they were known', async () => {
    const blob = aBlob();
    const first = await write(blob, 1);
    await write(blob, 2);
    await assets.remove(blob, (first as { etag: string }).etag);
    expect(await text(blob)).toBe('fetch 2');
    await assets.remove(blob, (await assets.read(blob))?.etag ?? '');
    expect(await assets.read(blob)).toBeUndefined();
    await assets.remove(blob, '"0x8D0"');
  });

  it('stand under a digest where the id is no plain name', async () => {
    const blob: AssetBlob = { source: 'archive', assetId: '../東京', name: 'thumbnail' };
    await write(blob, 1);
    expect(await text(blob)).toBe('fetch 1');
    const names = [];
    for await (const { name } of (await clients.container('assets')).listBlobsFlat({ prefix: 'archive/~' }))
      names.push(name);
    expect(names).toEqual([expect.stringMatching(/^archive\/~[A-Za-z0-9_-]{43}\/thumbnail$/)]);
  });
});

describe('deliveries', () => {
  it('are given back byte for byte', async () => {
    const store = deliveryStore(clients);
    const bytes = Buffer.from([0, 255, 1, 254, 13, 10]);
    await store.put('archive/2026-01-05/d-1', bytes);
    expect(Buffer.from((await store.get('archive/2026-01-05/d-1')) ?? [])).toEqual(bytes);
    expect(await store.get('archive/none')).toBeUndefined();
  });
});

describe('the queue', () => {
  it('sends base64 that never expires and is seen when its time has come', async () => {
    const queue = await clients.queue('asset-events');
    await workQueue(clients).send('{"é":1}');
    await workQueue(clients).send('later', { delayMs: 3_600_000 });
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
    expect(
      receivedMessageItems.map(({ messageText }) => Buffer.from(messageText, 'base64').toString()),
    ).toEqual(['{"é":1}']);
    expect(receivedMessageItems[0]?.expiresOn.getFullYear()).toBeGreaterThan(9_000);
  });

  it('takes poison messages as they stand, and removes them when told', async () => {
    const queue = await clients.queue('asset-events-poison');
    const poison = poisonQueue(clients);
    expect(await poison.take()).toEqual([]);
    await queue.sendMessage('no base64 at all!');
    const [message] = await poison.take();
    expect(message?.text).toBe('no base64 at all!');
    await message?.remove();
    expect((await queue.getProperties()).approximateMessagesCount).toBe(0);
  });
});

describe('storage that is away', () => {
  it('is a StorageError that says what was being done, and no key', async () => {
    const gone =
      'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a;TableEndpoint=http://127.0.0.1:9/a';
    const send = workQueue(storageClients(configFor(gone))).send('x');
    await expect(send).rejects.toThrow(StorageError);
    await expect(send).rejects.toThrow(/^keeping a message: (?!.*c2VjcmV0)/);
  });
});
