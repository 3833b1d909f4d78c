import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHostProcess, type HostProcess } from '../support/host-process.ts';
import { startCommand } from '../support/command.ts';

const clientId = '11111111-2222-4333-8444-555555555555';
const settings = {
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  SOURCES: 'scans',
  SOURCE_SCANS_KIND: 'pywebhooks',
  SOURCE_SCANS_SECRET: 'a secret of sixteen',
  'AzureWebJobs.asset-events.Disabled': 'true',
  STAFF_CLIENT_ID: clientId,
};
const principal = { 'x-ms-client-principal': 'e30=', 'x-ms-client-principal-id': 'somebody' };

const staffRoutes = [
  ['GET', '/events'],
  ['GET', '/events/some-id'],
  ['POST', '/events/some-id/replay'],
  ['POST', '/replays'],
  ['GET', '/replays/some-id'],
  ['GET', '/sources'],
  ['POST', '/sources/scans/pause'],
  ['POST', '/sources/scans/resume'],
  ['POST', '/sources/scans/catch-up'],
  ['POST', '/sources/scans/window'],
  ['GET', '/assets/scans/a'],
  ['GET', '/assets/scans/a/thumbnail'],
] as const;

const statusOf = async (
  host: HostProcess,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<number> => {
  const answer = await fetch(host.url + path, { method, headers });
  await answer.arrayBuffer();
  return answer.status;
};

describe('where staff sign in', () => {
  let off: HostProcess;
  let on: HostProcess;
  beforeAll(async () => {
    off = await startHostProcess({ env: settings });
    on = await startHostProcess({ env: { ...settings, WEBSITE_AUTH_ENABLED: 'True' } });
  });

  it.each(staffRoutes)('%s %s is closed while the platform signs nobody in', async (method, path) => {
    // Anybody can write this header there.
    expect(await statusOf(off, method, path, principal)).toBe(503);
    expect(await statusOf(off, method, path)).toBe(503);
  });

  it.each(staffRoutes)('%s %s is closed to whom the platform did not sign in', async (method, path) => {
    expect(await statusOf(on, method, path)).toBe(401);
    expect(await statusOf(on, method, path, { 'x-functions-key': 'any' })).toBe(401);
  });

  it('whom the platform signed in comes to the route, and others to theirs as ever', async () => {
    expect(await statusOf(on, 'POST', '/sources/nobody/pause', principal)).toBe(404);
    for (const host of [off, on]) {
      expect(await statusOf(host, 'GET', '/health')).toBe(200);
      expect(await statusOf(host, 'GET', '/webhooks/nobody')).toBe(404);
    }
  });
});

describe('the command', () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(seen.length > 2 ? 401 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ events: [], next: null }));
  });
  let url = '';
  let folder = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    folder = await mkdtemp(join(tmpdir(), 'az-'));
    const az = join(folder, 'az');
    const token = { accessToken: 'a-token-of-entra', expires_on: Math.floor(Date.now() / 1000) + 3600 };
    await writeFile(
      az,
      `#!/bin/sh\ncase "$*" in *api://${clientId}*) echo '${JSON.stringify(token)}';; *) exit 1;; esac\n`,
    );
    await chmod(az, 0o755);
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('sends a token of whoever is signed in, and says what to do where it is refused', async () => {
    const env = {
      ...settings,
      ASSET_WEBHOOKS_URL: url,
      PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
    };
    const listed = await startCommand(['events', 'list'], { env });
    expect(listed.stderr).toBe('');
    expect(seen[0]).toBe('Bearer a-token-of-entra');
    expect(listed.code).toBe(0);
    expect(listed.stdout + listed.stderr).not.toContain('a-token-of-entra');
    seen.push(undefined, undefined);
    const refused = await startCommand(['events', 'list'], { env });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('az login');
  });
});
