import { createHash } from 'node:crypto';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetStore, deliveryStore } from '../../src/azure/blob-stores.ts';
import { poisonQueue } from '../../src/azure/poison-queue.ts';
import { storageClients, type StorageClients } from '../../src/azure/storage-clients.ts';
import { workQueue, workQueueName } from '../../src/azure/work-queue.ts';
import { StorageError } from '../../src/pipeline/ports/errors.ts';
import { startAzurite, type Azurite } from '../../src/local/azurite.ts';
import type { AssetRecord } from '../../src/pipeline/model/record.ts';
import {
  readRecord,
  readThumbnail,
  storeAsset,
  sweepPictures,
  type AssetName,
} from '../../src/pipeline/process/store-asset.ts';
import type { AssetBlob, AssetStore, UnnamedPicture } from '../../src/pipeline/ports/stores.ts';
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

describe('pictures that no record names', () => {
  const pictures = [1, 2, 3].map((width) => PNG.sync.write(new PNG({ width, height: 9 })));
  const [one, two, three] = pictures as [Buffer, Buffer, Buffer];
  const stores = async (name: AssetName, bytes: Buffer): Promise<void> => {
    const details = { kind: 'asset' as const, title: 't', links: {}, details: {} };
    const before = await readRecord(assets, name);
    const thumbnail = { kind: 'bytes' as const, bytes };
    const fetched = { ...name, details, thumbnail, deleted: false, before, beganAt: new Date() };
    expect(await storeAsset(fetched, assets)).toMatchObject({ kind: 'stored' });
  };
  const leaves = async (name: AssetName, bytes: Buffer): Promise<string> => {
    const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    const blob: AssetBlob = { ...name, name: `thumbnail-${digest}` };
    await assets.write(blob, { bytes, contentType: 'image/png' });
    return digest;
  };
  const kept = async (source: string): Promise<string[]> => {
    const names: string[] = [];
    const container = await clients.container('assets');
    for await (const { name } of container.listBlobsFlat({ prefix: `${source}/` })) names.push(name);
    return names.map((name) => name.slice(source.length + 1));
  };
  const sweep = async (now: Date) =>
    await sweepPictures(assets, { now, signal: new AbortController().signal });
  const later = new Date(Date.now() + 7_200_000);

  it('are deleted after an hour, and none that a record names', async () => {
    const source = 'sweep';
    const digests = pictures.map((each) => createHash('sha256').update(each).digest('hex').slice(0, 16));
    await stores({ source, assetId: 'a' }, one);
    await leaves({ source, assetId: 'a' }, two);
    await leaves({ source, assetId: 'a' }, three);
    await stores({ source, assetId: '../b' }, two);
    // A fetch that ended before its record.
    await leaves({ source, assetId: 'c' }, one);
    // Of another version: it may name any.
    await assets.write(
      { source, assetId: 'd', name: 'record.json' },
      { bytes: Buffer.from('{"v":9}'), contentType: 'application/json' },
    );
    await leaves({ source, assetId: 'd' }, one);
    const before = await kept(source);
    expect(await sweep(new Date())).toEqual({ removed: 0 });
    expect(await kept(source)).toEqual(before);
    expect((await sweep(later)).removed).toBeGreaterThanOrEqual(3);
    const [digest = ''] = digests;
    expect(await kept(source)).toEqual(
      before.filter(
        (name) => !name.startsWith('c/') && (!name.startsWith('a/thumb') || name.includes(digest)),
      ),
    );
    expect((await kept(source)).length).toBe(before.length - 3);
  });

  it('stay where they were written again, or named again, meanwhile', async () => {
    const name = { source: 'sweep-again', assetId: 'a' };
    await stores(name, one);
    await leaves(name, two);
    const found: UnnamedPicture[] = [];
    for await (const picture of assets.unnamedPictures(later, new AbortController().signal))
      found.push(picture);
    // As it is listed, another fetch finds that picture.
    await stores(name, two);
    for (const picture of found) await picture.remove();
    expect(
      await readThumbnail(assets, (await readRecord(assets, name))?.record as AssetRecord),
    ).toMatchObject({
      bytes: two,
    });
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
    await workQueue(clients, workQueueName).send('{"é":1}');
    await workQueue(clients, workQueueName).send('later', { delayMs: 3_600_000 });
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
    expect(
      receivedMessageItems.map(({ messageText }) => Buffer.from(messageText, 'base64').toString()),
    ).toEqual(['{"é":1}']);
    expect(receivedMessageItems[0]?.expiresOn.getFullYear()).toBeGreaterThan(9_000);
  });

  it('takes poison messages as they stand, and removes them when told', async () => {
    const queue = await clients.queue('asset-events-poison');
    const poison = poisonQueue(clients, workQueueName);
    expect(await poison.take()).toEqual([]);
    await queue.sendMessage('no base64 at all!');
    const [message] = await poison.take();
    expect(message?.text).toBe('no base64 at all!');
    await message?.remove();
    expect((await queue.getProperties()).approximateMessagesCount).toBe(0);
  });

  it('puts poison messages back as ones that never expire, hidden, and only once', async () => {
    const queue = await clients.queue('asset-events-poison');
    const poison = poisonQueue(clients, workQueueName);
    // As the platform puts them: for seven days.
    await queue.sendMessage('of the platform');
    const [message] = await poison.take();
    await message?.putBack();
    expect((await queue.getProperties()).approximateMessagesCount).toBe(1);
    expect(await poison.take()).toEqual([]);
    await queue.clearMessages();

    await queue.sendMessage('for good', { messageTimeToLive: -1 });
    const [kept] = await poison.take();
    await kept?.putBack();
    // It is still the same one.
    await kept?.remove();
    expect((await queue.getProperties()).approximateMessagesCount).toBe(0);
  });
});

describe('storage that is away', () => {
  it('is a StorageError that says what was being done, and no key', async () => {
    const gone =
      'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a;TableEndpoint=http://127.0.0.1:9/a';
    const send = workQueue(storageClients(configFor(gone)), workQueueName).send('x');
    await expect(send).rejects.toThrow(StorageError);
    await expect(send).rejects.toThrow(/^keeping a message: (?!.*c2VjcmV0)/);
  });
});
