import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { startRunningApp, type RunningApp } from '../support/running-app.ts';

const events = 40;
const elements = 390_000;
const secret = 'a secret of the source';
// The two bounds that hold whatever a source answers.
const healthMs = 250;
const mostBytesAboveIdle = 256 * 1_048_576;

/** What a source answers, by path; logins are always let through. */
type Answer = (path: string) => string | Buffer;

const made = new Map<string, Buffer>();

/** Made once, so that the source itself is not what holds up the callers. */
function once(key: string, make: () => string): Buffer {
  const known = made.get(key) ?? Buffer.from(make());
  made.set(key, known);
  return known;
}

async function hostileSource(answer: Answer): Promise<string> {
  const respond = (request: IncomingMessage): string | Buffer => {
    const path = request.url ?? '';
    if (path.includes('/accesstoken/')) return '{"token":"t","validFor":15}';
    if (path.includes('/apilogin')) return '{"loginSuccess":true,"authToken":"t"}';
    return answer(path);
  };
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.end(respond(request)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const root = (name: string, inside: string): string =>
  `<${name} xmlns:xip="http://preservica.com/XIP/v8.1">${inside}</${name}>`;

/** Answers of 3.9 MB to whatever is asked, under the name that is expected there. */
const manyElements = '<a b="c"/>'.repeat(elements);
const sameForAll: Answer = (path) => once(rootOf(path), () => root(rootOf(path), manyElements));

const content = '<xip:ContentObject>22222222-3333-4444-8555-000000000001</xip:ContentObject>';
const identifier =
  '<xip:Identifier><xip:ApiId>a</xip:ApiId><xip:Type>T</xip:Type><xip:Value>V</xip:Value></xip:Identifier>';
const listed = (type: string): string => `<Representation type="${type}">http://x/${type}/1</Representation>`;
const picture = Buffer.alloc(1_000_000);

/** Answers that are as they should be, with so many times the parts of an ordinary one. */
const wellFormed =
  (times: number): Answer =>
  (path) => {
    if (path.includes('/content/thumbnail')) return times === 1 ? 'x' : picture;
    const name = rootOf(path);
    const key = `${name} ${times}`;
    switch (name) {
      case 'EntityResponse': {
        const inside = `<xip:Ref>${path.split('/').at(-1)}</xip:Ref>${'<xip:O>x</xip:O>'.repeat(2 * times)}`;
        return root(name, `<xip:InformationObject>${inside}</xip:InformationObject>`);
      }
      case 'IdentifiersResponse':
        return once(key, () => root(name, `<Identifiers>${identifier.repeat(2 * times)}</Identifiers>`));
      case 'RepresentationsResponse':
        return root(name, `<Representations>${listed('Preservation')}${listed('Access')}</Representations>`);
      case 'RepresentationResponse': {
        const inside = `<xip:ContentObjects>${content.repeat(20 * times)}</xip:ContentObjects>`;
        return once(key, () => root(name, `<xip:Representation>${inside}</xip:Representation>`));
      }
      default:
        return root(name, '');
    }
  };
const ordinary = wellFormed(1);
const largest = wellFormed(1_200);

function rootOf(path: string): string {
  const [name = ''] = [
    [/\/identifiers/, 'IdentifiersResponse'],
    [/\/representations$/, 'RepresentationsResponse'],
    [/\/representations\/\w+\/\d+$/, 'RepresentationResponse'],
    [/\/generations$/, 'GenerationsResponse'],
    [/\/generations\/\d+$/, 'GenerationResponse'],
    [/\/bitstreams\//, 'BitstreamResponse'],
    [/./, 'EntityResponse'],
  ].flatMap(([pattern, found]) => (new RegExp(pattern ?? '').test(path) ? [String(found)] : []));
  return name;
}

const manyObjects = `{"hits":[{"id":"x","metadata":{"list":[${'{"a":"b"},'.repeat(elements)}0]}}]}`;
const manyFields = `{"hits":[{"id":"x","metadata":{${Array.from({ length: elements }, (_, at) => `"${at.toString(36).padStart(4, 'x')}":1`).join(',')}}}]}`;

function preservica(url: string): Record<string, string> {
  return { SOURCE_ODD_KIND: 'preservica', SOURCE_ODD_URL: url, MAX_FILES: '2' };
}

function woodwing(url: string): Record<string, string> {
  return { SOURCE_ODD_KIND: 'woodwing', SOURCE_ODD_URL: url };
}

/** Sends the app so many events, each of an asset of its own. */
async function sendEvents(app: RunningApp, kind: 'preservica' | 'woodwing', round = 1): Promise<void> {
  const post = async (body: string, headers: Record<string, string>): Promise<void> => {
    const answer = await fetch(`${app.host.url}/webhooks/odd`, { method: 'POST', body, headers });
    expect(answer.status).toBe(200);
  };
  if (kind === 'preservica') {
    const items = Array.from({ length: events }, (_, at) => ({
      entityType: 'IO',
      entityRef: `11111111-2222-4333-8444-${String(round * events + at).padStart(12, '0')}`,
    }));
    const timestamp = new Date().toISOString().replace('Z', '');
    const body = JSON.stringify({ subscriptionId: 's', timestamp, trigger: 'MOVED', events: items });
    const signature = createHmac('sha256', secret).update(`preservica-webhook-auth${body}`).digest('hex');
    await post(body, { 'preservica-signature': signature });
    return;
  }
  for (let at = 0; at < events; at += 1) {
    const assetId = `Lq8_0aZtR-xK2mVbNc${String(at).padStart(4, '0')}`;
    const body = JSON.stringify({ type: 'asset_create', assetId, timestamp: Date.now() });
    await post(body, { 'x-hook-signature': createHmac('sha256', secret).update(body).digest('hex') });
  }
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** What callers of `/health` wait, asked at an even pace whatever the answers, and the most memory that there was. */
function watch(app: RunningApp) {
  const waits: Promise<number>[] = [];
  let most = 0;
  const over = new AbortController();
  const ask = async (): Promise<number> => {
    const beganAt = performance.now();
    await (await fetch(`${app.host.url}/health`)).text();
    return performance.now() - beganAt;
  };
  const watching = (async () => {
    while (!over.signal.aborted) {
      waits.push(ask());
      most = Math.max(most, await residentBytes(app.host.pid));
      await delay(25);
    }
  })();
  return async (): Promise<{ medianMs: number; mostBytes: number }> => {
    over.abort();
    await watching;
    const sorted = (await Promise.all(waits)).toSorted((a, b) => a - b);
    return { medianMs: sorted[Math.floor(sorted.length / 2)] ?? Infinity, mostBytes: most };
  };
}

describe
  .skipIf(process.platform !== 'linux')
  .each<[string, 'preservica' | 'woodwing', Answer, (url: string) => Record<string, string>, string]>([
    ['a Preservica with documents of 390,000 elements', 'preservica', sameForAll, preservica, 'failed'],
    ['a Preservica with documents as large as they may be', 'preservica', largest, preservica, 'done'],
    ['a WoodWing Assets with 390,000 objects in a hit', 'woodwing', () => manyObjects, woodwing, 'failed'],
    ['a WoodWing Assets with 390,000 fields in a hit', 'woodwing', () => manyFields, woodwing, 'failed'],
  ])('%s', (_name, kind, answer, settings, state) => {
  // A machine that is busy with other tests answers late, whatever the app does.
  it('holds nobody up, and takes little memory', { retry: 2 }, async () => {
    let turned = kind === 'woodwing';
    const url = await hostileSource((path) => (turned ? answer(path) : ordinary(path)));
    const app = await startRunningApp({
      SOURCES: 'odd',
      SOURCE_ODD_USERNAME: 'kim',
      SOURCE_ODD_PASSWORD: 'open sesame',
      SOURCE_ODD_SECRET: secret,
      ...settings(url),
    });
    // Idle is what an app takes that has worked before. A machine that is busy with other tests slows ordinary work as well.
    let ordinaryMs = 0;
    if (!turned) {
      const stopOrdinary = watch(app);
      await sendEvents(app, kind);
      await app.settled(events);
      ordinaryMs = (await stopOrdinary()).medianMs;
      turned = true;
    }
    const stopIdle = watch(app);
    await delay(1_000);
    const idleMs = (await stopIdle()).medianMs;
    const before = (await app.events()).length;
    const idleBytes = await residentBytes(app.host.pid);

    const stop = watch(app);
    await sendEvents(app, kind, 2);
    const settled = await app.settled(before + events);
    const { medianMs, mostBytes } = await stop();
    const states = settled.slice(0, settled.length - before).map((each) => each.state);
    expect(new Set(states)).toEqual(new Set([state]));
    expect(medianMs).toBeLessThan(Math.max(healthMs + 10 * idleMs, 3 * ordinaryMs));
    expect(mostBytes - idleBytes).toBeLessThan(mostBytesAboveIdle);
  });
});
