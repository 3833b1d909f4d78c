import { afterEach, beforeAll, expect, it } from 'vitest';
import type { Entity } from '../../src/local/simulators/preservica/library.ts';
import { startAppUnderTest, until, type AppUnderTest } from '../support/app-under-test.ts';
import { startHostProcess, type HostProcess } from '../support/host-process.ts';

const mostAtOnce = 4;
let app: AppUnderTest;
let other: HostProcess;

beforeAll(async () => {
  // The first delay is long, so that an event that comes again too early cannot be what ends the waiting.
  app = await startAppUnderTest({ MAX_CALLS_AT_ONCE: String(mostAtOnce), RETRY_DELAYS_SECONDS: '1,2,2' });
  other = await startHostProcess({ env: app.settings });
  expect(await app.subscribe()).toBe(200);
});
afterEach(() => app.preservica.clearFaults());

let serial = 0;
const newAssets = (count: number): Entity[] =>
  Array.from({ length: count }, () => app.preservica.library.addAsset({ title: `Asset ${(serial += 1)}` }));

const happen = async (assets: readonly Entity[]): Promise<void> => {
  await Promise.all(assets.map((asset) => app.preservica.happen('FULL_TEXT_INDEXED', [asset])));
};
const eventsOf = async (assets: readonly Entity[], query = '') => {
  const refs = new Set(assets.map(({ ref }) => ref));
  return (await app.events(query)).filter(({ assetId }) => refs.has(assetId ?? ''));
};
const allDone = async (assets: readonly Entity[]) =>
  await until(async () => {
    const done = await eventsOf(assets, '&state=done');
    return done.length === assets.length ? done : undefined;
  });
const endedBy = (host: HostProcess): number =>
  host.lines.filter((line) => line.includes('event-ended')).length;
const post = async (path: string): Promise<number> =>
  (await fetch(app.host.url + path, { method: 'POST' })).status;

it('call a source no more often at once than its number, together', async () => {
  app.preservica.fault({ kind: 'slow', ms: 30, path: /./ });
  const assets = newAssets(60);
  await happen(assets);
  await allDone(assets);
  expect(app.preservica.mostAtOnce).toBeLessThanOrEqual(mostAtOnce);
  expect(endedBy(app.host)).toBeGreaterThan(0);
  expect(endedBy(other)).toBeGreaterThan(0);
});

it('leave a source that is down alone, and no event is given up meanwhile', async () => {
  app.preservica.fault({ kind: 'status', status: 500, path: /entity/ });
  const before = app.preservica.calls.length;
  const assets = newAssets(40);
  await happen(assets);
  await until(async () => {
    const waiting = await eventsOf(assets, '&state=waiting');
    return waiting.length === assets.length ? true : undefined;
  });
  // Ten times as long as the whole schedule of an event that has its tries counted.
  const shown = await app.get('/sources');
  expect(shown.json).toMatchObject({ sources: [{ closed: { code: 'source-unavailable' } }] });
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  const [failed, calls] = [await eventsOf(assets, '&state=failed'), app.preservica.calls.length - before];
  expect(failed).toEqual([]);
  // At most one try of each that was under way, and a few tries whether it is back.
  expect(calls).toBeLessThan(120);
  app.preservica.clearFaults();
  const done = await allDone(assets);
  expect(Math.max(...done.map(({ attempts }) => attempts))).toBeLessThanOrEqual(4);
}, 120_000);

it('ask nothing of a paused source, take its calls, and go on when told to', async () => {
  expect(await post('/sources/archive/pause')).toBe(200);
  // Each of them has heard of it when the next event comes.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const before = app.preservica.calls.length;
  const assets = newAssets(10);
  await happen(assets);
  const waiting = await until(async () => {
    const events = await eventsOf(assets, '&state=waiting');
    return events.length === assets.length ? events : undefined;
  });
  expect(waiting.map(({ reason }) => reason?.code)).toEqual(assets.map(() => 'paused'));
  expect(waiting.map(({ attempts }) => attempts)).toEqual(assets.map(() => 0));
  expect(app.preservica.calls).toHaveLength(before);
  expect(await post('/sources/archive/resume')).toBe(200);
  await allDone(assets);
}, 60_000);

it('take up the work of one that was killed, and its permits', async () => {
  app.preservica.fault({ kind: 'slow', ms: 200, path: /./ });
  const assets = newAssets(20);
  await happen(assets);
  await until(async () => ((await eventsOf(assets, '&state=done')).length > 0 ? true : undefined));
  other.kill('SIGKILL');
  await other.exited;
  app.preservica.clearFaults();
  // Messages that it had come again when the queue's lease ends; permits come back sooner.
  const more = newAssets(20);
  await happen(more);
  await allDone(more);
});
