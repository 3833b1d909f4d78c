import { UpstreamError } from '../../pipeline/ports/errors.ts';
import { ok, type Check } from './check.ts';
import { findings } from './findings.ts';
import { reach, type Reached } from './reach.ts';
import { RefusedError, UsageError } from '../faults.ts';
import { runningApp, type RunningApp, type SourceState } from '../running-app.ts';
import type { Setup } from '../setup.ts';

export interface AppChecks {
  readonly checks: readonly Check[];
  /** What the app says of its sources; none where it says nothing. */
  readonly states: readonly SourceState[];
}

/** Asks the running app whether it lives, whether it reaches its storage, and how its sources do. Never throws. */
export async function checkApp(setup: Setup): Promise<AppChecks> {
  const { url, from } = setup.app;
  if (url === undefined) return { checks: [findings.noAppAddress()], states: [] };
  const { publicUrl } = setup.config;
  const [here, there] = await Promise.all([
    reach(url),
    publicUrl === undefined || publicUrl === url ? undefined : reach(publicUrl),
  ]);
  const elsewhere = there === undefined || publicUrl === undefined ? [] : atPublicUrl(there, publicUrl);
  switch (here.kind) {
    case 'alive': {
      const { checks, states } = await askSources(setup, url);
      return { checks: [...checks, ...elsewhere], states };
    }
    case 'nothing':
      return {
        checks: [findings.unreachable({ url, how: here.how, setting: from }), ...elsewhere],
        states: [],
      };
    case 'other': {
      const other = findings.otherAnswer({ url, status: here.status, setting: from });
      return { checks: [other, ...elsewhere], states: [] };
    }
    default:
      return here satisfies never;
  }
}

/** The sources need not be where this command is: what it does not reach, they may. */
function atPublicUrl(reached: Reached, url: string): Check[] {
  if (reached.kind === 'nothing') return [findings.publicUnseen({ url, how: reached.how })];
  if (reached.kind === 'other')
    return [findings.otherAnswer({ url, status: reached.status, setting: 'PUBLIC_URL' })];
  return [];
}

async function askSources(setup: Setup, url: string): Promise<AppChecks> {
  let app: RunningApp;
  try {
    app = runningApp(setup);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { checks: [findings.keyNotSafe({ text: error.message })], states: [] };
  }
  const alive = ok('app', `It lives at ${url} (${setup.app.from}).`);
  try {
    const states = await app.sources();
    return {
      checks: [alive, ok('storage', 'The app reaches its storage.'), ...setupDiffers(setup, states)],
      states,
    };
  } catch (error) {
    if (
      !(error instanceof RefusedError) &&
      !(error instanceof UpstreamError) &&
      !(error instanceof UsageError)
    )
      throw error;
    return { checks: refusedBy(error, url, alive), states: [] };
  }
}

function refusedBy(error: RefusedError | UpstreamError | UsageError, url: string, alive: Check): Check[] {
  const { message: text } = error;
  const status = error instanceof UsageError ? 400 : error.status;
  if (status === 401 || status === 403) return [findings.keyRefused({ url, text })];
  if (status === 404) return [findings.sourcesMissing({ url })];
  if (status === 503) return [alive, findings.storageAway({ text })];
  if (status !== undefined && status >= 500) return [findings.sourcesBroke({ url, status })];
  return [findings.notAsked({ text })];
}

function setupDiffers({ config }: Setup, states: readonly SourceState[]): Check[] {
  const list = (sources: Iterable<{ name: string; kind: string }>): string =>
    [...sources]
      .map(({ name, kind }) => `${name} (${kind})`)
      .toSorted()
      .join(', ');
  const running = list(states);
  return running === list(config.sources.values()) ? [] : [findings.otherSources({ running })];
}
