import { parseXml, XmlElement } from '@rgrove/parse-xml';

export type { XmlElement } from '@rgrove/parse-xml';

export type Xml = { kind: 'document'; root: XmlElement } | { kind: 'forbidden' } | { kind: 'malformed' };

/**
 * Parses a document of the Entity API. One with a document type is `forbidden`: with it come entities, and Preservica
 * sends none. No entity beyond XML's own five is known, and nothing is fetched. Never throws.
 */
export function readXml(text: string): Xml {
  try {
    const { root, children } = parseXml(text, { preserveDocumentType: true });
    if (children.some(({ type }) => type === 'doctype')) return { kind: 'forbidden' };
    return root === null ? { kind: 'malformed' } : { kind: 'document', root };
  } catch (error) {
    // Too deep a nesting ends the parser's recursion, an unheard-of entity its patience: neither is an accident.
    const meant =
      error instanceof RangeError || (error instanceof Error && /^Named entity/.test(error.message));
    return { kind: meant ? 'forbidden' : 'malformed' };
  }
}

// Section 3.2: prefixes are habits and namespaces change with every upgrade; local names stay.

/** The direct children of that local name. */
export function all(parent: XmlElement | undefined, name: string): XmlElement[] {
  return (parent?.children ?? []).filter(
    (child): child is XmlElement => child instanceof XmlElement && localName(child) === name,
  );
}

/** The first element down that path of local names. */
export function at(parent: XmlElement | undefined, ...path: string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((element, name) => all(element, name)[0], parent);
}

/** The trimmed text of the element down that path; undefined where there is none. */
export function textAt(parent: XmlElement | undefined, ...path: string[]): string | undefined {
  const text = at(parent, ...path)?.text.trim();
  return text === '' ? undefined : text;
}

function localName(element: XmlElement): string {
  return element.name.slice(element.name.indexOf(':') + 1);
}
