import type { TimerHandler } from '@azure/functions';
import type { Ledger } from '../pipeline/model/ledger.ts';
import { availability } from '../pipeline/model/source-state.ts';
import type { Clock } from '../pipeline/ports/clock.ts';
import type { Log } from '../pipeline/ports/log.ts';
import type { Secrets } from '../pipeline/ports/secrets.ts';
import type { SourceConfig } from '../pipeline/ports/source-config.ts';
import type { SourceStates } from '../pipeline/ports/source-states.ts';
import type { QueueGauge } from '../pipeline/ports/stores.ts';
import { oldestWaiting } from '../pipeline/process/oldest-waiting.ts';
import { logOf } from './log.ts';

export interface WatchDeps extends Clock {
  readonly config: { readonly sources: ReadonlyMap<string, SourceConfig>; readonly retentionMs: number };
  readonly ledger: Pick<Ledger, 'list'>;
  readonly states: Pick<SourceStates, 'read'>;
  readonly secrets: Pick<Secrets, 'webhookSecrets'>;
  readonly queues: readonly QueueGauge[];
}

/**
 * A timer that tells of each source and queue how it does, one line each. Where nothing comes there is nothing else to be
 * alerted by.
 */
export function watch(deps: WatchDeps): TimerHandler {
  return async (_timer, context) => {
    const log = logOf(context);
    const { config, queues } = deps;
    await Promise.all([
      ...[...config.sources.values()].map(async (source) => await watchSource(source, deps, log)),
      ...queues.map(async (queue) => await watchQueue(queue, deps, log)),
    ]);
  };
}

async function watchSource(
  { name, kind }: SourceConfig,
  { config, ledger, states, secrets, ...deps }: WatchDeps,
  log: Log,
): Promise<void> {
  try {
    const now = deps.now();
    const [state, known, latest, oldest] = await Promise.all([
      states.read(name),
      secrets.webhookSecrets(name),
      ledger.list({ source: name, limit: 1 }),
      oldestWaiting(name, now - config.retentionMs, ledger),
    ]);
    const { pausedAt, closed } = availability(state?.value, now);
    const [received] = latest.events;
    log('info', 'source-watched', {
      source: name,
      kind,
      lastReceivedAt: received?.receivedAt ?? null,
      silentMinutes: minutesSince(received?.receivedAt, now),
      oldestWaitingAt: oldest?.receivedAt ?? null,
      oldestWaitingMinutes: minutesSince(oldest?.receivedAt, now),
      oldestWaitingId: oldest?.id ?? null,
      pausedAt,
      circuit: closed?.code ?? null,
      circuitUntil: closed?.until ?? null,
      hasSecret: known !== undefined,
    });
  } catch (error) {
    log('error', 'source-not-watched', { source: name, error: String(error) });
  }
}

async function watchQueue({ name, read }: QueueGauge, deps: Clock, log: Log): Promise<void> {
  try {
    const { messages, oldestAt } = await read();
    log('info', 'queue-watched', {
      queue: name,
      messages,
      oldestMinutes: minutesSince(oldestAt?.toISOString(), deps.now()),
    });
  } catch (error) {
    log('error', 'queue-not-watched', { queue: name, error: String(error) });
  }
}

function minutesSince(time: string | undefined, now: number): number | null {
  return time === undefined ? null : Math.max(0, Math.floor((now - Date.parse(time)) / 60_000));
}
