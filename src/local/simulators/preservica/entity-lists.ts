import { listDocument, type DocumentStyle } from './documents.ts';
import { plain, xml, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import type { Entity, Library } from './library.ts';
import type { Settings } from './settings.ts';

export interface ListDeps {
  readonly library: Library;
  readonly settings: Settings;
  readonly style: DocumentStyle;
}

/** What is in a folder, or at the root. */
export function answerChildren(exchange: Exchange, parent: string | undefined, deps: ListDeps): Answer {
  const present = deps.library.children(parent).filter(({ deleted }) => !deleted);
  return page('Children', present, exchange, deps);
}

/** By external identifier, or by time of change. */
export function answerEntities(what: string, exchange: Exchange, deps: ListDeps): Answer {
  const all = deps.library.all().filter(({ code }) => code !== 'CO');
  const { query } = exchange;
  if (what === 'by-identifier') {
    const fits = ({ type, value }: { type: string; value: string }): boolean =>
      type === query.get('type') && value === query.get('value');
    const found = all.filter((entity) => entity.identifiers.some(fits));
    return page('Entities', found, exchange, deps);
  }
  if (what === 'updated-since') {
    // Clients disagree about the name of the first.
    const from = Date.parse(query.get('date') ?? query.get('since') ?? '');
    const to = Date.parse(query.get('endDate') ?? '9999-12-31T00:00:00Z');
    if (Number.isNaN(from) || Number.isNaN(to)) return plain(400, 'That is no date.');
    const changed = all.filter(({ changedAt }) => changedAt.getTime() >= from && changedAt.getTime() <= to);
    return page('Entities', changed, exchange, deps);
  }
  return plain(404, 'Not found.');
}

function page(
  kind: 'Children' | 'Entities',
  entities: readonly Entity[],
  exchange: Exchange,
  { settings, style }: ListDeps,
): Answer {
  const query = new URLSearchParams(exchange.query);
  const [start, max] = [Number(query.get('start') ?? 0), Number(query.get('max') ?? 100)];
  if (!Number.isSafeInteger(start) || start < 0 || !Number.isSafeInteger(max) || max < 1)
    return plain(400, 'That is no page.');
  query.delete('start');
  query.delete('max');
  const path = `${style.base}${exchange.target.replace(/\?.*$/, '')}`;
  const address = query.size === 0 ? path : `${path}?${query.toString()}`;
  const shown = entities.filter(({ securityTag }) => !settings.hiddenTags.has(securityTag));
  return xml(listDocument(kind, { entities: shown, start, max, address }, style));
}
