import { configuredVault } from '../../src/azure/key-vault.ts';
import { createSecrets } from '../../src/secrets/create-secrets.ts';
import { readSourcesConfig } from '../../src/config.ts';
import type { KeptSecret, Secrets } from '../../src/pipeline/ports/secrets.ts';
import type { RunningApp } from './running-app.ts';

/** What an operator's command does beside a running app: it has the same secrets file, and the app's address. */
export interface Operator {
  readonly secrets: Secrets;
  /** Opens a window in the app; ends it where that is 0 minutes. */
  window(source: string, key: KeptSecret, minutes: number): Promise<void>;
}

/** An operator with the settings that the app has, and those that it was given since. */
export function operatorOf(app: RunningApp, since: Readonly<Record<string, string>> = {}): Operator {
  const read = readSourcesConfig({ ...app.settings, ...since });
  if (!read.ok) throw new Error(read.faults.join('\n'));
  return {
    secrets: createSecrets(read.config, {
      vault: configuredVault(read.config, { now: Date.now }),
      now: Date.now,
      log: () => undefined,
    }),
    async window(source, key, minutes) {
      const answer = await fetch(`${app.host.url}/sources/${source}/window`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ key, minutes }),
      });
      if (answer.status !== 200) throw new Error(`The window was answered ${answer.status}.`);
    },
  };
}
