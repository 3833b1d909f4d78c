import { webhooksOf } from '../../sources/woodwing/manage/of-source.ts';
import type { AssetsWebhooks } from '../../sources/woodwing/manage/webhooks.ts';
import type { WoodwingSource } from '../../sources/woodwing/settings.ts';
import { asManager, type ManagerOptions } from '../manager.ts';
import { manageDeps, type Setup } from '../setup.ts';

/** What every command of this group works with. */
export interface CommandContext {
  readonly setup: Setup;
  readonly source: WoodwingSource;
  readonly webhooks: AssetsWebhooks;
}

/** Asks as the app's own account, or as one that may manage webhooks. */
export async function commandContext(account: ManagerOptions): Promise<CommandContext> {
  const { setup, source, password } = await asManager('woodwing', account);
  return { setup, source, webhooks: webhooksOf({ ...manageDeps(setup, source), password }) };
}
