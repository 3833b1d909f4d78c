import { UpstreamError } from '../../errors.ts';
import { ok, warning, wrong, type Check } from './check.ts';
import { RefusedError, UsageError } from '../faults.ts';
import { runningApp, type RunningApp, type SourceState } from '../running-app.ts';
import type { Setup } from '../setup.ts';

/** Asks the running app whether it lives, whether it reaches its storage, and how its sources do. Never throws. */
export async function checkApp(setup: Setup): Promise<Check[]> {
  let app: RunningApp;
  try {
    app = runningApp(setup);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return [
      wrong('app', 'Nothing says where the app is.', 'Set ASSET_WEBHOOKS_URL or PUBLIC_URL to its address.'),
    ];
  }
  const alive = await app.alive().catch(() => false);
  if (!alive) {
    return [wrong('app', `Nothing answers at ${app.url}/health.`, 'Start it, or set the address right.')];
  }
  try {
    const states = await app.sources();
    return [
      ok('app', `It lives at ${app.url}.`),
      ok('storage', 'The app reaches its storage.'),
      ...setupDiffers(setup, states),
      ...states.flatMap(checkState),
    ];
  } catch (error) {
    if (!(error instanceof RefusedError) && !(error instanceof UpstreamError)) throw error;
    const text = error.message;
    return error.status === 503
      ? [
          ok('app', `It lives at ${app.url}.`),
          wrong('storage', text, 'Its settings are faulty or its storage is away: its log says which.'),
        ]
      : [wrong('app', text, 'Mend what this says.')];
  }
}

function setupDiffers({ config }: Setup, states: readonly SourceState[]): Check[] {
  const running = states
    .map(({ name }) => name)
    .toSorted()
    .join(', ');
  const here = [...config.sources.keys()].toSorted().join(', ');
  if (running === here) return [];
  const text = `It runs with other sources than the settings here: ${running}.`;
  return [warning('app', text, 'Look whether these are the settings of that app.')];
}

function checkState({ name, secrets, waiting, failed }: SourceState): Check[] {
  const about = `${name}: events`;
  const checks: Check[] = [];
  if (secrets === 0) {
    const text = 'The running app has no webhook secret for it, and answers it with 503.';
    checks.push(
      wrong(
        about,
        text,
        'Set it where the app takes its secrets from, and restart the app if these are settings.',
      ),
    );
  }
  if (failed > 0) {
    const todo = `asset-webhooks events list --source ${name} --state failed`;
    checks.push(warning(about, `${failed === 200 ? '200 or more' : failed} failed.`, todo));
  }
  if (waiting > 0) {
    const todo = `asset-webhooks events list --source ${name} --state waiting`;
    checks.push(warning(about, `${waiting === 200 ? '200 or more' : waiting} wait for another try.`, todo));
  }
  return checks;
}
