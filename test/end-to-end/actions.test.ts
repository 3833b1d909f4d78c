import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AssetEventDocument } from '../../src/actions/webhook.ts';
import type { Entity, NewAsset } from '../../src/local/simulators/preservica/library.ts';
import { listen } from '../support/listen.ts';
import { runCommand } from '../support/command.ts';
import { startAppUnderTest, until, type AppUnderTest } from '../support/app-under-test.ts';

const secret = `whsec_${Buffer.from('an action signs with this secret').toString('base64')}`;
const previous = `whsec_${Buffer.from('an action signed with this one..').toString('base64')}`;

interface Seen {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Another system that takes messages; `answer` says how. */
async function startReceiver() {
  const seen: Seen[] = [];
  const receiver = {
    seen,
    answer: (response: ServerResponse): void => void response.writeHead(204).end(),
    host: '',
  };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      seen.push({ headers: request.headers, body });
      receiver.answer(response);
    });
  });
  receiver.host = `127.0.0.1:${await listen(server)}`;
  return receiver;
}

interface Run {
  id: string;
  action: string;
  state: string;
  reason: { code: string; text: string } | null;
  result: { text: string } | null;
  attempts: number;
  history: { state: string; code?: string }[];
}

let app: AppUnderTest;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
beforeAll(async () => {
  receiver = await startReceiver();
  app = await startAppUnderTest({
    ACTIONS: 'hooks,inside,team,off',
    ACTION_HOOKS_KIND: 'webhook',
    ACTION_HOOKS_URL: `http://${receiver.host}/hook`,
    ACTION_HOOKS_ALLOW_HOST: receiver.host,
    ACTION_HOOKS_SECRET: secret,
    ACTION_HOOKS_SECRET_PREVIOUS: previous,
    ACTION_HOOKS_SECURITY_TAGS: 'open',
    ACTION_INSIDE_KIND: 'webhook',
    ACTION_INSIDE_URL: `http://${receiver.host}/hook`,
    ACTION_INSIDE_SECRET: secret,
    ACTION_INSIDE_SECURITY_TAGS: '*',
    ACTION_INSIDE_TYPES: 'MOVED',
    ACTION_TEAM_KIND: 'teams',
    ACTION_TEAM_URL: `http://${receiver.host}/flow?sig=s3cr3t`,
    ACTION_TEAM_ALLOW_HOST: receiver.host,
    ACTION_TEAM_SECURITY_TAGS: '*',
    ACTION_TEAM_TYPES: 'MOVED',
    ACTION_OFF_KIND: 'webhook',
    ACTION_OFF_URL: 'https://example.org/hook',
    RETRY_DELAYS_SECONDS: '1,1,1',
  });
  expect(await app.subscribe()).toBe(200);
  expect(await app.subscribe('MOVED')).toBe(200);
});
beforeEach(() => {
  receiver.seen.length = 0;
  receiver.answer = (response) => void response.writeHead(204).end();
});

const newAsset = (given: Partial<NewAsset>): Entity =>
  app.preservica.library.addAsset({ title: 'Harbour', ...given });

const get = async (path: string): Promise<Record<string, unknown>> =>
  (await (await fetch(app.host.url + path)).json()) as Record<string, unknown>;

/** The runs of the event of an asset, once each has ended. */
async function runsOf(assetId: string): Promise<Run[]> {
  return await until(async () => {
    const [event] = await app.events(`&assetId=${assetId}`);
    if (event === undefined) return undefined;
    const { runs } = (await get(`/events/${event.id}`)) as { runs: Run[] };
    return runs.length > 0 && runs.every(({ state }) => ['done', 'failed', 'ignored'].includes(state))
      ? runs
      : undefined;
  });
}

describe('an action that sends webhooks', () => {
  it('sends the record of each asset, signed, and once', async () => {
    const asset = newAsset({ title: 'Hafen – Möwe 🐦', securityTag: 'open' });
    await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
    const runs = await runsOf(asset.ref);
    expect(runs).toMatchObject([{ action: 'hooks', state: 'done', attempts: 1 }]);
    expect(receiver.seen).toHaveLength(1);
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.seen;
    expect(headers['content-type']).toBe('application/cloudevents+json; charset=UTF-8');
    for (const key of [secret, previous])
      expect(() => new Webhook(key).verify(body, headers as Record<string, string>)).not.toThrow();
    const document = AssetEventDocument.parse(JSON.parse(body));
    expect(document).toMatchObject({
      id: headers['webhook-id'],
      type: 'asset.changed',
      subject: asset.ref,
      data: { record: { title: asset.title }, event: { type: 'FULL_TEXT_INDEXED' } },
    });
  });

  it('keeps what may not leave', async () => {
    const asset = newAsset({ securityTag: 'internal' });
    await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
    expect(await runsOf(asset.ref)).toMatchObject([{ state: 'ignored', reason: { code: 'may-not-leave' } }]);
    expect(receiver.seen).toEqual([]);
  });

  it('tries again what fails for a while, with the same id', async () => {
    let left = 2;
    receiver.answer = (response) => {
      left -= 1;
      response.writeHead(left < 0 ? 200 : 500).end();
    };
    const asset = newAsset({ securityTag: 'open' });
    await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
    const [run] = await runsOf(asset.ref);
    expect(run).toMatchObject({ state: 'done', attempts: 3 });
    const ids = receiver.seen.map(({ headers }) => headers['webhook-id']);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    const { history } = (await get(`/runs/${run?.id}`)) as unknown as Run;
    expect(history).toMatchObject([{ state: 'waiting', code: 'source-unavailable' }, { state: 'done' }]);
  });

  it('fails what the receiver refuses, and can be told to do it again', async () => {
    receiver.answer = (response) => void response.writeHead(400).end();
    const asset = newAsset({ securityTag: 'open' });
    await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
    const [run] = await runsOf(asset.ref);
    expect(run).toMatchObject({ state: 'failed', reason: { code: 'refused' } });
    const failed = (await get('/runs?state=failed&action=hooks')) as { runs: Run[] };
    expect(failed.runs.map(({ id }) => id)).toContain(run?.id);
    receiver.answer = (response) => void response.writeHead(200).end();
    const answer = await fetch(`${app.host.url}/runs/${run?.id}/replay`, { method: 'POST' });
    expect(answer.status).toBe(202);
    await until(async () => {
      const { state } = (await get(`/runs/${run?.id}`)) as unknown as Run;
      return state === 'done' ? true : undefined;
    });
    const ids = receiver.seen.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(2);
  });
});

it('an action calls no host of the inner network that its settings do not name', async () => {
  const asset = newAsset({ securityTag: 'internal' });
  await app.preservica.happen('MOVED', [asset]);
  const runs = await runsOf(asset.ref);
  const inside = runs.find(({ action }) => action === 'inside');
  expect(inside).toMatchObject({ state: 'failed', reason: { code: 'refused' } });
  expect(inside?.reason?.text).toContain('ACTION_INSIDE_ALLOW_HOST');
  // The card of the other action that wants it, and nothing else.
  expect(runs.find(({ action }) => action === 'team')).toMatchObject({ state: 'done' });
  expect(receiver.seen.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual(['message']);
  expect(app.host.lines.join('\n')).not.toContain('s3cr3t');
});

it('the command shows the runs, and does one again', async () => {
  const { AzureWebJobsStorage: _closed, ...settings } = app.settings;
  const env = { ...settings, PUBLIC_URL: app.host.url };
  receiver.answer = (response) => void response.writeHead(422).end();
  const asset = newAsset({ title: 'Quay', securityTag: 'open' });
  await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
  const [run] = await runsOf(asset.ref);
  const id = String(run?.id);
  const listed = await runCommand(['runs', 'list', '--state', 'failed'], { env });
  expect(listed).toMatchObject({ code: 0, stderr: '' });
  expect(listed.stdout).toContain('Quay');
  const shown = await runCommand(['runs', 'show', id.slice(0, -4)], { env });
  expect(shown.stdout).toContain('The receiver answered 422.');
  expect(shown.stdout).toContain(`runs replay ${id}`);
  const [event] = await app.events(`&assetId=${asset.ref}`);
  const ofEvent = await runCommand(['events', 'show', String(event?.id)], { env });
  expect(ofEvent.stdout).toContain('failed, refused');
  receiver.answer = (response) => void response.writeHead(204).end();
  expect(await runCommand(['runs', 'replay', id], { env })).toMatchObject({ code: 0 });
  await until(async () => {
    const { state } = (await get(`/runs/${id}`)) as unknown as Run;
    return state === 'done' ? true : undefined;
  });
  expect(await runCommand(['runs', 'show', 'hooks-nothing'], { env })).toMatchObject({ code: 1 });
});

it('the schema of what is sent is there for everybody', async () => {
  const schema = await get('/schemas/asset-event.json');
  expect(schema).toMatchObject({ type: 'object', properties: { specversion: { const: '1.0' } } });
});

it('an action with faulty settings is off, and says why', async () => {
  const line = await app.host.waitForLine('"event":"action-off"');
  expect(line).toContain('ACTION_OFF_SECURITY_TAGS');
  expect(line).not.toContain('example.org');
});
