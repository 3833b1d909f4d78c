/** One log line: a name and flat fields. No body, secret, signature, token or signed address ever goes in. */
export type Log = (
  level: 'info' | 'warn' | 'error',
  name: string,
  fields?: Readonly<Record<string, string | number | boolean | null | undefined>>,
) => void;
