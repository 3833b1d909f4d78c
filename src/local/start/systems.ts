import { addSampleLibrary as addArchive } from '../preservica/sample-library.ts';
import { startPreservicaSimulator } from '../preservica/simulator.ts';
import { addSampleEvents } from '../pywebhooks/sample-events.ts';
import { startPyWebhooksSimulator } from '../pywebhooks/simulator.ts';
import { addSampleLibrary as addPictureDesk } from '../woodwing/sample-library.ts';
import { startWoodWingSimulator } from '../woodwing/simulator.ts';
import { typeCommand } from './own-command.ts';
import { showEvents } from './show-events.ts';

/** What a system's part in `npm start` needs of the app that runs by then. */
export interface Stage {
  readonly appUrl: string;
  /** The settings of the app, which the command takes as well. */
  readonly env: NodeJS.ProcessEnv;
}

/** A simulated source system: what the app is told of it, and how it is shown at work. */
export interface System {
  readonly words: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Subscribes the app, lets something happen, and shows what came of it. */
  show(stage: Stage): Promise<void>;
  close(): Promise<void>;
}

/** A Preservica as the source `archive`. */
export async function preservica(secret: string): Promise<System> {
  const simulator = await startPreservicaSimulator();
  const { username, password } = simulator.settings.account;
  return {
    words: `Preservica at ${simulator.url}`,
    settings: {
      SOURCE_ARCHIVE_KIND: 'preservica',
      SOURCE_ARCHIVE_URL: simulator.url,
      SOURCE_ARCHIVE_USERNAME: username,
      SOURCE_ARCHIVE_PASSWORD: password,
      SOURCE_ARCHIVE_SECRET: secret,
    },
    async show({ appUrl, env }) {
      const triggers = 'FULL_TEXT_INDEXED,MOVED,CHANGED_SECURITY_DESCRIPTOR';
      await typeCommand(['preservica', 'subscriptions', 'create', '--trigger', triggers], env);
      const handshakes = simulator.sent.filter(({ kind, status }) => kind === 'challenge' && status === 200);
      const samples = addArchive(simulator.library);
      const since = new Date().toISOString();
      await simulator.happen('FULL_TEXT_INDEXED', samples);
      console.log(
        `archive: the app answered ${handshakes.length} handshakes; ${samples.length} assets and folders are ingested`,
      );
      await showEvents(appUrl, { source: 'archive', since, count: samples.length });
      console.log(`archive: history    ${appUrl}/events?source=archive`);
      console.log(`archive: thumbnail  ${appUrl}/assets/archive/${samples[1]?.ref ?? ''}/thumbnail\n`);
    },
    close: async () => await simulator.close(),
  };
}

/** A WoodWing Assets as the source `photos`. */
export async function woodwing(): Promise<System> {
  const simulator = await startWoodWingSimulator();
  const { username, password } = simulator.settings.account;
  return {
    words: `WoodWing Assets at ${simulator.url}`,
    settings: {
      SOURCE_PHOTOS_KIND: 'woodwing',
      SOURCE_PHOTOS_URL: simulator.url,
      SOURCE_PHOTOS_USERNAME: username,
      SOURCE_PHOTOS_PASSWORD: password,
      SOURCE_PHOTOS_METADATA_FIELDS: 'creatorName,tags,caption',
    },
    async show({ appUrl, env }) {
      await typeCommand(['woodwing', 'webhooks', 'create'], env);
      const samples = addPictureDesk(simulator.library);
      const since = new Date().toISOString();
      for (const { id } of samples) await simulator.happen({ type: 'asset_create', assetId: id });
      console.log(`photos: ${samples.length} assets are uploaded; one of them has no preview yet`);
      const [late] = samples.filter(({ metadata }) => metadata['previewState'] === 'no');
      await showEvents(appUrl, { source: 'photos', since, count: samples.length });
      if (late !== undefined) {
        const changedMetadata = simulator.library.update(late.id, { previewState: 'yes' });
        const madeAt = new Date().toISOString();
        await simulator.happen({ type: 'asset_update_metadata', assetId: late.id, changedMetadata });
        console.log('photos: now the preview is made');
        await showEvents(appUrl, { source: 'photos', since: madeAt, count: 1 });
      }
      console.log(`photos: history    ${appUrl}/events?source=photos`);
      console.log(`photos: thumbnail  ${appUrl}/assets/photos/${samples[0]?.id ?? ''}/thumbnail\n`);
    },
    close: async () => await simulator.close(),
  };
}

/** A PyWebhooks as the source `scans`. */
export async function pywebhooks(): Promise<System> {
  const simulator = await startPyWebhooksSimulator();
  return {
    words: `PyWebhooks at ${simulator.url}`,
    settings: {
      SOURCE_SCANS_KIND: 'pywebhooks',
      SOURCE_SCANS_URL: simulator.url,
      SOURCE_SCANS_USERNAME: 'asset-webhooks',
      SOURCE_SCANS_TITLE_POINTER: '/asset/title',
      SOURCE_SCANS_ASSET_ID_POINTER: '/asset/id',
      SOURCE_SCANS_LINK_POINTER: '/asset/link',
    },
    async show({ appUrl, env }) {
      await typeCommand(['pywebhooks', 'account', 'create'], env);
      const workshop = simulator.addAccount({ username: 'scan-workshop', endpoint: '' });
      const registrations = addSampleEvents(simulator, workshop.id);
      const since = new Date().toISOString();
      for (const { id } of registrations) {
        await typeCommand(['pywebhooks', 'subscribe', id], env);
        await simulator.trigger(id);
      }
      console.log(
        `scans: ${registrations.length} events are triggered; a payload is its own record and has no picture`,
      );
      await showEvents(appUrl, { source: 'scans', since, count: registrations.length });
      console.log(`scans: history    ${appUrl}/events?source=scans\n`);
    },
    close: async () => await simulator.close(),
  };
}
