import * as z from 'zod';
import { readJson } from '../../../pipeline/model/read-json.ts';
import { bytes, json, plain, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import type { Entity, Library } from './library.ts';
import { drawPicture, pictureSizes } from '../pictures.ts';
import type { Settings } from './settings.ts';

export function answerContentApi(exchange: Exchange, library: Library, settings: Settings): Answer {
  const [, call] = exchange.segments;
  if (exchange.method !== 'GET' && call !== 'search') return plain(405);
  if (call === 'search') return search(exchange, library, settings);
  const [, code, ref = ''] = /^sdb:(IO|SO)\|(.+)$/.exec(exchange.query.get('id') ?? '') ?? [];
  const entity = library.get(ref.toLowerCase());
  if (entity === undefined || entity.code !== code || entity.deleted) return plain(404);
  if (settings.hiddenTags.has(entity.securityTag)) return plain(settings.hiddenStatus);
  switch (call) {
    case 'thumbnail':
      return thumbnail(entity, exchange.query.get('size') ?? 'large');
    case 'object-details':
      return json({ success: true, version: 1, value: detailsOf(entity) });
    case 'download':
      return download(entity, library);
    default:
      return plain(404);
  }
}

function thumbnail(entity: Entity, size: string): Answer {
  const pixels = pictureSizes[size];
  if (pixels === undefined || entity.thumbnail === 'none') return plain(404);
  return bytes(entity.thumbnail === 'own' ? drawPicture(entity.ref, pixels) : entity.thumbnail, 'image/png');
}

function detailsOf(entity: Entity): object {
  return {
    id: `sdb:${entity.code}|${entity.ref}`,
    name: entity.title,
    properties: [
      { name: 'cmis:description', value: entity.description ?? '' },
      { name: 'cmis:lastModificationDate', value: entity.changedAt.toISOString() },
    ],
    links: [],
  };
}

function download(entity: Entity, library: Library): Answer {
  const representation =
    entity.representations.find(({ type }) => type === 'Access') ?? entity.representations[0];
  const file = library.get(representation?.contentObjects[0] ?? '')?.generations.find(({ active }) => active)
    ?.files[0];
  if (entity.code !== 'IO' || file === undefined) return plain(400, 'There is nothing to download.');
  const disposition = `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`;
  return bytes(file.bytes, 'application/octet-stream', { 'content-disposition': disposition });
}

const Query = z.object({ q: z.string().default('%') });

function search({ method, query, body }: Exchange, library: Library, settings: Settings): Answer {
  const form = method === 'POST' ? new URLSearchParams(body.toString()) : query;
  const asked = Query.safeParse(readJson(Buffer.from(form.get('q') ?? '{}')));
  if (!asked.success) return json({ success: false, version: 1 }, 400);
  const words = asked.data.q.replaceAll('%', '').toLowerCase();
  const [start, max] = [Number(form.get('start') ?? 0), Number(form.get('max') ?? 25)];
  const names = (form.get('metadata') ?? '').split(',').filter((name) => name !== '');
  const hits = library
    .all()
    .filter(
      ({ code, title, securityTag, deleted }) =>
        code !== 'CO' &&
        !deleted &&
        !settings.hiddenTags.has(securityTag) &&
        title.toLowerCase().includes(words),
    );
  const page = max < 0 ? hits : hits.slice(start, start + max);
  const values = (entity: Entity): object[] =>
    names.map((name) => ({
      name,
      value: name === 'xip.title' ? entity.title : name === 'xip.reference' ? entity.ref : '',
    }));
  return json({
    success: true,
    version: 1,
    value: {
      objectIds: page.map(({ code, ref }) => `sdb:${code}|${ref}`),
      totalHits: hits.length,
      metadata: page.map(values),
      facets: [],
      simpleChildSearch: false,
      highlighting: [],
    },
  });
}
