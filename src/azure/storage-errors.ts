import { StorageError } from '../errors.ts';

/** The HTTP status that a storage SDK's error carries, and the service's own word for it. */
export function storageFault(error: unknown): { status: number | undefined; code: string | undefined } {
  if (typeof error !== 'object' || error === null) return { status: undefined, code: undefined };
  const members = new Map<string, unknown>(Object.entries(error));
  const status = members.get('statusCode');
  const code = members.get('code');
  return {
    status: typeof status === 'number' ? status : undefined,
    code: typeof code === 'string' ? code : undefined,
  };
}

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

function isMissingHome(error: unknown): boolean {
  const { status, code } = storageFault(error);
  return status === 404 && ['QueueNotFound', 'ContainerNotFound', 'TableNotFound'].includes(code ?? '');
}
