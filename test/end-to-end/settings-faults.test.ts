import { describe, expect, it } from 'vitest';
import { settingsFor } from '../support/config.ts';
import { spawnHost, startHostProcess } from '../support/host-process.ts';

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

describe('npm run host with settings that a source left behind', () => {
  it('serves all the same, and says once that nothing reads them', async () => {
    const host = await startHostProcess({
      env: settingsFor('UseDevelopmentStorage=true', {
        SOURCE_SCANS_KIND: 'pywebhooks',
        SOURCE_SCANS_API_KEY: 'a-secret-nobody-may-see',
      }),
    });
    expect((await fetch(`${host.url}/health`)).status).toBe(200);
    const warned = host.lines.filter((line) => line.includes('settings-warning'));
    expect(warned).toHaveLength(1);
    expect(warned[0]).toMatch(/SOURCE_SCANS_KIND: .*SOURCE_SCANS_API_KEY: /);
    expect(host.lines.join()).not.toContain('nobody-may-see');
    host.kill();
    await host.exited;
  });
});
