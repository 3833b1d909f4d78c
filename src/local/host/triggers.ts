import type { RegisteredFunction } from './core-types.ts';
import type { HostSettings } from './host-json.ts';
import type { Invocations } from './invocations.ts';
import type { HostLog } from './log.ts';
import { queueService } from './queue-service.ts';
import type { Listener } from './queue-trigger.ts';
import { listenToTimer } from './timer-trigger.ts';

export interface Triggers {
  readonly functions: readonly RegisteredFunction[];
  readonly settings: HostSettings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly queueLeaseSeconds: number;
  readonly invocations: Invocations;
  readonly log: HostLog;
}

/** Starts the queue and timer functions. One that cannot be started is said, and the others run. */
export async function startTriggers(triggers: Triggers): Promise<Listener> {
  const started = await Promise.all(
    triggers.functions.map(async (target) => {
      try {
        return await start(target, triggers);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        triggers.log.problem(`The function ${target.metadata.name} cannot be started: ${why}`);
        return undefined;
      }
    }),
  );
  return {
    async stop() {
      await Promise.all(started.map(async (listener) => await listener?.stop()));
    },
  };
}

async function start(target: RegisteredFunction, triggers: Triggers): Promise<Listener | undefined> {
  const { environment, settings, invocations, log } = triggers;
  const { type, queueName = '', connection = 'AzureWebJobsStorage', schedule = '' } = target.trigger;
  switch (type.toLowerCase()) {
    case 'httptrigger':
      return undefined;
    case 'queuetrigger': {
      const { listenToQueue } = await import('./queue-trigger.ts');
      return listenToQueue({
        target,
        queueName: expand(queueName, environment),
        service: await queueService(environment, connection),
        settings: settings.queues,
        leaseSeconds: triggers.queueLeaseSeconds,
        invocations,
        log,
      });
    }
    case 'timertrigger':
      return await listenToTimer({
        target,
        schedule: expand(schedule, environment),
        runOnStartup: target.trigger.runOnStartup === true,
        invocations,
        log,
      });
    default:
      throw new Error(`this host has no ${type}`);
  }
}

/** Puts settings where `%NAME%` stands. */
function expand(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  return text.replaceAll(/%([^%]+)%/g, (_whole, name: string) => {
    const value = environment[name];
    if (value === undefined || value === '') throw new Error(`the setting ${name} is missing`);
    return value;
  });
}
