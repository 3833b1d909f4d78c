/** A time as people here would say it: the hour of today, and with the date before that. */
export function shortTime(iso: string, now: Date): string {
  const at = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return at.toDateString() === now.toDateString()
    ? time
    : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}
