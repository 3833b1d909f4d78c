import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appSettings, readConfig, sourceSettings } from '../src/config.ts';
import { prefixOf } from '../src/pipeline/ports/source-config.ts';
import { placeholders } from '../src/pipeline/ports/setting-values.ts';
import { configFor, settingsFor } from './support/config.ts';

function faultsOf(env: Record<string, string | undefined>): string[] {
  const read = readConfig(env);
  return read.ok ? [] : read.faults;
}

describe('settings', () => {
  it('have the defaults of the contract', () => {
    expect(configFor('UseDevelopmentStorage=true')).toMatchObject({
      storage: { kind: 'connection-string', connectionString: 'UseDevelopmentStorage=true' },
      keyVaultUrl: undefined,
      secretOverlapMs: 168 * 3_600_000,
      maxDeliveryBytes: 4_194_304,
      maxBodiesBytes: 67_108_864,
      maxThumbnailBytes: 5_242_880,
      maxFiles: 100,
      maxEventAgeMs: 168 * 3_600_000,
      retryDelaysMs: [5, 30, 120, 600, 1800, 7200, 21_600].map((seconds) => seconds * 1000),
      retryAfterCapMs: 21_600_000,
      foldMarginMs: 10_000,
      retentionMs: 400 * 86_400_000,
      catchUpSchedule: '0 */15 * * * *',
    });
    expect(configFor('x').sources.get('archive')).toMatchObject({
      handshake: 'strict',
      maxCallsAtOnce: 16,
      maxCallsPerSecond: 0,
    });
  });

  it.each([
    ['is missing', undefined],
    ['has a name in upper case', 'Archive,photos'],
    ['names a source twice', 'archive,photos,archive'],
    ['has a name that is none', 'archive,photos,no name'],
    ['ends with a comma', 'archive,photos,'],
  ])('name the faults of the sources too where SOURCES %s', (_name, SOURCES) => {
    const faults = faultsOf({
      ...settingsFor('x'),
      SOURCES,
      SOURCE_ARCHIVE_URL: 'ftp://archive.example.org',
      SOURCE_PHOTOS_KIND: 'picasso',
    });
    expect(new Set(faults.map((fault) => fault.split(':')[0]))).toEqual(
      new Set(['SOURCES', 'SOURCE_ARCHIVE_URL', 'SOURCE_PHOTOS_KIND', 'SOURCE_PHOTOS_URL']),
    );
  });

  it('name no file for secrets on an instance of the platform, where none lasts', () => {
    const file = (given: Record<string, string>) => configFor('x', given).localSecretsFile;
    expect(file({})).toBe('local.secrets.json');
    expect(file({ LOCAL_SECRETS_FILE: '/x/y' })).toBe('/x/y');
    const inAzure = { ASSET_WEBHOOKS_HOSTING: 'azure', WEBSITE_SITE_NAME: 'acme' };
    expect(file({ LOCAL_SECRETS_FILE: '/x/y', ...inAzure })).toBeUndefined();
  });

  it.each([
    ['a container', { CONTAINER_NAME: 'dev', WEBSITE_INSTANCE_ID: 'a', WEBSITE_POD_NAME: 'b' }],
    ['an instance that no deployment marked', { WEBSITE_SITE_NAME: 'acme', WEBSITE_INSTANCE_ID: 'a' }],
    ['settings that were copied from the platform', { ASSET_WEBHOOKS_HOSTING: 'azure' }],
    [
      'the tools of the platform on a machine of our own',
      {
        ASSET_WEBHOOKS_HOSTING: 'azure',
        WEBSITE_SITE_NAME: 'acme',
        FUNCTIONS_CORETOOLS_ENVIRONMENT: 'Development',
      },
    ],
  ])('take for no instance of the platform: %s', (_name, given) => {
    expect(configFor('x', { LOCAL_SECRETS_FILE: '/x/y', ...given }).localSecretsFile).toBe('/x/y');
  });

  it('warn where the platform runs an app that no deployment marked', () => {
    const read = readConfig(settingsFor('x', { WEBSITE_SITE_NAME: 'acme', WEBSITE_SKU: 'FlexConsumption' }));
    expect(read).toMatchObject({ warnings: [expect.stringMatching(/^ASSET_WEBHOOKS_HOSTING: /)] });
  });

  it('are told all at once where they are wrong', () => {
    const faults = faultsOf({
      SOURCES: 'archive,photos',
      SOURCE_ARCHIVE_KIND: 'telepathy',
      SOURCE_ARCHIVE_URL: 'ftp://x',
      SOURCE_PHOTOS_KIND: 'preservica',
      SOURCE_PHOTOS_SECERT: 'x',
      MAX_FILES: '-1',
      RETRY_DELAYS_SECONDS: '5,soon',
      KEY_VAULT_URL: 'http://vault.example.org',
    });
    const named = new Set(faults.map((fault) => fault.split(':')[0]));
    expect(named).toEqual(
      new Set([
        'AzureWebJobsStorage',
        'KEY_VAULT_URL',
        'MAX_FILES',
        'RETRY_DELAYS_SECONDS',
        'SOURCE_ARCHIVE_KIND',
        'SOURCE_ARCHIVE_URL',
        'SOURCE_PHOTOS_SECERT',
        'SOURCE_PHOTOS_URL',
      ]),
    );
  });

  it('never show a value', () => {
    const names = [
      ...Object.keys(appSettings.shape),
      'AzureWebJobsStorage__queueServiceUri',
      ...Object.keys(sourceSettings).map((name) => `SOURCE_ARCHIVE_${name}`),
    ];
    const value = fc.stringMatching(/^[!-~]{6,30}$/).map((text) => `~${text}~`);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), value, (env, secret) => {
        const given = { ...env, SOURCES: 'archive', SOURCE_ARCHIVE_SECRET: secret };
        const told = faultsOf(given).join('\n');
        for (const each of Object.values({ ...env, secret })) expect(told).not.toContain(each);
      }),
    );
  });

  it.each([
    ['no source at all', { SOURCES: undefined }, 'SOURCES'],
    ['an empty list of sources', { SOURCES: '' }, 'SOURCES'],
    ['a source in upper case', { SOURCES: 'Archive' }, 'SOURCES'],
    ['a source twice', { SOURCES: 'archive,archive' }, 'SOURCES'],
    ['a spelling error', { SOURCE_ARCHIVE_PASWORD: 'x' }, 'SOURCE_ARCHIVE_PASWORD'],
    ['a spelling error in the name of a source', { SOURCE_ARCIVE_URL: 'http://x' }, 'SOURCE_ARCIVE_URL'],
    ['a spelling error in a setting for all', { RETRY_DELAY_SECONDS: '5' }, 'RETRY_DELAY_SECONDS'],
    ['lower case', { max_files: '5' }, 'max_files'],
    ['an unknown setting that begins as one of ours', { MAX_THUMBNAIL_WIDTH: '5' }, 'MAX_THUMBNAIL_WIDTH'],
    [
      'a spelling error in the name of an action',
      { ACTIONS: 'hooks', ACTION_HOKS_URL: 'x' },
      'ACTION_HOKS_URL',
    ],
    ['an action twice', { ACTIONS: 'hooks,hooks' }, 'ACTIONS'],
    ['publishing, which no version has', { PUBLISHING: 'on' }, 'PUBLISHING'],
    [
      'a pointer for a kind without payloads',
      { SOURCE_ARCHIVE_TITLE_POINTER: '/a' },
      'SOURCE_ARCHIVE_TITLE_POINTER',
    ],
    ['a retention of words', { RETENTION_DAYS: 'nonsense' }, 'RETENTION_DAYS'],
    ['a retention below the age limit', { RETENTION_DAYS: '6' }, 'RETENTION_DAYS'],
    ['a schedule of five fields', { CATCH_UP_SCHEDULE: '*/15 * * * *' }, 'CATCH_UP_SCHEDULE'],
    ['a schedule that never comes', { CATCH_UP_SCHEDULE: '0 0 0 31 2 *' }, 'CATCH_UP_SCHEDULE'],
    ['a schedule in words', { CATCH_UP_SCHEDULE: '@daily' }, 'CATCH_UP_SCHEDULE'],
    ['a catch-up that is neither on nor off', { SOURCE_ARCHIVE_CATCH_UP: 'yes' }, 'SOURCE_ARCHIVE_CATCH_UP'],
    ['a catch-up from nowhere', { SOURCE_ARCHIVE_CATCH_UP_FROM: 'soon' }, 'SOURCE_ARCHIVE_CATCH_UP_FROM'],
    ['another place to run', { ASSET_WEBHOOKS_HOSTING: 'aws' }, 'ASSET_WEBHOOKS_HOSTING'],
    ['no room for bodies', { MAX_BODIES_BYTES: '0' }, 'MAX_BODIES_BYTES'],
    ['a secret with a blank around', { SOURCE_ARCHIVE_SECRET: ' my_shared_secret' }, 'SOURCE_ARCHIVE_SECRET'],
    ['a password with a line end', { SOURCE_ARCHIVE_PASSWORD: 'sesame\n' }, 'SOURCE_ARCHIVE_PASSWORD'],
    ['a seed with a blank around', { SOURCE_ARCHIVE_TOTP_SEED: 'ABCDEFGH ' }, 'SOURCE_ARCHIVE_TOTP_SEED'],
    ['the secret of the example', { SOURCE_ARCHIVE_SECRET: placeholders[0] }, 'SOURCE_ARCHIVE_SECRET'],
    ['the password of the example', { SOURCE_ARCHIVE_PASSWORD: placeholders[1] }, 'SOURCE_ARCHIVE_PASSWORD'],
    ['an address with a password', { SOURCE_ARCHIVE_URL: 'https://a:b@example.org' }, 'SOURCE_ARCHIVE_URL'],
    ['an address with a query', { SOURCE_ARCHIVE_URL: 'https://example.org/?x=1' }, 'SOURCE_ARCHIVE_URL'],
    ['a secret with an accent', { SOURCE_ARCHIVE_SECRET: 'café-secret' }, 'SOURCE_ARCHIVE_SECRET'],
    ['a secret with a line end', { SOURCE_ARCHIVE_SECRET: 'secret\n' }, 'SOURCE_ARCHIVE_SECRET'],
    ['a seed that is none', { SOURCE_ARCHIVE_TOTP_SEED: '!!!!!!!!' }, 'SOURCE_ARCHIVE_TOTP_SEED'],
    ['an unknown handshake', { SOURCE_ARCHIVE_HANDSHAKE: 'off' }, 'SOURCE_ARCHIVE_HANDSHAKE'],
    ['no room for a delivery', { MAX_DELIVERY_BYTES: '0' }, 'MAX_DELIVERY_BYTES'],
    ['a number with a unit', { MAX_EVENT_AGE_HOURS: '24h' }, 'MAX_EVENT_AGE_HOURS'],
    ['no calls at once', { SOURCE_ARCHIVE_MAX_CALLS_AT_ONCE: '0' }, 'SOURCE_ARCHIVE_MAX_CALLS_AT_ONCE'],
    ['no storage', { AzureWebJobsStorage: undefined }, 'AzureWebJobsStorage'],
  ])('are faulty with %s', (_name, given, named) => {
    const faults = faultsOf({ ...settingsFor('UseDevelopmentStorage=true'), ...given });
    expect(faults.map((fault) => fault.split(':')[0])).toContain(named);
  });

  it('may be empty, which is as if they were not there', () => {
    const env = settingsFor('UseDevelopmentStorage=true', {
      SOURCE_ARCHIVE_TENANT: '',
      MAX_FILES: '',
      KEY_VAULT_URL: '',
    });
    expect(readConfig(env)).toMatchObject({ ok: true, config: { maxFiles: 100, keyVaultUrl: undefined } });
  });

  it('say which name was meant', () => {
    const faults = faultsOf(settingsFor('x', { SOURCE_ARCHIVE_SECERT: 'x', PUBLIC_URI: 'http://x' }));
    expect(faults).toContain('SOURCE_ARCHIVE_SECERT: no such setting; did you mean SOURCE_ARCHIVE_SECRET?');
    expect(faults).toContain('PUBLIC_URI: no such setting; did you mean PUBLIC_URL?');
  });

  it.each([
    ['all of it', { SOURCE_PHOTOS_KIND: 'woodwing', SOURCE_PHOTOS_URL: 'http://x', SOURCE_PHOTOS_OLD: 'x' }],
    ['a part of it', { SOURCE_PHOTOS_PASSWORD: 'x' }],
    ['of a name that begins as another one', { SOURCE_ARCHIVE_2_KIND: 'x', SOURCE_ARCHIVE_2_SECRET: 'x' }],
    ['of a name that is near to another one', { SOURCE_ARCHIVES_KIND: 'x', SOURCE_ARCHIVES_URL: 'x' }],
  ])('warn of what a source left behind: %s', (_name, given) => {
    const read = readConfig(settingsFor('x', given));
    expect(read.ok ? [] : read.faults).toEqual([]);
    const warned = read.ok ? read.warnings.map((warning) => warning.split(':')[0]) : [];
    expect(warned).toEqual(Object.keys(given));
  });

  it('leave the variables of others alone', () => {
    const others = {
      SOURCE_DATE_EPOCH: '1',
      SOURCE: 'x',
      SOURCES_LIST: 'x',
      MAX_WORKERS: '4',
      RETRY_COUNT: '3',
      ACTIONS_CACHE_URL: 'x',
      GITHUB_ACTION: 'x',
      FUNCTIONS_EXTENSION_VERSION: '~4',
      AzureWebJobsFeatureFlags: 'x',
      WEBSITE_HOSTNAME: 'x',
      SECRET_KEY_BASE: 'x',
      PUBLIC_HOST: 'x',
      NODE_OPTIONS: '',
      PORT: '80',
    };
    expect(readConfig(settingsFor('x', others))).toMatchObject({ ok: true, warnings: [] });
  });

  it('take blanks around an address for none', () => {
    const config = configFor('x', {
      SOURCE_ARCHIVE_URL: ' https://example.org/base/ ',
      SOURCE_ARCHIVE_PORTAL_URL: 'https://portal.example.org\n',
      PUBLIC_URL: '\thttps://me.example.org',
      KEY_VAULT_URL: 'https://v.vault.azure.net ',
    });
    expect(config).toMatchObject({
      publicUrl: 'https://me.example.org',
      keyVaultUrl: 'https://v.vault.azure.net',
    });
    expect(config.sources.get('archive')).toMatchObject({
      url: 'https://example.org/base',
      portalUrl: 'https://portal.example.org',
    });
  });

  it('say of a secret with a blank around what is wrong with it', () => {
    const faults = faultsOf(settingsFor('x', { SOURCE_ARCHIVE_SECRET: 'my_shared_secret ' }));
    expect(faults).toEqual(['SOURCE_ARCHIVE_SECRET: must not begin or end with a blank or a line end']);
  });

  it('say how missed calls are looked for', () => {
    const given = {
      CATCH_UP_SCHEDULE: '0 0 3 * * Mon-Fri',
      SOURCE_ARCHIVE_CATCH_UP: 'off',
      SOURCE_ARCHIVE_CATCH_UP_FROM: '2026-01-05',
    };
    const { catchUpSchedule, sources } = configFor('x', given);
    expect(catchUpSchedule).toBe('0 0 3 * * Mon-Fri');
    expect(sources.get('archive')?.catchUp).toEqual({ isOn: false, from: Date.UTC(2026, 0, 5) });
  });

  it('may ask for no limit, and for another number of calls at one source', () => {
    const config = configFor('x', {
      MAX_EVENT_AGE_HOURS: '0',
      MAX_CALLS_AT_ONCE: '3',
      SOURCE_ARCHIVE_MAX_CALLS_PER_SECOND: '7',
    });
    expect(config.maxEventAgeMs).toBe(0);
    expect(config.sources.get('archive')).toMatchObject({ maxCallsAtOnce: 3, maxCallsPerSecond: 7 });
  });
});

describe('two sources', () => {
  const two = (given: Record<string, string>) =>
    faultsOf(
      settingsFor('UseDevelopmentStorage=true', {
        SOURCES: 'archive,archive-2',
        SOURCE_ARCHIVE_2_KIND: 'preservica',
        SOURCE_ARCHIVE_2_URL: 'https://example.org',
        ...given,
      }),
    );

  it('are told apart, a hyphen being an underscore', () => {
    expect(two({ SOURCE_ARCHIVE_2_SECRET: 'another secret' })).toEqual([]);
    expect(prefixOf('archive-2')).toBe('SOURCE_ARCHIVE_2_');
  });

  it.each(['SOURCE_ARCHIVE_2_SECRET', 'SOURCE_ARCHIVE_2_SECRET_PREVIOUS'])(
    'may not hold the same secret: %s',
    (setting) => {
      const faults = two({ [setting]: 'my_shared_secret' });
      expect(faults).toEqual([expect.stringMatching(/^SOURCE_ARCHIVE_2_\w+: .*SOURCE_ARCHIVE_SECRET$/)]);
    },
  );

  it.each([
    ['preservica', ['SOURCE_ARCHIVE_2_URL']],
    ['woodwing', ['SOURCE_ARCHIVE_2_URL']],
    // Its payloads hold all there is to know: it is never asked.
    ['pywebhooks', []],
  ])('of kind %s are asked somewhere, or are no faulty settings', (kind, expected) => {
    const faults = two({ SOURCE_ARCHIVE_2_KIND: kind, SOURCE_ARCHIVE_2_URL: '' });
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(expected);
  });

  it('may not be named so that a setting could belong to both', () => {
    const faults = faultsOf({
      AzureWebJobsStorage: 'x',
      SOURCES: 'a,a-portal',
      SOURCE_A_KIND: 'preservica',
      SOURCE_A_URL: 'https://example.org',
      SOURCE_A_PORTAL_KIND: 'preservica',
      SOURCE_A_PORTAL_URL: 'https://example.org',
    });
    expect(faults).toEqual([expect.stringMatching(/^SOURCE_A_PORTAL_URL: .*a or a-portal/)]);
  });
});

describe('storage', () => {
  const without = { ...settingsFor('x'), AzureWebJobsStorage: undefined };

  it('may be named by its account', () => {
    expect(readConfig({ ...without, AzureWebJobsStorage__accountName: 'acme' })).toMatchObject({
      config: {
        storage: {
          kind: 'identity',
          queueUrl: 'https://acme.queue.core.windows.net',
          blobUrl: 'https://acme.blob.core.windows.net',
          tableUrl: 'https://acme.table.core.windows.net',
        },
      },
    });
  });

  it('may be named by its three services, with an identity', () => {
    const env = {
      ...without,
      AzureWebJobsStorage__queueServiceUri: ' https://q.example.org ',
      AzureWebJobsStorage__blobServiceUri: 'https://b.example.org',
      AzureWebJobsStorage__tableServiceUri: 'https://t.example.org',
      AzureWebJobsStorage__credential: 'managedidentity',
      AzureWebJobsStorage__clientId: 'c-1',
    };
    expect(readConfig(env)).toMatchObject({
      config: { storage: { queueUrl: 'https://q.example.org', clientId: 'c-1' } },
    });
    expect(faultsOf({ ...env, AzureWebJobsStorage__tableServiceUri: undefined })).toHaveLength(1);
    expect(faultsOf({ ...env, AzureWebJobsStorage__credential: 'magic' })).toHaveLength(1);
  });
});
