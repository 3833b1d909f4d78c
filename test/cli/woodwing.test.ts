import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { tokenStore } from '../../src/cli/woodwing/token-store.ts';
import { readSourcesConfig } from '../../src/config.ts';
import type { Settings } from '../../src/local/simulators/woodwing/settings.ts';
import type { WoodWingSimulator } from '../../src/local/simulators/woodwing/simulator.ts';
import type { Webhook } from '../../src/local/simulators/woodwing/webhook-api.ts';
import { clientOf, startSimulator } from '../local/simulators/woodwing/client.ts';
import { json, standIn } from '../sources/woodwing/stand-in.ts';
import { runCommand, startCommand, type Ran } from '../support/command.ts';
import { startWoodWingEnv, type WoodWingEnv } from '../support/woodwing-env.ts';
import { secretsWith } from '../support/secrets.ts';
import { until } from '../support/until.ts';

const publicUrl = 'https://hooks.example.test';
const own = `${publicUrl}/webhooks/photos`;
const path = '/services/admin/webhook';
const { username, password } = { username: 'picture-desk', password: 'open sesame & more+' };
const usualEvents = [
  'asset_create',
  'asset_create_by_copy',
  'asset_create_from_filestore_rescue',
  'asset_update_metadata',
  'asset_checkin',
  'asset_promote',
  'asset_move',
  'asset_rename',
  'asset_remove',
];

interface Given {
  readonly env?: Record<string, string>;
  readonly group?: string[];
  readonly input?: string;
  readonly columns?: number;
}
type Run = (args: string[], given?: Given) => Promise<Ran>;

function runner(env: Record<string, string>): Run {
  return async (args, given = {}) =>
    await runCommand(['woodwing', ...(given.group ?? []), 'webhooks', ...args], {
      ...given,
      env: { ...env, ...given.env },
    });
}

/** A command with its settings, a secrets file of its own, and no app. */
async function bench(url: string) {
  const folder = await mkdtemp(join(tmpdir(), 'asset-webhooks-'));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'secrets.json');
  const run = runner({
    SOURCES: 'photos',
    SOURCE_PHOTOS_KIND: 'woodwing',
    SOURCE_PHOTOS_URL: url,
    SOURCE_PHOTOS_USERNAME: username,
    SOURCE_PHOTOS_PASSWORD: password,
    PUBLIC_URL: publicUrl,
    LOCAL_SECRETS_FILE: file,
  });
  return { run, folder, file, kept: async () => (await entryIn(file))?.current };
}

interface Entry {
  readonly current: string;
  readonly previous?: string;
}

async function entryIn(file: string): Promise<Entry | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  return (JSON.parse(text) as Record<string, Entry | undefined>)['source-photos-secret'];
}

async function desk(settings: Partial<Settings> = {}) {
  const simulator = await startSimulator(settings);
  const client = await clientOf(simulator);
  let before = simulator.calls.length;
  return {
    ...(await bench(simulator.url)),
    simulator,
    /** What the command asked, its logins apart. */
    asked: () =>
      simulator.calls
        .slice(before)
        .filter(({ target }) => target.startsWith(path))
        .map(({ method, target }) => `${method} ${target.slice(path.length)}`),
    /** How often it called, logins included. */
    called: () => simulator.calls.length - before,
    /** A webhook that somebody made by hand. */
    there: async (more: object = {}): Promise<Webhook> => {
      const body = JSON.stringify({ name: 'By hand', url: own, eventTypes: ['asset_create'], ...more });
      const { text } = await client(path, { method: 'POST', body });
      before = simulator.calls.length;
      return JSON.parse(text) as Webhook;
    },
  };
}

const only = ({ webhooks }: WoodWingSimulator): Webhook => {
  const [webhook, ...more] = webhooks.values();
  if (webhook === undefined || more.length > 0) throw new Error(`there are ${webhooks.size} webhooks`);
  return webhook;
};
const said = ({ stdout, stderr }: Ran): string => stdout + stderr;

describe('create', () => {
  it('registers the webhook disabled, keeps its token, and enables it', async () => {
    const { run, simulator, asked, file, kept } = await desk();
    const ran = await run(['create']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const webhook = only(simulator);
    expect(asked()).toEqual(['GET ', 'POST ', `PUT /${webhook.id}/enable`]);
    expect(webhook).toMatchObject({
      name: 'Asset Webhooks (photos)',
      url: own,
      eventTypes: usualEvents,
      metadataToReturn: expect.arrayContaining(['filename', 'assetPath', 'name']),
      enabled: true,
    });
    expect(await kept()).toBe(webhook.secretToken);
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect(ran.stdout).toContain(webhook.id);
    expect(ran.stdout).toContain(file);
    expect(said(ran)).not.toContain(webhook.secretToken);
  });

  it('lets no call come before its key is kept', async () => {
    const { run, simulator, kept } = await desk();
    simulator.fault({ path: /enable/, kind: 'status', status: 500, times: 1 });
    const ran = await run(['create', '--json']);
    const webhook = only(simulator);
    expect(ran.code).toBe(1);
    expect(ran.json()).toMatchObject({ webhook: { id: webhook.id, enabled: false }, why: /answered 500/ });
    expect(webhook.enabled).toBe(false);
    expect(await kept()).toBe(webhook.secretToken);

    expect(await run(['enable', webhook.id])).toMatchObject({ code: 0, stderr: '' });
    expect(only(simulator).enabled).toBe(true);
  });

  it('disables at once what a server enables unasked', async () => {
    const stand = await standIn();
    const { run, kept } = await bench(stand.url);
    const webhook = { id: 'a', name: 'x', url: own, eventTypes: [], secretToken: 'AAECAwQFBgcICQoLDA0ODw==' };
    const keptThen: [string, string | undefined][] = [];
    stand.on(path, (seen, response) =>
      json(seen.method === 'GET' ? [] : { ...webhook, enabled: true }, 201)(seen, response),
    );
    for (const action of ['disable', 'enable']) {
      stand.on(`${path}/a/${action}`, (seen, response) => {
        void kept().then((token) => {
          keptThen.push([action, token]);
          json({ ...webhook, enabled: action === 'enable' })(seen, response);
        });
      });
    }
    expect(await run(['create'])).toMatchObject({ code: 0 });
    expect(keptThen).toEqual([
      ['disable', undefined],
      ['enable', webhook.secretToken],
    ]);
  });

  it('asks for what the options say, and warns of what may be a mistake', async () => {
    const { run, simulator } = await desk();
    const ran = await run(
      [
        ['create', '--name', 'Print room', '--url', 'http://127.0.0.1:9/hook'],
        ['--event', 'asset_create, asset_metadata_update', '--metadata', 'filename,cf_photographer'],
        ['--trigger-metadata', 'status,previewState', '--folder', '/Demo Zone', '--folder', 'nature'],
        ['--anyway'],
        ['--query', 'filename:flowers*', '--show-secret', '--json'],
      ].flat(),
    );
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain('asset_metadata_update is no event that is known');
    expect(ran.stderr).toContain('wildcards');
    const { id, secretToken, ...webhook } = only(simulator);
    expect(webhook).toEqual({
      name: 'Print room',
      url: 'http://127.0.0.1:9/hook',
      eventTypes: ['asset_create', 'asset_metadata_update'],
      metadataToReturn: ['filename', 'cf_photographer'],
      triggerMetadataFields: ['status', 'previewState'],
      foldersAndQuery: { folders: ['/Demo Zone', 'nature'], query: 'filename:flowers*' },
      enabled: true,
    });
    expect(ran.json()).toMatchObject({ webhook: { id, secretToken, enabled: true, thisApp: false } });
  });

  it.each([
    ['at its address', { url: `${own}?by=hand` }, false],
    ['with the token that is kept', { url: 'https://elsewhere.example.test/x' }, true],
  ])('is refused where the source has a webhook %s', async (_what, more, keeps) => {
    const { run, there, asked, simulator } = await desk();
    const { id, secretToken } = await there(more);
    const ran = await run(['create'], { env: keeps ? { SOURCE_PHOTOS_SECRET: secretToken } : {} });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain(id);
    for (const command of ['update', 'new-token', 'delete'])
      expect(ran.stderr).toContain(`woodwing webhooks ${command} `);
    expect(asked()).toEqual(['GET ']);
    expect(only(simulator).secretToken).toBe(secretToken);
  });

  it('minds no webhook of somebody else', async () => {
    const { run, there, simulator } = await desk();
    await there({ url: `${own}2` });
    expect(await run(['create'])).toMatchObject({ code: 0 });
    expect(simulator.webhooks.size).toBe(2);
  });

  it('takes back what it registered where the token cannot be kept', async () => {
    const { run, folder, simulator, asked } = await desk();
    const env = { LOCAL_SECRETS_FILE: join(folder, 'missing', 'secrets.json') };
    const ran = await run(['create'], { env });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/cannot be kept in .*missing.*ENOENT.* was unregistered again/s);
    expect(simulator.webhooks.size).toBe(0);
    expect(asked().slice(0, 2)).toEqual(['GET ', 'POST ']);

    simulator.fault({ path: /webhook/, method: 'DELETE', kind: 'status', status: 500, times: 1 });
    const again = await run(['create'], { env });
    const webhook = only(simulator);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/could not be unregistered again .*webhooks delete/s);
    expect(again.stderr).toContain(webhook.id);
    expect(webhook.enabled).toBe(false);
    expect(said(again)).not.toContain(webhook.secretToken);
  });

  it('registers nothing where the store of the token cannot even be read', async () => {
    const { run, folder, asked } = await desk();
    const ran = await run(['create'], { env: { LOCAL_SECRETS_FILE: folder } });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('EISDIR');
    expect(asked()).toEqual([]);
  });

  it('says that it may have come through where the answer is lost', async () => {
    const { run, simulator } = await desk();
    simulator.fault({ path: /webhook/, method: 'POST', kind: 'cut' });
    const ran = await run(['create']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('may have been registered all the same');
    expect(only(simulator).enabled).toBe(false);
  });

  it('repeats why the server refuses it', async () => {
    const { run, kept } = await desk({ unknownEventTypes: 'refused', softErrors: true });
    const ran = await run(['create', '--event', 'asset_dreamt_of', '--anyway']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('answered 400: Unknown event type: asset_dreamt_of');
    expect(await kept()).toBeUndefined();
  });
});

describe('list and get', () => {
  it('show webhooks and say which is of this app', async () => {
    const { run, there } = await desk();
    const [ours, other] = [await there(), await there({ url: 'http://other.test/', enabled: false })];
    const [listed, shown, elsewhere] = await Promise.all([
      run(['list', '--json']),
      run(['get', '--json', other.id]),
      run(['list', '--json'], { env: { PUBLIC_URL: '' } }),
    ]);
    expect(listed.json()).toMatchObject({
      webhooks: [
        { id: ours.id, thisApp: true, enabled: true },
        { id: other.id, thisApp: false, enabled: false },
      ],
    });
    expect(shown.json()).toMatchObject({ webhook: { id: other.id, eventTypes: ['asset_create'] } });
    expect(elsewhere.json()).toMatchObject({ webhooks: [{ thisApp: null }, { thisApp: null }] });
  });

  it('show the others where one cannot be read', async () => {
    const stand = await standIn();
    const { run } = await bench(stand.url);
    const id = 'Qm3_zT7-kLpW0aVbXcYd9E';
    stand.on(path, json([{ id: 5 }, { id, url: `${own}/`, eventTypes: [] }, 'odd']));
    const ran = await run(['list', '--json']);
    expect(ran.json()).toMatchObject({ webhooks: [{ id, thisApp: true }] });
    expect(ran.stderr).toContain('2 items of this list could not be read');
  });

  it('show a token only where that is asked for', async () => {
    const { run, there } = await desk();
    const { id, secretToken } = await there();
    const ways = [['list'], ['list', '--json'], ['get', id], ['get', '--json', id]];
    const hidden = await Promise.all(ways.map(async (args) => await run(args)));
    const shown = await Promise.all(
      [
        ['list', '--show-secret'],
        ['get', '--show-secret', '--json', id],
      ].map(async (args) => await run(args)),
    );
    for (const ran of [...hidden, ...shown]) expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(hidden.map((ran) => ran.stdout.includes(secretToken))).toEqual([false, false, false, false]);
    expect(shown.map((ran) => ran.stdout.includes(secretToken))).toEqual([true, true]);
  });

  it('let nothing from outside steer the terminal', async () => {
    const { run, there } = await desk();
    const { id } = await there({ name: '\u001b[2Jhidden', url: 'http://x.test/\u001b[31m' });
    const runs = await Promise.all([run(['list']), run(['get', id])]);
    for (const ran of runs) {
      expect(said(ran)).toContain('hidden');
      expect(said(ran)).not.toContain('\u001b');
    }
  });

  it('ask as another account, whose password comes from standard input', async () => {
    const { run } = await desk();
    const ran = await run(['list'], {
      env: { SOURCE_PHOTOS_USERNAME: 'reader', SOURCE_PHOTOS_PASSWORD: '' },
      group: ['--username', username, '--password-stdin'],
      input: `${password}\n`,
    });
    expect(ran).toMatchObject({ code: 0, stderr: '', stdout: 'There are no webhooks.\n' });
  });
});

describe('update', () => {
  it.each<Partial<Settings>>([
    { updateMethods: 'both', updateMode: 'merge' },
    { updateMethods: 'POST', updateMode: 'replace', softErrors: true },
  ])('changes what is given and nothing else: %j', async (settings) => {
    const { run, there, simulator } = await desk(settings);
    const before = await there({
      metadataToReturn: ['filename'],
      foldersAndQuery: { folders: ['/A'], query: 'rating:5', enableWildcardSelection: true },
    });
    const ran = await run(['update', '--event', 'asset_remove', '--folder', '', '--json', before.id]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const after = only(simulator);
    expect(after).toEqual({
      ...before,
      eventTypes: ['asset_remove'],
      foldersAndQuery: { query: 'rating:5', enableWildcardSelection: true },
    });
    expect(ran.json()).toMatchObject({ webhook: { id: before.id, folders: [], query: 'rating:5' } });
    expect(said(ran)).not.toContain(before.secretToken);
  });
});

describe('disable, enable and delete', () => {
  it.each([true, false])('switch it, on a server that has calls for it: %s', async (enableCalls) => {
    const { run, there, simulator } = await desk({ enableCalls });
    const before = await there();
    expect(await run(['disable', before.id])).toMatchObject({
      code: 0,
      stdout: `${before.id} is disabled.\n`,
    });
    expect(only(simulator)).toEqual({ ...before, enabled: false });
    expect(await run(['enable', before.id])).toMatchObject({ code: 0, stderr: '' });
    expect(only(simulator)).toEqual(before);
  });

  it('take it away once it is said that it is meant', async () => {
    const { run, there, simulator } = await desk();
    const { id } = await there();
    const unasked = await run(['delete', id]);
    expect(unasked).toMatchObject({ code: 2, stdout: '' });
    expect(unasked.stderr).toContain('--yes');
    expect((await run(['delete', id], { columns: 80, input: 'no\n' })).code).toBe(1);
    expect(simulator.webhooks.size).toBe(1);
    const deleted = await run(['delete', '--yes', '--json', id]);
    expect(deleted).toMatchObject({ code: 0, stderr: '' });
    expect(deleted.json()).toEqual({ deleted: id });
    expect(simulator.webhooks.size).toBe(0);
  });

  it('take a beginning of its id, where no other has it', async () => {
    const stand = await standIn();
    const { run } = await bench(stand.url);
    const webhooks = ['Qm3_zT7-kLpW0aVbXcYd9E', 'Qm3_zT7-kLpW0aVbXcYd9F', '-m3_zT7-kLpW0aVbXcYd9E'].map(
      (id) => ({
        id,
        url: own,
        eventTypes: [],
      }),
    );
    stand.on(path, json(webhooks));
    for (const webhook of webhooks) stand.on(`${path}/${webhook.id}`, json(webhook));
    const several = await run(['get', 'Qm3_zT7']);
    expect(several).toMatchObject({ code: 2, stdout: '' });
    for (const { id } of webhooks.slice(0, 2)) expect(several.stderr).toContain(id);
    // Such a beginning could pass for an option.
    const one = await run(['get', '-m3_zT7-kL', '--json']);
    expect(one.json()).toMatchObject({ webhook: { id: webhooks[2]?.id } });
  });

  it('say where the server takes it and does nothing', async () => {
    const stand = await standIn();
    const { run } = await bench(stand.url);
    // Such an id could pass for an option.
    const id = '-m3_zT7-kLpW0aVbXcYd9E';
    stand.on(`${path}/${id}/enable`, json({ id, url: own, eventTypes: [], enabled: false }));
    const ran = await run(['enable', id]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('not enabled all the same');
  });
});

describe('tokens that are kept in a vault one after the other', () => {
  it('are not made in the same second, by which it tells their order', async () => {
    const made: [string, number][] = [];
    const secrets = secretsWith({
      keep: async (_source, _which, value) => void made.push([value, Math.floor(Date.now() / 1000)]),
    });
    const read = readSourcesConfig({
      SOURCES: 'photos',
      SOURCE_PHOTOS_KIND: 'woodwing',
      SOURCE_PHOTOS_URL: 'https://assets.example.test',
      KEY_VAULT_URL: 'https://a-vault.vault.azure.net',
    });
    if (!read.ok) throw new Error(read.faults.join('\n'));
    const config = { ...read.config, localSecretsFile: 'unused' };
    const store = await tokenStore({ config, secrets }, { name: 'photos' });
    for (const token of ['former', 'newer']) await store.keep(token);
    expect(made.map(([token]) => token)).toEqual(['former', 'newer']);
    expect(new Set(made.map(([, second]) => second)).size).toBe(2);
  });
});

const onOne = ['get', 'update', 'new-token', 'enable', 'disable', 'delete'];
const optionsOf: Record<string, string[]> = { update: ['--name', 'x'], delete: ['--yes'] };
const commandOn = (name: string, id: string): string[] => [name, ...(optionsOf[name] ?? []), id];

describe('where the other side says no, every command ends with 1', () => {
  it.each([
    [
      'because the account is no Super user',
      {},
      /Super user and a Pro or API licence/,
      ['list', 'create', ...onOne],
    ],
    [
      'because nothing answers',
      { SOURCE_PHOTOS_URL: 'http://127.0.0.1:9' },
      /connection to WoodWing Assets failed/,
      ['list', 'new-token'],
    ],
    [
      'because the password is wrong',
      { SOURCE_PHOTOS_PASSWORD: 'not the right one' },
      /name or password/,
      ['create'],
    ],
  ])('%s', async (_why, env: Record<string, string>, why, commands) => {
    const { run, there, simulator } = await desk({ notSuperuserStatus: 401 });
    const before = await there();
    simulator.settings.account.superuser = false;
    const runs = commands.map((name) => (onOne.includes(name) ? commandOn(name, before.id) : [name]));
    for (const ran of await Promise.all(runs.map(async (args) => await run(args, { env })))) {
      expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(why) });
      for (const secret of [password, 'not the right one', before.secretToken])
        expect(ran.stderr).not.toContain(secret);
    }
    expect(only(simulator)).toEqual(before);
  });

  it('because there is no such webhook', async () => {
    const { run, simulator } = await desk({ softErrors: true });
    const id = 'Qm3_zT7-kLpW0aVbXcYd9E';
    const runs = await Promise.all(onOne.map(async (name) => await run(commandOn(name, id))));
    for (const ran of runs)
      expect(ran).toMatchObject({ code: 1, stdout: '', stderr: `WoodWing Assets knows no webhook ${id}.\n` });
    expect(simulator.webhooks.size).toBe(0);
  });
});

describe('wrong use', () => {
  it.each([
    ['no address', ['create'], { PUBLIC_URL: '' }, /--url, or set PUBLIC_URL/],
    ['an address that is none', ['create', '--url', 'ftp://x.test/'], {}, /--url must be/],
    ['no event', ['create', '--event', ' '], {}, /--event must name/],
    ['an event that is not known', ['create', '--event', 'asset_creat'], {}, /Did you mean asset_create\?/],
    ['such a one in an update', ['update', '--event', 'assetmove', 'x'], {}, /Did you mean asset_move\?/],
    ['an event that is none', ['create', '--event', 'asset create'], {}, /--event must be names/],
    ['a field that is none', ['create', '--metadata', 'a,b c'], {}, /--metadata must be names/],
    ['an empty name', ['create', '--name', ''], {}, /--name/],
    ['nothing to change', ['update', 'x'], {}, /What is to change/],
    ['no id', ['get'], {}, /missing required argument/],
    ['an id that is a path', ['delete', '--yes', '..'], {}, /no id of a webhook/],
    ['no password', ['list'], {}, /standard input/, ['--password-stdin']],
    ["the app's password under another name", ['list'], {}, /--password-stdin/, ['--username', 'x']],
    ['another source', ['list'], {}, /no source "attic"/, ['--source', 'attic']],
    ['no app', ['new-token', 'x'], { PUBLIC_URL: '' }, /Where is the app/],
  ])('is told: %s', async (_what, args, env: Record<string, string>, why, group: string[] = []) => {
    const { run, called } = await desk();
    const ran = await run(args, { env, group });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(why);
    expect(called()).toBe(0);
  });
});

describe('new-token', () => {
  let photos: WoodWingEnv;
  let run: Run;

  beforeAll(async () => {
    photos = await startWoodWingEnv();
    run = runner({ ...photos.app.settings, PUBLIC_URL: photos.app.host.url });
    expect(await run(['create'])).toMatchObject({ code: 0, stderr: '' });
  });

  const windows = async (): Promise<unknown[]> => {
    const { json: answer } = await photos.app.get('/sources');
    return (answer as { sources: [{ windows: unknown[] }] }).sources[0].windows;
  };
  const happens = async (): Promise<void> => {
    const { id } = photos.assets.library.add({ filename: 'harbour.jpg' });
    await photos.assets.happen({ type: 'asset_create', assetId: id });
  };
  const entry = async (): Promise<Entry | undefined> =>
    await entryIn(photos.app.settings['LOCAL_SECRETS_FILE'] ?? '');
  const kept = async (): Promise<string | undefined> => (await entry())?.current;

  it('changes the token under way, and no call is lost', async () => {
    const before = only(photos.assets);
    await happens();
    const { length: earlier } = await photos.app.settled(1);

    // The new token signs before the command knows it.
    photos.assets.fault({ path: /generate-token/, kind: 'slow', ms: 1_000, times: 1 });
    const changed = run(['new-token', before.id]);
    const deliveries: Promise<void>[] = [];
    let over = false;
    do {
      deliveries.push(happens());
      over = await Promise.race([changed.then(() => true), delay(100, false)]);
    } while (!over);
    const ran = await changed;
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const { secretToken } = only(photos.assets);
    expect(secretToken).not.toBe(before.secretToken);
    expect(await kept()).toBe(secretToken);
    expect(said(ran)).not.toContain(secretToken);
    await Promise.all([...deliveries, happens()]);
    const events = earlier + deliveries.length + 1;
    expect((await photos.app.settled(events)).length).toBe(events);
    expect(await windows()).toEqual([]);
  });

  it('changes nothing where the app is away, is another, or has its secrets elsewhere', async () => {
    const before = only(photos.assets);
    const file = photos.app.settings['LOCAL_SECRETS_FILE'] ?? '';
    for (const [env, why] of [
      [
        { ASSET_WEBHOOKS_URL: 'http://127.0.0.1:9' },
        /connection to Asset Webhooks at http:\/\/127\.0\.0\.1:9 failed/,
      ],
      [{ ASSET_WEBHOOKS_URL: photos.assets.url }, /answered 401|wants a function key/],
      [{ LOCAL_SECRETS_FILE: `${file}.other` }, /the app has its secrets elsewhere.*--show-secret/],
      [{ LOCAL_SECRETS_FILE: tmpdir() }, /EISDIR/],
    ] as const) {
      const ran = await run(['new-token', before.id], { env });
      expect(ran).toMatchObject({ code: 1, stdout: '' });
      expect(ran.stderr).toMatch(why);
      expect(only(photos.assets)).toEqual(before);
      expect(await windows()).toEqual([]);
    }
  });

  it('shows the token once where the app has its secrets elsewhere, and leaves the time to put it there', async () => {
    const { id } = only(photos.assets);
    const folder = await mkdtemp(join(tmpdir(), 'asset-webhooks-'));
    onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
    const ran = await run(['new-token', id, '--show-secret'], {
      env: { LOCAL_SECRETS_FILE: join(folder, 'secrets.json') },
    });
    const { secretToken } = only(photos.assets);
    expect(ran).toMatchObject({ code: 1, stderr: '' });
    expect(ran.stdout).toContain(`Its secret token: ${secretToken}`);
    expect(ran.stdout).toMatch(/does not have it.*Until 20.*SOURCE_PHOTOS_SECRET/s);
    expect(await windows()).toHaveLength(1);
    await runAgain(id);
  });

  it('shows a token that could not be kept, and one that was, only where that is asked for', async () => {
    const { id, secretToken: before } = only(photos.assets);
    const unkept = await run(['new-token', id, '--show-secret', '--json'], {
      env: { SOURCE_PHOTOS_SECRET: before, LOCAL_SECRETS_FILE: '/missing/secrets.json' },
    });
    const { secretToken } = only(photos.assets);
    expect(unkept).toMatchObject({ code: 1, stderr: '' });
    expect(unkept.json()).toMatchObject({
      id,
      keptIn: null,
      secretToken,
      why: expect.stringMatching(/ENOENT.*Until 20.*take the token below/s),
    });
    await runAgain(id);
    const shown = await run(['new-token', id, '--show-secret']);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain(`Its secret token: ${only(photos.assets).secretToken}`);
    expect(await windows()).toEqual([]);
  });

  it('changes nothing where the server refuses, and ends the time for it', async () => {
    const before = only(photos.assets);
    photos.assets.fault({ path: /generate-token/, kind: 'status', status: 403, times: 1 });
    const ran = await run(['new-token', before.id]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/Super user.*Nothing was changed/s);
    expect(await windows()).toEqual([]);
    expect(await kept()).toBe(before.secretToken);
  });

  it('leaves the time for it open where the new token could not be kept', async () => {
    const before = only(photos.assets);
    const ran = await run(['new-token', before.id], {
      // The command has the token of now as a setting, and no place to keep another.
      env: { SOURCE_PHOTOS_SECRET: before.secretToken, LOCAL_SECRETS_FILE: '/missing/secrets.json' },
    });
    const { secretToken } = only(photos.assets);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/not kept.*ENOENT.*Until 20.*get --show-secret/s);
    expect(said(ran)).not.toContain(secretToken);
    expect(await windows()).toHaveLength(1);

    await runAgain(before.id);
  });

  /** What comes meanwhile waits at the sender until the command is run again, whichever token it goes on to sign with. */
  async function runAgain(id: string): Promise<void> {
    const { secretToken } = only(photos.assets);
    Object.assign(photos.assets.settings, { retrySignedWith: 'at-first' });
    const delivery = happens();
    await until(async () => photos.assets.sent.at(-1)?.status === 503 || undefined);
    const again = await run(['new-token', id]);
    expect(again.code).toBe(0);
    expect(again.stderr).toMatch(/another token.*kept first/s);
    await delivery;
    expect(photos.assets.sent.at(-1)?.status).toBe(200);
    Object.assign(photos.assets.settings, { retrySignedWith: 'current' });
    expect(await windows()).toEqual([]);
    expect(await entry()).toMatchObject({ current: only(photos.assets).secretToken, previous: secretToken });
  }

  it('leaves it open as well where somebody ends the command while a token is being made', async () => {
    const { id } = only(photos.assets);
    photos.assets.fault({ path: /generate-token/, kind: 'hang', times: 1 });
    const opened = until(async () => ((await windows()).length > 0 ? true : undefined));
    const ran = await startCommand(['woodwing', 'webhooks', 'new-token', id], {
      env: { ...photos.app.settings, PUBLIC_URL: photos.app.host.url },
      kill: { after: opened, signal: 'SIGTERM' },
    });
    expect(ran).toMatchObject({ code: 143, stdout: '' });
    expect(ran.stderr).toMatch(/Interrupted\. Whether there is a new token is not certain\. Until 20/);
    expect(await windows()).toHaveLength(1);
    await runAgain(id);
  });

  it('leaves it open as well where the server made one and then shows it to nobody', async () => {
    const before = only(photos.assets);
    const { id } = before;
    photos.assets.fault({
      path: /generate-token/,
      kind: 'answer',
      status: 200,
      contentType: 'text/plain',
      body: 'OK',
      times: 1,
    });
    photos.assets.fault({ path: /webhook\/.+/, method: 'GET', kind: 'status', status: 429, times: 1 });
    const ran = await run(['new-token', id]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/did not say which.*answered 429.*not certain.*Until 20.*run this again/s);
    expect(ran.stderr).not.toContain('Nothing was changed');
    expect(only(photos.assets).secretToken).not.toBe(before.secretToken);
    expect(await kept()).toBe(before.secretToken);
    expect(await windows()).toHaveLength(1);
    await runAgain(id);
  });

  it('keeps the one that the server has where it refuses another, and says so', async () => {
    const { id, secretToken } = only(photos.assets);
    const made = await photos.call('POST', `${path}/${id}/generate-token`, {});
    photos.assets.fault({ path: /generate-token/, kind: 'status', status: 403, times: 1 });
    const ran = await run(['new-token', id]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/Super user.*No new token was made/s);
    expect(await windows()).toEqual([]);
    expect(await entry()).toMatchObject({
      current: (made.json as { secretToken: string }).secretToken,
      previous: secretToken,
    });
  });

  it('changes nothing where the one that the server has cannot be kept', async () => {
    const before = only(photos.assets);
    const ran = await run(['new-token', before.id], {
      env: { SOURCE_PHOTOS_SECRET: 'the token of long ago', LOCAL_SECRETS_FILE: '/missing/secrets.json' },
    });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/ENOENT.*Nothing was changed/s);
    expect(only(photos.assets)).toEqual(before);
    expect(await windows()).toEqual([]);
  });

  it('is refused for a webhook of somebody else, and for a second one of this address', async () => {
    const ours = only(photos.assets);
    const make = async (url: string): Promise<Webhook> =>
      (await photos.call('POST', path, { name: 'x', url, eventTypes: [] })).json as Webhook;
    const others = [await make('http://other.test/'), await make(ours.url)];
    for (const other of others) {
      const ran = await run(['new-token', other.id]);
      expect(ran).toMatchObject({ code: 1, stdout: '' });
      expect(ran.stderr).toContain(`that is ${ours.id}`);
      expect(photos.assets.webhooks.get(other.id)).toEqual(other);
    }
    expect(await kept()).toBe(ours.secretToken);
    expect(await windows()).toEqual([]);
  });
});
