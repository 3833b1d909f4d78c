import type { Clock } from './clock.ts';
import type { Permit } from './permit.ts';
import type { Secrets } from './secrets.ts';
import type { SourceConfig } from './source-config.ts';

/** A command of ours for this source: its words, and the ids that it is about. */
export interface Remedy {
  readonly words: string;
  readonly ids?: readonly string[];
}

/** What to do: in a sentence, by a command, or both. */
export interface Advice {
  readonly todo?: string;
  readonly remedy?: Remedy;
}

/** One thing that was looked at in the subscriptions of a source. */
export interface SubscriptionFinding extends Advice {
  readonly state: 'ok' | 'warning' | 'wrong';
  readonly text: string;
}

export interface SubscriptionFindings {
  readonly findings: readonly SubscriptionFinding[];
  /** How many call this app; undefined where that cannot be told. */
  readonly count: number | undefined;
  /** The ids of those that call this app, where each is a webhook with a secret of its own. */
  readonly webhooks: readonly string[];
}

/** What is wrong with how the app answers a call, in a sentence. */
export interface CallFault {
  readonly kind: 'unreachable' | 'other-secret' | 'other-answer';
  readonly text: string;
}

/** A call to the app as the source would make it; undefined where nothing is wrong with the answer. Never throws. */
export interface TrialCall {
  call(address: string): Promise<CallFault | undefined>;
  /** What a right answer proves, after "The app …". */
  readonly proves: string;
}

export interface DoctorContext<Source extends SourceConfig = SourceConfig> extends Clock {
  readonly source: Source;
  readonly secrets: Secrets;
  readonly permit: Permit;
  /** Where this source's system calls the app; undefined where no setting says it. */
  readonly ownAddress: string | undefined;
  /** Where the systems of all sources call the app. */
  readonly addresses: readonly string[];
  /** Is told how many items of a list could not be read. */
  readonly onUnread: (count: number) => void;
}

/** What a kind of source tells the `doctor` command. */
export interface SourceDoctor<Source extends SourceConfig = SourceConfig> {
  /** With which secret it is asked; `create` makes one where there is none yet. */
  readonly credential:
    { readonly secret: 'password' } | { readonly secret: 'api-key'; readonly create: Remedy };
  /** Shows its subscriptions. */
  readonly list: Remedy;
  /** There is no webhook secret. */
  firstSecret(source: Pick<SourceConfig, 'name'>): Advice;
  /** The app and this command hold different webhook secrets: what shows, or sets, the one of the source. */
  readonly sameSecret: Remedy;
  /** The source should sign with another secret. `ids` are its webhooks that call the app. */
  newSecret(ids: readonly string[]): { readonly todo: string; readonly remedy: Remedy };
  /** What to do before that about a secret that is too short. */
  readonly longerSecret?: string;
  /** Undefined where no call proves anything without leaving something behind. */
  trialCall(secret: string | undefined): TrialCall | undefined;
  /** Compares what the source would tell this app with what it should. May throw an UpstreamError. */
  subscriptions(context: DoctorContext<Source>): Promise<SubscriptionFindings>;
}
