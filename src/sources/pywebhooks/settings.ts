import { apiAddress, jsonPointer, secretText, wholeNumber } from '../../pipeline/ports/setting-values.ts';

/** The settings that a PyWebhooks has besides those of every source. */
export const pywebhooksSettings = {
  // A payload is all there is to know; only the command asks that system.
  URL: apiAddress.optional(),
  API_KEY: secretText.optional(),
  TITLE_POINTER: jsonPointer.optional(),
  ASSET_ID_POINTER: jsonPointer.optional(),
  LINK_POINTER: jsonPointer.optional(),
  DEDUPLICATE_SECONDS: wholeNumber(0, 604_800).default(0),
};
