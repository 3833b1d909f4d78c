import { randomUUID } from 'node:crypto';
import { at, attributeOf, localName, readXml } from '../../../sources/preservica/xml.ts';
import { escape, metadataDocument, type DocumentStyle } from './documents.ts';
import { plain, xml, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import type { Entity } from './library.ts';

/** An entity's descriptive documents: one that is there, or a new one. */
export function answerMetadata(
  ref: string | undefined,
  { method, body }: Exchange,
  entity: Entity,
  style: DocumentStyle,
): Answer {
  const place = entity.fragments.findIndex((each) => each.ref === ref);
  const known = entity.fragments[place];
  if (ref !== undefined && known === undefined) return plain(404, 'Not found.');
  if (known !== undefined && method === 'GET') return xml(metadataDocument(entity, known, style));
  if (known !== undefined && method === 'DELETE') {
    entity.fragments.splice(place, 1);
    entity.changedAt = new Date();
    return plain(204);
  }
  if (method !== (known === undefined ? 'POST' : 'PUT')) return plain(405);
  const given = readContainer(body.toString());
  if (given === undefined) return plain(400, 'That is no metadata.');
  const fragment = known ?? { ref: randomUUID(), ...given };
  if (known === undefined) entity.fragments.push(fragment);
  Object.assign(fragment, given);
  entity.changedAt = new Date();
  return xml(metadataDocument(entity, fragment, style));
}

function readContainer(text: string): { schema: string; content: string } | undefined {
  const read = readXml(text);
  if (read.kind !== 'document' || localName(read.root.name) !== 'MetadataContainer') return undefined;
  const schema = attributeOf(read.root, 'schemaUri');
  const container = at(read.root, 'Content');
  const [element] = container?.children.filter((child) => child.type === 'element') ?? [];
  const content = /<(?:[\w.-]+:)?Content\b[^>]*>(.*)<\/(?:[\w.-]+:)?Content\s*>/s.exec(text)?.[1]?.trim();
  if (schema === undefined || container === undefined || element === undefined || content === undefined)
    return undefined;
  // A fragment is kept without its container, where some clients declare its prefixes.
  const declared = { ...namespacesOf(read.root.attributes), ...namespacesOf(container.attributes) };
  return { schema, content: withNamespaces(content, declared) };
}

function namespacesOf(attributes: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => /^xmlns(:|$)/.test(name)));
}

function withNamespaces(content: string, declared: Readonly<Record<string, string>>): string {
  const read = readXml(content);
  if (read.kind !== 'document') return content;
  const used = (name: string): boolean => name === 'xmlns' || content.includes(`${localName(name)}:`);
  const missing = Object.entries(declared).filter(
    ([name]) => read.root.attributes[name] === undefined && used(name),
  );
  const added = missing.map(([name, uri]) => ` ${name}="${escape(uri)}"`).join('');
  return content.replace(`<${read.root.name}`, (start) => start + added);
}
