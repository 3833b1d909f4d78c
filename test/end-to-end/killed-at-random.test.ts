import { expect, it } from 'vitest';
import { startKilledApp } from '../support/killed-app.ts';
import { until } from '../support/until.ts';

// An event whose process was killed waits for the end of its lease, perhaps several times.
it('a process that is killed at random, again and again, loses nothing', async () => {
  const { app, newAsset, restart, allAreRecords } = await startKilledApp();
  const assets = Array.from({ length: 120 }, newAsset);
  const happening = app.preservica.happen('FULL_TEXT_INDEXED', assets);
  for (let kills = 0; kills < 5; kills += 1) {
    const callsBefore = app.preservica.calls.length;
    const enough = 40 + Math.floor(Math.random() * 120);
    console.log(`killed after ${enough} calls`);
    await until(async () => (app.preservica.calls.length - callsBefore > enough ? true : undefined));
    await restart();
  }
  await happening;
  await allAreRecords(assets);
  expect(app.preservica.subscriptions.size).toBe(1);
}, 400_000);
