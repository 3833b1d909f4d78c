import { sanitizeLines, sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import type { Identifier } from '../../pipeline/model/event.ts';
import type { AssetDetails } from '../../pipeline/model/record.ts';
import type { WantedAsset } from '../../pipeline/ports/source-client.ts';
import type { MissingPart } from '../missing-parts.ts';
import { readReference } from './fields.ts';
import type { FoundFiles } from './files.ts';
import { all, at, attributeOf, textAt, wordAt, type XmlElement } from './xml.ts';

const maxFragments = 1000;

export function readIdentifiers(document: XmlElement): Identifier[] {
  return all(at(document, 'Identifiers'), 'Identifier').flatMap((identifier) => {
    const [type, value] = [textAt(identifier, 'Type'), textAt(identifier, 'Value')];
    if (type === undefined || value === undefined) return [];
    return [{ type: sanitizeText(type, 1024), value: sanitizeText(value, 10_000) }];
  });
}

/** What an entity's own document says of it. */
export interface FoundEntity {
  readonly ref: string | undefined;
  readonly deleted: boolean;
  readonly about: Pick<AssetDetails, 'title' | 'description' | 'parentId' | 'securityTag'>;
  readonly customType: string | null;
  readonly metadata: { schema: string | null; ref: string | null }[];
}

/** Undefined where the document holds no such entity. */
export function readEntity(
  document: XmlElement,
  name: 'InformationObject' | 'StructuralObject',
): FoundEntity | undefined {
  const entity = at(document, name);
  if (entity === undefined) return undefined;
  const title = textAt(entity, 'Title');
  const description = textAt(entity, 'Description');
  const word = (child: string): string | null => {
    const given = wordAt(entity, child);
    return given === undefined ? null : sanitizeText(given, 1024);
  };
  return {
    ref: readReference(wordAt(entity, 'Ref')),
    // The element is there, and `true`, on a deleted entity.
    deleted: wordAt(entity, 'Deleted')?.toLowerCase() === 'true',
    about: {
      // A line end in a document's text may be its layout: a blank in a title, which has one line.
      title:
        title === undefined ? null : sanitizeText(title.replaceAll(/[\t\n\r\u2028\u2029]/g, ' '), 10_000),
      description: description === undefined ? null : sanitizeLines(description, 100_000),
      parentId: readReference(wordAt(entity, 'Parent')) ?? null,
      securityTag: word('SecurityTag'),
    },
    customType: word('CustomType'),
    metadata: all(at(document, 'AdditionalInformation', 'Metadata'), 'Fragment')
      .slice(0, maxFragments)
      .map(readFragment),
  };
}

/** What Preservica says of an asset or folder, in our words. A folder has no files; of a deleted asset they are unknown. */
export function detailsOf(
  about: { asset: WantedAsset; code: 'IO' | 'SO'; entity: FoundEntity; portalUrl: string | undefined },
  found: {
    identifiers?: Identifier[] | undefined;
    files?: FoundFiles | undefined;
    missing?: { incomplete?: MissingPart[] };
  },
): AssetDetails {
  const { asset, code, entity, portalUrl } = about;
  const { identifiers, files } = found;
  return {
    kind: asset.kind,
    ...entity.about,
    ...(identifiers === undefined ? {} : { identifiers }),
    ...(files === undefined
      ? {}
      : { fileCount: files.fileCount, filesTruncated: files.filesTruncated, files: files.files }),
    links: portalUrl === undefined ? {} : { page: `${portalUrl}/uncategorized/${code}_${asset.id}` },
    details: {
      entityType: code,
      customType: entity.customType,
      metadata: entity.metadata,
      ...(files === undefined ? {} : { representations: files.representations }),
      ...found.missing,
    },
  };
}

/** The schema is an attribute, the text an address that ends in the fragment's reference. */
function readFragment(fragment: XmlElement): { schema: string | null; ref: string | null } {
  const schema = attributeOf(fragment, 'schema');
  return {
    schema: schema === undefined ? null : sanitizeText(schema, 2048),
    ref: readReference(fragment.text.trim().split('/').at(-1)) ?? null,
  };
}
