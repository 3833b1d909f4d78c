import { createHmac, randomBytes } from 'node:crypto';
import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { countStorage, type CountingStorage } from '../../src/local/bench/counting-storage.ts';
import type { KeptSecret } from '../../src/pipeline/ports/secrets.ts';
import { startFailingStorage } from '../support/failing-storage.ts';
import { startHostProcess, type HostProcess } from '../support/host-process.ts';
import { startRunningApp, type RunningApp } from '../support/running-app.ts';
import { until } from '../support/until.ts';

// One app of two instances: they share a storage and a secrets file. All that the second one asks of the tables is counted.

const first = '1'.repeat(40);
let app: RunningApp;
let second: HostProcess;
let counting: CountingStorage;
let file: string;

beforeAll(async () => {
  app = await startRunningApp({
    SOURCES: 'scans',
    SOURCE_SCANS_KIND: 'pywebhooks',
    SOURCE_SCANS_SECRET: first,
    SOURCE_SCANS_API_KEY: 'the first API key',
  });
  file = app.settings['LOCAL_SECRETS_FILE'] ?? '';
  counting = await countStorage(app.azurite.connectionString);
  afterAll(async () => await counting.close());
  const env = { ...app.settings, AzureWebJobsStorage: counting.connectionString };
  second = await startHostProcess({ env });
});
beforeEach(async () => {
  for (const key of ['secret', 'api-key'] as const) await window(key, 0);
  await rm(file, { force: true });
});

const instances = (): string[] => [app.host.url, second.url];
const newKey = (): string => randomBytes(20).toString('hex');

async function window(key: KeptSecret, minutes: number, withdraw = false): Promise<void> {
  const answer = await fetch(`${app.host.url}/sources/scans/window`, {
    method: 'POST',
    body: JSON.stringify({ key, minutes, withdraw }),
  });
  expect(answer.status).toBe(200);
}

async function openWindows(): Promise<unknown[]> {
  const { json } = await app.get('/sources');
  return (json as { sources: [{ windows: unknown[] }] }).sources[0].windows;
}

async function offer(key: string, { at = app.host.url, as = 'secret_key' } = {}): Promise<number> {
  const answer = await fetch(`${at}/webhooks/scans?${as}=${key}`);
  await answer.arrayBuffer();
  return answer.status;
}

async function send(secret: string, at = app.host.url): Promise<number> {
  const body = '{"by":"hand"}';
  const signature = createHmac('sha1', secret).update(body).digest('hex');
  const answer = await fetch(`${at}/webhooks/scans`, {
    method: 'POST',
    headers: { 'pywebhooks-signature': signature },
    body,
  });
  return answer.status;
}

interface Kept {
  current: string;
  previous?: string;
}
async function kept(which: KeptSecret = 'secret'): Promise<Kept | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  return (JSON.parse(text) as Record<string, Kept>)[`source-scans-${which}`];
}

describe('one key a window', () => {
  it('the first that is taken ends it, and every other one is refused', async () => {
    await window('secret', 10);
    const key = newKey();
    expect(await offer(key)).toBe(200);
    expect(await openWindows()).toEqual([]);
    for (const at of instances()) expect(await offer(newKey(), { at })).toBe(403);
    expect(await kept()).toMatchObject({ current: key, previous: first });
    for (const at of instances()) {
      expect(await send(first, at)).toBe(200);
      expect(await send(key, at)).toBe(200);
      expect(await send(newKey(), at)).toBe(401);
    }
  });

  it('of many that come at once to both instances exactly one is taken', async () => {
    let before = first;
    for (let round = 0; round < 5; round += 1) {
      await window('secret', 10);
      const keys = Array.from({ length: 20 }, newKey);
      const statuses = await Promise.all(
        keys.map(async (key, index) => await offer(key, { at: instances()[index % 2] ?? '' })),
      );
      const taken = keys.filter((_key, index) => statuses[index] === 200);
      expect(taken).toHaveLength(1);
      expect(new Set(statuses)).toEqual(new Set([200, 403]));
      expect(await kept()).toMatchObject({ current: taken[0], previous: before });
      [before = ''] = taken;
    }
  });

  it('the same one offered again is answered 200 and changes nothing, wherever and whenever it comes', async () => {
    await window('secret', 10);
    const key = newKey();
    expect(await offer(key)).toBe(200);
    const before = await readFile(file, 'utf8');
    for (const at of instances()) expect(await offer(key, { at })).toBe(200);
    await window('secret', 0);
    for (const at of instances()) expect(await offer(key, { at })).toBe(200);
    expect(await readFile(file, 'utf8')).toBe(before);
    await window('secret', 10);
    expect(await offer(newKey())).toBe(200);
    expect(await offer(key)).toBe(403);
  });

  it('the same one at once at both instances is taken once', async () => {
    await window('secret', 10);
    const key = newKey();
    const both = instances().flatMap((at) => [offer(key, { at }), offer(key, { at })]);
    expect(await Promise.all(both)).toEqual([200, 200, 200, 200]);
    expect(await kept()).toMatchObject({ current: key, previous: first });
  });

  it('the window of the other key is another window', async () => {
    await window('secret', 10);
    await window('api-key', 10);
    const [secret, apiKey] = [newKey(), newKey()];
    expect(await offer(secret)).toBe(200);
    expect(await offer(apiKey, { as: 'api_key' })).toBe(200);
    expect(await offer(newKey(), { as: 'api_key' })).toBe(403);
    expect(await kept()).toMatchObject({ current: secret });
    expect(await kept('api-key')).toMatchObject({ current: apiKey });
  });
});

describe('a key that is refused', () => {
  /** Holds the lock of the secrets file, as a process would that writes very slowly. */
  async function holdLock(): Promise<() => Promise<void>> {
    const lock = `${file}.lock`;
    await writeFile(lock, '');
    const again = setInterval(() => void utimes(lock, new Date(), new Date()), 500);
    const letGo = async (): Promise<void> => {
      clearInterval(again);
      await rm(lock, { force: true });
    };
    onTestFinished(letGo);
    return letGo;
  }

  it('changes nothing afterwards, when what it waited for goes on', { timeout: 60_000 }, async () => {
    await window('secret', 10);
    const letGo = await holdLock();
    const keys = Array.from({ length: 4 }, newKey);
    const statuses = await Promise.all(
      keys.map(async (key, index) => await offer(key, { at: instances()[index % 2] ?? '' })),
    );
    expect(statuses).not.toContain(200);
    expect(statuses).toContain(503);
    await letGo();
    await window('secret', 0);
    expect(await kept()).toBeUndefined();
    // Whoever waited for the lock before would have it before this one.
    await window('secret', 10);
    const key = newKey();
    expect(await offer(key)).toBe(200);
    expect(await kept()).toMatchObject({ current: key, previous: first });
    expect(await send(first)).toBe(200);
  });

  it('is taken when it is offered again in its window', { timeout: 60_000 }, async () => {
    await window('secret', 10);
    const letGo = await holdLock();
    const key = newKey();
    expect(await offer(key)).toBe(503);
    await letGo();
    await until(async () => ((await offer(key, { at: second.url })) === 200 ? true : undefined));
    expect(await kept()).toMatchObject({ current: key, previous: first });
  });

  it('is refused for good when its window was closed meanwhile', { timeout: 60_000 }, async () => {
    await window('secret', 10);
    const letGo = await holdLock();
    const offered = offer(newKey());
    await until(async () => (await rowOfWindow())?.includes('claimed') || undefined);
    await window('secret', 0);
    await letGo();
    expect(await offered).toBe(403);
    expect(await kept()).toBeUndefined();
  });

  async function rowOfWindow(): Promise<string | undefined> {
    const { TableClient } = await import('@azure/data-tables');
    const table = TableClient.fromConnectionString(app.azurite.connectionString, 'sources', {
      allowInsecureConnection: true,
    });
    return (await table.getEntity('scans', 'window:secret'))['offer'] as string | undefined;
  }
});

it('a key that was taken back counts at once no more, at the instances that knew it too', async () => {
  await window('secret', 10);
  const key = newKey();
  expect(await offer(key)).toBe(200);
  for (const at of instances()) expect(await send(key, at)).toBe(200);
  await window('secret', 0, true);
  for (const at of instances()) {
    expect(await send(key, at)).toBe(401);
    expect(await send(first, at)).toBe(200);
  }
});

it('a key whose repeat was answered as taken is never withdrawn for its first offer', async () => {
  const storage = await startFailingStorage(app.azurite.connectionString);
  onTestFinished(async () => await storage.close());
  const third = await startHostProcess({
    env: { ...app.settings, AzureWebJobsStorage: storage.connectionString },
  });
  await window('secret', 10);
  let changes = 0;
  let isAway = false;
  let looks = 0;
  storage.failing = (service, { method }) => {
    if (service !== 'Table') return undefined;
    if (isAway) return { kind: 'answer', status: 403 };
    if (method === 'GET') looks += 1;
    else changes += 1;
    // The claim, the beginning of the write and its end.
    isAway = changes === 3;
    return isAway ? { kind: 'lose-answer' } : undefined;
  };
  const key = newKey();
  expect(await offer(key, { at: third.url })).toBe(503);
  expect(changes).toBe(3);
  expect(await offer(key)).toBe(200);
  changes = looks = 0;
  isAway = false;
  // It looks once more after the time in which a repeat has its answer.
  await until(async () => (looks >= 2 ? true : undefined));
  expect(await kept()).toMatchObject({ current: key, previous: first });
  expect(await send(key)).toBe(200);
  expect(await offer(key)).toBe(200);
});

describe('a thousand keys from somebody whom nobody expects', () => {
  it('cost a few looks at the table, and the key that is expected is taken meanwhile', async () => {
    const at = second.url;
    const reads = (): number => counting.counts.get('Table GET') ?? 0;
    expect(await offer(newKey(), { at })).toBe(403);
    const before = reads();
    const statuses: number[] = [];
    for (let batch = 0; batch < 4; batch += 1) {
      const many = Array.from({ length: 250 }, async () => await offer(newKey(), { at }));
      statuses.push(...(await Promise.all(many)));
    }
    expect(new Set(statuses)).toEqual(new Set([403]));
    expect(statuses).toHaveLength(1_000);
    expect(reads() - before).toBeLessThan(50);
  });

  it('do not keep away the key that is expected', async () => {
    const at = second.url;
    const end = new AbortController();
    const strangers = Array.from({ length: 50 }, async () => {
      // Of the kind for which no window is opened.
      while (!end.signal.aborted) await offer(newKey(), { at, as: 'api_key' });
    });
    for (let round = 0; round < 3; round += 1) {
      await window('secret', 10);
      expect(await offer(newKey(), { at })).toBe(200);
    }
    end.abort();
    await Promise.all(strangers);
  });
});
