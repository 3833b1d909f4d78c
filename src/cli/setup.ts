import { join } from 'node:path';
import { configuredVault } from '../azure/key-vault.ts';
import { createSecrets } from '../secrets/create-secrets.ts';
import { readSourcesConfig, type SourcesConfig } from '../config.ts';
import { prefixOf, type SourceConfig } from '../pipeline/ports/source-config.ts';
import { isOfKind, type SourceKindName, type SourceOf } from '../sources/index.ts';
import { localSettings } from '../local-settings.ts';
import type { Permit } from '../pipeline/ports/permit.ts';
import type { Log } from '../pipeline/ports/log.ts';
import type { Secrets } from '../pipeline/ports/secrets.ts';
import { webAddress } from '../pipeline/ports/setting-values.ts';
import type { OnUnread } from '../sources/read-each.ts';
import { suggestion } from '../sources/suggestion.ts';
import { SettingsError, UsageError } from './faults.ts';
import { note, terminal } from './terminal.ts';

const root = join(import.meta.dirname, '..', '..');
const secretsFile = join(root, 'local.secrets.json');

/** What every command works with: the settings, the secrets, and how it finds the running app. */
export interface Setup {
  readonly config: SourcesConfig & { readonly localSecretsFile: string };
  readonly secrets: Secrets;
  readonly app: {
    readonly url: string | undefined;
    /** Which setting says so. */
    readonly from: 'ASSET_WEBHOOKS_URL' | 'PUBLIC_URL';
    readonly key: string | undefined;
    /** Of the app registration that staff sign in at; undefined where a function key opens the app. */
    readonly staffClientId: string | undefined;
  };
  /** For people: where the settings come from, and what of them nothing reads. */
  readonly where: string;
  readonly warnings: readonly string[];
}

/** Reads the settings of the environment and of `local.settings.json`. Throws a UsageError that names every fault. */
export async function readSetup(): Promise<Setup> {
  const own = terminal().env;
  const file = await localSettings(own).catch((error: unknown) => {
    throw new UsageError(error instanceof Error ? error.message : 'local.settings.json cannot be read.');
  });
  const environment: Readonly<Record<string, string | undefined>> = {
    LOCAL_SECRETS_FILE: secretsFile,
    ...file.values,
    ...own,
  };
  const read = readSourcesConfig(environment);
  const faults = read.ok ? [] : read.faults;
  // An empty setting is one that is not there.
  const ownUrl = webAddress.optional().safeParse(environment['ASSET_WEBHOOKS_URL'] || undefined);
  if (!ownUrl.success)
    faults.push(...ownUrl.error.issues.map(({ message }) => `ASSET_WEBHOOKS_URL: ${message}`));
  if (!read.ok || !ownUrl.success) throw new SettingsError(faults, file.where);
  // Whatever place the app runs in: this is the file that the person named, or the one of this folder.
  const localSecretsFile = environment['LOCAL_SECRETS_FILE'] || secretsFile;
  const config = { ...read.config, localSecretsFile };
  return {
    config,
    secrets: secretsNow({ config }),
    app: {
      url: ownUrl.data?.replace(/\/+$/, '') ?? config.publicUrl,
      from: ownUrl.data === undefined ? 'PUBLIC_URL' : 'ASSET_WEBHOOKS_URL',
      key: environment['ASSET_WEBHOOKS_KEY'] || undefined,
      staffClientId: config.staffSignIn?.clientId,
    },
    where: file.where,
    warnings: read.warnings,
  };
}

/** The secrets as they are now, where those of a setup may be remembered from before somebody else changed them. */
export function secretsNow({ config }: Pick<Setup, 'config'>): Secrets {
  return createSecrets(config, {
    vault: configuredVault(config, { now: Date.now }),
    now: Date.now,
    log: complain,
  });
}

// The rules of secrets say by this log what is wrong with a vault or with what is in it.
const complain: Log = (level, name, fields) => {
  if (level !== 'info') note(`${name}: ${JSON.stringify(fields)}`);
};

/** The source of this kind that is meant. Throws a UsageError where it is not clear which, or where it is. */
export function sourceOf<Kind extends SourceKindName>(
  setup: Setup,
  kind: Kind,
  name: string | undefined,
): SourceOf<Kind> {
  const source = namedSource(setup, kind, name);
  if (source.url !== '') return source;
  throw new UsageError(`Where is ${source.name}? Set ${prefixOf(source.name)}URL to the address of its API.`);
}

function namedSource<Kind extends SourceKindName>(
  { config }: Setup,
  kind: Kind,
  name: string | undefined,
): SourceOf<Kind> {
  const ofKind = [...config.sources.values()].filter((source) => isOfKind(source, kind));
  if (name !== undefined) {
    const named = ofKind.find((source) => source.name === name);
    if (named !== undefined) return named;
    throw new UsageError(noSuchSource(name, kind, ofKind));
  }
  const [only, ...more] = ofKind;
  if (only === undefined) throw new UsageError(`There is no source of kind ${kind} in SOURCES.`);
  if (more.length === 0) return only;
  const names = [only, ...more].map((source) => source.name).join(', ');
  throw new UsageError(`There are several sources of kind ${kind}: say which with --source (${names}).`);
}

function noSuchSource(name: string, kind: SourceKindName, ofKind: readonly SourceConfig[]): string {
  const names = ofKind.map((source) => source.name);
  const there = names.length === 0 ? '' : ` There are: ${names.join(', ')}.`;
  return `There is no source "${name}" of kind ${kind} in SOURCES.${there}${suggestion(name, names)}`;
}

/** Throws a UsageError where no settings name this source. */
export function mustBeSource({ config }: Setup, name: string): void {
  const names = [...config.sources.keys()];
  if (names.includes(name)) return;
  throw new UsageError(
    `There is no source "${name}" in SOURCES. There are: ${names.join(', ')}.${suggestion(name, names)}`,
  );
}

/** This source's address at the app, as its system reaches it. Undefined without `PUBLIC_URL`. */
export function webhookUrl({ config }: Setup, source: SourceConfig): string | undefined {
  return config.publicUrl === undefined ? undefined : `${config.publicUrl}/webhooks/${source.name}`;
}

/** Says that a list of a source system holds more than is shown. */
const noteUnread: OnUnread = (count) =>
  note(
    `Note: ${count === 1 ? 'one item of this list' : `${count} items of this list`} could not be read, and ${count === 1 ? 'is' : 'are'} left out.`,
  );

// A command makes one call after another, and spares nobody else.
const ownPermit: Permit = { call: async (work) => await work(), end: () => undefined };

/** With what the management side of a source is asked. */
export function manageDeps<Source>({ secrets }: Pick<Setup, 'secrets'>, source: Source) {
  return { source, secrets, permit: ownPermit, onUnread: noteUnread, now: Date.now };
}
