import { readConfig, type Config } from '../../src/config.ts';

/** Settings of one Preservica source on that storage. */
export function settingsFor(
  storage: string,
  given: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    AzureWebJobsStorage: storage,
    SOURCES: 'archive',
    SOURCE_ARCHIVE_KIND: 'preservica',
    SOURCE_ARCHIVE_URL: 'http://127.0.0.1:9',
    SOURCE_ARCHIVE_USERNAME: 'archivist@example.org',
    SOURCE_ARCHIVE_PASSWORD: 'open sesame',
    SOURCE_ARCHIVE_SECRET: 'my_shared_secret',
    ...given,
  };
}

export function configFor(storage: string, given: Readonly<Record<string, string>> = {}): Config {
  const read = readConfig(settingsFor(storage, given));
  if (!read.ok) throw new Error(read.faults.join('\n'));
  return read.config;
}
