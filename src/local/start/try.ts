import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { Command } from 'commander';
import { UsageError } from '../../cli/faults.ts';
import { endWithReader } from '../../cli/terminal.ts';
import { suggestion } from '../../sources/suggestion.ts';
import { simulateAt } from './control.ts';
import { runningIn } from './one-a-folder.ts';
import { runCommand, tried } from './own-command.ts';
import { sentenceFor } from './sentence.ts';
import { simulations } from './simulations.ts';
import { withoutOwnSettings } from './without-own-settings.ts';

// `npm run try`: the command against what `npm start` has started, and what else can happen at the simulators.

const folder = join(import.meta.dirname, '..', '..', '..', '.local');
const args = process.argv.slice(2);

endWithReader();

try {
  if (args[0] === 'simulate') await simulate(args.slice(1));
  else await command();
} catch (error) {
  console.error(sentenceFor(error));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function command(): Promise<void> {
  await running();
  const settings = parseEnv(await readFile(join(folder, 'start.env'), 'utf8'));
  process.exitCode = await runCommand(args.length === 0 ? ['--help'] : args, {
    ...withoutOwnSettings(process.env),
    ...settings,
  });
  if (args.length === 0) console.log(`\nAt the simulators more can happen: ${tried('simulate --help')}`);
}

async function simulate(given: readonly string[]): Promise<void> {
  const all = Object.entries(simulations).map(([system, each]) => ({ system, each: Object.entries(each) }));
  const list = all.flatMap(({ system, each }) =>
    each.map(([what, does]) => `  ${`${system} ${what}`.padEnd(20)} ${does}`),
  );
  await new Command('simulate')
    .description(
      'Lets something happen at the simulators that "npm start" has started, and shows what comes of it.',
    )
    .argument('<source>', `one of: ${Object.keys(simulations).join(', ')}`)
    .argument('<what>', 'what is to happen')
    .addHelpText('after', `\n${list.join('\n')}`)
    .action(async (system: string, what: string) => {
      const whats = all.find((each) => each.system === system)?.each.map(([name]) => name);
      if (whats === undefined) throw unknown('source', system, Object.keys(simulations));
      if (!whats.includes(what)) throw unknown(`way for ${system} to go on`, what, whats);
      const { address } = await running();
      for (const line of await simulateAt(address, { system, what })) console.log(line);
    })
    .parseAsync(given, { from: 'user' });
}

function unknown(kind: string, given: string, known: readonly string[]): UsageError {
  return new UsageError(
    `There is no ${kind} named "${given}". There are: ${known.join(', ')}.${suggestion(given, known)}`,
  );
}

async function running() {
  const found = await runningIn(folder);
  if (found === undefined) throw new Error('No "npm start" runs in this folder. Start one, then try again.');
  return found;
}
