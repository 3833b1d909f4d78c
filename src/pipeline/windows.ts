import type { KeptSecret } from './secrets.ts';

/** A time in which the operator is changing one of a source's secrets. */
export interface OpenWindow {
  readonly which: KeptSecret;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** The windows that the operator opened, known to all instances. All of it may throw a StorageError. */
export interface Windows {
  /** Opens a window until then, or ends the one that is open where that is past. */
  set(source: string, window: OpenWindow): Promise<void>;
  /** Every window of a source, ended ones included. */
  read(source: string): Promise<OpenWindow[]>;
}
