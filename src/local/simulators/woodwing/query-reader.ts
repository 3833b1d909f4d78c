export interface Term {
  readonly text: string;
  /** Set where it has wildcards. */
  readonly pattern: string | undefined;
}

export type Question =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Question[] }
  | { readonly kind: 'not'; readonly part: Question }
  | { readonly kind: 'term'; readonly field: string | undefined; readonly term: Term }
  | {
      readonly kind: 'range';
      readonly field: string;
      readonly from: string;
      readonly to: string;
      readonly withFrom: boolean;
      readonly withTo: boolean;
    };

class Broken extends Error {}

/** Reads a query; undefined where it is broken. */
export function readQuery(text: string): Question | undefined {
  try {
    return new Reader(text).whole();
  } catch (error) {
    if (error instanceof Broken) return undefined;
    throw error;
  }
}

// The characters with a meaning; a star and a question mark are wildcards.
const bare = /(?:[^\s+=&|!(){}[\]^"~:/\\<>-]|\\.|(?<=[^\s(:])[-+])+/uy;
const quoted = /"((?:[^"\\]|\\.)*)"/uy;
const field = /([\w*.]+):/uy;
const range = /([[{])\s*(\S+)\s+TO\s+([^\s\]}]+)\s*([\]}])/uy;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Question {
    const question = this.#either(undefined);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw new Broken();
    return question;
  }

  #either(of: string | undefined): Question {
    const parts = [this.#all(of)];
    while (this.#took(/(OR\b|\|\|)/uy)) parts.push(this.#all(of));
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'or', parts };
  }

  #all(of: string | undefined): Question {
    const parts = [this.#one(of)];
    for (;;) {
      const joined = this.#took(/(AND\b|&&)/uy);
      this.#skipSpace();
      const ended = this.#at === this.#text.length || this.#sees(/(\)|OR\b|\|\|)/uy);
      if (ended && !joined) break;
      parts.push(this.#one(of));
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'and', parts };
  }

  #one(of: string | undefined): Question {
    if (this.#took(/(NOT\b|-|!)/uy)) return { kind: 'not', part: this.#one(of) };
    this.#took(/\+/uy);
    if (this.#took(/\(/uy)) return this.#rest(of);
    const name = of === undefined ? this.#took(field)?.[1] : undefined;
    if (name === undefined) return { kind: 'term', field: of, term: this.#term() };
    const [, open, from, to, close] = this.#took(range) ?? [];
    if (from !== undefined && to !== undefined) {
      const bounds = { from: unquoted(from), to: unquoted(to) };
      return { kind: 'range', field: name, ...bounds, withFrom: open === '[', withTo: close === ']' };
    }
    if (this.#took(/\(/uy)) return this.#rest(name);
    return { kind: 'term', field: name, term: this.#term() };
  }

  #rest(of: string | undefined): Question {
    const question = this.#either(of);
    if (!this.#took(/\)/uy)) throw new Broken();
    return question;
  }

  #term(): Term {
    const inQuotes = this.#took(quoted)?.[1];
    if (inQuotes !== undefined) return { text: plainText(inQuotes), pattern: undefined };
    const word = this.#took(bare)?.[0];
    if (word === undefined || ['AND', 'OR', 'NOT'].includes(word)) throw new Broken();
    const text = plainText(word);
    return { text, pattern: /[*?]/.test(word) ? text : undefined };
  }

  #took(expression: RegExp): RegExpExecArray | undefined {
    this.#skipSpace();
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#at = expression.lastIndex;
    return found;
  }

  #sees(expression: RegExp): boolean {
    expression.lastIndex = this.#at;
    return expression.test(this.#text);
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at += 1;
  }
}

function plainText(text: string): string {
  return text.replaceAll(/\\(.)/gu, '$1');
}

function unquoted(bound: string): string {
  return plainText(bound.replaceAll(/^"|"$/g, ''));
}
