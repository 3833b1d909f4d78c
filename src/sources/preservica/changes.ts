import type { ChangedAsset, ChangesResult, WantedChanges } from '../../pipeline/ports/source-client.ts';
import type { EntityApi } from './entity-api.ts';
import { all, at, attributeOf, wordAt, type XmlElement } from './xml.ts';

const pageSize = 100;
// A list that is longer is asked for again, in shorter times.
const mostListed = 10_000;

/** A page of what changed between two times, folders and assets. */
export async function listChanges(
  { from, to, start }: WantedChanges,
  questions: EntityApi,
): Promise<ChangesResult> {
  const query = new URLSearchParams({
    date: new Date(from).toISOString(),
    endDate: new Date(to).toISOString(),
    start: String(start),
    max: String(pageSize),
  });
  const page = await questions.part(
    `entities/updated-since?${query.toString()}`,
    'EntitiesResponse',
    readPage,
  );
  // By our own count of what came, never by an address of the answer.
  const next = start + page.listed;
  if (page.total > mostListed || next > mostListed) return { kind: 'too-many' };
  const goesOn = page.listed > 0 && (page.hasNext || next < page.total);
  return { kind: 'page', assets: page.assets, next: goesOn ? next : null };
}

function readPage(document: XmlElement): {
  assets: ChangedAsset[];
  listed: number;
  total: number;
  hasNext: boolean;
} {
  const entities = all(at(document, 'Entities'), 'Entity');
  const total = wordAt(document, 'Paging', 'TotalResults') ?? '';
  return {
    assets: entities.flatMap((entity) => assetIn(entity) ?? []),
    listed: entities.length,
    total: /^\d{1,12}$/.test(total) ? Number(total) : 0,
    hasNext: wordAt(document, 'Paging', 'Next') !== undefined,
  };
}

function assetIn(entity: XmlElement): ChangedAsset | undefined {
  const id = attributeOf(entity, 'ref');
  const type = attributeOf(entity, 'type');
  if (id === undefined || (type !== 'IO' && type !== 'SO')) return undefined;
  return { kind: type === 'IO' ? 'asset' : 'folder', id };
}
