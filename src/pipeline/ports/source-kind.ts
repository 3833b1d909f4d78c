import type { Clock } from './clock.ts';
import type * as z from 'zod';
import type { Log } from './log.ts';
import type { Receiver } from './receiver.ts';
import type { Secrets } from './secrets.ts';
import type { SourceClient } from './source-client.ts';
import type { SourceConfig, SourceSecretSettings } from './source-config.ts';
import type { SourceDoctor } from './source-doctor.ts';

/** What asking a source needs beside its own settings. */
export interface FetchDeps extends Clock {
  readonly secrets: Secrets;
  readonly maxFiles: number;
  readonly maxThumbnailBytes: number;
  readonly firstRetryDelayMs: number;
  readonly log: Log;
}

/** What the settings of a kind must give, whatever else they give. */
export interface OwnConfig {
  readonly url: string;
  readonly secrets: SourceSecretSettings;
}

/** The schema of a kind's settings, by what follows `SOURCE_<NAME>_`. */
export interface KindSettings {
  readonly in: { readonly shape: Readonly<Record<string, z.ZodType>> };
  safeParse(given: unknown): z.ZodSafeParseResult<OwnConfig>;
}

/** A kind of system that calls us: its settings, how it is trusted and read, how it is asked, and how it is checked. */
export interface SourceKind<Source extends SourceConfig = SourceConfig> {
  /** Those that it has beside the settings of every source. */
  readonly settings: KindSettings;
  receiver(source: Source): Receiver;
  /** Loaded when first needed. */
  client(source: Source, deps: FetchDeps): Promise<SourceClient>;
  /** Loaded when first needed. */
  doctor(): Promise<SourceDoctor<Source>>;
  /** Its assets have tags that say who may see them. */
  readonly hasSecurityTags: boolean;
  /** Its events hold all that there is to know, and nothing can be asked. */
  readonly selfContainedEvents: boolean;
  /** What is fetched may be older than an event that was received before it. */
  readonly eventuallyConsistent: boolean;
}
