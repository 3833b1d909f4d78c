import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, at, attributeOf, readXml, textAt, wordAt } from '../../../src/sources/preservica/xml.ts';

const root = (text: string) => {
  const xml = readXml(text);
  return xml.kind === 'document' ? xml.root : undefined;
};

describe('a document', () => {
  it('is read by local names', () => {
    const element = root(
      '\uFEFF<?xml version="1.0"?><!-- > --><a:R xmlns:a="x"><L><b:T x:k="1">\r\n one <![CDATA[<two>]]></b:T><T/></L></a:R>',
    );
    expect(textAt(element, 'L', 'T')).toBe('\n one <two>');
    expect(wordAt(element, 'L', 'T')).toBe('one <two>');
    expect(all(at(element, 'L'), 'T').map((each) => attributeOf(each, 'k'))).toEqual(['1', undefined]);
    expect(textAt(element, 'L', 'T', 'None')).toBeUndefined();
    expect(at(undefined, 'L')).toBeUndefined();
  });

  it.each([
    ['a tag that ends in an attribute', '<r a="/>" b=\'/>\'><c/></r>'],
    ['tags inside comments, sections and instructions', '<r><!--<a><a>--><![CDATA[<a><a>]]><?p <a><a>?></r>'],
    ['a hundred levels', '<a>'.repeat(100) + '</a>'.repeat(100)],
    ['many children', `<r>${'<a/>'.repeat(99_999)}</r>`],
  ])('may have %s', (_name, text) => {
    expect(readXml(text).kind).toBe('document');
  });

  it.each([
    ['a hundred and one levels', '<a>'.repeat(101) + '</a>'.repeat(101)],
    ['levels hidden behind attributes', '<a b="/>">'.repeat(101) + '</a>'.repeat(101)],
    ['levels that never end', '<a>'.repeat(2_000_000)],
    ['too many elements', `<r>${'<a/>'.repeat(100_001)}</r>`],
    ['too many comments', `<r>${'<!---->'.repeat(100_001)}</r>`],
    ['too many attributes', `<r><a ${"b='' ".repeat(100_000)}/></r>`],
    ['too many attributes of a tag that closes', `<r></r ${"b='' ".repeat(100_001)}>`],
    ['a document type', '<!DOCTYPE r><r/>'],
    ['a document type after a comment', '<?xml version="1.0"?><!-- --> <!DOCTYPE r SYSTEM "file:///x"><r/>'],
    ['an undefined entity', '<r>&x;</r>'],
    ['an undefined entity in an attribute', '<r a="&x;"/>'],
  ])('with %s is forbidden', (_name, text) => {
    expect(readXml(text).kind).toBe('forbidden');
  });

  it.each([
    '',
    ' ',
    '<',
    '<r',
    '<r>',
    '<r></x>',
    '<r/><r/>',
    '<r a="></r>',
    '<r><!-- </r>',
    'r',
    '<r>&#0</r>',
  ])('like %j is malformed', (text) => {
    expect(readXml(text)).toEqual({ kind: 'malformed' });
  });

  it.each([
    ['a control character', 'a\u0001b', 'a\ufffdb'],
    ['the number of one', 'a&#11;b&#x1F;c&#0;d', 'a\ufffdb\ufffdc\ufffdd'],
    ['half a surrogate', 'a&#xD800;b', 'a\ufffdb'],
    ['no character', 'a\uffffb', 'a\ufffdb'],
    ['a number past all characters', 'a&#x110000;b', 'a\ufffdb'],
    ['one beside what it may have', '&#10;&#x41;&amp;\u000b', '\nA&\ufffd'],
  ])('that holds %s is read, with a replacement in its place', (_name, text, expected) => {
    expect(textAt(root(`<r><t>${text}</t></r>`), 't')).toBe(expected);
  });

  it('of control characters alone is read in time in proportion to its length', () => {
    const text = `<r><t>x${'&#1;\u0001'.repeat(300_000)}</t></r>`;
    expect(textAt(root(text), 't')).toHaveLength(600_001);
  });

  it('of any text at all is no accident', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '<',
        '>',
        '</',
        '/>',
        '<a',
        '<a>',
        '</a>',
        '"',
        "'",
        '&',
        ';',
        '<!--',
        '-->',
        '<?',
        '?>',
      ),
      fc.constantFrom('<![CDATA[', ']]>', '<!DOCTYPE', '[', ']', '\r', '&#', 'x', ':', '=', ' '),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        expect(['document', 'forbidden', 'malformed']).toContain(readXml(pieces.join('')).kind);
      }),
      { numRuns: 2_000 },
    );
  });

  it('may have no more elements and attributes than its kind has', () => {
    expect(readXml('<r><a b="c"/></r>', 3).kind).toBe('document');
    expect(readXml('<r><a b="c"/></r>', 2)).toMatchObject({ kind: 'forbidden', why: 'too many elements' });
  });

  it('takes time in proportion to its length, whatever its line ends', () => {
    const timeOf = (lineEnds: number): number => {
      const text = `<r>${'\r\n'.repeat(lineEnds)}</r>`;
      const began = performance.now();
      expect(readXml(text).kind).toBe('document');
      return performance.now() - began;
    };
    timeOf(16_000);
    // Quadratic, it would be a hundred times the time for ten times the length.
    expect(timeOf(160_000)).toBeLessThan(40 * Math.max(timeOf(16_000), 5));
  });
});
