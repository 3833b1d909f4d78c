import type { DoctorContext } from '../../../pipeline/ports/source-doctor.ts';
import { preservicaSession } from '../login.ts';
import type { PreservicaSource } from '../settings.ts';
import { preservicaSubscriptions, type PreservicaSubscriptions } from './subscriptions.ts';

type Deps = Pick<DoctorContext<PreservicaSource>, 'source' | 'secrets' | 'permit' | 'onUnread' | 'now'> & {
  /** In the place of the one that is kept. */
  readonly password?: string | undefined;
};

/** The subscriptions of a source, asked as its own account or with another password. */
export function subscriptionsOf({
  source,
  secrets,
  password,
  permit,
  onUnread,
  ...clock
}: Deps): PreservicaSubscriptions {
  const now = (): number => clock.now();
  const session = preservicaSession({
    source,
    secrets: { ...secrets, password: async (name) => password ?? (await secrets.password(name)) },
    timeLimitMs: 30_000,
    firstRetryDelayMs: 0,
    now,
  });
  return preservicaSubscriptions({ base: source.url, session, permit, now, onUnread });
}
