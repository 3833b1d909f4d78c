import { expect, it } from 'vitest';
import type { Keys } from '../../../../src/local/simulators/pywebhooks/simulator.ts';
import { setup, type Client } from './client.ts';

const countAll = async (call: Client, as: Keys) => {
  const count = async (name: string, member: string): Promise<number> => {
    const { body } = await call(`GET /v1/webhook/${name}?start=0&limit=100`, { as });
    return (body as Record<string, unknown[]> | undefined)?.[member]?.length ?? 0;
  };
  return [
    await count('registrations', 'registrations'),
    await count('subscriptions', 'subscriptions'),
    await count('triggered', 'triggered_webhooks'),
  ];
};

async function scene() {
  const all = await setup();
  const { joe, jane, sam, admin, register, subscribe, simulator, endpoint } = all;
  const [joes, janes] = [register(joe), register(jane)];
  const leah = simulator.addAccount({ username: 'leah', endpoint: endpoint.ok });
  for (const each of [joe, jane, sam, leah]) await subscribe(each, joes);
  await subscribe(sam, janes);
  await simulator.trigger(joes);
  return { ...all, joes, janes, leah, left: () => countAll(all.call, admin) };
}

it('deleting all accounts leaves what they had', async () => {
  const { call, admin, left } = await scene();
  await call('DELETE /v1/accounts', { as: admin });
  expect(await left()).toEqual([2, 5, 1]);
});

it('deleting a registration ends its subscriptions', async () => {
  const { call, joe, joes, left } = await scene();
  await call(`DELETE /v1/webhook/registration/${joes}`, { as: joe });
  expect(await left()).toEqual([1, 1, 1]);
});

it('deleting an account ends all that hangs on its registrations', async () => {
  const { call, admin, joe, left } = await scene();
  await call(`DELETE /v1/account/${joe.id}`, { as: admin });
  expect(await left()).toEqual([1, 1, 1]);
});

it('deleting a subscriber ends the subscriptions of that one', async () => {
  const { call, sam, left } = await scene();
  await call(`DELETE /v1/account/${sam.id}`, { as: sam });
  expect(await left()).toEqual([2, 3, 1]);
});

it('deleting all registrations leaves the subscriptions', async () => {
  const { call, admin, left } = await scene();
  await call('DELETE /v1/webhook/registrations', { as: admin });
  expect(await left()).toEqual([0, 5, 1]);
});
