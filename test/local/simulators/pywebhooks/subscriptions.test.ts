import { expect, it } from 'vitest';
import { counters, setup } from './client.ts';

const path = '/v1/webhook/subscription';

it('anybody may subscribe, and again', async () => {
  const { call, joe, jane, register } = await setup();
  const registration = register();
  const ids = new Set<unknown>();
  for (const as of [jane, joe, jane]) {
    const { status, body } = await call(`POST ${path}/${registration}`, { as, raw: '"{}"' });
    expect(status).toBe(201);
    const { id, ...others } = body as { id: string };
    expect(others).toEqual({
      account_id: as.id,
      registration_id: registration,
      epoch: expect.any(Number) as unknown,
    });
    ids.add(id);
  }
  expect(ids.size).toBe(3);
  const { body } = await call(`GET ${path}?start=0&limit=5`, { as: jane });
  expect((body as { subscriptions: unknown[] }).subscriptions).toHaveLength(2);
});

it.each([
  [110, 'POST', 'joe', '/unknown', 404, { Error: 'The registration id does not exist' }],
  [111, 'POST', undefined, '', 400, { Error: 'Missing subscription_id' }],
  [112, 'POST', undefined, '/unknown', 401, { Error: 'Missing API key header value' }],
  [117, 'DELETE', undefined, '', 400, { Error: 'Missing subscription_id' }],
  [118, 'DELETE', 'joe', '/unknown', 401, { Error: 'Not authorized' }],
  [119, 'DELETE', 'admin', '/unknown', 200, counters({ skipped: 1 })],
] as const)('%i: %s by %s of %j gets %i', async (_number, method, who, id, status, body) => {
  const people = await setup();
  const asked = who === undefined ? {} : { as: people[who] };
  expect(await people.call(`${method} ${path}${id}`, asked)).toMatchObject({ status, body });
});

it('lists one’s own, or everybody’s', async () => {
  const { call, joe, jane, sam, register, subscribe } = await setup();
  const registration = register();
  const [one, other] = [await subscribe(joe, registration), await subscribe(jane, registration)];
  const own = await call(`GET ${path}?start=0&limit=5`, { as: jane });
  expect(own).toMatchObject({ status: 200, body: { subscriptions: [{ id: other }] } });
  const all = await call(`GET ${path}s?start=0&limit=5`, { as: sam });
  expect(all).toMatchObject({ status: 200, body: { subscriptions: [{ id: one }, { id: other }] } });
});

it('is ended by the subscriber, once', async () => {
  const { call, joe, jane, register, subscribe } = await setup();
  const one = `DELETE ${path}/${await subscribe(jane, register(joe))}`;
  expect((await call(one, { as: joe })).status).toBe(401);
  expect(await call(one, { as: jane })).toMatchObject({ status: 200, body: counters({ deleted: 1 }) });
  expect((await call(one, { as: jane })).status).toBe(401);
});

it('all may be ended by the admin', async () => {
  const { call, joe, jane, admin, register, subscribe } = await setup();
  const registration = register();
  for (const each of [joe, jane]) await subscribe(each, registration);
  const answer = await call(`DELETE ${path}s`, { as: admin });
  expect(answer).toMatchObject({ status: 200, body: counters({ deleted: 2 }) });
});
