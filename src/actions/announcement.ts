import type { Identifier } from '../pipeline/model/event.ts';
import type { AssetFile, AssetRecord } from '../pipeline/model/record.ts';
import { sanitizeLines, sanitizeText } from '../pipeline/model/sanitize-text.ts';
import type { Occasion } from '../pipeline/ports/action.ts';

/** What people are told of an asset, whatever shows it: plain text that is bounded and holds no control characters. */
export interface Announcement {
  /** What happened, and where. */
  readonly heading: string;
  readonly title: string;
  readonly description: string | undefined;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  /** Where people look at it; https only. */
  readonly page: string | undefined;
}

const mostFiles = 10;
const mostIdentifiers = 10;
const longestAddress = 1_500;

export function announcementOf(record: AssetRecord, { event }: Occasion): Announcement {
  const { title, assetId, description, identifiers = [], files = [], fileCount, links } = record;
  const what = record.deleted ? 'Deleted' : event.type;
  const more = Math.max(fileCount ?? 0, files.length) - mostFiles;
  return {
    heading: line(`${record.source}: ${what}`, 100),
    title: line(title ?? assetId, 200),
    description:
      description == null || description === '' ? undefined : shortened(sanitizeLines, description, 1_000),
    facts: [
      ...files.slice(0, mostFiles).map(factOfFile),
      ...(more > 0 ? [{ name: 'Files', value: `and ${more} more` }] : []),
      ...identifiers.slice(0, mostIdentifiers).map(factOfIdentifier),
    ],
    page: httpsAddress(links.page),
  };
}

function factOfFile({ name, sizeBytes }: AssetFile): Announcement['facts'][number] {
  const size = sizeBytes === null ? '' : ` (${lengthInWords(sizeBytes)})`;
  return { name: 'File', value: `${line(name, 150)}${size}` };
}

function factOfIdentifier({ type, value }: Identifier): Announcement['facts'][number] {
  return { name: line(type, 60), value: line(value, 150) };
}

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** `1.0 MB, 1,048,576 bytes`. */
export function lengthInWords(bytes: number): string {
  const exact = `${bytes.toLocaleString('en')} ${bytes === 1 ? 'byte' : 'bytes'}`;
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return power === 0 ? exact : `${(bytes / 1000 ** power).toFixed(1)} ${units[power]}, ${exact}`;
}

function line(text: string, most: number): string {
  return shortened(sanitizeText, text.replaceAll(/\s+/g, ' ').trim(), most);
}

function shortened(clean: (text: string, most: number) => string, text: string, most: number): string {
  return text.length <= most ? clean(text, most) : `${clean(text, most - 1)}…`;
}

function httpsAddress(text: string | undefined): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const { protocol, href } = new URL(text);
  return protocol === 'https:' && href.length <= longestAddress ? href : undefined;
}
