import type { ChangedAsset, ChangesResult, WantedChanges } from '../../pipeline/ports/source-client.ts';
import { plainValue, type Hit, type SearchAnswer } from './search.ts';

const pageSize = 100;
// The search shows nothing beyond (`README.md`).
const mostListed = 10_000;

/** The parameters of a search for what changed between two times, the earliest first. */
export function changesForm({ from, to, start }: WantedChanges): URLSearchParams {
  return new URLSearchParams({
    q: `assetModified:[${new Date(from).toISOString()} TO ${new Date(to).toISOString()}]`,
    start: String(start),
    num: String(pageSize),
    sort: 'assetModified-asc',
    metadataToReturn: 'assetModified',
  });
}

export function changesIn({ hits, totalHits }: SearchAnswer, { start }: WantedChanges): ChangesResult {
  // By our own count of what came.
  const next = start + hits.length;
  if (totalHits > mostListed || next > mostListed) return { kind: 'too-many' };
  const goesOn = hits.length > 0 && next < totalHits;
  return { kind: 'page', assets: hits.map(assetIn), next: goesOn ? next : null };
}

function assetIn({ id, metadata }: Hit): ChangedAsset {
  const at = plainValue(metadata['assetModified']);
  const isTime = typeof at === 'number' && at > 0 && at < 8.64e15;
  return { kind: 'asset', id, ...(isTime ? { changedAt: new Date(at).toISOString() } : {}) };
}
