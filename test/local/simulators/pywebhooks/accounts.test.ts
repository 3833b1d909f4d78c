import { describe, expect, it } from 'vitest';
import { counters, setup } from './client.ts';
import { closedPort } from './endpoint.ts';

const echoFailed = { status: 400, body: { Error: 'Echo response failed' } };
const generic = { status: 500, body: { message: 'Internal Server Error' } };

describe('creation', () => {
  it('gives keys to whoever echoes', async () => {
    const { call, endpoint, simulator } = await setup();
    const { status, body } = await call('POST /v1/account', {
      json: { username: 'new1', endpoint: endpoint.ok },
    });
    expect(status).toBe(201);
    const hex: unknown = expect.stringMatching(/^[0-9a-f]{40}$/);
    expect(body).toEqual({
      api_key: hex,
      secret_key: hex,
      endpoint: endpoint.ok,
      epoch: expect.any(Number) as unknown,
      failed_count: 0,
      id: expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ) as unknown,
      is_admin: false,
      username: 'new1',
    });
    const made = body as { id: string; api_key: string; secret_key: string };
    expect(made.api_key).not.toBe(made.secret_key);
    expect(simulator.accounts.get(made.id)?.api_key).toMatch(/^pbkdf2:sha256:1000\$/);
    expect(endpoint.got).toHaveLength(1);
    const [asked] = endpoint.got;
    expect(asked).toMatchObject({ method: 'GET', path: '/ok' });
    expect(asked?.target).toMatch(/^\/ok\?echo=[0-9a-f]{40}$/);
    expect(asked?.headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/json',
      'accept-encoding': 'gzip, deflate',
      connection: 'keep-alive',
      'user-agent': expect.stringMatching(/^python-requests\//) as unknown,
    });
    expect(simulator.sent).toMatchObject([{ kind: 'echo', status: 200, body: '', attempt: 1 }]);
    const login = { username: 'new1', apiKey: made.api_key };
    expect((await call(`GET /v1/account/${made.id}`, { as: login })).status).toBe(200);
  });

  it('keeps the query of the endpoint', async () => {
    const { call, endpoint } = await setup();
    const json = { username: 'new', endpoint: `${endpoint.ok}?x=1&y=a+b%20c` };
    expect((await call('POST /v1/account', { json })).status).toBe(201);
    expect(endpoint.got[0]?.target).toMatch(/^\/ok\?x=1&y=a\+b%20c&echo=[0-9a-f]{40}$/);
  });

  it.each(['wrong', 's201', 's500', 'empty', 'text', 'bare', 'slow', 'loop'])(
    'makes no account for an endpoint that is %s',
    async (path) => {
      const { call, endpoint, simulator } = await setup({ answerWithinMs: path === 'slow' ? 100 : 5_000 });
      const json = { username: 'new', endpoint: `${endpoint.base}/${path}` };
      expect(await call('POST /v1/account', { json })).toMatchObject(echoFailed);
      expect(simulator.accounts.size).toBe(4);
    },
  );

  it('makes no account where nobody answers', async () => {
    const { call } = await setup();
    const json = { username: 'new', endpoint: await closedPort() };
    expect(await call('POST /v1/account', { json })).toMatchObject(echoFailed);
  });

  it.each([
    [34, 'more'],
    [46, 'redirect'],
    [46, 'repeat'],
    [0, 'packed'],
  ])('%i: makes an account for an endpoint with %s', async (_number, path) => {
    const { call, endpoint } = await setup();
    const json = { username: 'new', endpoint: `${endpoint.base}/${path}` };
    expect((await call('POST /v1/account', { json })).status).toBe(201);
  });

  it('follows no redirect where it shall not', async () => {
    const { call, endpoint } = await setup({ followRedirects: false });
    const json = { username: 'new', endpoint: `${endpoint.base}/redirect` };
    expect(await call('POST /v1/account', { json })).toMatchObject(echoFailed);
    expect(endpoint.got).toHaveLength(1);
  });

  it.each([
    [35, 'joe', '/ok', 409],
    [36, 'joe', '/wrong', 400],
    [37, 'admin', '/ok', 409],
    [48, 'JOE', '/ok', 201],
  ])('%i: the name %s at %s gets %i', async (_number, username, path, status) => {
    const { call, endpoint } = await setup();
    const answer = await call('POST /v1/account', { json: { username, endpoint: endpoint.base + path } });
    expect(answer.status).toBe(status);
    if (status === 409) expect(answer.body).toEqual({ Error: 'Username already exists' });
  });

  it('sets nothing but name and endpoint', async () => {
    const { call, endpoint } = await setup();
    const json = { username: 'new', endpoint: endpoint.ok, is_admin: true, failed_count: 9, id: 'x' };
    const { body } = await call('POST /v1/account', { json });
    expect(body).toMatchObject({ is_admin: false, failed_count: 0 });
    expect(body).not.toMatchObject({ id: 'x' });
  });

  it.each(['', '{', '\u0000'])('cannot read %j', async (raw) => {
    const { call } = await setup();
    const { status, body } = await call('POST /v1/account', { raw });
    expect(status).toBe(400);
    expect(body).toHaveProperty('message');
  });

  it.each([
    [40, '{"username":"a"}', 0],
    [41, '{"endpoint":"OK"}', 1],
    [42, 'null', 0],
    [42, '[]', 0],
    [42, '"x"', 0],
    [42, '5', 0],
  ])('%i: fails at %s', async (_number, raw, asked) => {
    const { call, endpoint } = await setup();
    expect(await call('POST /v1/account', { raw: raw.replace('OK', endpoint.ok) })).toMatchObject(generic);
    expect(endpoint.got).toHaveLength(asked);
  });

  it.each(['5', '""', 'null', '[]', '"ftp://h/"', '"nowhere"'])('cannot ask %s', async (endpoint) => {
    const { call } = await setup();
    expect(await call('POST /v1/account', { raw: `{"username":"a","endpoint":${endpoint}}` })).toMatchObject(
      echoFailed,
    );
  });

  it.each(['', null, 5, { a: 1 }, 'x'.repeat(300), 'a\nb'])('takes %j as a name, once', async (username) => {
    const { call, endpoint } = await setup();
    const json = { username, endpoint: endpoint.ok };
    expect(await call('POST /v1/account', { json })).toMatchObject({ status: 201, body: { username } });
    expect((await call('POST /v1/account', { json })).status).toBe(409);
  });

  it('ignores who asks', async () => {
    const { call, joe, endpoint } = await setup();
    const json = { username: 'new', endpoint: endpoint.ok };
    expect((await call('POST /v1/account', { json, as: { ...joe, apiKey: 'old' } })).status).toBe(201);
  });
});

describe('reading', () => {
  it('shows an account to itself, the API key hashed', async () => {
    const { call, joe, simulator } = await setup();
    const { status, body } = await call(`GET /v1/account/${joe.id}`, { as: joe });
    expect(status).toBe(200);
    expect(body).toEqual(simulator.accounts.get(joe.id));
    expect(body).toMatchObject({ secret_key: joe.secretKey, username: 'joe', failed_count: 0 });
    expect(body).not.toMatchObject({ api_key: joe.apiKey });
  });

  it('shows no count of the first admin', async () => {
    const { call, admin } = await setup();
    const { body } = await call(`GET /v1/account/${admin.id}`, { as: admin });
    expect(body).toMatchObject({ is_admin: true, endpoint: '' });
    expect(body).not.toHaveProperty('failed_count');
  });

  it('shows it to nobody else', async () => {
    const { call, joe, jane, admin } = await setup();
    const refused = { status: 401, body: { Error: 'Not authorized' } };
    expect(await call(`GET /v1/account/${jane.id}`, { as: joe })).toMatchObject(refused);
    expect(await call('GET /v1/account/unknown', { as: joe })).toMatchObject(refused);
    expect(await call(`GET /v1/account/${joe.id}`, { as: admin })).toMatchObject(refused);
    expect(await call(`GET /v1/account/${joe.id.toUpperCase()}`, { as: joe })).toMatchObject(refused);
    for (const asked of [{}, { as: joe }])
      expect(await call('GET /v1/account', asked)).toMatchObject({
        status: 400,
        body: { Error: 'Missing account_id' },
      });
  });

  it('lists all for the admin, oldest first', async () => {
    const { call, admin } = await setup();
    const { status, body } = await call('GET /v1/accounts?start=0&limit=20', { as: admin });
    expect(status).toBe(200);
    const { accounts } = body as { accounts: { username: string }[] };
    expect(accounts.map(({ username }) => username)).toEqual(['admin', 'joe', 'jane', 'sam']);
  });
});

describe('changing', () => {
  it('sets the endpoint, unasked', async () => {
    const { call, joe, endpoint, simulator } = await setup();
    const before = { ...simulator.accounts.get(joe.id) };
    const json = { endpoint: `${endpoint.ok}?2` };
    const first = await call('PATCH /v1/account', { as: joe, json });
    expect(first).toMatchObject({ status: 200, body: counters({ replaced: 1 }) });
    const second = await call('PATCH /v1/account', { as: joe, json });
    expect(second).toMatchObject({ status: 200, body: counters({ unchanged: 1 }) });
    expect(simulator.accounts.get(joe.id)).toEqual({ ...before, ...json });
    expect(endpoint.got).toEqual([]);
  });

  it('forgets failures', async () => {
    const { call, joe, endpoint, simulator } = await setup();
    const account = simulator.accounts.get(joe.id);
    if (account !== undefined) account.failed_count = 7;
    const { body } = await call('PATCH /v1/account', { as: joe, json: { endpoint: endpoint.ok } });
    expect(body).toEqual(counters({ replaced: 1 }));
    expect(account?.failed_count).toBe(0);
  });

  it.each([
    [59, '{}', 400, { Error: 'Missing endpoint field' }],
    [59, '{"username":"z"}', 400, { Error: 'Missing endpoint field' }],
    [59, '[]', 400, { Error: 'Missing endpoint field' }],
    [59, '"x"', 400, { Error: 'Missing endpoint field' }],
    [59, '["endpoint"]', 500, generic.body],
    [59, '"my endpoint"', 500, generic.body],
    [60, '{"endpoint":"e","is_admin":true,"username":"z"}', 200, counters({ replaced: 1 })],
    [62, '{"endpoint":null}', 200, counters({ replaced: 1 })],
    [63, 'null', 500, generic.body],
    [63, '5', 500, generic.body],
  ])('%i: %s gets %i', async (_number, raw, status, body) => {
    const { call, joe, simulator } = await setup();
    expect(await call('PATCH /v1/account', { as: joe, raw })).toMatchObject({ status, body });
    expect(simulator.accounts.get(joe.id)).toMatchObject({ username: 'joe', is_admin: false });
  });

  it('refuses what it cannot read, after who it does not know', async () => {
    const { call, joe } = await setup();
    expect((await call('PATCH /v1/account', { as: joe, raw: '{' })).status).toBe(400);
    expect((await call('PATCH /v1/account', { raw: '{' })).status).toBe(401);
    expect((await call('PATCH /v1/account/x', { raw: '{' })).status).toBe(401);
  });
});

describe('deleting', () => {
  it('is for the account itself, and for the admin', async () => {
    const { call, joe, jane, sam, admin } = await setup();
    expect(await call(`DELETE /v1/account/${jane.id}`, { as: joe })).toMatchObject({
      status: 401,
      body: { Error: 'Not authorized' },
    });
    expect(await call('DELETE /v1/account')).toMatchObject({
      status: 400,
      body: { Error: 'Missing account_id' },
    });
    const done = { status: 200, body: counters({ deleted: 1 }) };
    expect(await call(`DELETE /v1/account/${joe.id}`, { as: joe })).toMatchObject(done);
    expect((await call(`GET /v1/account/${joe.id}`, { as: joe })).status).toBe(401);
    expect(await call(`DELETE /v1/account/${sam.id}`, { as: admin })).toMatchObject(done);
    const skipped = { status: 200, body: counters({ skipped: 1 }) };
    expect(await call('DELETE /v1/account/unknown', { as: admin })).toMatchObject(skipped);
    expect(await call(`DELETE /v1/account/${'x'.repeat(128)}`, { as: admin })).toMatchObject({
      status: 500,
      body: { Error: expect.any(String) as unknown },
    });
  });

  it('may be all but the admin', async () => {
    const { call, admin, simulator } = await setup();
    expect(await call('DELETE /v1/accounts', { as: admin })).toMatchObject({
      status: 200,
      body: counters({ deleted: 3 }),
    });
    expect([...simulator.accounts.keys()]).toEqual([admin.id]);
  });

  it('may be the admin', async () => {
    const { call, admin } = await setup();
    expect((await call(`DELETE /v1/account/${admin.id}`, { as: admin })).body).toEqual(
      counters({ deleted: 1 }),
    );
  });
});
