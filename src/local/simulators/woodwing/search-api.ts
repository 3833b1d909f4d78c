import { json } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { fieldOf } from './asset-fields.ts';
import { hitOf, type HitUrls } from './hits.ts';
import type { Asset, Library } from './library.ts';
import { listOf } from './parameters.ts';
import { queryOf } from './query.ts';
import { refusal } from './refusal.ts';
import { plainValue, textOf } from './values.ts';

const mostResults = 10_000;

/** `/services/search`. */
export function answerSearch(parameters: URLSearchParams, library: Library, urls: HitUrls): Answer {
  const text = parameters.get('q');
  const [start, num] = [countOf(parameters.get('start'), 0), countOf(parameters.get('num'), 50)];
  if (text === null) return refusal(400, 'Parameter q is missing');
  if (start === undefined || num === undefined) return refusal(400, 'start and num must be numbers');
  const query = queryOf(text);
  if (query === undefined) return refusal(400, `Cannot parse query: ${text}`);
  const found = library.indexed().filter((asset) => !asset.hidden && query(asset));
  const sorted = sortedBy(found, parameters.get('sort') ?? 'assetCreated-desc');
  const fields = listOf(parameters.get('metadataToReturn') ?? 'all');
  return json({
    firstResult: start,
    maxResultHits: num,
    totalHits: found.length,
    hits: sorted.slice(start, Math.min(start + num, mostResults)).map((asset) => hitOf(asset, fields, urls)),
    facets: {},
  });
}

function countOf(text: string | null, otherwise: number): number | undefined {
  if (text === null || text === '') return otherwise;
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function sortedBy(assets: readonly Asset[], sort: string): Asset[] {
  const keys = listOf(sort).map((key) => {
    const [, field, direction] = /^(.*?)(?:-(asc|desc))?$/.exec(key) ?? [];
    return { field: field ?? key, sign: direction === 'desc' ? -1 : 1 };
  });
  return assets.toSorted((one, other) => {
    for (const { field, sign } of keys) {
      const order = compare(plainValue(fieldOf(one, field)), plainValue(fieldOf(other, field)));
      if (order !== 0) return order * sign;
    }
    return 0;
  });
}

function compare(one: unknown, other: unknown): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  const [left, right] = [textOf(one), textOf(other)];
  return left < right ? -1 : Number(left > right);
}
