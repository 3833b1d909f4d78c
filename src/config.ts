import * as z from 'zod';

/** The kinds of system that can call us; `sources/index.ts` has a row for each. */
export const sourceKinds = ['preservica', 'woodwing', 'pywebhooks'] as const;
export type SourceKindName = (typeof sourceKinds)[number];

/** How we reach our own storage account: the platform's two ways of saying it. */
export type StorageSettings =
  | { kind: 'connection-string'; connectionString: string }
  | { kind: 'identity'; queueUrl: string; blobUrl: string; tableUrl: string; clientId: string | undefined };

/** A source's secrets as settings give them; a vault, where there is one, takes their place. */
export interface SourceSecretSettings {
  readonly secret: string | undefined;
  readonly secretPrevious: string | undefined;
  readonly password: string | undefined;
  readonly totpSeed: string | undefined;
  readonly apiKey: string | undefined;
}

export interface SourceConfig {
  readonly name: string;
  readonly kind: SourceKindName;
  /** Base URL of the system's API, without a trailing slash; empty where there is none, of a kind that is never asked. */
  readonly url: string;
  readonly username: string | undefined;
  readonly tenant: string | undefined;
  readonly portalUrl: string | undefined;
  readonly thumbnailSize: 'small' | 'medium' | 'large' | undefined;
  /** Names of metadata fields that the record keeps beside the usual ones. */
  readonly metadataFields: readonly string[];
  readonly handshake: 'strict' | 'lenient';
  /** JSON Pointers (RFC 6901) into a payload. */
  readonly pointers: { readonly title?: string; readonly assetId?: string; readonly link?: string };
  /** For how long two deliveries of one body are one event; 0 is never. */
  readonly deduplicateMs: number;
  readonly maxCallsAtOnce: number;
  /** 0 is no limit. */
  readonly maxCallsPerSecond: number;
  readonly secrets: SourceSecretSettings;
}

export interface Config {
  readonly storage: StorageSettings;
  /** Where secrets that change while the app runs are kept without a vault; undefined where no file lasts. */
  readonly localSecretsFile: string | undefined;
  readonly keyVaultUrl: string | undefined;
  /** The user-assigned identity to be, in Azure. */
  readonly clientId: string | undefined;
  /** True where the platform offers a managed identity; false on one's own machine. */
  readonly managedIdentity: boolean;
  readonly secretOverlapMs: number;
  readonly sources: ReadonlyMap<string, SourceConfig>;
  readonly publicUrl: string | undefined;
  readonly maxDeliveryBytes: number;
  readonly maxThumbnailBytes: number;
  /** Content objects looked at in one representation. */
  readonly maxFiles: number;
  /** 0 switches the check off. */
  readonly maxEventAgeMs: number;
  readonly retryDelaysMs: readonly number[];
  readonly retryAfterCapMs: number;
  readonly foldMarginMs: number;
}

/** A Config, or every fault of the settings: each names a setting and what it must be, and shows no value. */
export type ReadConfig = { ok: true; config: Config } | { ok: false; faults: string[] };

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((n) => n >= least && n <= most, `must be a whole number from ${least} to ${most}`);

/** An http or https address without user, query or fragment. */
export const webAddress = z
  .string()
  .refine(isWebAddress, 'must be an http or https address without user, query or fragment');
// Of a page for people: it may hold a query, a fragment and where an id goes.
const pageAddress = z
  .string()
  .refine(
    (text) => /^https?:\/\/[^/@]+(\/|$)/i.test(text) && URL.canParse(text),
    'must be an http or https address without user',
  )
  .transform((url) => url.replace(/\/+$/, ''));
const withoutSlash = webAddress.transform((url) => url.replace(/\/+$/, ''));

// Any printable ASCII: a space may stand inside a secret, a line end is a copying error.
const webhookSecret = z.string().regex(/^[\x20-\x7e]{1,512}$/, 'must be 1 to 512 printable ASCII characters');
const anyText = z.string().max(4096, 'must be at most 4096 characters');

const delays = z
  .string()
  .regex(/^\s*\d{1,6}\s*(,\s*\d{1,6}\s*){0,49}$/, 'must be seconds, comma separated, each at most 604800')
  .transform((list) => list.split(',').map(Number))
  .refine((list) => list.every((seconds) => seconds <= 604_800), 'must be seconds, each at most 604800')
  .default([5, 30, 120, 600, 1800, 7200, 21_600]);

const fieldNames = z
  .string()
  .regex(
    /^\s*[A-Za-z0-9_.-]{1,128}\s*(,\s*[A-Za-z0-9_.-]{1,128}\s*){0,199}$/,
    'must be names of metadata fields, comma separated',
  )
  .transform((list) => list.split(',').map((name) => name.trim()))
  .default([]);

const jsonPointer = z
  .string()
  .max(1024)
  .regex(/^(?:\/(?:[^~/]|~[01])*)+$/, 'must be a JSON Pointer such as /asset/id');

const sourceName = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
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
  KEY_VAULT_URL: z.string().refine(isVaultAddress, 'must be the https address of a key vault').optional(),
  AZURE_CLIENT_ID: z.string().max(200).optional(),
  SECRET_OVERLAP_HOURS: wholeNumber(0, 8760).default(168),
  PUBLIC_URL: withoutSlash.optional(),
  MAX_DELIVERY_BYTES: wholeNumber(1, 100_000_000).default(4_194_304),
  MAX_THUMBNAIL_BYTES: wholeNumber(1, 100_000_000).default(5_242_880),
  MAX_FILES: wholeNumber(1, 10_000).default(100),
  MAX_EVENT_AGE_HOURS: wholeNumber(0, 876_000).default(168),
  RETRY_DELAYS_SECONDS: delays,
  RETRY_AFTER_CAP_SECONDS: wholeNumber(0, 604_800).default(21_600),
  FOLD_MARGIN_SECONDS: wholeNumber(0, 3600).default(10),
  MAX_CALLS_AT_ONCE: wholeNumber(1, 1000).default(16),
  MAX_CALLS_PER_SECOND: wholeNumber(0, 10_000).default(0),
});

/** The settings of one source, by what follows `SOURCE_<NAME>_`. */
export const sourceSettings = z.object({
  KIND: z.enum(sourceKinds, { error: `must be one of: ${sourceKinds.join(', ')}` }),
  URL: withoutSlash.optional(),
  USERNAME: anyText.optional(),
  TENANT: anyText.optional(),
  PASSWORD: anyText.optional(),
  SECRET: webhookSecret.optional(),
  SECRET_PREVIOUS: webhookSecret.optional(),
  TOTP_SEED: z
    .string()
    .regex(/^[A-Za-z2-7 ]{8,256}=*$/, 'must be a base-32 seed')
    .optional(),
  API_KEY: anyText.optional(),
  PORTAL_URL: pageAddress.optional(),
  THUMBNAIL_SIZE: z
    .enum(['small', 'medium', 'large'], { error: 'must be one of: small, medium, large' })
    .optional(),
  METADATA_FIELDS: fieldNames,
  HANDSHAKE: z.enum(['strict', 'lenient'], { error: 'must be one of: strict, lenient' }).default('strict'),
  TITLE_POINTER: jsonPointer.optional(),
  ASSET_ID_POINTER: jsonPointer.optional(),
  LINK_POINTER: jsonPointer.optional(),
  DEDUPLICATE_SECONDS: wholeNumber(0, 604_800).default(0),
  MAX_CALLS_AT_ONCE: wholeNumber(1, 1000).optional(),
  MAX_CALLS_PER_SECOND: wholeNumber(0, 10_000).optional(),
});

/**
 * Settings of a source that the contract names and that nothing here reads yet: timers that come later take
 * them. They are let through, so that one set of settings serves every version.
 */
export const reservedSourceSettings: readonly string[] = ['CATCH_UP', 'CATCH_UP_FROM'];

/** Settings without the storage account: what the command needs, to which the storage may be closed. */
export type SourcesConfig = Omit<Config, 'storage'>;

/** Reads the environment into a Config, or says everything that is wrong with it. An empty setting is one that is not there. */
export function readConfig(environment: Environment): ReadConfig {
  const faults: string[] = [];
  const storage = storageSettings(withoutEmpty(environment), faults);
  const sources = readSourcesConfig(environment);
  return sources.ok && storage !== undefined && faults.length === 0
    ? { ok: true, config: { ...sources.config, storage } }
    : { ok: false, faults: sources.ok ? faults : [...faults, ...sources.faults] };
}

/** Reads the same settings for somebody who never touches the app's storage. */
export function readSourcesConfig(
  environment: Environment,
): { ok: true; config: SourcesConfig } | { ok: false; faults: string[] } {
  const env = withoutEmpty(environment);
  const faults: string[] = [];

  const app = appSettings.safeParse(env);
  if (!app.success) faults.push(...faultsOf(app.error, ''));
  const names = sourceNames.safeParse(env['SOURCES']).data ?? [];

  const parsed = names.map((name) => ({ name, settings: sourceSettings.safeParse(settingsOf(name, env)) }));
  for (const { name, settings } of parsed) {
    if (!settings.success) faults.push(...faultsOf(settings.error, prefixOf(name)));
    const { KIND, URL } = settingsOf(name, env);
    // A payload of PyWebhooks is all there is to know; only the command asks that system.
    if (URL === undefined && KIND !== 'pywebhooks')
      faults.push(`${prefixOf(name)}URL: must be the base address of the system's API`);
  }
  if (names.length > 0) faults.push(...unknownOrShared(names, env));
  faults.push(...sharedSecrets(names, env));

  if (!app.success || faults.length > 0) return { ok: false, faults };

  const sources = new Map<string, SourceConfig>();
  for (const { name, settings } of parsed) {
    if (settings.success) sources.set(name, sourceConfig(name, settings.data, app.data));
  }
  const hour = 3_600_000;
  return {
    ok: true,
    config: {
      // In Azure another instance does not see a file, and the next one does not find it.
      localSecretsFile: isInAzure(env) ? undefined : (env['LOCAL_SECRETS_FILE'] ?? 'local.secrets.json'),
      keyVaultUrl: app.data.KEY_VAULT_URL,
      clientId: app.data.AZURE_CLIENT_ID,
      managedIdentity: env['IDENTITY_ENDPOINT'] !== undefined || env['MSI_ENDPOINT'] !== undefined,
      secretOverlapMs: app.data.SECRET_OVERLAP_HOURS * hour,
      sources,
      publicUrl: app.data.PUBLIC_URL,
      maxDeliveryBytes: app.data.MAX_DELIVERY_BYTES,
      maxThumbnailBytes: app.data.MAX_THUMBNAIL_BYTES,
      maxFiles: app.data.MAX_FILES,
      maxEventAgeMs: app.data.MAX_EVENT_AGE_HOURS * hour,
      retryDelaysMs: app.data.RETRY_DELAYS_SECONDS.map((seconds) => seconds * 1000),
      retryAfterCapMs: app.data.RETRY_AFTER_CAP_SECONDS * 1000,
      foldMarginMs: app.data.FOLD_MARGIN_SECONDS * 1000,
    },
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

function withoutEmpty(environment: Environment): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
}

/** `archive-2` is set by `SOURCE_ARCHIVE_2_…`. */
export function prefixOf(name: string): string {
  return `SOURCE_${name.toUpperCase().replaceAll('-', '_')}_`;
}

function sourceConfig(
  name: string,
  own: z.infer<typeof sourceSettings>,
  app: z.infer<typeof appSettings>,
): SourceConfig {
  return {
    name,
    kind: own.KIND,
    url: own.URL ?? '',
    username: own.USERNAME,
    tenant: own.TENANT,
    portalUrl: own.PORTAL_URL,
    thumbnailSize: own.THUMBNAIL_SIZE,
    metadataFields: own.METADATA_FIELDS,
    handshake: own.HANDSHAKE,
    pointers: {
      ...(own.TITLE_POINTER === undefined ? {} : { title: own.TITLE_POINTER }),
      ...(own.ASSET_ID_POINTER === undefined ? {} : { assetId: own.ASSET_ID_POINTER }),
      ...(own.LINK_POINTER === undefined ? {} : { link: own.LINK_POINTER }),
    },
    deduplicateMs: own.DEDUPLICATE_SECONDS * 1000,
    maxCallsAtOnce: own.MAX_CALLS_AT_ONCE ?? app.MAX_CALLS_AT_ONCE,
    maxCallsPerSecond: own.MAX_CALLS_PER_SECOND ?? app.MAX_CALLS_PER_SECOND,
    secrets: {
      secret: own.SECRET,
      secretPrevious: own.SECRET_PREVIOUS,
      password: own.PASSWORD,
      totpSeed: own.TOTP_SEED,
      apiKey: own.API_KEY,
    },
  };
}

function settingsOf(
  name: string,
  env: Record<string, string | undefined>,
): Record<string, string | undefined> {
  const prefix = prefixOf(name);
  const own = Object.entries(env).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

function unknownOrShared(names: string[], env: Record<string, string | undefined>): string[] {
  const known = new Set([...Object.keys(sourceSettings.shape), ...reservedSourceSettings]);
  return Object.keys(env)
    .filter((key) => key.startsWith('SOURCE_'))
    .flatMap((key) => {
      const owners = names.filter((name) => {
        const prefix = prefixOf(name);
        return key.startsWith(prefix) && known.has(key.slice(prefix.length));
      });
      if (owners.length === 1) return [];
      if (owners.length === 0)
        return [`${key}: no such setting; look at its spelling and at the names in SOURCES`];
      return [`${key}: could belong to ${owners.join(' or ')}; give one of them another name`];
    });
}

// One secret on two sources would let what one of them signs pass for the other.
function sharedSecrets(names: string[], env: Record<string, string | undefined>): string[] {
  if (env['KEY_VAULT_URL'] !== undefined) return [];
  const holder = new Map<string, { name: string; setting: string }>();
  const faults: string[] = [];
  for (const name of names) {
    for (const setting of ['SECRET', 'SECRET_PREVIOUS'].map((end) => prefixOf(name) + end)) {
      const secret = env[setting];
      if (secret === undefined) continue;
      const other = holder.get(secret);
      if (other !== undefined && other.name !== name)
        faults.push(`${setting}: must not be the same as ${other.setting}`);
      else holder.set(secret, { name, setting });
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

  const account = env['AzureWebJobsStorage__accountName'];
  const url = (service: 'queue' | 'blob' | 'table'): string | undefined =>
    env[`AzureWebJobsStorage__${service}ServiceUri`] ??
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

function faultsOf(error: z.ZodError, prefix: string): string[] {
  return error.issues.map((issue) => `${prefix}${String(issue.path[0] ?? '')}: ${issue.message}`);
}

function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return plain && (url.protocol === 'http:' || url.protocol === 'https:');
}

/** True on an instance of the platform: its plans name that by one of these, Flex Consumption not by the first. */
function isInAzure(env: Environment): boolean {
  return ['WEBSITE_INSTANCE_ID', 'WEBSITE_POD_NAME', 'CONTAINER_NAME'].some(
    (name) => env[name] !== undefined,
  );
}

function isVaultAddress(text: string): boolean {
  return isWebAddress(text) && text.startsWith('https:');
}
