import * as z from 'zod';
import { UpstreamError } from '../../pipeline/ports/errors.ts';
import { Members } from '../../pipeline/model/event.ts';
import { isJsonObject, readJson } from '../../pipeline/model/read-json.ts';
import { isParsable } from '../../pipeline/model/survey-json.ts';

/** What Assets tells of one asset. */
export const Hit = z.object({
  id: z.string(),
  permissions: z.string().max(100).optional().catch(undefined),
  metadata: Members.catch({}),
  thumbnailUrl: z.string().max(8192).optional().catch(undefined),
  previewUrl: z.string().max(8192).optional().catch(undefined),
});
export type Hit = z.infer<typeof Hit>;

// So many are counted before any is looked at.
const SearchAnswer = z.object({
  // Below 0 stands for none.
  totalHits: z.int().catch(0),
  hits: z.array(z.unknown()).max(1000).pipe(z.array(Hit)),
});
export type SearchAnswer = z.infer<typeof SearchAnswer>;

/** The parameters of a search for one asset. The id is quoted, because one that begins with a hyphen would say "not". */
export function searchForm(assetId: string, fields: readonly string[]): URLSearchParams {
  return new URLSearchParams({
    q: `id:"${assetId}"`,
    num: '2',
    metadataToReturn: fields.join(','),
  });
}

/** What a search found. Throws an UpstreamError where it is no such answer. */
export function readSearchAnswer(bytes: Uint8Array): SearchAnswer {
  const json = readJson(bytes);
  if (json === undefined && isParsable(bytes)) {
    // Cut off on its way, perhaps.
    throw new UpstreamError('UPSTREAM_CONNECTION', 'WoodWing Assets answered the search with broken JSON.');
  }
  const answer = SearchAnswer.safeParse(json);
  if (!answer.success) {
    throw new UpstreamError(
      'UPSTREAM_UNREADABLE',
      'WoodWing Assets answered the search with something that is not as expected.',
    );
  }
  return answer.data;
}

/** A field's plain value: dates, sizes and lists of choices come as objects with a `value`. */
export function plainValue(field: unknown): unknown {
  return isJsonObject(field) && Object.hasOwn(field, 'value') ? field['value'] : field;
}
