import type { DoctorContext } from '../../../pipeline/ports/source-doctor.ts';
import type { PyWebhooksSource } from '../settings.ts';
import { pywebhooks, type PyWebhooks, type PyWebhooksAccount } from './account.ts';

type Deps = Pick<DoctorContext<PyWebhooksSource>, 'source' | 'secrets' | 'onUnread' | 'now'> & {
  /** In the place of the one that is kept. */
  readonly apiKey?: string | undefined;
};

/** The service of a source, asked as its own account or with another API key. */
export function accountOf({ source, secrets, apiKey, onUnread, ...clock }: Deps): PyWebhooks {
  return pywebhooks({
    base: source.url,
    username: source.username,
    apiKey: async () => apiKey ?? (await secrets.apiKey(source.name)),
    now: () => clock.now(),
    onUnread,
  });
}

/** The account of the source: by the id that was kept, else by what it owns. Undefined where neither gives it away. */
export async function ownAccount(
  service: PyWebhooks,
  { source, secrets }: Pick<Deps, 'source' | 'secrets'>,
): Promise<PyWebhooksAccount | undefined> {
  const kept = await secrets.accountId(source.name);
  const known = kept === undefined ? undefined : await service.account(kept);
  if (known !== undefined) return known;
  const id = await service.ownAccountId();
  return id === undefined ? undefined : await service.account(id);
}
