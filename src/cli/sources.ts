import type { Command } from 'commander';
import { answering, table, type Answer } from './answer.ts';
import { worst } from './doctor/check.ts';
import { checkSource } from './doctor/check-source.ts';
import { readSetup, webhookUrl } from './setup.ts';
import { endProgress, progress } from './terminal.ts';

/** `sources`: every configured source, and how it does. */
export function addSources(program: Command): void {
  program
    .command('sources')
    .description('the configured sources: whether they let us in, and whether they will call the app')
    .action(answering(list));
}

async function list(): Promise<Answer> {
  const setup = await readSetup();
  progress(`Asking ${setup.config.sources.size} sources …`);
  const sources = await Promise.all(
    [...setup.config.sources.values()].map(async (source) => {
      const { login, subscriptions } = await checkSource(setup, source);
      return {
        name: source.name,
        kind: source.kind,
        url: source.url === '' ? null : source.url,
        webhookUrl: webhookUrl(setup, source) ?? null,
        login: { ok: login.state === 'ok', refused: login.state === 'wrong', text: login.text },
        subscriptions: {
          state: worst(subscriptions),
          text: subscriptions.map(({ text }) => text).join(' '),
        },
      };
    }),
  );
  endProgress();
  const rows = sources.map(({ name, kind, url, login, subscriptions }) => [
    name,
    kind,
    url ?? '–',
    login.ok ? 'yes' : `no: ${login.text}`,
    subscriptions.text,
  ]);
  return {
    json: { sources },
    text: table(['source', 'kind', 'url', 'login', 'subscriptions'], rows),
    exitCode: sources.some(({ login }) => login.refused) ? 1 : 0,
  };
}
