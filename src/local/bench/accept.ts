import { QueueServiceClient } from '@azure/storage-queue';
import { startAzurite } from '../azurite.ts';
import { settings, startApp } from './app-process.ts';
import { Caller, eventDocument } from './caller.ts';
import { inTurn, perSecond } from './measure.ts';

const connections = 32;
const pieces = 2_000;
const reference = '11111111-2222-4333-8444-555555555555';

/** Deliveries accepted a second at 32 connections, beside what the bare queue SDK puts into the same Azurite, and where the time goes. */
export async function benchAccept() {
  const azurite = await startAzurite({ inMemory: true });
  // Nothing is processed meanwhile: by the platform's own setting.
  const disabled = {
    'AzureWebJobs.asset-events.Disabled': 'true',
    'AzureWebJobs.poison-messages.Disabled': 'true',
  };
  const app = await startApp(settings(azurite.connectionString, 'http://127.0.0.1:9', disabled));
  const caller = new Caller(connections);
  try {
    const queue = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient('bare');
    await queue.create();
    const body = eventDocument(reference, 0);
    // What the app writes for one event, as long as it is.
    const text = Buffer.alloc(720, 'x').toString('base64');
    const bare = async (): Promise<number> =>
      await perSecond(
        pieces,
        connections,
        async () => void (await queue.sendMessage(text, { messageTimeToLive: -1 })),
      );
    const accepted = async (): Promise<number> =>
      await perSecond(pieces, connections, async () => await caller.deliver(app.url, body));
    const doorAlone = async (): Promise<number> =>
      await perSecond(
        pieces,
        connections,
        async () => await caller.call(`${app.url}/health`, { method: 'GET' }),
      );

    // Both are warm before they are measured.
    await perSecond(3_000, connections, async () => await caller.deliver(app.url, body));
    await perSecond(3_000, connections, async () => void (await queue.sendMessage(text)));
    const { a, b, ratio } = await inTurn(5, accepted, bare);
    await doorAlone();
    const health = await doorAlone();
    return {
      acceptedPerSecond: a,
      bareQueuePerSecond: b,
      ratio,
      profile: {
        microsecondsADelivery: 1e6 / a,
        ofThemHostAndLibrary: 1e6 / health,
        ofThemOurOwn: 1e6 / a - 1e6 / health,
        microsecondsABareMessage: 1e6 / b,
      },
    };
  } finally {
    caller.close();
    await app.stop();
    await azurite.stop();
  }
}
