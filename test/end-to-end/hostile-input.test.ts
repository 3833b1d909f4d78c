import { createHmac } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { startAppUnderTest, until, webhookSecret, type AppUnderTest } from '../support/app-under-test.ts';

let app: AppUnderTest;
beforeAll(async () => {
  app = await startAppUnderTest({ MAX_DELIVERY_BYTES: '100000', RETRY_DELAYS_SECONDS: '1' });
});

let serial = 0;
const sign = (body: Buffer): string =>
  createHmac('sha256', webhookSecret).update('preservica-webhook-auth').update(body).digest('hex');

function document(given: object = {}, item: object = {}): Buffer {
  serial += 1;
  const entityRef = `00000000-0000-4000-8000-${String(serial).padStart(12, '0')}`;
  const timestamp = new Date().toISOString().replace('Z', '');
  return Buffer.from(
    JSON.stringify({
      subscriptionId: 's',
      timestamp,
      tenant: 'É',
      trigger: 'MOVED',
      events: [{ entityType: 'IO', entityRef, ...item }],
      ...given,
    }),
  );
}

async function send(
  path: string,
  pieces: readonly Buffer[],
  headers: Record<string, string | string[]> = {},
): Promise<{ status: number; body: string }> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(app.host.url + path, { method: 'POST', headers, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.once('error', reject);
    for (const piece of pieces) outgoing.write(piece);
    outgoing.end();
  });
}

const signed = (body: Buffer): Record<string, string> => ({
  'Preservica-Signature': sign(body),
  'Content-Type': 'application/json',
});
const recorded = async (assetId: string) =>
  await until(async () => (await app.events(`&assetId=${assetId}`))[0]);
const refOf = (body: Buffer): string =>
  (JSON.parse(body.toString()) as { events: { entityRef: string }[] }).events[0]?.entityRef ?? '';

describe('whatever the framing', () => {
  it.each<[string, (body: Buffer) => [Buffer[], Record<string, string>]]>([
    ['chunked in one piece', (body) => [[body], {}]],
    [
      'chunked, split inside a character',
      (body) => [[body.subarray(0, body.indexOf(0xc3) + 1), body.subarray(body.indexOf(0xc3) + 1)], {}],
    ],
    ['chunked, byte by byte', (body) => [[...body].map((byte) => Buffer.from([byte])), {}]],
    ['with its length', (body) => [[body], { 'Content-Length': String(body.byteLength) }]],
    [
      'with its length and no content type',
      (body) => [[body], { 'Content-Length': String(body.byteLength), 'Content-Type': 'text/plain' }],
    ],
  ])('takes a signed body %s', async (_name, frame) => {
    const body = document();
    const [pieces, headers] = frame(body);
    expect(await send('/webhooks/archive', pieces, { ...signed(body), ...headers })).toMatchObject({
      status: 200,
    });
    expect(await recorded(refOf(body))).toMatchObject({ type: 'MOVED', source: 'archive' });
  });

  it('takes chunks of nothing beside a code for nothing, and one byte for a body', async () => {
    const path = '/webhooks/archive?challengeCode=c306c99ca3a736124fa711bec53c737d';
    const answer = '396e28f6420ee0d4da4bd0f92e413dcad467c51653e3a9e16dcea2b0bbf56678';
    expect(JSON.parse((await send(path, [], { 'Transfer-Encoding': 'chunked' })).body)).toEqual({
      challengeCode: 'c306c99ca3a736124fa711bec53c737d',
      challengeResponse: answer,
    });
    expect(await send(path, [Buffer.from(' ')])).toMatchObject({ status: 400 });
    expect(await send(path, [Buffer.from(' ')], { 'Content-Length': '1' })).toMatchObject({ status: 400 });
    expect(await send(path, [], signed(Buffer.alloc(0)))).toMatchObject({ status: 400 });
  });
});

describe('what a body or a query can reach', () => {
  it.each([
    ['headers', { headers: { 'preservica-signature': 'x' } }],
    ['Headers as text', { Headers: '{"preservica-signature":"x"}' }],
    ['query', { query: { challengeCode: 'abc' } }],
    ['source', { source: 'other', Source: 'other' }],
    ['sys', { sys: { methodName: 'x' }, '{source}': 'other' }],
  ])('is nothing: a member %s', async (_name, members) => {
    const body = document(members);
    const headers = { ...signed(body), 'Content-Length': String(body.byteLength) };
    expect(await send('/webhooks/archive', [body], headers)).toMatchObject({ status: 200 });
    expect(await recorded(refOf(body))).toMatchObject({ source: 'archive' });
  });

  it('is nothing: ?Source=', async () => {
    const body = document();
    expect(
      await send('/webhooks/archive?Source=other&source=x&headers=y', [body], signed(body)),
    ).toMatchObject({ status: 200 });
    expect(await recorded(refOf(body))).toMatchObject({ source: 'archive' });
  });

  it('is nothing: a signature inside the body for a call that has none', async () => {
    const body = document({ headers: { 'preservica-signature': '0'.repeat(64) } });
    const headers = { 'Content-Type': 'application/json', 'Content-Length': String(body.byteLength) };
    expect(await send('/webhooks/archive', [body], headers)).toMatchObject({ status: 401 });
  });
});

describe('what is refused', () => {
  const good = document();
  it.each<[string, Record<string, string | string[]>]>([
    ['none', {}],
    ['wrong', { 'Preservica-Signature': sign(Buffer.from('other')) }],
    ['in upper case', { 'Preservica-Signature': sign(good).toUpperCase() }],
    ['sent twice', { 'Preservica-Signature': [sign(good), sign(good)] }],
    ['malformed', { 'Preservica-Signature': 'zz' }],
  ])('gets one and the same 401: a signature that is %s', async (_name, headers) => {
    expect(await send('/webhooks/archive', [good], headers)).toEqual({
      status: 401,
      body: '{"error":"not proved"}',
    });
  });

  it('never gives a stranger a signature', async () => {
    const code = encodeURIComponent('preservica-webhook-auth{"events":[]}');
    const answer = await send(`/webhooks/archive?challengeCode=${code}`, []);
    expect(answer.status).toBe(400);
    expect(answer.body).not.toMatch(/[0-9a-f]{64}/);
  });

  it('is a body over the limit, declared or streamed, and the answer arrives', async () => {
    const large = Buffer.alloc(100_001, 'x');
    expect(
      await send('/webhooks/archive', [large], { ...signed(large), 'Content-Length': '100001' }),
    ).toMatchObject({ status: 413 });
    expect(await send('/webhooks/archive', [large], signed(large))).toMatchObject({ status: 413 });
    const endless = Array.from({ length: 100 }, () => large);
    expect(await send('/webhooks/archive', endless, signed(large))).toMatchObject({ status: 413 });
    expect(await app.get('/health')).toMatchObject({ status: 200 });
  });

  it('is a signed body that is no JSON: kept, recorded, 400', async () => {
    const body = Buffer.from(`no json ${Math.random()}`);
    expect(await send('/webhooks/archive', [body], signed(body))).toMatchObject({ status: 400 });
    const [event] = await app.events('&state=failed&type=unreadable');
    expect(event).toMatchObject({
      source: 'archive',
      state: 'failed',
      reason: { code: 'unreadable' },
      assetId: null,
    });
  });

  it.each([
    ['another method', 'GET', '/webhooks/archive', 405],
    ['an unknown source', 'POST', '/webhooks/other', 404],
    ['no source', 'POST', '/webhooks', 404],
    ['a method nobody has', 'DELETE', '/webhooks/archive', 404],
  ])('is %s', async (_name, method, path, status) => {
    expect((await fetch(app.host.url + path, { method })).status).toBe(status);
  });

  it('is a caller that goes away in the middle, without harm', async () => {
    const { port } = new URL(app.host.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write('POST /webhooks/archive HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc', () =>
          socket.destroy(),
        );
      });
      socket.once('close', () => resolve());
    });
    expect(await app.get('/health')).toMatchObject({ status: 200, json: { status: 'ok' } });
  });
});

describe('events that nobody is asked about', () => {
  it.each([
    ['too old', document({ timestamp: '2020-01-01T00:00:00.000' }), 'too-old'],
    ['in the future', document({ timestamp: '2999-01-01T00:00:00.000' }), 'in-future'],
    ['of another type', document({}, { entityType: 'XX' }), 'not-an-asset'],
    ['without a reference', document({ marker: 1 }, { entityRef: undefined, title: 'x' }), 'not-an-asset'],
    ['of an impossible reference', document({}, { entityRef: '../../api/user' }), 'impossible-id'],
  ])('are recorded as ignored: %s', async (_name, body, code) => {
    const callsBefore = app.preservica.calls.length;
    const before = (await app.events()).map(({ id }) => id);
    expect(await send('/webhooks/archive', [body], signed(body))).toMatchObject({ status: 200 });
    const event = await until(async () =>
      (await app.events('&state=ignored')).find(
        ({ id, reason }) => !before.includes(id) && reason?.code === code,
      ),
    );
    expect(event).toMatchObject({ state: 'ignored', attempts: 1 });
    expect(app.preservica.calls.slice(callsBefore).some(({ target }) => target.includes('user'))).toBe(false);
  });
});

it('keeps thousands of events that came in one call', async () => {
  const limit = 4_000_000;
  await app.restart({ MAX_DELIVERY_BYTES: String(limit), FOLD_MARGIN_SECONDS: '0' });
  const folder = app.preservica.library.addFolder({ title: 'One of many' });
  const items = Array.from({ length: 500 }, (_, index) => ({
    entityType: 'SO',
    entityRef: index === 0 ? folder.ref : `x-${index}`,
    padding: 'p'.repeat(200),
  }));
  const body = document({ events: items, subscriptionId: 'many' });
  expect(await send('/webhooks/archive', [body], signed(body))).toMatchObject({ status: 200 });
  const counted = await until(async () => {
    let count = 0;
    let after: string | null | undefined;
    do {
      const { json } = await app.get(`/events?limit=200&type=MOVED${after == null ? '' : `&after=${after}`}`);
      const page = json as { events: { assetId: string; state: string }[]; next: string | null };
      count += page.events.filter(
        ({ assetId }) => assetId === folder.ref || assetId?.startsWith('x-'),
      ).length;
      after = page.next;
    } while (after !== null);
    return count === 500 ? count : undefined;
  });
  expect(counted).toBe(500);
  expect(await until(async () => await app.record(folder.ref))).toMatchObject({ title: 'One of many' });
});
