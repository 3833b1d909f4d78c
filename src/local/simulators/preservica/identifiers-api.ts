import { readXml, textAt } from '../../../sources/preservica/xml.ts';
import { identifiersDocument, type DocumentStyle } from './documents.ts';
import { plain, xml, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { newApiId, type Entity } from './library.ts';

/** An entity's external identifiers, all or the one with that id. */
export function answerIdentifiers(
  apiId: string | undefined,
  { method, body }: Exchange,
  entity: Entity,
  style: DocumentStyle,
): Answer {
  const place = entity.identifiers.findIndex((each) => each.apiId === apiId);
  const known = entity.identifiers[place];
  if (apiId !== undefined && known === undefined) return plain(404, 'Not found.');
  switch (`${method} ${known === undefined ? 'all' : 'one'}`) {
    case 'GET all':
      return xml(identifiersDocument(entity, entity.identifiers, style));
    case 'DELETE one':
      entity.identifiers.splice(place, 1);
      entity.changedAt = new Date();
      return plain(204);
    case 'POST all':
    case 'PUT one': {
      const given = readIdentifier(body);
      if (given === undefined) return plain(400, 'That is no identifier.');
      const identifier = known ?? { apiId: newApiId(), ...given };
      if (known === undefined) entity.identifiers.push(identifier);
      Object.assign(identifier, given);
      entity.changedAt = new Date();
      return xml(identifiersDocument(entity, [identifier], style));
    }
    default:
      return plain(405);
  }
}

function readIdentifier(body: Buffer): { type: string; value: string } | undefined {
  const read = readXml(body.toString());
  if (read.kind !== 'document') return undefined;
  const [type, value] = [textAt(read.root, 'Type'), textAt(read.root, 'Value')];
  return type === undefined || value === undefined ? undefined : { type, value };
}
