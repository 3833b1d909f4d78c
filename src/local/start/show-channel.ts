import type { TeamsSimulator } from '../simulators/teams/simulator.ts';
import { tried } from './own-command.ts';
import { until } from './until.ts';

const waitMs = 15_000;

/** Shows what people see in the simulated channel: the first card, where one comes soon; the others come one a second. */
export async function showChannel(team: TeamsSimulator, stopping: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(waitMs)]);
  const card = await until('a card in the channel', async () => team.posted[0], { signal }).catch(
    () => undefined,
  );
  stopping.throwIfAborted();
  console.log('The action "team" tells the channel of each asset, one card a second.');
  for (const line of card?.lines ?? ['No card came yet.']) console.log(`  ${line}`);
  console.log(`All of them: ${team.url}/   What the action did: ${tried('runs list')}\n`);
}
