import type { Command } from 'commander';
import { knownEvents, type CallerPart } from '../../sources/woodwing/manage/webhooks.ts';
import { checkAddress } from '../address-to-call.ts';
import { UsageError } from '../faults.ts';
import { addAnyway, mustBeKnown, type Anyway } from '../known-names.ts';
import { note } from '../terminal.ts';

/** What a webhook tells of, as the options give it. */
export interface Filters extends Anyway {
  readonly name?: string;
  readonly url?: string;
  readonly event?: string;
  readonly metadata?: string;
  readonly triggerMetadata?: string;
  readonly folder?: readonly string[];
  readonly query?: string;
}

/** The options of `create` and `update`; `defaults` says what counts where one is left out. */
export function addFilters(
  command: Command,
  defaults: {
    readonly name: string;
    readonly url: string;
    readonly event: string;
    readonly metadata: string;
  },
): Command {
  return addAnyway(command)
    .option('--name <name>', `what it is called in the management console${defaults.name}`)
    .option('--url <address>', `the address to call${defaults.url}`)
    .option('--event <names>', `what to be told of, comma separated${defaults.event}`)
    .option('--metadata <fields>', `metadata fields that come with every event${defaults.metadata}`)
    .option(
      '--trigger-metadata <fields>',
      'only where one of these fields changed; without previewState among them a picture that is made late comes late',
    )
    .option(
      '--folder <path>',
      'only on assets in this folder; may be given more than once',
      (path: string, before: readonly string[] | undefined) => [...(before ?? []), path],
    )
    .option('--query <text>', 'only on assets that this query of Assets finds');
}

/** What the options say of a webhook; where they leave one out, that is not in it. Throws a UsageError. */
export function callerPart(filters: Filters): CallerPart {
  const { name, url, event, metadata, triggerMetadata, folder, query } = filters;
  if (name?.trim() === '') throw new UsageError('--name must not be empty.');
  if (url !== undefined) checkAddress(url);
  const eventTypes = listOf('--event', event, /^[A-Za-z][A-Za-z0-9_]{0,99}$/);
  if (eventTypes?.length === 0) throw new UsageError('--event must name at least one event.');
  const metadataToReturn = listOf('--metadata', metadata, fieldName);
  const triggerMetadataFields = listOf('--trigger-metadata', triggerMetadata, fieldName);
  const folders = folder?.filter((path) => path !== '');
  return {
    ...(name === undefined ? {} : { name }),
    ...(url === undefined ? {} : { url }),
    ...(eventTypes === undefined ? {} : { eventTypes }),
    ...(metadataToReturn === undefined ? {} : { metadataToReturn }),
    ...(triggerMetadataFields === undefined ? {} : { triggerMetadataFields }),
    ...(folders === undefined && query === undefined
      ? {}
      : {
          foldersAndQuery: {
            ...(folders === undefined ? {} : { folders }),
            ...(query === undefined ? {} : { query: query.trim() }),
          },
        }),
  };
}

/** Refuses events that nobody knows, and says what else may be a mistake. Throws a UsageError. */
export function checkFilters({ eventTypes = [], foldersAndQuery }: CallerPart, anyway: Anyway): void {
  mustBeKnown('event', { names: eventTypes, known: knownEvents }, anyway);
  if (/[*?]/.test(foldersAndQuery?.query ?? ''))
    note('Warning: servers may not support wildcards in the query of a webhook; see whether events come.');
}

const fieldName = /^[A-Za-z0-9_.-]{1,128}$/;

/** Names, comma separated, each once; an empty text is an empty list. */
function listOf(option: string, given: string | undefined, pattern: RegExp): string[] | undefined {
  if (given === undefined) return undefined;
  if (given.trim() === '') return [];
  const names = [...new Set(given.split(',').map((name) => name.trim()))];
  if (names.every((name) => pattern.test(name))) return names;
  throw new UsageError(`${option} must be names, comma separated.`);
}
