import { describe, expect, it } from 'vitest';
import { showAsset, showThumbnail } from '../../src/functions/assets.ts';
import { listEvents, showEvent } from '../../src/functions/events.ts';
import { health } from '../../src/functions/health.ts';
import { StorageError } from '../../src/pipeline/ports/errors.ts';
import type { EventQuery, Ledger } from '../../src/pipeline/model/ledger.ts';
import { preservicaReceiver } from '../../src/sources/preservica/receiver.ts';
import { pywebhooksReceiver } from '../../src/sources/pywebhooks/receiver.ts';
import { aMessage, anEvent, assetId, processBench } from '../support/work-bench.ts';
import { callDoor } from '../support/door.ts';

function asking() {
  const asked: EventQuery[] = [];
  const ledger = {
    list: async (query: EventQuery) => {
      asked.push(query);
      return { events: query.source === 'removed' ? [{}] : [], next: null };
    },
  } as unknown as Ledger;
  const sources = new Map([
    ['archive', {}],
    ['photos', {}],
  ]);
  return {
    asked,
    list: async (query: string) =>
      await callDoor(listEvents({ ledger, sources }), { path: `/events${query}` }),
  };
}

describe('GET /events', () => {
  it.each<[string, object]>([
    ['', { limit: 50 }],
    ['?limit=200', { limit: 200 }],
    ['?limit=5000', { limit: 200 }],
    [
      '?source=archive&state=failed&type=MOVED&assetId=a&q=harbour',
      { source: 'archive', state: 'failed', type: 'MOVED', assetId: 'a', q: 'harbour', limit: 50 },
    ],
    [
      '?from=2026-01-05T09:00:00Z&to=2026-01-05T10:00:00%2B01:00',
      { from: Date.UTC(2026, 0, 5, 9), to: Date.UTC(2026, 0, 5, 9), limit: 50 },
    ],
    [
      '?from=2026-01-05&to=2026-01-05T09:00:00',
      { from: Date.UTC(2026, 0, 5), to: Date.UTC(2026, 0, 5, 9), limit: 50 },
    ],
    ['?after=9999999999999:abc_-', { after: '9999999999999:abc_-', limit: 50 }],
    ['?q=&source=', { limit: 50 }],
    ['?code=the-function-key', { limit: 50 }],
  ])('understands %s', async (query, expected) => {
    const { asked, list } = asking();
    expect(await list(query)).toMatchObject({ status: 200, body: { events: [], next: null } });
    expect(asked).toEqual([expected]);
  });

  it.each(['?limit=0', '?limit=x', '?state=lost', '?from=yesterday', "?after=' or 1 eq 1", '?after=1:a'])(
    'says what is wrong with %s',
    async (query) => {
      const { asked, list } = asking();
      const { status, body } = await list(query);
      expect({ status, asked }).toEqual({ status: 400, asked: [] });
      expect((body as { error: string }).error).toContain(query.slice(1, query.indexOf('=')));
    },
  );

  it.each([
    ['?assetid=a', 'There is no filter "assetid"; there are: source, state, type, assetId,'],
    ['?limit=2&%1b%5b31m=1', 'There is no filter "\ufffd[31m"'],
    ['?__proto__=1', 'There is no filter "__proto__"'],
    ['?state=done&state=failed', 'state: is given more than once'],
    ['?state=&state=failed', 'state: is given more than once'],
    ['?source=attic', 'There is no source "attic"; there are: archive, photos.'],
    ["?source=a'%20or%201%20eq%201", 'There is no source "a\' or 1 eq 1"'],
    ['?source=constructor', 'There is no source "constructor"'],
  ])('refuses %s, and names what exists', async (query, said) => {
    const { list } = asking();
    const { status, body } = await list(query);
    expect(status).toBe(400);
    expect((body as { error: string }).error).toContain(said);
  });

  it('takes a source that is no longer in the settings and has events, and any type', async () => {
    const { list } = asking();
    expect(await list('?source=removed&type=NEVER_HEARD_OF')).toMatchObject({ status: 200 });
  });

  it('says 503 while storage is away', async () => {
    const ledger = { list: async () => await Promise.reject(new StorageError('away')) } as unknown as Ledger;
    const door = listEvents({ ledger, sources: new Map() });
    expect(await callDoor(door, { path: '/events' })).toMatchObject({ status: 503 });
  });
});

describe('GET /events/{id}', () => {
  const deps = ({
    ledger,
    deps: { sources, deliveries, claimedEvents },
  }: ReturnType<typeof processBench>) => ({
    ledger,
    sources,
    deliveries,
    claimedEvents,
    runs: { read: nothing, change: nothing, list: nothing, beginning: nothing },
    actionNames: [],
  });
  const nothing = async (): Promise<never> => await Promise.reject(new Error('there are no runs'));

  it('shows one event with its history', async () => {
    const bench = processBench();
    await bench.handle(aMessage());
    const { status, body } = await callDoor(showEvent(deps(bench)), { path: '/events/event-1' });
    expect(status).toBe(200);
    expect(body).toEqual({
      id: 'event-1',
      source: 'archive',
      type: 'FULL_TEXT_INDEXED',
      assetKind: 'asset',
      assetId,
      title: 'Harbour',
      state: 'done',
      reason: null,
      deliveryId: 'delivery-1',
      receivedAt: '2026-01-05T09:08:07.065Z',
      occurredAt: '2026-01-05T09:08:07.065Z',
      finishedAt: '2026-01-05T09:08:07.065Z',
      attempts: 1,
      duplicates: 0,
      identifiers: [],
      history: [{ at: '2026-01-05T09:08:07.065Z', attempt: 0, state: 'done' }],
      data: { tenant: 'ACME' },
      runs: [],
    });
  });

  it('says which ids begin like one that is not there', async () => {
    const bench = processBench();
    await bench.handle(aMessage());
    await bench.handle(aMessage({ events: [anEvent({ id: 'event-2' })] }));
    const answer = await callDoor(showEvent(deps(bench)), { path: '/events/even' });
    expect(answer).toMatchObject({ status: 404, body: { candidates: ['event-1', 'event-2'] } });
    const none = await callDoor(showEvent(deps(bench)), { path: '/events/eve' });
    expect(none.body).not.toHaveProperty('candidates');
  });

  it('gives the bytes of one that could not be read, and of no other', async () => {
    const bench = processBench();
    await bench.handle(aMessage());
    const ask = async (id: string, query = '?body=1') =>
      (await callDoor(showEvent(deps(bench)), { path: `/events/${id}${query}` })).body;
    expect(await ask('event-1')).toMatchObject({ body: null });

    await bench.handle('<script>alert(1)</script>');
    const [unreadable = ''] = [...bench.events.keys()].filter((id) => id !== 'event-1');
    expect(await ask(unreadable, '')).not.toHaveProperty('body');
    const base64 = Buffer.from('<script>alert(1)</script>').toString('base64');
    expect(await ask(unreadable)).toMatchObject({ body: { sizeBytes: 25, truncated: false, base64 } });
    bench.deliveries.clear();
    expect(await ask(unreadable)).toMatchObject({ body: null });
  });

  it.each(['unknown', "x'y", '%2e%2e'])('knows no %s', async (id) => {
    expect(await callDoor(showEvent(deps(processBench())), { path: `/events/${id}` })).toMatchObject({
      status: 404,
    });
  });
});

describe('GET /assets/{source}/{assetId}', () => {
  async function kept() {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    const bench = processBench(() => ({
      kind: 'found',
      details: { kind: 'asset', title: 'Harbour', links: {}, details: {} },
      thumbnail: { kind: 'bytes', bytes: png },
    }));
    await bench.handle(aMessage());
    const deps = {
      sources: new Map([['archive', { receiver: preservicaReceiver({ handshake: 'strict' }) }]]),
      assets: bench.assetStore,
      ledger: bench.ledger,
    };
    return { bench, png, deps };
  }

  it('shows the record, also by an id in upper case', async () => {
    const { deps, bench } = await kept();
    for (const id of [assetId, assetId.toUpperCase()]) {
      const { status, body } = await callDoor(showAsset(deps), { path: `/assets/archive/${id}` });
      expect(status).toBe(200);
      expect(body).toEqual(bench.record());
    }
  });

  describe('of a source whose ids may be any text', () => {
    const receiver = pywebhooksReceiver({ pointers: {}, deduplicateMs: 0 });
    const show = async (ids: string[], segment: string) => {
      const { png } = await kept();
      const bench = processBench(
        ({ id }) => ({
          kind: 'found',
          details: { kind: 'asset', title: id, links: {}, details: {} },
          thumbnail: { kind: 'bytes', bytes: png },
        }),
        {},
        { receiver },
      );
      for (const id of ids)
        await bench.handle(aMessage({ events: [anEvent({ id: `event-${id.length}`, assetId: id })] }));
      const { assetStore: assets, ledger } = bench;
      const deps = { sources: new Map([['archive', { receiver }]]), assets, ledger };
      const { body } = await callDoor(showAsset(deps), { path: `/assets/archive/${segment}` });
      const { status } = await callDoor(showThumbnail(deps), {
        path: `/assets/archive/${segment}/thumbnail`,
      });
      return [(body as { assetId?: string }).assetId, status];
    };

    // What the caller wrote as `%2F` comes as `%252F`; whatever else was encoded comes encoded once.
    it.each([
      ['a slash, as the platform sends it on', ['shelf/7'], 'shelf%252F7'],
      ['a slash, in small letters', ['shelf/7'], 'shelf%252f7'],
      ['a slash, as it was sent', ['shelf/7'], 'shelf%2F7'],
      ['a percent sign', ['100%'], '100%25'],
      ['a percent sign and digits', ['%41'], '%2541'],
      ['what looks like a slash', ['shelf%2F7'], 'shelf%252F7'],
      ['what looks like a slash, beside one that has it', ['shelf%2F7', 'shelf/7'], 'shelf%252F7'],
      ['other letters', ['Žofia 7'], '%C5%BDofia%207'],
    ])('shows one whose id holds %s', async (_name, ids, segment) => {
      expect(await show(ids, segment)).toEqual([ids[0], 200]);
    });

    it.each(['shelf%25252F7', 'shelf%25', '%', '%E9'])('knows no %s', async (segment) => {
      expect(await show(['shelf/7'], segment)).toEqual([undefined, 404]);
    });
  });

  it('shows the picture as what it is, and nothing that could run', async () => {
    const { deps, png } = await kept();
    const { status, body, headers } = await callDoor(showThumbnail(deps), {
      path: `/assets/archive/${assetId}/thumbnail`,
    });
    expect(status).toBe(200);
    expect(Buffer.from(body as Uint8Array)).toEqual(png);
    expect(headers.get('content-type')).toBe('image/png');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('says which ids begin like one that is not there, and which sources there are', async () => {
    const { deps } = await kept();
    const path = `/assets/archive/${assetId.slice(0, 8)}`;
    expect(await callDoor(showAsset(deps), { path })).toMatchObject({
      status: 404,
      body: { candidates: [assetId] },
    });
    expect(await callDoor(showAsset(deps), { path: '/assets/other/x' })).toMatchObject({
      body: { error: 'There is no source "other"; there are: archive.' },
    });
  });

  it.each([
    '/assets/other/x',
    `/assets/archive/${assetId.replace('1', '9')}`,
    '/assets/archive/..%2Fx',
    '/assets/constructor/x',
  ])('knows no %s', async (path) => {
    const { deps } = await kept();
    expect(await callDoor(showAsset(deps), { path })).toMatchObject({ status: 404 });
  });

  it('has no picture where the record has none', async () => {
    const { deps } = await kept();
    const bench = processBench();
    await bench.handle(aMessage());
    const without = { ...deps, assets: bench.assetStore };
    expect(
      await callDoor(showThumbnail(without), { path: `/assets/archive/${assetId}/thumbnail` }),
    ).toMatchObject({ status: 404 });
  });
});

describe('GET /health', () => {
  it('is alive', async () => {
    expect(await callDoor(health, { path: '/health' })).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    });
  });
});
