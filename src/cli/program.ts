import { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import type { SourceKindName } from '../sources/index.ts';
import { addAssets } from './assets.ts';
import { addDoctor } from './doctor/doctor.ts';
import { addEvents } from './events.ts';
import { addPreservica } from './preservica/subscriptions.ts';
import { addPyWebhooks } from './pywebhooks/subscriptions.ts';
import { addRuns } from './runs.ts';
import { addSources } from './sources.ts';
import { stripControlCharacters, terminal, useNoColours } from './terminal.ts';
import { command } from './typed.ts';
import { addWoodwing } from './woodwing/webhooks.ts';

/** What manages the subscriptions at each kind of source. */
const ofKinds: Readonly<Record<SourceKindName, (program: Command) => void>> = {
  preservica: addPreservica,
  woodwing: addWoodwing,
  pywebhooks: addPyWebhooks,
};

/** The command, whole; it ends with an error of its library where it is used wrongly. */
export function program(): Command {
  const whole = new Command(command())
    .description(
      'Manage the subscriptions of Asset Webhooks at its source systems, and see what became of the events.',
    )
    .version(manifest.version)
    .option('--json', 'print JSON, for scripts')
    .option('--no-color', 'colour nothing (also where NO_COLOR is set)')
    .on('option:no-color', useNoColours)
    .configureHelp({ showGlobalOptions: true })
    // What it says of an argument repeats it.
    .configureOutput({
      writeOut: (text) => terminal().stdout.write(stripControlCharacters(text)),
      writeErr: (text) => terminal().stderr.write(stripControlCharacters(text)),
    })
    .exitOverride();
  addSources(whole);
  for (const add of Object.values(ofKinds)) add(whole);
  addEvents(whole);
  addRuns(whole);
  addAssets(whole);
  addDoctor(whole);
  return whole;
}
