import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { StorageError } from '../pipeline/ports/errors.ts';

/** The HTTP status that a storage SDK's error carries, and the service's own word for it. */
export function storageFault(error: unknown): { status: number | undefined; code: string | undefined } {
  const fault = Fault.safeParse(error);
  if (!fault.success) return { status: undefined, code: undefined };
  const { statusCode, code, details } = fault.data;
  return { status: statusCode, code: code ?? details?.odataError?.code };
}

// The tables' SDK says it in another place where it was listing.
const Fault = z.object({
  statusCode: z.number().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  details: z
    .object({ odataError: z.object({ code: z.string() }).optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

/**
 * Runs one storage call. Where the queue, container or table is not there yet, makes it and runs the call again; any
 * other failure becomes a StorageError that says what was being done, and nothing of what was in it.
 */
export async function stored<T>(
  doing: string,
  call: () => Promise<T>,
  make: () => Promise<unknown>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isMissingHome(error)) throw storageError(doing, error);
  }
  try {
    await make();
    return await call();
  } catch (error) {
    throw storageError(doing, error);
  }
}

export function storageError(doing: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const { status, code } = storageFault(error);
  const what = code ?? (error instanceof Error ? error.name : 'unknown error');
  return new StorageError(`${doing}: ${what}${status === undefined ? '' : ` (${status})`}`, { cause: error });
}

export function isMissingHome(error: unknown): boolean {
  const { status, code } = storageFault(error);
  return status === 404 && ['QueueNotFound', 'ContainerNotFound', 'TableNotFound'].includes(code ?? '');
}

/** Those who meet on the same rows go apart, and further each time. */
export async function pauseBefore(tries: number): Promise<void> {
  if (tries > 0) await delay(Math.random() * Math.min(10 * 2 ** tries, 1_000));
}
