import { beforeAll, describe, expect, it } from 'vitest';
import { startAppUnderTest, webhookSecret, type AppUnderTest } from '../support/app-under-test.ts';
import { runCommand, type Ran } from '../support/command.ts';

let app: AppUnderTest;
let env: Record<string, string>;

beforeAll(async () => {
  app = await startAppUnderTest({
    SOURCES: 'archive,photos,scans',
    SOURCE_PHOTOS_KIND: 'woodwing',
    SOURCE_PHOTOS_URL: 'http://127.0.0.1:9',
    SOURCE_PHOTOS_SECRET: 'the secret of the photos',
    SOURCE_SCANS_KIND: 'pywebhooks',
    SOURCE_SCANS_URL: 'http://127.0.0.1:9',
    SOURCE_SCANS_SECRET: 'the secret of the scans',
  });
  env = { ...app.settings, PUBLIC_URL: app.host.url };
});

const subscriptions = async (
  args: string[],
  options: { env?: Record<string, string>; input?: string; group?: string[]; columns?: number } = {},
): Promise<Ran> =>
  await runCommand(['preservica', ...(options.group ?? []), 'subscriptions', ...args], {
    ...options,
    env: { ...env, ...options.env },
  });

interface Listed {
  readonly subscriptions: { id: string; triggerType: string; url: string; thisApp: boolean | null }[];
}
const listed = async (): Promise<Listed['subscriptions']> =>
  ((await subscriptions(['list', '--json'])).json() as Listed).subscriptions;

/** At the simulator: whatever there is, whoever made it. */
const there = (): Map<string, object> => app.preservica.subscriptions as Map<string, object>;
const noneLeft = (): void => there().clear();

describe('preservica subscriptions', () => {
  it('are created with a real handshake, listed and deleted', async () => {
    const created = await subscriptions(['create', '--trigger', 'FULL_TEXT_INDEXED,MOVED']);
    expect(created).toMatchObject({ code: 0, stderr: '' });
    expect(app.preservica.sent.filter(({ kind }) => kind === 'challenge')).toHaveLength(2);
    const own = await listed();
    expect(own.map(({ triggerType, thisApp }) => [triggerType, thisApp])).toEqual([
      ['FULL_TEXT_INDEXED', true],
      ['MOVED', true],
    ]);
    const shown = await subscriptions(['list']);
    const [head = '', ...rows] = shown.stdout.trimEnd().split('\n');
    expect(rows).toHaveLength(2);
    const column = head.indexOf('TRIGGER');
    expect(rows.map((row) => row.slice(column, column + 5))).toEqual(['FULL_', 'MOVED']);

    const deleted = await subscriptions(['delete', '--yes', ...own.map(({ id }) => id)]);
    expect(deleted.code).toBe(0);
    expect(there().size).toBe(0);
  });

  it('never show the secret or the password, in whatever goes wrong', async () => {
    const runs = [
      await subscriptions(['create', '--trigger', 'MOVED', '--json']),
      await subscriptions(['create', '--trigger', 'MOVED', '--url', 'http://127.0.0.1:9/x']),
      await subscriptions(['list'], { env: { SOURCE_ARCHIVE_URL: 'http://127.0.0.1:9' } }),
      await subscriptions(['list'], { env: { SOURCE_ARCHIVE_PASSWORD: 'not the right one' } }),
    ];
    expect(runs.map(({ code }) => code)).toEqual([0, 1, 1, 1]);
    const said = runs.map(({ stdout, stderr }) => stdout + stderr).join('');
    expect(said).not.toContain(webhookSecret);
    expect(said).not.toContain(app.preservica.settings.account.password);
    expect(said).not.toContain('not the right one');
    noneLeft();
  });

  it('tell of one that brings the same already', async () => {
    await subscriptions(['create', '--trigger', 'MOVED']);
    const [first] = there().keys();
    const again = await subscriptions(['create', '--trigger', 'MOVED']);
    expect(again.code).toBe(0);
    expect(again.stderr).toContain(first);
    noneLeft();
  });

  it('are made by another account, whose password comes from standard input', async () => {
    const { username, password } = app.preservica.settings.account;
    const ran = await subscriptions(['list', '--json'], {
      env: { SOURCE_ARCHIVE_USERNAME: 'reader@example.org', SOURCE_ARCHIVE_PASSWORD: '' },
      group: ['--username', username, '--password-stdin'],
      input: `${password}\n`,
    });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.json()).toEqual({ subscriptions: [] });
  });
});

describe('a subscription that is refused says why', () => {
  it.each([
    [
      'the app is away',
      { url: 'http://127.0.0.1:9/webhooks/archive' },
      /Nothing answers at http:\/\/127\.0\.0\.1:9/,
    ],
    ['the app knows no such source', { path: '/webhooks/attic' }, /knows no such source/],
    ['the app has another secret', { secret: 'another secret, 16 long' }, /another secret/],
    ['the source is a WoodWing Assets', { path: '/webhooks/photos' }, /is of another kind/],
    ['the source is a PyWebhooks', { path: '/webhooks/scans' }, /is of another kind/],
  ])(
    'when %s',
    async (_what, { url, path, secret }: { url?: string; path?: string; secret?: string }, why) => {
      const address = url ?? `${app.host.url}${path ?? '/webhooks/archive'}`;
      const ran = await subscriptions(
        [
          'create',
          '--trigger',
          'MOVED',
          '--url',
          address,
          ...(secret === undefined ? [] : ['--secret-stdin']),
        ],
        { input: secret ?? '' },
      );
      expect(ran.code).toBe(1);
      expect(ran.stdout).toMatch(why);
      expect(there().size).toBe(0);
    },
  );

  it('when the account is no manager', async () => {
    const { account } = app.preservica.settings;
    const roles = account.roles.splice(0);
    try {
      const ran = await subscriptions(['create', '--trigger', 'MOVED']);
      expect(ran.code).toBe(1);
      expect(ran.stderr).toContain('role of a manager');
    } finally {
      account.roles.push(...roles);
    }
  });

  const path = /api\/webhook\/subscriptions/;

  it.each([
    ['by a word that repeats the request', 400, []],
    ['by a fault', 500, ['--json']],
  ])('and not the secret, %s', async (_how, status, args: string[]) => {
    const body = `Cannot read {"secret":"${webhookSecret}"}`;
    app.preservica.fault({
      path,
      method: 'POST',
      kind: 'answer',
      status,
      contentType: 'text/plain',
      body,
      times: 1,
    });
    const ran = await subscriptions(['create', '--trigger', 'MOVED', ...args]);
    expect(ran).toMatchObject({ code: 1, stderr: '' });
    expect(ran.stdout).toContain('Cannot read {');
    // It may be about the handshake, whatever its status.
    expect(ran.stdout).toContain('Seen from here the app answers the handshake rightly');
    expect(ran.stdout).not.toContain(webhookSecret);
    noneLeft();
  });

  it('beside what was created before', async () => {
    // The second of three finds that nobody may do this any more.
    app.preservica.fault({ path, method: 'POST', kind: 'slow', ms: 0, times: 1 });
    app.preservica.fault({ path, method: 'POST', kind: 'status', status: 403, times: 1 });
    const ran = await subscriptions([
      'create',
      '--trigger',
      'FULL_TEXT_INDEXED,MOVED,INGEST_FAILED',
      '--json',
    ]);
    expect(ran).toMatchObject({ code: 1, stderr: '' });
    const [id] = there().keys();
    expect(ran.json()).toMatchObject({
      created: [{ id, triggerType: 'FULL_TEXT_INDEXED' }],
      failed: [
        { triggerType: 'MOVED', why: expect.stringContaining('role of a manager') },
        { triggerType: 'INGEST_FAILED', why: expect.stringContaining('Not asked for') },
      ],
    });
    expect(ran.stdout).not.toContain('handshake');
    expect(there().size).toBe(1);
    noneLeft();
  });

  it('and that it may be there all the same, where the answer is lost', async () => {
    app.preservica.fault({ path, method: 'POST', kind: 'cut', times: 1 });
    const ran = await subscriptions(['create', '--trigger', 'MOVED']);
    expect(ran).toMatchObject({ code: 1, stderr: '' });
    expect(ran.stdout).toMatch(/failed or broke off.*preservica subscriptions list/s);
    expect(there().size).toBe(1);
    noneLeft();
  });

  it('when the trigger is unknown to both', async () => {
    const ran = await subscriptions(['create', '--trigger', 'DREAMT_OF', '--anyway']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('DREAMT_OF');
    expect(ran.stdout).toContain('Unknown trigger');
  });
});

describe('renew', () => {
  const bring = (id: string, given: object): string => {
    const url = `${app.host.url}/webhooks/archive`;
    there().set(id, { id, url, triggerType: 'MOVED', secret: 'x', includeIdentifiers: true, ...given });
    return id;
  };
  const signedWith = (): unknown[] =>
    [...there().values()].map((each) => [
      (each as { triggerType: string }).triggerType,
      (each as { secret: string }).secret,
    ]);

  it('puts one with the present secret in the place of each trigger of this app, and of no other', async () => {
    const foreign = bring('9'.repeat(32), { url: 'https://other.example.org/webhooks/archive' });
    bring('1'.repeat(32), { triggerType: 'FULL_TEXT_INDEXED' });
    bring('2'.repeat(32), {});
    bring('3'.repeat(32), { url: `${app.host.url}/webhooks/archive/` });
    const ran = await subscriptions(['renew', '--json']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.json()).toMatchObject({
      created: [{ triggerType: 'FULL_TEXT_INDEXED' }, { triggerType: 'MOVED' }],
      failed: [],
      deleted: ['1'.repeat(32), '2'.repeat(32), '3'.repeat(32)],
      standing: [],
    });
    expect(there().has(foreign)).toBe(true);
    expect(signedWith()).toEqual([
      ['MOVED', 'x'],
      ['FULL_TEXT_INDEXED', webhookSecret],
      ['MOVED', webhookSecret],
    ]);
    noneLeft();
  });

  it('takes only those that are named', async () => {
    const [one, other] = [bring('1'.repeat(32), {}), bring('2'.repeat(32), { triggerType: 'INGEST_FAILED' })];
    expect(await subscriptions(['renew', one])).toMatchObject({ code: 0, stderr: '' });
    expect([...there().keys()]).toContain(other);
    expect(signedWith()).toEqual([
      ['INGEST_FAILED', 'x'],
      ['MOVED', webhookSecret],
    ]);
    noneLeft();
  });

  it('deletes nothing where no other could be created', async () => {
    const id = bring('1'.repeat(32), {});
    const ran = await subscriptions(['renew'], { env: { SOURCE_ARCHIVE_SECRET: 'another secret, 16 long' } });
    expect(ran).toMatchObject({ code: 1, stderr: '' });
    expect(ran.stdout).toMatch(/MOVED was not renewed, and its old subscription stands.*another secret/s);
    expect([...there().keys()]).toEqual([id]);
    noneLeft();
  });

  it('says which two stand where the old one cannot be deleted, and by which command it goes', async () => {
    const id = bring('1'.repeat(32), {});
    app.preservica.fault({
      path: /subscriptions\/1/,
      method: 'DELETE',
      kind: 'status',
      status: 500,
      times: 1,
    });
    const ran = await subscriptions(['renew']);
    expect(ran).toMatchObject({ code: 1, stderr: '' });
    const [, made = ''] = [...there().keys()];
    expect(ran.stdout).toContain(`${id} and ${made} both bring MOVED`);
    const words = /Delete it: node src\/cli (.*)/.exec(ran.stdout)?.[1]?.split(' ') ?? [];
    expect(await runCommand([...words, '--yes'], { env })).toMatchObject({ code: 0 });
    expect([...there().keys()]).toEqual([made]);
    noneLeft();
  });

  it('changes nothing of somebody else, and nothing where one is unknown', async () => {
    const foreign = bring('9'.repeat(32), { url: 'https://other.example.org/' });
    const own = bring('1'.repeat(32), {});
    for (const [ids, why] of [
      [[own, foreign], /9{32} calls https:\/\/other\.example\.org/],
      [[own, '0'.repeat(32)], /knows no subscription 0{32}/],
    ] as const) {
      const ran = await subscriptions(['renew', ...ids]);
      expect(ran).toMatchObject({ code: 1, stdout: '' });
      expect(ran.stderr).toMatch(why);
      expect([...there().keys()]).toEqual([foreign, own]);
    }
    noneLeft();
  });

  it('has nothing to do where there is nothing, and nothing to do it with without a secret', async () => {
    expect(await subscriptions(['renew'])).toMatchObject({ code: 0, stderr: '' });
    bring('1'.repeat(32), {});
    const ran = await subscriptions(['renew'], { env: { SOURCE_ARCHIVE_SECRET: '' } });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('--secret-stdin');
    expect(
      await subscriptions(['renew', '--secret-stdin'], {
        env: { SOURCE_ARCHIVE_SECRET: '' },
        input: `${webhookSecret}\n`,
      }),
    ).toMatchObject({ code: 0 });
    noneLeft();
  });
});

describe('delete --all', () => {
  // Another application's, and one of ours at another path: nobody here may end those.
  const foreign = ['/webhooks/archive2', '/webhooks/ARCHIVE', '/'];

  it('takes only those that call exactly this address, and asks first', async () => {
    await subscriptions(['create', '--trigger', 'FULL_TEXT_INDEXED,MOVED']);
    const { port } = new URL(app.host.url);
    for (const [index, path] of foreign.entries()) {
      const id = String(index).repeat(32);
      there().set(id, {
        id,
        url: app.host.url + path,
        triggerType: 'MOVED',
        secret: 'x',
        includeIdentifiers: true,
      });
    }
    const otherScheme = {
      id: '9'.repeat(32),
      url: `https://127.0.0.1:${port}/webhooks/archive`,
      triggerType: 'MOVED',
    };
    there().set(otherScheme.id, { ...otherScheme, secret: 'x', includeIdentifiers: true });

    const unasked = await subscriptions(['delete', '--all']);
    expect(unasked.code).toBe(2);
    expect(unasked.stderr).toContain('--yes');
    expect(there().size).toBe(6);

    const ran = await subscriptions(['delete', '--all', '--yes', '--json']);
    expect(ran.code).toBe(0);
    expect((ran.json() as { deleted: string[] }).deleted).toHaveLength(2);
    expect((await listed()).map(({ thisApp }) => thisApp)).toEqual([false, false, false, false]);
    noneLeft();
  });

  it('refuses where nothing says what is ours', async () => {
    const ran = await subscriptions(['delete', '--all', '--yes'], { env: { PUBLIC_URL: '' } });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('PUBLIC_URL');
  });

  it('has nothing to do where there is nothing', async () => {
    expect(await subscriptions(['delete', '--all'])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('what is deleted', () => {
  const add = (id: string, more: object = {}): void =>
    void there().set(id, {
      id,
      url: `${app.host.url}/webhooks/archive`,
      triggerType: 'MOVED',
      secret: 'x',
      includeIdentifiers: true,
      ...more,
    });

  it.each([
    ['by its id', ['a1'.repeat(16)]],
    ['all of them', ['--all']],
  ])('is asked for first, %s', async (_how, args) => {
    add('a1'.repeat(16));
    const unasked = await subscriptions(['delete', ...args]);
    expect(unasked).toMatchObject({ code: 2, stdout: '' });
    expect(unasked.stderr).toContain('--yes');
    const no = await subscriptions(['delete', ...args], { columns: 80, input: 'n\n' });
    expect(no.code).toBe(1);
    expect(no.stderr).toContain('Nothing was deleted');
    expect(there().size).toBe(1);
    const yes = await subscriptions(['delete', ...args], { columns: 80, input: 'y\n' });
    expect(yes.code).toBe(0);
    expect(there().size).toBe(0);
  });

  it('may be named by a beginning that no other has', async () => {
    add('a1'.repeat(16));
    add('b2'.repeat(16));
    add(`b2b2${'c'.repeat(28)}`);
    const several = await subscriptions(['delete', '--yes', 'b2b2']);
    expect(several).toMatchObject({ code: 2, stdout: '' });
    for (const id of ['b2'.repeat(16), `b2b2${'c'.repeat(28)}`]) expect(several.stderr).toContain(id);
    expect(there().size).toBe(3);
    const one = await subscriptions(['delete', '--yes', '--json', 'b2b2b', 'a1a1']);
    expect(one.json()).toEqual({ deleted: ['b2'.repeat(16), 'a1'.repeat(16)], unknown: [] });
    noneLeft();
  });

  it('is of this app also where its address ends with a slash', async () => {
    add('a1'.repeat(16), { url: `${app.host.url}/webhooks/archive/` });
    expect((await listed()).map(({ thisApp }) => thisApp)).toEqual([true]);
    const again = await subscriptions(['create', '--trigger', 'MOVED']);
    expect(again.stderr).toContain('already brought the same');
    noneLeft();
  });

  it('is found beside what cannot be read', async () => {
    add('a1'.repeat(16));
    there().set('odd', { id: 7, url: [] });
    const ran = await subscriptions(['list', '--json']);
    expect((ran.json() as Listed).subscriptions.map(({ id }) => id)).toEqual(['a1'.repeat(16)]);
    expect(ran.stderr).toContain('one item of this list could not be read');
    noneLeft();
  });
});

describe('a trigger that nobody knows', () => {
  it.each([
    ['FULL_TEXT_INDEX', 'Did you mean FULL_TEXT_INDEXED?'],
    ['moved', 'Did you mean MOVED?'],
    ['DREAMT_OF', 'no trigger that is known'],
  ])('is refused: %s', async (trigger, said) => {
    const before = app.preservica.calls.length;
    const ran = await subscriptions(['create', '--trigger', `INGEST_FAILED,${trigger}`]);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(said);
    expect(app.preservica.calls).toHaveLength(before);
  });
});

describe('wrong use', () => {
  it.each([
    ['no command', []],
    ['an unknown command', ['invent']],
    ['create without a trigger', ['create']],
    ['a trigger that is no name', ['create', '--trigger', 'MOVED;DROP']],
    ['an address that is none', ['create', '--trigger', 'MOVED', '--url', 'ftp://example.org']],
    ['delete without ids', ['delete']],
    ['an id that is a path', ['delete', 'abc', '..']],
    ['an id that is this path', ['delete', '.']],
    ['an empty id', ['delete', '']],
    ["the app's password under another name", ['list'], ['--username', 'somebody@example.org']],
    ['delete with ids and --all', ['delete', 'abc', '--all']],
    ['an unknown option', ['list', '--shiny']],
    ['a source that is not there', ['list', '--source', 'attic']],
  ])('%s ends with 2, and nothing is asked', async (_what, args, group: string[] = []) => {
    const before = app.preservica.calls.length;
    const ran = await subscriptions(args, { group });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).not.toBe('');
    expect(app.preservica.calls).toHaveLength(before);
  });

  it('says how another account is asked, and takes the own one by its name', async () => {
    const other = await subscriptions(['list'], { group: ['--username', 'somebody@example.org'] });
    expect(other.stderr).toContain('--password-stdin');
    const { username } = app.preservica.settings.account;
    expect(await subscriptions(['list'], { group: ['--username', username] })).toMatchObject({ code: 0 });
  });

  it('names every faulty setting at once, and no value', async () => {
    const ran = await subscriptions(['list'], {
      env: { SOURCE_ARCHIVE_SECERT: 'hush', MAX_FILES: 'many-many' },
    });
    expect(ran.code).toBe(2);
    for (const name of ['SOURCE_ARCHIVE_SECERT', 'MAX_FILES']) expect(ran.stderr).toContain(name);
    expect(ran.stderr).not.toMatch(/hush|many-many/);
  });

  it('tells an unknown id from a known one', async () => {
    const ran = await subscriptions(['delete', '--yes', 'f'.repeat(32)]);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('knows no subscription');
  });

  it.each([[[]], [['preservica']], [['preservica', 'subscriptions', 'create']], [['events', 'list']]])(
    'help for %j is at hand',
    async (args: string[]) => {
      const ran = await runCommand([...args, '--help'], { env });
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(ran.stdout).toContain('--json');
    },
  );
});
