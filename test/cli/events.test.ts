import { createHash, createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAppUnderTest, until, webhookSecret, type AppUnderTest } from '../support/app-under-test.ts';
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

const assets = async (args: string[]): Promise<Ran> => await runCommand(['assets', ...args], { env });

interface Listed {
  readonly events: { id: string; title: string; state: string }[];
  readonly next: string | null;
}

describe('events list', () => {
  it('shows the ledger of the running app, aligned', async () => {
    const ran = await events(['list']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const [head = '', ...rows] = (ran.stdout.split('\n\n')[0] ?? '').split('\n');
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
    ['a time that is none', ['list', '--from', 'the day before'], 2],
    ['a place that is none', ['list', '--after', 'here'], 2],
    ['a source that is none', ['list', '--source', 'attic'], 2],
    ['an end of what is followed', ['list', '--follow', '--to', 'now'], 2],
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
    expect(ran.stdout).toMatch(/What the source sent:\n.*^ {2}entityType: IO$/ms);
    expect((await events(['show', id, '--json'])).json()).toMatchObject({ id, history: [{ state: 'done' }] });
  });

  it('takes an id by its beginning', async () => {
    const { events: listed } = (await events(['list', '--json'])).json() as Listed;
    const ids = listed.map(({ id }) => id);
    for (const id of ids)
      expect((await events(['show', id.slice(0, 10), '--json'])).json()).toMatchObject({ id });
  });

  it('of an id that nobody knows ends with 1', async () => {
    const ran = await events(['show', 'nobody']);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('no event');
  });
});

describe('a source that is not there', () => {
  it('is named beside those that are', async () => {
    const ran = await events(['list', '--source', 'attic']);
    expect(ran.stderr).toBe('There is no source "attic"; there are: archive.\n');
    expect((await assets(['show', 'attic', 'x'])).stderr).toBe(ran.stderr);
  });
});

describe('what could not be read', () => {
  const odd = '<b>\u001b[2J no JSON';
  let folder: string;
  let id: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'asset-webhooks-'));
    const signature = createHmac('sha256', webhookSecret)
      .update(`preservica-webhook-auth${odd}`)
      .digest('hex');
    const answer = await fetch(`${app.host.url}/webhooks/archive`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'preservica-signature': signature },
      body: odd,
    });
    expect(answer.status).toBe(400);
    const [unreadable] = await until(async () => {
      const found = await app.events('&state=failed');
      return found.length > 0 ? found : undefined;
    });
    id = unreadable?.id ?? '';
  });
  afterAll(async () => await rm(folder, { recursive: true }));

  it('is shown as it came, and steers no terminal', async () => {
    expect((await events(['show', id])).stdout).toContain(`events show --body ${id}`);
    expect(await events(['show', id, '--body'])).toMatchObject({
      code: 0,
      stdout: '<b>\ufffd[2J no JSON\n',
      stderr: '',
    });
    const base64 = Buffer.from(odd).toString('base64');
    expect((await events(['show', id, '--body', '--json'])).json()).toMatchObject({ body: { base64 } });
  });

  it('is saved byte for byte, over nothing that is there unless that is meant', async () => {
    const file = join(folder, 'body.bin');
    expect((await events(['show', id, '--save-body', file])).code).toBe(0);
    expect(await readFile(file, 'utf8')).toBe(odd);
    await writeFile(file, 'mine');
    const again = await events(['show', id, '--save-body', file]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('--yes');
    const no = await runCommand(['events', 'show', id, '--save-body', file], {
      env,
      columns: 80,
      input: 'n\n',
    });
    expect(no.code).toBe(1);
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect((await events(['show', id, '--save-body', file, '--yes'])).code).toBe(0);
    expect(await readFile(file, 'utf8')).toBe(odd);
    expect((await events(['show', id, '--save-body', join(folder, 'no', 'x')])).stderr).toContain('ENOENT');
  });

  it('is nothing of an event that was read', async () => {
    const [done] = await app.events('&state=done');
    const ran = await events(['show', done?.id ?? '', '--body']);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('assets show', () => {
  let folder: string;
  let assetId: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'asset-webhooks-'));
    const [done] = await app.events('&state=done');
    assetId = done?.assetId ?? '';
  });
  afterAll(async () => await rm(folder, { recursive: true }));

  it('shows the record, for people and for scripts', async () => {
    const ran = await assets(['show', 'archive', assetId]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^title +Harbour \d$/m);
    expect(ran.stdout).toMatch(/^picture +image\/\w+, \d+ × \d+/m);
    const record = await app.record(assetId);
    expect((await assets(['show', 'archive', assetId.slice(0, 8), '--json'])).json()).toEqual(record);
  });

  it('saves the picture, over nothing that is there unless that is meant', async () => {
    const file = join(folder, 'picture');
    const saved = await assets(['show', 'archive', assetId, '--save-thumbnail', file]);
    expect(saved.stdout).toContain(`Saved ${file}: image/`);
    const { thumbnail } = (await app.record(assetId)) ?? {};
    const bytes = await readFile(file);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(thumbnail?.sha256);
    await writeFile(file, 'mine');
    expect((await assets(['show', 'archive', assetId, '--save-thumbnail', file])).code).toBe(2);
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect((await assets(['show', 'archive', assetId, '--save-thumbnail', file, '--yes'])).code).toBe(0);
    expect(await readFile(file)).toEqual(bytes);
  });

  it('of an asset that is not kept ends with 1', async () => {
    const ran = await assets(['show', 'archive', '00000000-0000-4000-8000-000000000000']);
    expect(ran).toMatchObject({ code: 1, stdout: '', stderr: 'There is no record of this asset.\n' });
  });
});

describe('what comes from outside', () => {
  const title = 'Bell \u0007, cursor \u009b2J and \u001b]0;title\u0007';
  beforeAll(async () => {
    const entity = app.preservica.library.addAsset({ title });
    await app.preservica.happen('FULL_TEXT_INDEXED', [entity]);
    await app.settled(5);
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
    expect(ran.stderr).toMatch(
      /^The connection to Asset Webhooks at http:\/\/127\.0\.0\.1:9 failed .* To see why: node src\/cli doctor\n$/,
    );
  });
});
