/**
 * An address that stands in a source's answer, as a URL below the configured base; undefined where it leads elsewhere,
 * or could lead out of the base at a server that decodes more than it should.
 */
export function withinBase(address: string, base: string): URL | undefined {
  if (!URL.canParse(address, base)) return undefined;
  const url = new URL(address, base);
  const { protocol, host, pathname } = new URL(base);
  const plain = url.username === '' && url.password === '';
  // The origin of a `blob:` is that of what it wraps.
  if (!plain || url.protocol !== protocol || url.host !== host) return undefined;
  const home = pathname.endsWith('/') ? pathname : `${pathname}/`;
  return url.pathname.startsWith(home) && staysBelow(url.pathname.slice(home.length)) ? url : undefined;
}

// Some servers decode a path twice; what is still encoded after this many times is nobody's file name.
const mostDecodings = 4;

function staysBelow(path: string): boolean {
  let read = path;
  for (let decodings = 0; /%[0-9a-f]{2}/i.test(read); decodings += 1) {
    const decoded = decode(read);
    if (decoded === undefined || decodings === mostDecodings) return false;
    read = decoded;
  }
  if (/\p{Cc}/u.test(read)) return false;
  // Some servers take what follows a semicolon for parameters of the segment, some drop blanks at its end.
  return !read.split(/[/\\]/).some((segment) => /^\.[.\s]*(?:;|$)/.test(segment));
}

/** Undefined where the bytes are no UTF-8: an overlong dot or slash is one to some servers. */
function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
