/** Thrown by `withDeadline` when the time is up; what was being done may still come to an end. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** Runs something that must be answered in time: aborts it when the time is up, and does not wait for it to notice. */
export async function withDeadline<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      controller.abort();
      reject(new DeadlineError(`not done within ${ms} ms`));
    }, ms);
  });
  const working = work(controller.signal);
  // Mark the promise as handled: nobody awaits it after the deadline.
  working.catch(() => undefined);
  try {
    return await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
  }
}
