import { describe, expect, it } from 'vitest';
import type { SecretVersion } from '../../src/pipeline/ports/secret-store.ts';
import { vaultSecrets } from '../../src/secrets/vault-secrets.ts';

const second = 1_000;
const hour = 3_600 * second;

/** A vault in memory, with a clock that stands still until moved. */
function vault(sources: readonly string[] = ['archive']) {
  let now = 1_000 * hour;
  const held = new Map<string, SecretVersion[]>();
  const looks: string[] = [];
  const logged: { name: string; fields: object }[] = [];
  let away = false;
  let limiter: { opened: Promise<void>; only: string | undefined } | undefined;
  const secrets = vaultSecrets(
    {
      newest: async (name, count) => {
        looks.push(name);
        await (limiter?.only === undefined || limiter.only === name ? limiter?.opened : undefined);
        if (away) throw new Error('the vault is away');
        return (held.get(name) ?? []).slice(0, count);
      },
      add: async (name, value) => {
        if (away) throw new Error('the vault is away');
        held.set(name, [{ id: value, value, createdAt: now }, ...(held.get(name) ?? [])]);
      },
      withdraw: async (name, id) => {
        if (away) throw new Error('the vault is away');
        held.set(
          name,
          (held.get(name) ?? []).filter((version) => version.id !== id),
        );
        return true;
      },
      restore: async () => await Promise.reject(new Error('not here')),
    },
    {
      sources,
      overlapMs: 168 * hour,
      now: () => now,
      log: (_level, name, fields = {}) => logged.push({ name, fields }),
    },
  );
  return {
    secrets,
    held,
    looks,
    logged,
    /** The newest first; `age` is how long ago it was made. */
    put: (name: string, ...versions: [value: string, age: number][]) =>
      held.set(
        name,
        versions.map(([value, age]) => ({ id: value, value, createdAt: now - age })),
      ),
    pass: (ms: number) => (now += ms),
    goAway: (gone = true) => (away = gone),
    /** Holds every look, or those for one secret, until the answer is called. */
    hold: (only?: string) => {
      let letGo = (): void => undefined;
      const opened = new Promise<void>((resolve) => (letGo = resolve));
      limiter = { opened, only };
      return () => {
        limiter = undefined;
        letGo();
      };
    },
    /** Lets looks in the background come to their end. */
    rest: async () => await new Promise((resolve) => setImmediate(resolve)),
  };
}

const webhook = 'source-archive-secret';

describe('a key that was offered lately', () => {
  const offered = (value: string, ageMs: number) => ({
    id: value,
    value,
    createdAt: 1_000 * hour - ageMs,
    isOffered: true,
  });
  const before = { id: 'before', value: 'before', createdAt: 0 };

  function known(ageMs: number) {
    const own = vault();
    own.held.set(webhook, [offered('offered', ageMs), before]);
    return own;
  }

  it('counts no more within seconds of being withdrawn elsewhere, however rarely somebody calls', async () => {
    const { secrets, held, pass } = known(0);
    expect(await secrets.webhookSecrets('archive')).toEqual(['offered', 'before']);
    held.set(webhook, [before]);
    pass(5 * second);
    expect(await secrets.webhookSecrets('archive')).toEqual(['offered', 'before']);
    pass(1);
    expect(await secrets.webhookSecrets('archive')).toEqual(['before']);
  });

  it('does not count while the vault is away, and counts when it is back', async () => {
    const { secrets, pass, goAway, looks } = known(0);
    await secrets.webhookSecrets('archive');
    goAway();
    pass(6 * second);
    expect(await secrets.webhookSecrets('archive')).toEqual(['before']);
    const asked = looks.length;
    expect(await secrets.webhookSecrets('archive')).toEqual(['before']);
    expect(looks).toHaveLength(asked);
    goAway(false);
    await secrets.refresh('archive');
    expect(await secrets.webhookSecrets('archive')).toEqual(['offered', 'before']);
  });

  it('costs one look in five seconds, and none beyond the usual after an hour', async () => {
    const { secrets, pass, looks, rest } = known(0);
    for (let ms = 0; ms < 20 * second; ms += 100) {
      await secrets.webhookSecrets('archive');
      pass(100);
    }
    expect(looks.length).toBeLessThanOrEqual(5);
    const old = known(hour);
    await old.secrets.webhookSecrets('archive');
    old.pass(4 * 60 * second);
    await old.secrets.webhookSecrets('archive');
    await rest();
    expect(old.looks).toHaveLength(1);
  });

  it('is as doubtful where it was taken by this instance', async () => {
    const { secrets, held, pass, rest } = vault();
    held.set(webhook, [before]);
    const limits = { signal: new AbortController().signal, begin: async () => undefined };
    await secrets.take('archive', 'secret', 'offered', limits);
    await rest();
    held.set(webhook, [before]);
    pass(5 * second + 1);
    expect(await secrets.webhookSecrets('archive')).toEqual(['before']);
  });
});

describe('webhook secrets from a vault', () => {
  it('are the newest, and its predecessor within the overlap', async () => {
    const { secrets, put, pass } = vault();
    put(webhook, ['the new secret', hour], ['the old secret', 500 * hour]);
    expect(await secrets.webhookSecrets('archive')).toEqual(['the new secret', 'the old secret']);
    pass(167 * hour - 1);
    expect(await secrets.webhookSecrets('archive')).toEqual(['the new secret', 'the old secret']);
    pass(1);
    expect(await secrets.webhookSecrets('archive')).toEqual(['the new secret']);
  });

  it('are remembered five minutes, and then looked at again once, while the old ones serve', async () => {
    const bench = vault();
    bench.put(webhook, ['the first secret', hour]);
    await bench.secrets.webhookSecrets('archive');
    bench.pass(299 * second);
    await bench.secrets.webhookSecrets('archive');
    expect(bench.looks).toHaveLength(1);
    bench.pass(second);
    bench.put(webhook, ['the second secret', 0]);
    const letGo = bench.hold();
    const served = await Promise.all(
      Array.from({ length: 5 }, async () => await bench.secrets.webhookSecrets('archive')),
    );
    expect(served).toEqual(served.map(() => ['the first secret']));
    expect(bench.looks).toHaveLength(2);
    letGo();
    await bench.rest();
    expect(await bench.secrets.webhookSecrets('archive')).toEqual(['the second secret']);
    expect(bench.looks).toHaveLength(2);
  });

  it('are looked at once by all who wait for the first look', async () => {
    const { secrets, put, looks } = vault();
    put(webhook, ['a secret of ours', hour]);
    const all = await Promise.all(
      Array.from({ length: 10 }, async () => await secrets.webhookSecrets('archive')),
    );
    expect(all).toEqual(all.map(() => ['a secret of ours']));
    expect(looks).toHaveLength(1);
  });

  it('stay in use for a day while the vault is away, said at each look that failed', async () => {
    const bench = vault();
    bench.put(webhook, ['a secret of ours', hour]);
    await bench.secrets.webhookSecrets('archive');
    bench.goAway();
    for (let minutes = 5; minutes < 24 * 60; minutes += 5) {
      bench.pass(300 * second);
      expect(await bench.secrets.webhookSecrets('archive')).toEqual(['a secret of ours']);
      await bench.rest();
    }
    expect(bench.logged.filter(({ name }) => name === 'secrets-stale').length).toBeGreaterThan(200);
    expect(JSON.stringify(bench.logged)).not.toContain('a secret of ours');
    bench.pass(300 * second);
    expect(await bench.secrets.webhookSecrets('archive')).toBeUndefined();
  });

  it('are not asked for in a storm while the vault is away', async () => {
    const bench = vault();
    bench.goAway();
    const ask = async () => await bench.secrets.webhookSecrets('archive');
    expect(await ask()).toBeUndefined();
    for (const [ms, looks] of [
      [9_999, 1],
      [1, 2],
      [19_999, 2],
      [1, 3],
      [39_999, 3],
      [1, 4],
    ] as const) {
      bench.pass(ms);
      await ask();
      expect(bench.looks).toHaveLength(looks);
    }
    bench.goAway(false);
    bench.put(webhook, ['a secret of ours', 0]);
    bench.pass(300 * second);
    expect(await ask()).toEqual(['a secret of ours']);
  });

  it('that are not there are looked for again after half a minute', async () => {
    const bench = vault();
    expect(await bench.secrets.webhookSecrets('archive')).toBeUndefined();
    bench.put(webhook, ['made a moment later', 0]);
    bench.pass(29 * second);
    expect(await bench.secrets.webhookSecrets('archive')).toBeUndefined();
    bench.pass(second);
    await bench.secrets.webhookSecrets('archive');
    await bench.rest();
    expect(await bench.secrets.webhookSecrets('archive')).toEqual(['made a moment later']);
  });

  it('that were taken away no longer count', async () => {
    const bench = vault();
    bench.put(webhook, ['a secret of ours', hour]);
    await bench.secrets.webhookSecrets('archive');
    bench.put(webhook);
    bench.pass(300 * second);
    await bench.secrets.webhookSecrets('archive');
    await bench.rest();
    expect(await bench.secrets.webhookSecrets('archive')).toBeUndefined();
  });

  it.each([
    ['with an accent', 'café-secret-of-ours'],
    ['empty', ''],
    ['with a line end', 'secret\n'],
  ])('that are %s are as if absent, and the log names them without showing them', async (_name, value) => {
    const bench = vault();
    bench.put(webhook, [value, hour]);
    expect(await bench.secrets.webhookSecrets('archive')).toBeUndefined();
    expect(bench.logged).toMatchObject([{ name: 'secret-unusable', fields: { secret: webhook } }]);
    if (value !== '') expect(JSON.stringify(bench.logged)).not.toContain(value);
  });

  it('are not harmed by a predecessor that is no secret', async () => {
    const bench = vault();
    bench.put(webhook, ['the right secret', hour], ['a copying error\n', 2 * hour]);
    expect(await bench.secrets.webhookSecrets('archive')).toEqual(['the right secret']);
    expect(bench.logged).toEqual([]);
  });

  it.each<[string, [string, number][], [string, number][]]>([
    ['current and current', [['the same for both', hour]], [['the same for both', hour]]],
    [
      'current and previous',
      [['the same for both', hour]],
      [
        ['its own now', hour],
        ['the same for both', 2 * hour],
      ],
    ],
  ])('of two sources may not be the same: %s', async (_name, archive, photos) => {
    const bench = vault(['archive', 'photos', 'third']);
    bench.put(webhook, ...archive);
    bench.put('source-photos-secret', ...photos);
    bench.put('source-third-secret', ['quite another one', hour]);
    expect(await bench.secrets.webhookSecrets('archive')).toBeUndefined();
    expect(await bench.secrets.webhookSecrets('photos')).toBeUndefined();
    expect(await bench.secrets.webhookSecrets('third')).toEqual(['quite another one']);
    expect(bench.logged[0]).toMatchObject({ name: 'secret-shared', fields: { sources: 'archive, photos' } });
    expect(JSON.stringify(bench.logged)).not.toContain('the same for both');
  });
});

describe('the secrets of another source', () => {
  const other = 'source-photos-secret';

  it('are waited for by nobody, whether they are missing or their look hangs', async () => {
    const bench = vault(['archive', 'photos']);
    bench.put(webhook, ['a secret of ours', hour]);
    bench.hold(other);
    expect(await bench.secrets.webhookSecrets('archive')).toEqual(['a secret of ours']);
    expect(bench.looks).toEqual(expect.arrayContaining([webhook, other]));
    expect(await bench.secrets.webhookSecrets('archive')).toEqual(['a secret of ours']);
  });

  it('count as soon as they are known', async () => {
    const bench = vault(['archive', 'photos']);
    bench.put(webhook, ['the same for both', hour]);
    bench.put(other, ['the same for both', hour]);
    const letGo = bench.hold(other);
    await bench.secrets.webhookSecrets('archive');
    letGo();
    await bench.rest();
    expect(await bench.secrets.webhookSecrets('archive')).toBeUndefined();
  });
});

describe('another look, when a signature fits no secret', () => {
  it('finds what was put there since', async () => {
    const bench = vault();
    bench.put(webhook, ['the first secret', hour]);
    await bench.secrets.webhookSecrets('archive');
    bench.put(webhook, ['the second secret', 0], ['the first secret', hour]);
    await bench.secrets.refresh('archive');
    expect(await bench.secrets.webhookSecrets('archive')).toEqual(['the second secret', 'the first secret']);
  });

  it('begins after it was asked for, also where one runs already, and is shared by all who asked meanwhile', async () => {
    const bench = vault();
    bench.put(webhook, ['the first secret', hour]);
    await bench.secrets.webhookSecrets('archive');
    const letGo = bench.hold();
    const running = bench.secrets.refresh('archive');
    await bench.rest();
    const asked = [1, 2, 3].map(async () => await bench.secrets.refresh('archive'));
    letGo();
    await Promise.all([running, ...asked]);
    expect(bench.looks).toHaveLength(3);
  });

  it('that the vault does not answer is told', async () => {
    const bench = vault();
    bench.put(webhook, ['the first secret', hour]);
    await bench.secrets.webhookSecrets('archive');
    bench.goAway();
    await expect(bench.secrets.refresh('archive')).rejects.toThrow('the vault is away');
    expect(await bench.secrets.webhookSecrets('archive')).toEqual(['the first secret']);
  });
});

describe('a secret that is kept', () => {
  it('is the current one at once, and its predecessor still counts', async () => {
    const bench = vault();
    bench.put(webhook, ['the first secret', hour]);
    await bench.secrets.webhookSecrets('archive');
    await bench.secrets.keep('archive', 'secret', 'the second secret');
    expect(await bench.secrets.webhookSecrets('archive')).toEqual(['the second secret', 'the first secret']);
  });

  it('that is the current one already stays beside its predecessor', async () => {
    const bench = vault();
    bench.put(webhook, ['the second secret', 0], ['the first secret', hour]);
    await bench.secrets.keep('archive', 'secret', 'the second secret');
    await bench.secrets.refresh('archive');
    expect(await bench.secrets.webhookSecrets('archive')).toEqual(['the second secret', 'the first secret']);
  });

  it('is known without another look, and whatever a look says that began before', async () => {
    const bench = vault();
    bench.put(webhook, ['the first secret', hour]);
    await bench.secrets.webhookSecrets('archive');
    const letGo = bench.hold();
    const looking = bench.secrets.refresh('archive');
    bench.put(webhook, ['the second secret', 0]);
    await bench.secrets.keep('archive', 'secret', 'the third secret');
    const both = ['the third secret', 'the first secret'];
    expect(await bench.secrets.webhookSecrets('archive')).toEqual(both);
    // The look that was held began before there was a third one.
    bench.put(webhook, ['the first secret', hour]);
    letGo();
    await looking;
    expect(await bench.secrets.webhookSecrets('archive')).toEqual(both);
  });

  it('may be the key to an API, which signs nothing', async () => {
    const bench = vault();
    await bench.secrets.keep('archive', 'api-key', 'the key');
    expect(await bench.secrets.apiKey('archive')).toBe('the key');
    expect(await bench.secrets.webhookSecrets('archive')).toBeUndefined();
  });

  it('may have the id of its account beside it', async () => {
    const bench = vault();
    await bench.secrets.keep('archive', 'account-id', 'the id');
    expect(await bench.secrets.accountId('archive')).toBe('the id');
    expect(await bench.secrets.apiKey('archive')).toBeUndefined();
  });

  it('is not taken for kept while the vault is away', async () => {
    const bench = vault();
    bench.goAway();
    await expect(bench.secrets.keep('archive', 'secret', 'another')).rejects.toThrow('the vault is away');
  });
});

it('passwords and seeds come from the vault too', async () => {
  const { secrets, put } = vault();
  put('source-archive-password', ['Pässwort mit Leerzeichen', hour], ['an older one', 2 * hour]);
  put('source-archive-totp-seed', ['JBSWY3DPEHPK3PXP', hour]);
  expect(await secrets.password('archive')).toBe('Pässwort mit Leerzeichen');
  expect(await secrets.totpSeed('archive')).toBe('JBSWY3DPEHPK3PXP');
  expect(await secrets.password('other')).toBeUndefined();
});
