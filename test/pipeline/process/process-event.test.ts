import { describe, expect, it, vi } from 'vitest';
import { StorageError } from '../../../src/pipeline/ports/errors.ts';
import type { AssetEvent } from '../../../src/pipeline/model/event.ts';
import { Coalescer } from '../../../src/pipeline/concurrency/coalescer.ts';
import { handleMessage } from '../../../src/pipeline/process/handle-message.ts';
import type { Outcome, ProcessDeps } from '../../../src/pipeline/process/process-deps.ts';
import type { FetchResult, FetchContext } from '../../../src/pipeline/ports/source-client.ts';
import { aMessage, anEvent, assetId, found, receivedAt, processBench } from '../../support/work-bench.ts';
import { Killed } from '../../support/memory-stores.ts';

const hour = 3_600_000;

describe('working on one event', () => {
  it('keeps a record and ends the event', async () => {
    const bench = processBench();
    await bench.handle(aMessage());
    expect(bench.record()).toMatchObject({
      v: 1,
      source: 'archive',
      assetId,
      title: 'Harbour',
      deleted: false,
      thumbnailState: 'none',
      fetchedAt: receivedAt,
    });
    expect(bench.summary()).toMatchObject({
      state: 'done',
      reason: null,
      title: 'Harbour',
      attempts: 1,
      duplicates: 0,
    });
  });

  it.each<[string, FetchResult, object]>([
    ['not found', { kind: 'not-found', text: 't' }, { state: 'ignored', reason: { code: 'not-found' } }],
    [
      'no permission',
      { kind: 'no-permission', text: 't' },
      { state: 'failed', reason: { code: 'no-permission' } },
    ],
    [
      'unreadable',
      { kind: 'unreadable-answer', text: 't' },
      { state: 'failed', reason: { code: 'unreadable-answer' } },
    ],
    [
      'again',
      { kind: 'again', code: 'source-unavailable', text: 't' },
      { state: 'waiting', reason: { code: 'source-unavailable' } },
    ],
    [
      'login refused',
      { kind: 'again', code: 'login-refused', text: 't' },
      { state: 'waiting', reason: { code: 'login-refused' } },
    ],
  ])('leaves an existing record as it was: %s', async (_name, fetchResult, expected) => {
    const answers = [found('As it was'), fetchResult];
    const bench = processBench(() => answers.shift() ?? fetchResult);
    await bench.handle(aMessage());
    const before = bench.record();
    await bench.handle(aMessage({ events: [anEvent({ id: 'event-2' })] }));
    expect(bench.summary('event-2')).toMatchObject(expected);
    expect(bench.record()).toEqual(before);
  });

  it('marks a record deleted and keeps what was known', async () => {
    const answers: FetchResult[] = [
      found('Harbour'),
      { kind: 'deleted', details: { kind: 'asset', title: null, links: {}, details: {} } },
    ];
    const bench = processBench(() => answers.shift() ?? found());
    await bench.handle(aMessage());
    await bench.handle(aMessage({ events: [anEvent({ id: 'event-2' })] }));
    expect(bench.record()).toMatchObject({ deleted: true, title: 'Harbour' });
    expect(bench.summary('event-2')).toMatchObject({ state: 'done', reason: { code: 'deleted' } });
  });

  it.each([
    ['too old', { occurredAt: new Date(Date.parse(receivedAt) - 169 * hour).toISOString() }, 'too-old'],
    [
      'in the future',
      { occurredAt: new Date(Date.parse(receivedAt) + 25 * hour).toISOString() },
      'in-future',
    ],
    ['about nothing', { assetId: undefined }, 'not-an-asset'],
    ['about something else', { assetKind: 'other' as const }, 'not-an-asset'],
    ['an impossible reference', { assetId: '../../x' }, 'impossible-id'],
  ])('ignores an event that is %s, and asks nobody', async (_name, given, code) => {
    const bench = processBench();
    const event = { ...anEvent(), ...given };
    await bench.handle(JSON.parse(JSON.stringify(aMessage({ events: [event] }))));
    expect(bench.summary()).toMatchObject({ state: 'ignored', reason: { code } });
    expect(bench.asked).toEqual([]);
  });

  it('judges age from the time of receipt: a long outage of ours ages nothing', async () => {
    const bench = processBench();
    bench.pass(1000 * hour);
    await bench.handle(aMessage());
    expect(bench.summary()).toMatchObject({ state: 'done' });
  });

  it('goes through the whole schedule and then gives up', async () => {
    const bench = processBench(() => ({
      kind: 'again',
      code: 'source-unavailable',
      text: 'Preservica answered 500.',
    }));
    await bench.handle(aMessage());
    expect(bench.messages).toMatchObject([{ delayMs: 5_000 }]);
    expect(bench.summary()).toMatchObject({
      state: 'waiting',
      attempts: 1,
      reason: { nextAttemptAt: '2026-01-05T09:08:12.065Z' },
    });
    await bench.drain();
    expect(bench.asked).toHaveLength(3);
    expect(bench.summary()).toMatchObject({ state: 'failed', attempts: 3, reason: { code: 'gave-up' } });
    expect(bench.events.get('event-1')?.value.history.map(({ state }) => state)).toEqual([
      'waiting',
      'waiting',
      'failed',
    ]);
  });

  it('keeps the reason of a refused login to the end', async () => {
    const bench = processBench(() => ({
      kind: 'again',
      code: 'login-refused',
      text: 'Preservica refused the login.',
    }));
    await bench.handle(aMessage());
    await bench.drain();
    expect(bench.summary()).toMatchObject({ state: 'failed', reason: { code: 'login-refused' } });
  });

  it('never undercuts what the source asked for, up to the cap, and asks nobody else meanwhile', async () => {
    const bench = processBench(() => ({
      kind: 'again',
      code: 'rate-limited',
      text: 't',
      retryAfterMs: 40_000,
    }));
    await bench.handle(aMessage());
    expect(bench.messages).toMatchObject([{ delayMs: 40_000 }]);
    const other = anEvent({ id: 'event-2', assetId: assetId.replace('1', '2') });
    await bench.handle(aMessage({ events: [other] }));
    expect(bench.asked).toHaveLength(1);
    expect(bench.summary('event-2')).toMatchObject({
      state: 'waiting',
      attempts: 0,
      reason: { code: 'rate-limited' },
    });
    expect(JSON.parse(bench.messages[1]?.text ?? '')).toMatchObject({ attempt: 0 });
  });
});

describe('twice is the same as once', () => {
  it('does nothing for a second copy of the same message', async () => {
    const bench = processBench();
    await bench.handle(aMessage());
    const before = structuredClone(bench.events.get('event-1'));
    await bench.handle(aMessage());
    expect(bench.asked).toHaveLength(1);
    expect(bench.events.get('event-1')).toEqual(before);
  });

  it('counts another delivery of the same event once, however often its message comes', async () => {
    const bench = processBench();
    await bench.handle(aMessage());
    await bench.handle(aMessage({ deliveryId: 'delivery-2' }));
    await bench.handle(aMessage({ deliveryId: 'delivery-2' }));
    expect(bench.asked).toHaveLength(1);
    expect(bench.summary()).toMatchObject({ state: 'done', duplicates: 1, deliveryId: 'delivery-1' });
    expect(bench.logged.filter(({ name }) => name === 'event-duplicate')).toMatchObject([
      { eventId: 'event-1', delivery: 'delivery-2' },
    ]);
  });

  it('counts another delivery of an event that has ended at once, also while its asset was fetched just now', async () => {
    const bench = processBench(undefined, { foldMarginMs: 10_000 });
    await bench.handle(aMessage());
    await bench.handle(aMessage({ deliveryId: 'delivery-2' }));
    expect(bench.messages).toEqual([]);
    expect(bench.summary()).toMatchObject({ state: 'done', reason: null, duplicates: 1 });
  });

  it('completes a message of an earlier try without work', async () => {
    const bench = processBench(() => ({ kind: 'again', code: 'source-unavailable', text: 't' }));
    await bench.handle(aMessage(), 'm-1');
    await bench.handle(aMessage(), 'm-1');
    expect(bench.asked).toHaveLength(1);
    expect(bench.messages).toHaveLength(1);
  });

  it('puts a second copy that meets a lease back until it ends, and takes over then', async () => {
    const bench = processBench();
    bench.killAfter(1);
    await expect(bench.handle(aMessage(), 'm-1')).rejects.toThrow(Killed);
    bench.revive();
    await bench.handle(aMessage({ deliveryId: 'delivery-2' }), 'm-2');
    expect(bench.asked).toHaveLength(0);
    expect(bench.messages).toMatchObject([{ delayMs: 64_999 }]);
    await bench.drain();
    expect(bench.asked).toHaveLength(1);
    expect(bench.summary()).toMatchObject({ state: 'done', duplicates: 1 });
  });

  it('waits for the end of the lease when the message comes again: its owner may be alive', async () => {
    const bench = processBench();
    bench.killAfter(1);
    await expect(bench.handle(aMessage(), 'm-1')).rejects.toThrow(Killed);
    bench.revive();
    await bench.handle(aMessage(), 'm-1');
    expect(bench.summary()).toMatchObject({ state: 'processing' });
    expect(bench.messages).toMatchObject([{ delayMs: 64_999 }]);
    await bench.drain();
    expect(bench.summary()).toMatchObject({ state: 'done' });
    expect(bench.events.get('event-1')?.value.history.map(({ state }) => state)).toEqual([
      'processing',
      'done',
    ]);
  });

  it.each([
    ['a fetch that succeeds', () => failing(0)],
    ['a fetch that fails twice', () => failing(2)],
  ])('ends as a record whichever write was the last before a crash: %s', async (_name, answer) => {
    for (let last = 1; last <= 12; last += 1) {
      const bench = processBench(answer());
      bench.killAfter(last);
      const item = JSON.parse(JSON.stringify(aMessage()));
      const whole = await bench.handle(item, 'm-1').then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          return false;
        },
      );
      bench.revive();
      // A message whose handler never ended comes again; one that was completed does not.
      if (!whole) await bench.handle(item, 'm-1');
      await bench.drain();
      expect(bench.summary(), `killed after write ${last}`).toMatchObject({ state: 'done' });
      expect(bench.record(), `killed after write ${last}`).toMatchObject({ title: 'Harbour' });
    }
  });
});

function failing(times: number): () => FetchResult {
  let left = times;
  return () => {
    left -= 1;
    return left >= 0 ? { kind: 'again', code: 'source-unavailable', text: 't' } : found();
  };
}

describe('the last state wins', () => {
  it('never lets a slow look-up overwrite what a later one left', async () => {
    let letGo = (): void => undefined;
    const slow = new Promise<void>((resolve) => (letGo = resolve));
    let first = true;
    const answer = async (): Promise<FetchResult> => {
      if (!first) return found('New');
      first = false;
      await slow;
      return found('Old');
    };
    const bench = processBench(answer);
    // Another instance shares the storage, and nothing else.
    const other: ProcessDeps = { ...bench.deps, coalescer: new Coalescer<Outcome>() };
    const early = bench.handle(aMessage());
    await handleMessage(
      { item: aMessage({ events: [anEvent({ id: 'event-2' })] }), messageId: 'm-x' },
      other,
    );
    letGo();
    await early;
    expect(bench.record()).toMatchObject({ title: 'New' });
    expect(bench.summary('event-1')).toMatchObject({ state: 'done', reason: null, title: 'New' });
    // It found another record than the one that it began with, and looked again.
    expect(bench.asked).toHaveLength(3);
  });
});

describe('an asset that was never fetched', () => {
  it('costs no read of its record', async () => {
    const bench = processBench();
    const read = vi.spyOn(bench.assetStore, 'read');
    await bench.handle(aMessage());
    expect(bench.record()).toMatchObject({ title: 'Harbour' });
    expect(read).not.toHaveBeenCalled();
  });

  it('is looked up again where it has a record all the same, as after its row was lost', async () => {
    const bench = processBench();
    await bench.handle(aMessage());
    bench.forgetAssets();
    await bench.handle(aMessage({ events: [anEvent({ id: 'event-2' })] }));
    expect(bench.asked).toHaveLength(3);
    expect(bench.summary('event-2')).toMatchObject({ state: 'done', reason: null });
    expect(bench.record()).toMatchObject({ fetchedAt: new Date(bench.deps.now()).toISOString() });
  });
});

describe('a copy that has its answer while somebody else holds the event', () => {
  it('waits for the end of that lease, for its owner may yet fail', async () => {
    const bench = processBench();
    bench.pass(10_000);
    bench.killAfter(1);
    await expect(bench.handle(aMessage(), 'm-1')).rejects.toThrow(Killed);
    bench.revive();
    await bench.handle(aMessage({ events: [anEvent({ id: 'event-2' })] }));
    await bench.handle(aMessage({ deliveryId: 'delivery-2' }), 'm-2');
    expect(bench.summary()).toMatchObject({ state: 'processing' });
    expect(bench.messages).toMatchObject([{ delayMs: 64_998 }]);
    await bench.drain();
    expect(bench.summary()).toMatchObject({ state: 'done', reason: { code: 'folded' }, duplicates: 1 });
  });
});

describe('many events that wait for one source', () => {
  it('are told of once, and then cost nothing but their messages', async () => {
    const bench = processBench();
    await bench.sourceStates.change('archive', (state) => ({ ...state, pausedAt: bench.deps.now() }));
    await bench.handle(aMessage());
    expect(bench.summary()).toMatchObject({ state: 'waiting', reason: { code: 'paused' } });
    const row = bench.events.get('event-1');
    await bench.drainUntil(bench.deps.now() + 120_000);
    expect(bench.events.get('event-1')).toBe(row);
    expect(bench.writes.filter((what) => what === 'message').length).toBeGreaterThan(3);
    await bench.sourceStates.change('archive', (state) => ({ ...state, pausedAt: null }));
    await bench.drain();
    expect(bench.summary()).toMatchObject({ state: 'done', attempts: 1 });
  });

  it('are told of again during a long wait, with the time of the next look', async () => {
    const bench = processBench();
    await bench.sourceStates.change('archive', (state) => ({ ...state, pausedAt: bench.deps.now() }));
    await bench.handle(aMessage());
    const end = bench.deps.now() + 7_200_000;
    await bench.drainUntil(end);
    expect(Date.parse(bench.summary()?.reason?.nextAttemptAt ?? '')).toBeGreaterThan(end - 300_000);
  });
});

describe('a message that is put back while the source wants quiet', () => {
  it('is put back once, also where the ledger cannot be told', async () => {
    const bench = processBench(() => ({
      kind: 'again',
      code: 'rate-limited',
      text: 't',
      retryAfterMs: 40_000,
    }));
    await bench.handle(aMessage());
    const change = async () => await Promise.reject(new StorageError('throttled'));
    const other = anEvent({ id: 'event-2', assetId: assetId.replace('1', '2') });
    await handleMessage(
      { item: aMessage({ events: [other] }), messageId: 'm-2' },
      { ...bench.deps, ledger: { ...bench.ledger, change } },
    );
    expect(bench.messages.map(({ text }) => (JSON.parse(text) as { attempt: number }).attempt)).toEqual([
      1, 0,
    ]);
  });
});

describe('an event that was taken over', () => {
  it('is left alone by who had it before', async () => {
    let letGo = (): void => undefined;
    const slow = new Promise<void>((resolve) => (letGo = resolve));
    let first = true;
    const bench = processBench(async () => {
      if (!first) return found('Taken over');
      first = false;
      await slow;
      return { kind: 'not-found', text: 'Too late to be believed.' };
    });
    const other: ProcessDeps = { ...bench.deps, coalescer: new Coalescer<Outcome>() };
    const early = bench.handle(aMessage(), 'm-1');
    await until(() => bench.asked.length === 1);
    bench.pass(130_000);
    await handleMessage({ item: aMessage({ deliveryId: 'delivery-2' }), messageId: 'm-2' }, other);
    expect(bench.summary()).toMatchObject({ state: 'done', title: 'Taken over' });
    letGo();
    await early;
    expect(bench.summary()).toMatchObject({ state: 'done', title: 'Taken over', attempts: 1 });
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('many events on one asset', () => {
  it('share look-ups that began after each of them came', async () => {
    const bench = processBench(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return found();
    });
    const ids = Array.from({ length: 20 }, (_, index) => `event-${index}`);
    await bench.handleAtOnce(ids.map((id) => aMessage({ events: [anEvent({ id })] })));
    await bench.drain();
    expect(bench.asked).toHaveLength(2);
    expect(ids.map((id) => bench.summary(id)?.state)).toEqual(ids.map(() => 'done'));
    expect(ids.filter((id) => bench.summary(id)?.reason?.code === 'folded')).toHaveLength(18);
  });

  it('are folded into a look-up that began later than they came by more than the margin', async () => {
    const bench = processBench();
    bench.pass(10_000);
    await bench.handle(aMessage());
    await bench.handle(aMessage({ events: [anEvent({ id: 'event-2' })] }));
    expect(bench.asked).toHaveLength(1);
    expect(bench.summary('event-2')).toMatchObject({
      state: 'done',
      reason: { code: 'folded' },
      title: 'Harbour',
    });
  });

  it('are not folded within the margin, because two clocks may differ, but wait it out', async () => {
    const bench = processBench(() => found(), { foldMarginMs: 10_000 });
    bench.pass(9_999);
    await bench.handle(aMessage());
    await bench.handle(aMessage({ events: [anEvent({ id: 'event-2' })] }));
    expect(bench.asked).toHaveLength(1);
    expect(bench.messages).toMatchObject([{ delayMs: 10_000 }]);
    await bench.drain();
    expect(bench.asked).toHaveLength(2);
    expect(bench.summary('event-2')).toMatchObject({ state: 'done', reason: null, attempts: 1 });
  });

  it('are asked for again, and stay ended, after a clock has jumped back', async () => {
    const bench = processBench(() => found(), { foldMarginMs: 10_000 });
    await bench.handle(aMessage());
    const ended = bench.summary();
    bench.pass(-3_600_000);
    const at = new Date(bench.deps.now()).toISOString();
    const later = { receivedAt: at, deliveryId: 'delivery-2', events: [anEvent({ id: 'event-2' })] };
    await bench.handle(aMessage(later));
    expect(bench.asked).toHaveLength(2);
    expect(bench.summary('event-2')).toMatchObject({ state: 'done', reason: null });
    await bench.handle(aMessage());
    await bench.handle(aMessage({ ...later, events: [anEvent()] }));
    await bench.drain();
    expect(bench.asked).toHaveLength(2);
    expect(bench.summary()).toEqual({ ...ended, duplicates: 1 });
  });

  it.each<[string, object, Partial<AssetEvent>]>([
    ['a replay', { replayId: 'r-1', replayedAt: receivedAt }, {}],
    ['another try', { attempt: 1 }, {}],
    ['a removal', {}, { removal: true }],
  ])('do not wait for the margin: %s', async (_name, head, event) => {
    const bench = processBench(() => found(), { foldMarginMs: 10_000 });
    await bench.handle(aMessage());
    await bench.handle(aMessage({ ...head, events: [anEvent({ id: 'event-2', ...event })] }));
    expect(bench.asked).toHaveLength(2);
  });

  it('wait for the margin unless they bring the picture that the record waits for', async () => {
    const pending: FetchResult = { ...found(), thumbnail: { kind: 'pending' } } as FetchResult;
    const bench = processBench(() => pending, { foldMarginMs: 10_000 });
    const event = (id: string, type: string) => aMessage({ events: [anEvent({ id, type })] });
    await bench.handle(event('event-1', 'MOVED'));
    await bench.handle(event('event-2', 'MOVED'));
    expect(bench.asked).toHaveLength(1);
    await bench.handleAtOnce([event('event-3', 'MOVED'), event('event-4', 'FULL_TEXT_INDEXED')]);
    expect(bench.asked).toHaveLength(2);
  });

  it('cost a look-up in ten seconds, however many they are', async () => {
    const bench = processBench(() => found(), { foldMarginMs: 10_000 });
    const began = bench.deps.now();
    for (let n = 0; n < 1_000; n += 1) {
      await bench.drainUntil(began + n * 60);
      const at = new Date(bench.deps.now()).toISOString();
      await bench.handleAtOnce([
        aMessage({ receivedAt: at, events: [anEvent({ id: `event-${n}`, occurredAt: at })] }),
      ]);
    }
    await bench.drain(10_000);
    expect(bench.asked.length).toBeLessThanOrEqual(9);
    const states = Array.from({ length: 1_000 }, (_, n) => bench.summary(`event-${n}`)?.state);
    expect(new Set(states)).toEqual(new Set(['done']));
  });
});

describe('a source whose look-ups may lag behind its events', () => {
  const at = (seconds: number): string => new Date(Date.parse(receivedAt) + seconds * 1000).toISOString();
  const gone: FetchResult = {
    kind: 'deleted',
    details: { kind: 'asset', title: null, links: {}, details: {} },
  };
  const lagging = (answer: (context: FetchContext) => FetchResult | Promise<FetchResult> = () => found()) =>
    processBench(async (_asset, context) => await answer(context), {}, { eventuallyConsistent: true });
  type Bench = ReturnType<typeof processBench>;
  const handle = async (bench: Bench, id: string, seconds: number, more: Partial<AssetEvent> = {}) =>
    await bench.handle(aMessage({ events: [anEvent({ id, occurredAt: at(seconds), ...more })] }));

  it('is asked for many events by the one that occurred last, whatever their order', async () => {
    const leaders: string[] = [];
    const bench = lagging(async ({ event, laterEventKnown }) => {
      leaders.push(`${event.id}${laterEventKnown ? ', late' : ''}`);
      await new Promise((resolve) => setImmediate(resolve));
      return found();
    });
    const order = [3, 17, 19, 0, 8, 18, 1, 2];
    await bench.handleAtOnce(
      order.map((n) => aMessage({ events: [anEvent({ id: `event-${n}`, occurredAt: at(n) })] })),
    );
    await bench.drain();
    expect(leaders).toEqual(['event-3', 'event-19']);
    expect(order.map((n) => bench.summary(`event-${n}`)?.state)).toEqual(order.map(() => 'done'));
  });

  it('is asked again for an event that occurred after those that a look-up was made for', async () => {
    const bench = lagging();
    bench.pass(10_000);
    await handle(bench, 'event-1', 5);
    await handle(bench, 'event-2', 6);
    expect(bench.asked).toHaveLength(2);
    await handle(bench, 'event-3', 4);
    expect(bench.asked).toHaveLength(2);
    expect(bench.summary('event-3')).toMatchObject({ state: 'done', reason: { code: 'folded' } });
  });

  it('is asked again where a look-up compared nothing, because a later event was known', async () => {
    const answers: FetchResult[] = [{ kind: 'again', code: 'source-unavailable', text: 't' }];
    const bench = lagging(() => answers.shift() ?? found());
    bench.pass(10_000);
    await handle(bench, 'event-1', 9);
    await handle(bench, 'event-2', 5);
    await handle(bench, 'event-3', 3);
    expect(bench.asked).toHaveLength(3);
  });

  it('is asked again where the later event that is known did not come to its end', async () => {
    const answers: FetchResult[] = [found(), { kind: 'again', code: 'source-unavailable', text: 't' }];
    const bench = lagging(() => answers.shift() ?? found());
    bench.pass(20_000);
    await handle(bench, 'event-1', 5);
    await handle(bench, 'event-2', 9);
    await handle(bench, 'event-3', 7);
    expect(bench.asked).toHaveLength(3);
  });

  it('shows an asset again that came back, however its events overtake each other', async () => {
    const bench = lagging(async ({ removed }) => {
      await new Promise((resolve) => setImmediate(resolve));
      return removed ? gone : found('Rescued');
    });
    await handle(bench, 'removal', 10, { removal: true });
    await Promise.all([
      handle(bench, 'late', 5),
      handle(bench, 'later-still', 6),
      handle(bench, 'rescue', 20),
    ]);
    expect(bench.record()).toMatchObject({ deleted: false, title: 'Rescued' });
    expect(bench.summary('rescue')).toMatchObject({ reason: null });
  });

  describe('and an event that does not say when it was', () => {
    const timeUnknown = { timeUnknown: true } as const;
    const lookedUp = async (events: [seconds: number, more?: Partial<AssetEvent>][]) => {
      const occasions: Pick<FetchContext, 'removed' | 'laterEventKnown'>[] = [];
      const bench = lagging(({ removed, laterEventKnown }) => {
        occasions.push({ removed, laterEventKnown });
        return removed ? gone : found();
      });
      let serial = 0;
      for (const [seconds, more] of events) await handle(bench, `event-${(serial += 1)}`, seconds, more);
      return occasions;
    };

    it('does not bring back what was removed, whenever it comes', async () => {
      const [, second] = await lookedUp([
        [10, { removal: true }],
        [20, timeUnknown],
      ]);
      expect(second).toEqual({ removed: true, laterEventKnown: false });
    });

    it('makes no later one late', async () => {
      const [, second] = await lookedUp([[20, timeUnknown], [10]]);
      expect(second).toEqual({ removed: false, laterEventKnown: false });
    });

    it.each<[string, [number, Partial<AssetEvent>?][], boolean]>([
      ['stays removed', [[15, timeUnknown]], true],
      ['stays removed where an older one comes late', [[10]], true],
      ['is there again where a later one comes', [[30]], false],
    ])('says that an asset is gone, which %s', async (_name, more, removed) => {
      const occasions = await lookedUp([[12], [20, { removal: true, ...timeUnknown }], ...more]);
      expect(occasions[1]).toMatchObject({ removed: true });
      expect(occasions.at(-1)).toMatchObject({ removed });
    });

    it('is looked up for itself', async () => {
      const bench = lagging();
      bench.pass(20_000);
      await handle(bench, 'event-1', 5);
      await handle(bench, 'event-2', 0, timeUnknown);
      expect(bench.asked).toHaveLength(2);
    });
  });
});
