import type { Command } from 'commander';
import type { SourceKindName, SourceOf } from '../sources/index.ts';
import { UsageError } from './faults.ts';
import { readSetup, sourceOf, type Setup } from './setup.ts';
import { lineFromInput } from './terminal.ts';

/** As whom a system is asked: as the app's own account, or as one that may manage subscriptions where that may not. */
export interface ManagerOptions {
  readonly source?: string;
  readonly username?: string;
  readonly passwordStdin?: true;
}

/** Adds those options to the commands of a system; `role` is what it calls such an account. */
export function addManagerOptions(group: Command, role: string): Command {
  return group
    .option('--source <name>', 'which source, where there are several of this kind')
    .option(
      '--username <name>',
      `ask as this account: it must ${role}, which the account of the app need not`,
    )
    .option('--password-stdin', 'read its password from standard input');
}

/** The source that is meant, as it is to be asked; its password comes from where the secrets are if there is none here. */
export async function asManager<Kind extends SourceKindName>(
  kind: Kind,
  { source: name, username, passwordStdin }: ManagerOptions,
): Promise<{ setup: Setup; source: SourceOf<Kind>; password: string | undefined }> {
  const setup = await readSetup();
  const source = sourceOf(setup, kind, name);
  if (username !== undefined && username !== source.username && passwordStdin === undefined)
    throw new UsageError(
      `The password that is set is not the one of ${username}: give --password-stdin, and that one on standard input.`,
    );
  const password = passwordStdin === undefined ? undefined : await lineFromInput('The password');
  return { setup, source: Object.assign({ ...source }, { username: username ?? source.username }), password };
}
