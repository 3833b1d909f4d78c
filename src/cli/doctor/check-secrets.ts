import type { SourceConfig } from '../../pipeline/ports/source-config.ts';
import type { SourceDoctor } from '../../pipeline/ports/source-doctor.ts';
import { errorName } from '../error-name.ts';
import { placeOfSecrets } from '../place-of-secrets.ts';
import type { SourceState } from '../running-app.ts';
import type { Setup } from '../setup.ts';
import { ok, type Check } from './check.ts';
import { findings } from './findings.ts';

/**
 * Looks whether the secrets that a source needs are there, can be read, and are those of the running app, as far as that
 * says anything. No value is shown.
 */
export async function checkSecrets(
  setup: Setup,
  source: SourceConfig,
  { state, doctor }: { state: SourceState | undefined; doctor: SourceDoctor },
): Promise<Check[]> {
  const { config, secrets } = setup;
  const { name } = source;
  const { credential } = doctor;
  const where = config.keyVaultUrl === undefined ? 'the settings or the local secrets file' : 'the vault';
  try {
    await secrets.refresh(name);
  } catch (error) {
    const text = `The secrets cannot be read from ${placeOfSecrets(setup)} (${errorName(error)}).`;
    const todo =
      config.keyVaultUrl === undefined
        ? 'Look at the file that LOCAL_SECRETS_FILE names: it must be as this app wrote it, and yours to read.'
        : 'Look at KEY_VAULT_URL, at its firewall, and whether you may get secrets there (log in with "az login").';
    return [findings.secretsUnreadable({ ...source, text, todo })];
  }
  const [webhook, password, apiKey] = await Promise.all([
    secrets.webhookSecrets(name),
    secrets.password(name),
    secrets.apiKey(name),
  ]);
  const checks: Check[] = [];
  if (webhook === undefined) {
    const onlyThere = state !== undefined && state.secrets > 0;
    checks.push(
      onlyThere
        ? findings.secretOnlyInApp({ ...source, where })
        : findings.noWebhookSecret({ ...source, where, doctor }),
    );
  } else if (webhook[0].length < 16) checks.push(findings.shortSecret({ ...source, doctor }));
  else {
    const both = webhook.length === 2 ? 'A webhook secret and its predecessor' : 'A webhook secret';
    checks.push(ok(`${name}: secrets`, `${both} in ${where}.`));
  }
  if (webhook !== undefined && state !== undefined)
    checks.push(...inApp(source, webhook[0], { state, doctor }));
  if (credential.secret === 'api-key' && apiKey === undefined)
    checks.push(findings.noApiKey({ ...source, where, create: credential.create }));
  if (credential.secret === 'password' && password === undefined)
    checks.push(findings.noPassword({ ...source, where }));
  return checks;
}

/** Whether the running app has this secret too. */
function inApp(
  source: SourceConfig,
  secret: string,
  { state, doctor }: { state: SourceState; doctor: SourceDoctor },
): Check[] {
  if (state.secrets === 0) return [findings.appHasNoSecret(source)];
  const takes = state.takes(secret);
  if (takes === undefined) return [];
  return [
    takes
      ? ok(`${source.name}: secrets`, 'The running app has the same.')
      : findings.appHasOtherSecret({ ...source, doctor }),
  ];
}
