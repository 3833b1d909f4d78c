import { closestMatch } from 'leven';

/** A source or an action that the settings name. */
interface Named {
  readonly name: string;
  readonly prefix: string;
  readonly kind: string | undefined;
  /** What its kind has, by what follows the prefix. */
  readonly settings: readonly string[];
}

/** Sources or actions. */
export interface Family {
  readonly word: 'source' | 'action';
  readonly named: readonly Named[];
  /** What one of some kind or other can have. */
  readonly ofAnyKind: readonly string[];
}

export interface KnownSettings {
  readonly app: readonly string[];
  readonly families: readonly Family[];
}

// A name that begins so means us. Shorter beginnings, such as MAX_, belong to everybody.
const ownBeginnings =
  /^(?:PUBLISH(?:ING)?_|CATCH_?UP|RETENTION_|FOLD_|SECRET_OVERLAP|RETRY_(?:DELAY|AFTER)|MAX_(?:DELIVER|BOD|THUMBNAIL|FILES|EVENT|CALL)|KEY_VAULT_UR|ASSET_WEBHOOKS_|PUBLIC_UR)/i;
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
const notYet = new Set(['PUBLISHING']);

/** Names that look like settings of ours and are none: typing errors, and what a source or an action that is gone left behind. */
export function unknownSettings(
  names: readonly string[],
  known: KnownSettings,
): { faults: string[]; warnings: string[] } {
  const families = known.families.map((family) => ({ ...family, left: leftBehind(names, family) }));
  const faults: string[] = [];
  const warnings: string[] = [];
  for (const name of names) {
    if (name === foreign || ofOthersHere.includes(name) || known.app.includes(name)) continue;
    const family = families.find(({ word }) => name.startsWith(beginningOf(word)));
    if (family === undefined) {
      const fault = faultOfApp(name, known);
      if (fault !== undefined) faults.push(fault);
      continue;
    }
    const { word, named, left } = family;
    const owners = named.filter((owner) => isOf(owner, name));
    if (owners.length > 1)
      faults.push(
        `${name}: could belong to ${owners.map((owner) => owner.name).join(' or ')}; give one of them another name`,
      );
    else if (owners.length === 0 && left(name))
      warnings.push(`${name}: ${listOf(word)} names no such ${word}, so nothing reads it`);
    else if (owners.length === 0) faults.push(faultIn(family, name));
  }
  return { faults, warnings };
}

function beginningOf(word: Family['word']): string {
  return `${word.toUpperCase()}_`;
}

function listOf(word: Family['word']): string {
  return `${word.toUpperCase()}S`;
}

function faultOfApp(name: string, { app }: KnownSettings): string | undefined {
  // A short name that is near to one of ours is more often somebody else's.
  const nearest = name.length < 8 ? undefined : nearestOf(name, [...app, ...ofOthersHere]);
  if (nearest === undefined && !ownBeginnings.test(name) && !notYet.has(name)) return undefined;
  return noSuch(name, nearest, 'source');
}

function faultIn({ word, named, ofAnyKind }: Family, name: string): string {
  const owner = named.find(({ prefix }) => name.startsWith(prefix));
  if (owner === undefined) {
    const whole = named.flatMap(({ prefix, settings }) => settings.map((setting) => prefix + setting));
    return noSuch(name, nearestOf(name, whole), word);
  }
  const setting = name.slice(owner.prefix.length);
  const article = word === 'action' ? 'an' : 'a';
  if (ofAnyKind.includes(setting))
    return `${name}: ${article} ${word} of kind ${owner.kind ?? ''} has no such setting`;
  const nearest = nearestOf(setting, owner.settings);
  return noSuch(name, nearest === undefined ? undefined : owner.prefix + nearest, word);
}

function noSuch(name: string, nearest: string | undefined, word: Family['word']): string {
  return nearest === undefined
    ? `${name}: no such setting; look at its spelling and at the names in ${listOf(word)}`
    : `${name}: no such setting; did you mean ${nearest}?`;
}

function isOf({ prefix, settings }: Named, name: string): boolean {
  return name.startsWith(prefix) && settings.includes(name.slice(prefix.length));
}

/**
 * Tells what a source or an action left behind that its list names no more. Each has a KIND; where that is gone too, it may be
 * anything but a typing error in the name of one that is there.
 */
function leftBehind(names: readonly string[], { word, named }: Family): (name: string) => boolean {
  const beginning = beginningOf(word);
  const gone = names
    .filter(
      (name) =>
        name.startsWith(beginning) && /_.+_KIND$/.test(name) && !named.some((owner) => isOf(owner, name)),
    )
    .map((name) => name.slice(0, -'KIND'.length));
  const there = named.map(({ prefix }) => prefix.slice(beginning.length, -1));
  return (name) => {
    if (gone.some((prefix) => name.startsWith(prefix))) return true;
    if (named.some(({ prefix }) => name.startsWith(prefix))) return false;
    const words = name.slice(beginning.length).split('_');
    const beginnings = words.map((_, index) => words.slice(0, index + 1).join('_'));
    return beginnings.every((each) => nearestOf(each, there) === undefined);
  };
}

/** The known name that this one is a typing error of: two letters that changed places are two changes. */
function nearestOf(name: string, candidates: readonly string[]): string | undefined {
  const maxDistance = Math.min(2, Math.floor(name.length / 3));
  return maxDistance === 0 ? undefined : closestMatch(name.toUpperCase(), candidates, { maxDistance });
}
