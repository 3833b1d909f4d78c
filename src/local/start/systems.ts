import { drawPicture } from '../simulators/pictures.ts';
import { addSampleLibrary as addArchive } from '../simulators/preservica/sample-library.ts';
import { startPreservicaSimulator } from '../simulators/preservica/simulator.ts';
import { addSampleEvents } from '../simulators/pywebhooks/sample-events.ts';
import { startPyWebhooksSimulator } from '../simulators/pywebhooks/simulator.ts';
import { addSampleLibrary as addPictureDesk } from '../simulators/woodwing/sample-library.ts';
import { startWoodWingSimulator } from '../simulators/woodwing/simulator.ts';
import { tried, typeCommand } from './own-command.ts';
import { eventLines, settledEvents, type ShownEvent } from './show-events.ts';
import type { Happened, Happenings, Simulated } from './simulations.ts';

/** What a system's part in `npm start` needs of the app that runs by then. */
export interface Stage {
  readonly appUrl: string;
  /** The settings of the app, which the command takes as well. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** A simulated source system: what the app is told of it, and how it is shown at work. */
export interface System {
  readonly source: Simulated;
  readonly words: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Subscribes the app, lets something happen, and shows what came of it. */
  show(stage: Stage): Promise<void>;
  /** What can happen there on request. */
  readonly happenings: Readonly<Record<string, () => Promise<Happened>>>;
  close(): Promise<void>;
}

/** A Preservica as the source `archive`. */
export async function preservica(secret: string): Promise<System> {
  const simulator = await startPreservicaSimulator();
  const { library, settings } = simulator;
  const { username, password } = settings.account;
  let count = 0;
  const ingest = async (given: { securityTag?: string } = {}) => {
    count += 1;
    const title = `Harbour, plate ${count}`;
    const asset = library.addAsset({ ...given, title });
    await simulator.happen('FULL_TEXT_INDEXED', [asset]);
    return title;
  };
  const happenings: Happenings<'archive'> = {
    ingest: async () => ({ said: `"${await ingest()}" is ingested.`, deliveries: 1 }),
    async move() {
      const folder = library.addFolder({ title: `Box ${(count += 1)}` });
      const asset = library.all().find((each) => each.code === 'IO' && !isClosed(each) && !each.deleted);
      if (asset === undefined) throw new Error('There is no asset to move.');
      asset.parent = folder.ref;
      await simulator.happen('MOVED', [asset]);
      return { said: `"${asset.title}" moves to "${folder.title}".`, deliveries: 1 };
    },
    async 'send-twice'() {
      const title = await twice(settings, ingest);
      return { said: `"${title}" is ingested, and the call comes twice.`, deliveries: 2 };
    },
    async fail() {
      const title = await ingest({ securityTag: 'closed' });
      return { said: `"${title}" is ingested, and closed to the account.`, deliveries: 1 };
    },
  };
  const isClosed = ({ securityTag }: { securityTag: string }): boolean =>
    settings.hiddenTags.has(securityTag);
  return {
    source: 'archive',
    words: `Preservica at ${simulator.url}`,
    settings: {
      SOURCE_ARCHIVE_KIND: 'preservica',
      SOURCE_ARCHIVE_URL: simulator.url,
      SOURCE_ARCHIVE_USERNAME: username,
      SOURCE_ARCHIVE_PASSWORD: password,
      SOURCE_ARCHIVE_SECRET: secret,
    },
    async show(stage) {
      const triggers = 'FULL_TEXT_INDEXED,MOVED,CHANGED_SECURITY_DESCRIPTOR';
      await typeCommand(['preservica', 'subscriptions', 'create', '--trigger', triggers], stage.env);
      const handshakes = simulator.sent.filter(({ kind, status }) => kind === 'challenge' && status === 200);
      const open = addArchive(library);
      const samples = [...open, ...library.all().filter((each) => each.code === 'IO' && isClosed(each))];
      const since = new Date().toISOString();
      await simulator.happen('FULL_TEXT_INDEXED', samples);
      console.log(
        `archive: the app answered ${handshakes.length} handshakes; ${samples.length} assets and folders are ingested`,
      );
      const events = await showEvents(stage, { source: 'archive', since, deliveries: samples.length });
      sayOnPurpose(events, 'failed', 'fails on purpose: the account may not read that asset.');
      console.log(`archive: history    ${stage.appUrl}/events?source=archive`);
      console.log(`archive: thumbnail  ${stage.appUrl}/assets/archive/${samples[1]?.ref ?? ''}/thumbnail\n`);
    },
    happenings,
    close: async () => await simulator.close(),
  };
}

/** A WoodWing Assets as the source `photos`. */
export async function woodwing(): Promise<System> {
  const simulator = await startWoodWingSimulator();
  const { library, settings } = simulator;
  const { username, password } = settings.account;
  let count = 0;
  const upload = async (given: { hidden?: boolean } = {}) => {
    count += 1;
    const filename = `harbour-${count}.png`;
    const { id } = library.add({
      ...given,
      filename,
      folderPath: '/Picture Desk',
      original: drawPicture(filename, 400),
    });
    await simulator.happen({ type: 'asset_create', assetId: id });
    return filename;
  };
  const visible = () => library.all().filter(({ hidden }) => !hidden);
  const update = async (id: string, fields: Readonly<Record<string, unknown>>): Promise<void> => {
    const changedMetadata = library.update(id, fields);
    await simulator.happen({ type: 'asset_update_metadata', assetId: id, changedMetadata });
  };
  const happenings: Happenings<'photos'> = {
    upload: async () => ({ said: `"${await upload()}" is uploaded.`, deliveries: 1 }),
    async edit() {
      const asset = visible()[0];
      if (asset === undefined) throw new Error('There is no picture to edit.');
      await update(asset.id, { caption: `Caption ${(count += 1)}` });
      return { said: `The caption of "${asset.metadata.filename}" is changed.`, deliveries: 1 };
    },
    async delete() {
      const asset = visible().at(-1);
      if (asset === undefined) throw new Error('There is no picture left to remove.');
      library.remove(asset.id);
      await simulator.happen({ type: 'asset_remove', assetId: asset.id });
      return { said: `"${asset.metadata.filename}" is removed.`, deliveries: 1 };
    },
    async preview() {
      const late = visible().find(({ metadata }) => metadata['previewState'] === 'no');
      if (late === undefined) throw new Error('Every picture has its preview.');
      await update(late.id, { previewState: 'yes' });
      return { said: `The preview of "${late.metadata.filename}" is made.`, deliveries: 1 };
    },
    async 'send-twice'() {
      const filename = await twice(settings, upload);
      return { said: `"${filename}" is uploaded, and the call comes twice.`, deliveries: 2 };
    },
    async fail() {
      const filename = await upload({ hidden: true });
      return { said: `"${filename}" is uploaded, where the account does not see it.`, deliveries: 1 };
    },
  };
  return {
    source: 'photos',
    words: `WoodWing Assets at ${simulator.url}`,
    settings: {
      SOURCE_PHOTOS_KIND: 'woodwing',
      SOURCE_PHOTOS_URL: simulator.url,
      SOURCE_PHOTOS_USERNAME: username,
      SOURCE_PHOTOS_PASSWORD: password,
      SOURCE_PHOTOS_METADATA_FIELDS: 'creatorName,tags,caption',
    },
    async show(stage) {
      await typeCommand(['woodwing', 'webhooks', 'create'], stage.env);
      const samples = addPictureDesk(library);
      const since = new Date().toISOString();
      for (const { id } of samples) await simulator.happen({ type: 'asset_create', assetId: id });
      console.log(`photos: ${samples.length} assets are uploaded`);
      const events = await showEvents(stage, { source: 'photos', since, deliveries: samples.length });
      sayOnPurpose(events, 'waiting', 'waits on purpose: its preview is not made yet.');
      console.log(`  To let it be made: ${tried('simulate photos preview')}`);
      console.log(`photos: history    ${stage.appUrl}/events?source=photos`);
      console.log(`photos: thumbnail  ${stage.appUrl}/assets/photos/${samples[0]?.id ?? ''}/thumbnail\n`);
    },
    happenings,
    close: async () => await simulator.close(),
  };
}

/** A PyWebhooks as the source `scans`. */
export async function pywebhooks(): Promise<System> {
  const simulator = await startPyWebhooksSimulator();
  const { settings } = simulator;
  const username = 'asset-webhooks';
  let registrations: readonly { id: string }[] = [];
  const trigger = async (index: number): Promise<void> => {
    const registration = registrations[index];
    if (registration === undefined) throw new Error('The app has not subscribed yet.');
    await simulator.trigger(registration.id);
  };
  const happenings: Happenings<'scans'> = {
    async finish() {
      await trigger(0);
      return { said: 'A scan is finished.', deliveries: 1 };
    },
    async update() {
      await trigger(1);
      return { said: 'The description of a scan is changed.', deliveries: 1 };
    },
    async 'send-twice'() {
      await twice(settings, async () => await trigger(0));
      const said = 'A scan is finished, and the call comes twice; nothing tells that from two scans.';
      return { said, deliveries: 2 };
    },
    async fail() {
      const account = [...simulator.accounts.values()].find((each) => each.username === username);
      if (account === undefined) throw new Error('The app has no account yet.');
      const delivery = { secret: account.secret_key, body: Buffer.from('This is no JSON.'), event: 'scan' };
      await simulator.deliver(String(account.endpoint), delivery);
      return { said: 'A call is signed rightly, and its body is no JSON.', deliveries: 1 };
    },
  };
  return {
    source: 'scans',
    words: `PyWebhooks at ${simulator.url}`,
    settings: {
      SOURCE_SCANS_KIND: 'pywebhooks',
      SOURCE_SCANS_URL: simulator.url,
      SOURCE_SCANS_USERNAME: username,
      SOURCE_SCANS_TITLE_POINTER: '/asset/title',
      SOURCE_SCANS_ASSET_ID_POINTER: '/asset/id',
      SOURCE_SCANS_LINK_POINTER: '/asset/link',
    },
    async show(stage) {
      await typeCommand(['pywebhooks', 'account', 'create'], stage.env);
      const workshop = simulator.addAccount({ username: 'scan-workshop', endpoint: '' });
      registrations = addSampleEvents(simulator, workshop.id);
      const since = new Date().toISOString();
      for (const { id } of registrations) {
        await typeCommand(['pywebhooks', 'subscribe', id], stage.env);
        await simulator.trigger(id);
      }
      console.log(
        `scans: ${registrations.length} events are triggered; a payload is its own record and has no picture`,
      );
      await showEvents(stage, { source: 'scans', since, deliveries: registrations.length });
      console.log(`scans: history    ${stage.appUrl}/events?source=scans\n`);
    },
    happenings,
    close: async () => await simulator.close(),
  };
}

async function showEvents(
  { appUrl, signal }: Stage,
  expected: { source: string; since: string; deliveries: number },
): Promise<ShownEvent[]> {
  const events = await settledEvents(appUrl, { ...expected, signal });
  for (const line of eventLines(appUrl, expected.source, events)) console.log(line);
  return events;
}

function sayOnPurpose(events: readonly ShownEvent[], state: string, why: string): void {
  const event = events.find((each) => each.state === state);
  if (event === undefined) return;
  console.log(`  One ${why} More: ${tried(`events show ${event.id}`)}`);
}

async function twice<T>(settings: { copies: number }, work: () => Promise<T>): Promise<T> {
  settings.copies = 2;
  try {
    return await work();
  } finally {
    settings.copies = 1;
  }
}
