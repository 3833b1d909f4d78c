type Layout = 'spaced' | 'compact';

/** A JSON value as the text that Python's `json.dumps` makes of it once the database has sorted its keys; `compact` leaves the blanks out. */
export function pythonJson(value: unknown, layout: Layout = 'spaced'): string {
  const [comma, colon] = layout === 'spaced' ? [', ', ': '] : [',', ':'];
  const write = (each: unknown): string => {
    if (typeof each === 'string') return quoted(each);
    if (typeof each === 'number') return pythonNumber(each);
    if (Array.isArray(each)) return `[${each.map(write).join(comma)}]`;
    if (typeof each !== 'object' || each === null) return JSON.stringify(each);
    const members = Object.entries(each)
      .map(([name, member]: [string, unknown]) => ({ name, bytes: Buffer.from(name), member }))
      .toSorted((one, other) => one.bytes.compare(other.bytes));
    return `{${members.map(({ name, member }) => `${quoted(name)}${colon}${write(member)}`).join(comma)}}`;
  };
  return write(value);
}

/** True for what the database would take: not nested too deep, and no number beyond all numbers. */
export function isStorable(value: unknown, levels = 18): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isStorable(member, levels - 1));
}

function quoted(text: string): string {
  // Lower-case escapes for all but the printable ASCII characters; what JSON.stringify has escaped is ASCII already.
  return JSON.stringify(text).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function pythonNumber(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  if (Number.isInteger(value) && Math.abs(value) <= 2 ** 53) return String(value);
  const [digits = '', power = ''] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const sign = exponent < 0 ? '-' : '+';
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
