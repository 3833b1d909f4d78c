import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Entity, NewAsset } from '../../src/local/simulators/preservica/library.ts';
import { startTeamsSimulator, type TeamsSimulator } from '../../src/local/simulators/teams/simulator.ts';
import { startAppUnderTest, until, type AppUnderTest } from '../support/app-under-test.ts';

let team: TeamsSimulator;
let app: AppUnderTest;
beforeAll(async () => {
  team = await startTeamsSimulator();
  afterAll(async () => await team.close());
  app = await startAppUnderTest({
    ACTIONS: 'team',
    ACTION_TEAM_KIND: 'teams',
    ACTION_TEAM_URL: team.flowUrl,
    ACTION_TEAM_ALLOW_HOST: team.host,
    ACTION_TEAM_SECURITY_TAGS: 'open',
    RETRY_DELAYS_SECONDS: '1,1,1,1,1,1',
  });
  expect(await app.subscribe()).toBe(200);
});

async function ingest(given: Partial<NewAsset>): Promise<Entity> {
  const asset = app.preservica.library.addAsset({ title: 'Harbour', ...given });
  await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
  return asset;
}

interface Run {
  readonly assetId: string;
  readonly state: string;
  readonly reason: { code: string; text: string } | null;
}

async function run(asset: Entity, state: string): Promise<Run> {
  return await until(async () => {
    const answer = await fetch(`${app.host.url}/runs`);
    const { runs } = (await answer.json()) as { runs: Run[] };
    return runs.find((each) => each.assetId === asset.ref && each.state === state);
  });
}

it('an asset that comes is a card in the channel', async () => {
  const asset = await ingest({
    title: 'Harbour, looking **north** <b>1951</b>',
    description: 'Two boats.\nA quay.',
    identifiers: [{ type: 'CatalogueRef', value: 'MS/42/7' }],
  });
  await run(asset, 'done');
  const [card] = team.posted;
  expect(card).toMatchObject({ outcome: 'posted' });
  expect(card?.lines).toEqual(
    expect.arrayContaining([asset.title, 'Two boats.', 'A quay.', 'CatalogueRef: MS/42/7']),
  );
});

it('nothing of an asset that may not leave is in any byte', async () => {
  const asset = await ingest({ title: 'Papers of the pilot', securityTag: 'internal' });
  await run(asset, 'ignored');
  expect(team.posted.map(({ body }) => body).join('\n')).not.toMatch(new RegExp(`pilot|${asset.ref}`));
});

it.each([
  ['answers 502', { kind: 'status', status: 502 }],
  ['wants a pause', { kind: 'status', status: 429, retryAfter: '1' }],
  ['breaks off', { kind: 'cut' }],
] as const)('a flow that %s for a while gets the card all the same', async (_name, fault) => {
  team.fault({ path: /invoke/, times: 1, ...fault });
  const asset = await ingest({ title: `A card after ${fault.kind}` });
  await run(asset, 'done');
  expect(team.posted.some(({ lines }) => lines.includes(asset.title))).toBe(true);
});

it('a flow that is off keeps all others waiting until it is on again', async () => {
  team.settings.flow = 'off';
  const first = await ingest({ title: 'The first' });
  const { reason } = await run(first, 'failed');
  expect(reason).toMatchObject({ code: 'gone' });
  expect(reason?.text).toContain('Power Automate');
  const calls = team.calls.length;
  const second = await ingest({ title: 'The second' });
  await run(second, 'waiting');
  expect(team.calls.length - calls).toBeLessThanOrEqual(1);
  team.settings.flow = 'on';
  await run(second, 'done');
  expect(app.host.lines.join('\n')).not.toContain(new URL(team.flowUrl).searchParams.get('sig'));
});
