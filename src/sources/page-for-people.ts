/** What a source is asked for. */
export type Expected = 'xml' | 'json' | 'picture';

const startBytes = 1024;

/**
 * True where a success is a page for people in place of the answer: of a maintenance, a firewall or a login. What the bytes
 * look like counts more than their content type, which some servers get wrong.
 */
export function isPageForPeople(expected: Expected, contentType: string | null, bytes: Uint8Array): boolean {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const isHtmlType = type === 'text/html' || type === 'application/xhtml+xml';
  const start = Buffer.from(bytes.subarray(0, startBytes))
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (looksLikeHtml.test(start)) return true;
  switch (expected) {
    case 'xml':
      return isHtmlType ? !start.startsWith('<?xml') : type === 'text/plain' && !start.startsWith('<');
    case 'json':
      return type.startsWith('text/') && type !== 'text/json' && !/^[{[]/.test(start);
    case 'picture':
      // An error of some sources is JSON with a status of 200: that is read elsewhere.
      return (isHtmlType || type === 'text/plain') && !start.startsWith('{') && !looksLikePicture.test(start);
    default:
      return expected satisfies never;
  }
}

const looksLikeHtml =
  /^(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->)[^])*-->\s*)*<(?:!doctype\s+html|html|head|body|title|meta|script|h1)[\s/>]/i;
const looksLikePicture = /^(?:\u0089PNG|\u00ff\u00d8\u00ff|GIF8|RIFF[^]{4}WEBP)/;
