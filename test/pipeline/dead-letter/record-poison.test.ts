import { describe, expect, it } from 'vitest';
import { recordPoison } from '../../../src/pipeline/dead-letter/record-poison.ts';
import { aMessage, anEvent, processBench } from '../../support/work-bench.ts';
import { Killed } from '../../support/memory-stores.ts';

const base64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');

describe('what the platform gave up on', () => {
  it('leaves the events of a larger message to messages of their own', async () => {
    const bench = processBench();
    const message = aMessage({ events: [anEvent({ id: 'a' }), anEvent({ id: 'b' })] });
    expect(await recordPoison({ text: base64(message), messageId: 'p-1' }, bench.deps)).toBe('recorded');
    expect(bench.events.size).toBe(0);
    await bench.drain();
    for (const id of ['a', 'b']) expect(bench.summary(id)).toMatchObject({ state: 'done' });
  });

  it('a second time becomes a failed row an event', async () => {
    const bench = processBench();
    const events = [anEvent({ id: 'a' }), anEvent({ id: 'b' })];
    const message = { ...aMessage({ events }), fromPoison: true };
    expect(await recordPoison({ text: base64(message), messageId: 'p-1' }, bench.deps)).toBe('recorded');
    for (const id of ['a', 'b'])
      expect(bench.summary(id)).toMatchObject({ state: 'failed', reason: { code: 'poison' } });
  });

  it('leaves alone what has ended otherwise', async () => {
    const bench = processBench();
    await bench.handle(aMessage());
    await recordPoison({ text: base64(aMessage()), messageId: 'p-1' }, bench.deps);
    expect(bench.summary()).toMatchObject({ state: 'done' });
  });

  it('waits for somebody who is at it', async () => {
    const bench = processBench();
    bench.killAfter(1);
    await expect(bench.handle(aMessage(), 'm-1')).rejects.toThrow(Killed);
    bench.revive();
    expect(await recordPoison({ text: base64(aMessage()), messageId: 'p-1' }, bench.deps)).toBe('not-yet');
    bench.pass(130_000);
    expect(await recordPoison({ text: base64(aMessage()), messageId: 'p-1' }, bench.deps)).toBe('recorded');
    expect(bench.summary()).toMatchObject({ state: 'failed', reason: { code: 'poison' } });
  });

  it.each([
    ['no base64', 'hello there!', 'hello there!'],
    ['base64 of no JSON', base64('hello'), 'hello'],
    ['base64 of another JSON', base64({ a: 1 }), '{"a":1}'],
    ['base64 of bytes that are no text', Buffer.from([255, 254, 0]).toString('base64'), '\ufffd\ufffd\u0000'],
    ['empty', '', ''],
  ])('is kept and recorded when it is %s', async (_name, text, kept) => {
    const bench = processBench();
    expect(await recordPoison({ text, messageId: 'p-1' }, bench.deps)).toBe('recorded');
    expect([...bench.deliveries.values()].map((bytes) => Buffer.from(bytes).toString())).toEqual([kept]);
    expect([...bench.events.values()].map(({ value }) => value.summary.state)).toEqual(['failed']);
  });
});
