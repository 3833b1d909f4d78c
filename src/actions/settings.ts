import * as z from 'zod';
import { actionKinds } from './index.ts';
import { actionPrefixOf, type ActionConfig, type ActionKind } from '../pipeline/ports/action.ts';
import { faultsOf, secretText, settingsBelow } from '../pipeline/ports/setting-values.ts';
import { sourceName } from '../pipeline/ports/source-config.ts';

/** An action whose settings are faulty is off, and its faults are told; everything else goes on. */
export type ActionRead = { readonly name: string } & (
  { ok: true; action: ActionConfig } | { ok: false; faults: string[] }
);

const kinds: ReadonlyMap<string, ActionKind> = new Map(Object.entries(actionKinds));

const listOf = (words: string) =>
  z
    .string()
    .transform((text) => text.split(',').map((each) => each.trim()))
    .refine(
      (all) => all.every((each) => each !== '' && each.length <= 256),
      `must be ${words}, comma separated`,
    );

/** Names, as `ACTIONS` lists them; none if it is left out. */
export const actionNames = listOf('names of actions')
  .refine(
    (names) => names.every((name) => sourceName.test(name)),
    'must be names of lower case letters, digits and hyphens, at most 40 long, comma separated',
  )
  .refine((names) => new Set(names).size === names.length, 'must not name an action twice')
  .optional();

// What every action has; each kind adds its own.
const everyAction = z.object({
  KIND: z.string().refine((kind) => kinds.has(kind), `must be one of: ${[...kinds.keys()].join(', ')}`),
  SOURCES: listOf('names in SOURCES').optional(),
  TYPES: listOf('types of events').optional(),
  ASSET_KINDS: listOf('asset or folder')
    .refine(
      (all) => all.every((each) => each === 'asset' || each === 'folder'),
      'must be asset, folder or both',
    )
    .optional(),
  SECURITY_TAGS: listOf('security tags, or *').optional(),
});

/** The settings that an action of some kind or other can have, by what follows `ACTION_<NAME>_`. */
export const actionSettingNames: readonly string[] = [
  ...new Set([...Object.keys(everyAction.shape), ...[...kinds.values()].flatMap(namesOfKind)]),
];

/** The settings of the action of that name, or all that is wrong with them. `sources`: which there are, and which have security tags. */
export function readAction(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  sources: ReadonlyMap<string, { readonly hasSecurityTags: boolean }>,
): ActionRead {
  const prefix = actionPrefixOf(name);
  const given = settingsBelow(prefix, env);
  const every = everyAction.safeParse(given);
  const kind = kinds.get(given['KIND'] ?? '');
  const own = kind?.read(given);
  const secrets = new Map(
    Object.keys(kind?.secrets ?? {}).map((secret) => [secret, secretsIn(given, secret)]),
  );
  const faults = [
    ...(every.success ? [] : faultsOf(every.error, prefix)),
    ...(own !== undefined && 'error' in own ? faultsOf(own.error, prefix) : []),
    ...[...secrets].flatMap(([secret, values]) =>
      values.every((value) => secretText.safeParse(value).success)
        ? []
        : [`${prefix}${settingOf(secret)}: must be at most 4096 characters, without a blank at an end`],
    ),
  ];
  const data = every.data;
  for (const source of data?.SOURCES ?? [])
    if (!sources.has(source)) faults.push(`${prefix}SOURCES: SOURCES names no source ${source}`);
  const asked = [...sources].filter(([source]) => data?.SOURCES?.includes(source) ?? true);
  const tagged = asked.find(([, { hasSecurityTags }]) => hasSecurityTags);
  if (
    kind?.sendsOutside === true &&
    tagged !== undefined &&
    data !== undefined &&
    data.SECURITY_TAGS === undefined
  )
    faults.push(
      `${prefix}SECURITY_TAGS: must say which assets of ${tagged[0]} may leave by this action, such as open; * is all of them`,
    );
  if (data === undefined || own === undefined || 'error' in own || faults.length > 0)
    return { ok: false, name, faults };
  return {
    ok: true,
    name,
    action: {
      name,
      kind: data.KIND,
      sources: data.SOURCES,
      types: data.TYPES,
      assetKinds: data.ASSET_KINDS,
      securityTags: data.SECURITY_TAGS,
      run: own.run,
      mostPerSecond: kind?.mostPerSecond ?? 0,
      secrets,
    },
  };
}

interface ActionFamily {
  readonly word: 'action';
  readonly named: readonly {
    readonly name: string;
    readonly prefix: string;
    readonly kind: string | undefined;
    readonly settings: readonly string[];
  }[];
  readonly ofAnyKind: readonly string[];
}

/** What is known of the settings of actions, so that what is no setting is found. */
export function actionFamily(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ActionFamily {
  const named = names.map((name) => {
    const prefix = actionPrefixOf(name);
    const kind = env[`${prefix}KIND`];
    const own = kinds.get(kind ?? '');
    const settings =
      own === undefined ? actionSettingNames : [...Object.keys(everyAction.shape), ...namesOfKind(own)];
    return { name, prefix, kind, settings };
  });
  return { word: 'action', named, ofAnyKind: actionSettingNames };
}

function namesOfKind({ settingNames, secrets }: ActionKind): string[] {
  const ofSecrets = Object.entries(secrets).flatMap(([secret, how]) => {
    const setting = settingOf(secret);
    return how === 'alone' ? [setting] : [setting, `${setting}_PREVIOUS`];
  });
  return [...settingNames, ...ofSecrets];
}

function settingOf(secret: string): string {
  return secret.toUpperCase().replaceAll('-', '_');
}

function secretsIn(given: Record<string, string | undefined>, secret: string): string[] {
  const setting = settingOf(secret);
  return [given[setting], given[`${setting}_PREVIOUS`]].filter((value) => value !== undefined);
}
