import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Permit } from '../../../src/pipeline/ports/permit.ts';
import type { AssetEvent } from '../../../src/pipeline/model/event.ts';
import { decodeMessage, encodeMessage, type MessageHead } from '../../../src/pipeline/model/message.ts';
import { AssetDetails } from '../../../src/pipeline/model/record.ts';
import type { WebhookSecrets } from '../../../src/pipeline/ports/secrets.ts';
import { payloadClient } from '../../../src/sources/pywebhooks/payload.ts';
import { pywebhooksReceiver } from '../../../src/sources/pywebhooks/receiver.ts';
import { eventsIn } from '../../support/events-in.ts';

const S1 = '3f9a1c5e7b2d4f60819ac3e5d7f9012b4c6e8fa0';
const S2 = '0123456789abcdef0123456789abcdef01234567';

// What was signed, byte for byte.
const vectors: [string, string, string, string][] = [
  ['V1', S1, 'eyJtZXNzYWdlIjogInN0b2NrIGxvdyJ9', '3ca2837969e268c07d4bf26629cc6b2b255efa49'],
  [
    'V2',
    S1,
    'eyJzdGVwcyI6IFt7ImNvbXBpbGUiOiAxfSwgeyJ0ZXN0IjogMn1dLCAidGl0bGUiOiAibmlnaHRseSBidWlsZCJ9',
    '242f8404aa0935cbf0292e9146635653f2a3efc8',
  ],
  [
    'V3',
    S1,
    'eyJjaXR5IjogIlpcdTAwZmNyaWNoIiwgIm5hbWUiOiAiXHU2NWU1XHU2NzJjXHU4YTllIiwgInNpZ24iOiAiXHUyMGFjIn0=',
    'bbeb6254426bf55af8ca5dbe17159a83f337d31e',
  ],
  [
    'V4',
    S1,
    'eyJlbW9qaSI6ICJcdWQ4M2NcdWRmODkgZG9uZSIsICJmbGFnIjogIlx1ZDgzY1x1ZGRlOFx1ZDgzY1x1ZGRlZCJ9',
    '61faf89cec29574bd668e77de3ba74907053ebbe',
  ],
  [
    'V5',
    S1,
    'eyJhIjogeyJiIjogeyJlIjogW10sICJ5IjogIngifSwgImQiOiBbdHJ1ZSwgZmFsc2UsIG51bGxdfSwgIm0iOiB7fSwgInoiOiAxfQ==',
    '86fa99196f3f6b3550ec851ec1c70ca2d4b343c3',
  ],
  [
    'V6',
    S1,
    'eyJiaWciOiAxMjM0NTY3ODkwMTIsICJlMTYiOiAxZSsxNiwgImUyMSI6IDFlKzIxLCAiaGFsZiI6IDIuNSwgImludCI6IDUsICJuZWciOiAtMC43NSwgIm92ZXI1MyI6IDkwMDcxOTkyNTQ3NDA5OTIsICJzbWFsbCI6IDFlLTA1LCAidGVudGgiOiAwLjEsICJ0aW55IjogMWUtMDcsICJ3aG9sZSI6IDN9',
    '7589b994096fda2e0e2aa9ff52de840ee650da76',
  ],
  [
    'V7',
    S1,
    'eyJiIjogImFcXGIiLCAiY3RsIjogIlxiXGZcblxyXHRcdTAwMDFcdTAwMWYiLCAiZGVsIjogIlx1MDA3ZiIsICJscyI6ICJcdTIwMjgiLCAibmJzcCI6ICJcdTAwYTAiLCAicSI6ICJzYXkgXCJoaVwiIiwgInMiOiAiYS9iIn0=',
    'b506ed13ee4fb9cefcb76d01ff6d38c41ac0cf43',
  ],
  ['V8', S1, 'e30=', 'a712225bbac5d7a5dfedbe3000e13bbaaf3a7751'],
  ['V9', S1, 'bnVsbA==', '657748c7f72f357c16c579624bf65f65f8cbaff8'],
  ['V10', S1, 'W10=', '91f29a600111f6eb4ca7d8814164d814564b09f1'],
  ['V11', S1, 'InBsYWluIHRleHQi', 'ad577ab0a19c7a72158208bdb27186018b1f1f45'],
  ['V12', S1, 'WzEsICJ0d28iLCB7InRocmVlIjogM31d', '2c88c88b3ae6a59558237e1c2d9d8b7328ebaf96'],
  [
    'V13',
    S1,
    'eyIxMCI6IDUsICI5IjogNiwgIkEiOiAzLCAiQiI6IDEsICJfIjogNCwgImEiOiAyLCAiYWEiOiA4LCAiXHUwMGU5IjogN30=',
    '5854968ef8f5ef3886e88da7e957656ac1732b52',
  ],
  ['V14', S2, 'eyJtZXNzYWdlIjogInN0b2NrIGxvdyJ9', '1011cf7ae2d5b009767f80bb5238f05848950dd6'],
  [
    'V15',
    S2,
    'eyJjdXN0b21lciI6IHsibmFtZSI6ICJcdTAxN2RvZmlhIE5vdlx1MDBlMWtvdlx1MDBlMSIsICJub3RlIjogbnVsbCwgInZpcCI6IHRydWV9LCAibGluZXMiOiBbeyJwcmljZSI6IDEyLjQ1LCAicXR5IjogMiwgInNrdSI6ICJYMSJ9LCB7InByaWNlIjogMjUsICJxdHkiOiAxLCAic2t1IjogIlkyIn1dLCAib3JkZXJJZCI6ICJBLTEwMDEiLCAidG90YWwiOiA0OS45fQ==',
    '82a0afca9668a8a4ae2413ac951cb4275b7c3252',
  ],
  ['V16', S2, 'dHJ1ZQ==', '9b68622a41be1b958610fda68464f7b193bc8e2f'],
  ['V17', S2, 'NQ==', '9aee246bf7f5d475f15f21031179156e2d44c4dd'],
  [
    'V18',
    S2,
    'eyJ6IjogMywgIlx1ZmY1ZSI6IDEsICJcdWQ4M2RcdWRlMDAiOiAyfQ==',
    '46a7e6e958d4fd403ae0479eeae208bc8218f872',
  ],
];

type Settings = Parameters<typeof pywebhooksReceiver>[0];
const receiverWith = (given: Partial<Settings> = {}) =>
  pywebhooksReceiver({ pointers: {}, deduplicateMs: 0, ...given });
const receiver = receiverWith();
const receivedAt = new Date('2026-01-05T10:00:00Z');
const receipt = { source: 'stock', deliveryId: 'd-1', receivedAt };

const sign = (body: Uint8Array | string, key = S1): string =>
  createHmac('sha1', key).update(body).digest('hex');

interface Given {
  readonly method?: string;
  readonly query?: string;
  readonly headers?: [string, string][];
  readonly body?: Uint8Array | string;
}
function callOf({ method = 'POST', query = '', headers = [], body = '' }: Given) {
  return { method, query: new URLSearchParams(query), headers: new Map(headers), body: Buffer.from(body) };
}

function judge(body: Uint8Array | string, signature: string | undefined, secrets: WebhookSecrets = [S1]) {
  const headers: [string, string][] = signature === undefined ? [] : [['pywebhooks-signature', signature]];
  return receiver.verify(callOf({ headers, body }), secrets);
}

const ask = (query: string, given: Given = {}) =>
  receiver.verifyWithoutSecret(callOf({ method: 'GET', query, ...given }));

function eventOf(
  body: Uint8Array | string,
  given: Partial<Settings> & Partial<typeof receipt> & { eventName?: string } = {},
): AssetEvent {
  const reading = receiverWith(given).read(Buffer.from(body), { ...receipt, ...given });
  const [event, ...more] = eventsIn(reading);
  if (event === undefined || more.length > 0) throw new Error('not one event');
  return event;
}

const head: MessageHead = {
  v: 1,
  deliveryId: 'd-1',
  source: 'stock',
  receivedAt: receivedAt.toISOString(),
  traceparent: null,
  attempt: 0,
  replayId: null,
};

/** What the queue's other side reads of these events. */
function overTheQueue(events: AssetEvent[]): AssetEvent[] | undefined {
  const text = encodeMessage({ ...head, events });
  if (text === undefined) throw new Error('too large for a message');
  const decoded = decodeMessage(JSON.parse(Buffer.from(text).toString()));
  return decoded.kind === 'message' ? decoded.message.events : undefined;
}

/** What JSON can say of it: a number beyond all is null there, and a zero has no sign. */
const asJson = (events: AssetEvent[]): unknown => JSON.parse(JSON.stringify(events)) as unknown;

/** What `data` of an event holds for a payload: itself, or, where it is no object or could be taken for one that is not, a member of that name. */
const dataOf = (payload: unknown): unknown => {
  const itself = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
  return itself && Object.keys(payload).join() !== 'payload' ? payload : { payload };
};

describe('the published vectors', () => {
  it.each(vectors)('%s is proved and read', (_id, secret, base64, signature) => {
    const body = Buffer.from(base64, 'base64');
    expect(judge(body, signature, [secret])).toMatchObject({ kind: 'proved' });
    expect(judge(body, signature, [secret === S1 ? S2 : S1]).kind).toBe('not-proved');
    const event = eventOf(body);
    const exact = body.toString().replace('9007199254740992', '"9007199254740992"');
    expect(event.data).toEqual(dataOf(JSON.parse(exact)));
    expect(overTheQueue([event])).toEqual([event]);
  });

  it('of the original’s own tests is proved too', () => {
    const body = `"{'message': 'hello world'}"`;
    expect(judge(body, '1c38f2f288d9fd8639485c5151f7aed51b77df67', ['secret-key']).kind).toBe('proved');
  });

  // A sender may keep the order in which its payload was registered.
  it.each([
    [
      'V2',
      S1,
      '{"title": "nightly build", "steps": [{"compile": 1}, {"test": 2}]}',
      'bdb0da0e32599b163dd1eb1f428faac5c38ac62b',
    ],
    [
      'V13',
      S1,
      String.raw`{"B": 1, "a": 2, "A": 3, "_": 4, "10": 5, "9": 6, "\u00e9": 7, "aa": 8}`,
      '595c032bf286159c0c711c299518911af355b6c6',
    ],
    [
      'V18',
      S2,
      String.raw`{"\uff5e": 1, "\ud83d\ude00": 2, "z": 3}`,
      'be4f87206f59fdf2999d668ede6171e231d9b7ca',
    ],
  ])('%s with its keys in another order is proved', (_id, secret, body, signature) => {
    expect(judge(body, signature, [secret]).kind).toBe('proved');
  });

  const sorted = '{"steps": [{"compile": 1}, {"test": 2}], "title": "nightly build"}';
  it.each([
    ['compact JSON', '5a1dc8ed63ae3cdf6634f52fbd825be68b457e7e', 'wrong-signature'],
    ['the secret read as hex', 'f5d34ae755e9dd30d373885f3d8caa6e53b172a7', 'wrong-signature'],
    ['the secret in upper case', '2547b50d7f5dfc1981e53edb85434842f435bef6', 'wrong-signature'],
    ['a line end signed', 'c19c44e3f740066cecbe53b37d1cdb71c0d5ee74', 'wrong-signature'],
    ['SHA-256', '2d1aec222367526fd64f423e22ab9820a8cf5cbfb9ffe3af106850b3bc572ae3', 'malformed-signature'],
    ['Base64', 'JC+EBKoJNcvwKS6RRmNWU/Kj78g=', 'malformed-signature'],
    ['a title that was changed', '4be5043567b12c1f53f6cdb18144b5e14dd92935', 'wrong-signature'],
    ['no body', 'a3cf4bcf3ee1267882c9fb28f12b44bd7aa8bcbd', 'wrong-signature'],
    ["V3's other form", 'ba26ab5579e43e8a1cd262ae2c798e61a5c880ca', 'wrong-signature'],
  ])('are not signed as with %s', (_mistake, signature, why) => {
    expect(judge(sorted, '242f8404aa0935cbf0292e9146635653f2a3efc8')).toMatchObject({ kind: 'proved' });
    expect(judge(sorted, signature)).toEqual({ kind: 'not-proved', why });
  });

  it.each([
    [
      'compact',
      '{"steps":[{"compile":1},{"test":2}],"title":"nightly build"}',
      S1,
      '5a1dc8ed63ae3cdf6634f52fbd825be68b457e7e',
    ],
    [
      'raw UTF-8',
      '{"city": "Zürich", "name": "日本語", "sign": "€"}',
      S1,
      'ba26ab5579e43e8a1cd262ae2c798e61a5c880ca',
    ],
    ['with a line end', `${sorted}\n`, S1, 'c19c44e3f740066cecbe53b37d1cdb71c0d5ee74'],
  ])('count by the bytes that were signed, also where these are %s', (_name, body, secret, signature) => {
    expect(judge(body, signature, [secret])).toMatchObject({ kind: 'proved' });
    expect(eventOf(body).data).toEqual(JSON.parse(body));
  });
});

describe('proof', () => {
  const body = '{"message": "stock low"}';
  const good = sign(body);

  it.each([
    ['missing', undefined, 'no-signature'],
    ['empty', '', 'malformed-signature'],
    ['upper case', good.toUpperCase(), 'malformed-signature'],
    ['39 characters', good.slice(1), 'malformed-signature'],
    ['41 characters', `${good}0`, 'malformed-signature'],
    ['no hex', `${good.slice(1)}g`, 'malformed-signature'],
    ['letters whose low byte would fit', `\u0133${good.slice(1)}`, 'malformed-signature'],
    ['doubled', `${good}, ${good}`, 'malformed-signature'],
    ['followed by a line end', `${good}\n`, 'malformed-signature'],
    ['with a scheme', `sha1=${good}`, 'malformed-signature'],
    ['SHA-256', createHmac('sha256', S1).update(body).digest('hex'), 'malformed-signature'],
    [
      'SHA-256, cut to the length',
      createHmac('sha256', S1).update(body).digest('hex').slice(0, 40),
      'wrong-signature',
    ],
    ['all zeros', '0'.repeat(40), 'wrong-signature'],
    ["another body's", sign('{}'), 'wrong-signature'],
    ["another secret's", sign(body, S2), 'wrong-signature'],
  ])('is refused where the signature is %s', (_name, signature, why) => {
    expect(judge(body, signature)).toEqual({ kind: 'not-proved', why });
  });

  it.each(['x-hook-signature', 'preservica-signature'])('is not looked for in the header %s', (header) => {
    expect(receiver.verify(callOf({ headers: [[header, good]], body }), [S1])).toEqual({
      kind: 'not-proved',
      why: 'no-signature',
    });
  });

  it('is made by the current secret and by the one being retired, and by no third', () => {
    const secrets: WebhookSecrets = [S2, S1];
    expect(judge(body, sign(body, S2), secrets).kind).toBe('proved');
    expect(judge(body, sign(body, S1), secrets).kind).toBe('proved');
    expect(judge(body, sign(body, 'f'.repeat(40)), secrets).kind).toBe('not-proved');
    expect(judge(body, sign(body, S1), [S2]).kind).toBe('not-proved');
  });

  it('is made by no empty secret', () => {
    expect(judge(body, sign(body, ''), ['']).kind).toBe('not-proved');
  });

  it('does not cover the query, the event or how a header was written', () => {
    const headers: [string, string][] = [
      ['pywebhooks-signature', good],
      ['event', 'x'],
    ];
    for (const query of ['', 'echo=abc', `secret_key=${S2}&token=t`]) {
      expect(receiver.verify(callOf({ query, headers, body }), [S1])).toMatchObject({ kind: 'proved' });
      expect(receiver.verifyWithoutSecret(callOf({ query, headers, body }))).toBeUndefined();
    }
  });

  it('is no answer to a challenge of another kind, nor a part of one, even where both share a secret', () => {
    const code = fc.oneof(fc.json(), fc.stringMatching(/^[A-Za-z0-9._~+/=-]{1,256}$/));
    fc.assert(
      fc.property(code, fc.nat({ max: 24 }), (given, from) => {
        const answer = createHmac('sha256', S1).update(given).digest('hex');
        expect(judge(given, answer)).toMatchObject({ kind: 'not-proved' });
        expect(judge(given, answer.slice(from, from + 40))).toMatchObject({ kind: 'not-proved' });
      }),
    );
  });

  it('fails after any change of one byte of body or signature', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (given, at, change) => {
          const signature = sign(given);
          expect(judge(given, signature).kind).toBe('proved');
          const changed = Uint8Array.from(given, (byte, index) =>
            index === at % given.length ? byte ^ change : byte,
          );
          expect(judge(changed, signature).kind).toBe('not-proved');
          const letters = Buffer.from(signature);
          letters[at % 40] = (letters[at % 40] ?? 0) ^ change;
          expect(judge(given, letters.toString('latin1')).kind).toBe('not-proved');
        },
      ),
    );
  });
});

describe('the echo', () => {
  const hex = '4f6d0a1be27c38d95e60b1fa7c2d9483e5a6b7c8';

  it.each([
    ['as the original sends it', `echo=${hex}`, hex],
    ['of one letter', 'echo=a', 'a'],
    ['of 128 letters', `echo=${'Z'.repeat(128)}`, 'Z'.repeat(128)],
    ['with hyphen and underscore', 'echo=a_b-9', 'a_b-9'],
    ['beside a token of ours', `token=t&echo=${hex}&code=x`, hex],
    ['beside the names of headers', `event=x&pywebhooks-signature=y&echo=${hex}`, hex],
  ])('%s is answered with itself', (_name, query, echo) => {
    expect(ask(query)).toEqual({ kind: 'handshake', answer: { echo } });
  });

  it.each([
    ['empty', 'echo='],
    ['without a value', 'echo'],
    ['of 129 letters', `echo=${'a'.repeat(129)}`],
    ['of 10,000 letters', `echo=${'a'.repeat(10_000)}`],
    ['markup', 'echo=%3Cscript%3Ealert(1)%3C/script%3E'],
    ['a quote', 'echo=a%22b'],
    ['a blank', 'echo=a+b'],
    ['a line end', 'echo=abc%0A'],
    ['NUL', 'echo=abc%00'],
    ['other letters', 'echo=%C3%A9'],
    ['full-width digits', 'echo=%EF%BC%91'],
    ['invalid UTF-8', 'echo=%FF'],
    ['a dot', 'echo=a.b'],
  ])('that is %s is refused', (_name, query) => {
    expect(ask(query)).toEqual({ kind: 'refused', why: 'echo-not-answerable' });
  });

  it.each([
    ['twice', `echo=${hex}&echo=${hex}`],
    ['twice and different', 'echo=a&echo=b'],
    ['beside a secret', `echo=${hex}&secret_key=${S1}`],
    ['beside a key', `api_key=${S1}&echo=${hex}`],
    ['nowhere', ''],
    ['in other letters', `ECHO=${hex}`],
    ['in another parameter', `challengeCode=${hex}`],
    ['as a list', `echo[]=${hex}`],
  ])('that stands %s is no question that can be answered', (_name, query) => {
    expect(ask(query)).toEqual({ kind: 'refused', why: 'no-question' });
  });

  it('needs no secret, since it comes before there is one', () => {
    expect(receiver.methods).toContain('GET');
    // `judgeAlone` is not given any.
    expect(ask(`echo=${hex}`)?.kind).toBe('handshake');
  });

  it('is never more than text that neither a browser nor a shell reads', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.stringMatching(/^[A-Za-z0-9_-]{1,140}$/),
    );
    fc.assert(
      fc.property(text, (echo) => {
        const verdict = ask(new URLSearchParams({ echo }).toString());
        const answerable = /^[A-Za-z0-9_-]{1,128}$/.test(echo);
        expect(verdict).toEqual(
          answerable
            ? { kind: 'handshake', answer: { echo } }
            : { kind: 'refused', why: 'echo-not-answerable' },
        );
      }),
    );
  });
});

describe.each([
  ['secret_key', 'secret', 'api_key'],
  ['api_key', 'api-key', 'secret_key'],
])('a new %s', (name, which, other) => {
  it('is offered, not believed, beside whatever else stands in the address', () => {
    const offered = { kind: 'secret-offered', which, value: S2 };
    expect(ask(`${name}=${S2}`)).toEqual(offered);
    expect(ask(`token=t&${name}=${S2}`)).toEqual(offered);
  });

  it.each([
    ['short', 'xyz'],
    ['empty', ''],
    ['39 digits', S2.slice(1)],
    ['41 digits', `${S2}0`],
    ['upper case', S2.toUpperCase()],
    ['no hex', `${S2.slice(1)}g`],
    ['followed by a line end', `${S2}\n`],
    ['a URL', 'https://example.org/'],
  ])('that is %s is malformed', (_name, value) => {
    const query = new URLSearchParams({ [name]: value }).toString();
    expect(ask(query)).toEqual({ kind: 'refused', why: 'malformed-key' });
  });

  it.each([
    ['twice', `${name}=${S1}&${name}=${S2}`],
    ['twice the same', `${name}=${S1}&${name}=${S1}`],
    ['beside the other', `${name}=${S1}&${other}=${S2}`],
    ['beside an echo', `${name}=${S1}&echo=abc`],
    ['beside a malformed one', `${name}=${S1}&${other}=`],
    ['in other letters', `${name.toUpperCase()}=${S1}`],
  ])('that stands %s is refused', (_name, query) => {
    expect(ask(query)).toEqual({ kind: 'refused', why: 'no-question' });
  });

  it('in the address of a POST is none', () => {
    expect(ask(`${name}=${S2}`, { method: 'POST' })).toEqual({ kind: 'not-proved', why: 'no-signature' });
    expect(receiver.verify(callOf({ query: `${name}=${S2}` }), [S1])).toEqual({
      kind: 'not-proved',
      why: 'no-signature',
    });
  });
});

describe('a payload', () => {
  it.each([
    ['null', null],
    ['5', 5],
    ['-0.5e3', -500],
    ['true', true],
    ['""', ''],
    ['"x"', 'x'],
    ['[]', []],
    ['[1, "two", {"three": 3}]', [1, 'two', { three: 3 }]],
    ['{}', {}],
    ['{"a":1}', { a: 1 }],
    [
      '{"headers": {"event": "x"}, "query": "q", "source": 5}',
      { headers: { event: 'x' }, query: 'q', source: 5 },
    ],
    ['{"id": "x", "type": "t", "events": [], "data": null}', { id: 'x', type: 't', events: [], data: null }],
    [
      '{"constructor": 5, "toString": null, "hasOwnProperty": 1}',
      { constructor: 5, toString: null, hasOwnProperty: 1 },
    ],
    ['{"payload": 5}', { payload: 5 }],
    ['{"payload": [5], "title": "t"}', { payload: [5], title: 't' }],
    ['{"alike": {}, "removal": true, "assetId": "x"}', { alike: {}, removal: true, assetId: 'x' }],
    ['\ufeff{"a": 1}', { a: 1 }],
    ['{"a": "\\ud800"}', { a: '\ud800' }],
    [' \r\n{"a": 1}\n', { a: 1 }],
    [`${'['.repeat(200)}${']'.repeat(200)}`, undefined],
  ])('of %s is an event of its own words', (body, payload) => {
    expect(judge(body, sign(body))).toMatchObject({ kind: 'proved' });
    const event = eventOf(body);
    expect(event).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) as string,
      type: 'event',
      assetKind: 'other',
      occurredAt: '2026-01-05T10:00:00.000Z',
      identifiers: [],
      data: payload === undefined ? dataOf(JSON.parse(body)) : dataOf(payload),
    });
    expect(overTheQueue([event])).toEqual([event]);
  });

  it('may hold a member that is named __proto__, which is no prototype', () => {
    const { data } = eventOf('{"__proto__": {"polluted": true}, "a": {"__proto__": 5}}');
    expect(Object.keys(data)).toEqual(['__proto__', 'a']);
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('with a member that is named __proto__ comes through the queue as it was', () => {
    const event = eventOf('{"__proto__": {"a": 1}}');
    expect(Object.keys(overTheQueue([event])?.[0]?.data ?? {})).toEqual(['__proto__']);
  });

  it.each([
    ['empty', ''],
    ['blanks', ' \n'],
    ['text', 'OK'],
    ['a form', 'a=1'],
    ['half an object', '{"a": 1'],
    ['with NUL behind it', '{"a": 1}\0'],
    ["Python's own text", "{'a': 1}"],
    ['NaN', '{"a": NaN}'],
    ['nested past all sense', '['.repeat(100_000)],
    ['nested past all sense, and closed', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('that is %s cannot be read, though it is proved', (_name, body) => {
    expect(judge(body, sign(body))).toMatchObject({ kind: 'proved' });
    const why = body.startsWith('[[') ? 'too-dense' : 'not-json';
    expect(receiver.read(Buffer.from(body), receipt)).toEqual({ kind: 'unreadable', why });
  });

  it('never makes reading throw, and comes through the queue as it was', () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.tuple(fc.json(), fc.nat(), fc.string({ unit: 'binary', maxLength: 3 })).map(([text, at, odd]) => {
        const place = at % (text.length + 1);
        return Buffer.from(text.slice(0, place) + odd + text.slice(place));
      }),
    );
    const eventName = fc.option(fc.string({ unit: 'binary', maxLength: 400 }), { nil: undefined });
    const settings = fc.record({
      deduplicateMs: fc.constantFrom(0, 1_000, 604_800_000),
      pointers: fc.record(
        { assetId: fc.constantFrom('/a', '/0', '/', '/payload', '/~0', '/a/~1', 'no pointer', '') },
        { requiredKeys: [] },
      ),
    });
    fc.assert(
      fc.property(body, eventName, settings, (given, event, setting) => {
        const reading = receiverWith(setting).read(given, { ...receipt, eventName: event });
        if (reading.kind !== 'events') return;
        expect(reading.events).toHaveLength(1);
        expect(overTheQueue(eventsIn(reading))).toEqual(asJson(eventsIn(reading)));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the event header', () => {
  const hintOf = (headers: [string, string][]) => receiver.eventName?.(callOf({ headers }));

  it.each([
    ['given', 'stock.low', 'stock.low'],
    ['absent', undefined, 'event'],
    ['empty', '', 'event'],
    ['of 256 characters', 'x'.repeat(256), 'x'.repeat(256)],
    ['of 10,000 characters', 'x'.repeat(10_000), 'x'.repeat(256)],
    ['with control characters', 'a\r\nb\u0000c\u001b[31m', 'a\ufffd\ufffdb\ufffdc\ufffd[31m'],
    ['of other letters', 'Lager b\u00e4st \u20ac', 'Lager b\u00e4st \u20ac'],
    ['cut inside a pair', `${'x'.repeat(255)}\u{1f4f7}`, 'x'.repeat(255)],
    ['that is the name of a function', 'constructor', 'constructor'],
  ])('that is %s gives the type', (_name, header, type) => {
    const eventName = hintOf(header === undefined ? [] : [['event', header]]);
    const event = eventOf('{}', eventName === undefined ? {} : { eventName });
    expect(event.type).toBe(type);
    expect(overTheQueue([event])).toEqual([event]);
  });

  it('is no part of what makes an event the same', () => {
    expect(eventOf('{}', { eventName: 'a' }).id).toBe(eventOf('{}', { eventName: 'b' }).id);
    expect(eventOf('{}', { eventName: 'a', deduplicateMs: 60_000 }).dedupe).toEqual(
      eventOf('{}', { eventName: 'b', deduplicateMs: 60_000 }).dedupe,
    );
  });

  it.each([0, 256, 1_024])(
    'of %i characters comes along with a payload too large for a message',
    (length) => {
      expect(claimWith('x'.repeat(length))).toBe('message');
    },
  );

  // A claim holds at most 1,024 characters of it: a longer one would be answered 200, and then read by nobody.
  it.each([1_025, 10_000])(
    'of %i characters comes along with a payload too large for a message',
    (length) => {
      expect(claimWith('x'.repeat(length))).toBe('message');
    },
  );

  function claimWith(header: string): string {
    const eventName = hintOf([['event', header]]);
    const claim = {
      blob: 'stock/2026-01-05/d-1',
      from: 0,
      to: 1,
      ...(eventName === undefined ? {} : { eventName }),
    };
    const text = encodeMessage({ ...head, claim });
    return decodeMessage(JSON.parse(text ?? '')).kind;
  }
});

describe('the id of an asset', () => {
  const payload = JSON.stringify({
    asset: { id: 'A-1001', empty: '', blank: '  ', list: ['first', { id: 7 }], yes: true, none: null },
    number: 42,
    big: 1e21,
    largest: 9_007_199_254_740_991,
    below: -7,
    fraction: 1.5,
    'a/b': { '~c': 'escaped' },
    '': 'under no name',
    longest: 'x'.repeat(512),
    long: 'x'.repeat(2_000),
    cut: `${'x'.repeat(511)}\u{1f4f7}`,
    edge: `${'x'.repeat(512)}\u{1f4f7}`,
    odd: 'a\u0000b\r\nc',
    half: 'a\ud800',
    replaced: 'a\ufffdb',
  });

  it.each([
    ['text', '/asset/id', 'A-1001'],
    ['a number', '/number', '42'],
    ['the largest exact number', '/largest', '9007199254740991'],
    ['a number below zero', '/below', '-7'],
    ['text in a list', '/asset/list/0', 'first'],
    ['a number through a list', '/asset/list/1/id', '7'],
    ['text under escaped names', '/a~1b/~0c', 'escaped'],
    ['text under the empty name', '/', 'under no name'],
  ])('is %s that the pointer leads to', (_name, assetId, expected) => {
    const event = eventOf(payload, { pointers: { assetId } });
    expect(event).toMatchObject({ assetKind: 'asset', assetId: expected });
    expect(overTheQueue([event])).toEqual([event]);
  });

  // It must never become the id of another asset: the event is kept, and ends as one of an impossible id.
  it.each([
    ['long text', '/long'],
    ['text that a cut would part inside a pair', '/cut'],
    ['text that is too long by a pair', '/edge'],
    ['text with control characters', '/odd'],
    ['half a pair', '/half'],
    ['what stands for unreadable text', '/replaced'],
  ])('is impossible where the pointer leads to %s', (_name, assetId) => {
    const event = eventOf(payload, { pointers: { assetId } });
    expect(event).toMatchObject({
      assetKind: 'asset',
      assetId: expect.not.stringMatching(/\p{Cc}/u) as string,
    });
    expect(receiver.assetId(event.assetId ?? '')).toBeUndefined();
    expect(overTheQueue([event])).toEqual([event]);
  });

  it('may be as long as 512 characters', () => {
    const { assetId } = eventOf(payload, { pointers: { assetId: '/longest' } });
    expect(receiver.assetId(assetId ?? '')).toBe('x'.repeat(512));
  });

  it.each([
    ['a large number', '/big'],
    ['a fraction', '/fraction'],
    ['empty text', '/asset/empty'],
    ['blanks', '/asset/blank'],
    ['an object', '/asset'],
    ['a list', '/asset/list'],
    ['a truth', '/asset/yes'],
    ['null', '/asset/none'],
    ['nothing', '/asset/nowhere'],
    ['nothing in nothing', '/nowhere/at/all'],
    ['past the end of a list', '/asset/list/2'],
    ['the new end of a list', '/asset/list/-'],
    ['the length of a list', '/asset/list/length'],
    ['a letter of a text', '/asset/id/0'],
    ['the length of a text', '/asset/id/length'],
    ['what every object inherits', '/constructor/name'],
    ['a prototype', '/__proto__/constructor/name'],
    ['an escape unescaped', '/a/b'],
    ['no pointer', 'asset'],
    ['an escape that is none', '/~2'],
  ])('is none where the pointer leads to %s', (_name, assetId) => {
    const event = eventOf(payload, { pointers: { assetId } });
    expect(event.assetKind).toBe('other');
    expect(event).not.toHaveProperty('assetId');
  });

  it('is found in a payload that is a list, and not in one that is a plain value', () => {
    expect(eventOf('[{"id": "q"}]', { pointers: { assetId: '/0/id' } }).assetId).toBe('q');
    expect(eventOf('["q"]', { pointers: { assetId: '/0' } }).assetId).toBe('q');
    for (const body of ['"q"', '5', 'null', 'true', '[]']) {
      expect(eventOf(body, { pointers: { assetId: '/0' } })).not.toHaveProperty('assetId');
    }
  });

  it('is none where no pointer is set', () => {
    expect(eventOf(payload)).toMatchObject({ assetKind: 'other' });
  });

  it.each(['1234567890123456789', '-9007199254740993', '1e999'])(
    'is the digits of a number that no double holds: %s',
    (number) => {
      const event = eventOf(`{"id": ${number}}`, { pointers: { assetId: '/id' } });
      expect(event).toMatchObject({ assetKind: 'asset', assetId: number, data: { id: number } });
    },
  );

  it.each([
    ['any text', 'A-1001', true],
    ['other letters', 'Žofia 日本', true],
    ['512 characters', 'x'.repeat(512), true],
    ['513 characters', 'x'.repeat(513), false],
    ['empty', '', false],
    ['a line end', 'a\nb', false],
    ['a replaced character', 'a\ufffdb', false],
    ['NUL', 'a\u0000', false],
    ['half a pair', 'a\ud800', false],
    ['no character', 'a\uffff', false],
  ])('can be %s, as long as it can be shown and kept', (_name, id, possible) => {
    expect(receiver.assetId(id)).toBe(possible ? id : undefined);
  });
});

describe('two deliveries of one body', () => {
  const [one, other] = ['d-1', 'd-2'].map((deliveryId) => eventOf('{}', { deliveryId }));

  it('are two events', () => {
    expect(one?.id).not.toBe(other?.id);
    expect(one).not.toHaveProperty('dedupe');
    expect(eventOf('{"a": 1}', { deliveryId: 'd-1' }).id).toBe(one?.id);
  });

  it('say by what they are one where a window is set', () => {
    const within = { deduplicateMs: 60_000 };
    const event = eventOf('{}', { ...within, deliveryId: 'd-1' });
    expect(event).toMatchObject({
      id: one?.id,
      // sha256sum of the two characters.
      dedupe: {
        key: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
        windowMs: 60_000,
      },
    });
    expect(eventOf('{} ', within).dedupe?.key).not.toBe(event.dedupe?.key);
    expect(overTheQueue([event])).toEqual([event]);
  });
});

describe('the record of a payload', () => {
  const permit: Permit = {
    call: () => Promise.reject(new Error('there is nobody to ask')),
    end: () => undefined,
  };
  /** As the pipeline does: from the bytes to an event, over the queue, and from there to a record. */
  async function recordOf(body: string, pointers: Settings['pointers'] = {}) {
    const [event] = overTheQueue([eventOf(body, { pointers })]) ?? [];
    if (event === undefined) throw new Error('no event');
    const fetchResult = await payloadClient({ pointers }).fetchAsset(
      { kind: 'asset', id: 'A-1001' },
      permit,
      new AbortController().signal,
      { event, laterEventKnown: false, removed: false },
    );
    if (fetchResult.kind !== 'found') throw new Error(fetchResult.kind);
    expect(fetchResult.thumbnail).toEqual({ kind: 'none' });
    return AssetDetails.parse(fetchResult.details);
  }

  it('is the payload itself, without anything that was asked', async () => {
    const payload = { asset: { title: 'Harbour', page: 'https://shop.example.org/a/1?x=y#z' }, total: 49.9 };
    const pointers = { title: '/asset/title', link: '/asset/page' };
    expect(await recordOf(JSON.stringify(payload), pointers)).toEqual({
      kind: 'asset',
      title: 'Harbour',
      links: { page: 'https://shop.example.org/a/1?x=y#z' },
      details: payload,
    });
    expect(await recordOf(JSON.stringify(payload))).toEqual({
      kind: 'asset',
      title: null,
      links: {},
      details: payload,
    });
  });

  it.each([
    ['a list', '[{"title": "Harbour"}]', '/0/title', 'Harbour'],
    ['text', '"Harbour"', '/0', null],
    ['null', 'null', '/title', null],
  ])(
    'of a payload that is %s has what the pointer leads to for a title',
    async (_name, body, title, expected) => {
      expect(await recordOf(body, { title })).toMatchObject({
        title: expected,
        details: { payload: JSON.parse(body) as unknown },
      });
    },
  );

  it.each([
    ['a number', '{"t": 1001}', '1001'],
    ['empty', '{"t": ""}', null],
    ['an object', '{"t": {}}', null],
    ['absent', '{}', null],
    ['over a thousand characters', JSON.stringify({ t: 'x'.repeat(1_001) }), 'x'.repeat(1_000)],
    ['with control characters', '{"t": "a\\u0000\\nb"}', 'a\ufffd\ufffdb'],
  ])('has the title that is %s', async (_name, body, title) => {
    expect((await recordOf(body, { title: '/t' })).title).toBe(title);
  });

  it.each([
    ['https://a.example', 'https://a.example/'],
    ['http://a.example/x', 'http://a.example/x'],
    ['HTTPS://A.example/', 'https://a.example/'],
    ['https://a.example/é?q=1#f', 'https://a.example/%C3%A9?q=1#f'],
    ['https://a.example\\x', 'https://a.example/x'],
    ['https://a.example/x/../y', 'https://a.example/y'],
    ['https://аpple.example/', 'https://xn--pple-43d.example/'],
    ['https://a.example/<script>"', 'https://a.example/%3Cscript%3E%22'],
  ])('links to %s as a parser of addresses writes it', async (address, page) => {
    const { links } = await recordOf(JSON.stringify({ l: address }), { link: '/l' });
    expect(links).toEqual({ page });
  });

  it.each([
    ['a script', 'javascript:alert(1)'],
    ['a script behind a blank', ' javascript:alert(1)'],
    ['a script with a line end inside', 'java\nscript:alert(1)'],
    ['a script like an address', 'JaVaScRiPt://a.example/%0aalert(1)'],
    ['data', 'data:text/html,x'],
    ['a file', 'file:///etc/hosts'],
    ['FTP', 'ftp://a.example/'],
    ['a blob', 'blob:https://a.example/x'],
    ['a source text', 'view-source:https://a.example/'],
    ['without a scheme', '//a.example/x'],
    ['a path', '/x'],
    ['a name', 'a.example'],
    ['without a host', 'https://'],
    ['over 2,048 characters', `https://a.example/${'x'.repeat(2_048)}`],
    ['over 2,048 characters once it is written out', `https://a.example/${'é'.repeat(500)}`],
    ['without slashes', 'http:evil.example'],
    ['with one slash', 'https:/evil.example'],
    ['with three slashes', 'https:///evil.example'],
    ['with backslashes', 'https:\\\\evil.example'],
    ['with a user', 'https://a.example@evil.example/'],
    ['with a user and a password', 'http://user:pw@evil.example/'],
    ['with no user before the sign', 'http://:pw@evil.example/'],
    ['turned in its direction', 'https://a.example/\u202egpj.exe'],
    ['with a mark of direction', 'https://a.example/\u200fx'],
    ['with a mark of direction in its host', 'https://a\u061c.example/'],
    ['with a separator of lines', 'https://a.example/\u2028x'],
    ['behind a separator of lines', '\u2029https://a.example/x'],
    ['with a control character', 'https://a.example/\u0085x'],
    ['empty', ''],
  ])('links to nothing where the address is %s', async (_name, address) => {
    expect((await recordOf(JSON.stringify({ l: address }), { link: '/l' })).links).toEqual({});
  });

  it.each([
    ['a number', 5],
    ['a list', ['https://a.example/']],
    ['null', null],
  ])('links to nothing where the address is %s', async (_name, given) => {
    expect((await recordOf(JSON.stringify({ l: given }), { link: '/l' })).links).toEqual({});
  });

  it.each(['https://a.example/\u0000x', 'https://a.exa\nmple/', ' https://a.example/'])(
    'links to no address that a page cannot hold as it stands: %j',
    async (address) => {
      const { links } = await recordOf(JSON.stringify({ l: address }), { link: '/l' });
      expect(links.page ?? '').not.toMatch(/[\s\p{Cc}]/u);
    },
  );

  it.each([
    ['that alone', '{"payload": [{"title": "Harbour"}]}', '/payload/0/title'],
    ['that alone, of an object', '{"payload": {"title": "Harbour"}}', '/payload/title'],
    ['that alone, of one more', '{"payload": {"payload": "Harbour"}}', '/payload/payload'],
    ['that beside others', '{"payload": [1], "title": "Harbour"}', '/title'],
  ])(
    'has its title and itself for its details where it has a member "payload", %s',
    async (_name, body, title) => {
      expect(await recordOf(body, { title })).toMatchObject({
        title: 'Harbour',
        details: JSON.parse(body) as object,
      });
    },
  );

  // A payload that is no object is kept as a member of that name, and only then pointers lead into it.
  it('looks nowhere but where the pointer leads', async () => {
    const body = '{"payload": {"title": "of something else"}}';
    expect((await recordOf(body, { title: '/title' })).title).toBeNull();
  });
});
