import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { callVerifier, type VerifyDeps } from '../../../src/pipeline/accept/verify-call.ts';
import type { WebhookSecrets } from '../../../src/pipeline/ports/secrets.ts';
import type { OpenWindow } from '../../../src/pipeline/ports/rotation-windows.ts';
import { woodwingReceiver } from '../../../src/sources/woodwing/receiver.ts';

const body = Buffer.from('{"type":"asset_create"}');
const now = new Date('2026-01-05T10:00:00Z');
const openWindow: OpenWindow = { which: 'secret', until: now.getTime() + 60_000 };

function call(secret: string, signature = createHmac('sha256', secret).update(body).digest('hex')) {
  const headers = new Map([['x-hook-signature', signature]]);
  return { method: 'POST', query: new URLSearchParams(), headers, body };
}

interface Place {
  secrets: WebhookSecrets | undefined;
  windows: OpenWindow[];
}

/** A judge of calls, and the place of the secrets and windows, which anybody may change at any time. */
function setup(begin: Partial<Place> = {}, given: Partial<VerifyDeps> = {}) {
  const place: Place = { secrets: ['old'], windows: [], ...begin };
  let known = place.secrets;
  const steps: string[] = [];
  const deps: VerifyDeps = {
    secrets: {
      webhookSecrets: async () => known,
      refresh: async () => {
        steps.push('secrets');
        known = place.secrets;
      },
    },
    windows: {
      read: async () => {
        steps.push('windows');
        return [...place.windows];
      },
    },
    refreshEveryMs: 0,
    now: () => now.getTime(),
    ...given,
  };
  const judge = callVerifier('photos', woodwingReceiver, deps);
  return { place, steps, judge: async (secret: string) => await judge(call(secret), () => 4_800), deps };
}

describe('a call to a source that has no secret', () => {
  const none = { secrets: undefined, windows: [] };

  it('is judged by the one that a look finds', async () => {
    const { judge, place } = setup(none);
    place.secrets = ['new'];
    expect(await judge('new')).toMatchObject({ kind: 'proved' });
    expect(await judge('another')).toEqual({ kind: 'not-proved', why: 'wrong-signature' });
  });

  it('is not judged where the look finds none either', async () => {
    expect(await setup(none).judge('new')).toEqual({ kind: 'unverifiable', why: 'no-secret' });
  });
});

describe('a signature that fits no secret', () => {
  it('is refused after a look that began after the call', async () => {
    const { judge, steps } = setup();
    expect(await judge('another')).toEqual({ kind: 'not-proved', why: 'wrong-signature' });
    expect(steps).toEqual(['windows', 'secrets']);
  });

  it('is right where that look finds the secret that made it', async () => {
    const { judge, place } = setup();
    place.secrets = ['new', 'old'];
    expect(await judge('new')).toMatchObject({ kind: 'proved' });
  });

  it('is not judged while the operator changes the secret, and is once the window is over', async () => {
    const { judge, place } = setup();
    place.windows = [openWindow];
    expect(await judge('new')).toEqual({ kind: 'unverifiable', why: 'secret-changing' });
    place.windows = [{ ...openWindow, until: now.getTime() }];
    expect(await judge('new')).toEqual({ kind: 'not-proved', why: 'wrong-signature' });
  });

  it('is judged while another key of the source changes', async () => {
    const { judge, place } = setup();
    place.windows = [{ ...openWindow, which: 'api-key' }];
    expect(await judge('new')).toEqual({ kind: 'not-proved', why: 'wrong-signature' });
  });

  it.each(['windows', 'secrets'] as const)('is not judged where the look at the %s fails', async (what) => {
    const fail = async (): Promise<never> => await Promise.reject(new Error('away'));
    const { deps } = setup();
    const failing =
      what === 'windows' ? { windows: { read: fail } } : { secrets: { ...deps.secrets, refresh: fail } };
    expect(await setup({}, failing).judge('new')).toEqual({ kind: 'unverifiable', why: 'not-refreshed' });
  });

  it.each(['windows', 'secrets'] as const)(
    'is right or not judged where the secret is kept and the window closed while the %s are looked at',
    async (first) => {
      const { place, deps } = setup();
      place.windows = [openWindow];
      const finish = (): void => {
        place.secrets = ['new', 'old'];
        place.windows = [];
      };
      // What is looked at is what was there when the look at it began.
      const during: Partial<VerifyDeps> =
        first === 'windows'
          ? {
              windows: {
                read: async () => {
                  const seen = [...place.windows];
                  await Promise.resolve().then(finish);
                  return seen;
                },
              },
            }
          : {
              secrets: {
                ...deps.secrets,
                refresh: async () => {
                  const looked = deps.secrets.refresh('photos');
                  finish();
                  await looked;
                },
              },
              windows: {
                read: async () =>
                  await new Promise((resolve) => setTimeout(() => resolve([...place.windows]), 5)),
              },
            };
      const judged = await callVerifier('photos', woodwingReceiver, { ...deps, ...during })(
        call('new'),
        () => 4_800,
      );
      expect(judged).not.toMatchObject({ kind: 'not-proved' });
    },
  );
});

it('asks for no look where a signature fits, is missing or is malformed', async () => {
  const { judge, steps, deps } = setup();
  expect(await judge('old')).toMatchObject({ kind: 'proved' });
  const other = callVerifier('photos', woodwingReceiver, deps);
  expect(await other(call('old', 'zz'), () => 4_800)).toMatchObject({ why: 'malformed-signature' });
  const bare = { ...call('old'), headers: new Map<string, string>() };
  expect(await other(bare, () => 4_800)).toMatchObject({ why: 'no-signature' });
  expect(steps).toEqual([]);
});
