import { expect, it } from 'vitest';
import { offersTo } from '../../src/secrets/secret-offer.ts';
import { memoryWindows } from '../support/memory-windows.ts';
import { until } from '../support/until.ts';
import type { OfferOutcome, Windows } from '../../src/pipeline/ports/rotation-windows.ts';

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
      now: Date.now,
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

/** Offers the same key twice: the first one's last write to the row is done, but it hears so only after the second one's answer. */
async function offerTwice(second: { signal: AbortSignal; onClaim?: () => void }) {
  const { rows, windows } = memoryWindows({ archive: [{ which: 'secret', until: Date.now() + 60_000 }] });
  const kept = new Set<string>();
  let serial = 0;
  let looks = 0;
  const offerOf = (own: Windows) =>
    offersTo('archive', {
      windows: own,
      secrets: {
        take: async (_source, _which, value, { begin }) => {
          await begin();
          kept.add(value);
        },
        withdraw: async () => {
          kept.clear();
          return undefined;
        },
      },
      log: () => undefined,
      now: Date.now,
      newId: () => `id-${(serial += 1)}`,
    });
  const key = { which: 'secret', value: 'the offered key' } as const;
  const leftMs = (): number => 4_000;
  const repeat = async (): Promise<OfferOutcome> => {
    const offer = offerOf({
      read: async (...given) => await windows.read(...given),
      replace: async (...given) => {
        const version = await windows.replace(...given);
        second.onClaim?.();
        return version;
      },
    });
    return await offer(key, { leftMs, signal: second.signal });
  };
  const answers: OfferOutcome[] = [];
  const offer = offerOf({
    read: async (...given) => {
      looks += 1;
      return await windows.read(...given);
    },
    replace: async (source, window, ...given) => {
      const version = await windows.replace(source, window, ...given);
      if (window.offer?.state === 'taken' && answers.length === 0) {
        answers.push(await repeat());
        looks = 0;
        throw new Error('no answer');
      }
      return version;
    },
  });
  answers.push(await offer(key, { leftMs, signal: new AbortController().signal }));
  return { answers, kept, rows, looks: () => looks };
}

it('a key whose repeat was answered as taken stays, whatever becomes of its first offer', async () => {
  const { answers, kept, rows, looks } = await offerTwice({ signal: new AbortController().signal });
  expect(answers).toMatchObject([{ kind: 'taken' }, { kind: 'not-kept' }]);
  // It looks once more after the time in which a repeat has its answer.
  await until(async () => (looks() >= 2 ? true : undefined));
  expect(kept.size).toBe(1);
  expect(rows.get('archive/secret')?.offer?.state).toBe('taken');
});

it('a key is withdrawn where neither its first offer nor its repeat was answered as taken', async () => {
  const tooLate = new AbortController();
  const { answers, kept, rows } = await offerTwice({
    signal: tooLate.signal,
    onClaim: () => tooLate.abort(),
  });
  expect(answers).toMatchObject([{ kind: 'not-kept' }, { kind: 'not-kept' }]);
  await until(async () => (kept.size === 0 ? true : undefined));
  await until(async () => (rows.get('archive/secret')?.offer?.state === 'refused' ? true : undefined));
});
