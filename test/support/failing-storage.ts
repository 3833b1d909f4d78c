import {
  startStorageProxy,
  type StorageFailure,
  type StorageRequest,
  type StorageService,
} from '../../src/local/storage-proxy.ts';

export { busyTransaction } from '../../src/local/storage-proxy.ts';

/** What becomes of a request: the storage never sees it, or its answer is lost, or neither where undefined. */
export type Failure = StorageFailure;

export type Service = StorageService;

/** A storage account that fails as `failing` says. */
export async function startFailingStorage(connectionString: string) {
  const proxy = await startStorageProxy(connectionString);
  const storage = {
    connectionString: proxy.connectionString,
    failing: (_service: Service, _request: StorageRequest): Failure => undefined,
    close: async (): Promise<void> => await proxy.close(),
  };
  proxy.failing = (request) => storage.failing(request.service, request);
  return storage;
}
