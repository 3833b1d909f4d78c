import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCommand } from '../support/command.ts';

const env = {
  SOURCES: 'archive',
  SOURCE_ARCHIVE_KIND: 'preservica',
  SOURCE_ARCHIVE_URL: 'http://127.0.0.1:9',
  SOURCE_ARCHIVE_USERNAME: 'app@example.test',
};

// All other tests of the command run it inside their own process.
describe('the command in a process of its own', () => {
  it('shows its help and ends with 0', async () => {
    const ran = await startCommand(['--help'], { env: {} });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('doctor');
  });

  it('names itself as it can be typed from another folder', async () => {
    const ran = await startCommand(['doctor'], { env: {}, cwd: import.meta.dirname });
    const [, path = ''] = /Then look again: node (\S+) doctor/.exec(ran.stdout) ?? [];
    expect(isAbsolute(path)).toBe(true);
    expect(await readFile(join(path, 'package.json'), 'utf8')).toContain('asset-webhooks.mjs');
  });

  it('reads a password from standard input, and ends with 1 where the other side is away', async () => {
    const ran = await startCommand(['preservica', '--password-stdin', 'subscriptions', 'list'], {
      env,
      input: 'open sesame\n',
    });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('The connection to Preservica failed');
  });

  it('ends with 2 where it is used wrongly', async () => {
    const ran = await startCommand(['preservica', 'subscriptions', 'delete'], { env });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('Which subscriptions?');
  });
});
