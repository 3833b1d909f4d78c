import { Secret, TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { defaultSettings } from '../../../../src/local/simulators/preservica/settings.ts';
import { answered, clientOf, logIn, startSimulator } from './client.ts';

const uuid: unknown = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const seed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

interface Tokens {
  readonly token: string;
  readonly 'refresh-token': string;
}

describe('a login', () => {
  it('gives a pair of tokens that last 15 minutes', async () => {
    const login = await logIn(await startSimulator());
    expect(login.status).toBe(200);
    expect(JSON.parse(login.text)).toEqual({
      success: true,
      token: uuid,
      'refresh-token': uuid,
      validFor: 15,
      user: 'archivist@example.org',
    });
  });

  it('tells about the user when asked', async () => {
    const login = await logIn(await startSimulator(), { includeUserDetails: 'true' });
    expect(JSON.parse(login.text)).toMatchObject({
      fullName: 'A. Archivist',
      email: 'archivist@example.org',
      tenant: 'ACME',
      roles: ['ROLE_SDB_MANAGER_USER'],
    });
  });

  it.each([
    ['a wrong password', { password: 'x' }],
    ['an unknown user', { username: 'x' }],
    ['another tenant', { tenant: 'x' }],
  ])('refuses %s', async (_name, form) => {
    const login = await logIn(await startSimulator(), form);
    expect(login.status).toBe(401);
    expect(JSON.parse(login.text)).toEqual({ success: false, message: 'login.failed' });
  });

  it('wants a second factor where there is one, and takes it once', async () => {
    const account = { ...defaultSettings().account, totpSeed: seed };
    const simulator = await startSimulator({ settings: { account } });
    const login = await logIn(simulator);
    const first = JSON.parse(login.text) as { continuationToken: string; tenant: string };
    expect(login.status).toBe(401);
    expect(first).toEqual({ success: false, message: 'needs.2fa', continuationToken: uuid, tenant: 'ACME' });

    const complete = async (twoFactorToken: string, continuationToken = first.continuationToken) => {
      const { tenant } = first;
      const body = new URLSearchParams({
        username: account.username,
        continuationToken,
        tenant,
        twoFactorToken,
      });
      const url = `${simulator.url}/api/accesstoken/complete-2fa`;
      return await answered(await fetch(url, { method: 'POST', body }));
    };
    const code = new TOTP({ secret: Secret.fromBase32(seed) }).generate();
    expect((await complete(code, 'unknown')).status).toBe(401);
    expect((await complete(code)).status).toBe(200);
    expect((await complete(code)).status).toBe(401);
    const again = JSON.parse((await logIn(simulator)).text) as { continuationToken: string };
    expect((await complete('12345', again.continuationToken)).status).toBe(401);
  });
});

describe('a token', () => {
  const statusWith = async (url: string, headers: Record<string, string>): Promise<number> =>
    (await answered(await fetch(`${url}/api/user/details`, { headers }))).status;

  it('is taken in either header, and nothing else is', async () => {
    const simulator = await startSimulator();
    const { token } = JSON.parse((await logIn(simulator)).text) as Tokens;
    expect(await statusWith(simulator.url, { 'Preservica-Access-Token': token })).toBe(200);
    expect(await statusWith(simulator.url, { Authorization: `Bearer ${token}` })).toBe(200);
    expect(await statusWith(simulator.url, {})).toBe(401);
    expect(await statusWith(simulator.url, { 'Preservica-Access-Token': 'x' })).toBe(401);
    simulator.forgetTokens();
    expect(await statusWith(simulator.url, { 'Preservica-Access-Token': token })).toBe(401);
  });

  it('ends by itself', async () => {
    const simulator = await startSimulator({ settings: { tokenLifeMs: 0 } });
    const { token } = JSON.parse((await logIn(simulator)).text) as Tokens;
    expect(await statusWith(simulator.url, { 'Preservica-Access-Token': token })).toBe(401);
  });

  it('is exchanged for a new pair, once', async () => {
    const simulator = await startSimulator();
    const old = JSON.parse((await logIn(simulator)).text) as Tokens;
    const refresh = async (token: string) => {
      const body = new URLSearchParams({ refreshToken: old['refresh-token'] });
      const headers = { 'Preservica-Access-Token': token };
      const url = `${simulator.url}/api/accesstoken/refresh`;
      return await answered(await fetch(url, { method: 'POST', body, headers }));
    };
    expect((await refresh('another')).status).toBe(401);
    const renewed = await refresh(old.token);
    expect(renewed.status).toBe(200);
    const { token } = JSON.parse(renewed.text) as Tokens;
    expect(token).not.toBe(old.token);
    expect(await statusWith(simulator.url, { 'Preservica-Access-Token': token })).toBe(200);
    expect((await refresh(old.token)).status).toBe(401);
  });
});

it('answers what a client asks at its start', async () => {
  const simulator = await startSimulator();
  const client = await clientOf(simulator);
  expect((await client('/api/entity/versiondetails/version')).text).toContain(
    '<CurrentVersion>8.1.0</CurrentVersion>',
  );
  expect(JSON.parse((await client('/api/user/details')).text)).toMatchObject({
    roles: ['ROLE_SDB_MANAGER_USER'],
  });
});
