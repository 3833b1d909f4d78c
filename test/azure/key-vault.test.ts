import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFakeVault, type FakeVault } from '../support/fake-vault.ts';
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
});

/** What a program prints that has the `secrets` of such an app. */
async function outputOf(program: string): Promise<unknown> {
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
  expect(trouble).toBe('');
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
