import { expect, it } from 'vitest';
import { setup, type Asked } from './client.ts';

const type = (contentType: string | undefined): Pick<Asked, 'headers'> => ({
  headers: { 'content-type': contentType },
});
const table: [number, string, Asked, number, boolean?][] = [
  [1, 'POST /v1/account', type('text/plain'), 415],
  [2, 'PATCH /v1/account', type('application/x-www-form-urlencoded'), 415, true],
  [3, 'GET /v1/account/JOE', type('application/json; charset=utf-8'), 200, true],
  [4, 'GET /v1/account/JOE', type('APPLICATION/JSON'), 200, true],
  [5, 'GET /v1/account/JOE', type('text/plain'), 415, true],
  [6, 'GET /v1/account/JOE', type(undefined), 500, true],
  [7, 'GET /v1/nope', {}, 404],
  [8, 'GET /v1/nope', type('text/plain'), 415],
  [9, 'PUT /v1/account', {}, 405],
  [10, 'POST /v1/accounts', {}, 405],
  [11, 'GET /v1/account/reset/apikey', {}, 405],
  [12, 'PATCH /v1/webhook/subscription/x', {}, 405, true],
  [13, 'POST /v1/account/', { json: { username: 'new', endpoint: 'OK' } }, 201],
  [14, 'PATCH /v1/account/JOE', { json: { endpoint: 'OK' } }, 500, true],
  [15, 'GET /v1/webhook/registration/x?start=0&limit=1', {}, 500, true],
  [16, 'POST /v1/account/x', { json: { username: 'new', endpoint: 'OK' } }, 500],
  [16, 'GET /v1/webhook/subscription/x?start=0&limit=1', {}, 500, true],
  [16, 'GET /v1/webhook/triggered/x?start=0&limit=1', {}, 500, true],
  [16, 'GET /v1/webhook/triggered/x?start=0', {}, 400, true],
  [16, 'POST /v1/webhook/registration/x', {}, 500, true],
  [0, 'POST /v1/account', type('text/json, application/json'), 415],
  [0, 'POST /v1/account', type(''), 415],
  [0, 'POST /v1/account', { ...type('application/jsonx'), json: { username: 'new', endpoint: 'OK' } }, 500],
  [
    0,
    'POST /v1/account',
    { ...type('application/json; a=b'), json: { username: 'new', endpoint: 'OK' } },
    201,
  ],
  [0, 'GET /V1/account', {}, 404],
  [0, 'GET /v1/account/a%2Fb', {}, 404],
  [0, 'GET /v1/accounts/x', {}, 404],
  [0, 'POST /v1/account/reset', {}, 500],
  [0, 'GET /', {}, 404],
];
it.each(table)('%i: %s %j answers %i', async (_number, call, asked, status, loggedIn = false) => {
  const { call: client, joe, endpoint } = await setup();
  const raw =
    asked.json === undefined ? undefined : JSON.stringify(asked.json).replace('"OK"', `"${endpoint.ok}"`);
  const answer = await client(call.replace('JOE', joe.id), {
    ...(asked.headers === undefined ? {} : { headers: asked.headers }),
    ...(raw === undefined ? {} : { raw }),
    ...(loggedIn ? { as: joe } : {}),
  });
  expect(answer.status).toBe(status);
  if (status === 415) {
    expect(answer.text).toContain('Unsupported Media Type');
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
  }
  if (status === 404) expect(answer.headers['content-type']).toContain('text/html');
  if (status === 405) {
    expect(answer.headers['allow']).toContain('OPTIONS');
    expect(answer.body).toEqual({ message: 'The method is not allowed for the requested URL.' });
  }
  if (status === 500) expect(answer.body).toEqual({ message: 'Internal Server Error' });
});

it.each([
  ['/v1/accounts', ['GET', 'DELETE']],
  ['/v1/account', ['GET', 'PATCH', 'POST', 'DELETE']],
  ['/v1/account/x', ['GET', 'PATCH', 'POST', 'DELETE']],
  ['/v1/account/reset/apikey', ['POST']],
  ['/v1/account/reset/secretkey', ['POST']],
  ['/v1/webhook/registration', ['GET', 'PATCH', 'POST', 'DELETE']],
  ['/v1/webhook/registration/x', ['GET', 'PATCH', 'POST', 'DELETE']],
  ['/v1/webhook/registrations', ['GET', 'DELETE']],
  ['/v1/webhook/subscription/x', ['GET', 'POST', 'DELETE']],
  ['/v1/webhook/subscriptions', ['GET', 'DELETE']],
  ['/v1/webhook/triggered/x', ['GET', 'POST']],
])('%s allows %j', async (path, methods) => {
  const { call } = await setup();
  const { status, text, headers } = await call(`OPTIONS ${path}`);
  expect([status, text]).toEqual([200, '']);
  const more = methods.includes('GET') ? ['HEAD', 'OPTIONS'] : ['OPTIONS'];
  expect(String(headers['allow']).split(', ').toSorted()).toEqual([...methods, ...more].toSorted());
});

it('answers HEAD as GET', async () => {
  const { call, joe } = await setup();
  expect(await call(`HEAD /v1/account/${joe.id}`, { as: joe })).toMatchObject({ status: 200, text: '' });
});

it('writes JSON compact, sorted, in ASCII and with a newline', async () => {
  const { call, joe, register } = await setup();
  register(joe, { 東: 1, b: 2, a: 3 });
  const { text } = await call('GET /v1/webhook/registrations?start=0&limit=5', { as: joe });
  expect(text).toContain('"event_data":{"a":3,"b":2,"\\u6771":1},"id"');
  expect(text.endsWith('}\n')).toBe(true);
});
