import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { until } from '../../support/until.ts';
import { makeClone, runNpm, type Npm } from './clone.ts';

// Everything is started here, with storage, bundle and simulators.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe('npm start', () => {
  let folder: string;
  let start: Npm;
  beforeAll(async () => {
    // Taken by this process, or by another one.
    const taken = createServer().listen(7071, '127.0.0.1').unref();
    await new Promise((resolve) => taken.once('listening', resolve).once('error', resolve));
    folder = await makeClone();
    await mkdir(join(folder, '.local'));
    await writeFile(join(folder, '.local', 'start.env'), '');
    await chmod(join(folder, '.local'), 0o777);
    await chmod(join(folder, '.local', 'start.env'), 0o666);
    // What a crash left behind.
    const left = { pid: 1, url: 'http://127.0.0.1:1', token: 'x' };
    await writeFile(join(folder, '.local', 'start.json'), JSON.stringify(left));
    start = runNpm(folder, ['start'], {
      CONTAINER_NAME: 'dev',
      WEBSITE_SITE_NAME: 'foreign',
      WEBSITE_INSTANCE_ID: 'foreign',
      WEBSITE_SKU: 'FlexConsumption',
      ASSET_WEBHOOKS_HOSTING: 'azure',
      KEY_VAULT_URL: 'https://foreign.vault.azure.net',
      SOURCES: 'foreign',
      PORT: '80',
      NODE_OPTIONS: '',
    });
    await start.waitForLine(/^Everything stays up until Ctrl-C/);
  });

  it('shows all three systems, whatever the environment holds', () => {
    for (const source of ['archive', 'photos', 'scans'])
      expect(start.lines).toContainEqual(expect.stringMatching(new RegExp(`^${source}: history +http`)));
    expect(start.lines.filter((line) => /^ {2}done /.test(line)).length).toBeGreaterThan(12);
  });

  it('shows one event that fails and one that waits, on purpose, and how to see more of each', async () => {
    const failing = await start.waitForLine(/^ {2}One fails on purpose/);
    const waiting = await start.waitForLine(/^ {2}One waits on purpose/);
    const [, id = ''] = /npm run try -- events show (\S+)$/.exec(failing) ?? [];
    expect(waiting).toMatch(/npm run try -- events show \S+$/);
    const shown = runNpm(folder, ['run', 'try', '--', 'events', 'show', id]);
    expect(await shown.ended).toBe(0);
    expect(shown.lines.join('\n')).toContain('no-permission');
  });

  it('aligns titles whose letters take two columns', () => {
    const width = (text: string): number => text.length + (text.match(/[\u3000-\u9fff]/g) ?? []).length;
    const shown = start.lines.filter((line) => /\/assets\/photos\//.test(line) && line.startsWith('  '));
    const columns = shown.map((line) => width(line.slice(0, line.indexOf('http'))));
    expect(shown.some((line) => line.includes('京都'))).toBe(true);
    expect(new Set(columns).size).toBe(1);
  });

  it('says that its usual port is taken, and which one it took', async () => {
    expect(await start.waitForLine(/^Port 7071/)).toMatch(/^Port 7071 is in use, so the app takes \d+\.$/);
  });

  it('leaves what it writes readable by its owner only, also where that was there', async () => {
    const local = join(folder, '.local');
    expect(((await stat(local)).mode & 0o777).toString(8)).toBe('700');
    for (const name of ['start.env', 'start.json', 'start.secrets.json', 'no.settings.json'])
      expect(`${name} ${((await stat(join(local, name))).mode & 0o777).toString(8)}`).toBe(`${name} 600`);
  });

  it('says to a second one in its folder that one runs already, and where', async () => {
    const second = runNpm(folder, ['start']);
    expect(await second.ended).toBe(1);
    const { pid } = JSON.parse(await readFile(join(folder, '.local', 'start.json'), 'utf8')) as {
      pid: number;
    };
    const app = start.lines.find((line) => line.startsWith('App: '))?.slice('App: '.length);
    expect(second.lines).toHaveLength(1);
    expect(second.lines[0]).toContain(`runs in this folder already (process ${pid}, the app at ${app})`);
  });

  it('is what npm run try looks at', async () => {
    const doctor = runNpm(folder, ['run', 'try', '--', 'doctor'], { SOURCES: 'foreign' });
    expect(await doctor.ended).toBe(0);
    expect(doctor.lines.join('\n')).toMatch(/3 sources: archive, photos, scans/);
  });

  it('shows commands as they are typed there', async () => {
    const shown = runNpm(folder, ['run', 'try', '--', 'pywebhooks', 'account', 'create']);
    expect(await shown.ended).toBe(1);
    const [, words = ''] =
      /"npm run try -- (pywebhooks account show[^"]*)"/.exec(shown.lines.join('\n')) ?? [];
    expect(await runNpm(folder, ['run', 'try', '--', ...words.split(' ')]).ended).toBe(0);
    const help = runNpm(folder, ['run', 'try', '--', 'events', 'list', '--help']);
    await help.ended;
    expect(help.lines[0]).toBe('Usage: npm run try -- events list [options]');
  });

  it('ends quietly where its reader has seen enough', async () => {
    const list = 'npm run --silent try -- events list --limit 200 --json | head -1';
    const child = spawn('sh', ['-c', list], { cwd: folder });
    const said = await textOf(child.stderr);
    expect(said).toBe('');
  });

  it.each([
    ['photo', 'upload', 'Did you mean photos?'],
    ['photos', 'uplod', 'Did you mean upload?'],
  ])('names what is nearest to a wish that nobody knows: %s %s', async (source, what, nearest) => {
    const wished = runNpm(folder, ['run', 'try', '--', 'simulate', source, what]);
    expect(await wished.ended).toBe(2);
    expect(wished.lines.join('\n')).toContain(nearest);
  });

  it('keeps its storage apart from that of npm run storage', async () => {
    await stat(join(folder, '.local', 'azurite'));
    await expect(stat(join(folder, '.azurite'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['archive', 'ingest', /^ {2}done[ ,]/],
    ['archive', 'move', /^ {2}done[ ,]/],
    ['archive', 'send-twice', /^ {2}done, came 2 times /],
    ['archive', 'fail', /^ {2}failed, no-permission /],
    ['photos', 'upload', /^ {2}done[ ,]/],
    ['photos', 'edit', /^ {2}done[ ,]/],
    ['photos', 'delete', /^ {2}done, deleted /],
    ['photos', 'preview', /^ {2}done[ ,]/],
    ['photos', 'send-twice', /^ {2}done, came 2 times /],
    ['photos', 'fail', /^ {2}waiting, not-visible /],
    ['scans', 'finish', /^ {2}done[ ,]/],
    ['scans', 'update', /^ {2}done[ ,]/],
    ['scans', 'send-twice', /^ {2}done[ ,]/],
    ['scans', 'fail', /^ {2}failed, unreadable /],
  ])('lets more happen: %s %s', async (source, what, outcome) => {
    const tried = runNpm(folder, ['run', 'try', '--', 'simulate', source, what]);
    expect(await tried.ended, tried.lines.join('\n')).toBe(0);
    expect(tried.lines[0]).toMatch(new RegExp(`^${source}: `));
    for (const line of tried.lines.slice(1)) expect(line).toMatch(outcome);
    expect(tried.lines.length).toBeGreaterThan(1);
  });

  it('takes wishes from nobody without its token', async () => {
    const { url } = JSON.parse(await readFile(join(folder, '.local', 'start.json'), 'utf8')) as {
      url: string;
    };
    for (const authorization of ['', 'Bearer x']) {
      const headers = { authorization, 'content-type': 'text/plain' };
      const body = '{"system":"photos","what":"upload"}';
      expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(403);
    }
  });

  it('ends with all that it started when npm is told to end', async () => {
    expect(await start.processes()).toBeGreaterThan(2);
    start.child.kill('SIGTERM');
    await start.ended;
    await until(async () => (await start.processes()) === 0);
    await expect(stat(join(folder, '.local', 'start.json'))).rejects.toThrow('ENOENT');
    const doctor = runNpm(folder, ['run', 'try', '--', 'doctor']);
    expect(await doctor.ended).toBe(1);
    expect(doctor.lines).toEqual(['No "npm start" runs in this folder. Start one, then try again.']);
  });
});

it('npm run storage says that its port is taken', async () => {
  const taken = createServer().listen(10_000, '127.0.0.1').unref();
  await new Promise((resolve) => taken.once('listening', resolve).once('error', resolve));
  const storage = runNpm(await makeClone(), ['run', 'storage']);
  expect(await storage.ended).toBe(1);
  expect(storage.lines).toEqual([
    'Port 10000 is in use: most likely storage runs here already. Use that one, or end it first.',
  ]);
  taken.close();
});

describe('npm start that does not come far', () => {
  it('ends with all that it started when it is told to end while it starts', async () => {
    const start = runNpm(await makeClone(), ['start']);
    await start.waitForLine(/^Storage: /);
    start.child.kill('SIGTERM');
    await start.ended;
    await until(async () => (await start.processes()) === 0);
    expect(start.lines.join('\n')).not.toMatch(/^ {4}at /m);
  });

  it('leaves no app and no storage behind when it is killed, and nothing that keeps the next one out', async () => {
    const folder = await makeClone();
    const start = runNpm(folder, ['start']);
    await start.waitForLine(/^App: /);
    const file = join(folder, '.local', 'start.json');
    const { pid } = JSON.parse(await readFile(file, 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await until(async () => (await start.processes()) === 0);
    const next = runNpm(folder, ['start']);
    await next.waitForLine(/^Storage: /);
    next.child.kill('SIGTERM');
    await next.ended;
  });

  it('says in a sentence what is wrong, and ends with 1', async () => {
    const folder = await makeClone();
    await writeFile(join(folder, 'src', 'index.ts'), 'this is no TypeScript');
    const start = runNpm(folder, ['start']);
    expect(await start.ended).toBe(1);
    expect(start.lines.at(-1)).toBe('The app could not be built; what is wrong with it stands above.');
    expect(start.lines.join('\n')).not.toMatch(/^ {4}at /m);
  });

  it('shows what the app says where its settings are faulty', async () => {
    const folder = await makeClone();
    const config = join(folder, 'src', 'local', 'start', 'systems.ts');
    const code = await readFile(config, 'utf8');
    await writeFile(config, code.replaceAll('SOURCE_SCANS_LINK_POINTER', 'SOURCE_SCANS_LINK_POINTED'));
    const start = runNpm(folder, ['start']);
    expect(await start.ended).toBe(1);
    expect(start.lines.join('\n')).toContain('SOURCE_SCANS_LINK_POINTED: no such setting');
    expect(start.lines.at(-1)).toBe(
      'The app ended by itself (exit code 1); what it said about that stands above.',
    );
    expect(start.lines.join('\n')).not.toMatch(/^ {4}at /m);
  });
});
