/*
 * A path the way the platform reads it and writes it again: decoded except for `%2F`, which stays as it is and so is
 * no separator, and encoded anew on its way to the app, where that `%2F` has become `%252F`.
 */

/** The path as routes see it. */
export function readPath(raw: string): string {
  const decoded = raw.replaceAll(/(?:%(?!2f)[0-9a-f]{2})+/gi, (escaped) => {
    try {
      return decodeURIComponent(escaped);
    } catch {
      return escaped;
    }
  });
  return withoutDots(decoded);
}

/** The path as it goes to the app. */
export function writePath(path: string): string {
  return path
    .toWellFormed()
    .replaceAll(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/]+/g, (others) => encodeURIComponent(others));
}

function withoutDots(path: string): string {
  const segments = path.split('/');
  if (!segments.includes('.') && !segments.includes('..')) return path;
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  const last = segments.at(-1);
  const clean = kept.join('/') + (last === '.' || last === '..' ? '/' : '');
  return clean.startsWith('/') ? clean : `/${clean}`;
}
