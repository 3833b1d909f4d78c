import { describe, expect, it } from 'vitest';
import { preservicaSession } from '../../../../src/sources/preservica/login.ts';
import {
  preservicaSubscriptions,
  type PreservicaSubscriptions,
} from '../../../../src/sources/preservica/manage/subscriptions.ts';
import { json, standIn, status } from '../stand-in.ts';

const path = '/api/webhook/subscriptions';

async function archive() {
  const stand = await standIn();
  const session = preservicaSession({
    source: { name: 'archive', url: stand.url, username: 'manager', tenant: undefined },
    secrets: { password: async () => 'open sesame', totpSeed: async () => undefined },
    timeLimitMs: 5_000,
    firstRetryDelayMs: 0,
    now: Date.now,
  });
  const permit = { call: async <T>(work: () => Promise<T>) => await work(), end: () => undefined };
  const subscriptions: PreservicaSubscriptions = preservicaSubscriptions({
    base: stand.url,
    session,
    permit,
    now: Date.now,
  });
  return { stand, subscriptions };
}

describe('what Preservica says of a refusal', () => {
  const secret = 'quotes " and / = slashes';
  const wanted = { url: 'https://hooks.example.org/x', triggerType: 'MOVED', secret };

  it.each([400, 422, 500])('is repeated without the secret and the token (%s)', async (code) => {
    const { stand, subscriptions } = await archive();
    // Some servers repeat what they could not read.
    stand.on(path, ({ body, headers }, response) => {
      const token = String(headers['preservica-access-token']);
      const said = `No: ${body} ${encodeURIComponent(secret)} ${secret} ${token}`;
      status(code, {}, said)({ method: 'POST', path, headers, body }, response);
    });
    const outcome = await subscriptions.create(wanted);
    expect(outcome).toMatchObject({ kind: 'refused', status: code });
    const { said } = outcome as { said: string };
    expect(said).toMatch(/^No: \{"url":"https:\/\/hooks.*"secret":"…".* … … …$/);
    expect(said).not.toContain('slashes');
    expect(said).not.toContain('token-1');
  });

  it('is repeated without the token where nothing is created', async () => {
    const { stand, subscriptions } = await archive();
    stand.on(path, (call, response) =>
      status(500, {}, `no ${String(call.headers['preservica-access-token'])}`)(call, response),
    );
    await expect(subscriptions.list()).rejects.toThrow(/answered 500: no …$/);
  });
});

describe('a list of subscriptions', () => {
  it.each([
    [true, true],
    [false, false],
    ['true', true],
    ['false', false],
    ['perhaps', undefined],
    [undefined, undefined],
  ])('says whether identifiers come, written as %j', async (written, read) => {
    const { stand, subscriptions } = await archive();
    stand.on(path, json([{ id: 'a', includeIdentifiers: written }]));
    const [found] = await subscriptions.list();
    expect(found).toEqual({ id: 'a', ...(written === undefined ? {} : { includeIdentifiers: read }) });
  });

  it('is not known where an id would lead to another path', async () => {
    const { stand, subscriptions } = await archive();
    stand.on(path, json([{ id: '..' }]));
    await expect(subscriptions.list()).rejects.toMatchObject({ code: 'UPSTREAM_UNREADABLE' });
  });
});
