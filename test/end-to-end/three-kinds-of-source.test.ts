import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { signEvent as signPreservica } from '../../src/local/simulators/preservica/sender.ts';
import { signEvent as signPyWebhooks } from '../../src/local/simulators/pywebhooks/deliveries.ts';
import { post } from '../../src/local/simulators/post.ts';
import { signEvent as signWoodWing } from '../../src/local/simulators/woodwing/sender.ts';
import { settingsFor } from '../support/config.ts';
import { spawnHost } from '../support/host-process.ts';
import { startRunningApp, type RunningApp } from '../support/running-app.ts';
import { until } from '../support/until.ts';

const nowhere = 'http://127.0.0.1:9';
const sources = {
  archive: {
    kind: 'preservica',
    secret: 'the secret of the archive',
    header: 'preservica-signature',
    sign: signPreservica,
  },
  photos: {
    kind: 'woodwing',
    secret: 'the secret of the photos',
    header: 'x-hook-signature',
    sign: signWoodWing,
  },
  scans: {
    kind: 'pywebhooks',
    secret: 'the secret of the scans',
    header: 'pywebhooks-signature',
    sign: signPyWebhooks,
  },
} as const;
type Source = keyof typeof sources;
const names = Object.keys(sources) as Source[];

const settings = Object.fromEntries(
  names.flatMap((name) =>
    Object.entries({ KIND: sources[name].kind, URL: nowhere, SECRET: sources[name].secret }).map(
      ([end, value]) => [`SOURCE_${name.toUpperCase()}_${end}`, value],
    ),
  ),
);

let app: RunningApp;
beforeAll(async () => {
  app = await startRunningApp({ SOURCES: names.join(','), ...settings });
});

const send = async (source: Source, body: string, headers: Record<string, string>, query = '') =>
  await post(`${app.host.url}/webhooks/${source}${query}`, { body: Buffer.from(body), headers });

const document = JSON.stringify({
  type: 'folder_create',
  subscriptionId: 's',
  timestamp: new Date().toISOString().replace('Z', ''),
  trigger: 'MOVED',
  tenant: 't',
  events: [],
});

async function challengeAnswer(code: string): Promise<string | undefined> {
  const answer = await send('archive', '', {}, `?challengeCode=${encodeURIComponent(code)}`);
  if (answer.status !== 200) return undefined;
  return (JSON.parse(answer.body) as { challengeResponse: string }).challengeResponse;
}

describe('one app with a source of each kind', () => {
  it.each(names)('takes from %s what that one signed', async (name) => {
    const { header, sign, secret } = sources[name];
    expect(await send(name, document, { [header]: sign(secret, Buffer.from(document)) })).toMatchObject({
      status: 200,
    });
  });

  it.each(names.flatMap((at) => names.filter((of) => of !== at).map((of) => [at, of] as const)))(
    'at %s takes nothing that %s signed, whatever header it comes in',
    async (at, of) => {
      const other = sources[of];
      const body = Buffer.from(document);
      for (const signature of [other.sign(other.secret, body), sources[at].sign(other.secret, body)]) {
        const headers = { [sources[at].header]: signature, [other.header]: other.sign(other.secret, body) };
        expect(await send(at, document, headers)).toMatchObject({ status: 401 });
      }
    },
  );

  it.each(['5', '0.5', 'true', 'null', 'abc'])(
    'gives an answer to the challenge %s that is no signature of it anywhere',
    async (code) => {
      const answer = await challengeAnswer(code);
      expect(answer).toBe(createHmac('sha256', sources.archive.secret).update(code).digest('hex'));
      for (const name of names) {
        for (const signature of [answer ?? '', (answer ?? '').slice(0, 40)]) {
          expect(await send(name, code, { [sources[name].header]: signature })).toMatchObject({
            status: 401,
          });
        }
      }
    },
  );

  it.each(['{"type":"asset_remove"}', '{}', ' {}', '\ufeff{}', '[]', '"x"', 'preservica-webhook-auth{}'])(
    'answers no challenge that could be an event: %j',
    async (code) => {
      expect(await challengeAnswer(code)).toBeUndefined();
    },
  );

  it('did nothing but what it was rightly asked for', async () => {
    const events = await until(async () => {
      const found = await app.events();
      return found.length === 2 && found.every(({ finishedAt }) => finishedAt !== null) ? found : undefined;
    });
    expect(new Set(events.map(({ source }) => source))).toEqual(new Set(['photos', 'scans']));
  });
});

describe('one secret on two sources', () => {
  it.each([
    ['SOURCE_PHOTOS_SECRET', sources.archive.secret],
    ['SOURCE_SCANS_SECRET', sources.photos.secret],
    ['SOURCE_SCANS_SECRET_PREVIOUS', sources.archive.secret],
  ])('is refused at start, by name and not by value: %s', async (setting, value) => {
    const host = spawnHost({
      env: settingsFor('UseDevelopmentStorage=true', {
        SOURCES: names.join(','),
        ...settings,
        [setting]: value,
      }),
    });
    expect((await host.exited).code).toBe(1);
    const said = host.lines.join('\n');
    expect(said).toMatch(/must not be the same as SOURCE_[A-Z]+_SECRET/);
    expect(said).toContain(setting);
    expect(said).not.toContain(value);
  });
});
