import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { processEnv } from '../support/process-env.ts';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '..', '..');

function event(number: number, state: string): object {
  return {
    id: `event-${number}`,
    source: 'archive',
    type: 'MOVED',
    assetId: 'a',
    title: `Harbour ${number}`,
    state,
    reason: state === 'waiting' ? { code: 'paused', text: 'Wait.' } : null,
    receivedAt: new Date(Date.UTC(2026, 0, 5, 9, number)).toISOString(),
    attempts: 1,
    assetKind: 'asset',
    deliveryId: 'd',
    occurredAt: '2026-01-05T09:00:00Z',
    finishedAt: null,
    duplicates: 0,
    history: [],
    data: null,
  };
}

/** An app whose ledger the test writes, newest first; it can be away, or never answer. */
async function standIn() {
  const ledger: ReturnType<typeof event>[] = [];
  const app = { ledger, asked: 0, state: 'well' as 'well' | 'away' | 'hanging' };
  const server: Server = createServer((request, response) => {
    app.asked += 1;
    if (app.state === 'hanging') return;
    if (app.state === 'away') {
      response.writeHead(503).end('{"error":"away"}');
      return;
    }
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const one = ledger.find((each) => pathname === `/events/${(each as { id: string }).id}`);
    const limit = Number(searchParams.get('limit'));
    const from = Date.parse(searchParams.get('from') ?? '1970-01-01');
    const all = ledger.filter((each) => Date.parse((each as { receivedAt: string }).receivedAt) >= from);
    const begin = Number(searchParams.get('after') ?? 0);
    const events = all.slice(begin, begin + limit);
    const next = begin + limit < all.length ? String(begin + limit) : null;
    response.end(JSON.stringify(one ?? { events, next }));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return { app, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

interface Following {
  readonly child: ChildProcess;
  readonly said: string[];
  /** Waits until so many lines are said, and gives them. */
  lines(count: number): Promise<string[]>;
  /** As a person does with Ctrl-C. Gives the exit code. */
  interrupt(): Promise<number | null>;
}

function following(
  url: string,
  { args = [], node = [] }: { args?: string[]; node?: string[] } = {},
): Following {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [...node, 'src/cli', 'events', 'list', '--follow', ...args], {
    cwd: root,
    // As in a terminal, where Ctrl-C reaches whatever runs there.
    detached: true,
    env: {
      PATH,
      ...processEnv,
      TZ: 'UTC',
      SOURCES: 'archive',
      SOURCE_ARCHIVE_KIND: 'preservica',
      SOURCE_ARCHIVE_URL: 'http://127.0.0.1:9',
      SOURCE_ARCHIVE_USERNAME: 'app@example.test',
      ASSET_WEBHOOKS_URL: url,
    },
  });
  onTestFinished(() => {
    // Its process group, so that none stays behind; there is none where all have ended.
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
  });
  const said: string[] = [];
  const waiting = new Set<() => void>();
  for (const output of [child.stdout, child.stderr])
    createInterface(output).on('line', (line) => {
      if (line === 'Times: UTC.') return;
      said.push(line);
      for (const look of waiting) look();
    });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    child,
    said,
    lines: async (count) =>
      await new Promise((resolve) => {
        const look = (): void => {
          if (said.length >= count) resolve(said.slice(0, count));
        };
        waiting.add(look);
        look();
      }),
    async interrupt() {
      process.kill(-(child.pid ?? 0), 'SIGINT');
      return await ended;
    },
  };
}

it('shows what comes and what changes, oldest first and each once, until it is interrupted', async () => {
  const { app, url } = await standIn();
  app.ledger.push(event(2, 'done'), event(1, 'waiting'));
  const run = following(url);
  expect((await run.lines(2)).map((line) => /event-\d/.exec(line)?.[0])).toEqual(['event-1', 'event-2']);
  app.ledger.unshift(event(3, 'failed'));
  app.ledger[2] = event(1, 'done');
  const lines = await run.lines(4);
  expect(lines[2]).toBe('event-1  2026-01-05 09:01:00  archive  MOVED  done  Harbour 1');
  expect(lines[3]).toMatch(/^event-3 .*failed.* Harbour 3$/);
  const { asked } = app;
  await until(async () => app.asked > asked + 1 || undefined);
  expect(await run.interrupt()).toBe(0);
  expect(run.said).toHaveLength(4);
});

it('shows no older events after its first look than that one showed', async () => {
  const { app, url } = await standIn();
  for (let number = 0; number < 20; number += 1) app.ledger.unshift(event(number, 'done'));
  const run = following(url, { args: ['--limit', '2'] });
  await run.lines(2);
  app.ledger.unshift(event(20, 'done'));
  await run.lines(3);
  const { asked } = app;
  await until(async () => app.asked > asked + 1 || undefined);
  expect(run.said.map((line) => /event-\d+/.exec(line)?.[0])).toEqual(['event-18', 'event-19', 'event-20']);
  expect(await run.interrupt()).toBe(0);
});

it('shows whole ids to whatever reads a pipe', async () => {
  const { app, url } = await standIn();
  const id = 'x'.repeat(43);
  app.ledger.push({ ...event(1, 'done'), id });
  const run = following(url);
  expect((await run.lines(1))[0]).toContain(`${id}  2026-01-05 09:01:00  archive`);
  expect(await run.interrupt()).toBe(0);
});

it('goes on after the app was away', async () => {
  const { app, url } = await standIn();
  const run = following(url, { args: ['--json'] });
  app.ledger.push(event(1, 'done'));
  const [first = ''] = await run.lines(1);
  expect(JSON.parse(first)).toMatchObject({ id: 'event-1', state: 'done' });
  app.state = 'away';
  expect((await run.lines(2))[1]).toContain('answered 503: away Asking again.');
  app.ledger.unshift(event(2, 'done'));
  app.state = 'well';
  const rest = (await run.lines(4)).slice(2);
  expect(rest.join('\n')).toContain('"id":"event-2"');
  expect(rest).toContain('The app answers again.');
  expect(await run.interrupt()).toBe(0);
});

it('can be interrupted while the app does not answer', async () => {
  const { app, url } = await standIn();
  app.state = 'hanging';
  const run = following(url);
  await until(async () => app.asked > 0 || undefined);
  expect(await run.interrupt()).toBe(0);
  expect(run.said).toEqual([]);
});

it('can be interrupted under a Node that had to hand over', async () => {
  const { app, url } = await standIn();
  app.ledger.push(event(1, 'done'));
  const run = following(url, { node: ['--no-experimental-strip-types'] });
  await run.lines(1);
  expect(await run.interrupt()).toBe(0);
});

it('ends with what is wrong where no wait would help', async () => {
  const server = createServer((_request, response) => response.writeHead(401).end()).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const run = following(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect((await run.lines(1))[0]).toContain('ASSET_WEBHOOKS_KEY');
  expect(await new Promise((resolve) => run.child.once('close', resolve))).toBe(1);
});
