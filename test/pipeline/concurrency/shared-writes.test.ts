import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SharedWrites } from '../../../src/pipeline/concurrency/shared-writes.ts';
import { decodeMessage, maxTextBytes } from '../../../src/pipeline/model/message.ts';
import { aMessage } from '../../support/work-bench.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const lasting = async (ms: number): Promise<void> =>
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** A queue whose writes take so long, and fail where told to. */
function setup(tookMs = 10, fails: (texts: readonly string[]) => boolean = () => false) {
  const written: { ids: string[]; text: string; delayMs: number }[] = [];
  const writes = new SharedWrites({
    async send(text, { delayMs = 0 } = {}) {
      await lasting(tookMs);
      const ids = idsIn(text);
      if (fails(ids)) throw new Error(`not written: ${ids.join()}`);
      written.push({ ids, text, delayMs });
    },
  });
  return { writes, written };
}

function idsIn(text: string): string[] {
  const decoded = decodeMessage(JSON.parse(text));
  if (decoded.kind === 'message') return [decoded.message.deliveryId];
  if (decoded.kind !== 'deliveries') throw new Error(decoded.kind);
  return decoded.deliveries.map((each) => (each as { deliveryId: string }).deliveryId);
}

const textOf = (deliveryId: string, bytes = 0): string =>
  JSON.stringify({ ...aMessage({ deliveryId }), padding: 'x'.repeat(bytes) });

describe('shared writes', () => {
  it('do not wait while nothing is under way', async () => {
    const { writes, written } = setup(0);
    for (const id of ['a', 'b', 'c']) {
      const sending = writes.send(textOf(id));
      await vi.advanceTimersByTimeAsync(0);
      await sending;
    }
    expect(written.map(({ text }) => text)).toEqual(['a', 'b', 'c'].map((id) => textOf(id)));
  });

  it('take all together that come while one is under way', async () => {
    const { writes, written } = setup();
    const sending = ['a', 'b', 'c', 'd'].map(async (id) => await writes.send(textOf(id)));
    await vi.advanceTimersByTimeAsync(20);
    await Promise.all(sending);
    expect(written.map(({ ids }) => ids)).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('hold each message once, in order, and fit into the queue', async () => {
    const job = fc.record({ atMs: fc.nat(100), bytes: fc.nat(47_000) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(job, { maxLength: 80 }),
        fc.integer({ min: 0, max: 300 }),
        async (jobs, tookMs) => {
          const { writes, written } = setup(tookMs);
          const order: string[] = [];
          const sending = jobs.map(async ({ atMs, bytes }, index) => {
            await lasting(atMs);
            order.push(`d-${index}`);
            await writes.send(textOf(`d-${index}`, bytes));
            // It is there once this returns.
            expect(written.flatMap(({ ids }) => ids)).toContain(`d-${index}`);
          });
          await vi.runAllTimersAsync();
          await Promise.all(sending);
          expect(written.flatMap(({ ids }) => ids)).toEqual(order);
          for (const { text } of written) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxTextBytes);
          expect(vi.getTimerCount()).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('that fail fail those that they held, and no other', async () => {
    const { writes, written } = setup(10, (ids) => ids.includes('b'));
    const sending = Promise.allSettled(['a', 'b', 'c'].map(async (id) => await writes.send(textOf(id))));
    await vi.advanceTimersByTimeAsync(10);
    const later = writes.send(textOf('d'));
    await vi.advanceTimersByTimeAsync(30);
    expect((await sending).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    await later;
    expect(written.map(({ ids }) => ids)).toEqual([['a'], ['d']]);
  });

  it('that hang hold nobody up, and end by themselves', async () => {
    const written: string[] = [];
    let hanging = 1;
    const writes = new SharedWrites({
      async send(text, { signal } = {}) {
        hanging -= 1;
        if (hanging < 0) written.push(...idsIn(text));
        else
          await new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(new Error('aborted')));
          });
      },
    });
    const [first, second] = [writes.send(textOf('a')), writes.send(textOf('b'))];
    await vi.advanceTimersByTimeAsync(100);
    await second;
    expect(written).toEqual(['b']);
    const givenUp = expect(first).rejects.toThrow('aborted');
    vi.useRealTimers();
    await givenUp;
  });

  it('let a message go whose time is up, and write the others', async () => {
    const { writes, written } = setup(50);
    const late = new AbortController();
    const sending = [
      writes.send(textOf('a')),
      writes.send(textOf('b'), { signal: late.signal }),
      writes.send(textOf('c')),
    ];
    const refused = expect(sending[1]).rejects.toThrow('time is up');
    late.abort(new Error('time is up'));
    await refused;
    await vi.advanceTimersByTimeAsync(100);
    await Promise.all([sending[0], sending[2]]);
    expect(written.map(({ ids }) => ids)).toEqual([['a'], ['c']]);
  });

  it('go together only where their delays are much the same, and then wait for the longest', async () => {
    const { writes, written } = setup();
    const delays = { a: 0, b: 1_000, c: 2_000, d: 300_000, e: 360_000, f: 500 };
    const sent = Object.entries(delays).map(([id, delayMs]) => writes.send(textOf(id), { delayMs }));
    await vi.advanceTimersByTimeAsync(1_000);
    await Promise.all(sent);
    expect(written.map(({ ids, delayMs }) => [ids.join(''), delayMs])).toEqual([
      ['a', 0],
      ['bcf', 2_000],
      ['de', 360_000],
    ]);
  });
});
