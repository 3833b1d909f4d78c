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
const write = async (blob: AssetBlob, content: string, after?: string | null) =>
  await assets.write(blob, {
    bytes: Buffer.from(content),
    contentType: 'text/plain',
    ...(after === undefined ? {} : { after }),
  });

describe('records and thumbnails', () => {
  it('are kept with their type, in a container that is made when it is needed', async () => {
    const blob = aBlob();
    expect(await assets.read(blob)).toBeUndefined();
    const etag = await write(blob, 'one');
    expect(await assets.read(blob)).toMatchObject({ contentType: 'text/plain', etag });
    expect(await text(blob)).toBe('one');
  });

  it('follow what was known of them, and nothing else', async () => {
    const blob = aBlob();
    expect(await write(blob, 'of none', '"0x8D0"')).toBeUndefined();
    const first = await write(blob, 'one', null);
    expect(await write(blob, 'another first', null)).toBeUndefined();
    expect(await write(blob, 'two', first ?? null)).toBeDefined();
    expect(await write(blob, 'another second', first ?? null)).toBeUndefined();
    expect(await text(blob)).toBe('two');
  });

  it('are written by one of many who follow the same', async () => {
    const blob = aBlob();
    const etag = (await write(blob, 'one')) ?? null;
    const written = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (each) => await write(blob, each, etag)),
    );
    expect(written.filter((each) => each !== undefined)).toHaveLength(1);
  });

  it('carry the etag of the picture that they name', async () => {
    const blob = aBlob();
    const thumbnailEtag = '"0x8DE2C4A5D3B1F00"';
    await assets.write(blob, { bytes: Buffer.from('{}'), contentType: 'application/json', thumbnailEtag });
    expect(await assets.read(blob)).toMatchObject({ thumbnailEtag });
  });

  it('are removed only as they were known', async () => {
    const blob = aBlob();
    const first = await write(blob, 'one');
    await write(blob, 'two');
    await assets.remove(blob, first ?? '');
    expect(await text(blob)).toBe('two');
    await assets.remove(blob, (await assets.read(blob))?.etag ?? '');
    expect(await assets.read(blob)).toBeUndefined();
    await assets.remove(blob, '"0x8D0"');
  });

  it('stand under a digest where the id is no plain name', async () => {
    const blob: AssetBlob = { source: 'archive', assetId: '../東京', name: 'thumbnail-0123456789abcdef' };
    await write(blob, 'one');
    expect(await text(blob)).toBe('one');
    const names = [];
    for await (const { name } of (await clients.container('assets')).listBlobsFlat({ prefix: 'archive/~' }))
      names.push(name);
    expect(names).toEqual([
      expect.stringMatching(/^archive\/~[A-Za-z0-9_-]{43}\/thumbnail-0123456789abcdef$/),
    ]);
  });
});

describe('deliveries', () => {
  it('are given back byte for byte', async () => {
    const store = deliveryStore(clients);
    const bytes = Buffer.from([0, 255, 1, 254, 13, 10]);
    await store.put('archive/2026-01-05/d-1', { bytes });
    expect(await store.get('archive/2026-01-05/d-1')).toEqual({ bytes, eventName: undefined });
    const eventName = '東'.repeat(1024);
    await store.put('archive/2026-01-05/d-2', { bytes, eventName });
    expect(await store.get('archive/2026-01-05/d-2')).toEqual({ bytes, eventName });
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
