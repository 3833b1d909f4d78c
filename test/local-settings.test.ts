import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localSettings } from '../../../src/local/host/local-settings.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-settings-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('local.settings.json', () => {
  it('may be missing', async () => {
    expect(await localSettings(join(folder, 'none.json'))).toEqual({});
  });

  it('gives its Values as texts, also after a byte order mark', async () => {
    const path = join(folder, 'good.json');
    await writeFile(path, '\uFEFF{"IsEncrypted":false,"Values":{"SOURCES":"archive","MAX_FILES":7}}');
    expect(await localSettings(path)).toEqual({ SOURCES: 'archive', MAX_FILES: '7' });
  });

  it.each(['', '{"Values":', '{"values":{}}', '[]', '{"Values":"x"}'])('is refused as %s', async (text) => {
    const path = join(folder, 'bad.json');
    await writeFile(path, text);
    await expect(localSettings(path)).rejects.toThrow('local.settings.json: must be');
  });
});
