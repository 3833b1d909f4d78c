import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { typed } from '../../src/cli/typed.ts';
import { found, startThreeSystems, type ThreeSystems } from '../support/three-systems.ts';

let systems: ThreeSystems;
let app: ThreeSystems['app'];
let photos: ThreeSystems['photos'];
let scans: ThreeSystems['scans'];
let env: ThreeSystems['env'];
let run: ThreeSystems['run'];
let examine: ThreeSystems['examine'];

beforeAll(async () => {
  systems = await startThreeSystems();
  ({ app, photos, scans, env, run, examine } = systems);
});

describe('before anything is set up', () => {
  it('the doctor says what is missing, and by which command it comes', async () => {
    const examined = await examine();
    expect(examined.ran.code).toBe(1);
    expect(examined.state).toBe('wrong');
    expect(found(examined, 'settings')).toEqual([
      'ok 3 sources: archive, photos, scans.',
      expect.stringMatching(/^ok Settings come from the environment and from .*settings\.json\.$/),
      `ok Secrets that change while the app runs are kept in the local secrets file ${env['LOCAL_SECRETS_FILE']}.`,
    ]);
    expect(found(examined, 'app')).toEqual([`ok It lives at ${app.host.url} (PUBLIC_URL).`]);
    expect(found(examined, 'storage')).toEqual(['ok The app reaches its storage.']);
    for (const about of [
      'archive: subscriptions',
      'photos: subscriptions',
      'photos: secrets',
      'scans: secrets',
    ])
      expect(`${about}: ${found(examined, about).join()}`).toContain('wrong');
    for (const about of [
      'archive: login',
      'photos: login',
      'archive: clock',
      'photos: clock',
      'scans: clock',
    ])
      expect(`${about}: ${found(examined, about).join()}`).toContain('ok');
    const commands = examined.checks.filter(({ state }) => state !== 'ok').map(({ command }) => command);
    expect(commands).not.toContain(undefined);
    expect(commands).toContain(typed('woodwing webhooks create', 'photos'));
  });
});

describe('once everything is set up', () => {
  beforeAll(async () => void (await systems.subscribe()));

  it('all is well', async () => {
    const ran = await run(['doctor']);
    expect(ran.stdout).toContain('All is well.');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
  });

  it('every source is shown in a line of a terminal, whatever its name', async () => {
    const ran = await run(['sources']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const [head = '', ...rows] = ran.stdout.trimEnd().split('\n');
    expect(head.split(/ {2,}/)).toEqual([
      'SOURCE',
      'KIND',
      'WAITING',
      'FAILED',
      'REFUSED',
      'LAST EVENT',
      'LOGIN',
      'SUBSCRIPTIONS',
    ]);
    expect(rows.map((row) => row.split(/\s+/))).toEqual([
      ['archive', 'preservica', '0', '0', '0', '–', 'yes', '1'],
      ['photos', 'woodwing', '0', '0', '0', '–', 'yes', '1'],
      ['scans', 'pywebhooks', '0', '0', '0', '–', 'yes', '1'],
    ]);
    for (const line of [head, ...rows]) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('a webhook that was switched off is found', async () => {
    const [webhook] = photos.webhooks.values();
    if (webhook === undefined) throw new Error('there is no webhook');
    const setEnabled = (enabled: boolean): void => void Object.assign(webhook, { enabled });
    setEnabled(false);
    try {
      const examined = await examine();
      expect(examined.ran.code).toBe(1);
      expect(found(examined, 'photos: subscriptions').join()).toMatch(/^wrong .*disabled/);
      const { sources } = (await run(['sources', '--json'])).json() as {
        sources: { subscriptions: { state: string } }[];
      };
      expect(sources.map(({ subscriptions }) => subscriptions.state)).toEqual(['ok', 'wrong', 'ok']);
    } finally {
      setEnabled(true);
    }
  });

  it('an account whose deliveries all fail is found', async () => {
    const account = [...scans.accounts.values()].find(({ username }) => username === 'asset-webhooks');
    if (account === undefined) throw new Error('there is no account');
    account.failed_count = 250;
    try {
      expect(found(await examine(), 'scans: subscriptions').join()).toContain('nothing is sent any more');
    } finally {
      account.failed_count = 0;
    }
  });

  it.each([
    [
      'away or refused',
      {
        SOURCE_ARCHIVE_PASSWORD: 'wrong-password-here',
        SOURCE_PHOTOS_URL: 'http://127.0.0.1:9',
        SOURCE_SCANS_API_KEY: 'f'.repeat(40),
        ASSET_WEBHOOKS_URL: 'http://127.0.0.1:9',
      },
      { 'archive: login': 'wrong', 'photos: login': 'wrong', 'scans: login': 'wrong', app: 'wrong' },
    ],
    [
      'not the one kept, or too short',
      {
        SOURCE_ARCHIVE_SECRET: 'short',
        SOURCE_PHOTOS_SECRET: 'the secret of another',
        SOURCE_SCANS_SECRET: 'the secret of another one',
      },
      { 'archive: secrets': 'warning', 'photos: subscriptions': 'wrong', 'scans: subscriptions': 'wrong' },
    ],
    ['without an address', { PUBLIC_URL: '' }, { settings: 'warning' }],
  ])('everything that is %s is found', async (_what, more, expected) => {
    const examined = await examine(more);
    for (const [about, state] of Object.entries(expected)) {
      const states = examined.checks.filter((each) => each.about === about).map((each) => each.state);
      expect(`${about}: ${states.join()}`).toContain(state);
    }
    expect(examined.ran.stdout).not.toMatch(
      /wrong-password-here|f{40}|the secret of (?:the archive|another)/,
    );
  });

  it('a source that refuses us ends `sources` with 1, and shows the others all the same', async () => {
    const ran = await run(['sources'], { SOURCE_ARCHIVE_PASSWORD: 'wrong-password-here' });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/^archive .* no +–$/m);
    expect(ran.stdout).toContain('archive: Preservica refused the login');
    expect(ran.stdout).toMatch(/photos .*yes/);
  });

  it.each<401 | 403>([401, 403])(
    'an account that may only read is no fault of the login (%s)',
    async (code) => {
      Object.assign(photos.settings, { notSuperuserStatus: code });
      photos.settings.account.superuser = false;
      try {
        const examined = await examine();
        expect(found(examined, 'photos: login').join()).toMatch(/^ok/);
        expect(found(examined, 'photos: subscriptions').join()).toMatch(/^warning .*may not/);
      } finally {
        photos.settings.account.superuser = true;
      }
    },
  );

  it('a secrets file that is broken is found, and not shown', async () => {
    const broken = `${app.settings['LOCAL_SECRETS_FILE']}.broken`;
    await writeFile(broken, '{"source-photos-secret": "half a sec');
    const examined = await examine({ LOCAL_SECRETS_FILE: broken });
    expect(found(examined, 'photos: secrets').join()).toMatch(/^wrong .*cannot be read/);
    expect(examined.ran.stdout + examined.ran.stderr).not.toContain('half a sec');
  });
});

describe('a clock that goes wrong', () => {
  const late = createServer((_request, response) => {
    response.writeHead(404, { date: new Date(Date.now() - 3_600_000).toUTCString() }).end();
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => void late.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => late.close());

  it('is found', async () => {
    const url = `http://127.0.0.1:${(late.address() as AddressInfo).port}`;
    const examined = await examine({ SOURCE_ARCHIVE_URL: url });
    expect(found(examined, 'archive: clock').join()).toMatch(/^warning .*3[56]\d\d seconds apart/);
  });
});

describe('a source that is received from and never asked', () => {
  it('is no fault', async () => {
    const more = { SOURCE_SCANS_URL: '', SOURCE_SCANS_USERNAME: '' };
    const examined = await examine(more);
    expect(found(examined, 'scans: login').join()).toMatch(/^warning .*not asked/);
    const ran = await run(['sources'], more);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^scans +pywebhooks .*–$/m);
    const asked = await run(['pywebhooks', 'subscriptions'], more);
    expect(asked).toMatchObject({ code: 2, stdout: '' });
    expect(asked.stderr).toContain('SOURCE_SCANS_URL');
  });
});

describe('faulty settings', () => {
  it('are each a finding, without their values', async () => {
    const examined = await examine({ SOURCE_ARCHIVE_SECERT: 'tell-nobody', MAX_FILES: 'many-many' });
    expect(examined.ran.code).toBe(1);
    expect(examined.checks.map(({ about, state }) => `${about} ${state}`)).toEqual([
      'settings ok',
      'settings wrong',
      'settings wrong',
    ]);
    expect(examined.ran.stdout).not.toMatch(/tell-nobody|many-many/);
  });
});
