import type { TimerHandler } from '@azure/functions';
import fc from 'fast-check';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { watch } from '../../src/functions/watch.ts';
import { watchSubscriptions } from '../../src/functions/watch-subscriptions.ts';
import {
  startPreservicaSimulator,
  type PreservicaSimulator,
} from '../../src/local/simulators/preservica/simulator.ts';
import { createSourceLimiter } from '../../src/pipeline/concurrency/source-limiter.ts';
import type { EventQuery, EventSummary, Ledger } from '../../src/pipeline/model/ledger.ts';
import { openSource } from '../../src/pipeline/model/source-state.ts';
import { StorageError } from '../../src/pipeline/ports/errors.ts';
import { logLines } from '../../src/pipeline/ports/log.ts';
import type { SourceDoctor, SubscriptionFindings } from '../../src/pipeline/ports/source-doctor.ts';
import { oldestWaiting } from '../../src/pipeline/process/oldest-waiting.ts';
import { localSecrets } from '../../src/secrets/local-secrets.ts';
import { preservica as preservicaKind } from '../../src/sources/preservica/index.ts';
import { configFor } from '../support/config.ts';
import { memoryStores } from '../support/memory-stores.ts';

const library = createRequire(import.meta.url)('@azure/functions') as typeof import('@azure/functions');
const now = Date.parse('2026-01-05T09:00:00.000Z');
const minute = 60_000;

/** The lines that a timer writes, each with no field but those of the table. */
async function linesOf(timer: TimerHandler): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  const context = new library.InvocationContext({
    logHandler: (level, line) =>
      lines.push({ level, ...(JSON.parse(String(line)) as Record<string, unknown>) }),
  });
  await timer({} as never, context);
  const table: Readonly<Record<string, readonly string[]>> = logLines;
  for (const { level: _level, event, ...fields } of lines)
    expect(table[String(event)]).toEqual(expect.arrayContaining(Object.keys(fields)));
  return lines;
}

function waitingSince(receivedAt: number): EventSummary {
  return {
    id: `event-of-${receivedAt}`,
    source: 'archive',
    type: 'MOVED',
    assetKind: 'asset',
    assetId: 'a',
    title: null,
    state: 'waiting',
    reason: null,
    deliveryId: 'delivery-1',
    receivedAt: new Date(receivedAt).toISOString(),
    occurredAt: new Date(receivedAt).toISOString(),
    finishedAt: null,
    attempts: 1,
    duplicates: 0,
  };
}

/** A ledger of these events, newest first as the real one. */
function ledgerOf(events: readonly EventSummary[]): Pick<Ledger, 'list'> & { looks: () => number } {
  let looks = 0;
  return {
    looks: () => looks,
    list: async ({ state, to = Infinity, limit }: EventQuery) => {
      looks += 1;
      const found = events
        .filter((event) => state === undefined || event.state === state)
        .filter(({ receivedAt }) => Date.parse(receivedAt) <= to)
        .toSorted((a, b) => Date.parse(b.receivedAt) - Date.parse(a.receivedAt));
      return { events: found.slice(0, limit), next: null };
    },
  };
}

describe('the event that waits longest', () => {
  it('is found to a minute, in few looks, however many wait', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 500 * 24 * 60 }), { minLength: 1, maxLength: 30 }),
        async (ages) => {
          const ledger = ledgerOf(ages.map((age) => waitingSince(now - age * minute)));
          const found = await oldestWaiting('archive', now - 400 * 24 * 60 * minute, ledger);
          const oldest = now - Math.max(...ages) * minute;
          expect(Date.parse(found?.receivedAt ?? '') - oldest).toBeLessThanOrEqual(
            // Below the retention one look is enough.
            Math.max(...ages) > 400 * 24 * 60 ? Infinity : minute,
          );
          expect(ledger.looks()).toBeLessThan(50);
        },
      ),
    );
  });

  it('costs one look where none waits', async () => {
    const ledger = ledgerOf([{ ...waitingSince(now), state: 'done' }]);
    expect(await oldestWaiting('archive', 0, ledger)).toBeUndefined();
    expect(ledger.looks()).toBe(1);
  });
});

describe('the watch', () => {
  const config = configFor('UseDevelopmentStorage=true');
  const given = {
    config,
    ledger: ledgerOf([waitingSince(now - 5 * minute), waitingSince(now - 125 * minute)]),
    states: { read: async () => ({ value: openSource, etag: 'e' }) },
    secrets: { webhookSecrets: async () => ['secret'] as [string] },
    queues: [{ name: 'asset-events', read: async () => ({ messages: 7, oldestAt: new Date(now - 90_000) }) }],
    now: () => now,
  };

  it('tells of each source and queue in one line', async () => {
    expect(await linesOf(watch(given))).toEqual([
      {
        level: 'information',
        event: 'queue-watched',
        queue: 'asset-events',
        messages: 7,
        oldestMinutes: 1,
      },
      {
        level: 'information',
        event: 'source-watched',
        source: 'archive',
        kind: 'preservica',
        lastReceivedAt: '2026-01-05T08:55:00.000Z',
        silentMinutes: 5,
        oldestWaitingAt: '2026-01-05T06:55:00.000Z',
        oldestWaitingMinutes: 125,
        oldestWaitingId: `event-of-${now - 125 * minute}`,
        pausedAt: null,
        circuit: null,
        circuitUntil: null,
        hasSecret: true,
      },
    ]);
  });

  it('tells of a source of which nothing came, that is paused, left alone and without a secret', async () => {
    const closed = { code: 'source-unavailable', until: now + minute, openings: 1, probe: null } as const;
    const state = { ...openSource, pausedAt: now - minute, closed };
    const lines = await linesOf(
      watch({
        ...given,
        ledger: ledgerOf([]),
        states: { read: async () => ({ value: state, etag: 'e' }) },
        secrets: { webhookSecrets: async () => undefined },
        queues: [],
      }),
    );
    expect(lines).toMatchObject([
      {
        lastReceivedAt: null,
        silentMinutes: null,
        oldestWaitingMinutes: null,
        pausedAt: '2026-01-05T08:59:00.000Z',
        circuit: 'source-unavailable',
        circuitUntil: '2026-01-05T09:01:00.000Z',
        hasSecret: false,
      },
    ]);
  });

  it('says where it could not look, and looks at the rest', async () => {
    const fails = async (): Promise<never> => await Promise.reject(new StorageError('the table is away'));
    const queue = { name: 'asset-events-poison', read: fails };
    const lines = await linesOf(
      watch({ ...given, states: { read: fails }, queues: [...given.queues, queue] }),
    );
    expect(lines.map(({ event, level }) => [event, level])).toEqual(
      expect.arrayContaining([
        ['queue-watched', 'information'],
        ['queue-not-watched', 'error'],
        ['source-not-watched', 'error'],
      ]),
    );
  });
});

describe('the look at the subscriptions of a source', () => {
  let preservica: PreservicaSimulator;
  beforeAll(async () => {
    preservica = await startPreservicaSimulator();
  });
  afterAll(async () => await preservica.close());

  const look = async (
    settings: Record<string, string> = {},
    { paused = false, seen }: { paused?: boolean; seen?: SubscriptionFindings } = {},
  ) => {
    const { username, password } = preservica.settings.account;
    const config = configFor('UseDevelopmentStorage=true', {
      SOURCE_ARCHIVE_URL: preservica.url,
      SOURCE_ARCHIVE_USERNAME: username,
      SOURCE_ARCHIVE_PASSWORD: password,
      PUBLIC_URL: 'https://hooks.example.org',
      ...settings,
    });
    const { sourceStates } = memoryStores();
    await sourceStates.change('archive', (state) => ({ ...state, pausedAt: paused ? Date.now() : null }));
    const limiter = createSourceLimiter({
      source: 'archive',
      states: sourceStates,
      owner: 'instance-1',
      maxAtOnce: 16,
      maxPerSecond: 0,
      probeAfterMs: 30_000,
      now: Date.now,
      log: () => undefined,
    });
    const secrets = localSecrets(config.sources, {
      file: undefined,
      overlapMs: 0,
      now: Date.now,
      log: () => undefined,
    });
    const real: SourceDoctor = await preservicaKind.doctor();
    const doctor = async (): Promise<SourceDoctor> =>
      seen === undefined ? real : { ...real, subscriptions: async () => seen };
    const sources = new Map([['archive', { limiter, doctor }]]);
    const [line] = await linesOf(watchSubscriptions({ config, secrets, sources, now: Date.now }));
    return line;
  };

  it('says what is missing, what is there, and where it cannot tell', async () => {
    expect(await look()).toMatchObject({ level: 'warning', source: 'archive', state: 'missing' });
    expect(await look({ SOURCE_ARCHIVE_PASSWORD: 'of somebody else' })).toMatchObject({ state: 'unknown' });
    expect(await look({ PUBLIC_URL: '' })).toMatchObject({ state: 'unknown' });
    expect(await look({}, { paused: true })).toMatchObject({ state: 'unknown', subscriptions: null });
  });

  it('is well where they are there and nothing of them is wrong', async () => {
    const ok = { state: 'ok', text: 'One for this app.' } as const;
    const warning = { state: 'warning', text: 'One is there twice.' } as const;
    const wrong = { state: 'wrong', text: 'Webhook 7 is disabled.' } as const;
    const seen = async (findings: SubscriptionFindings['findings']) =>
      await look({}, { seen: { findings, count: 1, webhooks: [] } });
    expect(await seen([ok, warning])).toMatchObject({ level: 'information', state: 'ok', subscriptions: 1 });
    expect(await seen([ok, wrong])).toMatchObject({ level: 'warning', state: 'amiss', text: wrong.text });
  });
});
