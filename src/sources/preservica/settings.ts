import {
  anyText,
  apiAddress,
  oneOf,
  pageAddress,
  pastTime,
  secretText,
  totpSeed,
} from '../../pipeline/ports/setting-values.ts';

/** The settings that a Preservica has besides those of every source. */
export const preservicaSettings = {
  URL: apiAddress,
  TENANT: anyText.optional(),
  PASSWORD: secretText.optional(),
  TOTP_SEED: totpSeed.optional(),
  PORTAL_URL: pageAddress.optional(),
  THUMBNAIL_SIZE: oneOf(['small', 'medium', 'large']).optional(),
  HANDSHAKE: oneOf(['strict', 'lenient']).default('strict'),
  CATCH_UP: oneOf(['on', 'off']).default('on'),
  CATCH_UP_FROM: pastTime.optional(),
};
