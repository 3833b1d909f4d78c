import { readFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ensureBuilt } from '../../src/local/build.ts';

const root = join(import.meta.dirname, '..', '..');

// The platform's host checks no settings: here the bundle meets them alone.
const program = `
  import { startHost } from ${JSON.stringify(join(root, 'src', 'local', 'host', 'host.ts'))};
  const [bundle, hostJson] = process.argv.slice(1);
  const host = await startHost({ bundle, environment: process.env, port: 0, hostJson: JSON.parse(hostJson) });
  console.log('Listening on ' + host.url);
`;

it('an app with faulty settings loads all the same: every door is there, and says 503', async () => {
  const hostJson = await readFile(join(root, 'host.json'), 'utf8');
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', program, '--', await ensureBuilt(), hostJson],
    {
      env: { PATH: process.env['PATH'] ?? '', SOURCES: 'archive', SOURCE_ARCHIVE_SECRET: 'tell nobody' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  try {
    const lines: string[] = [];
    createInterface(child.stderr).on('line', (line) => lines.push(line));
    const url = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).on('line', (line) => {
        lines.push(line);
        if (line.startsWith('Listening on ')) resolve(line.slice('Listening on '.length));
      });
      child.once('exit', () => reject(new Error(lines.join('\n'))));
    });
    const get = async (path: string, method = 'GET') => (await fetch(url + path, { method })).status;
    expect(await get('/health')).toBe(200);
    expect(await get('/webhooks/archive', 'POST')).toBe(503);
    expect(await get('/webhooks/archive?challengeCode=abc', 'POST')).toBe(503);
    for (const path of ['/events', '/events/x', '/assets/archive/x', '/assets/archive/x/thumbnail'])
      expect(await get(path)).toBe(503);
    const faults = lines.filter((line) => line.includes('settings-faulty'));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/AzureWebJobsStorage.*SOURCE_ARCHIVE_KIND.*SOURCE_ARCHIVE_URL/s);
    expect(lines.join('\n')).not.toContain('tell nobody');
  } finally {
    child.kill('SIGKILL');
  }
});
