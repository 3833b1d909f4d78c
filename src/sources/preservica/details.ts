import type { Identifier } from '../../pipeline/event.ts';
import type { AssetDetails } from '../../pipeline/record.ts';
import type { WantedAsset } from '../../pipeline/source-system.ts';
import type { FoundFiles } from './files.ts';
import { all, at, textAt, type XmlElement } from './xml.ts';

/** Section 3.3: the element is there, and `true`, on a deleted entity. */
export function isDeleted(entity: XmlElement): boolean {
  return textAt(entity, 'Deleted') === 'true';
}

/** Section 3.11. */
export function readIdentifiers(document: XmlElement): Identifier[] {
  return all(at(document, 'Identifiers'), 'Identifier').flatMap((identifier) => {
    const [type, value] = [textAt(identifier, 'Type'), textAt(identifier, 'Value')];
    return type === undefined || value === undefined ? [] : [{ type, value }];
  });
}

/** What Preservica's documents say of an asset or folder, in our words. A folder has no files; of a deleted asset they are unknown. */
export function detailsOf(
  about: {
    asset: WantedAsset;
    code: 'IO' | 'SO';
    document: XmlElement;
    entity: XmlElement;
    portalUrl: string | undefined;
  },
  identifiers: Identifier[],
  found: FoundFiles | undefined,
): AssetDetails {
  const { asset, code, document, entity, portalUrl } = about;
  return {
    kind: asset.kind,
    title: textAt(entity, 'Title') ?? null,
    description: textAt(entity, 'Description') ?? null,
    parentId: textAt(entity, 'Parent')?.toLowerCase() ?? null,
    securityTag: textAt(entity, 'SecurityTag') ?? null,
    identifiers,
    ...(found === undefined
      ? {}
      : { fileCount: found.fileCount, filesTruncated: found.filesTruncated, files: found.files }),
    // Section 3.9.
    links: portalUrl === undefined ? {} : { page: `${portalUrl}/uncategorized/${code}_${asset.id}` },
    details: {
      entityType: code,
      customType: textAt(entity, 'CustomType') ?? null,
      metadata: all(at(document, 'AdditionalInformation', 'Metadata'), 'Fragment').map((fragment) => ({
        schema: fragment.attributes['schema'] ?? null,
        ref: fragment.text.trim().split('/').at(-1) ?? null,
      })),
      ...(found === undefined ? {} : { representations: found.representations }),
    },
  };
}
