import type { Command } from 'commander';
import type { SourceConfig } from '../../pipeline/ports/source-config.ts';
import { UpstreamError } from '../../pipeline/ports/errors.ts';
import { subscriptionsOf } from '../../sources/preservica/manage/of-source.ts';
import {
  knownTriggers,
  subscriptionId,
  type PreservicaSubscription,
  type PreservicaSubscriptions,
} from '../../sources/preservica/manage/subscriptions.ts';
import { tryHandshake } from '../../sources/preservica/manage/try-handshake.ts';
import { addressToCall } from '../address-to-call.ts';
import { answering, table, type Answer } from '../answer.ts';
import { addYes, mustBeMeant, type Deleting } from '../deleting.ts';
import { RefusedError, sentenceOf, UsageError } from '../faults.ts';
import { addAnyway, mustBeKnown, type Anyway } from '../known-names.ts';
import { addManagerOptions, asManager, type ManagerOptions } from '../manager.ts';
import { manageDeps, webhookUrl, type Setup } from '../setup.ts';
import { samePlace } from '../../sources/same-place.ts';
import { typed } from '../typed.ts';
import { wholeId } from '../whole-id.ts';
import { endProgress, lineFromInput, note, progress } from '../terminal.ts';

/** `preservica subscriptions …`: the webhook subscriptions of a Preservica tenant. */
export function addPreservica(program: Command): void {
  const group = addManagerOptions(
    program.command('preservica').description('Manage subscriptions in Preservica'),
    'be a manager',
  );
  const subscriptions = group
    .command('subscriptions')
    .description('Manage what Preservica tells the app, and others');
  const account = (): ManagerOptions => group.opts<ManagerOptions>();

  subscriptions
    .command('list')
    .description('List every subscription of the tenant')
    .action(answering(async () => await list(await commandContext(account()))));
  addAnyway(
    subscriptions
      .command('create')
      .description('Subscribe the app; Preservica calls it at once and must get the right answer'),
  )
    .requiredOption('--trigger <names>', `what to be told of, comma separated: ${knownTriggers.join(', ')}`)
    .option('--url <address>', "the address to call; this source's address under PUBLIC_URL if left out")
    .option(
      '--secret-stdin',
      'read the webhook secret from standard input (after the password, if that is read too)',
    )
    .action(answering(async (options: Creating) => await create(options, await commandContext(account()))));
  subscriptions
    .command('renew')
    .description('Create subscriptions anew with the present secret, then delete the old ones')
    .argument(
      '[ids...]',
      "their ids, or as much of each as no other begins with; all that call this source's address under PUBLIC_URL if left out",
    )
    .option('--secret-stdin', 'read the webhook secret from standard input')
    .action(
      answering(
        async (ids: string[], options: { secretStdin?: true }) =>
          await renew(ids, options, await commandContext(account())),
      ),
    );
  addYes(subscriptions.command('delete').description('End subscriptions'))
    .argument('[ids...]', 'their ids, or as much of each as no other begins with')
    .option('--all', "all that call this source's address under PUBLIC_URL, and no other")
    .action(
      answering(async (ids: string[], options: Deleting & { all?: true }) =>
        options.all === true
          ? await removeAll(ids, options, account())
          : await remove(ids, options, account()),
      ),
    );
}

interface Creating extends Anyway {
  readonly trigger: string;
  readonly url?: string;
  readonly secretStdin?: true;
}

interface CommandContext {
  readonly setup: Setup;
  readonly source: SourceConfig;
  readonly subscriptions: PreservicaSubscriptions;
}

async function commandContext(account: ManagerOptions): Promise<CommandContext> {
  const { setup, source, password } = await asManager('preservica', account);
  return { setup, source, subscriptions: subscriptionsOf({ ...manageDeps(setup, source), password }) };
}

async function list({ setup, source, subscriptions }: CommandContext): Promise<Answer> {
  const found = await subscriptions.list();
  const own = webhookUrl(setup, source);
  const shown = found.map((subscription) => ({
    ...subscription,
    thisApp: own === undefined ? null : samePlace(subscription.url ?? '', own),
  }));
  const rows = shown.map(({ id, triggerType, url, thisApp }) => [
    id,
    triggerType ?? '–',
    thisApp === null ? '?' : thisApp ? 'yes' : 'no',
    url ?? '–',
  ]);
  const text = table(['id', 'trigger', 'this app', 'url'], rows, 'There are no subscriptions.');
  return { json: { subscriptions: shown }, text };
}

async function create(
  { trigger, url, secretStdin, anyway }: Creating,
  { setup, source, subscriptions }: CommandContext,
): Promise<Answer> {
  const triggers = [...new Set(trigger.split(',').map((name) => name.trim()))];
  const impossible = triggers.find((name) => !/^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(name));
  if (impossible !== undefined) throw new UsageError('--trigger must be names, comma separated.');
  mustBeKnown('trigger', { names: triggers, known: knownTriggers }, { anyway });
  const address = addressToCall(url, setup, source);
  const secret = await presentSecret(secretStdin, setup, source);
  const before = await subscriptions.list();
  const { created, failed } = await createEach(
    triggers,
    { address, secret, source: source.name },
    subscriptions,
  );
  endProgress();
  const notMade = new Set(failed.map(({ triggerType }) => triggerType));
  for (const { id } of before.filter(
    ({ url: at = '', triggerType = '' }) =>
      samePlace(at, address) && triggers.includes(triggerType) && !notMade.has(triggerType),
  ))
    note(
      `Note: ${id} already brought the same to this address. Until it is deleted, everything comes twice.`,
    );
  const text = [
    ...created.map(({ id, triggerType }) => `Subscribed to ${triggerType ?? 'it'}: ${id}`),
    ...failed.map(({ triggerType, why }) => `Not subscribed to ${triggerType}. ${why}`),
  ].join('\n');
  return { json: { created, failed }, text, exitCode: failed.length === 0 ? 0 : 1 };
}

async function presentSecret(
  secretStdin: true | undefined,
  setup: Setup,
  source: SourceConfig,
): Promise<string> {
  const secret =
    secretStdin === undefined
      ? (await setup.secrets.webhookSecrets(source.name))?.[0]
      : await lineFromInput('The webhook secret');
  if (secret !== undefined) return secret;
  throw new UsageError(
    `There is no webhook secret for ${source.name}: set it in the vault or the settings, or give it with --secret-stdin.`,
  );
}

/** Nobody sees with which secret a subscription signs, and none can be changed: so another takes its place. */
async function renew(
  ids: readonly string[],
  { secretStdin }: { secretStdin?: true },
  { setup, source, subscriptions }: CommandContext,
): Promise<Answer> {
  const address = addressToCall(undefined, setup, source);
  const all = await subscriptions.list();
  const known = all.map(({ id }) => id);
  const old = toRenew(
    ids.map((id) => wholeId(id, known)),
    all,
    address,
  );
  if (old.length === 0)
    return {
      json: { created: [], failed: [], deleted: [], standing: [] },
      text: `No subscription calls ${address}.`,
    };
  const secret = await presentSecret(secretStdin, setup, source);
  // Two of one trigger are replaced by one.
  const triggers = [...new Set(old.map(({ triggerType }) => triggerType))];
  const { created, failed } = await createEach(
    triggers,
    { address, secret, source: source.name },
    subscriptions,
  );
  const deleted: string[] = [];
  const standing: { id: string; why: string }[] = [];
  for (const { id, triggerType } of old) {
    const successor = created.find((each) => each.triggerType === triggerType);
    if (successor === undefined) continue;
    progress(`Deleting ${id} …`);
    try {
      // One that is gone by now is what was wanted.
      await subscriptions.remove(id);
      deleted.push(id);
    } catch (error) {
      const todo = typed('preservica subscriptions delete', source.name, [id]);
      const why = `${id} and ${successor.id} both bring ${triggerType} now, for the old one could not be deleted. ${sentenceOf(error)} Delete it: ${todo}`;
      standing.push({ id, why });
    }
  }
  endProgress();
  const text = [
    ...created.map(({ id, triggerType }) => `Subscribed to ${triggerType ?? 'it'} anew: ${id}`),
    ...deleted.map((id) => `Deleted ${id}`),
    ...standing.map(({ why }) => why),
    ...failed.map(
      ({ triggerType, why }) => `${triggerType} was not renewed, and its old subscription stands. ${why}`,
    ),
  ].join('\n');
  const exitCode = failed.length + standing.length === 0 ? 0 : 1;
  return { json: { created, failed, deleted, standing }, text, exitCode };
}

/** Which ones are meant. Throws where one of them is not of this app, or says not what it brings. */
function toRenew(
  ids: readonly string[],
  all: readonly PreservicaSubscription[],
  address: string,
): { id: string; triggerType: string }[] {
  const ours = all.filter(({ url }) => samePlace(url ?? '', address));
  const unknown = ids.find((id) => !all.some((each) => each.id === id));
  if (unknown !== undefined)
    throw new RefusedError(`Preservica knows no subscription ${unknown}. Nothing was changed.`);
  const foreign = all.find(({ id }) => ids.includes(id) && !ours.some((each) => each.id === id));
  if (foreign !== undefined) {
    throw new RefusedError(
      `${foreign.id} calls ${foreign.url ?? 'an address that Preservica does not show'}, and this app is at ${address}. Nothing was changed.`,
    );
  }
  return ours
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .map(({ id, triggerType }) => {
      if (triggerType !== undefined) return { id, triggerType };
      throw new RefusedError(`Preservica does not say what ${id} brings. Nothing was changed.`);
    });
}

interface Created {
  readonly created: PreservicaSubscription[];
  readonly failed: { triggerType: string; why: string }[];
}

async function createEach(
  triggers: readonly string[],
  { address, secret, source }: { address: string; secret: string; source: string },
  subscriptions: PreservicaSubscriptions,
): Promise<Created> {
  const created: Created['created'] = [];
  const failed: Created['failed'] = [];
  for (const [index, triggerType] of triggers.entries()) {
    progress(`Subscribing ${index + 1} of ${triggers.length}: ${triggerType} …`);
    try {
      const outcome = await subscriptions.create({ url: address, triggerType, secret });
      if (outcome.kind === 'subscribed') created.push({ triggerType, ...outcome.subscription });
      else failed.push({ triggerType, why: await whyRefused(outcome, address, secret) });
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      failed.push({ triggerType, why: whyBroken(error, source) });
      // It would be no other with the next one; what was created before is said all the same.
      const rest = triggers.slice(index + 1);
      failed.push(...rest.map((each) => ({ triggerType: each, why: 'Not asked for after that.' })));
      break;
    }
  }
  return { created, failed };
}

async function whyRefused(
  { status, said }: { status: number; said: string },
  address: string,
  secret: string,
): Promise<string> {
  const answered = `Preservica answered ${status}${said === '' ? '' : ` (${said})`}.`;
  const fault = await tryHandshake(address, secret);
  if (fault !== undefined) return `${answered} ${fault.text}`;
  return `${answered} Seen from here the app answers the handshake rightly, so either Preservica cannot reach ${address} (it must be open to the internet), or it refuses something else about this subscription.`;
}

function whyBroken({ code, message }: UpstreamError, source: string): string {
  return code === 'UPSTREAM_STATUS' || code === 'UPSTREAM_LOGIN_REFUSED'
    ? message
    : `${message} It may have been created all the same: "${typed('preservica subscriptions list', source)}" shows it.`;
}

async function remove(ids: readonly string[], deleting: Deleting, account: ManagerOptions): Promise<Answer> {
  if (ids.length === 0) throw new UsageError('Which subscriptions? Give their ids, or --all.');
  if (!ids.every((id) => subscriptionId.test(id))) throw new UsageError('That is no id of a subscription.');
  const asked = await commandContext(account);
  const all = await asked.subscriptions.list();
  const known = all.map(({ id }) => id);
  const meant = new Set(ids.map((id) => wholeId(id, known)));
  const shown = all.filter(({ id }) => meant.has(id));
  if (shown.length > 0) await showAndAsk(shown, deleting);
  return await removeEach([...meant], asked);
}

async function showAndAsk(
  subscriptions: readonly PreservicaSubscription[],
  deleting: Deleting,
): Promise<void> {
  const rows = subscriptions.map(({ id, triggerType, url }) => [id, triggerType ?? '–', url ?? '–']);
  note(table(['id', 'trigger', 'url'], rows));
  await mustBeMeant(rows.length === 1 ? 'Delete it?' : `Delete these ${rows.length}?`, deleting);
}

async function removeAll(
  ids: readonly string[],
  deleting: Deleting,
  account: ManagerOptions,
): Promise<Answer> {
  if (ids.length > 0) throw new UsageError('Give ids or --all, not both.');
  const asked = await commandContext(account);
  const own = webhookUrl(asked.setup, asked.source);
  if (own === undefined)
    throw new UsageError('Without PUBLIC_URL nothing says which subscriptions are of this app: give ids.');
  const all = await asked.subscriptions.list();
  const ours = all.filter(({ url }) => samePlace(url ?? '', own));
  if (ours.length === 0) return { json: { deleted: [], unknown: [] }, text: `No subscription calls ${own}.` };
  await showAndAsk(ours, deleting);
  return await removeEach(
    ours.map(({ id }) => id),
    asked,
  );
}

async function removeEach(ids: readonly string[], { subscriptions }: CommandContext): Promise<Answer> {
  const deleted: string[] = [];
  const unknown: string[] = [];
  for (const [index, id] of ids.entries()) {
    progress(`Deleting ${index + 1} of ${ids.length} …`);
    try {
      ((await subscriptions.remove(id)) ? deleted : unknown).push(id);
    } catch (error) {
      if (error instanceof UpstreamError && deleted.length > 0)
        note(`Deleted before that: ${deleted.join(', ')}`);
      throw error;
    }
  }
  endProgress();
  const text = [
    ...deleted.map((id) => `Deleted ${id}`),
    ...unknown.map((id) => `Preservica knows no subscription ${id}`),
  ].join('\n');
  return { json: { deleted, unknown }, text, exitCode: unknown.length === 0 ? 0 : 1 };
}
