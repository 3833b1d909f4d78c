import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  startPyWebhooksSimulator,
  type Keys,
  type PyWebhooksSimulator,
} from '../../src/local/simulators/pywebhooks/simulator.ts';
import { runCommand, startCommand, type Ran } from '../support/command.ts';
import { startRunningApp, type RunningApp } from '../support/running-app.ts';
import { until } from '../support/until.ts';

// Three sources of one app: `fresh` has no account yet; the other two have one, with the keys in the settings.
const names = ['fresh', 'desk', 'ring'] as const;

let service: PyWebhooksSimulator;
let app: RunningApp;
let desk: Keys;
let ring: Keys;
let owner: Keys;
/** What the command is run with: never the storage, which may be closed to whoever runs it. */
let env: Record<string, string>;

const prefix = (name: string): string => `SOURCE_${name.toUpperCase()}_`;
const keysOf = (name: string, { apiKey, secretKey }: Keys): Record<string, string> => ({
  [`${prefix(name)}API_KEY`]: apiKey,
  [`${prefix(name)}SECRET`]: secretKey,
});

beforeAll(async () => {
  service = await startPyWebhooksSimulator();
  afterAll(async () => await service.close());
  // Their endpoints are known once the app is there.
  [desk, ring] = [account('desk'), account('ring')];
  app = await startRunningApp({
    SOURCES: names.join(','),
    ...Object.fromEntries(
      names.flatMap((name) => [
        [`${prefix(name)}KIND`, 'pywebhooks'],
        [`${prefix(name)}URL`, service.url],
        [`${prefix(name)}USERNAME`, name],
      ]),
    ),
    ...keysOf('desk', desk),
    ...keysOf('ring', ring),
  });
  recordOf(desk).endpoint = endpointOf('desk');
  recordOf(ring).endpoint = endpointOf('ring');
  owner = account('owner');
  const { AzureWebJobsStorage: _closed, ...settings } = app.settings;
  env = { ...settings, PUBLIC_URL: app.host.url };
});

function account(username: string, endpoint = ''): Keys {
  return service.addAccount({ username, endpoint });
}

function recordOf({ id }: Keys) {
  const record = service.accounts.get(id);
  if (record === undefined) throw new Error('That account is gone.');
  return record;
}

function endpointOf(source: string): string {
  return `${app.host.url}/webhooks/${source}`;
}

/** Runs the command, and looks whether it printed anything like a key or its hash: all of them hold forty hex digits in a row. */
async function pywebhooks(
  args: readonly string[],
  options: { source?: string; env?: Record<string, string>; input?: string; columns?: number } = {},
): Promise<Ran> {
  const { source = 'desk', ...given } = options;
  const ran = await runCommand(['pywebhooks', '--source', source, ...args], {
    ...given,
    env: { ...env, ...options.env },
  });
  if (!args.includes('--show-secret')) expect(ran.stdout + ran.stderr).not.toMatch(/[0-9a-f]{40}/);
  return ran;
}

/** A secrets file of its own, which is not there yet. */
async function otherSecrets(): Promise<{ file: string; env: Record<string, string> }> {
  const folder = await mkdtemp(join(tmpdir(), 'pywebhooks-'));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'local.secrets.json');
  return { file, env: { LOCAL_SECRETS_FILE: file } };
}

async function kept(
  file = app.settings['LOCAL_SECRETS_FILE'] ?? '',
): Promise<Record<string, { current: string; previous?: string }>> {
  return JSON.parse(await readFile(file, 'utf8')) as Record<string, { current: string; previous?: string }>;
}

const stands: Server[] = [];
afterAll(() => stands.forEach((server) => server.close()));

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  stands.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const nonsense: RequestListener = (_request, response) => void response.end('OK');

const asked = (target: string): number => service.calls.filter((call) => call.target === target).length;

/** What the app answers to an event that this secret signed. */
async function answerTo(source: string, secret: string): Promise<number> {
  const body = Buffer.from('{"message": "hello"}');
  const signature = createHmac('sha1', secret).update(body).digest('hex');
  const response = await fetch(endpointOf(source), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'pywebhooks-signature': signature },
    body,
  });
  return response.status;
}

async function answerToKey(source: string, key: 'secret_key' | 'api_key'): Promise<number> {
  return (await fetch(`${endpointOf(source)}?${key}=${'0'.repeat(40)}`)).status;
}

describe('account create', () => {
  it('makes an account whose keys are kept where the app finds them', async () => {
    expect(await answerTo('fresh', 'whatever')).toBe(503);
    const ran = await pywebhooks(['account', 'create', '--json'], { source: 'fresh' });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const { account: made } = ran.json() as { account: { id: string; endpoint: string } };
    expect(service.accounts.get(made.id)).toMatchObject({ username: 'fresh', endpoint: endpointOf('fresh') });

    const entries = await kept();
    expect(entries['source-fresh-account-id']?.current).toBe(made.id);
    const secret = entries['source-fresh-secret']?.current ?? '';
    expect(secret).toBe(service.accounts.get(made.id)?.secret_key);
    expect(await answerTo('fresh', secret)).toBe(200);
    expect((await pywebhooks(['account', 'show'], { source: 'fresh' })).stdout).toContain(made.id);
    expect((await pywebhooks(['subscriptions'], { source: 'fresh' })).code).toBe(0);
  });

  it('makes no second one where there is a key already', async () => {
    const before = asked('/v1/account');
    const ran = await pywebhooks(['account', 'create', '--username', 'another']);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('has an API key');
    expect(asked('/v1/account')).toBe(before);
  });

  it('prints the keys where it is told to, and what is to be set for another name', async () => {
    const { env: own, file } = await otherSecrets();
    const ran = await pywebhooks(['account', 'create', '--username', 'Zoë', '--show-secret', '--json'], {
      source: 'fresh',
      env: own,
    });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain('SOURCE_FRESH_USERNAME');
    const { account: made } = ran.json() as { account: { apiKey: string; secretKey: string } };
    const entries = await kept(file);
    expect(entries['source-fresh-api-key']?.current).toBe(made.apiKey);
    expect(entries['source-fresh-secret']?.current).toBe(made.secretKey);
    const named = { ...own, SOURCE_FRESH_USERNAME: 'Zoë' };
    expect((await pywebhooks(['subscriptions'], { source: 'fresh', env: named })).code).toBe(0);
  });

  it.each([
    ['the app is away', 'http://127.0.0.1:9/webhooks/fresh', /Nothing answers at http:\/\/127\.0\.0\.1:9/],
    ['the app knows no such source', '/webhooks/attic', /knows no such source/],
    ['something else answers', 'nonsense', /gave 200 and no echo: it is not this app/],
    ['a redirect answers', 'redirect', /answers with a redirect/],
  ])('says why there is no account when %s', async (_what, where, why) => {
    const stand = await serving((request, response) =>
      where === 'redirect'
        ? void response.writeHead(302, { location: '/' }).end()
        : nonsense(request, response),
    );
    const url = where.startsWith('http') ? where : where.startsWith('/') ? app.host.url + where : stand;
    const { env: own, file } = await otherSecrets();
    const ran = await pywebhooks(['account', 'create', '--username', 'late', '--url', url], {
      source: 'fresh',
      env: own,
    });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(why);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  it('says that the name is taken', async () => {
    const { env: own } = await otherSecrets();
    const ran = await pywebhooks(['account', 'create', '--username', 'desk'], { source: 'fresh', env: own });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('already has an account named desk');
  });

  it('asks for nothing where the keys would have no place', async () => {
    const { env: own, file } = await otherSecrets();
    await writeFile(file, 'something else');
    const before = asked('/v1/account');
    const ran = await pywebhooks(['account', 'create', '--username', 'homeless'], {
      source: 'fresh',
      env: own,
    });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('No account was made');
    expect(asked('/v1/account')).toBe(before);
  });

  it('says how to get new keys where these could not be kept', async () => {
    const { file } = await otherSecrets();
    const own = { LOCAL_SECRETS_FILE: join(file, 'no', 'folder') };
    const options = { source: 'fresh', env: own };
    const lost = await pywebhooks(['account', 'create', '--username', 'lost'], options);
    expect(lost.code).toBe(1);
    expect(lost.stdout).toMatch(/Made the account lost.*did not take its keys \(ENOENT\).*reset-api-key/s);
    const shown = await pywebhooks(['account', 'create', '--username', 'found', '--show-secret'], options);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(/API key: [0-9a-f]{40}\n/);

    // What it says is what helps.
    const lostId = /lost: (\S+)/.exec(lost.stdout)?.[1] ?? '';
    const named = { source: 'fresh', env: { SOURCE_FRESH_USERNAME: 'lost' } };
    expect((await pywebhooks(['reset-api-key'], named)).code).toBe(0);
    expect((await pywebhooks(['reset-secret'], named)).code).toBe(0);
    const secret = service.accounts.get(lostId)?.secret_key ?? '';
    expect((await kept())['source-fresh-secret']?.current).toBe(secret);
    expect(await answerTo('fresh', secret)).toBe(200);
  });

  it.each([
    ['without a name', [], { SOURCE_FRESH_USERNAME: '' }, 'SOURCE_FRESH_USERNAME'],
    ['under a name that no header holds', ['--username', '日本'], {}, 'Latin-1'],
    ['under a name with a blank behind it', ['--username', 'me '], {}, 'blanks'],
    ['without an address', [], { PUBLIC_URL: '' }, 'PUBLIC_URL'],
    ['for an address that is none', ['--url', 'ftp://example.org'], {}, '--url'],
  ])('%s is wrong use', async (_what, args, more, said) => {
    const { env: own } = await otherSecrets();
    const before = service.calls.length;
    const ran = await pywebhooks(['account', 'create', ...args], {
      source: 'fresh',
      env: { ...own, ...more },
    });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(said);
    expect(service.calls).toHaveLength(before);
  });
});

describe('account show', () => {
  it('hides what is secret, unless it is told not to', async () => {
    const hidden = await pywebhooks(['account', 'show', desk.id]);
    expect(hidden).toMatchObject({ code: 0, stderr: '' });
    expect(hidden.stdout).toMatch(/this app +yes/);
    expect(hidden.stdout).toMatch(/webhook secret +hidden/);
    const shown = await pywebhooks(['account', 'show', desk.id, '--show-secret']);
    expect(shown.stdout).toContain(recordOf(desk).secret_key);
    expect(shown.stdout).toContain(recordOf(desk).api_key);
    const json = await pywebhooks(['account', 'show', desk.id, '--json']);
    expect(json.json()).toEqual({
      account: {
        id: desk.id,
        username: 'desk',
        endpoint: endpointOf('desk'),
        thisApp: true,
        failedCount: 0,
        isAdmin: false,
      },
    });
    const all = await pywebhooks(['account', 'show', desk.id, '--json', '--show-secret']);
    expect(all.json()).toMatchObject({ account: { secretKey: desk.secretKey } });
  });

  it('finds the id by a subscription or a registration, and says where there is neither', async () => {
    const nobody = await pywebhooks(['account', 'show']);
    expect(nobody).toMatchObject({ code: 1, stdout: '' });
    expect(nobody.stderr).toContain('Give the id');

    const { id: registration } = service.addRegistration(owner.id, {
      event: 'e',
      description: 'd',
      event_data: 1,
    });
    const subscribed = (await pywebhooks(['subscribe', registration, '--json'])).json();
    expect((await pywebhooks(['account', 'show'])).stdout).toContain(desk.id);
    const { subscription } = subscribed as { subscription: { id: string } };
    await pywebhooks(['unsubscribe', '--yes', subscription.id]);
    service.addRegistration(desk.id, { event: 'own', description: 'of desk', event_data: {} });
    expect((await pywebhooks(['account', 'show'])).stdout).toContain(desk.id);
  });

  it('finds it also where the id that was kept is no more the right one', async () => {
    const { env: own, file } = await otherSecrets();
    const entry = { current: owner.id, keptAt: new Date().toISOString(), after: '' };
    await writeFile(file, JSON.stringify({ 'source-desk-account-id': entry }));
    expect((await pywebhooks(['account', 'show'], { env: own })).stdout).toContain(desk.id);
  });

  it('says what too many failed deliveries mean', async () => {
    const record = recordOf(desk);
    onTestFinished(() => void (record.failed_count = 0));
    record.failed_count = 249;
    expect(await pywebhooks(['account', 'show', desk.id])).toMatchObject({ code: 0 });
    record.failed_count = 250;
    const ran = await pywebhooks(['account', 'show', desk.id]);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('nothing is sent any more');
  });

  it('of somebody else is refused', async () => {
    const ran = await pywebhooks(['account', 'show', owner.id]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('an account may see only itself');
  });

  it('says where the endpoint is not this app', async () => {
    const ran = await pywebhooks(['account', 'show', desk.id], {
      env: { PUBLIC_URL: 'http://elsewhere.example' },
    });
    expect(ran.stdout).toMatch(/this app +no/);
  });
});

describe('account update', () => {
  it('sets the address of the account, and lets the service send again', async () => {
    Object.assign(recordOf(desk), { endpoint: 'https://old.example.org/x', failed_count: 250 });
    const shown = await pywebhooks(['account', 'show']);
    expect(shown.stdout).toContain('node src/cli pywebhooks account update --source desk');
    const ran = await pywebhooks(['account', 'update', '--json']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.json()).toEqual({ account: { endpoint: endpointOf('desk') }, why: null });
    expect(recordOf(desk)).toMatchObject({ endpoint: endpointOf('desk'), failed_count: 0 });
    // Once more changes nothing, and is no fault.
    expect(await pywebhooks(['account', 'update'])).toMatchObject({ code: 0 });
  });

  it.each([
    ['nothing answers', 'http://127.0.0.1:9/x', /Nothing answers at/],
    ['there is no such source', '/webhooks/attic', /knows no such source/],
  ])('changes nothing where %s, unless it is meant', async (_what, given, why) => {
    const url = given.startsWith('/') ? app.host.url + given : given;
    const ran = await pywebhooks(['account', 'update', '--url', url]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(why);
    expect(ran.stderr).toContain('Nothing was changed');
    expect(recordOf(desk).endpoint).toBe(endpointOf('desk'));
    expect(await pywebhooks(['account', 'update', '--url', url, '--anyway'])).toMatchObject({ code: 0 });
    expect(recordOf(desk).endpoint).toBe(url);
    recordOf(desk).endpoint = endpointOf('desk');
  });

  it('says so where the service does not take it', async () => {
    service.fault({ path: /v1\/account/, method: 'PATCH', kind: 'status', status: 500, times: 1 });
    const ran = await pywebhooks(['account', 'update']);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('PyWebhooks answered 500');
  });
});

describe('registrations and subscriptions', () => {
  const registered = (event: string | null, description: string): string =>
    service.addRegistration(owner.id, { event, description, event_data: { event } }).id;

  it('are listed to the end, over all pages', async () => {
    const ids = Array.from({ length: 230 }, (_, index) => registered(`event.${index}`, `number ${index}`));
    const wanted = ids[215] ?? '';
    expect((await pywebhooks(['subscribe', wanted])).code).toBe(0);
    const { registrations } = (await pywebhooks(['registrations', '--json'])).json() as {
      registrations: { id: string; subscribed: boolean }[];
    };
    expect(new Set(registrations.map(({ id }) => id))).toEqual(
      new Set([...registrations.map(({ id }) => id), ...ids]),
    );
    expect(registrations.filter(({ subscribed }) => subscribed).map(({ id }) => id)).toEqual([wanted]);
  });

  it('show nothing that a terminal would obey', async () => {
    registered('evil\u001b[2J', 'two\nlines');
    const { stdout } = await pywebhooks(['registrations']);
    expect(stdout).toContain('evil\ufffd[2J');
    expect(stdout).toContain('two\ufffdlines');
    expect(stdout).not.toContain('\u001b');
  });

  it('are subscribed to, deliver, and are ended', async () => {
    const id = registered('stock.low', 'Stock alerts');
    const subscribed = await pywebhooks(['subscribe', id, '--json']);
    expect(subscribed).toMatchObject({ code: 0, stderr: '' });
    const { subscription } = subscribed.json() as { subscription: { id: string } };
    await service.trigger(id);
    expect(service.sent.at(-1)).toMatchObject({ kind: 'event', status: 200 });
    expect((await pywebhooks(['subscriptions'])).stdout).toMatch(new RegExp(`${subscription.id} +${id}`));
    const unasked = await pywebhooks(['unsubscribe', subscription.id]);
    expect(unasked).toMatchObject({ code: 2, stdout: '' });
    expect(unasked.stderr).toContain('--yes');
    const beginning = subscription.id.slice(0, 13);
    expect((await pywebhooks(['unsubscribe', beginning], { columns: 80, input: 'n\n' })).code).toBe(1);
    expect((await pywebhooks(['subscriptions'])).stdout).toContain(subscription.id);
    expect(await pywebhooks(['unsubscribe', '--yes', beginning])).toMatchObject({ code: 0, stderr: '' });
    expect((await pywebhooks(['subscriptions'])).stdout).not.toContain(subscription.id);
  });

  it('are subscribed to by the beginning of an id', async () => {
    const id = registered('begins', '');
    const subscribed = await pywebhooks(['subscribe', id.slice(0, 13), '--json']);
    expect(subscribed.json()).toMatchObject({ subscription: { registrationId: id } });
  });

  it('are shown beside what cannot be read', async () => {
    const id = '5b6f0f0e-55c5-4f1b-8f5e-5cb1c1b6a001';
    const page = (name: string): object => ({
      [name]: [
        { id, account_id: 'a', registration_id: 'r', event: 'e', description: '', event_data: {} },
        { id: 7 },
      ],
    });
    const url = await serving((_request, response) =>
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ ...page('registrations'), ...page('subscriptions') })),
    );
    for (const list of ['registrations', 'subscriptions']) {
      const ran = await pywebhooks([list], { env: { SOURCE_DESK_URL: url } });
      expect(ran.code).toBe(0);
      expect(ran.stdout).toContain(id);
      expect(ran.stderr).toContain('one item of this list could not be read');
    }
  });

  it('are told to come twice where that is so', async () => {
    const id = registered('twice', '');
    await pywebhooks(['subscribe', id]);
    const again = await pywebhooks(['subscribe', id]);
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('everything comes twice');
    expect((await pywebhooks(['subscriptions'])).stderr).toContain('everything comes twice');
  });

  it.each([
    ['subscribe', '5b6f0f0e-55c5-4f1b-8f5e-5cb1c1b6a001', 'knows no registration'],
    ['subscribe', '..', 'knows no registration'],
    ['unsubscribe', '5b6f0f0e-55c5-4f1b-8f5e-5cb1c1b6a001', 'has no subscription'],
    ['unsubscribe', '../registration', 'has no subscription'],
  ])('%s %s is refused in words', async (verb, id, said) => {
    const ran = await pywebhooks([verb, id]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain(`${said} ${id}.`);
  });

  it('of somebody else are not ended', async () => {
    const id = registered('theirs', '');
    const { apiKey } = account('neighbour');
    const theirs = await pywebhooks(['--api-key-stdin', 'subscribe', id, '--json'], {
      env: { SOURCE_DESK_USERNAME: 'neighbour' },
      input: `${apiKey}\n`,
    });
    const { subscription } = theirs.json() as { subscription: { id: string } };
    const ran = await pywebhooks(['unsubscribe', subscription.id]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('has no subscription');
    expect((await pywebhooks(['subscriptions'])).stdout).not.toContain(subscription.id);
  });
});

describe('reset-secret', () => {
  it('brings a new secret to the app, which takes what either signed, and expects no other afterwards', async () => {
    const ran = await pywebhooks(['reset-secret', '--json'], { source: 'ring' });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.json()).toEqual({ source: 'ring', key: 'secret', reset: true, arrived: true });
    const fresh = recordOf(ring).secret_key;
    expect(fresh).not.toBe(ring.secretKey);
    expect((await kept())['source-ring-secret']).toMatchObject({ current: fresh, previous: ring.secretKey });
    expect(await answerTo('ring', ring.secretKey)).toBe(200);
    expect(await answerTo('ring', fresh)).toBe(200);
    expect(await answerToKey('ring', 'secret_key')).toBe(403);
    expect(await answerTo('ring', 'neither of them')).toBe(401);
  });

  it('changes nothing outside the window, whoever asks', async () => {
    const before = recordOf(ring).secret_key;
    const { apiKey } = ring;
    const answer = await fetch(`${service.url}/v1/account/reset/secretkey`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'api-key': apiKey, username: 'ring' },
    });
    expect(answer.status).toBe(400);
    expect(recordOf(ring).secret_key).toBe(before);
    expect((await kept())['source-ring-secret']?.current).toBe(before);
  });

  it('has no window for what is no secret', async () => {
    const answer = await fetch(`${app.host.url}/sources/ring/window`, {
      method: 'POST',
      body: JSON.stringify({ key: 'account-id' }),
    });
    expect(answer.status).toBe(400);
  });

  it('that is refused leaves the secret as it was, and the window shut', async () => {
    service.settings.failingResets = 'before-sending';
    onTestFinished(() => void (service.settings.failingResets = 'none'));
    const before = await kept();
    const ran = await pywebhooks(['reset-secret'], { source: 'ring' });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('The webhook secret stays as it was.');
    expect(await kept()).toEqual(before);
    expect(await answerToKey('ring', 'secret_key')).toBe(403);
  });

  it('that the service did not keep says to do it again, and the old secret still counts', async () => {
    const old = recordOf(ring).secret_key;
    service.settings.failingResets = 'after-sending';
    onTestFinished(() => void (service.settings.failingResets = 'none'));
    const ran = await pywebhooks(['reset-secret'], { source: 'ring' });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('run this again');
    expect(recordOf(ring).secret_key).toBe(old);
    expect(await answerTo('ring', old)).toBe(200);
    expect(await answerToKey('ring', 'secret_key')).toBe(403);
  });

  it('says what cannot be seen where the app has a secrets file of its own', async () => {
    const { env: own } = await otherSecrets();
    const ran = await pywebhooks(['reset-secret', '--json'], { source: 'ring', env: own });
    expect(ran.json()).toMatchObject({ reset: true, arrived: null });
    expect(ran.code).toBe(0);
    expect(await answerTo('ring', recordOf(ring).secret_key)).toBe(200);
  });
});

describe('reset-api-key', () => {
  it('brings a new key to the app, which every later command uses', async () => {
    const ran = await pywebhooks(['reset-api-key', '--json'], { source: 'ring' });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.json()).toEqual({
      source: 'ring',
      key: 'api-key',
      reset: true,
      arrived: true,
      accepted: true,
      why: null,
    });
    expect(await answerToKey('ring', 'api_key')).toBe(403);
    const old = await pywebhooks(['--api-key-stdin', 'subscriptions'], {
      source: 'ring',
      input: ring.apiKey,
    });
    expect(old.code).toBe(1);
    expect((await pywebhooks(['subscriptions'], { source: 'ring' })).code).toBe(0);
    expect(await answerTo('ring', recordOf(ring).secret_key)).toBe(200);
  });

  it('helps where the key that is kept is taken no more', async () => {
    recordOf(ring).api_key = recordOf(owner).api_key;
    expect((await pywebhooks(['subscriptions'], { source: 'ring' })).code).toBe(1);
    expect((await pywebhooks(['reset-api-key'], { source: 'ring' })).stdout).toContain(
      'PyWebhooks takes it.',
    );
    expect((await pywebhooks(['subscriptions'], { source: 'ring' })).code).toBe(0);
  });

  it('that the service did not keep says to do it again, which helps', async () => {
    service.settings.failingResets = 'after-sending';
    const ran = await pywebhooks(['reset-api-key'], { source: 'ring' });
    service.settings.failingResets = 'none';
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('run this again');
    expect((await pywebhooks(['reset-api-key'], { source: 'ring' })).code).toBe(0);
  });

  it('that brings a key with which nobody can log in says so', async () => {
    service.fault({ path: /^\/v1\/webhook\//, kind: 'status', status: 500 });
    onTestFinished(() => service.clearFaults());
    const ran = await pywebhooks(['reset-api-key'], { source: 'ring' });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('nobody could log in with it. PyWebhooks answered 500');
  });

  it('of an account that is not there is refused', async () => {
    const ran = await pywebhooks(['reset-api-key'], {
      source: 'ring',
      env: { SOURCE_RING_USERNAME: 'nobody' },
    });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('Username not found');
  });
});

describe.each(['reset-secret', 'reset-api-key'])('%s', (verb) => {
  const resets = (): number => asked('/v1/account/reset/secretkey') + asked('/v1/account/reset/apikey');

  it.each([
    ['the app is away', { ASSET_WEBHOOKS_URL: 'http://127.0.0.1:9' }, 1, 'Nothing was reset'],
    ['nothing says where the app is', { PUBLIC_URL: '' }, 2, 'ASSET_WEBHOOKS_URL'],
    [
      'the new key would go elsewhere',
      { PUBLIC_URL: 'http://elsewhere.example', ASSET_WEBHOOKS_URL: 'here' },
      1,
      'Nothing was reset: PyWebhooks would send the new key to',
    ],
    ['something else is in the place of the app', { ASSET_WEBHOOKS_URL: 'nonsense' }, 1, 'is not this app'],
  ])('asks for nothing where %s', async (_what, given, code, said) => {
    service.addRegistration(ring.id, {
      event: 'ring',
      description: 'gives its account away',
      event_data: {},
    });
    const stand = await serving(nonsense);
    const places: Record<string, string> = { here: app.host.url, nonsense: stand };
    const more = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, places[value] ?? value]),
    );
    const before = resets();
    const ran = await pywebhooks([verb], { source: 'ring', env: more });
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toContain(said);
    expect(resets()).toBe(before);
  });

  it('asks for nothing where it could not see whether the new key arrives', async () => {
    const { env: own, file } = await otherSecrets();
    await writeFile(file, 'something else');
    const before = resets();
    const ran = await pywebhooks([verb], { env: own });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/Nothing was reset, .*cannot be read/);
    expect(resets()).toBe(before);
    expect(await answerToKey('desk', verb === 'reset-secret' ? 'secret_key' : 'api_key')).toBe(403);
  });
});

describe.each([
  ['reset-secret', 'secret', 'secret_key'],
  ['reset-api-key', 'api-key', 'api_key'],
] as const)('%s, while PyWebhooks takes its time', (verb, which, parameter) => {
  /** PyWebhooks behind something that holds a reset until it is let go. */
  async function holding(letGo: Promise<unknown>): Promise<Record<string, string>> {
    const url = await serving((request, response) => {
      void (async () => {
        if (request.url?.includes('/reset/') === true) await letGo;
        const { host: _host, connection: _connection, ...headers } = request.headers;
        const body = Buffer.concat(await request.toArray());
        const answer = await fetch(service.url + request.url, {
          method: request.method ?? 'GET',
          headers: headers as Record<string, string>,
          ...(request.method === 'POST' ? { body } : {}),
        });
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(Buffer.from(await answer.arrayBuffer()));
      })().catch(() => response.destroy());
    });
    return { SOURCE_RING_URL: url };
  }
  const windows = async (): Promise<unknown[]> => {
    const { json } = await app.get('/sources');
    const { sources } = json as { sources: { name: string; windows: unknown[] }[] };
    return sources.find(({ name }) => name === 'ring')?.windows ?? [];
  };
  const opened = async (): Promise<true> =>
    await until(async () => ((await windows()).length > 0 ? true : undefined));

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('closes the window when %s ends it', async (signal, code) => {
    const before = await kept();
    const held = await holding(new Promise(() => undefined));
    const ran = await startCommand(['pywebhooks', '--source', 'ring', verb], {
      env: { ...env, ...held },
      kill: { after: opened(), signal },
    });
    expect(ran.code).toBe(code);
    expect(ran.stdout).toMatch(/^Interrupted\. As far as can be seen from here the .* stays as it was\./);
    expect(await windows()).toEqual([]);
    expect(await answerToKey('ring', parameter)).toBe(403);
    expect(await kept()).toEqual(before);
  });

  it('takes back what a stranger planted in the window, so that no second one pushes the real one out', async () => {
    const before = (await kept())[`source-ring-${which}`];
    for (const planted of ['a', 'b']) {
      const { promise: letGo, resolve: goOn } = Promise.withResolvers<void>();
      const running = pywebhooks([verb], { source: 'ring', env: await holding(letGo) });
      await opened();
      const answer = await fetch(`${endpointOf('ring')}?${parameter}=${planted.repeat(40)}`);
      expect(answer.status).toBe(200);
      goOn();
      const ran = await running;
      expect(ran.code).toBe(1);
      expect(ran.stdout).toContain('stays as it was');
      expect(await windows()).toEqual([]);
      expect((await kept())[`source-ring-${which}`]?.current).toBe(before?.current);
      expect((await kept())[`source-ring-${which}`]?.previous).toBe(before?.previous);
      expect(await answerTo('ring', planted.repeat(40))).toBe(401);
    }
    expect(await answerTo('ring', recordOf(ring).secret_key)).toBe(200);
    expect((await pywebhooks([verb], { source: 'ring' })).code).toBe(0);
  });
});

describe('the other side', () => {
  const commands = [
    'account show',
    'reset-secret',
    'registrations',
    'subscribe x',
    'subscriptions',
    'unsubscribe x',
  ];

  it.concurrent.each(commands)('that takes the key no more is told of: %s', async (args) => {
    const ran = await pywebhooks(['--api-key-stdin', ...args.split(' ')], {
      input: `${'f'.repeat(40)}\n`,
    });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('user name or API key is not right');
  });

  it.concurrent('that says what it should not is not passed on', async () => {
    const body = JSON.stringify({ Error: `no ${'a1'.repeat(20)}\u001b[2J` });
    const url = await serving((_request, response) => void response.writeHead(500).end(body));
    const ran = await pywebhooks(['subscriptions'], { env: { SOURCE_DESK_URL: url } });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('answered 500 (no …\ufffd[2J)');
  });

  it.concurrent('that is away', async () => {
    const ran = await pywebhooks(['registrations'], { env: { SOURCE_DESK_URL: 'http://127.0.0.1:9' } });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('The connection to PyWebhooks failed');
  });
});

describe('wrong use', () => {
  it.concurrent.each([
    ['no command', []],
    ['an unknown command', ['invent']],
    ['subscribe without an id', ['subscribe']],
    ['unsubscribe without an id', ['unsubscribe']],
    ['an unknown option', ['registrations', '--shiny']],
    ['no key on standard input', ['--api-key-stdin', 'subscriptions']],
    ['no key at all', ['subscriptions'], { SOURCE_DESK_API_KEY: '' }],
    ['no name', ['subscriptions'], { SOURCE_DESK_USERNAME: '' }],
    ['no name for a reset', ['reset-api-key'], { SOURCE_DESK_USERNAME: '' }],
  ])('%s ends with 2', async (_what, args: string[], more: Record<string, string> = {}) => {
    const ran = await pywebhooks(args, { env: more });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).not.toBe('');
  });

  it('several sources of this kind want to be told apart', async () => {
    const ran = await runCommand(['pywebhooks', 'subscriptions'], { env });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('--source (fresh, desk, ring)');
  });
});
