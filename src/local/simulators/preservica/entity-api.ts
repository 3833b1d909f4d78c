import { randomUUID } from 'node:crypto';
import { localName, readXml, textAt } from '../../../sources/preservica/xml.ts';
import {
  addressOf,
  bitstreamDocument,
  elements,
  entityDocument,
  generationDocument,
  generationsDocument,
  paths,
  progressDocument,
  representationDocument,
  representationsDocument,
  versionDocument,
  type DocumentStyle,
} from './documents.ts';
import { answerChildren, answerEntities } from './entity-lists.ts';
import { bytes, plain, xml, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { answerIdentifiers } from './identifiers-api.ts';
import type { Entity, Library } from './library.ts';
import { answerMetadata } from './metadata-api.ts';
import type { Settings } from './settings.ts';

export interface EntityApiDeps {
  readonly library: Library;
  readonly settings: Settings;
  readonly base: string;
  /** Tells that something happened which webhooks are sent for. */
  fire(this: void, trigger: string, entity: Entity): void;
}

const maxPreviewBytes = 10_000_000;

/** The Entity API, unversioned and under `v{x}.{y}`. */
export function answerEntityApi(exchange: Exchange, deps: EntityApiDeps): Answer {
  const [, ...rest] = exchange.segments;
  const versioned = /^v(\d+\.\d+)$/.exec(rest[0] ?? '')?.[1];
  const [collection = '', ref = '', ...parts] = versioned === undefined ? rest : rest.slice(1);
  const style: DocumentStyle = { base: deps.base, version: versioned ?? deps.settings.version };
  const reading = exchange.method === 'GET';

  if (reading && collection === 'versiondetails') return xml(versionDocument(style));
  if (reading && collection === 'progress') return xml(progressDocument());
  if (reading && collection === 'root' && ref === 'children')
    return answerChildren(exchange, undefined, { ...deps, style });
  if (reading && collection === 'entities') return answerEntities(ref, exchange, { ...deps, style });

  const code = (['IO', 'SO', 'CO'] as const).find((each) => paths[each] === collection);
  const entity = deps.library.get(ref.toLowerCase());
  if (code === undefined || entity?.code !== code) return plain(404, 'Not found.');
  if (deps.settings.hiddenTags.has(entity.securityTag)) return plain(deps.settings.hiddenStatus);
  const [name, id] = parts;
  if (name === 'identifiers') return answerIdentifiers(id, exchange, entity, style);
  if (name === 'metadata') return answerMetadata(id, exchange, entity, style);
  if (reading) return read(parts, exchange, entity, deps, style);
  return parts.length === 0
    ? update(exchange, entity, style)
    : change(`${exchange.method} ${parts.join('/')}`, exchange, entity, deps);
}

function read(
  [name, first = '', second = '', third = '', fourth]: string[],
  exchange: Exchange,
  entity: Entity,
  deps: EntityApiDeps,
  style: DocumentStyle,
): Answer {
  switch (name) {
    case undefined:
      return xml(entityDocument(entity, style));
    case 'children':
      return entity.code === 'SO'
        ? answerChildren(exchange, entity.ref, { ...deps, style })
        : plain(404, 'Not found.');
    case 'representations': {
      if (entity.code !== 'IO') return plain(404, 'Not found.');
      if (first === '') return xml(representationsDocument(entity, style));
      const found = entity.representations.find((each) => each.name === `${first}-${second}`);
      return found === undefined
        ? plain(404, 'Not found.')
        : xml(representationDocument(entity, found, style));
    }
    case 'generations': {
      if (entity.code !== 'CO') return plain(404, 'Not found.');
      if (first === '') return xml(generationsDocument(entity, style));
      const generation = entity.generations[Number(first) - 1];
      if (generation === undefined) return plain(404, 'Not found.');
      if (second === '') return xml(generationDocument(entity, Number(first), generation, style));
      const file = generation.files[Number(third) - 1];
      if (second !== 'bitstreams' || file === undefined) return plain(404, 'Not found.');
      if (fourth === 'content') return bytes(file.bytes, 'application/octet-stream');
      const address = `${addressOf(entity, style)}/generations/${first}/bitstreams/${third}`;
      return xml(bitstreamDocument(address, file, style));
    }
    default:
      return plain(404, 'Not found.');
  }
}

/** Tag and parent do not change this way. */
function update({ method, body }: Exchange, entity: Entity, style: DocumentStyle): Answer {
  if (method !== 'PUT') return plain(405);
  const given = readXml(body.toString());
  const title = given.kind === 'document' ? textAt(given.root, 'Title') : undefined;
  if (given.kind !== 'document' || localName(given.root.name) !== elements[entity.code])
    return plain(400, 'That is no such entity.');
  if (title === undefined) return plain(400, 'There is no title.');
  entity.title = title;
  entity.description = textAt(given.root, 'Description');
  entity.customType = textAt(given.root, 'CustomType');
  entity.changedAt = new Date();
  return xml(entityDocument(entity, style));
}

function change(call: string, { query, body }: Exchange, entity: Entity, deps: EntityApiDeps): Answer {
  const text = body.toString().trim();
  switch (call) {
    case 'PUT parent-ref': {
      const parent = text === '@root@' ? undefined : text.toLowerCase();
      const fits =
        parent === undefined ? entity.code === 'SO' : isFolderOutside(parent, entity, deps.library);
      if (entity.code === 'CO' || !fits) return plain(400, 'That is no place for it.');
      entity.parent = parent;
      return accepted('MOVED', entity, deps);
    }
    case 'PUT security-descriptor': {
      if (text === '') return plain(400, 'There is no tag.');
      const all = query.get('includeDescendants') === 'true' ? 'all' : 'files';
      for (const each of deps.library.below(entity, all)) each.securityTag = text;
      entity.securityTag = text;
      return accepted('CHANGED_SECURITY_DESCRIPTOR', entity, deps);
    }
    case 'PUT preview':
    case 'DELETE preview':
      if (entity.code === 'CO' || body.byteLength > maxPreviewBytes)
        return plain(400, 'That is no preview for it.');
      entity.thumbnail = call === 'PUT preview' ? new Uint8Array(body) : 'own';
      return plain(204);
    default:
      return plain(405);
  }
}

/** Whether it is a folder, and neither this entity nor below it. */
function isFolderOutside(ref: string, entity: Entity, library: Library): boolean {
  const found = library.get(ref);
  return found?.code === 'SO' && found !== entity && !library.below(entity, 'all').includes(found);
}

function accepted(trigger: string, entity: Entity, deps: EntityApiDeps): Answer {
  entity.changedAt = new Date();
  deps.fire(trigger, entity);
  return plain(202, randomUUID());
}
