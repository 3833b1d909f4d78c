import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tableLedger } from '../../src/azure/ledger-table.ts';
import { tableOldRows } from '../../src/azure/old-rows.ts';
import { partitionOf } from '../../src/azure/ledger-rows.ts';
import { storageClients, type StorageClients } from '../../src/azure/storage-clients.ts';
import { startAzurite, type Azurite } from '../../src/local/azurite.ts';
import type { EventState, Ledger } from '../../src/pipeline/model/ledger.ts';
import { configFor } from '../support/config.ts';
import { anEvent } from '../support/work-bench.ts';

let azurite: Azurite;
let clients: StorageClients;
let ledger: Ledger;

beforeAll(async () => {
  azurite = await startAzurite({ inMemory: true });
});
afterAll(async () => {
  await azurite.stop();
});
beforeEach(async () => {
  clients = storageClients(configFor(azurite.connectionString));
  for (const name of ['ledger', 'sources', 'jobs']) {
    const table = await clients.table(name);
    await table.deleteTable().catch(() => undefined);
    await table.createTable();
  }
  ledger = tableLedger(clients, ['archive', 'former']);
});

const cutoff = Date.parse('2026-01-05T09:00:00.000Z');

async function put(
  id: string,
  about: { ageMs: number; state?: EventState; source?: string | null; assetId?: string | null },
): Promise<void> {
  const { ageMs, state = 'done', source = 'archive', assetId = 'a-1' } = about;
  const receivedAt = new Date(cutoff - ageMs).toISOString();
  const summary = {
    id,
    source,
    type: 'MOVED',
    assetKind: 'asset' as const,
    assetId,
    title: null,
    state,
    reason: null,
    deliveryId: 'd-1',
    receivedAt,
    occurredAt: receivedAt,
    finishedAt: null,
    attempts: 0,
    duplicates: 0,
  };
  const event = {
    summary,
    identifiers: [],
    history: [],
    attempt: 0,
    lease: null,
    otherDeliveries: [],
    replays: [],
    content: { event: anEvent({ id }) },
  };
  await ledger.change({ source, eventId: id, subject: assetId ?? id }, undefined, () => ({
    change: { event },
    answer: null,
  }));
}

async function rowKeys(table = 'ledger'): Promise<string[]> {
  const keys: string[] = [];
  for await (const { rowKey = '' } of (await clients.table(table)).listEntities()) keys.push(rowKey);
  return keys;
}

const remove = async (before: number, signal = new AbortController().signal) =>
  await tableOldRows(clients, { sources: ['archive'], actions: ['team'] }).remove(new Date(before), signal);

describe('the retention', () => {
  it('removes an ended event and all that lists it, and no other', async () => {
    await put('old', { ageMs: 1 });
    await put('old-of-none', { ageMs: 1, source: null, assetId: null, state: 'failed' });
    await put('at-the-border', { ageMs: 0 });
    await put('old-and-waiting', { ageMs: 1, state: 'waiting' });
    expect(await remove(cutoff)).toMatchObject({ events: 2, complete: true });
    const left = await rowKeys();
    expect(left.filter((key) => key.startsWith('e:')).toSorted()).toEqual([
      'e:at-the-border',
      'e:old-and-waiting',
    ]);
    expect(left).toHaveLength(8);
    expect(await remove(cutoff)).toMatchObject({ events: 0 });
  });

  it('finishes what was cut off after the event was removed', async () => {
    await put('old', { ageMs: 1 });
    const home = await clients.table('ledger');
    await home.deleteEntity(partitionOf('archive', 'a-1'), 'e:old');
    expect(await remove(cutoff)).toMatchObject({ events: 0 });
    expect(await rowKeys()).toEqual([]);
  });

  it('removes digests and states of assets that nobody has written since', async () => {
    const candidate = { id: 'e-1', receivedAt: new Date(cutoff).toISOString() };
    await ledger.canonicalEventId('archive', 'digest', candidate, 1000);
    await ledger.change({ source: 'archive', eventId: 'e-1', subject: 'ä', assetId: 'ä' }, undefined, () => ({
      change: {
        asset: {
          fetchedAt: null,
          fetchedFor: null,
          latestFetchAt: null,
          title: null,
          latestEventAt: null,
          removedAt: null,
        },
      },
      answer: null,
    }));
    expect(await remove(Date.now() - 60_000)).toMatchObject({ digests: 0, assets: 0 });
    expect(await remove(Date.now() + 60_000)).toMatchObject({ digests: 1, assets: 1 });
    expect(await rowKeys()).toEqual([]);
  });

  it('removes what is left of a source that the settings no longer name', async () => {
    const states = await clients.table('sources');
    for (const partitionKey of ['archive', 'former'])
      await states.createEntity({ partitionKey, rowKey: 'state', state: '{}' });
    await put('of-former', { ageMs: 1, source: 'former' });
    expect(await remove(cutoff)).toMatchObject({ events: 1, sources: 0 });
    expect(await remove(Date.now() + 60_000)).toMatchObject({ sources: 1 });
    expect(await rowKeys('sources')).toEqual(['state']);
  });

  it('removes a job that nobody has written since', async () => {
    const jobs = await clients.table('jobs');
    await jobs.createEntity({ partitionKey: 'replay:r-1', rowKey: 'job', job: '{}' });
    expect(await remove(Date.now() - 60_000)).toMatchObject({ jobs: 0 });
    expect(await remove(Date.now() + 60_000)).toMatchObject({ jobs: 1 });
    expect(await rowKeys('jobs')).toEqual([]);
  });

  it('leaves a row of a later version, and one that was written in between', async () => {
    await put('old', { ageMs: 1 });
    const home = await clients.table('ledger');
    const partitionKey = partitionOf('archive', 'a-1');
    await home.updateEntity({ partitionKey, rowKey: 'e:old', state: 'put-aside' }, 'Merge');
    expect(await remove(cutoff)).toMatchObject({ events: 0 });
    expect(await rowKeys()).toHaveLength(4);
  });

  it('ends when its time is up', async () => {
    await put('old', { ageMs: 1 });
    expect(await remove(cutoff, AbortSignal.abort())).toMatchObject({ events: 0, complete: false });
    expect(await rowKeys()).toHaveLength(4);
  });
});
