import { describe, expect, it } from 'vitest';
import { signEvent } from '../../../../src/local/simulators/preservica/sender.ts';
import { rightAnswer, secret, setup, startReceiver, subscribe } from './receiver.ts';

const c2 = {
  code: 'c306c99ca3a736124fa711bec53c737d',
  response: '396e28f6420ee0d4da4bd0f92e413dcad467c51653e3a9e16dcea2b0bbf56678',
};

describe('a subscription', () => {
  it('is made after the handshake, listed without its secret, and removed', async () => {
    const { client } = await setup({ challengeCode: c2.code });
    const receiver = await startReceiver(() => ({
      body: JSON.stringify({ challengeCode: c2.code, challengeResponse: c2.response }),
    }));
    const created = await subscribe(client, receiver.url);
    expect(created.status).toBe(200);
    const subscription = JSON.parse(created.text) as { id: string };
    expect(subscription).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      url: receiver.url,
      triggerType: 'FULL_TEXT_INDEXED',
      includeIdentifiers: true,
    });
    expect(receiver.got).toMatchObject([
      { target: `/api/preservica?challengeCode=${c2.code}`, headers: { 'content-length': '0' } },
    ]);
    expect(JSON.parse((await client('/api/webhook/subscriptions')).text)).toEqual([subscription]);
    const remove = async () =>
      (await client(`/api/webhook/subscriptions/${subscription.id}`, { method: 'DELETE' })).status;
    expect(await remove()).toBe(204);
    expect(await remove()).toBe(404);
    expect((await client('/api/webhook/subscriptions')).text).toBe('[]');
  });

  it.each([
    ['another status', () => ({ status: 201 })],
    ['no JSON', () => ({ body: 'OK' })],
    ['JSON that is no object', () => ({ body: 'null' })],
    [
      'another code',
      () => ({ body: JSON.stringify({ challengeCode: 'x', challengeResponse: c2.response }) }),
    ],
    [
      'the response to another code',
      () => ({ body: rightAnswer('x').replace('"x"', JSON.stringify(c2.code)) }),
    ],
    [
      'upper-case hex',
      () => ({
        body: JSON.stringify({ challengeCode: c2.code, challengeResponse: c2.response.toUpperCase() }),
      }),
    ],
    ['nothing in time', () => 'never' as const],
  ])('fails with a handshake that gets %s', async (_name, reply) => {
    const { client, simulator } = await setup({ answerWithinMs: 300, challengeCode: c2.code });
    const receiver = await startReceiver(reply);
    const created = await subscribe(client, receiver.url);
    expect(created.status).toBe(400);
    expect(created.text).not.toBe('');
    expect(simulator.subscriptions.size).toBe(0);
  });

  it.each([
    ['no URL', { url: undefined }],
    ['no address', { url: 'preservica' }],
    ['no web address', { url: 'ftp://127.0.0.1/' }],
    ['nobody there', { url: 'http://127.0.0.1:1/' }],
    ['no TLS there', { url: 'https://127.0.0.1:1/' }],
    ['an unknown trigger', { triggerType: 'INDEXED' }],
    ['a name every object has', { triggerType: 'constructor' }],
    ['no secret', { secret: '' }],
  ])('is refused with %s', async (_name, given) => {
    const { client } = await setup();
    const receiver = await startReceiver();
    expect((await subscribe(client, receiver.url, given)).status).toBe(400);
  });

  it('needs a manager', async () => {
    const { client, simulator } = await setup();
    simulator.settings.account.roles = ['ROLE_SDB_USER_MANAGER_USER'];
    expect((await client('/api/webhook/subscriptions')).status).toBe(403);
    simulator.settings.account.roles = ['ROLE_SDB_CONFIG_MANAGER_USER'];
    expect((await client('/api/webhook/v6.8/subscriptions')).status).toBe(200);
  });

  it('may be strict about the type, and sign or fill its challenge', async () => {
    const { client, simulator } = await setup({ strictContentType: true, challenge: 'signed' });
    const plain = await startReceiver(() => ({ type: 'text/html' }));
    expect((await subscribe(client, plain.url)).status).toBe(400);
    expect(plain.got[0]?.headers['preservica-signature']).toBe(signEvent(secret, Buffer.alloc(0)));
    Object.assign(simulator.settings, { strictContentType: false, challenge: 'json-body' });
    expect((await subscribe(client, plain.url)).status).toBe(200);
    expect(plain.got[1]?.body.toString()).toBe('{}');
  });

  it('adds its code to a query that is there, or puts it in its place', async () => {
    const { client, simulator } = await setup({ challengeCode: 'a+b/c%d=' });
    const receiver = await startReceiver();
    expect((await subscribe(client, `${receiver.url}?code=key`)).status).toBe(200);
    simulator.settings.existingQuery = 'replace';
    expect((await subscribe(client, `${receiver.url}?code=key`)).status).toBe(200);
    expect(receiver.got.map(({ target }) => target)).toEqual([
      '/api/preservica?code=key&challengeCode=a%2Bb%2Fc%25d%3D',
      '/api/preservica?challengeCode=a%2Bb%2Fc%25d%3D',
    ]);
  });
});
