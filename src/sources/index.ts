import type { SourceConfig, SourceKindName } from '../config.ts';
import type { Log } from '../pipeline/log.ts';
import type { Receiver } from '../pipeline/receiver.ts';
import type { Secrets } from '../pipeline/secrets.ts';
import type { SourceSystem } from '../pipeline/source-system.ts';
import { preservicaReceiver } from './preservica/receiver.ts';
import { payloadSystem } from './pywebhooks/payload.ts';
import { pywebhooksReceiver } from './pywebhooks/receiver.ts';
import { woodwingReceiver } from './woodwing/receiver.ts';

/** What asking a source needs beside its own settings. */
export interface AskingDeps {
  readonly secrets: Secrets;
  readonly maxFiles: number;
  readonly maxThumbnailBytes: number;
  readonly firstRetryDelayMs: number;
  readonly log: Log;
  now(): number;
}

/** A kind of system that calls us: how it is trusted and read, and how it is asked (loaded when first needed). */
export interface SourceKind {
  receiver(source: SourceConfig): Receiver;
  system(source: SourceConfig, deps: AskingDeps): Promise<SourceSystem>;
  /** Its events hold all that there is to know, and nothing can be asked. */
  readonly eventsAreWhole: boolean;
  /** What a look-up finds may be older than an event that was received before it. */
  readonly lookUpsMayLag: boolean;
}

/** Every kind of source there is. */
export const sourceKinds: Readonly<Record<SourceKindName, SourceKind>> = {
  preservica: {
    receiver: preservicaReceiver,
    system: async (source, deps) =>
      (await import('./preservica/look-up.ts')).preservicaSystem({ source, ...deps }),
    eventsAreWhole: false,
    lookUpsMayLag: false,
  },
  woodwing: {
    receiver: () => woodwingReceiver,
    system: async (source, deps) =>
      (await import('./woodwing/look-up.ts')).woodwingSystem({ source, ...deps }),
    eventsAreWhole: false,
    lookUpsMayLag: true,
  },
  pywebhooks: {
    receiver: pywebhooksReceiver,
    system: async (source) => payloadSystem(source),
    eventsAreWhole: true,
    lookUpsMayLag: false,
  },
};
