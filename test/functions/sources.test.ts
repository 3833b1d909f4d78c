import { describe, expect, it } from 'vitest';
import { StorageError } from '../../src/pipeline/ports/errors.ts';
import { Bodies } from '../../src/functions/bodies.ts';
import {
  listSources,
  openWindow,
  pauseSource,
  resumeSource,
  type SourcesDeps,
} from '../../src/functions/sources.ts';
import type { EventQuery, EventSummary } from '../../src/pipeline/model/ledger.ts';
import { setWindow } from '../../src/secrets/rotation-windows.ts';
import { secretProof } from '../../src/secrets/secret-proof.ts';
import { configFor } from '../support/config.ts';
import { callDoor } from '../support/door.ts';
import { memoryStores } from '../support/memory-stores.ts';
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
      refresh: async () => void (looks += 1),
    },
    windows,
    setWindow: async (wanted) =>
      await setWindow(wanted, {
        windows,
        secrets: { withdraw: async () => undefined },
        now: () => now.getTime(),
        newId: () => 'an-id',
      }),
    secretProof,
    states: memoryStores().sourceStates,
    jobs: memoryStores().jobs,
    refusals: { flush: async () => undefined, read: async () => [] },
    bodies: new Bodies(10_000_000),
    now: () => now.getTime(),
    ...given,
  };
  return {
    rows,
    states: deps.states,
    pause: async (path: string) => await callDoor(pauseSource(deps), { path, method: 'POST' }),
    resume: async (path: string) => await callDoor(resumeSource(deps), { path, method: 'POST' }),
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
          pausedAt: null,
          closed: null,
          catchUp: null,
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
      refresh: async () => await Promise.reject(new Error('the vault is away')),
      withdraw: async () => undefined,
    };
    expect((await staff({ secrets }).list()).body).toMatchObject({ sources: [{ secrets: 1 }] });
  });

  it('says 503 while storage is away', async () => {
    const ledger = { list: async () => await Promise.reject(new StorageError('away')) };
    expect(await staff({ ledger }).list()).toMatchObject({ status: 503 });
  });
});

describe('POST /sources/{source}/pause and resume', () => {
  it('pause a source, which shows since when, and let it go on', async () => {
    const { pause, resume, list } = staff();
    const pausedAt = now.toISOString();
    expect(await pause('/sources/archive/pause')).toMatchObject({
      status: 200,
      body: { source: 'archive', pausedAt, closed: null },
    });
    expect((await list()).body).toMatchObject({ sources: [{ pausedAt }] });
    expect(await resume('/sources/archive/resume')).toMatchObject({ status: 200, body: { pausedAt: null } });
    expect((await list()).body).toMatchObject({ sources: [{ pausedAt: null }] });
  });

  it('change nothing more when asked twice', async () => {
    const { pause, resume, states } = staff();
    await pause('/sources/archive/pause');
    const before = await states.read('archive');
    await states.change('archive', (state) => ({ ...state, pausedAt: 1 }));
    await pause('/sources/archive/pause');
    expect((await states.read('archive'))?.value.pausedAt).toBe(1);
    await resume('/sources/archive/resume');
    await resume('/sources/archive/resume');
    expect((await states.read('archive'))?.value.pausedAt).toBeNull();
    expect(before?.value.pausedAt).toBe(now.getTime());
  });

  it('let a source be asked again that failed too often', async () => {
    const { resume, list, states } = staff();
    const until = now.getTime() + 60_000;
    const closed = { code: 'source-unavailable' as const, until, openings: 1, probe: null };
    await states.change('archive', (state) => ({ ...state, closed }));
    const shown = { code: 'source-unavailable', until: new Date(until).toISOString() };
    expect((await list()).body).toMatchObject({ sources: [{ closed: shown }] });
    expect((await resume('/sources/archive/resume')).body).toMatchObject({ closed: null });
  });

  it('know no other sources', async () => {
    const { pause, resume } = staff();
    const unknown = { status: 404, body: { error: 'There is no such source.' } };
    expect(await pause('/sources/nobody/pause')).toMatchObject(unknown);
    expect(await resume('/sources/nobody/resume')).toMatchObject(unknown);
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

  const example = 'Send a JSON object such as {"key":"secret","minutes":10}.';
  it.each([
    ['another key', '{"key":"password"}', '"key" must be "secret" or "api-key".'],
    ['the id of an account', '{"key":"account-id"}', '"key" must be "secret" or "api-key".'],
    ['more than an hour', '{"minutes":61}', '"minutes" must be a number from 0 to 60.'],
    ['less than nothing', '{"minutes":-1}', '"minutes" must be a number from 0 to 60.'],
    ['no number', '{"minutes":"10"}', '"minutes" must be a number from 0 to 60.'],
    ['a number that is none', '{"minutes":1e999}', '"minutes" must be a number from 0 to 60.'],
    ['a list', '[]', `The body must be a JSON object. ${example}`],
    ['null', 'null', `The body must be a JSON object. ${example}`],
    ['a string', '"secret"', `The body must be a JSON object. ${example}`],
    ['no JSON', 'secret=1', `The body is no JSON. ${example}`],
    ['half a JSON', '{"key":', `The body is no JSON. ${example}`],
    [
      'unknown members',
      '{"minute":1,"\\u001b":2}',
      'There is no member "minute", "\ufffd": only "key", "minutes" and "withdraw".',
    ],
    ['to open one and take its key back', '{"withdraw":true}', '"withdraw" goes with "minutes" 0.'],
    [
      'two faults',
      '{"key":1,"minutes":null}',
      '"key" must be "secret" or "api-key". "minutes" must be a number from 0 to 60.',
    ],
  ])('refuses %s in a sentence', async (_what, body, error) => {
    const { rows, open } = staff();
    expect(await open('/sources/archive/window', body)).toMatchObject({ status: 400, body: { error } });
    expect(rows.size).toBe(0);
  });

  it('says 503 where all bodies together have no room', async () => {
    const { rows, open } = staff({ bodies: new Bodies(10) });
    expect(await open('/sources/archive/window', '{"minutes":10,"key":"secret"}')).toMatchObject({
      status: 503,
    });
    expect(rows.size).toBe(0);
  });

  it('refuses a body that is far too long in a sentence', async () => {
    const { rows, open } = staff();
    const body = `{"key":"secret","more":"${'x'.repeat(20_000)}"}`;
    const error = `The body is longer than 10000 bytes. ${example}`;
    expect(await open('/sources/archive/window', body)).toMatchObject({ status: 413, body: { error } });
    expect(rows.size).toBe(0);
  });

  it('knows only sources that there are', async () => {
    expect(await staff().open('/sources/attic/window')).toMatchObject({ status: 404 });
  });
});
