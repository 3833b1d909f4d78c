import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { endsWithParent } from '../start/app-process.ts';
import { startStorageProxy, type StorageProxy } from '../storage-proxy.ts';
import type { StorageFaults } from './storage-faults.ts';
import type { SeenWrite, Witness } from './witness.ts';

const main = join(import.meta.dirname, '..', 'host', 'main.ts');
const linesKept = 2_000;

const Ended = z.object({ event: z.literal('event-ended'), eventId: z.string() });

/** One of the app's processes, with a way to the storage of its own, so that it is known which one writes what. */
export class Instance {
  readonly name: string;
  /** How often each event came to its end by what this process said. */
  readonly ended = new Map<string, number>();
  /** The latest lines that it wrote. */
  readonly lines: string[] = [];
  kills = 0;
  readonly #storage: StorageProxy;
  readonly #settings: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #bundle = '';
  #port = 0;
  #killAt: { kind: SeenWrite['kind'] | 'any'; after: number; done: () => void } | undefined;

  static async start(given: {
    name: string;
    bundle: string;
    storage: string;
    settings: Readonly<Record<string, string>>;
    faults: StorageFaults;
    witness: Witness;
  }): Promise<Instance> {
    const { faults, witness } = given;
    const storage = await startStorageProxy(given.storage);
    const instance = new Instance(given.name, storage, given.settings);
    storage.failing = (request) => {
      const failure = faults.on(request);
      if (failure?.kind !== 'answer') witness.sent(request);
      return failure;
    };
    storage.passed = (request, answer) => {
      const seen = witness.saw(request, answer);
      return seen !== undefined && instance.#dies(seen) ? 'lose-answer' : undefined;
    };
    await instance.#launch(given.bundle);
    return instance;
  }

  private constructor(name: string, storage: StorageProxy, settings: Readonly<Record<string, string>>) {
    this.name = name;
    this.#storage = storage;
    this.#settings = settings;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Ends the process by SIGKILL just after such a write, the `after`th from now, before it hears of that; or in any case in some seconds. */
  async killAt(kind: SeenWrite['kind'] | 'any', after: number): Promise<'at-write' | 'late'> {
    const written = new Promise<'at-write'>((resolve) => {
      this.#killAt = { kind, after, done: () => resolve('at-write') };
    });
    const how = await Promise.race([
      written,
      new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), 3_000)),
    ]);
    this.#killAt = undefined;
    await this.kill();
    return how;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    this.kills += 1;
  }

  /** Starts it again at the same address. */
  async restart(bundle = this.#bundle): Promise<void> {
    await this.#launch(bundle);
  }

  async close(): Promise<void> {
    await this.kill();
    await this.#storage.close();
  }

  #dies({ kind }: SeenWrite): boolean {
    const wanted = this.#killAt;
    if (wanted === undefined || (wanted.kind !== 'any' && wanted.kind !== kind)) return false;
    wanted.after -= 1;
    if (wanted.after > 0) return false;
    this.#child?.kill('SIGKILL');
    wanted.done();
    return true;
  }

  async #launch(bundle: string): Promise<void> {
    this.#bundle = bundle;
    const { PATH = '', HOME = '', TMPDIR = '/tmp', NODE_COMPILE_CACHE = '' } = process.env;
    const child = spawn(
      process.execPath,
      ['--import', endsWithParent, main, '--port', String(this.#port), '--bundle', bundle],
      {
        env: {
          PATH,
          HOME,
          TMPDIR,
          NODE_COMPILE_CACHE,
          ...this.#settings,
          AzureWebJobsStorage: this.#storage.connectionString,
        },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    this.#child = child;
    const exited = once(child, 'exit');
    const listening = new Promise<string>((resolve) => {
      for (const output of [child.stdout, child.stderr]) {
        if (output === null) continue;
        createInterface(output).on('line', (line) => {
          this.#read(line);
          if (line.startsWith('Listening on ')) resolve(line.slice('Listening on '.length));
        });
      }
    });
    const url = await Promise.race([listening, exited]);
    if (typeof url !== 'string')
      throw new Error(`The app did not start: ${this.lines.slice(-20).join('\n')}`);
    this.#port = Number(new URL(url).port);
  }

  #read(line: string): void {
    if (this.lines.push(line) > linesKept) this.lines.shift();
    if (!line.includes('"event-ended"')) return;
    const ended = Ended.safeParse(JSON.parse(line));
    if (!ended.success) return;
    const { eventId } = ended.data;
    this.ended.set(eventId, (this.ended.get(eventId) ?? 0) + 1);
  }
}
