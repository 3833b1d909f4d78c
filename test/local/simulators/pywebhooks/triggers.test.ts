import { expect, it, vi } from 'vitest';
import { setup } from './client.ts';

const path = '/v1/webhook/triggered';
const list = `GET ${path}?start=0&limit=5`;

it('makes a record, with or without subscribers', async () => {
  const { call, joe, sam, register, simulator } = await setup();
  const registration = register();
  const { status, body } = await call(`POST ${path}/${registration}`, { as: joe });
  expect(status).toBe(201);
  expect(body).toEqual({
    epoch: expect.any(Number) as unknown,
    id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
    registration_id: registration,
  });
  const again = await call(`POST ${path}/${registration}`, { as: joe });
  expect((await call(list, { as: sam })).body).toEqual({ triggered_webhooks: [body, again.body] });
  expect(simulator.sent).toEqual([]);
});

const notYours = "You don't have access to this registration record or it no longer exists";
it.each([
  [122, 'jane', '/OWN', 401, notYours],
  [123, 'admin', '/OWN', 401, notYours],
  [124, 'joe', '/unknown', 404, 'Registration id not found'],
  [125, undefined, '', 400, 'Missing registration_id'],
] as const)('%i: %s at %j gets %i', async (_number, who, id, status, text) => {
  const people = await setup();
  const asked = who === undefined ? {} : { as: people[who] };
  const answer = await people.call(`POST ${path}${id.replace('OWN', people.register())}`, asked);
  expect(answer).toMatchObject({ status, body: { Error: text } });
  expect((await people.call(list, { as: people.joe })).status).toBe(204);
});

it.each(['{"event_data":{"x":1}}', '"{}"', '{'])('does not read the body %s', async (raw) => {
  const { call, joe, jane, register, subscribe, endpoint } = await setup();
  const registration = register();
  await subscribe(jane, registration);
  expect((await call(`POST ${path}/${registration}`, { as: joe, raw })).status).toBe(201);
  await vi.waitFor(() => expect(endpoint.events()).toHaveLength(1));
  expect(endpoint.events()[0]?.body.toString()).toBe('{"message": "stock low"}');
});

it('fails half-way where a subscriber is gone', async () => {
  const { call, joe, jane, sam, register, subscribe, endpoint, simulator } = await setup();
  const registration = register();
  for (const each of [jane, sam, jane]) await subscribe(each, registration);
  // As a delete of all accounts leaves it.
  (simulator.accounts as Map<string, unknown>).delete(sam.id);
  expect((await call(`POST ${path}/${registration}`, { as: joe })).status).toBe(500);
  await vi.waitFor(() => expect(endpoint.events()).toHaveLength(1));
  expect((await call(list, { as: joe })).status).toBe(204);
  await expect(simulator.trigger(registration)).rejects.toThrow('gone');
  expect(endpoint.events()).toHaveLength(2);
});

it('fails where the first admin subscribed, until it has an endpoint', async () => {
  const { call, joe, admin, register, subscribe, endpoint } = await setup();
  const registration = register();
  await subscribe(admin, registration);
  expect((await call(`POST ${path}/${registration}`, { as: joe })).status).toBe(500);
  await call('PATCH /v1/account', { as: admin, json: { endpoint: endpoint.ok } });
  expect((await call(`POST ${path}/${registration}`, { as: joe })).status).toBe(201);
});

it('knows no other registration', async () => {
  const { simulator } = await setup();
  await expect(simulator.trigger('unknown')).rejects.toThrow('no registration');
});
