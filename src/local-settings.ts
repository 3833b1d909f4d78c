import { readFile } from 'node:fs/promises';
import { isObject, jsonObject } from './json-object.ts';
import { hasCode } from './system-error.ts';

/** The `Values` of a `local.settings.json`; none where there is no such file. */
export async function localSettings(path: string): Promise<Record<string, string>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (text === undefined) return {};
  const values = jsonObject(text.replace(/^\uFEFF/, ''))?.['Values'];
  if (!isObject(values)) throw new Error('local.settings.json: must be JSON with an object named Values');
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}
