import { createHash } from 'node:crypto';
import type { Entity, EntityCode, Generation, Identifier, StoredFile } from './library.ts';

/** What the XML documents need to know of the server. */
export interface DocumentStyle {
  /** This server's own origin. */
  readonly base: string;
  /** Two numbers, such as `8.1`; the namespaces follow. */
  readonly version: string;
}

export const paths: Readonly<Record<EntityCode, string>> = {
  IO: 'information-objects',
  SO: 'structural-objects',
  CO: 'content-objects',
};

export const elements: Readonly<Record<EntityCode, string>> = {
  IO: 'InformationObject',
  SO: 'StructuralObject',
  CO: 'ContentObject',
};

// No escape makes them legal (XML 1.0, 2.2).
// oxlint-disable-next-line no-control-regex
const notInXml = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

export function escape(text: string): string {
  return text
    .replaceAll(notInXml, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function tag(name: string, text: string | undefined): string {
  return text === undefined ? '' : `<${name}>${escape(text)}</${name}>`;
}

function whole(root: string, style: DocumentStyle, inside: string): string {
  const entityApi = `http://preservica.com/EntityAPI/v${style.version}`;
  const xip = `http://preservica.com/XIP/v${style.version}`;
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<${root} xmlns="${entityApi}" xmlns:xip="${xip}">${inside}</${root}>`;
}

export function addressOf(entity: Pick<Entity, 'code' | 'ref'>, style: DocumentStyle): string {
  return `${style.base}/api/entity/${paths[entity.code]}/${entity.ref}`;
}

export function entityDocument(entity: Entity, style: DocumentStyle): string {
  const self = addressOf(entity, style);
  const fragments = entity.fragments
    .map(({ schema, ref }) => `<Fragment schema="${escape(schema)}">${self}/metadata/${ref}</Fragment>`)
    .join('');
  const element = `xip:${elements[entity.code]}`;
  return whole(
    'EntityResponse',
    style,
    `<${element}>${tag('xip:Ref', entity.ref)}${tag('xip:Title', entity.title)}${tag('xip:Description', entity.description)}` +
      `${tag('xip:SecurityTag', entity.securityTag)}${tag('xip:CustomType', entity.customType)}${tag('xip:Parent', entity.parent)}` +
      `${entity.deleted ? '<xip:Deleted>true</xip:Deleted>' : ''}</${element}>` +
      `<AdditionalInformation><Self>${self}</Self>${entity.code === 'CO' ? `<Generations>${self}/generations</Generations>` : ''}` +
      `<Metadata>${fragments}</Metadata></AdditionalInformation>`,
  );
}

export function representationsDocument(entity: Entity, style: DocumentStyle): string {
  const items = entity.representations.map(({ type, name }) => {
    const address = `${addressOf(entity, style)}/representations/${type}/${name.split('-').at(-1) ?? '1'}`;
    return `<Representation type="${escape(type)}" name="${escape(name)}">${address}</Representation>`;
  });
  return whole('RepresentationsResponse', style, `<Representations>${items.join('')}</Representations>`);
}

export function representationDocument(
  entity: Entity,
  found: Entity['representations'][number],
  style: DocumentStyle,
): string {
  const objects = found.contentObjects.map((ref) => `<xip:ContentObject>${ref}</xip:ContentObject>`).join('');
  return whole(
    'RepresentationResponse',
    style,
    `<xip:Representation><xip:InformationObject>${entity.ref}</xip:InformationObject>${tag('xip:Name', found.name)}` +
      `${tag('xip:Type', found.type)}<xip:ContentObjects>${objects}</xip:ContentObjects><xip:RepresentationFormats/>` +
      `<xip:RepresentationProperties/></xip:Representation><ContentObjects/><AdditionalInformation/>`,
  );
}

export function generationsDocument(entity: Entity, style: DocumentStyle): string {
  const items = entity.generations.map(
    ({ active }, index) =>
      `<Generation active="${active}">${addressOf(entity, style)}/generations/${index + 1}</Generation>`,
  );
  return whole('GenerationsResponse', style, `<Generations>${items.join('')}</Generations>`);
}

export function generationDocument(
  entity: Entity,
  number: number,
  found: Generation,
  style: DocumentStyle,
): string {
  const address = `${addressOf(entity, style)}/generations/${number}/bitstreams`;
  const items = found.files.map(
    ({ name }, index) => `<Bitstream filename="${escape(name)}">${address}/${index + 1}</Bitstream>`,
  );
  return whole(
    'GenerationResponse',
    style,
    `<xip:Generation original="${number === 1}" active="${found.active}"><xip:ContentObject>${entity.ref}</xip:ContentObject>` +
      '<xip:FormatGroup>image</xip:FormatGroup><xip:EffectiveDate>2024-03-05T09:00:00.000Z</xip:EffectiveDate>' +
      '<xip:Formats><xip:Format valid="true"><xip:PUID>fmt/353</xip:PUID><xip:Priority>1</xip:Priority>' +
      '<xip:IdentificationMethod>Signature</xip:IdentificationMethod><xip:FormatName>Tagged Image File Format</xip:FormatName>' +
      '<xip:FormatVersion>1.0</xip:FormatVersion></xip:Format></xip:Formats><xip:Properties/></xip:Generation>' +
      `<Bitstreams>${items.join('')}</Bitstreams>`,
  );
}

export function bitstreamDocument(address: string, file: StoredFile, style: DocumentStyle): string {
  const fixity = (algorithm: string): string =>
    `<xip:Fixity>${tag('xip:FixityAlgorithmRef', algorithm)}${tag('xip:FixityValue', digest(algorithm, file))}</xip:Fixity>`;
  return whole(
    'BitstreamResponse',
    style,
    `<xip:Bitstream>${tag('xip:Filename', file.name)}${tag('xip:FileSize', String(file.size))}` +
      `<xip:Fixities>${fixity('SHA1')}${fixity('SHA256')}</xip:Fixities></xip:Bitstream>` +
      `<AdditionalInformation><Self>${address}</Self><Content>${address}/content</Content></AdditionalInformation>`,
  );
}

function digest(algorithm: string, file: StoredFile): string {
  return createHash(algorithm.toLowerCase()).update(file.bytes).digest('hex');
}

export function identifiersDocument(
  entity: Entity,
  identifiers: readonly Identifier[],
  style: DocumentStyle,
): string {
  const items = identifiers.map(
    ({ apiId, type, value }) =>
      `<xip:Identifier>${tag('xip:ApiId', apiId)}${tag('xip:Type', type)}${tag('xip:Value', value)}${tag('xip:Entity', entity.ref)}</xip:Identifier>`,
  );
  const paging = `<Paging><TotalResults>${identifiers.length}</TotalResults></Paging>`;
  return whole('IdentifiersResponse', style, `<Identifiers>${items.join('')}</Identifiers>${paging}`);
}

export function metadataDocument(
  entity: Entity,
  fragment: Entity['fragments'][number],
  style: DocumentStyle,
): string {
  return whole(
    'MetadataResponse',
    style,
    `<xip:MetadataContainer schemaUri="${escape(fragment.schema)}">${tag('xip:Ref', fragment.ref)}${tag('xip:Entity', entity.ref)}` +
      `<xip:Content>${fragment.content}</xip:Content></xip:MetadataContainer>` +
      `<AdditionalInformation><Self>${addressOf(entity, style)}/metadata/${fragment.ref}</Self></AdditionalInformation>`,
  );
}

/** A page of a list, as `Child` elements or as `Entity` elements. */
export function listDocument(
  kind: 'Children' | 'Entities',
  page: { entities: readonly Entity[]; start: number; max: number; address: string },
  style: DocumentStyle,
): string {
  const { entities, start, max, address } = page;
  const element = kind === 'Children' ? 'Child' : 'Entity';
  const items = entities.slice(start, start + max).map((entity) => {
    const deleted = entity.deleted && kind === 'Entities' ? ' deleted="true"' : '';
    return `<${element} title="${escape(entity.title)}" ref="${entity.ref}" type="${entity.code}"${deleted}>${addressOf(entity, style)}</${element}>`;
  });
  const joint = address.includes('?') ? '&' : '?';
  const next =
    start + max < entities.length ? tag('Next', `${address}${joint}start=${start + max}&max=${max}`) : '';
  const paging = `<Paging>${next}<TotalResults>${entities.length}</TotalResults></Paging>`;
  return whole(`${kind}Response`, style, `<${kind}>${items.join('')}</${kind}>${paging}`);
}

export function versionDocument(style: DocumentStyle): string {
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<VersionDetails><CurrentVersion>${style.version}.0</CurrentVersion></VersionDetails>`;
}

export function progressDocument(): string {
  return '<Progress xmlns="http://status.preservica.com"><Status>COMPLETED</Status></Progress>';
}
