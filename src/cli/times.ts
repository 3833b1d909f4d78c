import { UsageError } from './faults.ts';

/** People read the time of their own clock; JSON has UTC. */
export const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Says of which zone the times of a table are. */
export const zoneLine = (): string => `Times: ${zone()}.`;

const two = (value: number): string => String(value).padStart(2, '0');

function dateOf(at: Date): string {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Hour and minute, with the date before them where that is another day. What is no time stays as it is. */
export function shortTime(iso: string, now: Date): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return dateOf(at) === dateOf(now) ? time : `${dateOf(at)} ${time}`;
}

/** The date, and the time to the second. What is no time stays as it is. */
export function wholeTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return `${dateOf(at)} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * The time that a person means, in ISO 8601: a date or a time, with a zone or of this machine's, `now`, `today`,
 * `yesterday`, or how long ago. A day is its beginning, or its end. Throws a UsageError with examples.
 */
export function timeMeant(option: string, given: string, day: 'from its beginning' | 'to its end'): string {
  const text = given.trim().toLowerCase();
  const now = new Date();
  const [, count = '', unit = ''] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  if (unit !== '') return new Date(now.getTime() - Number(count) * (unitMs[unit] ?? 0)).toISOString();
  if (text === 'now') return now.toISOString();
  // As a table shows a time of today.
  if (/^\d\d:\d\d$/.test(text)) return timeMeant(option, `${dateOf(now)}t${text}`, day);
  const startOfDay = dayMeant(text, now);
  if (startOfDay !== undefined) {
    const { 0: year, 1: month, 2: date } = startOfDay;
    const end = new Date(year, month, date + 1).getTime() - 1;
    return (day === 'from its beginning' ? new Date(year, month, date) : new Date(end)).toISOString();
  }
  // Without a zone it is of this machine's, as JavaScript reads it.
  const at = /^\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:z|[+-]\d\d:\d\d)?$/.test(text)
    ? new Date(text.replace(' ', 't').toUpperCase())
    : new Date(Number.NaN);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  throw new UsageError(
    `${option} "${given}" is no time that is understood. Examples: ${dateOf(now)}, 09:30, "${dateOf(now)} 09:30", ${now.toISOString().slice(0, 19)}Z, today, yesterday, 30m, 2h, 3d (that long ago), now.`,
  );
}

function dayMeant(text: string, now: Date): [year: number, month: number, date: number] | undefined {
  const [year, month, date] = [now.getFullYear(), now.getMonth(), now.getDate()];
  if (text === 'today') return [year, month, date];
  if (text === 'yesterday') return [year, month, date - 1];
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const [y = 0, m = 0, d = 0] = text.split('-').map(Number);
  // A day that there is not would become one of the next month.
  return dateOf(new Date(y, m - 1, d)) === text ? [y, m - 1, d] : undefined;
}
