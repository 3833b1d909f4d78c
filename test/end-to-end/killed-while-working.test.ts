import { beforeAll, describe, it } from 'vitest';
import { startKilledApp, type KilledApp } from '../support/killed-app.ts';

let killed: KilledApp;
beforeAll(async () => {
  killed = await startKilledApp();
});

describe('a process that is killed', () => {
  it.each([
    'before:message-queued',
    'after:message-queued',
    'before:event-begun',
    'after:event-begun',
    'before:thumbnail-written',
    'after:thumbnail-written',
    'before:record-written',
    'after:record-written',
    'before:event-finished',
    'after:event-finished',
    'before:message-deleted',
    'after:message-deleted',
  ])('comes back: %s', async (point) => {
    await killed.killedAt(point, () => [killed.newAsset()]);
  });

  it('loses nothing', async () => {
    await killed.nothingIsLost();
  }, 400_000);
});
