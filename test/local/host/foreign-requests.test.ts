import { request } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HostProcess } from '../../support/host-process.ts';
import { startFixture } from './fixture.ts';

let host: HostProcess;
beforeAll(async () => {
  host = await startFixture();
});

/** `fetch` sets Host and Origin itself. */
async function statusOf(path: string, headers: Readonly<Record<string, string>>, method = 'POST') {
  const { hostname, port } = new URL(host.url);
  return await new Promise<number | undefined>((resolve, reject) => {
    const call = request({ hostname, port, path, method, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    call.on('error', reject);
    call.end(method === 'POST' ? 'x=1' : undefined);
  });
}

const portOf = (): string => new URL(host.url).port;

describe('a route that needs a key on the platform', () => {
  it.each([
    ['of another page', { origin: 'https://evil.example', 'content-type': 'text/plain' }],
    ['of a page without an origin', { origin: 'null' }],
    ['of a page on another port', { origin: 'http://127.0.0.1:1' }],
    ['from another site', { 'sec-fetch-site': 'cross-site' }],
    ['from another port of this machine', { 'sec-fetch-site': 'same-site' }],
    ['by a name that was made to lead here', { host: 'evil.example' }],
    ['by a name that only begins as this machine does', { host: '127.0.0.1.evil.example' }],
    ['by a name with a user', { host: '127.0.0.1@evil.example' }],
  ])('refuses a call %s', async (_name, headers) => {
    expect(await statusOf('/staff', headers)).toBe(403);
    expect(await statusOf('/staff', headers, 'GET')).toBe(403);
  });

  it('answers what no page asks, and its own pages, by every name of this machine', async () => {
    expect(await statusOf('/staff', {})).toBe(200);
    expect(await statusOf('/staff', { origin: host.url })).toBe(200);
    expect(await statusOf('/staff', { 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await statusOf('/staff', { 'sec-fetch-site': 'none' }, 'GET')).toBe(200);
    const names = ['localhost', `localhost:${portOf()}`, `127.0.0.1:${portOf()}`, '127.0.0.2', '[::1]:80'];
    for (const name of names) expect(await statusOf('/staff', { host: name })).toBe(200);
  });

  it('answers the next call on a connection whose body it refused', async () => {
    const body = 'x'.repeat(1_000_000);
    const refused = await fetch(`${host.url}/staff`, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'cross-site' },
      body,
    });
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('its own machine only');
    expect((await fetch(`${host.url}/staff`, { method: 'POST', body })).status).toBe(200);
  });
});

it('a route for anybody is open, whoever and by whatever name calls', async () => {
  const headers = { host: 'tunnel.example', origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
  expect(await statusOf('/echo', headers)).toBe(200);
});
