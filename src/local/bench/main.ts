import { Command } from 'commander';
import { ensureBuilt } from '../build.ts';
import { benchAccept } from './accept.ts';
import { benchColdStart } from './cold-start.ts';
import { benchLedger } from './ledger.ts';
import {
  benchAcceptWhileWorking,
  benchLag,
  benchLargeDelivery,
  benchMemory,
  benchProcesses,
} from './scale.ts';
import { benchSignature } from './signature.ts';
import { benchWork } from './work.ts';

const benches = {
  accept: benchAccept,
  signature: benchSignature,
  'cold-start': benchColdStart,
  work: benchWork,
  ledger: benchLedger,
  lag: benchLag,
  'accept-while-working': benchAcceptWhileWorking,
  processes: benchProcesses,
  memory: benchMemory,
  'large-delivery': benchLargeDelivery,
};

await new Command('bench')
  .description('Measures the app on this machine; the ratios can be compared, the seconds cannot.')
  .argument('[names...]', `which of: ${Object.keys(benches).join(', ')}; all if left out`)
  .option('--json', 'print one JSON document')
  .action(run)
  .parseAsync();

async function run(names: string[], { json = false }: { json?: boolean }): Promise<void> {
  const unknown = names.filter((name) => !Object.hasOwn(benches, name));
  if (unknown.length > 0) {
    console.error(`There is no bench named ${unknown.join(', ')}.`);
    process.exit(2);
  }
  await ensureBuilt();
  const results: Record<string, unknown> = {};
  for (const [name, bench] of Object.entries(benches)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const figures = await bench();
    results[name] = figures;
    if (!json) print(name, figures);
  }
  if (json) console.log(JSON.stringify(results, rounded, 2));
}

function print(name: string, figures: object): void {
  console.log(`\n${name}`);
  for (const [figure, value] of Object.entries(figures)) {
    console.log(`  ${figure.padEnd(28)} ${JSON.stringify(value, rounded)}`);
  }
}

function rounded(_name: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}
