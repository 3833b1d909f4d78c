import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { StorageError } from '../../src/pipeline/ports/errors.ts';
import { poisonMessages } from '../../src/functions/poison-messages.ts';
import type { PoisonMessage } from '../../src/pipeline/ports/stores.ts';
import { aMessage, anEvent, processBench } from '../support/work-bench.ts';

const library = createRequire(import.meta.url)('@azure/functions') as typeof import('@azure/functions');

it('one poison message that cannot be recorded keeps none of the others from it', async () => {
  const bench = processBench();
  const removed: string[] = [];
  const putBack: string[] = [];
  const message = (id: string): PoisonMessage => ({
    text: Buffer.from(JSON.stringify(aMessage({ events: [anEvent({ id })] }))).toString('base64'),
    messageId: id,
    remove: async () => void removed.push(id),
    putBack: async () => void putBack.push(id),
  });
  const batches = [[message('first'), message('second'), message('third')]];
  const { ledger } = bench.deps;
  const failing: typeof ledger = {
    ...ledger,
    change: async (keys, ...rest) => {
      if (keys.eventId === 'second') throw new StorageError('this row only');
      return await ledger.change(keys, ...rest);
    },
  };
  const poison = { take: async () => batches.shift() ?? [] };
  const handler = poisonMessages([{ ...bench.deps, ledger: failing, poison }]);
  const logged: string[] = [];
  const context = new library.InvocationContext({ logHandler: (_level, line) => logged.push(String(line)) });
  await handler({} as never, context);
  expect(removed).toEqual(['first', 'third']);
  expect(putBack).toEqual(['second']);
  expect(bench.summary('third')).toMatchObject({ state: 'failed', reason: { code: 'poison' } });
  expect(logged.filter((line) => line.includes('poison-not-recorded'))).toHaveLength(1);
});

it('what takes too long leaves the rest for a later time', async () => {
  const bench = processBench();
  const looked: string[] = [];
  const message = (id: string): PoisonMessage => ({
    text: Buffer.from(JSON.stringify(aMessage({ events: [anEvent({ id })] }))).toString('base64'),
    messageId: id,
    remove: async () => {
      looked.push(id);
      bench.pass(30_000);
    },
    putBack: async () => void looked.push(id),
  });
  const batches = [['1', '2', '3', '4'].map(message), ['5'].map(message)];
  const handler = poisonMessages([{ ...bench.deps, poison: { take: async () => batches.shift() ?? [] } }]);
  await handler({} as never, new library.InvocationContext({ logHandler: () => undefined }));
  expect(looked).toEqual(['1', '2']);
});
