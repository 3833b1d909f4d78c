import * as z from 'zod';
import { actionFamily, actionNames, readAction, type ActionRead } from './actions/settings.ts';
import type { StorageSettings } from './azure/storage-clients.ts';
import {
  anyText,
  apiAddress,
  baseAddress,
  faultsOf,
  isWebAddress,
  oneOf,
  secondsList,
  settingsBelow,
  sixFieldCron,
  vaultAddress,
  webhookSecret,
  wholeNumber,
} from './pipeline/ports/setting-values.ts';
import { prefixOf, sourceName, type SourceConfig } from './pipeline/ports/source-config.ts';
import type { OwnConfig, SourceKind } from './pipeline/ports/source-kind.ts';
import { sourceKinds, type SourceKindName } from './sources/index.ts';
import { unknownSettings } from './unknown-settings.ts';

/** A source that `SOURCES` names. */
export type ConfiguredSource = SourceConfig & { readonly kind: SourceKindName };

export interface Config {
  readonly storage: StorageSettings;
  /** Where secrets that change while the app runs are kept without a vault; undefined where no file lasts. */
  readonly localSecretsFile: string | undefined;
  readonly keyVaultUrl: string | undefined;
  /** The user-assigned identity to be, in Azure. */
  readonly clientId: string | undefined;
  /** True where the platform offers a managed identity; false on one's own machine. */
  readonly managedIdentity: boolean;
  /** Staff sign in with Entra, as the app registration of that client id; by function key if undefined. `isOn`: the platform does it. */
  readonly staffSignIn: { readonly clientId: string; readonly isOn: boolean } | undefined;
  /** Where telemetry goes. */
  readonly telemetry: {
    readonly connectionString: string | undefined;
    readonly otlpEndpoint: string | undefined;
    readonly metricsEveryMs: number;
  };
  readonly secretOverlapMs: number;
  readonly sources: ReadonlyMap<string, ConfiguredSource>;
  /** Those that `ACTIONS` names; one with faults is off. */
  readonly actions: readonly ActionRead[];
  readonly publicUrl: string | undefined;
  readonly maxDeliveryBytes: number;
  /** Of all bodies that are being read at one time. */
  readonly maxBodiesBytes: number;
  readonly maxThumbnailBytes: number;
  /** Content objects looked at in one representation. */
  readonly maxFiles: number;
  /** 0 switches the check off. */
  readonly maxEventAgeMs: number;
  readonly retryDelaysMs: readonly number[];
  readonly retryAfterCapMs: number;
  readonly foldMarginMs: number;
  readonly retentionMs: number;
  /** Six fields. */
  readonly catchUpSchedule: string;
}

/** What was read, or every fault of the settings: each names a setting and what it must be, and shows no value. */
type Read<Settings> = { ok: true; config: Settings; warnings: string[] } | { ok: false; faults: string[] };
export type ReadConfig = Read<Config>;

const sourceNames = z
  .string({ error: 'must name the sources, comma separated' })
  .transform((list) => list.split(',').map((name) => name.trim()))
  .refine(
    (names) => names.every((name) => sourceName.test(name)),
    'must be names of lower case letters, digits and hyphens, at most 40 long, comma separated',
  )
  .refine((names) => new Set(names).size === names.length, 'must not name a source twice');

/** The settings of the app as a whole. `AzureWebJobsStorage` stands apart, because it has two forms. */
export const appSettings = z.object({
  SOURCES: sourceNames,
  ACTIONS: actionNames,
  KEY_VAULT_URL: vaultAddress.optional(),
  AZURE_CLIENT_ID: z.string().max(200, 'must be at most 200 characters').optional(),
  SECRET_OVERLAP_HOURS: wholeNumber(0, 8760).default(168),
  PUBLIC_URL: baseAddress.optional(),
  MAX_DELIVERY_BYTES: wholeNumber(1, 100_000_000).default(4_194_304),
  MAX_BODIES_BYTES: wholeNumber(1, 2_000_000_000).default(67_108_864),
  MAX_THUMBNAIL_BYTES: wholeNumber(1, 100_000_000).default(5_242_880),
  MAX_FILES: wholeNumber(1, 10_000).default(100),
  MAX_EVENT_AGE_HOURS: wholeNumber(0, 876_000).default(168),
  RETRY_DELAYS_SECONDS: secondsList.default([5, 30, 120, 600, 1800, 7200, 21_600]),
  RETRY_AFTER_CAP_SECONDS: wholeNumber(0, 604_800).default(21_600),
  FOLD_MARGIN_SECONDS: wholeNumber(0, 3600).default(10),
  MAX_CALLS_AT_ONCE: wholeNumber(1, 1000).default(16),
  MAX_CALLS_PER_SECOND: wholeNumber(0, 10_000).default(0),
  CATCH_UP_SCHEDULE: sixFieldCron.default('0 */15 * * * *'),
  RETENTION_DAYS: wholeNumber(1, 36_500).default(400),
  ASSET_WEBHOOKS_HOSTING: oneOf(['azure']).optional(),
  STAFF_CLIENT_ID: z.guid('must be the client id of an app registration').optional(),
  APPLICATIONINSIGHTS_CONNECTION_STRING: z.string().max(2_000, 'must be at most 2000 characters').optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: baseAddress.optional(),
  OTEL_METRIC_EXPORT_INTERVAL: wholeNumber(1_000, 3_600_000).default(60_000),
});

const kinds: ReadonlyMap<string, SourceKind> = new Map(Object.entries(sourceKinds));

// What every source has; each kind adds its own.
const everySource = z.object({
  KIND: z.custom<SourceKindName>((kind) => typeof kind === 'string' && kinds.has(kind), {
    error: `must be one of: ${[...kinds.keys()].join(', ')}`,
  }),
  USERNAME: anyText.optional(),
  SECRET: webhookSecret.optional(),
  SECRET_PREVIOUS: webhookSecret.optional(),
  MAX_CALLS_AT_ONCE: wholeNumber(1, 1000).optional(),
  MAX_CALLS_PER_SECOND: wholeNumber(0, 10_000).optional(),
});

/** The settings that a source of some kind or other can have, by what follows `SOURCE_<NAME>_`. */
export const sourceSettings: Readonly<Record<string, z.ZodType>> = Object.assign(
  { ...everySource.shape },
  ...[...kinds.values()].map(({ settings }) => settings.in.shape),
);

/** Settings without the storage account: what the command needs, to which the storage may be closed. */
export type SourcesConfig = Omit<Config, 'storage'>;

/** Reads the environment into a Config, or says everything that is wrong with it. An empty setting is one that is not there. */
export function readConfig(environment: Environment): ReadConfig {
  const faults: string[] = [];
  const storage = storageSettings(withoutEmpty(environment), faults);
  const sources = readSourcesConfig(environment);
  return sources.ok && storage !== undefined && faults.length === 0
    ? { ...sources, config: { ...sources.config, storage } }
    : { ok: false, faults: sources.ok ? faults : [...faults, ...sources.faults] };
}

/** Reads the same settings for somebody who never touches the app's storage. */
export function readSourcesConfig(environment: Environment): Read<SourcesConfig> {
  const env = withoutEmpty(environment);
  const app = appSettings.safeParse(env);
  const names = sourceNames.safeParse(env['SOURCES']).data ?? likelyNames(env);
  const given = names.map((name) => ({ name, own: settingsBelow(prefixOf(name), env) }));
  const read = given.map(({ name, own }) => readSource(name, own));
  const ofActions = actionFamily(actionNames.safeParse(env['ACTIONS']).data ?? [], env);
  const unknown = unknownSettings(Object.keys(env), {
    app: Object.keys(appSettings.shape),
    families: [
      {
        word: 'source',
        named: given.map(({ name, own }) => ({
          name,
          prefix: prefixOf(name),
          kind: own['KIND'],
          settings: namesOf(own['KIND']),
        })),
        ofAnyKind: Object.keys(sourceSettings),
      },
      ofActions,
    ],
  });
  // The longest prefix: of `team` and `team-2`, the second one's settings begin as the first one's do.
  const byLength = ofActions.named.toSorted((one, other) => other.prefix.length - one.prefix.length);
  const ofOneAction = (fault: string): string | undefined =>
    byLength.find(({ prefix }) => fault.startsWith(prefix))?.name;
  const faults = [
    ...(app.success ? keptTooShort(app.data) : faultsOf(app.error, '')),
    ...read.flatMap((source) => (source.ok ? [] : source.faults)),
    ...unknown.faults.filter((fault) => ofOneAction(fault) === undefined),
    ...sharedSecrets(names, env),
  ];
  if (!app.success || faults.length > 0) return { ok: false, faults };

  const sources = new Map(
    read.flatMap((source) =>
      source.ok ? [[source.name, sourceConfig(source.name, source, app.data)] as const] : [],
    ),
  );
  const tagged = new Map(
    [...sources].map(([name, { kind }]) => [name, { hasSecurityTags: sourceKinds[kind].hasSecurityTags }]),
  );
  const actions = (app.data.ACTIONS ?? []).map((name): ActionRead => {
    const action = readAction(name, env, tagged);
    const others = unknown.faults.filter((fault) => ofOneAction(fault) === name);
    if (others.length === 0) return action;
    return { ok: false, name, faults: [...(action.ok ? [] : action.faults), ...others] };
  });
  const hour = 3_600_000;
  return {
    ok: true,
    warnings: [...unmarkedInAzure(env), ...unknown.warnings],
    config: {
      // In Azure another instance does not see a file, and the next one does not find it.
      localSecretsFile: isInAzure(env) ? undefined : (env['LOCAL_SECRETS_FILE'] ?? 'local.secrets.json'),
      keyVaultUrl: app.data.KEY_VAULT_URL,
      clientId: app.data.AZURE_CLIENT_ID,
      managedIdentity: env['IDENTITY_ENDPOINT'] !== undefined || env['MSI_ENDPOINT'] !== undefined,
      staffSignIn:
        app.data.STAFF_CLIENT_ID === undefined
          ? undefined
          : {
              clientId: app.data.STAFF_CLIENT_ID,
              isOn: /^true$/i.test(env['WEBSITE_AUTH_ENABLED'] ?? ''),
            },
      telemetry: {
        connectionString: app.data.APPLICATIONINSIGHTS_CONNECTION_STRING,
        otlpEndpoint: app.data.OTEL_EXPORTER_OTLP_ENDPOINT,
        metricsEveryMs: app.data.OTEL_METRIC_EXPORT_INTERVAL,
      },
      secretOverlapMs: app.data.SECRET_OVERLAP_HOURS * hour,
      sources,
      actions,
      publicUrl: app.data.PUBLIC_URL,
      maxDeliveryBytes: app.data.MAX_DELIVERY_BYTES,
      maxBodiesBytes: app.data.MAX_BODIES_BYTES,
      maxThumbnailBytes: app.data.MAX_THUMBNAIL_BYTES,
      maxFiles: app.data.MAX_FILES,
      maxEventAgeMs: app.data.MAX_EVENT_AGE_HOURS * hour,
      retryDelaysMs: app.data.RETRY_DELAYS_SECONDS.map((seconds) => seconds * 1000),
      retryAfterCapMs: app.data.RETRY_AFTER_CAP_SECONDS * 1000,
      foldMarginMs: app.data.FOLD_MARGIN_SECONDS * 1000,
      catchUpSchedule: app.data.CATCH_UP_SCHEDULE,
      retentionMs: app.data.RETENTION_DAYS * 24 * hour,
    },
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

function withoutEmpty(environment: Environment): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
}

/** The sources that were most likely meant where SOURCES is faulty or missing, so that their faults are told at once too. */
function likelyNames(env: Record<string, string | undefined>): string[] {
  const listed = (env['SOURCES'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  const given = Object.keys(env).flatMap((key) => /^SOURCE_(.+)_KIND$/.exec(key)?.[1] ?? []);
  const likely =
    env['SOURCES'] === undefined ? given.map((words) => words.toLowerCase().replaceAll('_', '-')) : listed;
  return [...new Set(likely)].filter((name) => sourceName.test(name));
}

type SourceRead =
  | { ok: true; name: string; every: z.infer<typeof everySource>; own: OwnConfig }
  | { ok: false; faults: string[] };

function readSource(name: string, given: Record<string, string | undefined>): SourceRead {
  const every = everySource.safeParse(given);
  const own = kinds.get(given['KIND'] ?? '')?.settings.safeParse(given);
  if (every.success && own?.success === true) return { ok: true, name, every: every.data, own: own.data };
  const errors = [every.error, own === undefined ? ofNoKind.safeParse(given).error : own.error];
  return {
    ok: false,
    faults: errors.flatMap((error) => (error === undefined ? [] : faultsOf(error, prefixOf(name)))),
  };
}

// Of a source whose kind is not known: what it would most likely need.
const ofNoKind = z.looseObject({ URL: apiAddress });

function sourceConfig(
  name: string,
  { every, own }: { every: z.infer<typeof everySource>; own: OwnConfig },
  app: z.infer<typeof appSettings>,
): ConfiguredSource {
  return {
    ...own,
    name,
    kind: every.KIND,
    username: every.USERNAME,
    maxCallsAtOnce: every.MAX_CALLS_AT_ONCE ?? app.MAX_CALLS_AT_ONCE,
    maxCallsPerSecond: every.MAX_CALLS_PER_SECOND ?? app.MAX_CALLS_PER_SECOND,
    secrets: { ...own.secrets, secret: every.SECRET, secretPrevious: every.SECRET_PREVIOUS },
  };
}

/** What a source of this kind can have; of an unknown kind, whatever any can. */
function namesOf(kind: string | undefined): string[] {
  const settings = kinds.get(kind ?? '')?.settings.in.shape ?? sourceSettings;
  return [...Object.keys(everySource.shape), ...Object.keys(settings)];
}

// A row that goes before the age limit would let its event in a second time.
function keptTooShort(app: z.infer<typeof appSettings>): string[] {
  return app.RETENTION_DAYS * 24 < app.MAX_EVENT_AGE_HOURS
    ? ['RETENTION_DAYS: must not be shorter than MAX_EVENT_AGE_HOURS']
    : [];
}

// One secret on two sources would let what one of them signs pass for the other.
function sharedSecrets(names: string[], env: Record<string, string | undefined>): string[] {
  if (env['KEY_VAULT_URL'] !== undefined) return [];
  const owners = new Map<string, { name: string; setting: string }>();
  const faults: string[] = [];
  for (const name of names) {
    for (const setting of ['SECRET', 'SECRET_PREVIOUS'].map((end) => prefixOf(name) + end)) {
      const secret = env[setting];
      if (secret === undefined) continue;
      const other = owners.get(secret);
      if (other !== undefined && other.name !== name)
        faults.push(`${setting}: must not be the same as ${other.setting}`);
      else owners.set(secret, { name, setting });
    }
  }
  return faults;
}

function storageSettings(
  env: Record<string, string | undefined>,
  faults: string[],
): StorageSettings | undefined {
  const connectionString = env['AzureWebJobsStorage'];
  if (connectionString !== undefined) return { kind: 'connection-string', connectionString };

  const account = env['AzureWebJobsStorage__accountName']?.trim();
  const url = (service: 'queue' | 'blob' | 'table'): string | undefined =>
    env[`AzureWebJobsStorage__${service}ServiceUri`]?.trim() ??
    (account === undefined ? undefined : `https://${account}.${service}.core.windows.net`);
  const [queueUrl, blobUrl, tableUrl] = [url('queue'), url('blob'), url('table')];
  if (queueUrl === undefined || blobUrl === undefined || tableUrl === undefined) {
    faults.push(
      'AzureWebJobsStorage: must be a connection string, or AzureWebJobsStorage__accountName or the three of AzureWebJobsStorage__queueServiceUri, __blobServiceUri and __tableServiceUri must be set',
    );
    return undefined;
  }
  const addresses = { queue: queueUrl, blob: blobUrl, table: tableUrl };
  for (const [service, address] of Object.entries(addresses)) {
    if (!isWebAddress(address))
      faults.push(`AzureWebJobsStorage__${service}ServiceUri: must be an http or https address`);
  }
  const credential = env['AzureWebJobsStorage__credential'];
  if (credential !== undefined && credential.toLowerCase() !== 'managedidentity') {
    faults.push('AzureWebJobsStorage__credential: must be managedidentity');
  }
  return { kind: 'identity', queueUrl, blobUrl, tableUrl, clientId: env['AzureWebJobsStorage__clientId'] };
}

/**
 * True on an instance of the platform: the deployment says so, and a variable that only the platform sets beside it. The
 * mark alone may have been copied to somebody's machine, and many containers have the others.
 */
function isInAzure(env: Environment): boolean {
  return env['ASSET_WEBHOOKS_HOSTING'] === 'azure' && hasPlatformName(env);
}

function hasPlatformName(env: Environment): boolean {
  return env['WEBSITE_SITE_NAME'] !== undefined && env['FUNCTIONS_CORETOOLS_ENVIRONMENT'] === undefined;
}

function unmarkedInAzure(env: Environment): string[] {
  const looksLikeIt =
    hasPlatformName(env) &&
    (env['WEBSITE_SKU'] === 'FlexConsumption' ||
      env['LEGION_SERVICE_HOST'] !== undefined ||
      env['WEBSITE_INSTANCE_ID'] !== undefined);
  return looksLikeIt && env['ASSET_WEBHOOKS_HOSTING'] === undefined
    ? [
        'ASSET_WEBHOOKS_HOSTING: this looks like an instance of Azure; set it to azure there, or secrets that change are kept in a file that does not last',
      ]
    : [];
}
