/** Dates and sizes come as a number and as text. */
export interface FormattedValue {
  readonly value: number;
  readonly formatted: string;
}

export function dateValue(value: number): FormattedValue {
  const [day, time] = new Date(value).toISOString().split('T');
  return { value, formatted: `${day} ${time?.slice(0, 8)} +0000` };
}

export function sizeValue(value: number): FormattedValue {
  const [divisor, unit] = value < 1024 * 1024 ? [1024, 'KB'] : [1024 * 1024, 'MB'];
  return { value, formatted: `${(value / divisor).toFixed(2)} ${unit}` };
}

/** The plain value of what may come as an object with one. */
export function plainValue(value: unknown): unknown {
  return isObject(value) && 'value' in value ? value['value'] : value;
}

/** A value as text, to find or order by it. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object that a JSON text holds, if it is one. */
export function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
