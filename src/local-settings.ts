import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse, type ParseError } from 'jsonc-parser';
import * as z from 'zod';
import { hasCode } from './pipeline/ports/errors.ts';

const inThisFolder = join(import.meta.dirname, '..', 'local.settings.json');

const Settings = z.object({
  Values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)),
});

export interface LocalSettings {
  readonly path: string;
  readonly values: Readonly<Record<string, string>>;
  /** For people: where settings come from here. */
  readonly where: string;
}

/** The `Values` of the file that `LOCAL_SETTINGS_FILE` names, which must be there, or of `local.settings.json`, which may be missing. */
export async function localSettings(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LocalSettings> {
  const named = environment['LOCAL_SETTINGS_FILE'] || undefined;
  const path = resolve(named ?? inThisFolder);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const missing = hasCode(error, 'ENOENT');
    if (missing && named === undefined) return undefined;
    throw new Error(
      missing ? `LOCAL_SETTINGS_FILE: there is no file ${path}` : `${path}: the file cannot be read`,
      { cause: error },
    );
  });
  if (text === undefined) {
    const where = `Settings come from the environment; there is no ${path}. To begin with one: cp local.settings.json.example local.settings.json`;
    return { path, values: {}, where };
  }
  return {
    path,
    values: valuesOf(text, path),
    where: `Settings come from the environment and from ${path}.`,
  };
}

/** Comments and commas at an end are allowed, as the platform's own tools do. */
function valuesOf(text: string, path: string): Record<string, string> {
  const errors: ParseError[] = [];
  const json: unknown = parse(text.replace(/^\uFEFF/, ''), errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined) {
    const line = text.slice(0, first.offset).split('\n').length;
    throw new Error(`${path}: line ${line} is no JSON`);
  }
  const settings = Settings.safeParse(json);
  if (settings.success) return settings.data.Values;
  const names = settings.error.issues.map((issue) => issue.path[1]).filter((name) => name !== undefined);
  throw new Error(
    names.length === 0
      ? `${path}: must be JSON with an object named Values`
      : `${path}: ${names.join(', ')} must be texts`,
  );
}
