import { expect, it } from 'vitest';
import { counters, setup } from './client.ts';

const create = 'POST /v1/webhook/registration';
const given = { event: 'stock.low', description: 'd', event_data: { a: 1 } };

it('makes a registration that is the caller’s', async () => {
  const { call, joe } = await setup();
  const answer = await call(create, { as: joe, json: { ...given, id: 'x', account_id: 'y', more: 1 } });
  expect(answer).toMatchObject({ status: 201 });
  expect(answer.body).toEqual({
    ...given,
    account_id: joe.id,
    epoch: expect.any(Number) as unknown,
    id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
  });
});

it.each([{}, { a: { b: [] } }, [1], 'text', 5, true, null])('takes %j as the data', async (event_data) => {
  const { call, joe } = await setup();
  const answer = await call(create, { as: joe, json: { ...given, event_data } });
  expect(answer).toMatchObject({ status: 201, body: { event_data } });
});

it.each([
  [88, { event: 'e', description: 'd' }, 500],
  [88, { event: 'e', event_data: 1 }, 500],
  [88, { description: 'd', event_data: 1 }, 500],
  [88, [], 500],
  [107, { ...given, event: 'a\nb' }, 201],
  [107, { ...given, event: 5 }, 201],
  [108, { ...given, event_data: JSON.parse('['.repeat(18) + '1' + ']'.repeat(18)) as unknown }, 201],
  [108, { ...given, event_data: JSON.parse('['.repeat(19) + '1' + ']'.repeat(19)) as unknown }, 500],
])('%i: %j gets %i', async (_number, json, status) => {
  const { call, joe } = await setup();
  expect((await call(create, { as: joe, json })).status).toBe(status);
});

it.each(['', '{', '{"event":NaN}'])('cannot read %j', async (raw) => {
  const { call, joe } = await setup();
  expect((await call(create, { as: joe, raw })).status).toBe(400);
});

it('is for accounts', async () => {
  const { call } = await setup();
  expect((await call(create, { json: given })).status).toBe(401);
});

it('lists one’s own, or everybody’s', async () => {
  const { call, joe, jane, register } = await setup();
  const [one, other] = [register(joe), register(jane, { b: 2 })];
  const own = await call('GET /v1/webhook/registration?start=0&limit=10', { as: joe });
  expect(own).toMatchObject({ status: 200, body: { registrations: [{ id: one, account_id: joe.id }] } });
  const all = await call('GET /v1/webhook/registrations?start=0&limit=10', { as: jane });
  expect(all.body).toMatchObject({ registrations: [{ id: one }, { id: other, event_data: { b: 2 } }] });
});

it.each([
  [93, 'joe', { description: 'n' }, 200, counters({ replaced: 1 })],
  [94, 'joe', { description: 'd' }, 200, counters({ unchanged: 1 })],
  [95, 'joe', { description: 'm', event: 'x', event_data: 1 }, 200, counters({ replaced: 1 })],
  [96, 'joe', {}, 400, { Error: 'Description field missing' }],
  [96, 'joe', { event: 'x' }, 400, { Error: 'Description field missing' }],
  [97, 'jane', { description: 'n' }, 401, { Error: 'Not authorized' }],
  [99, 'admin', { description: 'n' }, 200, counters({ replaced: 1 })],
] as const)('%i: %s changes %j and gets %i', async (_number, who, json, status, body) => {
  const people = await setup();
  const { call, register, joe } = people;
  const id = register();
  expect(await call(`PATCH /v1/webhook/registration/${id}`, { as: people[who], json })).toMatchObject({
    status,
    body,
  });
  const { body: listing } = await call('GET /v1/webhook/registration?start=0&limit=1', { as: joe });
  const description = status === 200 && 'description' in json ? json.description : 'd';
  const { event, event_data } = { event: 'stock.low', event_data: { message: 'stock low' } };
  expect(listing).toMatchObject({ registrations: [{ description, event, event_data }] });
});

it.each([
  [98, 'PATCH', 'joe', '/unknown', 401, { Error: 'Not authorized' }],
  [100, 'PATCH', 'admin', '/unknown', 200, counters({ skipped: 1 })],
  [101, 'PATCH', undefined, '', 400, { Error: 'Missing registration_id' }],
  [101, 'DELETE', undefined, '', 400, { Error: 'Missing registration_id' }],
  [104, 'DELETE', 'joe', '/unknown', 401, { Error: 'Not authorized' }],
  [105, 'DELETE', 'admin', '/unknown', 200, counters({})],
] as const)('%i: %s by %s of %j gets %i', async (_number, method, who, path, status, body) => {
  const people = await setup();
  const answer = await people.call(`${method} /v1/webhook/registration${path}`, {
    ...(who === undefined ? {} : { as: people[who] }),
    json: { description: 'n' },
  });
  expect(answer).toMatchObject({ status, body });
});

it('is deleted by its owner, once', async () => {
  const { call, joe, jane, register } = await setup();
  const one = `DELETE /v1/webhook/registration/${register()}`;
  expect((await call(one, { as: jane })).status).toBe(401);
  expect(await call(one, { as: joe })).toMatchObject({ status: 200, body: counters({ deleted: 1 }) });
  expect((await call(one, { as: joe })).status).toBe(401);
});

it('all may be deleted by the admin', async () => {
  const { call, joe, jane, admin, register } = await setup();
  register(joe);
  register(jane);
  const answer = await call('DELETE /v1/webhook/registrations', { as: admin });
  expect(answer).toMatchObject({ status: 200, body: counters({ deleted: 2 }) });
});
