import type { DoctorContext } from '../../../pipeline/ports/source-doctor.ts';
import { woodwingSession } from '../login.ts';
import type { WoodwingSource } from '../settings.ts';
import { assetsWebhooks, type AssetsWebhooks } from './webhooks.ts';

type Deps = Pick<DoctorContext<WoodwingSource>, 'source' | 'secrets' | 'permit' | 'onUnread' | 'now'> & {
  /** In the place of the one that is kept. */
  readonly password?: string | undefined;
};

/** The webhooks of a source, asked as its own account or with another password. */
export function webhooksOf({ source, secrets, password, permit, onUnread, ...clock }: Deps): AssetsWebhooks {
  const now = (): number => clock.now();
  const session = woodwingSession({
    source,
    secrets: { password: async (name) => password ?? (await secrets.password(name)) },
    timeLimitMs: 30_000,
    firstRetryDelayMs: 0,
    now,
  });
  return assetsWebhooks({ base: source.url, session, permit, now, onUnread });
}
