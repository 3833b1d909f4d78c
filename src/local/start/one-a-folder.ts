import { randomUUID } from 'node:crypto';
import { link, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonObject } from '../host/json-object.ts';
import { hasCode } from '../../pipeline/ports/errors.ts';
import { whileLocked } from '../../secrets/file-lock.ts';
import { Address, statusAt } from './control.ts';
import { writePrivately } from './private-file.ts';

const fileName = 'start.json';

export interface Running {
  readonly address: Address;
  readonly appUrl: string | undefined;
}

/** The `npm start` that runs in this folder. What a crash left behind answers nobody, and counts as none. */
export async function runningIn(folder: string): Promise<Running | undefined> {
  const address = await addressIn(join(folder, fileName));
  const status = address === undefined ? undefined : await statusAt(address);
  if (address === undefined || status === undefined) return undefined;
  return { address, appUrl: status.appUrl ?? undefined };
}

/** Takes the folder for this process, until `free`; or says who has it. */
export async function takeFolder(
  folder: string,
  address: Address,
): Promise<{ kind: 'taken'; free(): Promise<void> } | { kind: 'held'; by: Running }> {
  const file = join(folder, fileName);
  const own = `${file}.${randomUUID()}`;
  await writePrivately(own, JSON.stringify(address));
  try {
    for (;;) {
      try {
        // Unlike a write, a link appears whole and only where nothing is.
        await link(own, file);
        return { kind: 'taken', free: async () => await leave(file, address) };
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
      }
      const left = await addressIn(file);
      const status = left === undefined ? undefined : await statusAt(left);
      if (left !== undefined && status !== undefined)
        return { kind: 'held', by: { address: left, appUrl: status.appUrl ?? undefined } };
      await takeAway(file, left?.token);
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** Takes away what was left behind. One process does that at a time, so that none takes what another has just made. */
async function takeAway(file: string, token: string | undefined): Promise<void> {
  await whileLocked(`${file}.lock`, undefined, async () => {
    if ((await addressIn(file))?.token === token) await rm(file, { force: true });
  });
}

async function leave(file: string, { token }: Address): Promise<void> {
  if ((await addressIn(file))?.token === token) await rm(file, { force: true });
}

async function addressIn(file: string): Promise<Address | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return Address.safeParse(jsonObject(text)).data;
}
