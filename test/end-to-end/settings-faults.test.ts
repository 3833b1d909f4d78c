import { describe, expect, it } from 'vitest';
import { settingsFor } from '../support/config.ts';
import { spawnHost } from '../support/host-process.ts';

describe('npm run host with faulty settings', () => {
  it('names every fault at once, shows no value, and ends with an exit code', async () => {
    const host = spawnHost({
      env: settingsFor('UseDevelopmentStorage=true', {
        SOURCE_ARCHIVE_KIND: 'telepathy',
        SOURCE_ARCHIVE_URL: 'not-a-web-address',
        SOURCE_ARCHIVE_SECERT: 'a-secret-nobody-may-see',
        MAX_FILES: 'many-many',
      }),
    });
    expect((await host.exited).code).toBe(1);
    const said = host.lines.join('\n');
    for (const name of ['SOURCE_ARCHIVE_KIND', 'SOURCE_ARCHIVE_URL', 'SOURCE_ARCHIVE_SECERT', 'MAX_FILES'])
      expect(said).toContain(name);
    // It says where it looked, too.
    expect(said).toContain('no.settings.json');
    expect(said).not.toMatch(/telepathy|not-a-web-address|a-secret-nobody-may-see|many-many/);
  });

  it('tells of a settings file that is named and missing', async () => {
    const host = spawnHost({ env: { LOCAL_SETTINGS_FILE: '/nowhere/local.settings.json' } });
    expect((await host.exited).code).toBe(1);
    expect(host.lines).toEqual(['LOCAL_SETTINGS_FILE: there is no file /nowhere/local.settings.json']);
  });
});
