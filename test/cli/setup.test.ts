import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { settingsFor } from '../support/config.ts';
import { runCommand, startCommand } from '../support/command.ts';
import { readSetup } from '../../src/cli/setup.ts';
import { atTerminal } from '../../src/cli/terminal.ts';

it('keeps secrets in the file that is named, whatever place the app runs in', async () => {
  const env = settingsFor('x', {
    LOCAL_SECRETS_FILE: '/somewhere/secrets.json',
    ASSET_WEBHOOKS_HOSTING: 'azure',
    WEBSITE_SITE_NAME: 'acme',
    CONTAINER_NAME: 'dev',
  });
  let file: string | undefined;
  await atTerminal({ ...process, env }, async () => {
    file = (await readSetup()).config.localSecretsFile;
  });
  expect(file).toBe('/somewhere/secrets.json');
});

it('reads a settings file with comments, and says of faulty ones where it looked', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'setup-'));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  const file = join(folder, 'local.settings.json');
  await writeFile(
    file,
    '{ "Values": { "SOURCES": "scans", /* that is all */ "SOURCE_SCANS_KIND": "telepathy", } }',
  );
  const ran = await runCommand(['sources'], { env: { LOCAL_SETTINGS_FILE: file } });
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('SOURCE_SCANS_KIND: must be one of');
  expect(ran.stderr).toContain(`Settings come from the environment and from ${file}.`);
});

it('says of a settings file that is named and missing that it is not there', async () => {
  const ran = await startCommand(['sources'], { env: { LOCAL_SETTINGS_FILE: '/nowhere/x.json' } });
  expect(ran).toMatchObject({ code: 2, stdout: '' });
  expect(ran.stderr.trim()).toBe('LOCAL_SETTINGS_FILE: there is no file /nowhere/x.json');
});
