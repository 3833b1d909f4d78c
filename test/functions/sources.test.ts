import { describe, expect, it } from 'vitest';
import { StorageError } from '../../src/errors.ts';
import { listSources, openWindow, type SourcesDeps } from '../../src/functions/sources.ts';
import type { EventQuery, EventSummary } from '../../src/pipeline/ledger.ts';
import { configFor } from '../support/config.ts';
import { callDoor } from '../support/door.ts';
import { memoryWindows } from '../support/memory-windows.ts';

const now = new Date('2026-01-05T09:00:00.000Z');

const anEvent: EventSummary = {
  id: 'event-1',
  source: 'archive',
  type: 'MOVED',
  assetKind: 'asset',
  assetId: 'a',
  title: 'Harbour',
  state: 'failed',
  reason: { code: 'gave-up', text: 'Given up.' },
  deliveryId: 'delivery-1',
  receivedAt: '2026-01-05T08:00:00.000Z',
  occurredAt: '2026-01-05T08:00:00.000Z',
  finishedAt: '2026-01-05T08:30:00.000Z',
  attempts: 8,
  duplicates: 0,
};

function staff(given: Partial<SourcesDeps> = {}) {
  const { rows, windows } = memoryWindows();
  let looks = 0;
  const deps: SourcesDeps = {
    config: configFor('UseDevelopmentStorage=true', { PUBLIC_URL: 'https://hooks.example.org' }),
    ledger: {
      list: async ({ state }: EventQuery) => ({ events: state === 'waiting' ? [] : [anEvent], next: null }),
    },
    secrets: {
      webhookSecrets: async () => (looks > 0 ? ['new and looked up', 'the one before'] : undefined),
      lookAgain: async () => void (looks += 1),
      withdraw: async () => undefined,
    },
    windows,
    refusals: { flush: async () => undefined, read: async () => [] },
    now: () => now,
    newId: () => 'an-id',
    ...given,
  };
  return {
    rows,
    list: async () => await callDoor(listSources(deps), { path: '/sources' }),
    open: async (path: string, body?: string) =>
      await callDoor(openWindow(deps), {
        path,
        method: 'POST',
        ...(body === undefined ? {} : { body: { string: body } }),
      }),
  };
}

describe('GET /sources', () => {
  it('shows how each source does, with what is known of its secrets now, and none of them', async () => {
    const { list, open } = staff();
    await open('/sources/archive/window', '{"key":"secret","minutes":5}');
    const { status, body } = await list();
    expect(status).toBe(200);
    expect(body).toEqual({
      sources: [
        {
          name: 'archive',
          kind: 'preservica',
          url: 'http://127.0.0.1:9',
          webhookUrl: 'https://hooks.example.org/webhooks/archive',
          secrets: 2,
          windows: [{ key: 'secret', until: '2026-01-05T09:05:00.000Z' }],
          latest: {
            id: 'event-1',
            type: 'MOVED',
            state: 'failed',
            receivedAt: '2026-01-05T08:00:00.000Z',
          },
          waiting: 0,
          failed: 1,
          refused: [],
        },
      ],
    });
    expect(JSON.stringify(body)).not.toMatch(/looked up|the one before/);
  });

  it('tells what is remembered while the secrets cannot be looked at', async () => {
    const secrets = {
      webhookSecrets: async () => ['remembered'] as const,
      lookAgain: async () => await Promise.reject(new Error('the vault is away')),
      withdraw: async () => undefined,
    };
    expect((await staff({ secrets }).list()).body).toMatchObject({ sources: [{ secrets: 1 }] });
  });

  it('says 503 while storage is away', async () => {
    const ledger = { list: async () => await Promise.reject(new StorageError('away')) };
    expect(await staff({ ledger }).list()).toMatchObject({ status: 503 });
  });
});

describe('POST /sources/{source}/window', () => {
  it.each([
    ['ten minutes for the secret, where nothing is said', undefined, 'secret', 10],
    ['as long as is said', '{"minutes":2.5}', 'secret', 2.5],
    ['for the API key', '{"key":"api-key","minutes":1}', 'api-key', 1],
    ['no longer, with 0', '{"minutes":0}', 'secret', 0],
  ])('opens %s', async (_what, body, key, minutes) => {
    const { rows, open } = staff();
    const until = now.getTime() + minutes * 60_000;
    expect(await open('/sources/archive/window', body)).toMatchObject({
      status: 200,
      body: { source: 'archive', key, until: new Date(until).toISOString() },
    });
    expect(rows.get(`archive/${key}`)).toMatchObject({ which: key, until });
  });

  it('takes the source from the path, whatever the query says', async () => {
    const { rows, open } = staff();
    expect(await open('/sources/archive/window/?source=other&Source=x')).toMatchObject({ status: 200 });
    expect([...rows.keys()]).toEqual(['archive/secret']);
  });

  it.each([
    ['another key', '{"key":"password"}'],
    ['the id of an account, which is no key', '{"key":"account-id"}'],
    ['more than an hour', '{"minutes":61}'],
    ['less than nothing', '{"minutes":-1}'],
    ['no number', '{"minutes":"10"}'],
    ['no object', '[]'],
    ['no JSON', 'secret=1'],
    ['far too much', `{"key":"secret","more":"${'x'.repeat(20_000)}"}`],
  ])('refuses %s', async (_what, body) => {
    const { rows, open } = staff();
    expect(await open('/sources/archive/window', body)).toMatchObject({ status: 400 });
    expect(rows.size).toBe(0);
  });

  it('knows only sources that there are', async () => {
    expect(await staff().open('/sources/attic/window')).toMatchObject({ status: 404 });
  });
});
