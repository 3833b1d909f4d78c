import { describe, expect, it } from 'vitest';
import { call, clientOf, logIn, notLoggedIn, setup, startSimulator } from './client.ts';

const version = '6.100.0.1';

/** The right name and password in every way in which they can be sent. */
function waysToSend({ username, password }: { username: string; password: string }) {
  const query = new URLSearchParams({ username, password });
  const multipart = new FormData();
  multipart.set('username', username);
  multipart.set('password', password);
  return [
    ['in the query', `?${query.toString()}`, undefined],
    ['as a form', '', query],
    ['as multipart', '', multipart],
  ] as const;
}

async function session(simulator: Awaited<ReturnType<typeof startSimulator>>) {
  const { username, password } = simulator.settings.account;
  const body = new URLSearchParams({ username, password });
  const answer = await call(`${simulator.url}/services/login`, { method: 'POST', body });
  const cookie = /^(authToken=[^;]+); Path=\/; HttpOnly$/.exec(answer.headers.get('set-cookie') ?? '')?.[1];
  return { answer, cookie: cookie ?? '', csrfToken: String(answer.json?.['csrfToken']) };
}

describe('an API login', () => {
  it('takes name and password in the query, as a form and as multipart', async () => {
    const simulator = await startSimulator();
    for (const [way, query, body] of waysToSend(simulator.settings.account)) {
      const url = `${simulator.url}/services/apilogin${query}`;
      const answer = await call(url, { method: 'POST', ...(body === undefined ? {} : { body }) });
      expect(answer.status, way).toBe(200);
      expect(answer.json, way).toEqual({
        loginSuccess: true,
        serverVersion: version,
        authToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) as unknown,
      });
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
  });

  it.each(['apilogin', 'login'])('says with status 200 that the password of a %s is wrong', async (name) => {
    const simulator = await startSimulator();
    const body = new URLSearchParams({ username: simulator.settings.account.username, password: 'x' });
    const answer = await call(`${simulator.url}/services/${name}`, { method: 'POST', body });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      loginSuccess: false,
      serverVersion: version,
      loginFaultMessage: 'Incorrect username or password',
    });
  });

  it('refuses a form that it cannot read', async () => {
    const simulator = await startSimulator();
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const url = `${simulator.url}/services/apilogin`;
    expect((await call(url, { method: 'POST', headers, body: 'broken' })).status).toBe(400);
  });
});

describe('a token', () => {
  it('is taken as bearer and as cookie, until all are forgotten', async () => {
    const simulator = await startSimulator();
    const token = String((await logIn(simulator)).json?.['authToken']);
    const url = `${simulator.url}/services/profile`;
    const ways = [{ Authorization: `Bearer ${token}` }, { Cookie: `other=1; authToken=${token}` }];
    for (const headers of ways) expect((await call(url, { headers })).status).toBe(200);
    // Such a cookie is no session: nothing is to be added to it.
    expect((await call(url, { method: 'POST', headers: ways[1] ?? {} })).status).toBe(200);
    simulator.forgetTokens();
    for (const headers of ways) expect((await call(url, { headers })).json).toEqual(notLoggedIn);
  });

  it('ends by itself', async () => {
    const { client } = await setup({ tokenLifeMs: 0 });
    expect((await client('/services/ping')).status).toBe(401);
  });

  it.each([
    '/services/search?q=*:*',
    '/services/admin/webhook',
    '/services/nothing',
    '/api/asset/x',
    '/file/x',
  ])('is needed for %s', async (path) => {
    const simulator = await startSimulator();
    for (const headers of [{}, { Authorization: 'Bearer x' }, { Cookie: 'authToken=x' }]) {
      const answer = await call(simulator.url + path, { headers });
      expect(answer.status).toBe(401);
      expect(answer.json).toEqual(notLoggedIn);
    }
  });

  it('is given up by a logout', async () => {
    const { client } = await setup();
    expect((await client('/services/logout')).status).toBe(405);
    expect((await client('/services/logout', { method: 'POST' })).json).toEqual({ logoutSuccess: true });
    expect((await client('/services/ping')).status).toBe(401);
  });
});

describe('soft errors', () => {
  it('come with status 200 from the services, and from nowhere else', async () => {
    const { simulator, client } = await setup({ softErrors: true });
    const outside = await call(`${simulator.url}/services/ping`);
    expect([outside.status, outside.json]).toEqual([200, notLoggedIn]);
    const broken = await client('/services/search?q=%22');
    expect([broken.status, broken.json?.['errorcode']]).toEqual([200, 400]);
    const unknown = await client('/services/admin/webhook/unknown');
    expect([unknown.status, unknown.json?.['errorcode']]).toEqual([200, 404]);
    expect((await client('/api/asset/unknown')).status).toBe(404);
    expect((await call(`${simulator.url}/api/asset/unknown`)).status).toBe(401);
  });
});

describe('a session', () => {
  it('is a cookie and a code for everything but GET', async () => {
    const simulator = await startSimulator();
    const { answer, cookie, csrfToken } = await session(simulator);
    expect(answer.json).toEqual({ loginSuccess: true, serverVersion: version, csrfToken });
    const url = `${simulator.url}/services/profile`;
    const post = async (headers: Record<string, string>) =>
      (await call(url, { method: 'POST', headers: { cookie, ...headers } })).status;
    expect((await call(url, { headers: { cookie } })).status).toBe(200);
    expect(await post({ 'X-CSRF-TOKEN': csrfToken })).toBe(200);
    expect([await post({}), await post({ 'X-CSRF-TOKEN': 'x' })]).toEqual([403, 403]);
    simulator.settings.csrfStatus = 401;
    expect(await post({})).toBe(401);
  });

  it('begins with credentials in base64 too, and tells the profile when asked', async () => {
    const simulator = await startSimulator();
    const { username, password } = simulator.settings.account;
    const start = async (form: Record<string, string>) => {
      const url = `${simulator.url}/services/login`;
      return (await call(url, { method: 'POST', body: new URLSearchParams(form) })).json;
    };
    const cred = Buffer.from(`${username}:${password}`).toString('base64');
    expect(await start({ cred, clientType: 'api_tool', returnProfile: 'true' })).toMatchObject({
      loginSuccess: true,
      userProfile: { username },
    });
    expect(await start({ cred, clientType: 'tool' })).toMatchObject({ loginSuccess: false });
    expect(await start({ cred: 'eDp4' })).toMatchObject({ loginSuccess: false });
  });

  it.each([405, 400])('does not begin with a GET: %i', async (loginMethodStatus) => {
    const simulator = await startSimulator({ loginMethodStatus });
    for (const name of ['login', 'apilogin'])
      expect((await call(`${simulator.url}/services/${name}`)).status).toBe(loginMethodStatus);
  });
});

it('tells who is logged in, however it is asked', async () => {
  const { simulator, client } = await setup();
  const multipart = new FormData();
  multipart.set('x', 'y');
  for (const init of [{}, { method: 'POST' }, { method: 'POST', body: multipart }])
    expect((await client('/services/profile', init)).json).toMatchObject({
      username: 'picture-desk',
      email: 'picture-desk@example.org',
      authorities: ['ROLE_USER', 'ROLE_SUPER_USER'],
    });
  simulator.settings.account.superuser = false;
  expect((await client('/services/profile')).json).toMatchObject({ authorities: ['ROLE_USER'] });
  expect((await client('/services/ping?uid=1')).json).toEqual({});
});

it('answers the same below a path', async () => {
  const simulator = await startSimulator();
  const client = await clientOf(simulator);
  expect((await client('/app/services/ping')).status).toBe(200);
  expect((await call(`${simulator.url}/app/services/ping`)).status).toBe(401);
  expect((await client('/other/services/ping')).status).toBe(404);
});
