import { expect, it } from 'vitest';
import { offersTo } from '../../src/secrets/secret-offer.ts';
import { memoryWindows } from '../support/memory-windows.ts';
import { until } from '../support/until.ts';

it.each([0, 1, 2])(
  'a key whose keeping failed is withdrawn, also where that fails %d times at first',
  async (failures) => {
    const { rows, windows } = memoryWindows({
      archive: [{ which: 'secret', until: Date.now() + 60_000 }],
    });
    const kept = new Set<string>();
    let left = failures;
    let serial = 0;
    const offer = offersTo('archive', {
      windows,
      secrets: {
        // The store has it, and its answer is lost.
        take: async (_source, _which, value, { begin }) => {
          await begin();
          kept.add(value);
          throw new Error('no answer');
        },
        withdraw: async () => {
          left -= 1;
          if (left >= 0) throw new Error('the store is away');
          kept.clear();
          return undefined;
        },
      },
      log: () => undefined,
      now: () => new Date(),
      newId: () => `id-${(serial += 1)}`,
    });
    const limits = { leftMs: () => 4_000, signal: new AbortController().signal };
    expect(await offer({ which: 'secret', value: 'the offered key' }, limits)).toMatchObject({
      kind: 'not-kept',
    });
    await until(async () => (kept.size === 0 ? true : undefined));
    await until(async () => (rows.get('archive/secret')?.offer?.state === 'refused' ? true : undefined));
  },
);
