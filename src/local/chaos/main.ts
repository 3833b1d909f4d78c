import { Command, InvalidArgumentError, Option } from 'commander';
import { safeguards, type Safeguard } from './bundles.ts';
import { runChaos } from './run-chaos.ts';

const shownOfEach = 20;

await new Command('chaos')
  .description('Kills, throttles and cuts off a running app, and checks that no event is lost or done twice.')
  .option('--seed <number>', 'what happens by chance is the same for the same seed', wholeNumber)
  .option('--events <number>', 'how many events are sent', wholeNumber, 10_000)
  .option('--kills <number>', 'how often a process is killed', wholeNumber, 24)
  .addOption(
    new Option('--without <safeguard>', 'take this out of the app, to see that the run finds it').choices(
      Object.keys(safeguards),
    ),
  )
  .action(run)
  .parseAsync();

async function run({
  seed = Math.floor(Math.random() * 1_000_000),
  events,
  kills,
  without,
}: {
  seed?: number;
  events: number;
  kills: number;
  without?: Safeguard;
}): Promise<void> {
  const startedAt = Date.now();
  console.log(`Seed ${seed}`);
  const say = (line: string): void => {
    console.log(`${String(Math.round((Date.now() - startedAt) / 1_000)).padStart(5)} s  ${line}`);
  };
  const { figures, verdict, kept } = await runChaos({ seed, events, kills, without, say });
  console.log('');
  for (const [name, value] of Object.entries(figures)) console.log(`  ${name.padEnd(44)} ${value}`);
  for (const [state, count] of [...verdict.states].toSorted(([one], [other]) => one.localeCompare(other)))
    console.log(`  ${state.padEnd(44)} ${count}`);
  const { lost, doubled, poison, wrong } = verdict;
  for (const [title, list] of Object.entries({ lost, doubled, poison, wrong })) {
    if (list.length === 0) continue;
    console.log(`\n${title}:`);
    for (const line of list.slice(0, shownOfEach)) console.log(`  ${line}`);
    if (list.length > shownOfEach) console.log(`  and ${list.length - shownOfEach} more`);
  }
  console.log(
    kept
      ? '\nEvery promise was kept.'
      : `\nBROKEN. Again with: npm run chaos -- --seed ${seed} --events ${events} --kills ${kills}`,
  );
  process.exitCode = kept ? 0 : 1;
}

function wholeNumber(given: string): number {
  if (!/^\d{1,9}$/.test(given)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(given);
}
