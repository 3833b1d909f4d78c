import { afterAll } from 'vitest';
import type { Check } from '../../src/cli/doctor/check.ts';
import {
  startPreservicaSimulator,
  type PreservicaSimulator,
} from '../../src/local/simulators/preservica/simulator.ts';
import {
  startPyWebhooksSimulator,
  type PyWebhooksSimulator,
} from '../../src/local/simulators/pywebhooks/simulator.ts';
import {
  startWoodWingSimulator,
  type WoodWingSimulator,
} from '../../src/local/simulators/woodwing/simulator.ts';
import { runCommand, type Ran } from './command.ts';
import { startRunningApp, type RunningApp } from './running-app.ts';

export interface Examined {
  readonly state: string;
  readonly checks: Check[];
  readonly ran: Ran;
}

/** A system of each kind, and one app as a source of each: `archive`, `photos` and `scans`. Nothing is subscribed yet. */
export interface ThreeSystems {
  readonly app: RunningApp;
  readonly archive: PreservicaSimulator;
  readonly photos: WoodWingSimulator;
  readonly scans: PyWebhooksSimulator;
  /** What the command is run with. */
  readonly env: Readonly<Record<string, string>>;
  readonly run: (args: string[], more?: Record<string, string>) => Promise<Ran>;
  /** What the doctor says. */
  readonly examine: (more?: Record<string, string>) => Promise<Examined>;
  /** Subscribes the app at each by the command; returns the id of the registration. */
  readonly subscribe: () => Promise<string>;
}

export async function startThreeSystems(): Promise<ThreeSystems> {
  const [archive, photos, scans] = await Promise.all([
    startPreservicaSimulator(),
    startWoodWingSimulator(),
    startPyWebhooksSimulator(),
  ]);
  afterAll(async () => await Promise.all([archive.close(), photos.close(), scans.close()]));
  const app = await startRunningApp({
    SOURCES: 'archive,photos,scans',
    SOURCE_ARCHIVE_KIND: 'preservica',
    SOURCE_ARCHIVE_URL: archive.url,
    SOURCE_ARCHIVE_USERNAME: archive.settings.account.username,
    SOURCE_ARCHIVE_PASSWORD: archive.settings.account.password,
    SOURCE_ARCHIVE_SECRET: 'the secret of the archive',
    SOURCE_PHOTOS_KIND: 'woodwing',
    SOURCE_PHOTOS_URL: photos.url,
    SOURCE_PHOTOS_USERNAME: photos.settings.account.username,
    SOURCE_PHOTOS_PASSWORD: photos.settings.account.password,
    SOURCE_SCANS_KIND: 'pywebhooks',
    SOURCE_SCANS_URL: scans.url,
    SOURCE_SCANS_USERNAME: 'asset-webhooks',
  });
  const env = { ...app.settings, PUBLIC_URL: app.host.url };
  const run: ThreeSystems['run'] = async (args, more = {}) =>
    await runCommand(args, { env: { ...env, ...more } });
  return {
    app,
    archive,
    photos,
    scans,
    env,
    run,
    async examine(more = {}) {
      const ran = await run(['doctor', '--json'], more);
      return { ...(ran.json() as Omit<Examined, 'ran'>), ran };
    },
    async subscribe() {
      const owner = scans.addAccount({ username: 'workshop', endpoint: '' });
      const registration = { event: 'scan.finished', description: '', event_data: {} };
      const { id } = scans.addRegistration(owner.id, registration);
      for (const args of [
        ['preservica', 'subscriptions', 'create', '--trigger', 'FULL_TEXT_INDEXED'],
        ['woodwing', 'webhooks', 'create'],
        ['pywebhooks', 'account', 'create'],
        ['pywebhooks', 'subscribe', id],
      ]) {
        const ran = await run(args);
        if (ran.code !== 0) throw new Error(`${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
      }
      return id;
    },
  };
}

/** What was found about one thing, each with its state. */
export function found({ checks }: Pick<Examined, 'checks'>, about: string): string[] {
  return checks.filter((each) => each.about === about).map(({ state, text }) => `${state} ${text}`);
}
