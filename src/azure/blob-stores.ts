import type { ContainerClient } from '@azure/storage-blob';
import { assetKey } from '../pipeline/model/asset-key.ts';
import type { AssetBlob, AssetStore, DeliveryStore } from '../pipeline/ports/stores.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { isMissingHome, storageError, storageFault, stored } from './storage-errors.ts';

/** The container `deliveries`. */
export function deliveryStore(clients: StorageClients): DeliveryStore {
  const container = once(async () => await clients.container('deliveries'));
  return {
    async put(name, { bytes, eventName }, { signal } = {}) {
      const home = await container();
      const options = {
        ...(signal === undefined ? {} : { abortSignal: signal }),
        ...(eventName === undefined ? {} : { metadata: { [eventNameName]: inHeader(eventName) } }),
      };
      await stored(
        'keeping a delivery',
        async () => await home.getBlockBlobClient(name).upload(bytes, bytes.byteLength, options),
        async () => await home.createIfNotExists(),
      );
    },
    async get(name) {
      const found = await download(await container(), name);
      const eventName = found?.metadata[eventNameName];
      return found && { bytes: found.bytes, eventName: eventName && fromHeader(eventName) };
    },
  };
}

/** The container `assets`: a folder an asset, with `record.json` and the picture that it names. */
export function assetStore(clients: StorageClients): AssetStore {
  const container = once(async () => await clients.container('assets'));
  return {
    async write(blob, { bytes, contentType, thumbnailEtag, after }) {
      const home = await container();
      const options = {
        blobHTTPHeaders: { blobContentType: contentType },
        ...(thumbnailEtag === undefined
          ? {}
          : { metadata: { [thumbnailEtagName]: inHeader(thumbnailEtag) } }),
        conditions: after === undefined ? {} : after === null ? { ifNoneMatch: '*' } : { ifMatch: after },
      };
      return await stored(
        `storing a ${kindOf(blob)}`,
        async () => {
          try {
            const client = home.getBlockBlobClient(pathOf(blob));
            return (await client.upload(bytes, bytes.byteLength, options)).etag;
          } catch (error) {
            if (isAnother(error)) return undefined;
            throw error;
          }
        },
        async () => await home.createIfNotExists(),
      );
    },
    async read(blob) {
      const found = await download(await container(), pathOf(blob));
      if (found === undefined) return undefined;
      const { metadata, ...content } = found;
      const thumbnailEtag = metadata[thumbnailEtagName];
      return { ...content, thumbnailEtag: thumbnailEtag && fromHeader(thumbnailEtag) };
    },
    async remove(blob, etag) {
      await removeAsKnown(await container(), pathOf(blob), etag);
    },
    async *unnamedPictures(writtenBefore, signal) {
      const home = await container();
      // A folder's record is listed just before its pictures.
      let record = { path: '', thumbnailEtag: '' };
      try {
        for await (const { name: path, metadata, properties } of home.listBlobsFlat({
          includeMetadata: true,
          abortSignal: signal,
        })) {
          const at = path.lastIndexOf('/') + 1;
          const [folder, name] = [path.slice(0, at), path.slice(at)];
          if (name === 'record.json') {
            record = { path, thumbnailEtag: fromHeader(metadata?.[thumbnailEtagName] ?? '') };
            continue;
          }
          const etag = inQuotes(properties.etag);
          const beside = record.path === `${folder}record.json`;
          if (beside && inQuotes(record.thumbnailEtag) === etag) continue;
          if (!name.startsWith('thumbnail-') || properties.lastModified >= writtenBefore) continue;
          yield {
            name,
            record: async () => await download(home, `${folder}record.json`),
            remove: async () => {
              await removeAsKnown(home, path, etag);
            },
          };
        }
      } catch (error) {
        if (!isMissingHome(error)) throw storageError('listing pictures', error);
      }
    },
  };
}

// A listing writes an etag without them.
const inQuotes = (etag: string): string => `"${etag.replaceAll('"', '')}"`;

async function removeAsKnown(home: ContainerClient, path: string, etag: string): Promise<void> {
  try {
    await home.getBlockBlobClient(path).delete({ conditions: { ifMatch: etag } });
  } catch (error) {
    const { status } = storageFault(error);
    if (status !== 404 && status !== 412) throw storageError('removing a blob', error);
  }
}

// Metadata stands in headers: ASCII, and not everything on the way keeps the quotes of an etag.
const thumbnailEtagName = 'thumbnailetag';
const eventNameName = 'eventname';
const inHeader = (text: string): string => Buffer.from(text).toString('base64url');
const fromHeader = (text: string): string => Buffer.from(text, 'base64url').toString();

function kindOf({ name }: AssetBlob): string {
  return name === 'record.json' ? 'record' : 'thumbnail';
}

function pathOf({ source, assetId, name }: AssetBlob): string {
  return `${source}/${assetKey(assetId)}/${name}`;
}

/** Another state is there than the one that was meant, or none any more. */
function isAnother(error: unknown): boolean {
  const { status, code } = storageFault(error);
  return (
    status === 412 ||
    (status === 409 && code === 'BlobAlreadyExists') ||
    (status === 404 && code === 'BlobNotFound')
  );
}

async function download(
  home: ContainerClient,
  name: string,
): Promise<
  { bytes: Uint8Array; contentType: string; etag: string; metadata: Record<string, string> } | undefined
> {
  try {
    const answer = await home.getBlockBlobClient(name).download();
    const chunks: Buffer[] = [];
    for await (const chunk of answer.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
    return {
      bytes: Buffer.concat(chunks),
      contentType: answer.contentType ?? 'application/octet-stream',
      etag: answer.etag ?? '',
      metadata: answer.metadata ?? {},
    };
  } catch (error) {
    if (storageFault(error).status === 404) return undefined;
    throw storageError('reading a blob', error);
  }
}
