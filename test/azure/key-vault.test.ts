import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFakeVault, type FakeVault, type VaultRefusal } from '../support/fake-vault.ts';
import { until } from '../support/until.ts';

// The real SDKs, in a process of their own that trusts a certificate made here.

const now = Math.floor(Date.now() / 1000);
const name = 'source-archive-secret';
const src = join(import.meta.dirname, '..', '..', 'src');
let vault: FakeVault;

beforeAll(async () => {
  vault = await startFakeVault();
});
beforeEach(() => {
  vault.secrets.clear();
  vault.asked.length = 0;
  vault.settings.latencyMs = 0;
  vault.settings.refusal = undefined;
});

/** What a program prints that has the `secrets` of such an app. */
async function outputOf(program: string, { complains = false } = {}): Promise<unknown> {
  const whole = `
    const { createSecrets } = await import(${JSON.stringify(join(src, 'secrets', 'create-secrets.ts'))});
    const { configuredVault } = await import(${JSON.stringify(join(src, 'azure', 'key-vault.ts'))});
    const { readConfig } = await import(${JSON.stringify(join(src, 'config.ts'))});
    const { config } = readConfig(process.env);
    const secrets = createSecrets(config, { vault: configuredVault(config, Date), now: Date.now, log: (...line) => console.error(JSON.stringify(line)) });
    ${program}
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', whole], {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...vault.env,
      AzureWebJobsStorage: 'UseDevelopmentStorage=true',
      SOURCES: 'archive',
      SOURCE_ARCHIVE_KIND: 'preservica',
      SOURCE_ARCHIVE_URL: 'https://example.org',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let trouble = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  child.stderr.on('data', (text: Buffer) => (trouble += text.toString()));
  await once(child, 'close');
  expect(trouble === '').toBe(!complains);
  return JSON.parse(said);
}

const asked = (what: RegExp): string[] => vault.asked.filter((each) => what.test(each));

describe('webhook secrets in a key vault', () => {
  it('are the two newest versions that count, asked for as the managed identity', async () => {
    vault.put(name, 'the old secret', { created: now - 9000 });
    vault.put(name, 'the new secret', { created: now - 60 });
    vault.put(name, 'a disabled secret', { created: now - 50, enabled: false });
    vault.put(name, 'an expired secret', { created: now - 40, exp: now - 10 });
    vault.put(name, 'a secret for later', { created: now - 30, nbf: now + 9000 });
    const output = await outputOf(`console.log(JSON.stringify({
      webhook: await secrets.webhookSecrets('archive'),
      password: (await secrets.password('archive')) ?? 'none',
    }));`);
    expect(output).toEqual({ webhook: ['the new secret', 'the old secret'], password: 'none' });
    expect(vault.asked[0]).toMatch(/^token as client-1 for https:\/\/localhost.* the header of this app$/);
  });

  it.each([
    ['disabled', { enabled: false }],
    ['expired', { exp: now - 10 }],
  ])('are looked through where the newest one is %s', async (_what, given) => {
    vault.put(name, 'the old secret', { created: now - 9000 });
    vault.put(name, 'the new secret', { created: now - 60 });
    vault.put(name, 'another', { created: now - 50, ...given });
    expect(await outputOf(`console.log(JSON.stringify(await secrets.webhookSecrets('archive')));`)).toEqual([
      'the new secret',
      'the old secret',
    ]);
  });

  it('of a thousand versions are looked through once, whoever looks how often', async () => {
    for (let each = 0; each < 1_000; each += 1)
      vault.put(name, `secret ${each}`, { created: now - 9_000 + each });
    const output = await outputOf(`
      await Promise.all([1, 2, 3].map(() => secrets.refresh('archive')));
      for (const _ of [1, 2, 3]) await secrets.refresh('archive');
      console.log(JSON.stringify(await secrets.webhookSecrets('archive')));
    `);
    expect(output).toEqual(['secret 999', 'secret 998']);
    expect(asked(/\/versions$/)).toHaveLength(40);
  });

  it('whose predecessor was disabled since have the one before that', async () => {
    for (const each of [1, 2, 3]) vault.put(name, `secret ${each}`, { created: now - 9_000 + each });
    const looking = outputOf(`
      await secrets.refresh('archive');
      console.log('[');
      while (String(await secrets.webhookSecrets('archive')) === 'secret 3,secret 2') {
        await new Promise((resolve) => setTimeout(resolve, 50));
        await secrets.refresh('archive');
      }
      console.log(JSON.stringify(await secrets.webhookSecrets('archive')) + ']');
    `);
    await until(async () => (asked(/GET .*\/v/).length > 2 ? true : undefined));
    const second = vault.secrets.get(name)?.find(({ value }) => value === 'secret 2');
    if (second !== undefined) second.enabled = false;
    expect(await looking).toEqual([['secret 3', 'secret 1']]);
  });
});

describe('a vault that does not give what it has', () => {
  // Known from the first look; then the vault changes, and somebody looks again.
  const twice = (change: string): string => `
    await secrets.refresh('archive');
    console.log('[' + JSON.stringify(await secrets.webhookSecrets('archive')) + ',');
    await fetch('${change}');
    const failed = await secrets.refresh('archive').then(() => false, () => true);
    console.log(JSON.stringify({ failed, known: await secrets.webhookSecrets('archive') }) + ']');
  `;
  const known = ['the new secret', 'the old secret'];

  /** An address that, when called, makes the vault refuse. */
  const refusing = async (refusal: VaultRefusal): Promise<{ url: string; end: () => void }> => {
    const server = createServer((_request, response) => {
      vault.settings.refusal = refusal;
      response.end();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/`, end: () => void server.close() };
  };

  it.each<[string, VaultRefusal]>([
    [
      'our role is gone',
      { status: 403, body: { error: { code: 'Forbidden', innererror: { code: 'ForbiddenByRbac' } } } },
    ],
    [
      'we are not let in from here',
      { status: 403, body: { error: { code: 'Forbidden', innererror: { code: 'ForbiddenByConnection' } } } },
    ],
    ['it has too much to do, for an hour', { status: 429, headers: { 'retry-after': '3600' } }],
    [
      'it belongs to another tenant',
      {
        status: 401,
        headers: {
          'www-authenticate':
            'Bearer authorization="https://login.localhost/other", resource="https://localhost"',
        },
        body: { error: { code: 'Unauthorized', message: 'AKV10032: Invalid issuer.' } },
      },
    ],
    ['it fails', { status: 503, body: {} }],
  ])('leaves what is known in use where %s', async (_what, refusal) => {
    vault.put(name, 'the old secret', { created: now - 9000 });
    vault.put(name, 'the new secret', { created: now - 60 });
    const { url, end } = await refusing(refusal);
    try {
      const output = await outputOf(twice(url), { complains: true });
      expect(output).toEqual([known, { failed: true, known }]);
      expect(vault.asked.filter((each) => each.startsWith('refused')).length).toBeGreaterThan(0);
    } finally {
      end();
    }
  });

  it('is asked again after as long as it wants where that is short', async () => {
    vault.put(name, 'the only secret', { created: now - 60 });
    vault.settings.refusal = { status: 429, headers: { 'retry-after': '1' }, times: 1 };
    expect(await outputOf(`console.log(JSON.stringify(await secrets.webhookSecrets('archive')));`)).toEqual([
      'the only secret',
    ]);
  });
});
