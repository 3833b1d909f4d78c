import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../src/local/simulators/woodwing/settings.ts';
import { setup } from './client.ts';
import { hooked, register, registered, sendJson } from './receiver.ts';

const path = '/services/admin/webhook';
const id: unknown = expect.stringMatching(/^[\w-]{22}$/);
const token: unknown = expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/);
const full = {
  name: 'Print room',
  url: 'https://hooks.example.test/api/assets',
  eventTypes: ['asset_update_metadata', 'asset_remove'],
  metadataToReturn: ['filename'],
  changedMetadataToReturn: ['status'],
  triggerMetadataFields: ['status', 'previewState'],
  foldersAndQuery: { folders: ['/Demo Zone'], query: 'assetDomain:image', enableWildcardSelection: true },
};

describe('a registration', () => {
  it.each([path, `${path}/`, `/app${path}`])('answers with the whole object at %s', async (where) => {
    const { client, simulator } = await setup();
    const answer = await register(client, full, where);
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({ id, ...full, enabled: true, secretToken: token });
    expect([...simulator.webhooks.values()]).toEqual([answer.json]);
  });

  it.each([
    ['no event types at all', { eventTypes: [] }],
    ['a start in the off position', { enabled: false }],
    ['null for what may be left out', { metadataToReturn: null, foldersAndQuery: null }],
  ])('takes %s', async (_name, given) => {
    const answer = await register((await setup()).client, given);
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject(given);
  });

  it.each([
    ['null event types', { eventTypes: null }],
    ['event types that are missing', { eventTypes: undefined }],
    ['event types of another kind', { eventTypes: 'asset_create' }],
    ['no name', { name: undefined }],
    ['no URL', { url: undefined }],
    ['a URL that is none', { url: 'hooks' }],
    ['folders of another kind', { foldersAndQuery: { folders: '/Demo' } }],
  ])('refuses %s', async (_name, given) => {
    const { client, simulator } = await setup();
    const answer = await register(client, given);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ errorcode: 400 });
    expect(simulator.webhooks.size).toBe(0);
  });

  it('refuses what is no JSON', async () => {
    const { client } = await setup();
    for (const body of ['{', '[]', ''])
      expect((await client(path, { method: 'POST', body })).status).toBe(400);
  });

  it.each([
    ['accepted', 201],
    ['refused', 400],
  ] as const)('with an unknown event is %s as set', async (unknownEventTypes, status) => {
    const { client } = await setup({ unknownEventTypes });
    expect((await register(client, { eventTypes: ['asset_metadata_update'] })).status).toBe(status);
    expect((await register(client, { eventTypes: ['authkey_remove'] })).status).toBe(201);
  });
});

it.each([403, 401] as const)('lets nobody but a super user in: %i', async (notSuperuserStatus) => {
  const { client, simulator } = await setup({ notSuperuserStatus });
  const { id: known } = await registered(client, full);
  simulator.settings.account.superuser = false;
  const answers = [
    await client(path),
    await register(client, full),
    await client(`${path}/${known}`, { method: 'DELETE' }),
  ];
  for (const { status, json } of answers)
    expect([status, json?.['errorcode']]).toEqual([notSuperuserStatus, notSuperuserStatus]);
  expect((await client('/services/ping')).status).toBe(200);
});

describe('a webhook', () => {
  it('is listed and shown with its token', async () => {
    const { client } = await setup();
    expect((await client(path)).json).toEqual([]);
    const [one, other] = [await registered(client, full), await registered(client, {})];
    for (const where of [path, `${path}/`]) expect((await client(where)).json).toEqual([one, other]);
    expect((await client(`${path}/${other.id}`)).json).toEqual(other);
    expect((await client(`${path}/unknown`)).json).toMatchObject({ errorcode: 404 });
  });

  it.each([
    ['both', { PUT: 200, POST: 200 }],
    ['PUT', { PUT: 200, POST: 405 }],
    ['POST', { PUT: 405, POST: 200 }],
  ] as const)('is updated by %s', async (updateMethods, expected) => {
    const { client } = await setup({ updateMethods });
    const webhook = await registered(client, full);
    for (const [method, status] of Object.entries(expected)) {
      const given = { ...webhook, name: method, id: 'mine', secretToken: 'mine' };
      const answer = await client(`${path}/${webhook.id}`, sendJson(method, given));
      expect(answer.status).toBe(status);
      if (status === 200) expect(answer.json).toEqual({ ...webhook, name: method });
    }
  });

  it('is merged with what is sent, or replaced by it, as set', async () => {
    const { client, simulator } = await setup();
    const webhook = await registered(client, { ...full, enabled: false });
    const update = (given: object) => client(`${path}/${webhook.id}`, sendJson('PUT', given));
    expect((await update({ name: 'Another' })).json).toEqual({ ...webhook, name: 'Another' });
    expect((await update({ eventTypes: null })).status).toBe(400);
    simulator.settings.updateMode = 'replace';
    expect((await update({ name: 'Another' })).status).toBe(400);
    const whole = { name: 'A', url: full.url, eventTypes: [] };
    const { secretToken } = webhook;
    expect((await update(whole)).json).toEqual({ id: webhook.id, ...whole, enabled: true, secretToken });
  });

  it.each<[Settings['tokenAnswer'], (text: string) => unknown, string]>([
    ['object', (text) => (JSON.parse(text) as { secretToken: string }).secretToken, '{"secretToken"'],
    ['webhook', (text) => (JSON.parse(text) as { secretToken: string }).secretToken, '{"id"'],
    ['json-string', (text) => JSON.parse(text) as unknown, '"'],
    ['plain', (text) => text, ''],
  ])('gets a new token, told as %s', async (tokenAnswer, read, start) => {
    const { client, simulator } = await setup({ tokenAnswer });
    const webhook = await registered(client, full);
    const where = `${path}/${webhook.id}/generate-token`;
    const answer = await client(where, sendJson('POST', {}));
    expect(answer.status).toBe(200);
    expect(answer.text.startsWith(start)).toBe(true);
    const secretToken = simulator.webhooks.get(webhook.id)?.secretToken;
    expect(secretToken).toEqual(token);
    expect(secretToken).not.toBe(webhook.secretToken);
    expect(read(answer.text)).toBe(secretToken);
    expect((await client(where)).status).toBe(405);
  });

  it('is switched off and on, also with an empty form', async () => {
    const { client, change, receiver, webhook } = await hooked();
    const switched = async (action: string, init: RequestInit = {}) =>
      await client(`${path}/${webhook.id}/${action}`, { method: 'PUT', ...init });
    expect((await switched('disable')).json).toEqual({ ...webhook, enabled: false });
    await change();
    expect(receiver.got).toEqual([]);
    const multipart = { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--x--\r\n' };
    expect((await switched('enable', multipart)).json).toEqual(webhook);
    await change();
    expect(receiver.got).toHaveLength(1);
    expect((await switched('enable', { method: 'POST' })).status).toBe(405);
    expect((await switched('other')).status).toBe(404);
  });

  it('cannot be switched on an older server', async () => {
    const { client } = await setup({ enableCalls: false });
    const webhook = await registered(client, full);
    for (const action of ['enable', 'disable'])
      expect((await client(`${path}/${webhook.id}/${action}`, { method: 'PUT' })).status).toBe(404);
    const off = await client(`${path}/${webhook.id}`, sendJson('PUT', { enabled: false }));
    expect(off.json).toMatchObject({ enabled: false });
  });

  it('is removed once', async () => {
    const { client, simulator } = await setup();
    const webhook = await registered(client, full);
    const remove = () => client(`${path}/${webhook.id}`, { method: 'DELETE' });
    const removed = await remove();
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect((await remove()).json).toMatchObject({ errorcode: 404 });
    expect(simulator.webhooks.size).toBe(0);
  });

  it.each([
    [path, 'PUT'],
    [path, 'DELETE'],
    [`${path}/{id}`, 'PATCH'],
  ])('does not know %s with %s', async (where, method) => {
    const { client } = await setup();
    const webhook = await registered(client, full);
    expect((await client(where.replace('{id}', webhook.id), { method })).status).toBe(405);
  });
});
