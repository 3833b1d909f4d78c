import { randomUUID } from 'node:crypto';
import { chmod, open, readFile, rename, rm, stat } from 'node:fs/promises';
import * as z from 'zod';
import { hasCode } from '../pipeline/ports/errors.ts';
import { readJson } from '../pipeline/model/read-json.ts';
import { digestOf, type TakeLimits } from '../pipeline/ports/secrets.ts';
import { whileLocked } from './file-lock.ts';

/** A secret that was changed since it was set. */
export interface KeptVersions {
  readonly current: string;
  readonly previous?: string | undefined;
  /** Milliseconds since 1970. */
  readonly keptAt: number;
}

const Kept = z.object({
  current: z.string(),
  previous: z.string().optional(),
  keptAt: z.iso.datetime(),
  /** The digest of the setting that it came after: once that is another, this entry is of the past. */
  after: z.string(),
});
/** `former` is what an offered secret came after; null where there was nothing. */
const Entry = Kept.extend({ former: Kept.nullable().optional() });
const Entries = z.record(z.string(), Entry);
type Entries = z.infer<typeof Entries>;

/** Secrets that change while the app runs, in one file that only its owner can read, and that the app and the command share. */
export function secretsFile(path: string) {
  let known: Promise<Entries> | undefined;
  let knownAs: string | undefined;
  const reread = async (): Promise<void> => {
    const [read, before] = [readEntries(path), known];
    // Of two that overlap the one that began last counts, whichever ends first.
    known = read.catch(async () => await (before ?? read));
    known.catch(() => undefined);
    await read;
  };
  const rereadIfChanged = async (): Promise<void> => {
    const mark = await markOf(path);
    if (known !== undefined && mark === knownAs) return;
    await reread();
    knownAs = mark;
  };
  let looking: Promise<void> | undefined;
  /** As the file is now: what another process took out of it must not count here. */
  const entries = async (): Promise<Entries> => {
    looking ??= rereadIfChanged().finally(() => (looking = undefined));
    await looking.catch(() => undefined);
    return (await known) ?? {};
  };
  const change = async (
    work: (before: Entries, write: (all: Entries) => Promise<void>) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> => {
    await whileLocked(`${path}.lock`, signal, async (isOurs) => {
      await work(await readEntries(path), async (all) => {
        await writeWhole(path, `${JSON.stringify(all, undefined, 2)}\n`, () => {
          signal?.throwIfAborted();
          if (!isOurs()) throw new Error('The secrets file was locked for too long.');
        });
        known = Promise.resolve(all);
      });
    });
  };
  return {
    /** What was kept of it since the setting is what it is. A file that cannot be read counts as none. */
    async read(name: string, setting: string | undefined): Promise<KeptVersions | undefined> {
      const entry = (await entries().catch((): Entries => ({})))[name];
      if (entry === undefined || entry.after !== digest(setting)) return undefined;
      return { current: entry.current, previous: entry.previous, keptAt: Date.parse(entry.keptAt) };
    },
    /** Reads the file anew. Throws where it is there and cannot be read; what was known before then still counts. */
    reread,
    /**
     * Keeps a value as the current one, whole or not at all; the one before becomes the previous. An `offered` one can be
     * withdrawn, and is left alone where it is the current one already.
     */
    async add(
      name: string,
      setting: string | undefined,
      { value, keptAt }: { value: string; keptAt: number },
      offered?: TakeLimits,
    ): Promise<void> {
      await change(async (before, write) => {
        const own = before[name];
        const current = own?.after === digest(setting) ? own.current : setting;
        if (offered !== undefined && current === value) return;
        const entry = {
          current: value,
          ...(current === undefined ? {} : { previous: current === value ? own?.previous : current }),
          keptAt: new Date(keptAt).toISOString(),
          after: digest(setting),
          ...(offered === undefined ? {} : { former: own === undefined ? null : Kept.parse(own) }),
        };
        await offered?.begin();
        await write({ ...before, [name]: entry });
      }, offered?.signal);
    },
    /** Puts what was there before in the place of an offered value, known by its digest. */
    async withdraw(name: string, valueDigest: string): Promise<void> {
      await change(async ({ [name]: own, ...others }, write) => {
        if (own?.former === undefined || digestOf(own.current) !== valueDigest) return;
        await write(own.former === null ? others : { ...others, [name]: own.former });
      });
    },
  };
}

/** Another one after each change: the file is replaced as a whole. */
async function markOf(path: string): Promise<string> {
  const { ino, size, mtimeMs } = (await stat(path).catch(() => undefined)) ?? {};
  return [ino, size, mtimeMs].join(' ');
}

async function readEntries(path: string): Promise<Entries> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (bytes === undefined) return {};
  await tighten(path);
  const entries = Entries.safeParse(readJson(bytes));
  if (entries.success) return entries.data;
  // What is wrong with it is not said: that could show what is in it.
  throw new Error(`The secrets file ${path} is not as this app writes it.`);
}

/** Closes the file to everybody but its owner, where a copy or another hand has opened it. */
async function tighten(path: string): Promise<void> {
  try {
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
  } catch (error) {
    // It is another user's, or gone by now: it is read all the same.
    if (!hasCode(error, 'EPERM') && !hasCode(error, 'ENOENT')) throw error;
  }
}

/** `check` is the last word: what it throws leaves the file as it was. */
async function writeWhole(path: string, text: string, check: () => void): Promise<void> {
  const unfinished = `${path}.${randomUUID()}.tmp`;
  const file = await open(unfinished, 'w', 0o600);
  try {
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    check();
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

function digest(setting: string | undefined): string {
  return setting === undefined ? '' : digestOf(setting);
}
