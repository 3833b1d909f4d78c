import type * as z from 'zod';

/** Is told how many items of a list could not be read, where some could. */
export type OnUnread = (count: number) => void;

/** Reads every item of a list by itself. Undefined where it is none, or where not one of its items can be read. */
export function readEach<T>(
  list: unknown,
  shape: z.ZodType<T>,
  onUnread: OnUnread | undefined,
): T[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const read = list
    .map((item) => shape.safeParse(item))
    .filter((each) => each.success)
    .map(({ data }) => data);
  const unread = list.length - read.length;
  // What is nowhere as it should be is in another form, and no list with a fault.
  if (unread > 0 && read.length === 0) return undefined;
  if (unread > 0) onUnread?.(unread);
  return read;
}
