import type { ContainerClient } from '@azure/storage-blob';
import { assetKey } from '../pipeline/model/asset-key.ts';
import type { AssetBlob, AssetStore, DeliveryStore, Written } from '../pipeline/ports/stores.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { storageError, storageFault, stored } from './storage-errors.ts';

/** The container `deliveries`. */
export function deliveryStore(clients: StorageClients): DeliveryStore {
  const container = once(async () => await clients.container('deliveries'));
  return {
    async put(name, bytes, { signal } = {}) {
      const home = await container();
      const abort = signal === undefined ? {} : { abortSignal: signal };
      await stored(
        'keeping a delivery',
        async () => await home.getBlockBlobClient(name).upload(bytes, bytes.byteLength, abort),
        async () => await home.createIfNotExists(),
      );
    },
    async get(name) {
      return (await download(await container(), name))?.bytes;
    },
  };
}

/** The container `assets`: `{source}/{id}/record.json` and `{source}/{id}/thumbnail`. */
export function assetStore(clients: StorageClients): AssetStore {
  const container = once(async () => await clients.container('assets'));
  return {
    async write(blob, { bytes, contentType, fetch, etag }): Promise<Written> {
      const home = await container();
      const client = home.getBlockBlobClient(pathOf(blob));
      let condition = etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag };
      // Somebody else can write between our look and our write only so often: each of them raised the fetch number.
      for (let tries = 0; tries < 10; tries += 1) {
        const written = await stored(
          `keeping a ${blob.name}`,
          async () => await upload(client, bytes, contentType, fetch, condition),
          async () => await home.createIfNotExists(),
        );
        if (written !== undefined) return { kind: 'written', etag: written };

        const there = await stored(
          `looking at a ${blob.name}`,
          async () => await fetchOf(client),
          async () => await home.createIfNotExists(),
        );
        if (there !== undefined && there.fetch > fetch) return { kind: 'later-one-there' };
        condition = there === undefined ? { ifNoneMatch: '*' } : { ifMatch: there.etag };
      }
      throw storageError(`keeping a ${blob.name}`, new Error('others keep writing the same'));
    },
    async read(blob) {
      return await download(await container(), pathOf(blob));
    },
    async remove(blob, etag) {
      const client = (await container()).getBlockBlobClient(pathOf(blob));
      try {
        await client.delete({ conditions: { ifMatch: etag } });
      } catch (error) {
        const { status } = storageFault(error);
        if (status !== 404 && status !== 412) throw storageError(`removing a ${blob.name}`, error);
      }
    },
  };
}

type BlobClient = ReturnType<ContainerClient['getBlockBlobClient']>;

function pathOf({ source, assetId, name }: AssetBlob): string {
  return `${source}/${assetKey(assetId)}/${name}`;
}

/** The new etag, or undefined where the condition did not hold. */
async function upload(
  client: BlobClient,
  bytes: Uint8Array,
  contentType: string,
  fetch: number,
  conditions: { ifNoneMatch?: string; ifMatch?: string },
): Promise<string | undefined> {
  try {
    const { etag } = await client.upload(bytes, bytes.byteLength, {
      blobHTTPHeaders: { blobContentType: contentType },
      metadata: { fetch: String(fetch) },
      conditions,
    });
    return etag;
  } catch (error) {
    const { status, code } = storageFault(error);
    if (status === 412 || (status === 409 && code === 'BlobAlreadyExists')) return undefined;
    // An If-Match on a blob that is gone.
    if (status === 404 && code === 'BlobNotFound') return undefined;
    throw error;
  }
}

async function fetchOf(client: BlobClient): Promise<{ fetch: number; etag: string } | undefined> {
  try {
    const { metadata, etag } = await client.getProperties();
    return etag === undefined ? undefined : { fetch: Number(metadata?.['fetch'] ?? 0), etag };
  } catch (error) {
    if (storageFault(error).status === 404) return undefined;
    throw error;
  }
}

async function download(
  home: ContainerClient,
  name: string,
): Promise<{ bytes: Uint8Array; contentType: string; etag: string } | undefined> {
  try {
    const answer = await home.getBlockBlobClient(name).download();
    const chunks: Buffer[] = [];
    for await (const chunk of answer.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
    return {
      bytes: Buffer.concat(chunks),
      contentType: answer.contentType ?? 'application/octet-stream',
      etag: answer.etag ?? '',
    };
  } catch (error) {
    if (storageFault(error).status === 404) return undefined;
    throw storageError('reading a blob', error);
  }
}
