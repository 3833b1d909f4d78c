import type * as z from 'zod';
import type { AssetRecord } from '../model/record.ts';

/** What led to a run. */
export interface Occasion {
  readonly event: {
    readonly id: string;
    /** As the source calls it. */
    readonly type: string;
    /** ISO 8601. */
    readonly occurredAt: string;
    readonly receivedAt: string;
  };
  /** The same at every try of this run, another one at a replay: for whoever can tell by it that something came twice. */
  readonly idempotencyKey: string;
}

export type ActionResult =
  /** `text` says in a sentence what was done; `link` is where to see it. */
  | { readonly kind: 'done'; readonly text: string; readonly link?: string }
  | { readonly kind: 'nothing-to-do'; readonly text: string }
  /** Not now: it is tried again on the schedule of retries. `isBusy`: the other side works, and wants less. */
  | {
      readonly kind: 'again';
      readonly text: string;
      readonly retryAfterMs?: number | undefined;
      readonly isBusy?: boolean;
    }
  /** No retry cures it. `isGone`: no other run would fare better, until a person does something. */
  | { readonly kind: 'failed'; readonly text: string; readonly isGone?: boolean };

export interface OutgoingCall {
  readonly method: 'POST' | 'PUT' | 'DELETE' | 'GET';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The host (with its port, if it has one) that may be called although it is not public, and by http. */
  readonly allowedHost?: string | undefined;
}

export interface OutgoingAnswer {
  readonly status: number;
  /** At most 64 KiB. */
  readonly bytes: Uint8Array;
  readonly retryAfterMs: number | undefined;
}

/** An address that no action calls; the message says what to do, and not which address it was. */
export class CallNotAllowedError extends Error {
  override readonly name = 'CallNotAllowedError';
}

/** What an action may use. */
export interface ActionTools {
  /**
   * Calls an address over https, at public addresses only; follows no redirect, and takes at most 30 s. Throws an
   * UpstreamError where no whole answer comes, and a CallNotAllowedError.
   */
  readonly call: (call: OutgoingCall) => Promise<OutgoingAnswer>;
  /** The values of a secret of the action that count now, the newest first; none where there is none. */
  readonly secret: (name: string) => Promise<readonly string[]>;
  readonly now: () => number;
}

export type RunAction = (
  record: AssetRecord,
  occasion: Occasion,
  tools: ActionTools,
) => Promise<ActionResult>;

/** A kind of action: what settings and secrets it has, and what it does with an asset. It never sees a queue, a table or a lease. */
export interface ActionKind {
  /** The names of its settings, by what follows `ACTION_<NAME>_`. */
  readonly settingNames: readonly string[];
  /**
   * What it keeps secret, such as `secret`: in the vault `action-<name>-secret`, in settings `ACTION_<NAME>_SECRET`. With a
   * previous one, that counts for a while beside its successor.
   */
  readonly secrets: Readonly<Record<string, 'alone' | 'with-previous'>>;
  /** What it sends leaves the house. */
  readonly sendsOutside: boolean;
  /** How often the other side may be called; as often as there is work if left out. */
  readonly mostPerSecond?: number;
  /** What does the work by these settings, or what is wrong with them. */
  read(given: unknown): { run: RunAction } | { error: z.ZodError };
}

/** Makes a kind of action of a schema of its settings, and of a function that does the work with them. */
export function actionKind<Schema extends z.ZodObject>({
  settings,
  run,
  ...kind
}: Pick<ActionKind, 'secrets' | 'sendsOutside' | 'mostPerSecond'> & {
  settings: Schema;
  run: (
    record: AssetRecord,
    occasion: Occasion,
    tools: ActionTools & { readonly settings: z.output<Schema> },
  ) => Promise<ActionResult>;
}): ActionKind {
  return {
    ...kind,
    settingNames: Object.keys(settings.shape),
    read(given) {
      const read = settings.safeParse(given);
      if (!read.success) return { error: read.error };
      return {
        run: async (record, occasion, tools) =>
          await run(record, occasion, { ...tools, settings: read.data }),
      };
    },
  };
}

/** An action as the settings name it, whatever its kind. */
export interface ActionConfig {
  readonly name: string;
  readonly kind: string;
  /** Undefined: all of them. */
  readonly sources: readonly string[] | undefined;
  readonly types: readonly string[] | undefined;
  readonly assetKinds: readonly string[] | undefined;
  /** The security tags that may leave; undefined where no source of it has any. */
  readonly securityTags: readonly string[] | undefined;
  readonly run: RunAction;
  /** 0 is no limit. */
  readonly mostPerSecond: number;
  /** As settings give them, the current one first; a vault takes their place. */
  readonly secrets: ReadonlyMap<string, readonly string[]>;
}

/** `team-2` is set by `ACTION_TEAM_2_…`. */
export function actionPrefixOf(name: string): string {
  return `ACTION_${name.toUpperCase().replaceAll('-', '_')}_`;
}
