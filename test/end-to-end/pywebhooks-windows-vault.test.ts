import { createHmac, randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFakeVault, type FakeVault, type FakeVersion } from '../support/fake-vault.ts';
import { startHostProcess, type HostProcess } from '../support/host-process.ts';
import { startRunningApp, type RunningApp } from '../support/running-app.ts';
import { until } from '../support/until.ts';

// One app of two instances, on one storage and one vault.

const name = 'source-scans-secret';
const first = '1'.repeat(40);
let vault: FakeVault;
let app: RunningApp;
let second: HostProcess;

beforeAll(async () => {
  vault = await startFakeVault();
  vault.put(name, '0'.repeat(40), { created: longAgo() - 100 });
  vault.put(name, first, { created: longAgo() });
  app = await startRunningApp({
    ...vault.env,
    SOURCES: 'scans',
    SOURCE_SCANS_KIND: 'pywebhooks',
  });
  second = await startHostProcess({ env: app.settings });
});
beforeEach(async () => {
  Object.assign(vault.settings, { latencyMs: 0, writing: 'none', reading: true });
  await window(0);
  vault.secrets.set(name, []);
  vault.put(name, '0'.repeat(40), { created: longAgo() - 100 });
  vault.put(name, first, { created: longAgo() });
  for (const at of instances()) await fetch(`${at}/sources`);
});

const instances = (): string[] => [app.host.url, second.url];
const newKey = (): string => randomBytes(20).toString('hex');
const longAgo = (): number => Math.floor(Date.now() / 1000) - 86_400 * 30;
const puts = (): number => vault.asked.filter((each) => each.startsWith('PUT ')).length;
/** The values that count, newest first. */
const counting = (): string[] =>
  (vault.secrets.get(name) ?? [])
    .filter(({ enabled }) => enabled !== false)
    .map(({ value }) => value)
    .toReversed();

async function window(minutes: number, withdraw = false): Promise<void> {
  const answer = await fetch(`${app.host.url}/sources/scans/window`, {
    method: 'POST',
    body: JSON.stringify({ key: 'secret', minutes, withdraw }),
  });
  expect(answer.status).toBe(200);
}

async function offer(key: string, at = app.host.url): Promise<number> {
  return (await fetch(`${at}/webhooks/scans?secret_key=${key}`)).status;
}

async function send(secret: string, at = app.host.url): Promise<number> {
  const body = '{"by":"hand"}';
  const signature = createHmac('sha1', secret).update(body).digest('hex');
  const headers = { 'pywebhooks-signature': signature };
  return (await fetch(`${at}/webhooks/scans`, { method: 'POST', headers, body })).status;
}

describe('a window, where the secrets are in a vault', () => {
  it('closed with its key taken back, leaves that key within seconds to no instance', async () => {
    await window(10);
    const key = newKey();
    expect(await offer(key)).toBe(200);
    for (const at of instances()) {
      await until(async () => ((await send(key, at)) === 200 ? true : undefined));
    }
    await window(0, true);
    // Without a call that is signed wrongly, which would make the instances look anew.
    for (const at of instances()) {
      await until(async () => ((await send(key, at)) === 200 ? undefined : true));
      await until(async () => ((await send(first, at)) === 200 ? true : undefined));
    }
  });

  it('gives the vault one version, however many keys are offered, and keeps the one that counted before', async () => {
    await window(10);
    const before = puts();
    const keys = Array.from({ length: 20 }, newKey);
    const statuses = await Promise.all(
      keys.map(async (key, index) => await offer(key, instances()[index % 2])),
    );
    const taken = keys.filter((_key, index) => statuses[index] === 200);
    expect(taken).toHaveLength(1);
    expect(new Set(statuses)).toEqual(new Set([200, 403]));
    for (const at of instances()) expect(await offer(taken[0] ?? '', at)).toBe(200);
    expect(puts() - before).toBe(1);
    expect(counting().slice(0, 2)).toEqual([taken[0], first]);
    // The other instance finds it by a look of its own.
    for (const at of instances()) {
      expect(await send(taken[0] ?? '', at)).toBe(200);
      expect(await send(first, at)).toBe(200);
    }
  });

  it('takes the key whose write was done, and whose answer was lost, without a second version', async () => {
    await window(10);
    vault.settings.writing = 'answer-lost';
    const [key, before] = [newKey(), puts()];
    expect(await offer(key)).toBe(200);
    expect(puts() - before).toBe(1);
    expect(counting().slice(0, 2)).toEqual([key, first]);
  });

  it.each([
    ['the vault refuses the write', 'refused'],
    ['the vault never answers', 'never-answered'],
    ['the vault writes it and never answers', 'never-answered-but-written'],
    ['the vault writes it long after the answer', 'written-late'],
  ] as const)('leaves the key as it was where %s', { timeout: 60_000 }, async (_what, writing) => {
    await window(10);
    vault.settings.writing = writing;
    const [key, before] = [newKey(), puts()];
    expect(await offer(key)).toBe(503);
    // Meanwhile no other gets its place, and the vault no other version.
    expect(await offer(newKey(), second.url)).toBe(403);
    await window(0);
    if (writing === 'written-late') await until(async () => versionOf(key));
    await until(async () => (counting()[0] === first ? true : undefined));
    expect(puts() - before).toBe(1);
    vault.settings.writing = 'none';
    for (const at of instances()) {
      expect(await send(first, at)).toBe(200);
      await until(async () => ((await send(key, at)) === 401 ? true : undefined));
    }

    await window(10);
    const next = newKey();
    expect(await offer(next)).toBe(200);
    expect(counting().slice(0, 2)).toEqual([next, first]);
    expect(await send(first)).toBe(200);
  });

  it(
    'takes the same key offered again after such a write, with the version that is there',
    { timeout: 60_000 },
    async () => {
      await window(10);
      vault.settings.writing = 'never-answered-but-written';
      const key = newKey();
      const before = puts();
      expect(await offer(key)).toBe(503);
      vault.settings.writing = 'none';
      await until(async () => ((await offer(key, second.url)) === 200 ? true : undefined));
      expect(puts() - before).toBe(1);
      expect(counting().slice(0, 2)).toEqual([key, first]);
    },
  );

  it(
    'withdraws what an instance that was killed left behind when the window is closed',
    { timeout: 60_000 },
    async () => {
      await window(10);
      vault.settings.writing = 'never-answered-but-written';
      const key = newKey();
      const offered = offer(key, second.url).catch(() => 0);
      await until(async () => versionOf(key));
      second.kill('SIGKILL');
      expect(await offered).toBe(0);
      await second.exited;
      second = await startHostProcess({ env: app.settings });
      await window(0);
      expect(counting()[0]).toBe(first);
    },
  );

  function versionOf(key: string): FakeVersion | undefined {
    return vault.secrets.get(name)?.find(({ value }) => value === key);
  }
});

describe('a secret of a thousand versions', () => {
  const many = (latencyMs: number): void => {
    vault.secrets.set(name, []);
    for (let age = 1_000; age > 0; age -= 1)
      vault.put(name, age.toString(16).padStart(40, '0'), { created: longAgo() + 86_400 * 29 - age });
    vault.settings.latencyMs = latencyMs;
  };
  const [current, previous] = [1, 2].map((age) => age.toString(16).padStart(40, '0')) as [string, string];

  it(
    'is known at once to an app that starts, and its predecessor when all of them were looked through',
    { timeout: 60_000 },
    async () => {
      many(150);
      const fresh = await startHostProcess({ env: app.settings });
      expect(await send(current, fresh.url)).toBe(200);
      const lists = (): number => vault.asked.filter((each) => each.endsWith('/versions')).length;
      await until(async () => ((await send(previous, fresh.url)) === 200 ? true : undefined));
      const listed = lists();
      expect(await send('f'.repeat(40), fresh.url)).toBe(401);
      expect(await send(previous, fresh.url)).toBe(200);
      expect(lists()).toBe(listed);
      fresh.kill();
      await fresh.exited;
    },
  );

  it('takes a new one in time', { timeout: 60_000 }, async () => {
    many(60);
    await window(10);
    const key = newKey();
    expect(await offer(key, second.url)).toBe(200);
    for (const at of instances()) {
      expect(await send(key, second.url)).toBe(200);
      await until(async () => ((await send(current, at)) === 200 ? true : undefined));
    }
  });
});
