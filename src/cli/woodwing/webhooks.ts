import type { Command } from 'commander';
import { sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import { usualEvents } from '../../sources/woodwing/manage/usual-events.ts';
import {
  knownEvents,
  webhookId,
  type AssetsWebhook,
  type AssetsWebhooks,
} from '../../sources/woodwing/manage/webhooks.ts';
import { answering, type Answer } from '../answer.ts';
import { addYes, mustBeMeant, type Deleting } from '../deleting.ts';
import { RefusedError, UsageError } from '../faults.ts';
import { wholeId } from '../whole-id.ts';
import { addManagerOptions, type ManagerOptions } from '../manager.ts';
import { create } from './create.ts';
import { addFilters, callerPart, checkFilters, type Filters } from './filters.ts';
import { commandContext, type CommandContext } from './login.ts';
import { newToken } from './new-token.ts';
import { pageOf, shown, tableOf } from './shown.ts';

/** `woodwing webhooks …`: the webhooks of an Assets Server. */
export function addWoodwing(program: Command): void {
  const group = addManagerOptions(
    program.command('woodwing').description('Manage webhooks in WoodWing Assets'),
    'have the role Super user',
  );
  const webhooks = group
    .command('webhooks')
    .description('Manage what WoodWing Assets tells the app, and others');
  const asked = async (): Promise<CommandContext> => await commandContext(group.opts<ManagerOptions>());
  const onOne = (name: string, description: string): Command =>
    webhooks
      .command(name)
      .description(description)
      .argument('<id>', 'the id of the webhook, or as much of it as no other begins with');

  webhooks
    .command('list')
    .description('List every webhook of the server')
    .option('--show-secret', 'show the secret tokens as well')
    .action(answering(async (options: { showSecret?: true }) => await list(options, await asked())));
  onOne('get', 'Show one webhook')
    .option('--show-secret', 'show its secret token as well')
    .action(
      answering(async (id: string, options: { showSecret?: true }) => await get(id, options, await asked())),
    );
  addFilters(
    webhooks
      .command('create')
      .description('Register a webhook for the app, keep its token where the app finds it, and enable it'),
    {
      name: '; Asset Webhooks and the name of the source if left out',
      url: "; this source's address under PUBLIC_URL if left out",
      event: ` (${knownEvents.join(', ')}); what changes a record if left out: ${usualEvents.join(', ')}`,
      metadata: '; those that a record keeps if left out',
    },
  )
    .option('--show-secret', 'show its secret token')
    .action(
      answering(async (options: Filters & { showSecret?: true }) => await create(options, await asked())),
    );
  addFilters(onOne('update', 'Change what a webhook tells of; what is left out stays as it is'), {
    name: '',
    url: '',
    event: ` (${knownEvents.join(', ')})`,
    metadata: '; here and below, an empty text takes away what there is',
  }).action(answering(async (id: string, filters: Filters) => await update(id, filters, await asked())));
  onOne('new-token', 'Give a webhook of the app a new secret token and keep it; no call is lost meanwhile')
    .option('--show-secret', 'show the new token, for an app whose secrets cannot be set from here')
    .action(
      answering(
        async (id: string, options: { showSecret?: true }) => await newToken(id, options, await asked()),
      ),
    );
  onOne('enable', 'Let a webhook call again').action(
    answering(async (id: string) => await turn(id, { on: true }, await asked())),
  );
  onOne('disable', 'Let a webhook call no more; what happens meanwhile it does not tell').action(
    answering(async (id: string) => await turn(id, { on: false }, await asked())),
  );
  addYes(onOne('delete', 'Unregister a webhook')).action(
    answering(async (id: string, options: Deleting) => await remove(id, options, await asked())),
  );
}

async function list(
  { showSecret }: { showSecret?: true },
  { setup, source, webhooks }: CommandContext,
): Promise<Answer> {
  const all = (await webhooks.list()).map((webhook) => shown(webhook, { setup, source, showSecret }));
  return { json: { webhooks: all }, text: tableOf(all) };
}

async function get(
  given: string,
  { showSecret }: { showSecret?: true },
  { setup, source, webhooks }: CommandContext,
): Promise<Answer> {
  const id = await meant(given, webhooks);
  const webhook = shown(there(id, await webhooks.get(id)), { setup, source, showSecret });
  return { json: { webhook }, text: pageOf(webhook) };
}

async function update(
  given: string,
  filters: Filters,
  { setup, source, webhooks }: CommandContext,
): Promise<Answer> {
  const changes = callerPart(filters);
  if (Object.keys(changes).length === 0)
    throw new UsageError('What is to change? Give at least one of the options; --help names them.');
  checkFilters(changes, filters);
  const id = await meant(given, webhooks);
  const webhook = shown(there(id, await webhooks.update(id, changes)), { setup, source });
  return { json: { webhook }, text: `Updated ${id}\n\n${pageOf(webhook)}` };
}

async function turn(
  given: string,
  { on }: { on: boolean },
  { setup, source, webhooks }: CommandContext,
): Promise<Answer> {
  const id = await meant(given, webhooks);
  const webhook = there(id, await (on ? webhooks.enable(id) : webhooks.disable(id)));
  const word = on ? 'enabled' : 'disabled';
  if (webhook.enabled !== on)
    throw new RefusedError(`WoodWing Assets took it, and ${id} is not ${word} all the same.`);
  return { json: { webhook: shown(webhook, { setup, source }) }, text: `${id} is ${word}.` };
}

async function remove(given: string, deleting: Deleting, { webhooks }: CommandContext): Promise<Answer> {
  const id = await meant(given, webhooks);
  const { name, url } = there(id, await webhooks.get(id));
  const which = sanitizeText(`${id} "${name ?? ''}", which calls ${url}`, 500);
  await mustBeMeant(`Delete the webhook ${which}?`, deleting);
  if (!(await webhooks.unregister(id))) throw unknown(id);
  return { json: { deleted: id }, text: `Deleted ${id}` };
}

function checked(id: string): string {
  if (webhookId.test(id)) return id;
  throw new UsageError('That is no id of a webhook.');
}

/** The id that is meant by it or by its beginning. */
async function meant(given: string, webhooks: AssetsWebhooks): Promise<string> {
  const id = checked(given);
  if (/^[A-Za-z0-9_-]{22}$/.test(id)) return id;
  const all = await webhooks.list();
  return wholeId(
    id,
    all.map((webhook) => webhook.id),
  );
}

function there(id: string, webhook: AssetsWebhook | undefined): AssetsWebhook {
  if (webhook !== undefined) return webhook;
  throw unknown(id);
}

function unknown(id: string): RefusedError {
  return new RefusedError(`WoodWing Assets knows no webhook ${id}.`);
}
