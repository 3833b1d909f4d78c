import {
  apiAddress,
  fieldNames,
  oneOf,
  pageAddress,
  pastTime,
  secretText,
} from '../../pipeline/ports/setting-values.ts';

/** The settings that a WoodWing Assets has besides those of every source. */
export const woodwingSettings = {
  URL: apiAddress,
  PASSWORD: secretText.optional(),
  PORTAL_URL: pageAddress.optional(),
  THUMBNAIL_SIZE: oneOf(['small', 'medium', 'large']).optional(),
  METADATA_FIELDS: fieldNames.default([]),
  CATCH_UP: oneOf(['on', 'off']).default('on'),
  CATCH_UP_FROM: pastTime.optional(),
};
