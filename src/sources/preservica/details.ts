import { sanitizeLines, sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import type { Identifier } from '../../pipeline/model/event.ts';
import type { AssetDetails } from '../../pipeline/model/record.ts';
import type { WantedAsset } from '../../pipeline/ports/source-client.ts';
import { readReference } from './fields.ts';
import type { FoundFiles } from './files.ts';
import { all, at, attributeOf, textAt, type XmlElement } from './xml.ts';

const maxFragments = 1000;

/** Section 3.11. */
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
  const text = (child: string, maxLength: number): string | null => {
    const given = textAt(entity, child);
    return given === undefined ? null : sanitizeText(given.replaceAll(/\s+/g, ' '), maxLength);
  };
  const description = textAt(entity, 'Description');
  return {
    ref: readReference(textAt(entity, 'Ref')),
    // Section 3.3: the element is there, and `true`, on a deleted entity.
    deleted: textAt(entity, 'Deleted')?.toLowerCase() === 'true',
    about: {
      title: text('Title', 10_000),
      description: description === undefined ? null : sanitizeLines(description, 100_000),
      parentId: readReference(textAt(entity, 'Parent')) ?? null,
      securityTag: text('SecurityTag', 1024),
    },
    customType: text('CustomType', 1024),
    metadata: all(at(document, 'AdditionalInformation', 'Metadata'), 'Fragment')
      .slice(0, maxFragments)
      .map(readFragment),
  };
}

/** What Preservica says of an asset or folder, in our words. A folder has no files; of a deleted asset they are unknown. */
export function detailsOf(
  about: { asset: WantedAsset; code: 'IO' | 'SO'; entity: FoundEntity; portalUrl: string | undefined },
  identifiers: Identifier[],
  found: FoundFiles | undefined,
): AssetDetails {
  const { asset, code, entity, portalUrl } = about;
  return {
    kind: asset.kind,
    ...entity.about,
    identifiers,
    ...(found === undefined
      ? {}
      : { fileCount: found.fileCount, filesTruncated: found.filesTruncated, files: found.files }),
    // Section 3.9.
    links: portalUrl === undefined ? {} : { page: `${portalUrl}/uncategorized/${code}_${asset.id}` },
    details: {
      entityType: code,
      customType: entity.customType,
      metadata: entity.metadata,
      ...(found === undefined ? {} : { representations: found.representations }),
    },
  };
}

/** Section 3.3: the schema is an attribute, the text an address that ends in the fragment's reference. */
function readFragment(fragment: XmlElement): { schema: string | null; ref: string | null } {
  const schema = attributeOf(fragment, 'schema');
  return {
    schema: schema === undefined ? null : sanitizeText(schema, 2048),
    ref: readReference(fragment.text.trim().split('/').at(-1)) ?? null,
  };
}
