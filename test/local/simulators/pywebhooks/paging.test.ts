import { expect, it } from 'vitest';
import { setup } from './client.ts';

const list = 'GET /v1/webhook/registrations';
const wrong = { status: 400, body: { Error: 'Invalid limit or start parameter' } };

it.each([
  '',
  '?start=0',
  '?limit=1',
  '?start=abc&limit=1',
  '?start=1.5&limit=1',
  '?start=&limit=',
  '?start=-1&limit=1',
  '?start=0&limit=0',
  '?start=0&limit=-1',
  '?start=0&limit=101',
  '?start=1000000000000000&limit=1',
  '?start=1__0&limit=1',
  '?start=x&start=0&limit=1',
])('refuses %j', async (query) => {
  const { call, joe } = await setup();
  expect(await call(list + query, { as: joe })).toMatchObject(wrong);
});

it.each(['?start=999999999999999&limit=1', '?start=3&limit=100', '?start=1_0&limit=1'])(
  'has nothing at %s',
  async (query) => {
    const { call, joe, register } = await setup();
    for (let count = 0; count < 3; count += 1) register();
    expect(await call(list + query, { as: joe })).toMatchObject({ status: 204, text: '' });
  },
);

it.each([
  ['0', '10', [0, 1, 2], undefined],
  ['0', '2', [0, 1], 2],
  ['2', '2', [2], undefined],
  ['0', '3', [0, 1, 2], 3],
  ['0', '100', [0, 1, 2], undefined],
  ['%2B1', '%201%20', [1], 2],
])('from %s at most %s are %j, next %s', async (start, limit, expected, next) => {
  const { call, joe, register } = await setup();
  const ids = [register(), register(), register()];
  const { status, body } = await call(`${list}?start=${start}&limit=${limit}`, { as: joe });
  expect(status).toBe(200);
  const { registrations, next_start } = body as {
    registrations: { id: string; epoch: number }[];
    next_start?: number;
  };
  expect(registrations.map(({ id }) => ids.indexOf(id))).toEqual(expected);
  expect(next_start).toBe(next);
  const epochs = registrations.map(({ epoch }) => epoch);
  expect(epochs).toEqual([...new Set(epochs)].toSorted((one, other) => one - other));
});

it.each([
  ['/v1/accounts', 401],
  ['/v1/webhook/registration', 401],
  ['/v1/webhook/registrations', 401],
  ['/v1/webhook/subscription', 401],
  ['/v1/webhook/subscriptions', 400],
  ['/v1/webhook/triggered', 400],
])('%s without anything gets %i', async (path, status) => {
  const { call } = await setup();
  expect((await call(`GET ${path}`)).status).toBe(status);
  expect((await call(`GET ${path}?start=0&limit=1`)).status).toBe(401);
});

it.each(['subscriptions', 'triggered', 'subscription', 'registration'])(
  'an empty list of %s',
  async (name) => {
    const { call, joe } = await setup();
    expect(await call(`GET /v1/webhook/${name}?start=0&limit=1`, { as: joe })).toMatchObject({ status: 204 });
  },
);
