import type { Command } from 'commander';
import { answering, table, type Answer } from '../answer.ts';
import type { PyWebhooks } from '../../sources/pywebhooks/manage/account.ts';
import { addYes, mustBeMeant, type Deleting } from '../deleting.ts';
import { RefusedError } from '../faults.ts';
import { shortTime, zoneLine } from '../times.ts';
import { wholeId } from '../whole-id.ts';
import { createAccount, showAccount, updateAccount } from './account.ts';
import { contextAsAccount, contextByName, type CommandContext, type Login } from './login.ts';
import { resetApiKey, resetSecret } from './reset.ts';
import { endProgress, note, progress } from '../terminal.ts';

/** `pywebhooks …`: the app's account at a PyWebhooks, and what it is subscribed to. */
export function addPyWebhooks(program: Command): void {
  const group = program
    .command('pywebhooks')
    .description('Manage the account of the app in PyWebhooks, and its subscriptions')
    .option('--source <name>', 'which source, where there are several of this kind')
    .option('--api-key-stdin', 'read the API key from standard input');
  const login = (): Login => group.opts<Login>();

  const account = group.command('account').description('Manage the account of the app');
  account
    .command('create')
    .description('Make the account; PyWebhooks calls the app at once and must get the right answer')
    .option('--username <name>', "its name; the source's setting if left out")
    .option('--url <address>', "the address to call; this source's address under PUBLIC_URL if left out")
    .option('--show-secret', 'print the keys as well, which are kept in any case')
    .action(
      answering(
        async (options: { username?: string; url?: string; showSecret?: true }) =>
          await createAccount(options, login()),
      ),
    );
  account
    .command('show')
    .description('Show the account, and how its deliveries do')
    .argument('[id]', 'its id; the one that was kept if left out')
    .option('--show-secret', 'print the webhook secret and the hash of the API key as well')
    .action(
      answering(
        async (id: string | undefined, options: { showSecret?: true }) =>
          await showAccount(id, options, await contextAsAccount(login())),
      ),
    );
  account
    .command('update')
    .description('Set the address that PyWebhooks calls, and let it send again where it gave up')
    .option('--url <address>', "the address to call; this source's address under PUBLIC_URL if left out")
    .option('--anyway', 'also where no right answer comes from there')
    .action(
      answering(
        async (options: { url?: string; anyway?: true }) =>
          await updateAccount(options, await contextAsAccount(login())),
      ),
    );
  group
    .command('reset-secret')
    .description('Let PyWebhooks send a new webhook secret to the running app')
    .action(answering(async () => await resetSecret(await contextAsAccount(login()))));
  group
    .command('reset-api-key')
    .description('Let PyWebhooks send a new API key to the running app; the old one need not be known')
    .action(answering(async () => await resetApiKey(await contextByName(login()))));
  group
    .command('registrations')
    .description('List what can be subscribed to')
    .action(answering(async () => await listRegistrations(await contextAsAccount(login()))));
  group
    .command('subscribe')
    .description('Subscribe the app to a registration')
    .argument('<id>', 'the id of the registration, or as much of it as no other begins with')
    .action(answering(async (id: string) => await subscribe(id, await contextAsAccount(login()))));
  group
    .command('subscriptions')
    .description('List what the app is subscribed to')
    .action(answering(async () => await listSubscriptions(await contextAsAccount(login()))));
  addYes(group.command('unsubscribe').description('End a subscription'))
    .argument('<id>', 'the id of the subscription, or as much of it as no other begins with')
    .action(
      answering(
        async (id: string, options: Deleting) =>
          await unsubscribe(id, options, await contextAsAccount(login())),
      ),
    );
}

async function listRegistrations({ service }: CommandContext): Promise<Answer> {
  const subscriptions = await service.subscriptions();
  const found = await service.registrations((count) => progress(`${count} registrations …`));
  endProgress();
  const subscribed = new Set(subscriptions.map(({ registrationId }) => registrationId));
  const registrations = found.map((each) => ({ ...each, subscribed: subscribed.has(each.id) }));
  const rows = registrations.map(({ id, event, subscribed: ours, description }) => [
    id,
    asText(event),
    ours ? 'yes' : 'no',
    asText(description),
  ]);
  const text = table(['id', 'event', 'subscribed', 'description'], rows, 'There are no registrations.');
  return { json: { registrations }, text };
}

/** The service lets both be any JSON value. */
function asText(value: unknown): string {
  if (value === undefined || value === null || value === '') return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function listSubscriptions({ service }: CommandContext): Promise<Answer> {
  const subscriptions = await service.subscriptions((count) => progress(`${count} subscriptions …`));
  endProgress();
  const seen = new Set<string>();
  for (const { id, registrationId } of subscriptions) {
    if (seen.has(registrationId)) note(`Note: ${id} is not the only one to ${registrationId}. ${twice}`);
    seen.add(registrationId);
  }
  const now = new Date();
  const rows = subscriptions.map(({ id, registrationId, since }) => [
    id,
    registrationId,
    since === null ? '–' : shortTime(since, now),
  ]);
  const listed = table(['id', 'registration', 'since'], rows, 'There are no subscriptions.');
  const text = rows.length === 0 ? listed : `${listed}\n\n${zoneLine()}`;
  return { json: { subscriptions }, text };
}

// One delivery a subscription.
const twice = 'Until one of them is ended, everything comes twice.';

async function subscribe(given: string, { service }: CommandContext): Promise<Answer> {
  const id = await registrationMeant(given, service);
  const before = await service.subscriptions();
  const subscription = await service.subscribe(id);
  if (subscription === undefined) throw new RefusedError(`PyWebhooks knows no registration ${id}.`);
  for (const earlier of before.filter(({ registrationId }) => registrationId === id))
    note(`Note: ${earlier.id} already was a subscription to it. ${twice}`);
  return { json: { subscription }, text: `Subscribed to ${id}: ${subscription.id}` };
}

/** Everybody's registrations may be many: they are read only where the id is not whole. */
async function registrationMeant(given: string, service: PyWebhooks): Promise<string> {
  if (!/^[0-9a-f-]{4,35}$/i.test(given)) return given;
  const all = await service.registrations((count) => progress(`${count} registrations …`));
  endProgress();
  return wholeId(
    given,
    all.map(({ id }) => id),
  );
}

async function unsubscribe(given: string, deleting: Deleting, { service }: CommandContext): Promise<Answer> {
  const all = await service.subscriptions();
  const id = wholeId(
    given,
    all.map((each) => each.id),
  );
  const subscription = all.find((each) => each.id === id);
  if (subscription !== undefined)
    await mustBeMeant(`End the subscription ${id} to ${subscription.registrationId}?`, deleting);
  if (await service.unsubscribe(id)) return { json: { ended: id }, text: `Ended ${id}` };
  throw new RefusedError(`This account has no subscription ${id}.`);
}
