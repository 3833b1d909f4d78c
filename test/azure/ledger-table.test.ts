import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sanitizeText } from '../../src/pipeline/model/sanitize-text.ts';
import { tableLedger } from '../../src/azure/ledger-table.ts';
import { partitionOf, partitionsOf } from '../../src/azure/ledger-rows.ts';
import { storageClients } from '../../src/azure/storage-clients.ts';
import type { EventEntry, EventState, Ledger, RowKeys } from '../../src/pipeline/model/ledger.ts';
import { noneFetched } from '../../src/pipeline/process/event-transitions.ts';
import { startAzurite, type Azurite } from '../../src/local/azurite.ts';
import { anEvent } from '../support/work-bench.ts';
import { configFor } from '../support/config.ts';

let azurite: Azurite;
let ledger: Ledger;

beforeAll(async () => {
  azurite = await startAzurite({ inMemory: true });
});
afterAll(async () => {
  await azurite.stop();
});
beforeEach(async () => {
  const clients = storageClients(configFor(azurite.connectionString));
  await (await clients.table('ledger')).deleteTable().catch(() => undefined);
  ledger = tableLedger(clients, ['archive', 'photos']);
});

const start = Date.parse('2026-01-05T09:00:00.000Z');

function entry(id: string, given: Partial<EventEntry['summary']> = {}): EventEntry {
  const receivedAt = given.receivedAt ?? new Date(start).toISOString();
  return {
    summary: {
      id,
      source: 'archive',
      type: 'MOVED',
      assetKind: 'asset',
      assetId: 'a-1',
      title: null,
      state: 'processing',
      reason: null,
      deliveryId: 'd-1',
      receivedAt,
      occurredAt: receivedAt,
      finishedAt: null,
      attempts: 0,
      duplicates: 0,
      ...given,
    },
    identifiers: [{ type: 'BatchId', value: 'B-0042' }],
    history: [{ at: receivedAt, attempt: 0, state: 'waiting', code: 'c', text: 't' }],
    attempt: 2,
    lease: { owner: 'h', until: receivedAt },
    otherDeliveries: ['d-2'],
    replays: ['replay-1'],
    content: { event: anEvent({ id }) },
  };
}

function keys(id: string, given: Partial<RowKeys> = {}): RowKeys {
  return { source: 'archive', eventId: id, subject: given.assetId ?? 'a-1', ...given };
}

async function put(value: EventEntry): Promise<void> {
  const { id, source, assetId } = value.summary;
  await ledger.change(keys(id, { source, subject: assetId ?? id }), undefined, () => ({
    change: { event: value },
    answer: null,
  }));
}

describe('the ledger in a table', () => {
  it('gives back an event as it was written', async () => {
    const value = entry('e-1', { reason: { code: 'x', text: 'y', nextAttemptAt: 'z' }, title: 'Café 東京' });
    await put(value);
    expect(await ledger.find('e-1')).toEqual(value);
    expect(await ledger.find('e-2')).toBeUndefined();
  });

  it('gives back an asset as it was written', async () => {
    const both = keys('e-1', { assetId: 'a-1' });
    const asset = {
      fetchedAt: '2026-01-05T09:00:00.000Z',
      fetchedFor: '2026-01-05T08:00:00.000Z',
      latestFetchAt: '2026-01-05T09:00:00.000Z',
      title: 'Café 東京',
      latestEventAt: '2026-01-05T08:30:00.000Z',
      removedAt: '2026-01-05T07:00:00.000Z',
    };
    for (const written of [asset, noneFetched]) {
      await ledger.change(both, undefined, () => ({
        change: { event: entry('e-1'), asset: written },
        answer: undefined,
      }));
      expect((await ledger.assetState('archive', 'a-1'))?.value).toEqual(written);
    }
  });

  it('keeps an event and its asset in one decision, or neither', async () => {
    const both = keys('e-1', { assetId: 'a-1' });
    const decide = (fetch: number) => () => ({
      change: { event: entry('e-1'), asset: { ...noneFetched, title: `fetch ${fetch}` } },
      answer: fetch,
    });
    const { rows } = await ledger.change(both, { event: undefined, asset: undefined }, decide(1));
    expect((await ledger.assetState('archive', 'a-1'))?.value.title).toBe('fetch 1');
    expect(rows.event?.etag).toBeDefined();
    expect(rows.asset?.etag).toBe((await ledger.assetState('archive', 'a-1'))?.etag);
  });

  it('decides anew on what others wrote in between', async () => {
    await put(entry('e-1'));
    const seen: (number | undefined)[] = [];
    const { answer } = await ledger.change(
      keys('e-1'),
      { event: undefined, asset: undefined },
      ({ event }) => {
        seen.push(event?.value.attempt);
        return { change: { event: entry('e-1', { duplicates: 5 }) }, answer: event?.value.attempt };
      },
    );
    expect(seen).toEqual([undefined, 2]);
    expect(answer).toBe(2);
    expect((await ledger.find('e-1'))?.summary.duplicates).toBe(5);
  });

  it('lets exactly one of many win each time', async () => {
    await put(entry('e-1'));
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        await ledger.change(keys('e-1'), undefined, ({ event }) => {
          const before = event?.value ?? entry('e-1');
          const summary = { ...before.summary, duplicates: before.summary.duplicates + 1 };
          return { change: { event: { ...before, summary } }, answer: null };
        });
      }),
    );
    expect((await ledger.find('e-1'))?.summary.duplicates).toBe(8);
    expect((await ledger.list({ limit: 10 })).events).toMatchObject([{ duplicates: 8 }]);
  });

  it('lists newest first over all sources, page by page, each event once', async () => {
    for (let index = 0; index < 12; index += 1) {
      const source = ['archive', 'photos', null][index % 3] ?? null;
      await put(
        entry(`e-${index}`, {
          source,
          receivedAt: new Date(start + Math.floor(index / 2) * 1000).toISOString(),
        }),
      );
    }
    const pages: string[][] = [];
    for (let after: string | null | undefined; after !== null;) {
      const page: Awaited<ReturnType<Ledger['list']>> = await ledger.list({
        limit: 5,
        ...(after === undefined ? {} : { after }),
      });
      pages.push(page.events.map(({ id }) => id));
      after = page.next;
    }
    expect(pages.map(({ length }) => length)).toEqual([5, 5, 2]);
    expect(pages.flat()).toEqual([
      'e-10',
      'e-11',
      'e-8',
      'e-9',
      'e-6',
      'e-7',
      'e-4',
      'e-5',
      'e-2',
      'e-3',
      'e-0',
      'e-1',
    ]);
  });

  it('has no next after the last', async () => {
    await put(entry('e-1'));
    expect(await ledger.list({ limit: 1 })).toMatchObject({ next: null });
    expect(await ledger.list({ limit: 1, state: 'done' })).toEqual({ events: [], next: null });
  });

  it.each<[string, object, string[]]>([
    ['source', { source: 'photos' }, ['e-3']],
    ['a source that is none', { source: "x' or 1 eq 1" }, []],
    ['state', { state: 'failed' }, ['e-2']],
    ['asset', { assetId: 'a-2' }, ['e-2', 'e-1']],
    ['asset and state', { assetId: 'a-2', state: 'processing' }, ['e-1']],
    ['type', { type: 'NEW' }, ['e-3']],
    ['from', { from: start + 2000 }, ['e-3', 'e-2']],
    ['to', { to: start + 1000 }, ['e-1', 'e-0']],
    ['both ends', { from: start + 1000, to: start + 2000 }, ['e-2', 'e-1']],
    ['part of a title, whatever the case', { q: 'HARB' }, ['e-0']],
    ['part of a reason', { q: 'gave-' }, ['e-2']],
  ])('finds by %s', async (_name, query, ids) => {
    const at = (seconds: number): string => new Date(start + seconds * 1000).toISOString();
    await put(entry('e-0', { receivedAt: at(0), title: 'Harbour' }));
    await put(entry('e-1', { receivedAt: at(1), assetId: 'a-2' }));
    await put(
      entry('e-2', {
        receivedAt: at(2),
        assetId: 'a-2',
        state: 'failed',
        reason: { code: 'gave-up', text: 't' },
      }),
    );
    await put(entry('e-3', { receivedAt: at(3), source: 'photos', type: 'NEW', assetId: 'b' }));
    expect((await ledger.list({ limit: 10, ...query })).events.map(({ id }) => id)).toEqual(ids);
  });

  it('moves an event from one state to another in every list', async () => {
    const states: EventState[] = ['processing', 'waiting', 'processing', 'done'];
    for (const state of states) await put(entry('e-1', { state }));
    for (const state of ['processing', 'waiting', 'failed'] as const) {
      expect((await ledger.list({ limit: 10, state })).events).toEqual([]);
    }
    expect((await ledger.list({ limit: 10, state: 'done' })).events).toHaveLength(1);
    expect((await ledger.list({ limit: 10 })).events).toMatchObject([{ state: 'done' }]);
  });

  it('holds the largest event that a message can bring, and a long history', async () => {
    const value = entry('e-1');
    const text = 'é'.repeat(24_000);
    const history = Array.from({ length: 50 }, () => ({
      at: text.slice(0, 10),
      attempt: 1,
      state: 'waiting' as const,
      text: text.slice(0, 900),
    }));
    await put({ ...value, history, content: { event: anEvent({ data: { text } }) } });
    const found = await ledger.find('e-1');
    expect(found?.content).toEqual({ event: anEvent({ data: { text } }) });
    expect(found?.history.length).toBeGreaterThan(20);
  });
});

describe('a row that a later version wrote', () => {
  const table = async () => await storageClients(configFor(azurite.connectionString)).table('ledger');

  it('keeps columns and members that this version does not know', async () => {
    const both = keys('e-1', { assetId: 'a-1' });
    const value = entry('e-1', { reason: { code: 'c', text: 't' } });
    const { rows } = await ledger.change(both, undefined, () => ({
      change: { event: value, asset: noneFetched },
      answer: null,
    }));
    const home = await table();
    for await (const { partitionKey = '', rowKey = '' } of home.listEntities())
      await home.updateEntity({ partitionKey, rowKey, tomorrow: 'new' }, 'Merge');
    const reason = '{"code":"c","text":"t","link":"https://example.org/"}';
    const { partitionKey, rowKey } = { partitionKey: partitionOf('archive', 'a-1'), rowKey: 'e:e-1' };
    await home.updateEntity({ partitionKey, rowKey, reason }, 'Merge');
    await ledger.change(both, rows, ({ event, asset }) => ({
      change: {
        event: {
          ...(event?.value ?? value),
          attempt: 3,
          summary: { ...(event?.value ?? value).summary, attempts: 1 },
        },
        asset: { ...(asset?.value ?? noneFetched), title: 'New' },
      },
      answer: null,
    }));
    const written = await home.getEntity(partitionKey, rowKey);
    expect(written).toMatchObject({ tomorrow: 'new', reason, attempt: 3 });
    expect(await home.getEntity(partitionKey, 'x:a-1')).toMatchObject({ tomorrow: 'new', title: 'New' });
    let carried = 0;
    for await (const row of home.listEntities()) if (row['tomorrow'] === 'new') carried += 1;
    expect(carried).toBe(5);
  });

  it('loses what is no longer so', async () => {
    await put(entry('e-1', { reason: { code: 'c', text: 't' }, title: 'Once' }));
    await put(entry('e-2'));
    await ledger.change(keys('e-1'), undefined, ({ event }) => ({
      change: { event: { ...entry('e-1'), history: event?.value.history ?? [], lease: null } },
      answer: null,
    }));
    expect(await ledger.find('e-1')).toMatchObject({ lease: null, summary: { reason: null, title: null } });
  });

  it('says which row cannot be read', async () => {
    await put(entry('e-1'));
    const partitionKey = partitionOf('archive', 'a-1');
    await (await table()).updateEntity({ partitionKey, rowKey: 'e:e-1', state: 'dreaming' }, 'Merge');
    await expect(ledger.find('e-1')).rejects.toThrow(/cannot read archive:. e:e-1/);
  });
});

describe('the partitions of a source', () => {
  it('take its assets in even parts, and each with its events', () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 1_600; index += 1) {
      const partition = partitionOf('archive', `asset-${index}`);
      expect(partition).toBe(partitionOf('archive', `ASSET-${index}`));
      counts.set(partition, (counts.get(partition) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual(partitionsOf('archive'));
    expect(Math.max(...counts.values())).toBeLessThan(200);
  });
});

describe('deliveries of one body in the table', () => {
  const first = (id: string, ms = 0) => ({ id, receivedAt: new Date(start + ms).toISOString() });

  it('have one first, however many come at once', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `e-${index}`);
    const given = await Promise.all(
      ids.map(
        async (id, index) => await ledger.canonicalEventId('archive', 'digest', first(id, index), 60_000),
      ),
    );
    expect(new Set(given).size).toBe(1);
    expect(ids).toContain(given[0]);
    expect(await ledger.canonicalEventId('archive', 'digest', first('e-20', 70_000), 60_000)).toBe('e-20');
    expect(await ledger.canonicalEventId('archive', 'digest', first('e-21', 5), 60_000)).toBe(given[0]);
  });

  it('are no others’ where the source or the body is another', async () => {
    expect(await ledger.canonicalEventId('archive', 'digest', first('e-1'), 60_000)).toBe('e-1');
    expect(await ledger.canonicalEventId('photos', 'digest', first('e-2'), 60_000)).toBe('e-2');
    expect(await ledger.canonicalEventId('archive', 'another', first('e-3'), 60_000)).toBe('e-3');
  });
});

// One row a block of characters; the transaction that writes it is a batch of several requests in one body.
describe('what is looked for', () => {
  it('may be the beginning of an id', async () => {
    for (const id of ['abc-1', 'abc_2', 'abd-3', 'Abc-4']) await put(entry(id));
    await put(entry('abc-5', { source: 'photos' }));
    await put(entry('abc-6', { source: null }));
    expect((await ledger.idsBeginning('abc', 'events')).toSorted()).toEqual([
      'abc-1',
      'abc-5',
      'abc-6',
      'abc_2',
    ]);
    expect(await ledger.idsBeginning('abz', 'events')).toEqual([]);
  });

  it('may be the beginning of the id of an asset', async () => {
    for (const assetId of ['shelf-1', 'shelf-2', 'shell', 'shelf/3', "shelf'4"]) {
      const both = keys('e-1', { assetId });
      await ledger.change(both, undefined, () => ({ change: { asset: noneFetched }, answer: null }));
    }
    expect(await ledger.idsBeginning('shelf', { assetsOf: 'archive' })).toEqual(['shelf-1', 'shelf-2']);
    expect(await ledger.idsBeginning('shelf', { assetsOf: 'photos' })).toEqual([]);
  });

  it('is cut short where many begin so', async () => {
    for (let number = 0; number < 30; number += 1) await put(entry(`many-${number}`));
    expect(await ledger.idsBeginning('many', 'events')).toHaveLength(21);
  });

  it('is found in a source that is no longer in the settings', async () => {
    await put(entry('old', { source: 'removed' }));
    expect((await ledger.list({ source: 'removed', limit: 5 })).events.map(({ id }) => id)).toEqual(['old']);
    expect(await ledger.find('old')).toBeUndefined();
    expect(await ledger.find('old', 'removed')).toMatchObject({ summary: { id: 'old' } });
    expect((await ledger.list({ source: "' or 1 eq 1 or '", limit: 5 })).events).toEqual([]);
  });

  it('is found by an identifier of its own, whatever the case', async () => {
    await put(entry('e-1'));
    await put({ ...entry('e-2'), identifiers: [{ type: 'BatchId', value: 'Other-7' }] });
    expect((await ledger.list({ limit: 5, q: 'b-0042' })).events.map(({ id }) => id)).toEqual(['e-1']);
  });

  it('is listed beside rows that this version cannot read', async () => {
    for (const [index, id] of ['e-1', 'e-2', 'e-3'].entries())
      await put(entry(id, { receivedAt: new Date(start + index).toISOString() }));
    const clients = storageClients(configFor(azurite.connectionString));
    const table = await clients.table('ledger');
    for await (const { partitionKey = '', rowKey = '' } of table.listEntities())
      if (rowKey.endsWith(':e-2') && rowKey.startsWith('t:'))
        await table.updateEntity({ partitionKey, rowKey, state: 'dreaming' }, 'Merge');
    const all = await ledger.list({ limit: 5 });
    expect(all).toMatchObject({ events: [{ id: 'e-3' }, { id: 'e-1' }], next: null, unread: 1 });
    const first = await ledger.list({ limit: 1 });
    expect(await ledger.list({ limit: 5, after: first.next ?? '' })).toMatchObject({
      events: [{ id: 'e-1' }],
    });
  });
});

it('takes every character that text from outside may still hold', async () => {
  const blocks = Array.from({ length: 0x110000 / 256 }, (_block, at) =>
    Array.from({ length: 256 }, (_character, index) => String.fromCodePoint(at * 256 + index)).join(''),
  ).filter((block) => !/\p{Cn}{256}|\p{Co}{256}/u.test(block));
  const refused: string[] = [];
  for (const [index, block] of blocks.entries()) {
    const text = sanitizeText(block, 512);
    const value = entry(`e-${index}`, {
      title: text,
      type: text,
      assetId: text,
      reason: { code: 'c', text },
    });
    await put(value).catch(() => refused.push(block.codePointAt(0)?.toString(16) ?? ''));
    if (refused.length > 0) continue;
    const { event } = await ledger.read(keys(`e-${index}`, { subject: text }));
    expect(event?.value).toEqual(value);
  }
  expect(refused).toEqual([]);
  expect((await ledger.list({ limit: 200 })).events).toHaveLength(200);
});
