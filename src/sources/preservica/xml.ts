import { parseXml, XmlElement } from '@rgrove/parse-xml';

export type { XmlElement } from '@rgrove/parse-xml';

export type Xml =
  | { kind: 'document'; root: XmlElement }
  /** Nothing that is read, well-formed or not: no retry makes it better. */
  | { kind: 'forbidden'; why: string }
  /** Cut off or garbled on the way, perhaps. */
  | { kind: 'malformed' };

// Preservica's documents are five deep; what may be deeper, its metadata, is not read here.
const maxDepth = 100;
const mostParts = 100_000;

/**
 * Parses a document of the Entity API, in bounded memory, stack and time: each of its elements and attributes costs the
 * parser microseconds and hundreds of bytes, so it may have no more than `maxParts` of them. One with a document type is `forbidden`: with
 * it come entities, and Preservica sends none. No entity beyond XML's own five is known, and nothing is fetched. Never throws.
 */
export function readXml(text: string, maxParts = mostParts): Xml {
  const tags = surveyTags(text, maxParts);
  if (tags.kind !== 'fit') return tags;
  const xml = parse(text);
  if (xml.kind !== 'malformed') return xml;
  const mended = withoutControls(text);
  return mended === text ? xml : parse(mended);
}

function parse(text: string): Xml {
  let undefinedEntity = false;
  const resolveUndefinedEntity = (): null => {
    undefinedEntity = true;
    return null;
  };
  try {
    // The parser takes quadratic time to make line ends alike (XML 1.0, 2.11); done here, it finds them alike.
    const { root } = parseXml(text.replaceAll(/\r\n?/g, '\n'), { resolveUndefinedEntity });
    return root === null ? { kind: 'malformed' } : { kind: 'document', root };
  } catch {
    return undefinedEntity ? { kind: 'forbidden', why: 'an undefined entity' } : { kind: 'malformed' };
  }
}

/** The text with a replacement character for each one that XML may not hold, written as it is or by its number. */
function withoutControls(text: string): string {
  return text
    .replaceAll(/&#(?:(\d{1,7})|x([\da-f]{1,6}));/gi, (reference, decimal?: string, hex?: string) => {
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      return code > 0x10_ff_ff || notInXml.test(String.fromCodePoint(code)) ? '\ufffd' : reference;
    })
    .replaceAll(notInXmlEverywhere, '\ufffd');
}

const notInXml = /(?![\t\n\r\u007f-\u009f])[\p{Cc}\p{Cs}\ufffe\uffff]/u;
const notInXmlEverywhere = new RegExp(notInXml, 'gu');

// Prefixes are habits and namespaces change with every upgrade; local names stay.

/** The direct children of that local name. */
export function all(parent: XmlElement | undefined, name: string): XmlElement[] {
  return (parent?.children ?? []).filter(
    (child): child is XmlElement => child instanceof XmlElement && localName(child.name) === name,
  );
}

/** The first element down that path of local names. */
export function at(parent: XmlElement | undefined, ...path: string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((element, name) => all(element, name)[0], parent);
}

/** The text of the element down that path, its blanks included; undefined where it has nothing but blanks. */
export function textAt(parent: XmlElement | undefined, ...path: string[]): string | undefined {
  const text = at(parent, ...path)?.text;
  return text === undefined || text.trim() === '' ? undefined : text;
}

/** The same without the blanks around it, for what is a word and no text. */
export function wordAt(parent: XmlElement | undefined, ...path: string[]): string | undefined {
  return textAt(parent, ...path)?.trim();
}

/** The attribute of that local name; undefined where there is none. */
export function attributeOf(element: XmlElement, name: string): string | undefined {
  return Object.entries(element.attributes).find(([key]) => localName(key) === name)?.[1];
}

export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/**
 * Looks at the tags before the parser does, which takes a stack frame a level and an object an element. What cannot be
 * followed to its end is malformed, so the parser meets nothing that was not counted.
 */
function surveyTags(text: string, maxParts: number): { kind: 'fit' } | Exclude<Xml, { kind: 'document' }> {
  let depth = 0;
  let parts = 0;
  for (let from = text.indexOf('<'); from !== -1; from = text.indexOf('<', from)) {
    if (text.startsWith('<!DOCTYPE', from)) return { kind: 'forbidden', why: 'a document type' };
    const { end, attributes } = endOfMarkup(text, from);
    if (end === -1) return { kind: 'malformed' };
    parts += attributes;
    if (text[from + 1] === '/') depth -= 1;
    else parts += 1;
    if (!['/', '!', '?'].includes(text[from + 1] ?? '') && text[end - 2] !== '/') depth += 1;
    if (depth > maxDepth) return { kind: 'forbidden', why: 'elements nested too deeply' };
    if (parts > maxParts) return { kind: 'forbidden', why: 'too many elements' };
    from = end;
  }
  return { kind: 'fit' };
}

const sections = [
  { begin: '<!--', end: '-->' },
  { begin: '<![CDATA[', end: ']]>' },
  { begin: '<?', end: '?>' },
];

/** The index after the tag or other markup that begins there, -1 where it does not end, and how many attributes it has. */
function endOfMarkup(text: string, from: number): { end: number; attributes: number } {
  let attributes = 0;
  const section = sections.find(({ begin }) => text.startsWith(begin, from));
  if (section !== undefined) {
    const found = text.indexOf(section.end, from + section.begin.length);
    return { end: found === -1 ? -1 : found + section.end.length, attributes };
  }
  for (let index = from + 1; index < text.length; index += 1) {
    const character = text[index];
    if (character === '>') return { end: index + 1, attributes };
    if (character === '<') break;
    if (character === '"' || character === "'") {
      attributes += 1;
      index = text.indexOf(character, index + 1);
      if (index === -1) break;
    }
  }
  return { end: -1, attributes };
}
