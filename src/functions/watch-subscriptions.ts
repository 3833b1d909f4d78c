import type { TimerHandler } from '@azure/functions';
import type { Clock } from '../pipeline/ports/clock.ts';
import type { Log } from '../pipeline/ports/log.ts';
import type { Secrets } from '../pipeline/ports/secrets.ts';
import type { SourceConfig } from '../pipeline/ports/source-config.ts';
import type { SourceLimiter } from '../pipeline/concurrency/source-limiter.ts';
import type { SourceDoctor } from '../pipeline/ports/source-doctor.ts';
import { UpstreamError } from '../pipeline/ports/errors.ts';
import { logOf } from './log.ts';

const longestWaitMs = 30_000;

export interface WatchSubscriptionsDeps extends Clock {
  readonly config: {
    readonly sources: ReadonlyMap<string, SourceConfig>;
    readonly publicUrl: string | undefined;
  };
  readonly secrets: Secrets;
  readonly sources: ReadonlyMap<string, { readonly limiter: SourceLimiter; doctor(): Promise<SourceDoctor> }>;
}

/**
 * A timer that tells of each source whether it would still call this app: `ok`, `missing`, `amiss` where something of it is
 * disabled or wrong, and `unknown` where our account may not list what is there.
 */
export function watchSubscriptions(deps: WatchSubscriptionsDeps): TimerHandler {
  return async (_timer, context) => {
    const log = logOf(context);
    await Promise.all(
      [...deps.config.sources.values()].map(async (source) => await watchSource(source, deps, log)),
    );
  };
}

async function watchSource(source: SourceConfig, deps: WatchSubscriptionsDeps, log: Log): Promise<void> {
  const { name } = source;
  try {
    const seen = await look(source, deps);
    log(seen.state === 'missing' || seen.state === 'amiss' ? 'warn' : 'info', 'subscriptions-watched', {
      source: name,
      ...seen,
    });
  } catch (error) {
    const text = error instanceof UpstreamError ? error.message : 'Asking it broke on something unexpected.';
    log('warn', 'subscriptions-watched', { source: name, state: 'unknown', subscriptions: null, text });
  }
}

interface Seen {
  readonly state: 'ok' | 'missing' | 'amiss' | 'unknown';
  readonly subscriptions: number | null;
  readonly text: string | null;
}

async function look(source: SourceConfig, deps: WatchSubscriptionsDeps): Promise<Seen> {
  const { config, secrets } = deps;
  const asked = deps.sources.get(source.name);
  if (asked === undefined || source.url === '')
    return unknown('No setting says where this source can be asked.');
  const doctor = await asked.doctor();
  if (doctor.credential.secret === 'api-key' && (await secrets.apiKey(source.name)) === undefined)
    return unknown('There is no API key to ask this source with.');
  const acquired = await asked.limiter.acquire(longestWaitMs);
  if (acquired.kind !== 'permit') return unknown('The source is not to be asked now.');
  const { permit } = acquired;
  const addressOf = (name: string): string | undefined =>
    config.publicUrl === undefined ? undefined : `${config.publicUrl}/webhooks/${name}`;
  let unread = 0;
  try {
    const { findings, count } = await doctor.subscriptions({
      source,
      secrets,
      permit,
      ownAddress: addressOf(source.name),
      addresses: [...config.sources.keys()].flatMap((name) => addressOf(name) ?? []),
      onUnread: (items) => (unread += items),
      now: () => deps.now(),
    });
    if (count === undefined) return unknown('PUBLIC_URL does not say which subscriptions are of this app.');
    if (count === 0 && unread > 0) return unknown(`${unread} subscriptions could not be read.`);
    const wrong = findings.filter(({ state }) => state === 'wrong').map(({ text }) => text);
    const state = count === 0 ? 'missing' : wrong.length > 0 ? 'amiss' : 'ok';
    return { state, subscriptions: count, text: wrong.length > 0 ? wrong.join(' ') : null };
  } finally {
    permit.end();
  }
}

function unknown(text: string): Seen {
  return { state: 'unknown', subscriptions: null, text };
}
