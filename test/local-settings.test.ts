import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localSettings } from '../src/local-settings.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-settings-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function reading(text: string) {
  const path = join(folder, 'local.settings.json');
  await writeFile(path, text);
  return await localSettings({ LOCAL_SETTINGS_FILE: path });
}

describe('local.settings.json', () => {
  it('is a fault where it is named and missing', async () => {
    const path = join(folder, 'none.json');
    await expect(localSettings({ LOCAL_SETTINGS_FILE: path })).rejects.toThrow(
      `LOCAL_SETTINGS_FILE: there is no file ${path}`,
    );
  });

  it('gives its Values as texts, also after a byte order mark', async () => {
    const read = await reading('\uFEFF{"IsEncrypted":false,"Values":{"SOURCES":"archive","MAX_FILES":7}}');
    expect(read.values).toEqual({ SOURCES: 'archive', MAX_FILES: '7' });
    expect(read.where).toContain(read.path);
  });

  it('may hold comments and a comma at an end', async () => {
    const { values } = await reading(`{
      // Ours.
      "Values": {
        "SOURCES": "archive", /* one */
        "SOURCE_ARCHIVE_URL": "https://example.org", // not a comment: the two slashes before
      },
    }`);
    expect(values).toEqual({ SOURCES: 'archive', SOURCE_ARCHIVE_URL: 'https://example.org' });
  });

  it.each([
    ['', 'no JSON'],
    ['{\n"Values":', 'line 2 is no JSON'],
    ['{"values":{}}', 'must be JSON with an object named Values'],
    ['[]', 'must be JSON with an object named Values'],
    ['{"Values":"x"}', 'must be JSON with an object named Values'],
    ['{"Values":{"A":"x","SOURCES":["archive"],"B":null}}', 'SOURCES, B must be texts'],
  ])('is refused as %j, by its path', async (text, words) => {
    await expect(reading(text)).rejects.toThrow(words);
    await expect(reading(text)).rejects.toThrow(folder);
  });
});
