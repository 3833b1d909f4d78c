import * as z from 'zod';
import {
  anyText,
  apiAddress,
  oneOf,
  pageAddress,
  pastTime,
  secretText,
  totpSeed,
} from '../../pipeline/ports/setting-values.ts';
import type { SourceConfig } from '../../pipeline/ports/source-config.ts';

/** The settings that a Preservica has besides those of every source. */
export const preservicaSettings = z
  .object({
    URL: apiAddress,
    TENANT: anyText.optional(),
    PASSWORD: secretText.optional(),
    TOTP_SEED: totpSeed.optional(),
    PORTAL_URL: pageAddress.optional(),
    THUMBNAIL_SIZE: oneOf(['small', 'medium', 'large']).optional(),
    HANDSHAKE: oneOf(['strict', 'lenient']).default('strict'),
    CATCH_UP: oneOf(['on', 'off']).default('on'),
    CATCH_UP_FROM: pastTime.optional(),
  })
  .transform((own) => ({
    url: own.URL,
    secrets: { password: own.PASSWORD, totpSeed: own.TOTP_SEED },
    tenant: own.TENANT,
    portalUrl: own.PORTAL_URL,
    catchUp: { isOn: own.CATCH_UP === 'on', from: own.CATCH_UP_FROM },
    thumbnailSize: own.THUMBNAIL_SIZE,
    handshake: own.HANDSHAKE,
  }));

/** A configured source of kind `preservica`. */
export type PreservicaSource = SourceConfig & Readonly<z.infer<typeof preservicaSettings>>;
