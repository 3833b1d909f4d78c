import { readFile } from 'node:fs/promises';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { appSettings, readConfig } from '../../src/config.ts';
import { bicepCompiler, infra, predicted, type Resource } from '../support/bicep.ts';

const bicep = await bicepCompiler();

const one = `
param name = 'asset-webhooks'
param sources = [{ name: 'archive', kind: 'preservica', url: 'https://eu.preservica.com', username: 'me@example.org' }]
`;
const all = `
param name = 'asset-webhooks'
param sources = [
  {
    name: 'archive-2', kind: 'preservica', url: 'https://eu.preservica.com', username: 'me@example.org', tenant: 'ACME'
    portalUrl: 'https://portal.example.org', thumbnailSize: 'medium', handshake: 'lenient', catchUp: 'off', catchUpFrom: '2026-01-05'
    maxCallsAtOnce: 4, maxCallsPerSecond: 7, silentHours: 24
  }
  { name: 'photos', kind: 'woodwing', url: 'https://dam.example.org', username: 'me', metadataFields: ['creditName', 'rating'] }
  {
    name: 'scans', kind: 'pywebhooks', url: 'https://hooks.example.org', username: 'me'
    titlePointer: '/t', assetIdPointer: '/a', linkPointer: '/l', deduplicateSeconds: 60
  }
]
param settings = [{ name: 'RETENTION_DAYS', value: '30' }]
param allowedRanges = [{ name: 'office', range: '203.0.113.0/24' }, { name: 'monitor', range: 'ApplicationInsightsAvailability' }]
param privateNetwork = { addressPrefix: '10.20.0.0/24', appPrefix: '10.20.0.0/26', endpointPrefix: '10.20.0.64/27' }
param publicUrl = 'https://webhooks.example.org'
param alertEmails = ['duty@example.org']
param alertWebhookUrl = 'https://chat.example.org/hook'
param alertThresholds = { failedEvents: 7 }
param signIn = { clientId: '11111111-2222-4333-8444-555555555555', tenantId: '99999999-2222-4333-8444-555555555555' }
`;

const roleIds: Readonly<Record<string, string>> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  '4633458b-17de-408a-b874-0445c86b69e6': 'Key Vault Secrets User',
  'b86a8fe4-44ce-4948-aee5-eccb2c155cd7': 'Key Vault Secrets Officer',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
};

describe.skipIf(bicep === undefined)('the templates', () => {
  if (bicep === undefined) return;
  let plain: Resource[];
  let full: Resource[];
  beforeAll(async () => {
    [plain, full] = [await predicted(bicep, one), await predicted(bicep, all)];
  });

  const ofType = (resources: readonly Resource[], type: string): Resource[] =>
    resources.filter((each) => each.type.toLowerCase() === type.toLowerCase());
  const theOne = (resources: readonly Resource[], type: string): Resource => {
    const [found, ...more] = ofType(resources, type);
    if (found === undefined || more.length > 0) throw new Error(`${more.length + 1} of ${type}`);
    return found;
  };
  const lastNames = (resources: readonly Resource[]): string[] =>
    resources.map(({ name }) => name.split('/').at(-1) ?? '').toSorted();
  const settingsOf = (resources: readonly Resource[]): Record<string, string> => {
    const found = resources.find(({ name }) => name.endsWith('/appsettings'));
    return found?.properties as Record<string, string>;
  };

  it.each(globSync(join(infra, '*.bicep{,param}')).map((file) => [file.slice(infra.length + 1), file]))(
    '%s compiles and lints without a word',
    async (_name, file) => {
      const command = file.endsWith('param') ? 'build-params' : 'build';
      const built = await bicep([command, file, '--stdout']);
      expect({ code: built.code, stderr: built.stderr }).toEqual({ code: 0, stderr: '' });
      const linted = await bicep(['lint', file]);
      expect({ code: linted.code, said: linted.stdout + linted.stderr }).toEqual({ code: 0, said: '' });
    },
  );

  it('describe every parameter of the template that is deployed', async () => {
    const { stdout } = await bicep(['build', join(infra, 'main.bicep'), '--stdout']);
    const { parameters } = JSON.parse(stdout) as {
      parameters: Record<string, { metadata?: { description?: string } }>;
    };
    const silent = Object.entries(parameters).filter(
      ([, { metadata }]) => metadata?.description === undefined,
    );
    expect(silent.map(([name]) => name)).toEqual([]);
  });

  it('ask for no key and no secret anywhere', async () => {
    const { stdout } = await bicep(['build', join(infra, 'main.bicep'), '--stdout']);
    expect(stdout).not.toMatch(
      /list(?:Keys|AccountSas|ServiceSas|Secrets|Credentials)|AccountKey|SharedAccess/i,
    );
    for (const resources of [plain, full])
      for (const [name, value] of Object.entries(settingsOf(resources)))
        expect(`${name}=${value}`).not.toMatch(
          /PASSWORD|_SECRET|API_KEY|TOTP|AccountKey|InstrumentationKey=/,
        );
  });

  it('set what the app knows, and what belongs to the platform', () => {
    const platform = [
      'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
      'APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED',
      'APPLICATIONINSIGHTS_SDKSTATS_DISABLED',
      'APPLICATION_INSIGHTS_NO_STATSBEAT',
      'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
    ];
    const own = Object.keys(settingsOf(full)).filter(
      (name) => !/^(?:SOURCE_|AzureWebJobsStorage__)/.test(name) && !platform.includes(name),
    );
    for (const name of own) expect(Object.keys(appSettings.shape)).toContain(name);
    // An option of the templates, or a further setting.
    const notThere = Object.keys(appSettings.shape).filter((name) => !own.includes(name));
    expect(notThere.every((name) => readme().includes(`\`${name}\``))).toBe(true);
  });

  it.each([
    ['one source', () => plain],
    ['every setting of every kind', () => full],
  ])('give settings that the app takes: %s', (_name, resources) => {
    const settings = settingsOf(resources());
    const given = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [
        name,
        value.startsWith('[') ? `https://${name.toLowerCase().replaceAll('_', '-')}.example.org` : value,
      ]),
    );
    const read = readConfig({ ...given, KEY_VAULT_URL: 'https://kv.vault.azure.net' });
    expect(read.ok ? read.warnings : read.faults).toEqual([]);
  });

  it('turn each property of a source into its setting', () => {
    expect(settingsOf(full)).toMatchObject({
      SOURCES: 'archive-2,photos,scans',
      SOURCE_ARCHIVE_2_KIND: 'preservica',
      SOURCE_ARCHIVE_2_TENANT: 'ACME',
      SOURCE_ARCHIVE_2_PORTAL_URL: 'https://portal.example.org',
      SOURCE_ARCHIVE_2_THUMBNAIL_SIZE: 'medium',
      SOURCE_ARCHIVE_2_HANDSHAKE: 'lenient',
      SOURCE_ARCHIVE_2_CATCH_UP: 'off',
      SOURCE_ARCHIVE_2_CATCH_UP_FROM: '2026-01-05',
      SOURCE_ARCHIVE_2_MAX_CALLS_AT_ONCE: '4',
      SOURCE_ARCHIVE_2_MAX_CALLS_PER_SECOND: '7',
      SOURCE_PHOTOS_METADATA_FIELDS: 'creditName,rating',
      SOURCE_SCANS_TITLE_POINTER: '/t',
      SOURCE_SCANS_ASSET_ID_POINTER: '/a',
      SOURCE_SCANS_LINK_POINTER: '/l',
      SOURCE_SCANS_DEDUPLICATE_SECONDS: '60',
      RETENTION_DAYS: '30',
      PUBLIC_URL: 'https://webhooks.example.org',
    });
    expect(Object.keys(settingsOf(plain)).filter((name) => name.startsWith('SOURCE_'))).toEqual([
      'SOURCE_ARCHIVE_KIND',
      'SOURCE_ARCHIVE_URL',
      'SOURCE_ARCHIVE_USERNAME',
    ]);
  });

  it('make every queue, container and table that the code names', () => {
    const code = globSync('src/azure/*.ts', { cwd: join(infra, '..') })
      .map((file) => readFileSync(join(infra, '..', file), 'utf8'))
      .join('\n');
    const named = (pattern: RegExp): string[] =>
      [...new Set([...code.matchAll(pattern)].map(([, name = '']) => name))].toSorted();
    expect(lastNames(ofType(plain, 'Microsoft.Storage/storageAccounts/tableServices/tables'))).toEqual(
      named(/(?:clients\.table\('|table: ')(\w+)'/g),
    );
    expect(lastNames(ofType(plain, 'Microsoft.Storage/storageAccounts/blobServices/containers'))).toEqual(
      [...named(/clients\.container\('(\w+)'/g), 'package'].toSorted(),
    );
    expect(lastNames(ofType(plain, 'Microsoft.Storage/storageAccounts/queueServices/queues'))).toEqual(
      named(/QueueName = '([\w-]+)'/g).flatMap((queue) => [queue, `${queue}-poison`]),
    );
  });

  it('lock storage, vault and app', () => {
    for (const resources of [plain, full]) {
      expect(theOne(resources, 'Microsoft.Storage/storageAccounts').properties).toMatchObject({
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        minimumTlsVersion: 'TLS1_2',
        supportsHttpsTrafficOnly: true,
      });
      expect(theOne(resources, 'Microsoft.KeyVault/vaults').properties).toMatchObject({
        enableRbacAuthorization: true,
        enablePurgeProtection: true,
      });
      const site = theOne(resources, 'Microsoft.Web/sites').properties;
      expect(site).toMatchObject({ httpsOnly: true, siteConfig: { minTlsVersion: '1.2' } });
      const policies = ofType(resources, 'Microsoft.Web/sites/basicPublishingCredentialsPolicies');
      expect(policies.map(({ properties }) => properties['allow'])).toEqual([false, false]);
      expect(theOne(resources, 'Microsoft.Insights/components').properties).toMatchObject({
        DisableLocalAuth: true,
      });
    }
  });

  it('keep bodies of deliveries for 60 days or more', () => {
    const { properties } = theOne(plain, 'Microsoft.Storage/storageAccounts/managementPolicies');
    expect(JSON.stringify(properties)).toContain(
      '"prefixMatch":["deliveries/"]},"actions":{"baseBlob":{"delete":{"daysAfterModificationGreaterThan":60}}}',
    );
  });

  it('give the identity these roles, each on what it needs, and no other', () => {
    const given = ofType(full, 'Microsoft.Authorization/roleAssignments').map(({ properties, name }) => {
      expect(properties['principalType']).toBe('ServicePrincipal');
      const roleId = String(properties['roleDefinitionId']).split('/').at(-1) ?? '';
      // The name is made of the scope first.
      const [, scope = '', secret] = /^\[guid\('([^']+)'(?:, '([^']+)')?/.exec(name) ?? [];
      const where = scope
        .split('/providers/')[1]
        ?.replace(/^Microsoft\./, '')
        .replace(/\/stassetweb\w+|\/kv-\w+|\/default/g, '');
      return `${roleIds[roleId] ?? roleId}: ${where}${secret?.startsWith('source-') === true ? ` ${secret}` : ''}`;
    });
    expect(given.toSorted()).toEqual([
      'Key Vault Secrets Officer: KeyVault/vaults source-scans-api-key',
      'Key Vault Secrets Officer: KeyVault/vaults source-scans-secret',
      'Key Vault Secrets User: KeyVault/vaults',
      'Monitoring Metrics Publisher: Insights/components/asset-webhooks-insights',
      'Storage Blob Data Owner: Storage/storageAccounts',
      'Storage Queue Data Contributor: Storage/storageAccounts/queueServices/queues/action-runs',
      'Storage Queue Data Contributor: Storage/storageAccounts/queueServices/queues/action-runs-poison',
      'Storage Queue Data Contributor: Storage/storageAccounts/queueServices/queues/asset-events',
      'Storage Queue Data Contributor: Storage/storageAccounts/queueServices/queues/asset-events-poison',
      'Storage Table Data Contributor: Storage/storageAccounts/tableServices/tables/jobs',
      'Storage Table Data Contributor: Storage/storageAccounts/tableServices/tables/ledger',
      'Storage Table Data Contributor: Storage/storageAccounts/tableServices/tables/runs',
      'Storage Table Data Contributor: Storage/storageAccounts/tableServices/tables/sources',
    ]);
  });

  it('keep the app out of the network unless one is wanted', () => {
    expect(ofType(plain, 'Microsoft.Network/virtualNetworks')).toEqual([]);
    expect(theOne(plain, 'Microsoft.Web/sites').properties['virtualNetworkSubnetId'] ?? null).toBeNull();
    expect(theOne(plain, 'Microsoft.Storage/storageAccounts').properties).toMatchObject({
      publicNetworkAccess: 'Enabled',
    });
  });

  it('put storage and vault behind private endpoints where a network is wanted', () => {
    const { properties } = theOne(full, 'Microsoft.Network/virtualNetworks');
    expect(JSON.stringify(properties)).toContain('"serviceName":"Microsoft.App/environments"');
    expect(ofType(full, 'Microsoft.Network/privateEndpoints')).toHaveLength(4);
    expect(
      ofType(full, 'Microsoft.Network/privateDnsZones')
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual([
      "[format('privatelink.blob.{0}', environment().suffixes.storage)]",
      "[format('privatelink.queue.{0}', environment().suffixes.storage)]",
      "[format('privatelink.table.{0}', environment().suffixes.storage)]",
      "[format('privatelink{0}', replace(environment().suffixes.keyvaultDns, 'vault.', 'vaultcore.'))]",
    ]);
    for (const type of ['Microsoft.Storage/storageAccounts', 'Microsoft.KeyVault/vaults'])
      expect(theOne(full, type).properties).toMatchObject({
        publicNetworkAccess: 'Disabled',
        networkAcls: { defaultAction: 'Deny' },
      });
    expect(theOne(full, 'Microsoft.Web/sites').properties['virtualNetworkSubnetId']).toContain(
      '/subnets/app',
    );
  });

  it('let in only who is on the list where there is one', () => {
    expect(theOne(plain, 'Microsoft.Web/sites').properties['siteConfig']).toMatchObject({
      ipSecurityRestrictionsDefaultAction: 'Allow',
      ipSecurityRestrictions: [],
    });
    expect(theOne(full, 'Microsoft.Web/sites').properties['siteConfig']).toMatchObject({
      ipSecurityRestrictionsDefaultAction: 'Deny',
      ipSecurityRestrictions: [
        { name: 'office', action: 'Allow', priority: 100, ipAddress: '203.0.113.0/24', tag: 'Default' },
        { name: 'monitor', action: 'Allow', priority: 101, tag: 'ServiceTag' },
      ],
    });
  });

  it.each([['a1'], ['a'.repeat(40)], ['a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t']])(
    'make names that Azure takes of %s',
    async (name) => {
      const resources = await predicted(bicep, one.replace('asset-webhooks', name));
      expect(theOne(resources, 'Microsoft.Storage/storageAccounts').name).toMatch(/^[a-z0-9]{3,24}$/);
      expect(theOne(resources, 'Microsoft.KeyVault/vaults').name).toMatch(
        /^(?!.*--)[a-z][a-z0-9-]{1,22}[a-z0-9]$/,
      );
      expect(theOne(resources, 'Microsoft.Web/sites').name).toMatch(/^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$/);
      expect(theOne(resources, 'Microsoft.OperationalInsights/workspaces').name).toMatch(/^[a-z0-9-]{4,63}$/);
    },
  );

  it('let staff sign in where that is wanted, and leave the doors of others open', () => {
    const authOf = (resources: readonly Resource[]): Resource | undefined =>
      resources.find(({ name }) => name.endsWith('/authsettingsV2'));
    expect(authOf(plain)).toBeUndefined();
    expect(settingsOf(plain)['STAFF_CLIENT_ID']).toBeUndefined();
    expect(settingsOf(full)['STAFF_CLIENT_ID']).toBe('11111111-2222-4333-8444-555555555555');
    expect(authOf(full)?.properties).toMatchObject({
      platform: { enabled: true },
      globalValidation: {
        requireAuthentication: true,
        unauthenticatedClientAction: 'Return401',
        excludedPaths: ['/webhooks/*', '/health', '/v1/*'],
      },
    });
  });

  it('tell of what goes wrong, and to whom the parameters say', () => {
    const rules = ofType(full, 'Microsoft.Insights/scheduledQueryRules');
    expect(theOne(plain, 'Microsoft.Insights/actionGroups').properties).toMatchObject({ emailReceivers: [] });
    const group = theOne(full, 'Microsoft.Insights/actionGroups').properties;
    expect(group).toMatchObject({
      emailReceivers: [{ emailAddress: 'duty@example.org', useCommonAlertSchema: true }],
    });
    // The value of a parameter that may hold a key stands nowhere.
    expect(group['webhookReceivers']).toContain("parameters('webhookUrl')");
    expect(JSON.stringify(full)).not.toContain('chat.example.org');
    expect(String(group['groupShortName']).length).toBeLessThanOrEqual(12);
    for (const { properties } of rules) {
      expect(properties).toMatchObject({ enabled: true, skipQueryValidation: true });
      const [told] = (properties['actions'] as { actionGroups: string[] }).actionGroups;
      expect(told).toMatch(/\/actionGroups\/asset-webhooks-alerts$/);
    }
    const thresholdOf = (name: string): unknown => {
      const [rule] = rules.filter((each) => each.name.endsWith(`-${name}`));
      const criteria = rule?.properties['criteria'] as { allOf: { threshold: number }[] } | undefined;
      return criteria?.allOf[0]?.threshold;
    };
    expect(thresholdOf('events-failed')).toBe(7);
    expect(thresholdOf('oldest-waiting')).toBe(120);
    const silence = rules.find(({ name }) => name.endsWith('-silence'));
    expect(JSON.stringify(silence?.properties['criteria']).replaceAll('\\"', '"')).toContain(
      '{"archive-2":24,"photos":72,"scans":72}',
    );
    expect(theOne(full, 'Microsoft.Insights/metricAlerts').properties).toMatchObject({
      criteria: { allOf: [{ metricName: 'Http5xx', threshold: 5 }] },
    });
  });

  it('have a line in the README for each alert', async () => {
    const alerts = [
      ...ofType(full, 'Microsoft.Insights/scheduledQueryRules'),
      ...ofType(full, 'Microsoft.Insights/metricAlerts'),
    ].map(({ name }) => name.slice('asset-webhooks-'.length));
    const [section = ''] = /^### Alerts$.*?^## /ms.exec(readme()) ?? [];
    const told = [...section.matchAll(/^\| `([a-z-]+)` \| `(\w+)`, [^|]+ \| [^|]+ \|$/gm)];
    expect(new Set(told.map(([, name]) => name))).toEqual(new Set(alerts));
    const types = await readFile(join(infra, 'types.bicep'), 'utf8');
    for (const [, , threshold] of told) expect(types).toMatch(new RegExp(`^  ${threshold}: int\\?$`, 'm'));
  });

  it('load a workbook that names the component and the app', () => {
    const { properties } = theOne(full, 'Microsoft.Insights/workbooks');
    const data = String(properties['serializedData']);
    // The address of the app is known only once there is one.
    expect(data).toMatch(/, '\{\{appUrl\}\}', format\('https:[^\n]*$/);
    expect(new Set([...data.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name))).toEqual(
      new Set(['appUrl']),
    );
  });

  it('run the app as the settings of the package say', async () => {
    const site = theOne(plain, 'Microsoft.Web/sites').properties;
    expect(site['functionAppConfig']).toMatchObject({
      runtime: { name: 'node', version: '24' },
      scaleAndConcurrency: { alwaysReady: [{ name: 'http', instanceCount: 1 }] },
    });
    const limit = Number(settingsOf(plain)['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT']);
    expect(limit).toBeGreaterThan(Number(settingsOf(plain)['MAX_DELIVERY_BYTES']));
    const host = JSON.parse(await readFile(join(infra, '..', 'host.json'), 'utf8')) as { version: string };
    expect(host.version).toBe('2.0');
  });
});

function readme(): string {
  return readFileSync(join(infra, '..', 'README.md'), 'utf8');
}
