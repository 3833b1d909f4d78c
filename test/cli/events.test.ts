import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAppUnderTest, type AppUnderTest } from '../support/app-under-test.ts';
import { runCommand, type Ran } from '../support/command.ts';

let app: AppUnderTest;
let env: Record<string, string>;

beforeAll(async () => {
  app = await startAppUnderTest();
  // Whoever asks may have no way to the storage.
  const { AzureWebJobsStorage: _closed, ...settings } = app.settings;
  env = { ...settings, PUBLIC_URL: app.host.url };
  await app.subscribe();
  const entities = [1, 2, 3].map((number) => app.preservica.library.addAsset({ title: `Harbour ${number}` }));
  await app.preservica.happen('FULL_TEXT_INDEXED', entities);
  await app.settled(3);
});

const events = async (args: string[], more: Record<string, string> = {}): Promise<Ran> =>
  await runCommand(['events', ...args], { env: { ...env, ...more } });

interface Listed {
  readonly events: { id: string; title: string; state: string }[];
  readonly next: string | null;
}

describe('events list', () => {
  it('shows the ledger of the running app, aligned', async () => {
    const ran = await events(['list']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const [head = '', ...rows] = ran.stdout.trimEnd().split('\n');
    expect(rows).toHaveLength(3);
    const at = head.indexOf('ASSET');
    expect(rows.map((row) => row.slice(at, at + 7))).toEqual(['Harbour', 'Harbour', 'Harbour']);
  });

  it('filters, and goes over pages up to the limit', async () => {
    const one = (await events(['list', '--limit', '1', '--json'])).json() as Listed;
    expect(one.events).toHaveLength(1);
    expect(one.next).not.toBeNull();
    const named = (await events(['list', '--q', 'harbour 2', '--state', 'done', '--json'])).json() as Listed;
    expect(named.events.map(({ title }) => title)).toEqual(['Harbour 2']);
    expect((await events(['list', '--state', 'failed'])).stdout).toBe('No events.\n');
  });

  it.each([
    ['a state that is none', ['list', '--state', 'lost'], 2],
    ['a limit that is none', ['list', '--limit', '0'], 2],
    ['a time that is none', ['list', '--from', 'yesterday'], 2],
  ])('with %s says so', async (_what, args, code) => {
    const ran = await events(args);
    expect(ran.code).toBe(code);
    expect(ran.stderr).not.toBe('');
  });
});

describe('events show', () => {
  it('shows what was tried when, and what the source sent', async () => {
    const { events: listed } = (await events(['list', '--json'])).json() as Listed;
    const id = listed[0]?.id ?? '';
    const ran = await events(['show', id]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain('WHAT HAPPENED');
    expect(ran.stdout).toContain('"entityType": "IO"');
    expect((await events(['show', id, '--json'])).json()).toMatchObject({ id, history: [{ state: 'done' }] });
  });

  it('of an id that nobody knows ends with 1', async () => {
    const ran = await events(['show', 'nobody']);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('no event');
  });
});

describe('what comes from outside', () => {
  const title = 'Bell \u0007, cursor \u009b2J and \u001b]0;title\u0007';
  beforeAll(async () => {
    const entity = app.preservica.library.addAsset({ title });
    await app.preservica.happen('FULL_TEXT_INDEXED', [entity]);
    await app.settled(4);
  });

  it('never moves the cursor of whoever reads it, and is whole for scripts', async () => {
    const asText = await events(['list']);
    const asJson = await events(['list', '--json']);
    for (const { stdout } of [asText, asJson]) expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
    const { events: listed } = asJson.json() as Listed;
    expect(listed.map(({ title: each }) => each).join()).toContain('Bell');
    const id = listed[0]?.id ?? '';
    expect((await events(['show', id])).stdout).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

describe('an id that begins with a hyphen', () => {
  it.each([22, 43])('of %i characters is an id and no option', async (length) => {
    const ran = await events(['show', `-${'a'.repeat(length - 1)}`, '--json']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('no event');
  });

  it('is the value of an option where it stands behind one', async () => {
    const ran = await events(['list', '--asset-id', `-${'a'.repeat(21)}`]);
    expect(ran).toMatchObject({ code: 0, stdout: 'No events.\n', stderr: '' });
  });
});

describe('the app', () => {
  const keys: (string | undefined)[] = [];
  const strict = createServer(({ headers }, response) => {
    keys.push(headers['x-functions-key'] as string | undefined);
    response.writeHead(401).end();
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => void strict.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => strict.close());
  const strictUrl = (): string => `http://127.0.0.1:${(strict.address() as AddressInfo).port}`;

  it('gets the function key as a header, and its refusal is told without it', async () => {
    const ran = await events(['list'], {
      ASSET_WEBHOOKS_URL: strictUrl(),
      ASSET_WEBHOOKS_KEY: 'the key of the app',
    });
    expect(ran.code).toBe(1);
    expect(keys).toEqual(['the key of the app']);
    expect(ran.stderr).toContain('ASSET_WEBHOOKS_KEY');
    expect(ran.stderr).not.toContain('the key of the app');
  });

  it('must be known', async () => {
    const ran = await events(['list'], { PUBLIC_URL: '' });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('ASSET_WEBHOOKS_URL');
  });

  it.each([
    ['with a key in it', 'http://127.0.0.1:9/?code=the-key-of-the-app'],
    ['with a password in it', 'http://user:the-key-of-the-app@127.0.0.1:9'],
    ['that is none', 'the-key-of-the-app'],
  ])('must have an address, and not one %s', async (_what, url) => {
    const ran = await events(['list'], { ASSET_WEBHOOKS_URL: url });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('ASSET_WEBHOOKS_URL');
    expect(ran.stderr).not.toContain('the-key-of-the-app');
  });

  it('is at PUBLIC_URL where no other address is set', async () => {
    expect(await events(['list'], { ASSET_WEBHOOKS_URL: '', ASSET_WEBHOOKS_KEY: '' })).toMatchObject({
      code: 0,
    });
  });

  it('may be away', async () => {
    const ran = await events(['list'], { ASSET_WEBHOOKS_URL: 'http://127.0.0.1:9' });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('The connection to Asset Webhooks failed');
  });
});
