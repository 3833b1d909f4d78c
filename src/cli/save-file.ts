import { rename, writeFile } from 'node:fs/promises';
import { errorName } from './error-name.ts';
import { RefusedError } from './faults.ts';
import { confirmed } from './terminal.ts';

/** Writes a file. One that is there is written over only where that is meant: said, or answered at the terminal. */
export async function saveFile(file: string, bytes: Uint8Array, { yes }: { yes?: true }): Promise<void> {
  try {
    await writeFile(file, bytes, { flag: 'wx' });
  } catch (error) {
    if (errorName(error) !== 'EEXIST') throw unwritable(file, error);
    if (yes !== true && !(await confirmed(`${file} is there already. Write over it?`)))
      throw new RefusedError('Nothing was saved.');
    await replace(file, bytes);
  }
}

async function replace(file: string, bytes: Uint8Array): Promise<void> {
  try {
    const beside = `${file}.${process.pid}.part`;
    await writeFile(beside, bytes, { flag: 'wx' });
    await rename(beside, file);
  } catch (error) {
    throw unwritable(file, error);
  }
}

function unwritable(file: string, error: unknown): RefusedError {
  return new RefusedError(`${file} cannot be written (${errorName(error)}).`);
}
