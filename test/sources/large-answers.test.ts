import { setImmediate as permit } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { largeAnswers } from '../../src/sources/large-answers.ts';
import { readInTurn } from '../../src/sources/read-in-turn.ts';

const never = new AbortController().signal;

it('two answers at a time grow large, and the next when one of them is no longer needed', async () => {
  const place = largeAnswers();
  const [first, second, third] = [place(), place(), place()];
  await Promise.all([first.enter(never), second.enter(never)]);
  let entered = false;
  const waiting = third.enter(never).then(() => (entered = true));
  await permit();
  expect(entered).toBe(false);
  second.leave();
  await waiting;
});

it('who gives up waiting for a place, or never took one, takes none away', async () => {
  const place = largeAnswers();
  const [first, second, stopped, last] = [place(), place(), place(), place()];
  await Promise.all([first.enter(never), second.enter(never)]);
  const stop = new AbortController();
  const waiting = stopped.enter(stop.signal);
  stop.abort();
  await expect(waiting).rejects.toThrow('stopped');
  for (const each of [stopped, first, second, place()]) each.leave();
  await last.enter(never);
  await place().enter(never);
});

it('of large documents one is read at a time, and what is small waits for none', async () => {
  const order: string[] = [];
  const reads = ['large 1', 'large 2', 'small'].map(
    async (name) => await readInTurn(name === 'small' ? 100 : 100_000, () => order.push(name)),
  );
  await permit();
  expect(order).toEqual(['small', 'large 1']);
  await Promise.all(reads);
  expect(order).toEqual(['small', 'large 1', 'large 2']);
});

it('a document that cannot be read leaves its permit to the next', async () => {
  const broken = readInTurn(100_000, () => {
    throw new Error('broken');
  });
  await expect(broken).rejects.toThrow('broken');
  expect(await readInTurn(100_000, () => 'read')).toBe('read');
});
