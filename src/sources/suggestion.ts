import { closestMatch } from 'leven';

/** Names the known word that a mistyped one is nearest to; nothing where none is near. */
export function suggestion(given: string, known: readonly string[]): string {
  const maxDistance = Math.max(2, Math.ceil(given.length / 3));
  const candidates = new Map(known.map((name) => [name.toLowerCase(), name]));
  const nearest = candidates.get(
    closestMatch(given.toLowerCase(), [...candidates.keys()], { maxDistance }) ?? '',
  );
  return nearest === undefined ? '' : ` Did you mean ${nearest}?`;
}
