import { closestMatch } from 'leven';

/** What there is to know of a source that `SOURCES` names. */
interface NamedSource {
  readonly name: string;
  readonly prefix: string;
  readonly kind: string | undefined;
  /** What its kind has, by what follows the prefix. */
  readonly settings: readonly string[];
}

export interface KnownSettings {
  readonly app: readonly string[];
  readonly sources: readonly NamedSource[];
  /** What a source of some kind or other can have. */
  readonly ofAnyKind: readonly string[];
}

// A name that begins so means us. Shorter beginnings, such as MAX_, belong to everybody.
const ownBeginnings =
  /^(?:ACTION_|PUBLISH(?:ING)?_|CATCH_?UP|RETENTION_|FOLD_|SECRET_OVERLAP|RETRY_(?:DELAY|AFTER)|MAX_(?:DELIVER|BOD|THUMBNAIL|FILES|EVENT|CALL)|KEY_VAULT_UR|ASSET_WEBHOOKS_|PUBLIC_UR)/i;
// Of the command and of what runs the app on one's own machine.
const ofOthersHere = [
  'ASSET_WEBHOOKS_URL',
  'ASSET_WEBHOOKS_KEY',
  'LOCAL_SETTINGS_FILE',
  'LOCAL_SECRETS_FILE',
  'LOCAL_QUEUE_LEASE_SECONDS',
  'LOCAL_FAULT_POINT',
];
// Every reproducible build sets it.
const foreign = 'SOURCE_DATE_EPOCH';
// Whole names of settings that no version so far has.
const notYet = new Set(['ACTIONS', 'PUBLISHING']);

/** Names that look like settings of ours and are none: typing errors, and what a source that is gone left behind. */
export function unknownSettings(
  names: readonly string[],
  known: KnownSettings,
): { faults: string[]; warnings: string[] } {
  const left = leftBehind(names, known);
  const faults: string[] = [];
  const warnings: string[] = [];
  for (const name of names) {
    if (name === foreign || ofOthersHere.includes(name) || known.app.includes(name)) continue;
    if (!name.startsWith('SOURCE_')) {
      const fault = faultOfApp(name, known);
      if (fault !== undefined) faults.push(fault);
      continue;
    }
    const owners = known.sources.filter((source) => isOf(source, name));
    if (owners.length > 1)
      faults.push(
        `${name}: could belong to ${owners.map((owner) => owner.name).join(' or ')}; give one of them another name`,
      );
    else if (owners.length === 0 && left(name))
      warnings.push(`${name}: SOURCES names no such source, so nothing reads it`);
    else if (owners.length === 0) faults.push(faultOfSource(name, known));
  }
  return { faults, warnings };
}

function faultOfApp(name: string, { app }: KnownSettings): string | undefined {
  // A short name that is near to one of ours is more often somebody else's.
  const nearest = name.length < 8 ? undefined : nearestOf(name, [...app, ...ofOthersHere]);
  if (nearest === undefined && !ownBeginnings.test(name) && !notYet.has(name)) return undefined;
  return noSuch(name, nearest);
}

function faultOfSource(name: string, { sources, ofAnyKind }: KnownSettings): string {
  const source = sources.find(({ prefix }) => name.startsWith(prefix));
  if (source === undefined) {
    const whole = sources.flatMap(({ prefix, settings }) => settings.map((setting) => prefix + setting));
    return noSuch(name, nearestOf(name, whole));
  }
  const setting = name.slice(source.prefix.length);
  if (ofAnyKind.includes(setting))
    return `${name}: a source of kind ${source.kind ?? ''} has no such setting`;
  const nearest = nearestOf(setting, source.settings);
  return noSuch(name, nearest === undefined ? undefined : source.prefix + nearest);
}

function noSuch(name: string, nearest: string | undefined): string {
  return nearest === undefined
    ? `${name}: no such setting; look at its spelling and at the names in SOURCES`
    : `${name}: no such setting; did you mean ${nearest}?`;
}

function isOf({ prefix, settings }: NamedSource, name: string): boolean {
  return name.startsWith(prefix) && settings.includes(name.slice(prefix.length));
}

/**
 * Tells what a source left behind that SOURCES names no more. Every source has a KIND; where that is gone too, it may be
 * anything but a typing error in the name of one that is there.
 */
function leftBehind(names: readonly string[], { sources }: KnownSettings): (name: string) => boolean {
  const gone = names
    .filter((name) => /^SOURCE_.+_KIND$/.test(name) && !sources.some((source) => isOf(source, name)))
    .map((name) => name.slice(0, -'KIND'.length));
  const there = sources.map(({ prefix }) => prefix.slice('SOURCE_'.length, -1));
  return (name) => {
    if (gone.some((prefix) => name.startsWith(prefix))) return true;
    if (sources.some(({ prefix }) => name.startsWith(prefix))) return false;
    const words = name.slice('SOURCE_'.length).split('_');
    const beginnings = words.map((_, index) => words.slice(0, index + 1).join('_'));
    return beginnings.every((beginning) => nearestOf(beginning, there) === undefined);
  };
}

/** The known name that this one is a typing error of: two letters that changed places are two changes. */
function nearestOf(name: string, candidates: readonly string[]): string | undefined {
  const maxDistance = Math.min(2, Math.floor(name.length / 3));
  return maxDistance === 0 ? undefined : closestMatch(name.toUpperCase(), candidates, { maxDistance });
}
