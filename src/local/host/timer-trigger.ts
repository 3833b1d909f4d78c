import { randomUUID } from 'node:crypto';
import type { RegisteredFunction } from './core-types.ts';
import type { Invocations } from './invocations.ts';
import { describe, type HostLog } from './log.ts';
import type { Listener } from './queue-trigger.ts';

export interface TimerTrigger {
  readonly target: RegisteredFunction;
  /** Six fields, seconds first, in UTC. */
  readonly schedule: string;
  readonly runOnStartup: boolean;
  readonly invocations: Invocations;
  readonly log: HostLog;
}

/** Runs a function by its schedule, never twice at the same time. */
export async function listenToTimer(trigger: TimerTrigger): Promise<Listener> {
  const { Cron } = await import('croner');
  let running: Promise<unknown> | undefined;
  const run = (): void => {
    if (running !== undefined) return;
    running = trigger.invocations
      .run({
        id: randomUUID(),
        target: trigger.target,
        input: {
          json: JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false }),
        },
        triggerMetadata: {},
      })
      .finally(() => {
        running = undefined;
      });
  };
  let cron: { stop(): void } | undefined;
  try {
    cron = new Cron(trigger.schedule, { mode: '6-part', timezone: 'Etc/UTC' }, run);
  } catch (error) {
    trigger.log.problem(`The schedule of ${trigger.target.metadata.name} cannot be read: ${describe(error)}`);
  }
  if (trigger.runOnStartup) run();
  return {
    async stop() {
      cron?.stop();
      await running;
    },
  };
}
