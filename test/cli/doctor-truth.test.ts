import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createSocketServer, type AddressInfo, type Server } from 'node:net';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reach } from '../../src/cli/doctor/reach.ts';
import { command } from '../../src/cli/typed.ts';
import { found, startThreeSystems, type ThreeSystems } from '../support/three-systems.ts';

let systems: ThreeSystems;
let registration: string;
beforeAll(async () => {
  systems = await startThreeSystems();
  registration = await systems.subscribe();
});
const examine = async (more: Record<string, string> = {}) => await systems.examine(more);
const addressOf = (source: string): string => `${systems.app.host.url}/webhooks/${source}`;

describe('a secret that the app does not have', () => {
  it('is found for every kind of source, and never shown', async () => {
    const examined = await examine({
      SOURCE_ARCHIVE_SECRET: 'not the one of the archive',
      SOURCE_PHOTOS_SECRET: 'not the one of the photos',
      SOURCE_SCANS_SECRET: 'not the one of the scans',
    });
    expect(examined.ran.code).toBe(1);
    expect(found(examined, 'archive: handshake').join()).toMatch(/^wrong .*another secret/);
    for (const about of ['archive: secrets', 'photos: secrets', 'scans: secrets'])
      expect(`${about}: ${found(examined, about).join()}`).toMatch(/wrong The running app takes another/);
    expect(examined.ran.stdout).not.toContain('not the one');
  });

  it('is told from one that it has', async () => {
    const examined = await examine();
    expect(examined.state).toBe('ok');
    expect(found(examined, 'archive: handshake').join()).toMatch(/^ok .*answers with the secret/);
    expect(found(examined, 'scans: handshake').join()).toMatch(/^ok .*answers an echo/);
    for (const about of ['archive: secrets', 'photos: secrets', 'scans: secrets'])
      expect(found(examined, about)).toContain('ok The running app has the same.');
    expect(found(examined, 'photos: events')).toEqual(['ok None came yet.']);
  });

  it('is not one that only the app has', async () => {
    const examined = await examine({ SOURCE_ARCHIVE_SECRET: '' });
    expect(found(examined, 'archive: secrets').join()).toMatch(
      /^warning The running app has a webhook secret, and there is none in/,
    );
    expect(examined.state).toBe('warning');
  });

  it('shows at the address of the command where only the sources reach the public one', async () => {
    const other = { PUBLIC_URL: 'http://no-such-host.invalid', ASSET_WEBHOOKS_URL: systems.app.host.url };
    const examined = await examine(other);
    expect(found(examined, 'archive: handshake')).toEqual([
      expect.stringMatching(/^warning Nothing answers at http:\/\/no-such-host/),
      expect.stringMatching(/^ok .*answers with the secret/),
    ]);
    expect(found(examined, 'scans: handshake')).toEqual([
      expect.stringMatching(/^warning Nothing answers at http:\/\/no-such-host/),
      expect.stringMatching(/^ok .*answers an echo/),
    ]);
    expect(found(examined, 'app')).toEqual([
      expect.stringMatching(/^ok It lives at/),
      expect.stringMatching(/^warning Seen from here: There is no machine of the name/),
    ]);
    const wrong = { ...other, SOURCE_ARCHIVE_SECRET: 'not the one of the archive' };
    expect(found(await examine(wrong), 'archive: handshake')).toContainEqual(
      expect.stringMatching(/^wrong .*another secret/),
    );
  });
});

/** What is set up amiss, what is found about what, and whether the command that is named mends it. */
interface Amiss {
  readonly what: string;
  readonly about: string;
  readonly finds: RegExp;
  amiss(): void | Promise<void>;
  /** Further words that a terminal would have asked for. */
  readonly with?: readonly string[];
}

const subscriptions = (): Map<string, object> => systems.archive.subscriptions as Map<string, object>;
const addSubscription = (id: string, given: object): void => {
  const own = { id, url: addressOf('archive'), triggerType: 'MOVED', secret: 'x', includeIdentifiers: true };
  subscriptions().set(id, { ...own, ...given });
};
const webhook = () => {
  const [first] = systems.photos.webhooks.values();
  if (first === undefined) throw new Error('There is no webhook.');
  return first;
};
const addWebhook = (given: object): void => {
  const id = 'A2b3C4d5E6f7G8h9J0k1L2';
  (systems.photos.webhooks as Map<string, object>).set(id, { ...webhook(), id, secretToken: 'z', ...given });
};
const account = () => {
  const own = [...systems.scans.accounts.values()].find(({ username }) => username === 'asset-webhooks');
  if (own === undefined) throw new Error('There is no account.');
  return own;
};

describe('what is amiss', () => {
  const cases: readonly Amiss[] = [
    {
      what: 'one trigger twice, one of them with a slash at the end of its address',
      about: 'archive: subscriptions',
      finds: /^warning FULL_TEXT_INDEXED is subscribed to 2 times/,
      amiss: () =>
        addSubscription('1'.repeat(32), {
          triggerType: 'FULL_TEXT_INDEXED',
          url: `${addressOf('archive')}/`,
        }),
    },
    {
      what: 'a trigger that nobody knows',
      about: 'archive: subscriptions',
      finds: /^warning No trigger .*MOVD Did you mean MOVED\?/,
      amiss: () => addSubscription('2'.repeat(32), { triggerType: 'MOVD' }),
      with: ['--yes'],
    },
    {
      what: 'a subscription to a source that the app does not have',
      about: 'archive: subscriptions',
      finds: /^warning 3{32} calls this app where it has no such source: .*\/webhooks\/attic/,
      amiss: () => addSubscription('3'.repeat(32), { url: addressOf('attic') }),
      with: ['--yes'],
    },
    {
      what: 'events that nobody knows',
      about: 'photos: subscriptions',
      finds: /^warning Webhook .* wants events .*asset_creat Did you mean asset_create\?/,
      amiss: () => void webhook().eventTypes.push('asset_creat'),
    },
    {
      what: 'a second webhook of the same events',
      about: 'photos: subscriptions',
      finds: /^wrong 2 webhooks call this app .*They bring the same: .*asset_create/,
      amiss: () => addWebhook({}),
      with: ['--yes'],
    },
    {
      what: 'a webhook that is off',
      about: 'photos: subscriptions',
      finds: /^wrong Webhook .* is disabled/,
      amiss: () => void Object.assign(webhook(), { enabled: false }),
    },
    {
      what: 'a webhook whose token was made anew by hand',
      about: 'photos: subscriptions',
      finds: /^wrong The source signs with another secret/,
      amiss: () => void Object.assign(webhook(), { secretToken: 'made by hand, 16 long' }),
    },
    {
      what: 'an account that is called elsewhere',
      about: 'scans: subscriptions',
      finds: /^wrong The account's endpoint is https:\/\/old\.example\.org\/x/,
      amiss: () => void Object.assign(account(), { endpoint: 'https://old.example.org/x' }),
    },
    {
      what: 'an account that nothing is sent to any more',
      about: 'scans: subscriptions',
      finds: /^wrong 250 deliveries failed/,
      amiss: () => void Object.assign(account(), { failed_count: 250 }),
    },
    {
      what: 'an account that signs with another secret',
      about: 'scans: subscriptions',
      finds: /^wrong The source signs with another secret/,
      amiss: () => void Object.assign(account(), { secret_key: 'e'.repeat(40) }),
    },
    {
      what: 'two subscriptions to one registration',
      about: 'scans: subscriptions',
      finds: /^warning The account subscribes 2 times to/,
      amiss: async () => void (await systems.run(['pywebhooks', 'subscribe', registration])),
      with: ['--yes'],
    },
  ];

  it.each(cases)('is found, and mended by the command that is named: $what', async (each) => {
    await each.amiss();
    const examined = await examine();
    const check = examined.checks.find(
      ({ about, state, text }) => about === each.about && each.finds.test(`${state} ${text}`),
    );
    expect(check, JSON.stringify(examined.checks, undefined, 1)).toBeDefined();
    const words = (check?.command ?? '').split(' ').slice(command().split(' ').length);
    const ran = await systems.run([...words, ...(each.with ?? [])]);
    expect(ran, ran.stdout + ran.stderr).toMatchObject({ code: 0 });
    expect((await examine()).checks.filter(({ state }) => state === 'wrong' || state === 'warning')).toEqual(
      [],
    );
  });

  it('is not what another application has there', async () => {
    addSubscription('4'.repeat(32), { url: 'https://other.example.org/webhooks/archive' });
    addWebhook({ url: 'https://other.example.org/hook' });
    const examined = await examine();
    expect(examined.state).toBe('ok');
    for (const about of ['archive: subscriptions', 'photos: subscriptions'])
      expect(found(examined, about).join()).toMatch(/ok 1 more, of another application: https:\/\/other/);
  });
});

describe('calls that were refused', () => {
  const call = async (source: string, headers: Record<string, string>): Promise<void> => {
    const answer = await fetch(addressOf(source), { method: 'POST', headers, body: '{}' });
    expect(answer.status).toBe(401);
  };

  it('are counted, and those of strangers are no fault', async () => {
    await call('photos', {});
    const before = await examine();
    expect(before.state).toBe('ok');
    expect(found(before, 'photos: calls').join()).toMatch(
      /^ok 1 refused since \d\d:\d\d: no signature\. Strangers/,
    );
    for (let nr = 0; nr < 3; nr += 1) await call('archive', { 'preservica-signature': 'f'.repeat(64) });
    await call('photos', { 'x-hook-signature': 'f'.repeat(64) });
    const examined = await examine();
    expect(found(examined, 'archive: calls').join()).toMatch(
      /^warning 3 refused since \d\d:\d\d: wrong signature\.$/,
    );
    const { command: next } = examined.checks.find(({ about }) => about === 'photos: calls') ?? {};
    const { id } = webhook();
    // An id that begins with a hyphen comes after the options.
    const words = id.startsWith('-') ? `--source photos -- ${id}` : `${id} --source photos`;
    expect(next).toBe(`${command()} woodwing webhooks new-token ${words}`);
    const ran = await systems.run(['sources']);
    expect(ran.stdout).toMatch(/^archive +preservica +0 +0 +3 /m);
    expect(ran.stdout).toMatch(/^photos +woodwing +0 +0 +2 /m);
  });
});

describe('what is in effect', () => {
  it('is shown: the settings, the secrets and the address of the app', async () => {
    const examined = await examine({ ASSET_WEBHOOKS_URL: `${systems.app.host.url}/` });
    expect(found(examined, 'settings').join('\n')).toContain(systems.env['LOCAL_SECRETS_FILE']);
    expect(found(examined, 'settings').join('\n')).toMatch(/Settings come from .*settings\.json/);
    expect(found(examined, 'app')).toEqual([`ok It lives at ${systems.app.host.url} (ASSET_WEBHOOKS_URL).`]);
  });
});

describe('the address of the app', () => {
  const servers: Server[] = [];
  afterAll(() => servers.forEach((server) => server.close()));
  const listening = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const serving = async (listener: RequestListener): Promise<string> =>
    `http://127.0.0.1:${await listening(createServer(listener))}`;
  const answering =
    (status: number, body = ''): RequestListener =>
    (_request, response) =>
      void response.writeHead(status, { location: '/elsewhere' }).end(body);
  const saying = async (url: string): Promise<string> =>
    found(await examine({ ASSET_WEBHOOKS_URL: url }), 'app').join('\n');

  it.each([
    [200, /is not this app/],
    [302, /leads elsewhere/],
    [401, /wants a login/],
    [403, /wants a login/],
    [404, /has no \/health: another app, or one whose functions were not deployed/],
    [500, /is there and broke/],
    [503, /stopped, starting, or overloaded/],
  ])('where something else answers with %s', async (status, why) => {
    expect(await saying(await serving(answering(status, '<html>')))).toMatch(why);
  });

  it.each([
    [401, /^wrong .*wants a function key/],
    [404, /^wrong It lives at .* but has no \/sources/],
    [500, /^wrong It lives at .* but \/sources broke with 500/],
  ])('where the app lives, and /sources is answered with %s', async (status, why) => {
    const url = await serving((request, response) =>
      request.url === '/health' ? void response.end('{"status":"ok"}') : answering(status)(request, response),
    );
    expect(await saying(url)).toMatch(why);
  });

  it('where nothing does', async () => {
    const closed = createServer();
    const port = await listening(closed);
    await new Promise((resolve) => closed.close(resolve));
    expect(await saying(`http://127.0.0.1:${port}`)).toMatch(
      /^wrong The machine is there, but nothing listens/,
    );
    expect(await saying('http://no-such-host.invalid')).toMatch(
      /^wrong There is no machine of the name no-such/,
    );
    const ends = createSocketServer((socket) => socket.destroy());
    expect(await saying(`http://127.0.0.1:${await listening(ends)}`)).toMatch(/ended without an answer/);
  });

  it('where the certificate is not trusted, or there is none', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }]);
    const port = await listening(createTlsServer({ key, cert }, answering(200)));
    expect(await saying(`https://127.0.0.1:${port}`)).toMatch(/certificate of .* is not trusted/);
    const plain = await serving(answering(200));
    expect(await saying(plain.replace('http:', 'https:'))).toMatch(/speaks no TLS/);
  });

  it('where nothing comes back in time', async () => {
    const silent = await serving(() => undefined);
    expect(await reach(silent, 50)).toEqual({ kind: 'nothing', how: 'timeout' });
  });

  it('that the sources call is looked at beside the one that the command calls', async () => {
    const other = await serving(answering(404));
    const examined = await examine({ PUBLIC_URL: other, ASSET_WEBHOOKS_URL: systems.app.host.url });
    expect(found(examined, 'app')).toEqual([
      `ok It lives at ${systems.app.host.url} (ASSET_WEBHOOKS_URL).`,
      expect.stringMatching(/^wrong .*no \/health/),
    ]);
  });

  it('keeps the function key from plain http, and says so', async () => {
    const { port } = new URL(systems.app.host.url);
    const examined = await examine({
      ASSET_WEBHOOKS_URL: `http://0.0.0.0:${port}`,
      ASSET_WEBHOOKS_KEY: 'the key',
    });
    expect(found(examined, 'app').join()).toMatch(/^wrong The function key is not sent/);
    expect(examined.ran.stdout).not.toContain('the key');
  });
});

describe('a registration that is no more', () => {
  it('is found, and its subscription ended by the command that is named', async () => {
    const { username, apiKey } = systems.scans.admin;
    const deleted = await fetch(`${systems.scans.url}/v1/webhook/registrations`, {
      method: 'DELETE',
      headers: { 'content-type': 'application/json', username, 'api-key': apiKey },
    });
    expect(deleted.status).toBe(200);
    const finds = /^Subscription .* is to the registration .*, which is no more/;
    const check = (await examine()).checks.find(({ text }) => finds.test(text));
    const words = (check?.command ?? '').split(' ').slice(command().split(' ').length);
    expect(await systems.run([...words, '--yes'])).toMatchObject({ code: 0 });
    const after = await examine();
    expect(after.checks.filter(({ text }) => finds.test(text))).toEqual([]);
    expect(found(after, 'scans: subscriptions').join()).toMatch(/^wrong The account subscribes to nothing/);
  });
});
