import type { SourceConfig, SourceKindName } from '../config.ts';
import type { Log } from '../pipeline/ports/log.ts';
import type { Receiver } from '../pipeline/ports/receiver.ts';
import type { Secrets } from '../pipeline/ports/secrets.ts';
import type { SourceClient } from '../pipeline/ports/source-client.ts';
import { preservicaReceiver } from './preservica/receiver.ts';
import { payloadClient } from './pywebhooks/payload.ts';
import { pywebhooksReceiver } from './pywebhooks/receiver.ts';
import { woodwingReceiver } from './woodwing/receiver.ts';

/** What asking a source needs beside its own settings. */
export interface FetchDeps {
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
  client(source: SourceConfig, deps: FetchDeps): Promise<SourceClient>;
  /** Its events hold all that there is to know, and nothing can be asked. */
  readonly selfContainedEvents: boolean;
  /** What a look-up finds may be older than an event that was received before it. */
  readonly eventuallyConsistent: boolean;
}

/** Every kind of source there is. */
export const sourceKinds: Readonly<Record<SourceKindName, SourceKind>> = {
  preservica: {
    receiver: preservicaReceiver,
    client: async (source, deps) =>
      (await import('./preservica/client.ts')).preservicaClient({ source, ...deps }),
    selfContainedEvents: false,
    eventuallyConsistent: false,
  },
  woodwing: {
    receiver: () => woodwingReceiver,
    client: async (source, deps) =>
      (await import('./woodwing/client.ts')).woodwingClient({ source, ...deps }),
    selfContainedEvents: false,
    eventuallyConsistent: true,
  },
  pywebhooks: {
    receiver: pywebhooksReceiver,
    client: async (source) => payloadClient(source),
    selfContainedEvents: true,
    eventuallyConsistent: false,
  },
};
