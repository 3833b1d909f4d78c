import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../src/local/simulators/woodwing/settings.ts';
import { woodwingSession } from '../../../../src/sources/woodwing/login.ts';
import {
  assetsWebhooks,
  isRefusal,
  type AssetsWebhooks,
} from '../../../../src/sources/woodwing/manage/webhooks.ts';
import { startSimulator } from '../../../local/simulators/woodwing/client.ts';
import { json, softError, standIn, status, type Respond } from '../stand-in.ts';

const account = { username: 'picture-desk', password: 'open sesame & more+' };

function clientOf(url: string, password = account.password): AssetsWebhooks {
  const session = woodwingSession({
    source: { name: 'photos', url, username: account.username },
    secrets: { password: async () => password },
    timeLimitMs: 5_000,
    firstRetryDelayMs: 0,
    now: Date.now,
  });
  const permit = { call: async <T>(work: () => Promise<T>) => await work(), end: () => undefined };
  return assetsWebhooks({ base: url, session, permit, now: Date.now });
}

async function server(settings: Partial<Settings> = {}) {
  const simulator = await startSimulator(settings);
  const client = clientOf(simulator.url);
  return {
    simulator,
    client,
    register: async () =>
      await client.register({
        name: 'Print room',
        url: 'https://hooks.example.test/webhooks/photos',
        eventTypes: ['asset_create'],
        metadataToReturn: ['filename'],
        triggerMetadataFields: ['status'],
        foldersAndQuery: { folders: ['/Demo Zone'], query: 'assetDomain:image' },
      }),
    asked: () =>
      simulator.calls
        .filter(({ target }) => !target.includes('apilogin'))
        .map(({ method, target }) => `${method} ${target.replace('/services/admin/webhook', '')}`),
  };
}

const path = '/services/admin/webhook';
const whole = {
  id: 'Qm3_zT7-kLpW0aVbXcYd9E',
  name: 'Print room',
  url: 'https://hooks.example.test/webhooks/photos',
  eventTypes: ['asset_create'],
  metadataToReturn: ['filename'],
  changedMetadataToReturn: ['status'],
  triggerMetadataFields: null,
  foldersAndQuery: { folders: ['/Test'], query: 'status:Final', enableWildcardSelection: true, depth: 2 },
  enabled: true,
  secretToken: 'AAECAwQFBgcICQoLDA0ODw==',
  ofALaterVersion: { a: [1] },
};

/** A server that has this webhook, and what it was last sent. */
async function serverWith(webhook: object, respond: Respond = json(webhook)) {
  const stand = await standIn();
  stand.on(`${path}/${whole.id}`, (call, response) =>
    (call.method === 'GET' ? json(webhook) : respond)(call, response),
  );
  const sent = () => stand.seen.filter(({ method, path: at }) => method !== 'GET' && at.startsWith(path));
  return { stand, sent, client: clientOf(stand.url) };
}

describe('an update', () => {
  it.each<[Settings['updateMethods'], Settings['updateMode'], boolean, string[]]>([
    ['both', 'merge', false, ['PUT']],
    ['both', 'replace', true, ['PUT']],
    ['PUT', 'replace', false, ['PUT']],
    ['POST', 'merge', false, ['PUT', 'POST']],
    ['POST', 'replace', true, ['PUT', 'POST']],
  ])(
    'reaches a server that takes %s and does a %s, errors inside 200: %s',
    async (updateMethods, updateMode, softErrors, methods) => {
      const { client, register, simulator, asked } = await server({ updateMethods, updateMode, softErrors });
      const before = await register();
      const after = await client.update(before.id, { eventTypes: ['asset_remove'], enabled: false });
      const expected = { ...before, eventTypes: ['asset_remove'], enabled: false };
      expect(after).toEqual(expected);
      expect(simulator.webhooks.get(before.id)).toEqual(expected);
      expect(asked().slice(1)).toEqual([
        `GET /${before.id}`,
        ...methods.map((method) => `${method} /${before.id}`),
      ]);
    },
  );

  it('sends everything back but the id and the token, what is not known here included', async () => {
    const { client, sent } = await serverWith(whole);
    await client.update(whole.id, { name: 'Other room', foldersAndQuery: { folders: ['/New', '/Old'] } });
    const { id: _id, secretToken: _secretToken, ...callerPart } = whole;
    expect(JSON.parse(sent()[0]?.body ?? '')).toEqual({
      ...callerPart,
      name: 'Other room',
      foldersAndQuery: { ...whole.foldersAndQuery, folders: ['/New', '/Old'] },
    });
  });

  it.each([
    [{ query: '' }, { folders: ['/Test'], enableWildcardSelection: true, depth: 2 }],
    [{ folders: [] }, { query: 'status:Final', enableWildcardSelection: true, depth: 2 }],
    [{ folders: [], query: '' }, null],
  ])('takes a filter away: %j', async (foldersAndQuery, left) => {
    const { client, sent } = await serverWith(whole);
    await client.update(whole.id, { foldersAndQuery });
    expect(JSON.parse(sent()[0]?.body ?? '')).toMatchObject({ foldersAndQuery: left });
  });

  it('asks again how the webhook is where the answer does not say', async () => {
    const { client } = await serverWith(whole, status(204));
    expect(await client.update(whole.id, { name: 'x' })).toEqual(whole);
  });

  it('is tried with one method where the server refuses what it says', async () => {
    const { client, sent } = await serverWith(whole, softError(400));
    await expect(client.update(whole.id, { name: 'x' })).rejects.toThrow(/answered 400: what/);
    expect(sent().map(({ method }) => method)).toEqual(['PUT']);
  });
});

describe('a new token', () => {
  it.each<[Settings['tokenAnswer'], boolean]>([
    ['object', false],
    ['webhook', true],
    ['json-string', false],
    ['plain', true],
  ])('is read from an answer that is %s', async (tokenAnswer, softErrors) => {
    const { client, register, simulator, asked } = await server({ tokenAnswer, softErrors });
    const webhook = await register();
    const token = await client.newToken(webhook);
    expect(token).toBe(simulator.webhooks.get(webhook.id)?.secretToken);
    expect(token).not.toBe(webhook.secretToken);
    expect(asked().slice(1)).toEqual([`POST /${webhook.id}/generate-token`]);
  });

  const other = { ...whole, secretToken: '+//+776t//vvvgARIjP/7w==' };
  it.each<[string, Respond]>([
    ['nothing', status(204)],
    ['an empty object', json({})],
    ['a word of thanks', status(200, { 'content-type': 'text/plain' }, 'OK')],
    ['a sentence', status(200, {}, 'The token was generated.')],
    ['a page', status(200, {}, '<html><body>done</body></html>')],
    ['a short string', json('done')],
    ['an error after it was made', status(500)],
  ])('is read from the webhook where the answer is %s', async (_what, respond) => {
    const { client, stand } = await serverWith(other);
    stand.on(`${path}/${whole.id}/generate-token`, respond);
    expect(await client.newToken(whole)).toBe(other.secretToken);
    expect(stand.seen.find(({ path: at }) => at.endsWith('generate-token'))?.body).toBe('{}');
  });

  it('is read from the webhook where the answer is lost', async () => {
    const { client, register, simulator } = await server();
    const webhook = await register();
    simulator.fault({ path: /generate-token/, kind: 'cut' });
    expect(await client.newToken(webhook)).toBe(simulator.webhooks.get(webhook.id)?.secretToken);
  });

  it.each<[string, Respond, RegExp, boolean]>([
    ['an answer that says nothing', json({}), /did not say which/, false],
    ['the old token', json({ secretToken: whole.secretToken }), /did not say which/, false],
    ['an error', softError(503), /answered 503/, false],
    ['a refusal', softError(403), /Super user/, true],
    ['no such call', status(404), /answered 404/, true],
  ])('is not believed in after %s', async (_what, respond, why, refused) => {
    const { client, stand } = await serverWith(whole);
    stand.on(`${path}/${whole.id}/generate-token`, respond);
    const error: unknown = await client.newToken(whole).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'UpstreamError', message: expect.stringMatching(why) });
    // Only after a refusal is it certain that the token is still the one before.
    expect(isRefusal(error)).toBe(refused);
    if (refused) expect(stand.asked).toHaveLength(1);
  });

  it.each<[string, Respond, RegExp]>([
    ['may not be seen', softError(403), /Super user/],
    ['is asked for too often', status(429), /answered 429/],
    ['is asked for with a login that is refused by then', status(401), /refused the login/],
  ])('may be there all the same where it was asked for and the webhook %s', async (_what, respond, why) => {
    const { client, stand } = await serverWith(whole);
    stand.on(`${path}/${whole.id}/generate-token`, (call, response) => {
      stand.on('/services/apilogin', json({ loginSuccess: false }));
      stand.on(`${path}/${whole.id}`, respond);
      status(204)(call, response);
    });
    const error: unknown = await client.newToken(whole).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'UpstreamError', message: expect.stringMatching(why) });
    expect(String(error)).toMatch(/did not say which/);
    expect(isRefusal(error)).toBe(false);
  });
});

describe('a webhook', () => {
  it.each([
    ['by calls of their own', { enableCalls: true }, ['PUT /ID/disable', 'PUT /ID/enable']],
    [
      'by an update on an older server',
      { enableCalls: false, updateMode: 'replace', softErrors: true } as const,
      ['PUT /ID/disable', 'GET /ID', 'PUT /ID', 'PUT /ID/enable', 'GET /ID', 'PUT /ID'],
    ],
  ])('is switched off and on %s', async (_how, settings, calls) => {
    const { client, register, simulator, asked } = await server(settings);
    const before = await register();
    expect(await client.disable(before.id)).toEqual({ ...before, enabled: false });
    expect(await client.enable(before.id)).toEqual(before);
    expect(simulator.webhooks.get(before.id)).toEqual(before);
    expect(
      asked()
        .slice(1)
        .map((call) => call.replace(before.id, 'ID')),
    ).toEqual(calls);
  });

  it.each([false, true])('that is not there is none, errors inside 200: %s', async (softErrors) => {
    const { client, register } = await server({ softErrors });
    const { id } = await register();
    expect(await client.unregister(id)).toBe(true);
    expect(await client.unregister(id)).toBe(false);
    expect(await client.get(id)).toBeUndefined();
    expect(await client.update(id, { name: 'x' })).toBeUndefined();
    expect(await client.enable(id)).toBeUndefined();
    expect(await client.disable(id)).toBeUndefined();
    expect(await client.list()).toEqual([]);
  });

  it('is asked for below the path of the server', async () => {
    const { simulator } = await server();
    const client = clientOf(`${simulator.url}/app`);
    expect(await client.list()).toEqual([]);
    expect(simulator.calls.at(-1)?.target).toBe('/app/services/admin/webhook');
  });

  it('of an older server, with less in it, is read as well', async () => {
    const stand = await standIn();
    stand.on(path, json([{ id: 'a', url: 'http://x.test/', eventTypes: null }]));
    expect(await clientOf(stand.url).list()).toEqual([
      { id: 'a', url: 'http://x.test/', eventTypes: [], enabled: true },
    ]);
  });

  it.each([
    ['no list', { webhooks: [] }],
    ['no id', [{ url: 'http://x.test/' }]],
    ['an id that leaves the path', [{ id: '..', url: 'http://x.test/' }]],
  ])('in an answer with %s is an error', async (_what, answer) => {
    const stand = await standIn();
    stand.on(path, json(answer));
    await expect(clientOf(stand.url).list()).rejects.toMatchObject({ code: 'UPSTREAM_UNREADABLE' });
  });
});

describe('who may not', () => {
  it.each<[401 | 403, boolean]>([
    [403, false],
    [401, false],
    [403, true],
    [401, true],
  ])(
    'is told the role and the licence, and what the server said (%s, inside 200: %s)',
    async (code, soft) => {
      const { client, simulator } = await server({ notSuperuserStatus: code, softErrors: soft });
      simulator.settings.account.superuser = false;
      const error: unknown = await client.list().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'UPSTREAM_STATUS', status: code });
      expect(String(error)).toMatch(
        /role Super user and a Pro or API licence.* Super user rights are required/,
      );
    },
  );

  it('is told of a wrong password as such', async () => {
    const { simulator } = await server();
    await expect(clientOf(simulator.url, 'wrong').list()).rejects.toThrow(/user name or password/);
  });

  it('logs in again where the token has run out', async () => {
    const { client, simulator } = await server();
    await client.list();
    simulator.forgetTokens();
    expect(await client.list()).toEqual([]);
  });
});

describe('what a server says of an error', () => {
  it.each(['list', 'newToken'] as const)('is repeated without a token that was seen: %s', async (how) => {
    const { client, stand } = await serverWith(whole);
    stand.on(path, json([whole]));
    // Written as some JSON is inside JSON.
    const written = whole.secretToken.replaceAll('=', '\\u003d');
    stand.on(`${path}/${whole.id}/generate-token`, json({ errorcode: 400, message: `no ${written}` }, 400));
    if (how === 'list') await client.list();
    const seen = { id: whole.id, secretToken: how === 'newToken' ? whole.secretToken : null };
    await expect(client.newToken(seen)).rejects.toThrow(/answered 400: no …$/);
  });

  it('is repeated without the token and the login, short and without control characters', async () => {
    const { client, stand } = await serverWith(whole, (call, response) =>
      json(
        {
          errorcode: 400,
          message: `No:\u001b[2J ${whole.secretToken} ${call.headers.authorization} ${'x'.repeat(9000)}`,
        },
        400,
      )(call, response),
    );
    const error: unknown = await client.update(whole.id, { name: 'x' }).catch((thrown: unknown) => thrown);
    expect(stand.logins).toBe(1);
    const text = String(error);
    expect(text).toContain('answered 400: No:');
    expect(text).not.toContain(whole.secretToken);
    expect(text).not.toContain('token-1');
    expect(text).not.toContain('\u001b');
    expect(text.length).toBeLessThan(400);
  });
});
