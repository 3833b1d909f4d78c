import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assetStore, deliveryStore } from '../../src/azure/blob-stores.ts';
import { tableLedger } from '../../src/azure/ledger-table.ts';
import { storageClients, type StorageClients } from '../../src/azure/storage-clients.ts';
import { workQueue, workQueueName } from '../../src/azure/work-queue.ts';
import { startAzurite, type Azurite } from '../../src/local/azurite.ts';
import { Coalescer } from '../../src/pipeline/concurrency/coalescer.ts';
import { InFlight } from '../../src/pipeline/concurrency/in-flight.ts';
import { handleMessage } from '../../src/pipeline/process/handle-message.ts';
import type { Outcome, ProcessDeps } from '../../src/pipeline/process/process-deps.ts';
import { configFor } from '../support/config.ts';
import { busyTransaction, startFailingStorage, type Failure } from '../support/failing-storage.ts';
import { aMessage, anEvent, assetId, processBench } from '../support/work-bench.ts';

let azurite: Azurite;
let storage: Awaited<ReturnType<typeof startFailingStorage>>;
let clients: StorageClients;
let serial = 0;

beforeAll(async () => {
  azurite = await startAzurite({ inMemory: true });
  storage = await startFailingStorage(azurite.connectionString);
  clients = storageClients(configFor(storage.connectionString));
  await (await clients.table('ledger')).createTable();
  await (await clients.queue('asset-events')).createIfNotExists();
  await (await clients.container('assets')).createIfNotExists();
});
beforeEach(() => {
  storage.failing = () => undefined;
});
afterAll(async () => {
  await storage.close();
  await azurite.stop();
});

const isTransaction = (request: { url: string }) => request.url.includes('$batch');

/** The pipeline on this storage. */
function pipeline(): ProcessDeps {
  return {
    ...processBench().deps,
    queue: workQueue(clients, workQueueName),
    deliveries: deliveryStore(clients),
    assets: assetStore(clients),
    ledger: tableLedger(clients, ['archive']),
    coalescer: new Coalescer<Outcome>(),
    keeping: new InFlight(),
    now: Date.now,
  };
}

/** A message about an event and an asset of its own, received now. */
function aMessageNow() {
  const id = `event-${(serial += 1)}`;
  const at = new Date().toISOString();
  const asset = `${assetId.slice(0, -4)}${String(serial).padStart(4, '0')}`;
  return {
    id,
    item: aMessage({ receivedAt: at, events: [anEvent({ id, assetId: asset, occurredAt: at })] }),
  };
}

async function messagesInQueue(): Promise<number> {
  const { approximateMessagesCount = 0 } = await (await clients.queue('asset-events')).getProperties();
  return approximateMessagesCount;
}

describe('a table that is busy', () => {
  it('is asked again where it says so inside of a success', async () => {
    const { id, item } = aMessageNow();
    let busy = 2;
    storage.failing = (service, request) =>
      service === 'Table' && isTransaction(request) && (busy -= 1) >= 0 ? busyTransaction() : undefined;
    const deps = pipeline();
    await handleMessage({ item, messageId: 'm' }, deps);
    expect((await deps.ledger.find(id))?.summary).toMatchObject({ state: 'done' });
    expect(busy).toBeLessThan(0);
  });

  it('makes the message come again, with no try counted and nothing thrown', async () => {
    const { item } = aMessageNow();
    storage.failing = (service, request) =>
      service === 'Table' && isTransaction(request) ? busyTransaction() : undefined;
    const before = await messagesInQueue();
    const sent: string[] = [];
    const deps = pipeline();
    const queue = workQueue(clients, workQueueName);
    const send: typeof queue.send = async (text, options) => {
      sent.push(text);
      await queue.send(text, options);
    };
    for (const stumbles of [1, 2, 3]) {
      const again = sent.length === 0 ? item : JSON.parse(sent.at(-1) ?? '');
      await handleMessage({ item: again, messageId: `m-${stumbles}` }, { ...deps, queue: { send } });
      expect(JSON.parse(sent.at(-1) ?? '')).toMatchObject({ v: 1, attempt: 0, stumbles });
    }
    expect(await messagesInQueue()).toBe(before + 3);
    storage.failing = () => undefined;
    await handleMessage({ item: JSON.parse(sent.at(-1) ?? ''), messageId: 'm' }, deps);
    const [event] = item.events ?? [];
    expect((await deps.ledger.find(event?.id ?? ''))?.summary).toMatchObject({ state: 'done', attempts: 1 });
  });

  it('and a queue that is away as well leave the message to the platform', async () => {
    const { item } = aMessageNow();
    storage.failing = (service, request): Failure =>
      service === 'Queue'
        ? { kind: 'answer', status: 500 }
        : isTransaction(request)
          ? busyTransaction()
          : undefined;
    await expect(handleMessage({ item, messageId: 'm' }, pipeline())).rejects.toThrow('writing the ledger');
  });
});

describe('an answer that is lost on its way', () => {
  it.each<['Table' | 'Blob', RegExp]>([
    ['Table', /\$batch/],
    ['Blob', /record\.json/],
    ['Blob', /thumbnail-/],
  ])('of a write that took leaves one record and one end: %s %s', async (lostOf, path) => {
    for (let nth = 1; nth <= 3; nth += 1) {
      const { id, item } = aMessageNow();
      let seen = 0;
      storage.failing = (service, { method, url }) =>
        service === lostOf && method !== 'GET' && path.test(url) && (seen += 1) === nth
          ? { kind: 'lose-answer' }
          : undefined;
      const sent: string[] = [];
      const deps = { ...pipeline(), queue: { send: async (text: string) => void sent.push(text) } };
      await handleMessage({ item, messageId: 'm' }, deps);
      storage.failing = () => undefined;
      for (const text of sent) await handleMessage({ item: JSON.parse(text), messageId: 'm' }, deps);
      expect((await deps.ledger.find(id))?.summary).toMatchObject({ state: 'done', title: 'Harbour' });
    }
  });
});

describe('a row that is missing from a list', () => {
  it('keeps its event from nothing', async () => {
    const { id, item } = aMessageNow();
    const deps = pipeline();
    const table = await clients.table('ledger');
    const ledger: typeof deps.ledger = {
      ...deps.ledger,
      change: async (keys, known, decide) => {
        for await (const row of table.listEntities())
          if (row.rowKey?.startsWith('s:processing') === true)
            await table.deleteEntity(row.partitionKey ?? '', row.rowKey);
        return await deps.ledger.change(keys, known, decide);
      },
    };
    await handleMessage({ item, messageId: 'm' }, { ...deps, ledger });
    expect((await deps.ledger.find(id))?.summary).toMatchObject({ state: 'done' });
  });
});
