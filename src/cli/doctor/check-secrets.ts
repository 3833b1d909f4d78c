import type { SourceConfig } from '../../config.ts';
import { ok, warning, wrong, type Check } from './check.ts';
import { errorName } from '../error-name.ts';
import { placeOfSecrets } from '../place-of-secrets.ts';
import type { Setup } from '../setup.ts';

/** Looks whether the secrets that a source needs are there, and can be read. No value is shown. */
export async function checkSecrets(setup: Setup, source: SourceConfig): Promise<Check[]> {
  const { config, secrets } = setup;
  const { name, kind } = source;
  const where = config.keyVaultUrl === undefined ? 'the settings or the local secrets file' : 'the vault';
  const about = `${name}: secrets`;
  try {
    await secrets.lookAgain(name);
  } catch (error) {
    const text = `The secrets cannot be read from ${placeOfSecrets(setup)} (${errorName(error)}).`;
    const todo =
      config.keyVaultUrl === undefined
        ? 'Look at the file that LOCAL_SECRETS_FILE names: it must be as this app wrote it, and yours to read.'
        : 'Look at KEY_VAULT_URL, at its firewall, and whether you may get secrets there (log in with "az login").';
    return [wrong(about, text, todo)];
  }
  const [webhook, password, apiKey] = await Promise.all([
    secrets.webhookSecrets(name),
    secrets.password(name),
    secrets.apiKey(name),
  ]);
  const checks: Check[] = [];
  if (webhook === undefined) {
    const text = `There is no webhook secret in ${where}: the app answers this source with 503.`;
    checks.push(wrong(about, text, howToGet[kind]));
  } else if (webhook[0].length < 16) {
    const text = 'The webhook secret is short: it can be guessed from one call that somebody saw.';
    checks.push(warning(about, text, 'Choose at least 16 characters at random.'));
  } else {
    const both = webhook.length === 2 ? 'A webhook secret and its predecessor' : 'A webhook secret';
    checks.push(ok(about, `${both} in ${where}.`));
  }
  const missing =
    kind === 'pywebhooks' ? apiKey === undefined && 'API key' : password === undefined && 'password';
  if (missing !== false) {
    const text = `There is no ${missing} in ${where}.`;
    checks.push(
      kind === 'pywebhooks'
        ? warning(
            about,
            `${text} The app needs none; this command does.`,
            'asset-webhooks pywebhooks account create',
          )
        : wrong(about, `${text} Events wait until there is.`, 'Set it.'),
    );
  }
  return checks;
}

const howToGet: Readonly<Record<SourceConfig['kind'], string>> = {
  preservica: 'Choose one of at least 16 characters and set it.',
  woodwing: 'asset-webhooks woodwing webhooks create',
  pywebhooks: 'asset-webhooks pywebhooks account create',
};
