import * as z from 'zod';
import { apiAddress, jsonPointer, secretText, wholeNumber } from '../../pipeline/ports/setting-values.ts';
import type { SourceConfig } from '../../pipeline/ports/source-config.ts';

/** Where things are in a payload: JSON Pointers (RFC 6901). */
interface Pointers {
  readonly title?: string;
  readonly assetId?: string;
  readonly link?: string;
}

/** The settings that a PyWebhooks has besides those of every source. */
export const pywebhooksSettings = z
  .object({
    // A payload is all there is to know; only the command asks that system.
    URL: apiAddress.optional(),
    API_KEY: secretText.optional(),
    TITLE_POINTER: jsonPointer.optional(),
    ASSET_ID_POINTER: jsonPointer.optional(),
    LINK_POINTER: jsonPointer.optional(),
    DEDUPLICATE_SECONDS: wholeNumber(0, 604_800).default(0),
  })
  .transform((own) => ({
    url: own.URL ?? '',
    secrets: { apiKey: own.API_KEY },
    pointers: {
      ...(own.TITLE_POINTER === undefined ? {} : { title: own.TITLE_POINTER }),
      ...(own.ASSET_ID_POINTER === undefined ? {} : { assetId: own.ASSET_ID_POINTER }),
      ...(own.LINK_POINTER === undefined ? {} : { link: own.LINK_POINTER }),
    } as Pointers,
    /** For how long two deliveries of one body are one event; 0 is never. */
    deduplicateMs: own.DEDUPLICATE_SECONDS * 1000,
  }));

/** A configured source of kind `pywebhooks`. */
export type PyWebhooksSource = SourceConfig & Readonly<z.infer<typeof pywebhooksSettings>>;
