import { beforeAll, describe, it } from 'vitest';
import { startKilledApp, type KilledApp } from '../support/killed-app.ts';

let killed: KilledApp;
beforeAll(async () => {
  killed = await startKilledApp();
});

describe('a process that is killed', () => {
  it.each([
    'before:message-queued#2',
    'after:message-queued#2',
    'before:event-finished',
    'after:event-finished',
  ])('while an event is put to wait: %s', async (point) => {
    const { preservica } = killed.app;
    await killed.killedAt(point, () => {
      preservica.fault({ kind: 'status', status: 500, path: /information-objects/, times: 1 });
      return [killed.newAsset()];
    });
  });

  it.each([
    'before:claim-written',
    'after:claim-written',
    'message-queued#1',
    'message-queued#3',
    'message-queued#40',
  ])('while a large delivery is kept and split: %s', async (point) => {
    const { library, settings: sender } = killed.app.preservica;
    sender.batch = 80;
    await killed.killedAt(point, () =>
      Array.from({ length: 80 }, (_, index) =>
        library.addFolder({
          title: `Folder ${index} at ${point}`,
          identifiers: [{ type: 'Long', value: 'x'.repeat(200) }],
        }),
      ),
    );
    sender.batch = 1;
  });

  it('loses nothing', async () => {
    await killed.nothingIsLost();
  }, 400_000);
});
