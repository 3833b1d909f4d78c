import { beforeAll, describe, expect, it } from 'vitest';
import type { Framing } from '../../src/local/simulators/post.ts';
import { s1, s2, vectors } from '../local/simulators/pywebhooks/vectors.ts';
import { until } from '../support/until.ts';
import { startPyWebhooksEnv, type PyWebhooksEnv } from '../support/pywebhooks-env.ts';

const echo = '4f6d0a1be27c38d95e60b1fa7c2d9483e5a6b7c8';
const [, , , v1, v1Signature] = vectors[0] ?? ['', '', '', '', ''];

let shop: PyWebhooksEnv;
beforeAll(async () => {
  shop = await startPyWebhooksEnv({ SOURCE_SCANS_SECRET: s1, SOURCE_SCANS_SECRET_PREVIOUS: s2 });
});

async function ask(query: string, method = 'GET') {
  const answer = await fetch(shop.addressOf('scans') + query, {
    method,
    headers: { accept: 'application/json', 'content-type': 'application/json' },
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

interface Posted {
  readonly signature?: string | null;
  readonly secret?: string;
  readonly headers?: Record<string, string>;
  readonly framing?: Framing;
}

async function send(body: string, { secret = s1, ...given }: Posted = {}) {
  return await shop.service.deliver(shop.addressOf('scans'), { secret, body: Buffer.from(body), ...given });
}

describe('a GET', () => {
  it.each([
    ['171', `?echo=${echo}`],
    ['172', `?echo=${echo}&token=mine`],
  ])('%s: gives the echo back', async (_row, query) => {
    const { status, headers, text } = await ask(query);
    expect({ status, body: JSON.parse(text) as unknown }).toEqual({ status: 200, body: { echo } });
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    ['with markup', '?echo=%3Cscript%3E'],
    ['of 7 kB', `?echo=${'a'.repeat(7_000)}`],
    ['empty', '?echo='],
    ['with nothing', ''],
    ['with something else', '?token=mine'],
    ['two questions at once', `?echo=${echo}&secret_key=${echo}`],
    ['with a malformed secret', '?secret_key=xyz'],
    ['with a malformed key', `?api_key=${echo.toUpperCase()}`],
  ])('%s: 400, and nothing is given back', async (_row, query) => {
    expect(await ask(query)).toMatchObject({ status: 400, text: '{"error":"bad request"}' });
  });

  it.each(['secret_key', 'api_key'])('with a %s that nobody waits for: 403', async (name) => {
    expect(await ask(`?${name}=${echo}`)).toMatchObject({ status: 403, text: '{"error":"not now"}' });
    expect(await send(v1, { secret: echo })).toMatchObject({ status: 401 });
    expect(await send(v1)).toMatchObject({ status: 200 });
  });
});

describe('a POST', () => {
  it('is handed on once', async () => {
    const body = JSON.stringify({ asset: { id: 'once' } });
    expect(await send(body)).toEqual({
      status: 200,
      body: '{}',
      contentType: expect.stringMatching(/^application\/json/) as string,
    });
    await until(async () => (await shop.app.events('&assetId=once&state=done'))[0]);
    expect(await shop.app.events('&assetId=once')).toHaveLength(1);
  });

  it.each(vectors)('%s is taken with 200 and JSON', async (_id, secret, _registered, body, signature) => {
    const answer = await send(body, { signature });
    expect(answer).toMatchObject({ status: 200, body: '{}' });
    expect(await send(body, { signature, framing: 'pieces' })).toMatchObject({ status: 200 });
    expect([s1, s2]).toContain(secret);
  });

  it.each<[string, string, Posted]>([
    ['one byte changed', v1.replace('low', 'lov'), { signature: v1Signature }],
    ['a line end added', `${v1}\n`, { signature: v1Signature }],
    ['no signature', v1, { signature: null }],
    ['upper case', v1, { signature: v1Signature.toUpperCase() }],
    ['too short', v1, { signature: v1Signature.slice(1) }],
    ['too long', v1, { signature: `${v1Signature}0` }],
    ['no hex', v1, { signature: 'z'.repeat(40) }],
    ['empty', v1, { signature: '' }],
    ['SHA-256', v1, { signature: 'a'.repeat(64) }],
    ['a third secret', v1, { secret: echo }],
    ['nothing at all', '', { signature: null }],
    ['the signature of nothing', v1, { signature: 'a3cf4bcf3ee1267882c9fb28f12b44bd7aa8bcbd' }],
  ])('%s: 401, and nobody is stopped', async (_row, body, given) => {
    expect(await send(body, given)).toMatchObject({ status: 401, body: '{"error":"not proved"}' });
    expect(await shop.app.get('/health')).toMatchObject({ status: 200 });
  });

  it.each<[string, string, Posted]>([
    ['the previous secret', v1, { secret: s2 }],
    [
      'other names of headers',
      v1,
      { signature: null, headers: { 'PYWEBHOOKS-SIGNATURE': v1Signature, Event: 'x' } },
    ],
    ['no event', v1, {}],
    ['null', 'null', {}],
    ['a number', '5', {}],
    ['a text', '"x"', {}],
    ['a list', '[]', {}],
    ['compact', '{"a":1}', {}],
    ['with raw letters', '{"a":"é 東京"}', {}],
    [
      "the platform's own words",
      '{"headers":{},"query":{"secret_key":"x"},"Source":"x"}',
      { framing: 'content-length' },
    ],
    ['another content type', v1, { headers: { 'Content-Type': 'text/plain' } }],
  ])('%s: 200 and JSON', async (_row, body, given) => {
    expect(await send(body, given)).toMatchObject({ status: 200, body: '{}' });
  });

  it('the same twice is taken both times', async () => {
    for (const _ of [1, 2]) expect(await send(v1)).toMatchObject({ status: 200 });
  });

  it('signed, but no JSON: 400, and kept', async () => {
    expect(await send('no json')).toMatchObject({ status: 400 });
    expect(await shop.app.events('&state=failed&type=unreadable')).toMatchObject([{ source: 'scans' }]);
  });
});

it.each(['PUT', 'DELETE', 'PATCH'])('%s is answered 404 or 405', async (method) => {
  expect([404, 405]).toContain((await ask('', method)).status);
});

it('while storage is away a POST gets 503, an echo its answer, and a key is not taken', async () => {
  await shop.app.azurite.pause();
  expect(await send(v1)).toMatchObject({ status: 503 });
  expect(await ask(`?echo=${echo}`)).toMatchObject({ status: 200 });
  expect(await ask(`?secret_key=${echo}`)).toMatchObject({ status: 503 });
  await shop.app.azurite.resume();
  await until(async () => ((await send(v1)).status === 200 ? true : undefined));
});
