import * as z from 'zod';
import {
  apiAddress,
  fieldNames,
  oneOf,
  pageAddress,
  pastTime,
  secretText,
} from '../../pipeline/ports/setting-values.ts';
import type { SourceConfig } from '../../pipeline/ports/source-config.ts';

/** The settings that a WoodWing Assets has besides those of every source. */
export const woodwingSettings = z
  .object({
    URL: apiAddress,
    PASSWORD: secretText.optional(),
    PORTAL_URL: pageAddress.optional(),
    THUMBNAIL_SIZE: oneOf(['small', 'medium', 'large']).optional(),
    METADATA_FIELDS: fieldNames.default([]),
    CATCH_UP: oneOf(['on', 'off']).default('on'),
    CATCH_UP_FROM: pastTime.optional(),
  })
  .transform((own) => ({
    url: own.URL,
    secrets: { password: own.PASSWORD },
    portalUrl: own.PORTAL_URL,
    catchUp: { isOn: own.CATCH_UP === 'on', from: own.CATCH_UP_FROM },
    thumbnailSize: own.THUMBNAIL_SIZE,
    /** Names of metadata fields that the record keeps beside the usual ones. */
    metadataFields: own.METADATA_FIELDS,
  }));

/** A configured source of kind `woodwing`. */
export type WoodwingSource = SourceConfig & Readonly<z.infer<typeof woodwingSettings>>;
