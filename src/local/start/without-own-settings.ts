import { appSettings } from '../../config.ts';

const own = new Set(Object.keys(appSettings.shape));
const ownBeginnings =
  /^(?:SOURCE_|ACTION_|AzureWebJobs|AzureFunctionsJobHost__|ASSET_WEBHOOKS_|LOCAL_|WEBSITE_|FUNCTIONS_|LEGION_|IDENTITY_|MSI_)/i;

/** The environment without what a person, or a platform, has set for another app than the one on the simulators. */
export function withoutOwnSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !own.has(name) && !ownBeginnings.test(name)),
  );
}
