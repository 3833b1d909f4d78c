import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { readPicture } from '../pipeline/process/picture.ts';
import type { AssetRecord, Thumbnail } from '../pipeline/model/record.ts';
import { answering, fields, table, type Answer } from './answer.ts';
import { RefusedError, UsageError } from './faults.ts';
import { suggestion } from '../sources/suggestion.ts';
import { indented } from './indented.ts';
import { runningApp, type RunningApp } from './running-app.ts';
import { saveFile } from './save-file.ts';
import { readSetup } from './setup.ts';
import { wholeTime, zone } from './times.ts';

interface Saving {
  readonly saveThumbnail?: string;
  readonly yes?: true;
}

/** `assets show`: what the running app keeps about an asset. */
export function addAssets(program: Command): void {
  program
    .command('assets')
    .description('Show what the app keeps about assets')
    .command('show')
    .description('Show the record of one asset')
    .argument('<source>', 'the source that it is in')
    .argument('<id>', 'its id, or as much of it as no other begins with')
    .option('--save-thumbnail <file>', 'save its picture')
    .option('--yes', 'write over a file that is there, without asking')
    .action(answering(async (source: string, id: string, saving: Saving) => await show(source, id, saving)));
}

async function show(
  source: string,
  given: string,
  { saveThumbnail: file, ...saving }: Saving,
): Promise<Answer> {
  const setup = await readSetup();
  const app = runningApp(setup);
  const record = await app.asset(source, given).catch((error: unknown) => {
    const names = [...setup.config.sources.keys()];
    if (!(error instanceof RefusedError) || names.includes(source)) throw error;
    throw new UsageError(`${error.message}${suggestion(source, names)}`);
  });
  if (file === undefined) return { json: record, text: told(record) };
  const { bytes, thumbnail } = await pictureOf(record, app);
  await saveFile(file, bytes, saving);
  const { contentType, width, height } = thumbnail;
  const text = `${told(record)}\n\nSaved ${file}: ${contentType}, ${width} × ${height}.`;
  return { json: { ...record, savedThumbnail: file }, text };
}

async function pictureOf(
  { source, assetId, thumbnail }: AssetRecord,
  app: RunningApp,
): Promise<{ bytes: Uint8Array; thumbnail: Thumbnail }> {
  if (thumbnail === null) throw new RefusedError('There is no picture of this asset.');
  const bytes = await app.thumbnail(source, assetId);
  if (bytes === undefined) throw new RefusedError('There is no picture of this asset any more.');
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== thumbnail.sha256 || readPicture(bytes)?.contentType !== thumbnail.contentType) {
    throw new RefusedError(
      'What the app sent is not the picture that the record names, so nothing was saved. If the asset changed just now, try again.',
    );
  }
  return { bytes, thumbnail };
}

function told(record: AssetRecord): string {
  const { thumbnail, files = [], fileCount = files.length, identifiers = [] } = record;
  const pairs: [string, string | null | undefined][] = [
    ['source', record.source],
    ['id', record.assetId],
    ['kind', record.kind],
    ['title', record.title ?? '–'],
    ['description', record.description],
    ['deleted', record.deleted ? 'yes: these are the last known details' : 'no'],
    ['parent', record.parentId],
    ['security tag', record.securityTag],
    ['page', record.links.page],
    ['identifiers', identifiers.map(({ type, value }) => `${type}: ${value}`).join('\n')],
    [
      'picture',
      thumbnail === null
        ? record.thumbnailState
        : `${thumbnail.contentType}, ${thumbnail.width} × ${thumbnail.height}, ${thumbnail.sizeBytes} bytes`,
    ],
    ['files', record.files === undefined ? undefined : String(fileCount)],
    ['fetched', `${wholeTime(record.fetchedAt)} (${zone()})`],
  ];
  const shown = pairs.flatMap(([name, value]) =>
    value === undefined || value === null || value === '' ? [] : [[name, value] as const],
  );
  const rows = files.map(({ name, representation, sizeBytes, fixity }) => [
    name,
    representation ?? '–',
    sizeBytes === null ? '–' : String(sizeBytes),
    fixity.map(({ algorithm, value }) => `${algorithm} ${value}`).join(', '),
  ]);
  return [
    fields(shown),
    ...(rows.length === 0 ? [] : [`\n${table(['file', 'representation', 'bytes', 'checksum'], rows)}`]),
    ...(Object.keys(record.details).length === 0
      ? []
      : [`\nWhat else the source tells:\n${indented(record.details, 1)}`]),
  ].join('\n');
}
