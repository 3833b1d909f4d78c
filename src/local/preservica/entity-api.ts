import { randomUUID } from 'node:crypto';
import { readXml, textAt, type XmlElement } from '../../sources/preservica/xml.ts';
import {
  addressOf,
  bitstreamDocument,
  entityDocument,
  generationDocument,
  generationsDocument,
  identifiersDocument,
  listDocument,
  metadataDocument,
  paths,
  progressDocument,
  representationDocument,
  representationsDocument,
  versionDocument,
  type DocumentStyle,
} from './documents.ts';
import { bytes, plain, xml, type Exchange } from './exchange.ts';
import type { Answer } from './faults.ts';
import { newApiId, type Entity, type Library } from './library.ts';
import type { Settings } from './settings.ts';

export interface EntityApiDeps {
  readonly library: Library;
  readonly settings: Settings;
  readonly base: string;
  /** Tells that something happened which webhooks are sent for. */
  fire(this: void, trigger: string, entity: Entity): void;
}

/** The Entity API (reference/preservica.md, section 3), unversioned and under `v{x}.{y}`. */
export function answerEntityApi(exchange: Exchange, deps: EntityApiDeps): Answer {
  const [, ...rest] = exchange.segments;
  const versioned = /^v(\d+\.\d+)$/.exec(rest[0] ?? '')?.[1];
  const segments = versioned === undefined ? rest : rest.slice(1);
  const style: DocumentStyle = { base: deps.base, version: versioned ?? deps.settings.version };
  const [collection = '', ref = '', ...parts] = segments;

  if (collection === 'versiondetails') return xml(versionDocument(style));
  if (collection === 'progress') return xml(progressDocument());
  if (collection === 'root' && ref === 'children')
    return list('Children', deps.library.children(undefined), exchange, style);
  if (collection === 'entities') return search(ref, exchange, deps, style);

  const code = (['IO', 'SO', 'CO'] as const).find((each) => paths[each] === collection);
  const entity = deps.library.get(ref.toLowerCase());
  if (code === undefined || entity?.code !== code) return plain(404, 'Not found.');
  if (deps.settings.hiddenTags.has(entity.securityTag)) return plain(deps.settings.hiddenStatus);
  if (parts.length === 0) return whole(exchange, entity, style);
  return part(parts, exchange, entity, deps, style);
}

function whole({ method, body }: Exchange, entity: Entity, style: DocumentStyle): Answer {
  if (method === 'PUT') {
    const given = rootOf(body);
    entity.title = textAt(given, 'Title') ?? entity.title;
    entity.description = textAt(given, 'Description');
    entity.customType = textAt(given, 'CustomType');
    entity.changedAt = new Date();
  }
  return xml(entityDocument(entity, style));
}

function part(
  parts: string[],
  exchange: Exchange,
  entity: Entity,
  deps: EntityApiDeps,
  style: DocumentStyle,
): Answer {
  const [name, first = '', second = '', third = '', fourth] = parts;
  switch (name) {
    case 'representations': {
      if (first === '') return xml(representationsDocument(entity, style));
      const found = entity.representations.find((each) => each.name === `${first}-${second}`);
      return found === undefined ? plain(404) : xml(representationDocument(entity, found, style));
    }
    case 'generations': {
      if (first === '') return xml(generationsDocument(entity, style));
      const generation = entity.generations[Number(first) - 1];
      if (generation === undefined) return plain(404);
      if (second === '') return xml(generationDocument(entity, Number(first), generation, style));
      const file = generation.files[Number(third) - 1];
      if (second !== 'bitstreams' || file === undefined) return plain(404);
      if (fourth === 'content') return bytes(file.bytes, 'application/octet-stream');
      return xml(
        bitstreamDocument(
          `${addressOf(entity, style)}/generations/${first}/bitstreams/${third}`,
          file,
          style,
        ),
      );
    }
    case 'identifiers':
      return identifiers(first, exchange, entity, style);
    case 'metadata':
      return metadata(first, exchange, entity, style);
    case 'children':
      return list('Children', deps.library.children(entity.ref), exchange, style);
    case 'parent-ref': {
      const given = exchange.body.toString().trim();
      entity.parent = given === '@root@' ? undefined : given;
      return accepted('MOVED', entity, deps);
    }
    case 'security-descriptor':
      entity.securityTag = exchange.body.toString().trim();
      return accepted('CHANGED_SECURITY_DESCRIPTOR', entity, deps);
    case 'preview':
      if (exchange.method === 'PUT') entity.thumbnail = new Uint8Array(exchange.body);
      else entity.thumbnail = 'own';
      return plain(204);
    default:
      return plain(404);
  }
}

function accepted(trigger: string, entity: Entity, deps: EntityApiDeps): Answer {
  entity.changedAt = new Date();
  deps.fire(trigger, entity);
  return plain(202, randomUUID());
}

/** Section 3.11. */
function identifiers(
  apiId: string,
  { method, body }: Exchange,
  entity: Entity,
  style: DocumentStyle,
): Answer {
  if (apiId === '' && method === 'GET') return xml(identifiersDocument(entity, entity.identifiers, style));
  const place = entity.identifiers.findIndex((each) => each.apiId === apiId);
  if (method === 'DELETE') {
    if (place === -1) return plain(404);
    entity.identifiers.splice(place, 1);
    return plain(204);
  }
  const given = rootOf(body);
  const [type, value] = [textAt(given, 'Type'), textAt(given, 'Value')];
  if (type === undefined || value === undefined) return plain(400);
  const known = entity.identifiers[place];
  if (apiId !== '' && known === undefined) return plain(404);
  const identifier = known ?? { apiId: newApiId(), type, value };
  if (known === undefined) entity.identifiers.push(identifier);
  Object.assign(identifier, { type, value });
  return xml(identifiersDocument(entity, [identifier], style));
}

/** Section 3.12. */
function metadata(ref: string, { method, body }: Exchange, entity: Entity, style: DocumentStyle): Answer {
  const place = entity.fragments.findIndex((each) => each.ref === ref);
  const known = entity.fragments[place];
  if (ref !== '' && known === undefined) return plain(404);
  if (method === 'GET') return known === undefined ? plain(405) : xml(metadataDocument(entity, known, style));
  if (method === 'DELETE') {
    entity.fragments.splice(place, 1);
    return plain(204);
  }
  const schema = rootOf(body)?.attributes['schemaUri'];
  const content = /<(?:\w+:)?Content>(.*)<\/(?:\w+:)?Content>/s.exec(body.toString())?.[1];
  if (schema === undefined || content === undefined) return plain(400);
  const fragment = known ?? { ref: randomUUID(), schema, content };
  if (known === undefined) entity.fragments.push(fragment);
  Object.assign(fragment, { schema, content });
  return xml(metadataDocument(entity, fragment, style));
}

/** Sections 3.10 and 3.11. */
function search(what: string, exchange: Exchange, deps: EntityApiDeps, style: DocumentStyle): Answer {
  const all = deps.library.all().filter(({ code }) => code !== 'CO');
  const { query } = exchange;
  if (what === 'by-identifier') {
    const fits = ({ type, value }: { type: string; value: string }): boolean =>
      type === query.get('type') && value === query.get('value');
    return list(
      'Entities',
      all.filter((entity) => entity.identifiers.some(fits)),
      exchange,
      style,
    );
  }
  if (what === 'updated-since') {
    const from = Date.parse(query.get('date') ?? '');
    const to = Date.parse(query.get('endDate') ?? '9999-12-31T00:00:00Z');
    if (Number.isNaN(from)) return plain(400);
    const changed = all.filter(({ changedAt }) => changedAt.getTime() >= from && changedAt.getTime() <= to);
    return list('Entities', changed, exchange, style);
  }
  return plain(404);
}

function list(
  kind: 'Children' | 'Entities',
  entities: readonly Entity[],
  exchange: Exchange,
  style: DocumentStyle,
): Answer {
  const query = new URLSearchParams(exchange.query);
  const [start, max] = [Number(query.get('start') ?? 0), Number(query.get('max') ?? 100)];
  query.delete('start');
  query.delete('max');
  const path = `${style.base}${exchange.target.replace(/\?.*$/, '')}`;
  const address = query.size === 0 ? path : `${path}?${query.toString()}`;
  return xml(listDocument(kind, { entities, start, max, address }, style));
}

function rootOf(body: Buffer): XmlElement | undefined {
  const read = readXml(body.toString());
  return read.kind === 'document' ? read.root : undefined;
}
