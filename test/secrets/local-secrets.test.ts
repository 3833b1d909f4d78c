import { createHash } from 'node:crypto';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync, watch } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { localSecrets } from '../../src/secrets/local-secrets.ts';

const none = { secretPrevious: undefined, password: undefined, totpSeed: undefined, apiKey: undefined };

/** Two processes with one file: the app, and the command. */
async function setup() {
  const folder = await mkdtemp(join(tmpdir(), 'local-secrets-'));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  const file = join(folder, 'local.secrets.json');
  let now = Date.parse('2026-01-05T10:00:00Z');
  const open = (setting = 'the first secret') =>
    localSecrets(new Map([['photos', { secrets: { ...none, secret: setting } }]]), {
      file,
      overlapMs: 3_600_000,
      log: () => undefined,
      now: () => now,
    });
  return { file, open, app: open(), command: open(), pass: (ms: number) => void (now += ms) };
}

it('a secrets file that others can read is closed to them when it is read, and so is all that is made beside it', async () => {
  const { file, app, command } = await setup();
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  await command.keep('photos', 'secret', 'the second secret');
  await chmod(file, 0o644);
  await app.refresh('photos');
  expect(await modeOf(file)).toBe('600');

  const seen = new Map<string, string>();
  const folder = watch(dirname(file), (_event, name) => {
    if (name === null) return;
    try {
      seen.set(name, (statSync(join(dirname(file), name)).mode & 0o777).toString(8));
    } catch {
      // Gone already.
    }
  });
  for (let round = 0; round < 20; round += 1) await command.keep('photos', 'secret', `secret ${round}`);
  await expect.poll(() => [...seen.keys()].some((name) => name.endsWith('.lock'))).toBe(true);
  folder.close();
  expect(new Set(seen.values())).toEqual(new Set(['600']));
});

describe('a secret that the command keeps', () => {
  it('is what the app finds at its next look, with its predecessor for a while', async () => {
    const { app, command, pass } = await setup();
    expect(await app.webhookSecrets('photos')).toEqual(['the first secret']);
    await command.keep('photos', 'secret', 'the second secret');
    await app.refresh('photos');
    expect(await app.webhookSecrets('photos')).toEqual(['the second secret', 'the first secret']);
    pass(3_600_000);
    expect(await app.webhookSecrets('photos')).toEqual(['the second secret']);
  });

  it('that was withdrawn counts no more, wherever it was known', async () => {
    const { app, command } = await setup();
    const value = 'the offered secret';
    const limits = { signal: new AbortController().signal, begin: async () => undefined };
    await command.take('photos', 'secret', value, limits);
    await app.refresh('photos');
    expect(await app.webhookSecrets('photos')).toEqual([value, 'the first secret']);
    await command.withdraw('photos', 'secret', createHash('sha256').update(value).digest('hex'));
    expect(await app.webhookSecrets('photos')).toEqual(['the first secret']);
  });

  it('that is kept twice does not push its predecessor away', async () => {
    const { command } = await setup();
    await command.keep('photos', 'secret', 'the second secret');
    await command.keep('photos', 'secret', 'the second secret');
    expect(await command.webhookSecrets('photos')).toEqual(['the second secret', 'the first secret']);
  });

  it('counts no more once the setting is another', async () => {
    const { command, open } = await setup();
    await command.keep('photos', 'secret', 'the second secret');
    expect(await open('the third secret').webhookSecrets('photos')).toEqual(['the third secret']);
  });

  it('can be the first one, and an API key is no webhook secret', async () => {
    const { file } = await setup();
    const secrets = localSecrets(new Map([['photos', { secrets: { ...none, secret: undefined } }]]), {
      file,
      overlapMs: 0,
      log: () => undefined,
      now: Date.now,
    });
    await secrets.keep('photos', 'api-key', 'the key');
    expect(await secrets.webhookSecrets('photos')).toBeUndefined();
    expect(await secrets.apiKey('photos')).toBe('the key');
    await secrets.keep('photos', 'secret', 'the secret');
    expect(await secrets.webhookSecrets('photos')).toEqual(['the secret']);
  });

  it('may have the id of its account beside it', async () => {
    const { app, command } = await setup();
    expect(await app.accountId('photos')).toBeUndefined();
    await command.keep('photos', 'account-id', 'the id');
    await app.refresh('photos');
    expect(await app.accountId('photos')).toBe('the id');
    expect(await app.webhookSecrets('photos')).toEqual(['the first secret']);
    expect(await app.apiKey('photos')).toBeUndefined();
  });

  it('is kept beside others that are kept at the same time, for its owner only', async () => {
    const { app, command, file } = await setup();
    await Promise.all([
      app.keep('photos', 'api-key', 'the key'),
      command.keep('photos', 'secret', 'the second secret'),
    ]);
    const kept = JSON.parse(await readFile(file, 'utf8')) as object;
    expect(Object.keys(kept).toSorted()).toEqual(['source-photos-api-key', 'source-photos-secret']);
    expect((await stat(file)).mode & 0o077).toBe(0);
  });
});

describe('a lock that somebody left behind', () => {
  it('is taken over by one process of many that find it, and nothing of the others is lost', async () => {
    const { file } = await setup();
    const keeper = join(import.meta.dirname, '..', 'fixtures', 'secret-keeper.ts');
    const names = ['a', 'b', 'c', 'd'];
    const keepers = names.map((name) => ({ name, child: fork(keeper) }));
    onTestFinished(() => keepers.forEach(({ child }) => child.kill()));
    await Promise.all(keepers.map(async ({ child }) => await once(child, 'message')));
    const longAgo = new Date(Date.now() - 60_000);
    for (let round = 0; round < 20; round += 1) {
      const path = `${file}.${round}`;
      await writeFile(`${path}.lock`, '');
      await utimes(`${path}.lock`, longAgo, longAgo);
      await Promise.all(
        keepers.map(async ({ name, child }) => {
          const kept = once(child, 'message');
          child.send({ path, name });
          await kept;
        }),
      );
      expect(Object.keys(JSON.parse(await readFile(path, 'utf8')) as object).toSorted()).toEqual(names);
    }
    const left = await readdir(dirname(file));
    expect(left.filter((name) => !/^local\.secrets\.json\.\d+$/.test(name))).toEqual([]);
  });
});

describe('one secret that two sources hold', () => {
  it('proves nothing for either, and the log names both', async () => {
    const { file } = await setup();
    const logged: unknown[] = [];
    const settings = (secret: string) => ({ secrets: { ...none, secret } });
    const secrets = localSecrets(
      new Map([
        ['archive', settings('of the archive')],
        ['photos', settings('of the photos')],
        ['third', settings('of the third')],
      ]),
      { file, overlapMs: 3_600_000, log: (...line) => logged.push(line), now: Date.now },
    );
    await secrets.keep('photos', 'secret', 'of the archive');
    expect(await secrets.webhookSecrets('archive')).toBeUndefined();
    expect(await secrets.webhookSecrets('photos')).toBeUndefined();
    expect(await secrets.webhookSecrets('third')).toEqual(['of the third']);
    expect(logged).toEqual([
      ['error', 'secret-shared', { sources: 'archive, photos' }],
      ['error', 'secret-shared', { sources: 'photos, archive' }],
    ]);
  });
});

describe('without a file', () => {
  const secrets = localSecrets(new Map([['photos', { secrets: { ...none, secret: 'of the settings' } }]]), {
    file: undefined,
    overlapMs: 0,
    log: () => undefined,
    now: Date.now,
  });

  it('the settings count', async () => {
    await secrets.refresh('photos');
    expect(await secrets.webhookSecrets('photos')).toEqual(['of the settings']);
    expect(await secrets.apiKey('photos')).toBeUndefined();
  });

  it('nothing is taken for kept', async () => {
    await expect(secrets.keep('photos', 'secret', 'another')).rejects.toThrow(/KEY_VAULT_URL/);
    expect(await secrets.webhookSecrets('photos')).toEqual(['of the settings']);
  });
});

describe('a secrets file that cannot be read', () => {
  it('makes a look fail, and takes nothing away that was known', async () => {
    const { app, command, file } = await setup();
    await command.keep('photos', 'secret', 'the second secret');
    await app.refresh('photos');
    const good = await readFile(file);
    await writeFile(file, '{"source-photos-secret":');
    await expect(app.refresh('photos')).rejects.toThrow(/not as this app writes it/);
    expect(await app.webhookSecrets('photos')).toEqual(['the second secret', 'the first secret']);
    await writeFile(file, good);
    await app.refresh('photos');
    expect(await app.webhookSecrets('photos')).toEqual(['the second secret', 'the first secret']);
  });

  it('is not written over', async () => {
    const { command, file } = await setup();
    await writeFile(file, 'something else');
    await expect(command.keep('photos', 'secret', 'the second secret')).rejects.toThrow();
    expect(await readFile(file, 'utf8')).toBe('something else');
  });
});
