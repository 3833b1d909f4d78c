import { expect, it } from 'vitest';
import { runChaos } from '../../../src/local/chaos/run-chaos.ts';

const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000));

it(
  'no event is lost or done twice while processes are killed, storage fails and sources misbehave',
  { timeout: 600_000 },
  async () => {
    console.log(`npm run chaos -- --seed ${seed} --events 400 --kills 5`);
    const lines: string[] = [];
    const { verdict, figures } = await runChaos({
      seed,
      events: 400,
      kills: 5,
      say: (line) => lines.push(line),
    });
    const { lost, doubled, poison, wrong } = verdict;
    expect({ lost, doubled, poison, wrong }, lines.join('\n')).toEqual({
      lost: [],
      doubled: [],
      poison: [],
      wrong: [],
    });
    expect(figures['events accepted']).toBeGreaterThanOrEqual(400);
    expect(figures['kills']).toBeGreaterThanOrEqual(5);
  },
);
