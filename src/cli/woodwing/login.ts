import type { SourceConfig } from '../../config.ts';
import { woodwingSession } from '../../sources/woodwing/login.ts';
import { assetsWebhooks, type AssetsWebhooks } from '../../sources/woodwing/manage/webhooks.ts';
import { asManager, type ManagerOptions } from '../manager.ts';
import { noteUnread, ownPermit, type Setup } from '../setup.ts';

/** What every command of this group works with. */
export interface CommandContext {
  readonly setup: Setup;
  readonly source: SourceConfig;
  readonly webhooks: AssetsWebhooks;
}

/** Asks as the app's own account, or as one that may manage webhooks. */
export async function commandContext(account: ManagerOptions): Promise<CommandContext> {
  const { setup, source, password } = await asManager('woodwing', account);
  return { setup, source, webhooks: webhooksOf(setup, source, password) };
}

/** The management side of a source, asked as its own account or with another password. */
export function webhooksOf({ secrets }: Setup, source: SourceConfig, password?: string): AssetsWebhooks {
  const session = woodwingSession({
    source,
    secrets: { password: async (name) => password ?? (await secrets.password(name)) },
    timeLimitMs: 30_000,
    firstRetryDelayMs: 0,
    now: Date.now,
  });
  return assetsWebhooks({
    base: source.url,
    session,
    permit: ownPermit,
    now: Date.now,
    onUnread: noteUnread,
  });
}
