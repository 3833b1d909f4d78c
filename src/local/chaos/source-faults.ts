import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../simulators/faults.ts';
import type { SimulatorServer } from '../simulators/serve.ts';
import type { Chance } from './chance.ts';

const page = '<!doctype html><html><body><h1>We will be back soon.</h1></body></html>';

/** What goes wrong with a few calls; all of it may be over the next time. */
const kinds: Readonly<Record<string, (chance: Chance) => Fault>> = {
  errors: () => ({ kind: 'status', status: 500, path: /./ }),
  unavailable: () => ({ kind: 'status', status: 503, path: /./ }),
  'rate limits': () => ({ kind: 'status', status: 429, retryAfter: '1', path: /./ }),
  'pages for people': () => ({
    kind: 'answer',
    status: 200,
    contentType: 'text/html',
    body: page,
    path: /entity|content|search|thumbnail/,
  }),
  'slow answers': (chance) => ({ kind: 'slow', ms: chance.between(300, 2_500), path: /./ }),
  // The picture is asked for after the details: what is found may be old when it is written.
  'slow pictures': (chance) => ({ kind: 'slow', ms: chance.between(1_000, 3_000), path: /thumbnail/ }),
  'broken connections': () => ({ kind: 'cut', path: /entity|content|search|thumbnail/ }),
};

/** Lets sources fail by chance until told to stop. */
export class SourceFaults {
  readonly counts = new Map<string, number>();
  readonly #end = new AbortController();
  readonly #running: Promise<void>;
  readonly #simulators: readonly SimulatorServer[];

  constructor(simulators: readonly SimulatorServer[], chance: Chance) {
    this.#simulators = simulators;
    this.#running = this.#run(chance);
  }

  /** Every call to that system fails for so long. */
  async outage(simulator: SimulatorServer, forMs: number): Promise<void> {
    simulator.clearFaults();
    simulator.fault({ kind: 'status', status: 503, path: /./ });
    await delay(forMs, undefined, { signal: this.#end.signal }).catch(() => undefined);
    simulator.clearFaults();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
    for (const simulator of this.#simulators) simulator.clearFaults();
  }

  async #run(chance: Chance): Promise<void> {
    while (!this.#end.signal.aborted) {
      const name = chance.pick(Object.keys(kinds));
      const fault = kinds[name]?.(chance);
      const times = chance.between(1, 6);
      if (fault !== undefined) chance.pick(this.#simulators).fault({ ...fault, times });
      this.counts.set(name, (this.counts.get(name) ?? 0) + times);
      await delay(chance.between(50, 250), undefined, { signal: this.#end.signal }).catch(() => undefined);
    }
  }
}
