import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What every process that a test starts gets beside its own settings. */
export const processEnv = {
  // What somebody has set for systems of their own has no place here.
  LOCAL_SETTINGS_FILE: join(import.meta.dirname, '..', 'fixtures', 'no.settings.json'),
  // Hundreds of processes read the same sources; what was compiled once need not be again.
  NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
};
