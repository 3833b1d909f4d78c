export type Kind = 'preservica' | 'woodwing' | 'pywebhooks';

/** What a body of many bytes is made of, over and over. */
export const units = {
  emptyObject: () => '{}',
  emptyList: () => '[]',
  pair: (at: number) => `[${at},${at + 1}]`,
  deepList: () => '['.repeat(150) + ']'.repeat(150),
  deepObject: () => `${'{"a":'.repeat(150)}0${'}'.repeat(150)}`,
  newName: (at: number) => `{"${name(at)}":0}`,
  inTurns: (at: number) => `{"${name(at % 3_000)}":0}`,
  wideMap: (at: number) => objectOf(Array.from({ length: 5_000 }, (_, more) => name(at * 5_000 + more))),
  newOrder: (at: number) => objectOf(shuffled('abcdefghij', at)),
  sameNames: () => `{${'"a":0,'.repeat(200)}"a":0}`,
  wideObject: (at: number) => objectOf(Array.from({ length: 500 }, (_, more) => name(at * 500 + more))),
  digit: () => '1',
  number: (at: number) => `${at}.5e20`,
  longNumber: (at: number) => `1${String(at).padStart(18, '0')}`,
  hugeNumber: (at: number) => `${at}e999`,
  digits: () => '7'.repeat(1_000),
  shortText: (at: number) => `"${name(at)}"`,
  longText: () => `"${'x'.repeat(10_000)}"`,
  wideText: () => `"${'東京é'.repeat(1_000)}"`,
  escapes: () => String.raw`"${'\\u0041\\"\\\\\\ud800'.repeat(200)}"`,
  rawControls: () => `"a\u0001\u0002\u0003b"`,
  rawControlsOnly: () => `"${'\u0000'.repeat(5_000)}"`,
  controlsBetween: () => '1\u0000',
  marksBetween: () => '1\ufeff\u0085',
  oneControl: () => `"${'x'.repeat(200)}\n"`,
  blanks: () => `0${' '.repeat(1_000)}`,
  reference: (at: number) =>
    `{"entityType":"IO","entityRef":"11111111-2222-4333-8444-${String(at).padStart(12, '0')}"}`,
} satisfies Record<string, (at: number) => string>;
export type Unit = keyof typeof units;
export const unitNames = Object.keys(units) as Unit[];

export interface BodyPlan {
  readonly kind: Kind;
  /** `plain` is as the source system sends it. */
  readonly made:
    'plain' | { readonly of: readonly Unit[]; readonly beside: readonly Unit[]; readonly share: number };
  readonly bytes: number;
}

/** A body of about so many bytes: a list of the one kind of units, and members of the other beside it. */
export function bodyOf({ kind, made, bytes }: BodyPlan): Buffer {
  if (made === 'plain') return plain[kind](bytes);
  const inside = filled(made.of, bytes * (1 - made.share));
  const beside = filled(made.beside, bytes * made.share).map((unit, at) => `,"${name(at)}":${unit}`);
  const list =
    kind === 'preservica' ? inside.map((unit) => (unit.startsWith('{') ? unit : `{"a":${unit}}`)) : inside;
  return Buffer.from(`{${heads[kind]}:[${list.join(',')}]${beside.join('')}}`);
}

const heads = {
  preservica: '"subscriptionId":"s","timestamp":"2026-01-05T09:08:07.065","trigger":"MOVED","events"',
  woodwing:
    '"type":"asset_update_metadata","assetId":"Lq8_0aZtR-xK2mVbNcYp7W","timestamp":1767604087065,"metadata"',
  pywebhooks: '"id":"A-1","title":"Harbour","payload"',
};

const plain: Record<Kind, (bytes: number) => Buffer> = {
  preservica: (bytes) =>
    Buffer.from(
      JSON.stringify({
        subscriptionId: '0123456789abcdef0123456789abcdef',
        timestamp: '2026-01-05T09:08:07.065',
        tenant: 'ACME',
        version: '8.1',
        trigger: 'FULL_TEXT_INDEXED',
        events: Array.from({ length: bytes / 155 }, (_, at) => ({
          event: 'FullTextIndexed',
          entityType: 'IO',
          entityRef: `11111111-2222-4333-8444-${String(at).padStart(12, '0')}`,
          identifiers: [{ BatchId: `B-${at}` }],
        })),
      }),
    ),
  woodwing: (bytes) =>
    Buffer.from(
      JSON.stringify({
        type: 'asset_update_metadata',
        assetId: 'Lq8_0aZtR-xK2mVbNcYp7W',
        timestamp: 1_767_604_087_065,
        metadata: { relations: products(bytes) },
      }),
    ),
  pywebhooks: (bytes) =>
    Buffer.from(JSON.stringify({ id: 'A-1', title: 'Harbour', products: products(bytes) })),
};

function products(bytes: number): object[] {
  return Array.from({ length: bytes / 165 }, (_, at) => ({
    sku: `A-${at}`,
    title: `Harbour and quay, looking north, number ${at}`,
    price: at * 1.25,
    tags: ['photo', 'harbour'],
    url: `https://shop.example.org/items/${at}`,
  }));
}

function filled(names: readonly Unit[], bytes: number): string[] {
  const found: string[] = [];
  for (let at = 0, length = 0; length < bytes && names.length > 0; at += 1) {
    const unit = units[names[at % names.length] ?? 'digit'](at);
    found.push(unit);
    length += Buffer.byteLength(unit) + 1;
  }
  return found;
}

function objectOf(names: readonly string[]): string {
  return `{${names.map((each) => `"${each}":0`).join(',')}}`;
}

function name(at: number): string {
  return at.toString(36).padStart(4, '0');
}

function shuffled(letters: string, at: number): string[] {
  const left = letters.split('');
  let seed = at;
  return left.map((_, index) => {
    const chosen = index + (seed % (left.length - index));
    seed = Math.floor(seed / (left.length - index)) + at * 31;
    [left[index], left[chosen]] = [left[chosen] ?? '', left[index] ?? ''];
    return left[index] ?? '';
  });
}
