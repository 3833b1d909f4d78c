import type { TableClient, TableServiceClientOptions } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import type { ContainerClient } from '@azure/storage-blob';
import type { QueueClient } from '@azure/storage-queue';
import { azureCredential } from './credential.ts';

/** How we reach our own storage account: the platform's two ways of saying it. */
export type StorageSettings =
  | { kind: 'connection-string'; connectionString: string }
  | { kind: 'identity'; queueUrl: string; blobUrl: string; tableUrl: string; clientId: string | undefined };

/** How long our own storage gets for one try, and how often it is asked. HTTP routes have a deadline of their own besides. */
const retryOptions = { maxTries: 3, tryTimeoutInMs: 10_000, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 };

type PipelinePolicy = NonNullable<TableServiceClientOptions['additionalPolicies']>[number]['policy'];

/** The storage account's parts, each SDK loaded when it is first used: a handshake needs none of them. */
export interface StorageClients {
  queue(name: string): Promise<QueueClient>;
  container(name: string): Promise<ContainerClient>;
  table(name: string): Promise<TableClient>;
}

export function storageClients(config: {
  readonly storage: StorageSettings;
  readonly managedIdentity: boolean;
  readonly clientId: string | undefined;
}): StorageClients {
  const { storage } = config;
  const credential = once(
    async (): Promise<TokenCredential> =>
      await azureCredential({
        managedIdentity: config.managedIdentity,
        clientId: (storage.kind === 'identity' ? storage.clientId : undefined) ?? config.clientId,
      }),
  );
  const queues = once(async () => {
    const { QueueServiceClient } = await import('@azure/storage-queue');
    return storage.kind === 'connection-string'
      ? QueueServiceClient.fromConnectionString(storage.connectionString, { retryOptions })
      : new QueueServiceClient(storage.queueUrl, await credential(), { retryOptions });
  });
  const blobs = once(async () => {
    const { BlobServiceClient } = await import('@azure/storage-blob');
    return storage.kind === 'connection-string'
      ? BlobServiceClient.fromConnectionString(storage.connectionString, { retryOptions })
      : new BlobServiceClient(storage.blobUrl, await credential(), { retryOptions });
  });
  const table = async (name: string): Promise<TableClient> => {
    const { TableClient } = await import('@azure/data-tables');
    const options = {
      retryOptions: { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 },
      // This SDK has no setting for the time of one try.
      additionalPolicies: [{ position: 'perCall' as const, policy: tableTryTimeout }],
    };
    return storage.kind === 'connection-string'
      ? // Azurite speaks plain HTTP; what an account's address says is what is spoken.
        TableClient.fromConnectionString(storage.connectionString, name, {
          ...options,
          allowInsecureConnection: true,
        })
      : new TableClient(storage.tableUrl, name, await credential(), {
          ...options,
          allowInsecureConnection: storage.tableUrl.startsWith('http:'),
        });
  };
  return {
    queue: async (name) => (await queues()).getQueueClient(name),
    container: async (name) => (await blobs()).getContainerClient(name),
    table,
  };
}

const tableTryTimeout: PipelinePolicy = {
  name: 'tryTimeout',
  sendRequest: async (request, next) => {
    request.timeout = retryOptions.tryTimeoutInMs;
    return await next(request);
  },
};

/** Makes it at the first call, and gives the same to all; a failure is not remembered. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return async () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return await made;
  };
}
