import { describe, expect, it } from 'vitest';
import { Coalescer } from '../../../src/pipeline/concurrency/coalescer.ts';
import { handleMessage } from '../../../src/pipeline/process/handle-message.ts';
import { eventStates } from '../../../src/pipeline/model/ledger.ts';
import { reasonCodes } from '../../../src/pipeline/model/reason-codes.ts';
import { recordPoison } from '../../../src/pipeline/dead-letter/record-poison.ts';
import type { FetchResult } from '../../../src/pipeline/ports/source-client.ts';
import type { Outcome, ProcessDeps, ProcessSource } from '../../../src/pipeline/process/process-deps.ts';
import { aMessage, anEvent, found, receivedAt, processBench } from '../../support/work-bench.ts';
import { Killed } from '../../support/memory-stores.ts';

type Bench = ReturnType<typeof processBench>;

const again = (code: 'source-unavailable' | 'rate-limited' | 'login-refused'): FetchResult => ({
  kind: 'again',
  code,
  text: 't',
});
const pending: FetchResult = { ...found(), thumbnail: { kind: 'pending' } } as FetchResult;
const deleted: FetchResult = {
  kind: 'deleted',
  details: { kind: 'asset', title: null, links: {}, details: {} },
};
const at = (hours: number): string => new Date(Date.parse(receivedAt) + hours * 3_600_000).toISOString();

/** What the log says of events, as `name level state code`. */
const saidOf = ({ logged }: Bench): string[] =>
  logged
    .filter(({ name }) => name === 'event-ended' || name === 'event-waiting')
    .map(({ name, level, state, code }) => [name, level, state, code ?? '–'].join(' '));

/** One event from its first message to its end. */
async function whole(answer: FetchResult, event = {}, source: Partial<ProcessSource> = {}): Promise<Bench> {
  const bench = processBench(() => answer, {}, source);
  await bench.handle(aMessage({ events: [anEvent(event)] }));
  await bench.drain();
  return bench;
}

async function poisoned(): Promise<Bench> {
  const bench = processBench();
  const text = Buffer.from(JSON.stringify(aMessage())).toString('base64');
  for (const messageId of ['p-1', 'p-2']) await recordPoison({ text, messageId }, bench.deps);
  return bench;
}

async function handled(item: unknown): Promise<Bench> {
  const bench = processBench();
  for (let times = 0; times < 2; times += 1) await bench.handle(item);
  return bench;
}

/** A second event on an asset that was looked up well after both came; its own message comes twice. */
async function covered(): Promise<Bench> {
  const bench = processBench();
  bench.pass(10_000);
  for (const id of ['event-1', 'event-2', 'event-2'])
    await bench.handle(aMessage({ events: [anEvent({ id })] }));
  return bench;
}

async function paused(): Promise<Bench> {
  const bench = processBench();
  const setPaused = async (pausedAt: number | null) =>
    await bench.sourceStates.change('archive', (state) => ({ ...state, pausedAt }));
  await setPaused(bench.deps.now());
  await bench.handle(aMessage());
  await setPaused(null);
  await bench.drain();
  return bench;
}

const twice = (line: string): string[] => [line, line];
const ways: [string, () => Promise<Bench>, string[]][] = [
  ['a record', async () => await whole(found()), ['event-ended info done –']],
  ['deleted', async () => await whole(deleted), ['event-ended info done deleted']],
  ['folded', covered, ['event-ended info done –', 'event-ended info done folded']],
  [
    'no thumbnail',
    async () => await whole(pending),
    [...twice('event-waiting info waiting thumbnail-pending'), 'event-ended info done no-thumbnail-yet'],
  ],
  [
    'an index that stays behind',
    async () => await whole({ ...found(), behind: 'b' } as FetchResult),
    [...twice('event-waiting info waiting index-behind'), 'event-ended info done index-behind'],
  ],
  [
    'parts that never come',
    async () => await whole({ ...found(), unfinished: again('source-unavailable') } as FetchResult),
    [...twice('event-waiting warn waiting source-unavailable'), 'event-ended info done incomplete'],
  ],
  [
    'not found',
    async () => await whole({ kind: 'not-found', text: 't' }),
    ['event-ended info ignored not-found'],
  ],
  [
    'too old',
    async () => await whole(found(), { occurredAt: at(-169) }),
    ['event-ended info ignored too-old'],
  ],
  ['ahead', async () => await whole(found(), { occurredAt: at(25) }), ['event-ended info ignored in-future']],
  [
    'no asset',
    async () => await whole(found(), { assetKind: 'other' }),
    ['event-ended info ignored not-an-asset'],
  ],
  [
    'an odd id',
    async () => await whole(found(), { assetId: '../x' }),
    ['event-ended info ignored impossible-id'],
  ],
  [
    'no permission',
    async () => await whole({ kind: 'no-permission', text: 't' }),
    ['event-ended error failed no-permission'],
  ],
  [
    'not visible',
    async () => await whole({ kind: 'not-visible', text: 't' }),
    [...twice('event-waiting info waiting not-visible'), 'event-ended error failed not-visible'],
  ],
  [
    'an unreadable answer',
    async () => await whole({ kind: 'unreadable-answer', text: 't' }),
    ['event-ended error failed unreadable-answer'],
  ],
  [
    'a source that is away',
    async () => await whole(again('source-unavailable')),
    [...twice('event-waiting warn waiting source-unavailable'), 'event-ended error failed gave-up'],
  ],
  [
    'a source that wants less',
    async () => await whole(again('rate-limited')),
    [...twice('event-waiting warn waiting rate-limited'), 'event-ended error failed gave-up'],
  ],
  [
    'a refused login',
    async () => await whole(again('login-refused')),
    // At the first refusal the circuit opens: a message that comes before its time waits on, without a try.
    [
      'event-waiting warn waiting login-refused',
      'event-waiting info waiting login-refused',
      'event-waiting warn waiting login-refused',
      'event-waiting info waiting login-refused',
      'event-ended error failed login-refused',
    ],
  ],
  ['a paused source', paused, ['event-waiting info waiting paused', 'event-ended info done –']],
  [
    'no such source any more',
    async () => await handled({ ...aMessage({ source: 'gone' }), putBackAt: at(-1) }),
    ['event-ended error failed unknown-source'],
  ],
  ['no message of ours', async () => await handled('hello'), ['event-ended error failed unreadable']],
  [
    'a body that is gone',
    async () => {
      const { events: _events, ...head } = aMessage();
      return await handled({ ...head, claim: { blob: 'gone', from: 0, to: 1 } });
    },
    ['event-ended error failed unreadable'],
  ],
  ['given up by the platform', poisoned, ['event-ended error failed poison']],
];

describe("an event's end", () => {
  it.each(ways)('is in the log once, and why it waits each time: %s', async (_name, way, expected) => {
    const bench = await way();
    expect(saidOf(bench)).toEqual(expected);
    // What the log says last is what the ledger says.
    const last = bench.logged.findLast(({ name }) => name === 'event-ended');
    const summary = bench.summary(String(last?.['eventId']));
    expect(last).toEqual({
      level: summary?.state === 'failed' ? 'error' : 'info',
      name: 'event-ended',
      source: summary?.source,
      eventId: summary?.id,
      delivery: summary?.deliveryId,
      type: summary?.type,
      state: summary?.state,
      code: summary?.reason?.code,
      attempts: summary?.attempts,
      lagMs: Date.parse(summary?.finishedAt ?? '') - Date.parse(summary?.receivedAt ?? ''),
    });
  });

  it('is looked at here in every way that there is', () => {
    const looked = new Set(
      ways.flatMap(([, , lines]) => lines.map((line) => line.split(' ').slice(2).join(' '))),
    );
    const all = eventStates.flatMap((state) => [...reasonCodes[state]].map((code) => `${state} ${code}`));
    expect(looked).toEqual(new Set([...all, 'done –']));
  });

  it('counts the tries and the time since receipt', async () => {
    const bench = await whole(again('source-unavailable'));
    expect(bench.logged.filter(({ name }) => name.startsWith('event-'))).toMatchObject([
      { attempts: 1, lagMs: 0, nextAttemptAt: at(5 / 3600) },
      { attempts: 2, lagMs: 5_000, nextAttemptAt: at(35 / 3600) },
      { attempts: 3, lagMs: 35_000 },
    ]);
  });

  it('is said by each event that shares a look-up', async () => {
    const bench = processBench(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return found();
    });
    const ids = ['event-1', 'event-2', 'event-3'];
    await Promise.all(ids.map(async (id) => await bench.handle(aMessage({ events: [anEvent({ id })] }))));
    await bench.drain();
    expect(bench.logged.filter(({ name }) => name === 'event-ended').map(({ eventId }) => eventId)).toEqual(
      expect.arrayContaining(ids),
    );
    expect(saidOf(bench)).toHaveLength(3);
  });

  it('is said once where its message comes again', async () => {
    const bench = processBench();
    for (const deliveryId of ['delivery-1', 'delivery-1', 'delivery-2'])
      await bench.handle(aMessage({ deliveryId }));
    await bench.drain();
    expect(saidOf(bench)).toEqual(['event-ended info done –']);
  });

  it('is said once, by whoever took the event over', async () => {
    let letGo = (): void => undefined;
    const slow = new Promise<void>((resolve) => (letGo = resolve));
    let first = true;
    const bench = processBench(async () => {
      if (!first) return found('Taken over');
      first = false;
      await slow;
      return { kind: 'no-permission', text: 'Too late to be believed.' };
    });
    const other: ProcessDeps = { ...bench.deps, coalescer: new Coalescer<Outcome>() };
    const early = bench.handle(aMessage(), 'm-1');
    while (bench.asked.length < 1) await new Promise((resolve) => setImmediate(resolve));
    bench.pass(130_000);
    await handleMessage({ item: aMessage(), messageId: 'm-2' }, other);
    letGo();
    await early;
    expect(saidOf(bench)).toEqual(['event-ended info done –']);
  });

  it('is not said by a copy that meets a lease', async () => {
    const bench = processBench();
    bench.pass(10_000);
    bench.killAfter(1);
    await expect(bench.handle(aMessage(), 'm-1')).rejects.toThrow(Killed);
    bench.revive();
    await bench.handle(aMessage({ deliveryId: 'delivery-2' }), 'm-2');
    expect(bench.summary()).toMatchObject({ state: 'processing' });
    expect(saidOf(bench)).toEqual([]);
    expect(bench.logged).toMatchObject([
      { level: 'info', name: 'event-duplicate', delivery: 'delivery-2' },
      { level: 'info', name: 'event-put-back', eventId: 'event-1' },
    ]);
  });

  it('is said where it was written and only the answer was lost', async () => {
    const bench = processBench();
    const change: ProcessDeps['ledger']['change'] = async (...given) => await bench.ledger.change(...given);
    const forgetful: ProcessDeps = {
      ...bench.deps,
      ledger: {
        ...bench.ledger,
        change: async (keys, known, decide) => {
          await change(keys, known, decide);
          return await change(keys, undefined, decide);
        },
      },
    };
    await handleMessage({ item: aMessage(), messageId: 'm-1' }, forgetful);
    expect(saidOf(bench)).toEqual(['event-ended info done –']);
  });

  it('is not said where it was not written', async () => {
    const bench = processBench();
    bench.killAfter(3);
    await expect(bench.handle(aMessage(), 'm-1')).rejects.toThrow(Killed);
    expect(saidOf(bench)).toEqual([]);
  });

  it('waits without a try while the source wants quiet', async () => {
    const bench = processBench(() => ({
      kind: 'again',
      code: 'rate-limited',
      text: 't',
      retryAfterMs: 40_000,
    }));
    await bench.handle(aMessage());
    const other = anEvent({ id: 'event-2', assetId: '21111111-2222-4333-8444-555555555555' });
    await bench.handle(aMessage({ events: [other] }));
    expect(bench.logged).toMatchObject([
      { level: 'warn', name: 'event-waiting', eventId: 'event-1', attempts: 1 },
      { level: 'info', name: 'event-waiting', eventId: 'event-2', attempts: 0, code: 'rate-limited' },
    ]);
  });
});
