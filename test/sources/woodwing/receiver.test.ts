import { createHmac } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bodies } from '../../../src/functions/bodies.ts';
import type { AssetEvent } from '../../../src/pipeline/model/event.ts';
import { decodeMessage, encodeMessage, type AssetMessage } from '../../../src/pipeline/model/message.ts';
import type { WebhookSecrets } from '../../../src/pipeline/ports/secrets.ts';
import { challengeAnswer, isAnswerableCode } from '../../../src/sources/preservica/signature.ts';
import { pywebhooksReceiver } from '../../../src/sources/pywebhooks/receiver.ts';
import { woodwingReceiver } from '../../../src/sources/woodwing/receiver.ts';
import { bodyOf, vectors } from './vectors.ts';
import { eventsIn } from '../../support/events-in.ts';

const token = 'AAECAwQFBgcICQoLDA0ODw==';
const assetId = 'AbCdEfGhIjKlMnOpQrStUv';
const receipt = { source: 'photos', deliveryId: 'd-1', receivedAt: new Date('2026-01-05T10:00:00Z') };
const receivedAt = '2026-01-05T10:00:00.000Z';

const sign = (body: Uint8Array | string, key = token): string =>
  createHmac('sha256', key).update(body).digest('hex');

function judge(
  body: Uint8Array | string,
  signature: string | undefined,
  secrets: WebhookSecrets = [token],
  header = 'x-hook-signature',
) {
  return woodwingReceiver.verify(
    {
      method: 'POST',
      query: new URLSearchParams(),
      headers: new Map(signature === undefined ? [] : [[header, signature]]),
      body: Buffer.from(body),
    },
    secrets,
  );
}

function read(body: Uint8Array | string, deliveryId = receipt.deliveryId) {
  return woodwingReceiver.read(Buffer.from(body), { ...receipt, deliveryId });
}

function eventOf(document: unknown, deliveryId?: string): AssetEvent {
  const body =
    typeof document === 'string' || document instanceof Uint8Array ? document : JSON.stringify(document);
  const reading = read(body, deliveryId);
  const [event, ...more] = eventsIn(reading);
  if (event === undefined || more.length > 0) throw new Error('not one event');
  return event;
}

function payload(given: object = {}) {
  return { timestamp: 1_767_225_600_000, type: 'asset_update_metadata', assetId, ...given };
}

/** What the queue's other side reads of these events. */
function overTheQueue(events: AssetEvent[]): AssetEvent[] | undefined {
  const message: AssetMessage = {
    v: 1,
    deliveryId: 'd-1',
    source: 'photos',
    receivedAt,
    traceparent: null,
    attempt: 0,
    replayId: null,
    events,
  };
  const text = encodeMessage(message);
  if (text === undefined) throw new Error('too large for a message');
  const decoded = decodeMessage(JSON.parse(Buffer.from(text).toString()));
  return decoded.kind === 'message' ? decoded.message.events : undefined;
}

/** What JSON can say of it: a number beyond all is null there, and a zero has no sign. */
const asJson = (events: AssetEvent[]): unknown => JSON.parse(JSON.stringify(events)) as unknown;

describe('the published vectors', () => {
  const read1 = { type: 'asset_update_metadata', assetKind: 'asset', assetId };

  it.each<[keyof typeof vectors, string, object]>([
    ['V1', 'plain ASCII', { ...read1, occurredAt: '2023-11-14T22:13:20.000Z' }],
    [
      'V2',
      'accents as UTF-8',
      { data: { metadata: { filename: 'Café Zürich – Straße.jpg', creatorName: 'Åsa Núñez' } } },
    ],
    [
      'V3',
      'an emoji, and a token with + and /',
      { data: { changedMetadata: { filename: { oldValue: '画像.png', newValue: '写真📷.png' } } } },
    ],
    ['V4', 'escapes', { type: 'asset_move', data: { metadata: { folderPath: '/Demo Zone/Café' } } }],
    ['V5', 'odd numbers', { data: { metadata: { resolutionPpi: 300, widthPt: 1281.6 } } }],
    ['V6', 'line ends and blanks', { type: 'folder_create', assetKind: 'folder' }],
    ['V8', 'keys like integers', { assetKind: 'other', occurredAt: receivedAt }],
    ['V9', 'a decomposed name', { data: { metadata: { filename: 'Cafe\u0301.jpg' } } }],
    ['V10', 'a composed name', { data: { metadata: { filename: 'Caf\u00e9.jpg' } } }],
    ['V11', 'a BOM', { type: 'authkey_create', assetKind: 'other' }],
    ['V12', 'an invalid byte', { data: { metadata: { filename: 'caf\ufffd.jpg' } } }],
  ])('%s, %s, is proved and read', (name, _what, expected) => {
    expect(judge(bodyOf(name), vectors[name].signature, [vectors[name].token])).toMatchObject({
      kind: 'proved',
    });
    expect(eventOf(bodyOf(name))).toMatchObject(expected);
  });

  it('V7, an empty body, is proved and cannot be read', () => {
    expect(judge(bodyOf('V7'), vectors.V7.signature, [vectors.V7.token])).toMatchObject({ kind: 'proved' });
    expect(read(bodyOf('V7'))).toEqual({ kind: 'unreadable', why: 'not-json' });
  });

  it('are proved by no other token, and by no other vector’s signature', () => {
    const all = Object.values(vectors);
    for (const { signature, base64, token: own } of all) {
      const body = Buffer.from(base64, 'base64');
      expect(judge(body, signature, [`${own}x`]).kind).toBe('not-proved');
      for (const other of all.filter((each) => each.signature !== signature)) {
        expect(judge(body, other.signature, [own]).kind).toBe('not-proved');
      }
    }
  });

  it.each([
    [
      'the token decoded from Base64',
      '3113cd2dc445c86c095e6c2629ca93cbef409d751f5d80f1be9c154ee4614ff7',
      'wrong-signature',
    ],
    ['Base64 in place of hex', 'ISMX0iX0hFvcyRAyNrlFKshOMQsXNcAiiMel4CfpKtg=', 'malformed-signature'],
    ['SHA-1', '4c210a131a4e7a6672692591a8941079d9dab051', 'malformed-signature'],
    [
      'a body with one more line end',
      '0a3baf88e96e39f5c165a03c84a67f8c8d19029b6c6e002cef3d1732e0be10fa',
      'wrong-signature',
    ],
  ])('are not signed as with %s', (_mistake, signature, why) => {
    expect(judge(bodyOf('V1'), signature)).toEqual({ kind: 'not-proved', why });
  });
});

describe('proof', () => {
  const body = bodyOf('V1');
  const good = vectors.V1.signature;

  it.each([
    ['missing', undefined, 'no-signature'],
    ['empty', '', 'malformed-signature'],
    ['upper case', good.toUpperCase(), 'malformed-signature'],
    ['one upper-case digit', good.replace('d', 'D'), 'malformed-signature'],
    ['63 characters', good.slice(1), 'malformed-signature'],
    ['65 characters', `${good}0`, 'malformed-signature'],
    ['no hex', `${good.slice(1)}g`, 'malformed-signature'],
    ['letters whose low byte would fit', `\u0132${good.slice(1)}`, 'malformed-signature'],
    ['doubled', `${good}, ${good}`, 'malformed-signature'],
    ['followed by a line end', `${good}\n`, 'malformed-signature'],
    ['behind a blank', ` ${good}`, 'malformed-signature'],
    ['with a scheme', `sha256=${good}`, 'malformed-signature'],
    ['all zeros', '0'.repeat(64), 'wrong-signature'],
    ["another body's", sign('{}'), 'wrong-signature'],
    ["Preservica's", sign(`preservica-webhook-auth${body.toString()}`), 'wrong-signature'],
  ])('is refused where the signature is %s', (_name, signature, why) => {
    expect(judge(body, signature)).toEqual({ kind: 'not-proved', why });
  });

  it.each(['preservica-signature', 'pywebhooks-signature', 'x-hook-secret'])(
    'is not looked for in the header %s',
    (header) => {
      expect(judge(body, good, [token], header)).toEqual({ kind: 'not-proved', why: 'no-signature' });
    },
  );

  it('is made by the current token and by the one being retired, and by no third', () => {
    const secrets: WebhookSecrets = ['the-new-token-of-24-char', token];
    expect(judge(body, sign(body, 'the-new-token-of-24-char'), secrets).kind).toBe('proved');
    expect(judge(body, good, secrets).kind).toBe('proved');
    expect(judge(body, sign(body, 'the-token-before-those--'), secrets).kind).toBe('not-proved');
  });

  it('is made by no empty token', () => {
    expect(judge(body, sign(body, ''), ['']).kind).toBe('not-proved');
    expect(judge(body, sign(body, ''), [token, '']).kind).toBe('not-proved');
  });

  it('needs a POST: there is no handshake to answer', () => {
    expect(woodwingReceiver.methods).toEqual(['POST']);
    const head = { method: 'POST', query: new URLSearchParams('challengeCode=a&echo=a'), headers: new Map() };
    expect(woodwingReceiver.verifyWithoutSecret(head)).toEqual({ kind: 'not-proved', why: 'no-signature' });
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
          letters[at % 64] = (letters[at % 64] ?? 0) ^ change;
          expect(judge(given, letters.toString('latin1')).kind).toBe('not-proved');
        },
      ),
    );
  });
});

describe("an answer to Preservica's challenge", () => {
  const pywebhooks = pywebhooksReceiver({ pointers: {}, deduplicateMs: 0 });
  const code = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9._~+/=-]{1,256}$/),
    fc.string(),
    fc.json(),
    fc.constantFrom('5', '0', 'null', 'true', '{}', '[]', '{"type":"asset_remove"}'),
    fc.constantFrom(...Object.keys(vectors)).map((name) => bodyOf(name as keyof typeof vectors).toString()),
  );
  const objects = fc.dictionary(fc.string(), fc.jsonValue()).map((each) => JSON.stringify(each));

  it('is no signature of an event of ours, even where all sources share a secret', () => {
    fc.assert(
      fc.property(code, objects, (given, other) => {
        if (!isAnswerableCode(given)) return;
        const signature = challengeAnswer(token, given);
        // The one body that it does sign is the code itself, which is no object and so no event.
        expect(judge(given, signature).kind).toBe('proved');
        expect(read(given).kind).toBe('unreadable');
        for (const body of [other, '{}', '', `${given}\n`, `{"x":"${given}"}`]) {
          expect(judge(body, signature).kind).toBe('not-proved');
        }
        for (const body of [other, '{}', given]) {
          const call = {
            method: 'POST',
            query: new URLSearchParams(),
            headers: new Map([['pywebhooks-signature', signature]]),
            body: Buffer.from(body),
          };
          expect(pywebhooks.verify(call, [token])).toEqual({
            kind: 'not-proved',
            why: 'malformed-signature',
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is not given to any text that could be an object', () => {
    fc.assert(
      fc.property(objects, fc.constantFrom('', ' ', '\n', '\ufeff', '\0'), (document, before) => {
        expect(isAnswerableCode(before + document)).toBe(false);
      }),
    );
  });

  it('would be a signature, were such a code answered', () => {
    const body = '{"type":"asset_remove"}';
    expect(judge(body, challengeAnswer(token, body)).kind).toBe('proved');
    expect(eventOf(body)).toMatchObject({ removal: true });
  });
});

describe('the sixteen kinds of event', () => {
  it.each([
    ['asset_checkin', 'asset'],
    ['asset_checkout', 'asset'],
    ['asset_create', 'asset'],
    ['asset_create_by_copy', 'asset'],
    ['asset_create_from_filestore_rescue', 'asset'],
    ['asset_create_from_version', 'asset'],
    ['asset_move', 'asset'],
    ['asset_promote', 'asset'],
    ['asset_remove', 'asset'],
    ['asset_rename', 'asset'],
    ['asset_undo_checkout', 'asset'],
    ['asset_update_metadata', 'asset'],
    ['authkey_create', 'other'],
    ['authkey_remove', 'other'],
    ['folder_create', 'folder'],
    ['folder_remove', 'folder'],
  ])('%s is about an %s', (type, assetKind) => {
    const given = payload({ type, metadata: { filename: 'harbour.jpg' }, colour: 'red' });
    expect(eventOf(given)).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) as string,
      type,
      assetKind,
      ...(assetKind === 'asset' ? { assetId } : {}),
      ...(type === 'asset_remove' ? { removal: true } : {}),
      occurredAt: '2026-01-01T00:00:00.000Z',
      identifiers: [],
      data: given,
    });
  });

  it.each(['folder_create', 'folder_remove', 'folder_move', 'authkey_create', 'authkey_remove', 'authkey_x'])(
    '%s is about no asset, whatever it holds',
    (type) => {
      for (const members of [{}, { assetId }, { assetId: '', folderPath: '/Demo Zone', authKey: 'k' }]) {
        const event = eventOf({ type, ...members });
        expect(event).not.toHaveProperty('assetId');
        expect(event).not.toHaveProperty('removal');
      }
    },
  );

  it.each([
    'asset_update',
    'brand_new',
    'asset_metadata_update',
    'ASSET_REMOVE',
    'asset_remove ',
    'toString',
  ])('leave room for others: %s', (type) => {
    const event = eventOf(payload({ type }));
    expect(event).toMatchObject({ type, assetKind: 'asset', assetId });
    expect(event).not.toHaveProperty('removal');
  });

  it.each([undefined, null, '', 5, {}, ['asset_remove']])('may be unsaid: %j', (type) => {
    const event = eventOf(payload({ type }));
    expect(event).toMatchObject({ type: 'unknown', assetId });
    expect(event).not.toHaveProperty('removal');
  });

  it.each([undefined, null, '', 5, {}, [assetId]])('are about no asset where the id is %j', (given) => {
    const event = eventOf(payload({ assetId: given }));
    expect(event.assetKind).toBe('other');
    expect(event).not.toHaveProperty('assetId');
  });

  it('are read where nothing but the type is there, and no member is taken for another', () => {
    expect(eventOf({ type: 'asset_update_metadata' })).toMatchObject({ occurredAt: receivedAt });
    expect(eventOf('{"type":"asset_create","__proto__":{"assetId":"x"}}')).not.toHaveProperty('assetId');
    expect(eventOf(payload({ metadata: null, changedMetadata: 'none' }))).toMatchObject({ assetId });
  });

  it('are shown without what no table can hold, and no longer than that', () => {
    const odd = `x\u0000\r\n\u001b[31m\ud800${'y'.repeat(2_000)}`;
    const event = eventOf(payload({ type: odd, assetId: odd }));
    expect(event.type).toMatch(/^x\ufffd{4}\[31m\ufffdy+$/);
    expect(event.assetId).toMatch(/^x\ufffd{4}\[31m\ufffdy+$/);
    expect([event.type.length, event.assetId?.length]).toEqual([256, 512]);
    expect(overTheQueue([event])).toEqual([event]);
  });
});

describe('the id of an asset', () => {
  it.each([assetId, '-_0123456789abcdefABCD', 'A'.repeat(22)])('is kept as it is: %s', (id) => {
    expect(woodwingReceiver.assetId(id)).toBe(id);
  });

  it.each([
    ['21 characters', 'A'.repeat(21)],
    ['23 characters', 'A'.repeat(23)],
    ['empty', ''],
    ['with a slash', `../${'A'.repeat(19)}`],
    ['with a quote', `"${'A'.repeat(21)}`],
    ['with a line end', `${'A'.repeat(22)}\n`],
    ['with a line end inside the length', `${'A'.repeat(21)}\n`],
    ['of other letters', 'é'.repeat(22)],
    ['of Preservica', '11111111-2222-4333-8444-555555555555'],
  ])('is none where it is %s', (_name, id) => {
    expect(woodwingReceiver.assetId(id)).toBeUndefined();
  });
});

describe('the id of an event', () => {
  it('is the same for the same body, whichever delivery brought it', () => {
    expect(eventOf(payload(), 'd-2').id).toBe(eventOf(payload(), 'd-1').id);
    expect(eventOf(bodyOf('V1'), 'd-2').id).toBe(eventOf(bodyOf('V1'), 'd-1').id);
  });

  it('depends on the bytes and on nothing else, where they hold a timestamp', () => {
    const document = fc
      .dictionary(fc.string(), fc.jsonValue())
      .map((members) => Buffer.from(JSON.stringify({ ...members, timestamp: 1 })));
    fc.assert(
      fc.property(
        document,
        document,
        fc.uuid(),
        fc.date({ noInvalidDate: true }),
        (body, other, delivery, at) => {
          const idOf = (given: Uint8Array, more: object = {}): string | undefined => {
            const reading = woodwingReceiver.read(given, { ...receipt, ...more });
            return eventsIn(reading)[0]?.id;
          };
          expect(idOf(body)).toBeDefined();
          expect(idOf(body, { deliveryId: delivery, receivedAt: at, eventName: delivery })).toBe(idOf(body));
          if (!body.equals(other)) expect(idOf(other)).not.toBe(idOf(body));
        },
      ),
    );
  });

  it('is another for other bytes, even of the same meaning', () => {
    const text = JSON.stringify(payload());
    const others = [`${text}\n`, ` ${text}`, `\ufeff${text}`, text.replaceAll('/', '\\/'), `${text}\0`];
    const ids = [text, ...others.filter((each) => each !== text)].map((body) => eventOf(body).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(eventOf(payload({ timestamp: 1 })).id).not.toBe(eventOf(payload({ timestamp: 2 })).id);
  });

  it.each([undefined, null])('is of the delivery where the timestamp is %j', (timestamp) => {
    const body = payload({ timestamp });
    expect(eventOf(body, 'd-2').id).not.toBe(eventOf(body, 'd-1').id);
    expect(eventOf(body, 'd-1').id).toBe(eventOf(body, 'd-1').id);
    expect(eventOf(payload({ timestamp, type: 'x' }), 'd-1').id).toBe(eventOf(body, 'd-1').id);
  });

  it('is another for another source', () => {
    const [mine, other] = ['photos', 'archive'].map((source) => {
      const reading = woodwingReceiver.read(Buffer.from(JSON.stringify(payload())), { ...receipt, source });
      return eventsIn(reading)[0]?.id;
    });
    expect(mine).toBeDefined();
    expect(mine).not.toBe(other);
  });
});

describe('the time of an event', () => {
  it.each([
    ['1767225600000', '2026-01-01T00:00:00.000Z'],
    ['1767225600000.0', '2026-01-01T00:00:00.000Z'],
    ['1.7672256E12', '2026-01-01T00:00:00.000Z'],
    ['1767225600000.9', '2026-01-01T00:00:00.000Z'],
    ['0', '1970-01-01T00:00:00.000Z'],
    ['253402300799999', '9999-12-31T23:59:59.999Z'],
    ['253402300800000', receivedAt],
    ['8640000000000001', receivedAt],
    ['1e300', receivedAt],
    ['1e999', receivedAt],
    ['-1e999', receivedAt],
    ['-1', receivedAt],
    ['null', receivedAt],
    ['"1767225600000"', receivedAt],
    ['"NaN"', receivedAt],
    ['""', receivedAt],
    ['true', receivedAt],
    ['{"value":1767225600000}', receivedAt],
    ['[1767225600000]', receivedAt],
  ])('that is said to be %s is %s', (timestamp, occurredAt) => {
    const event = eventOf(`{"type":"asset_create","timestamp":${timestamp}}`);
    expect(event.occurredAt).toBe(occurredAt);
    expect(event.timeUnknown).toBe(occurredAt === receivedAt ? true : undefined);
    expect(overTheQueue([event])).toEqual(asJson([event]));
  });

  it('that is not said is that of receipt', () => {
    expect(eventOf({ type: 'asset_create' })).toMatchObject({ occurredAt: receivedAt, timeUnknown: true });
  });
});

/** A large number would come as its text. */
const hasNoLargeNumber = (value: unknown): boolean => !/\d{16}|e\+/.test(JSON.stringify(value));

describe('a body that is odd', () => {
  const named = (name: string) => ({ metadata: { name } });

  it.each<[string, Uint8Array | string, object]>([
    ['a BOM in front', '\ufeff{"type":"t","metadata":{"name":"x"}}', named('x')],
    ['two BOMs in front', '\ufeff\ufeff{"type":"t","metadata":{"name":"x"}}', named('x')],
    ['U+FFFE in front', '\ufffe{"type":"t","metadata":{"name":"x"}}', named('x')],
    ['U+FFFE and a line end in front', '\ufffe\r\n{"type":"t","metadata":{"name":"x"}}', named('x')],
    ['a BOM inside', '{"type":"t","metadata":{"name":"\ufeffx\ufeff"}}', named('\ufeffx\ufeff')],
    ['U+FFFE inside', '{"type":"t","metadata":{"name":"a\ufffeb"}}', named('a\ufffeb')],
    ['NUL inside a text', '{"type":"t","metadata":{"name":"a\0b"}}', named('a\0b')],
    ['NUL inside a name', '{"type":"t","metadata":{"na\0me":"x"}}', { metadata: { 'na\0me': 'x' } }],
    ['NUL as an escape', '{"type":"t","metadata":{"name":"a\\u0000b"}}', named('a\0b')],
    ['NUL behind it', '{"type":"t","metadata":{"name":"x"}}\0', named('x')],
    ['many NULs behind it', `{"type":"t","metadata":{"name":"x"}}\n${'\0'.repeat(64)}`, named('x')],
    ['NUL in front', '\0{"type":"t","metadata":{"name":"x"}}', named('x')],
    [
      'escape and bell inside',
      '{"type":"t","metadata":{"name":"\u001b[31m\u0007"}}',
      named('\u001b[31m\u0007'),
    ],
    ['DEL and C1 inside', '{"type":"t","metadata":{"name":"\u007f\u0085"}}', named('\u007f\u0085')],
    ['NULs between its tokens', '{\0"type"\0:\0\0"t",\0"metadata":{"name":"x"\0}}', named('x')],
    ['a bell and U+0085 between its tokens', '{"type":"t",\u0007\u0085"metadata":{"name":"x"}}', named('x')],
    ['a BOM between its tokens', '{"type":"t",\ufeff"metadata":{"name":"x"}}', named('x')],
    [
      'all of these at once',
      '\ufffe{"type":"t","metadata":{"name":"\0\u001b\ufffe\ufeff"}}\0\0',
      named('\0\u001b\ufffe\ufeff'),
    ],
    [
      'invalid UTF-8',
      Buffer.from('{"type":"t","metadata":{"name":"\u00e9\u00ff"}}', 'latin1'),
      named('\ufffd\ufffd'),
    ],
    [
      'a character cut short',
      Buffer.concat([
        Buffer.from('{"type":"t","metadata":{"name":"'),
        Buffer.of(0xe6, 0x9d),
        Buffer.from('"}}'),
      ]),
      named('\ufffd'),
    ],
    [
      'half a surrogate raw',
      Buffer.concat([
        Buffer.from('{"type":"t","metadata":{"name":"'),
        Buffer.of(0xed, 0xa0, 0xbd),
        Buffer.from('"}}'),
      ]),
      named('\ufffd\ufffd\ufffd'),
    ],
    ['half a surrogate as escape', '{"type":"t","metadata":{"name":"\\ud83d"}}', named('\ud83d')],
    ['the other half', '{"type":"t","metadata":{"name":"\\ude00x"}}', named('\ude00x')],
    ['both in the wrong order', '{"type":"t","metadata":{"name":"\\ude00\\ud83d"}}', named('\ude00\ud83d')],
    ['decomposed characters', '{"type":"t","metadata":{"name":"Cafe\u0301"}}', named('Cafe\u0301')],
    ['escaped slashes', '{"type":"t","metadata":{"name":"\\/a\\/b"}}', named('/a/b')],
    ['line separators', '{"type":"t","metadata":{"name":"\u2028\u2029"}}', named('\u2028\u2029')],
    ['line ends around', '\r\n\t {"type":"t","metadata":{"name":"x"}}\r\n', named('x')],
    ['the same member twice', '{"type":"s","type":"t","metadata":{"name":"x"}}', named('x')],
    [
      '200 levels',
      `{"type":"t","metadata":{"name":"x"},"a":${'['.repeat(199)}${']'.repeat(199)}}`,
      named('x'),
    ],
  ])('with %s is proved and read, and comes through the queue', (_name, body, data) => {
    expect(judge(body, sign(Buffer.from(body)))).toMatchObject({ kind: 'proved' });
    const event = eventOf(body);
    expect(event).toMatchObject({ type: 't', data });
    expect(overTheQueue([event])).toEqual([event]);
  });

  it.each<[string, string, string]>([
    ['empty', '', 'not-json'],
    ['blanks', ' \r\n', 'not-json'],
    ['NULs', '\0\0', 'not-json'],
    ['a BOM', '\ufeff', 'not-json'],
    ['text', 'hello', 'not-json'],
    ['a form', 'type=asset_create', 'not-json'],
    ['half an object', '{"type":"asset_create"', 'not-json'],
    ['two objects', '{"type":"a"}{"type":"b"}', 'not-json'],
    // Without them it would be another number, and another word.
    ['with NUL inside a number', '{"type":"t","timestamp":17\u00006}', 'not-json'],
    ['with NUL inside a word', '{"type":"t","a":tr\u0000ue}', 'not-json'],
    ['a list', '[]', 'unknown-shape'],
    ['a list of events', '[{"type":"asset_create"}]', 'unknown-shape'],
    ['a number', '5', 'unknown-shape'],
    ['null', 'null', 'unknown-shape'],
    ['true', 'true', 'unknown-shape'],
    ['a text', '"x"', 'unknown-shape'],
    ['a broken text', '"x\0"', 'unknown-shape'],
    ['nested past all sense', '['.repeat(100_000), 'too-dense'],
    ['nested past all sense, and closed', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'too-dense'],
    ['nested inside', `{"type":"t","a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`, 'too-dense'],
  ])('that is %s cannot be read', (_name, body, why) => {
    expect(read(body)).toEqual({ kind: 'unreadable', why });
  });

  it('is read as what it is where a control character stands between any two tokens', () => {
    const control = fc.constantFrom('\0', '\u0001', '\u001f', '\u007f', '\u009f');
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue().filter(hasNoLargeNumber)),
        control,
        (members, character) => {
          const given = { ...members, type: 't' };
          expect(eventOf(JSON.stringify(given, undefined, character)).data).toEqual(
            JSON.parse(JSON.stringify(given)),
          );
        },
      ),
    );
  });

  it.each([
    ['NUL and then a line end behind it', '{"type":"t"}\0\n'],
    ['a line end and then a BOM in front', '\n\ufeff{"type":"t"}'],
  ])('with %s is read', (_name, body) => {
    expect(read(body).kind).toBe('events');
  });

  it.each([
    ['line end', '{"type":"t","metadata":{"description":"one\ntwo"}}'],
    ['tab', '{"type":"t","metadata":{"description":"one\ttwo"}}'],
  ])('with a raw %s inside a text is read', (_name, body) => {
    expect(read(body).kind).toBe('events');
  });

  // An expression that drops NULs at the end begins anew at each NUL inside: 50,000 of them would take seconds.
  it.each([
    ['inside a text', (nuls: number) => `{"type":"t","a":"${'\0'.repeat(nuls)}"}`],
    ['between all tokens', (nuls: number) => `{"type":"t","a":[${'1\0,\0'.repeat(nuls / 4)}1]}`],
  ])(
    'with many NULs %s is read in a time that grows with its length, not with the square of it',
    (_name, bodyWith) => {
      const timeOf = (nuls: number): number => {
        const body = Buffer.from(bodyWith(nuls));
        // The best of many, since whatever else the machine does only adds to it.
        const times = Array.from({ length: 8 }).map(() => {
          const beganAt = performance.now();
          expect(read(body).kind).toBe('events');
          return performance.now() - beganAt;
        });
        return Math.min(...times);
      };
      // Eight times as many: eight times as long, or sixty-four.
      expect(timeOf(256_000) / timeOf(32_000)).toBeLessThan(40);
    },
  );

  it('never throws, and what is read comes through the queue as it was', () => {
    const member = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(assetId, 'asset_remove', 'folder_create', 1_767_225_600_000, -1, 1e300),
      fc.string({ unit: 'binary' }),
    );
    const document = fc.dictionary(
      fc.constantFrom('type', 'timestamp', 'assetId', 'metadata', 'changedMetadata', 'constructor', 'x'),
      member,
    );
    const written = document.map((each) => JSON.stringify(each));
    const noise = fc.constantFrom('\0', '\ufeff', '\ufffe', '\u001b', '\\', '"', '\n', '\ud83d', '\u00e9');
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      written.map((text) => Buffer.from(text)),
      fc.tuple(written, noise, fc.nat()).map(([text, odd, at]) => {
        const place = at % (text.length + 1);
        return Buffer.from(text.slice(0, place) + odd + text.slice(place));
      }),
      fc.tuple(written, fc.nat()).map(([text, at]) => Buffer.from(text, 'latin1').subarray(0, at % 200)),
    );
    fc.assert(
      fc.property(body, (given) => {
        const reading = read(given);
        if (reading.kind !== 'events') return;
        expect(reading.events).toHaveLength(1);
        expect(overTheQueue(eventsIn(reading))).toEqual(asJson(eventsIn(reading)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('with numbers that no double holds comes through the queue with their digits', () => {
    const event = eventOf('{"type":"t","metadata":{"id":1234567890123456789,"size":1e400}}');
    expect(event.data['metadata']).toEqual({ id: '1234567890123456789', size: '1e400' });
    expect(overTheQueue([event])).toEqual([event]);
  });

  it('with a member that is named __proto__ comes through the queue as it was', () => {
    const event = eventOf('{"type":"t","__proto__":{"a":1}}');
    expect(Object.keys(event.data)).toContain('__proto__');
    expect(Object.keys(overTheQueue([event])?.[0]?.data ?? {})).toContain('__proto__');
  });
});

describe('what sample receivers get wrong', () => {
  it('a character that is split over two chunks stays whole', async () => {
    const body = bodyOf('V3');
    const inside = body.indexOf('写') + 1;
    const chunks = [body.subarray(0, inside), body.subarray(inside)];
    const asText = chunks.map((chunk) => chunk.toString()).join('');
    expect(judge(asText, vectors.V3.signature, [vectors.V3.token]).kind).toBe('not-proved');

    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
    const request = { body: stream, headers: new Headers() } as unknown as HttpRequest;
    const got = await new Bodies(1_000).read(request, 1_000, async (whole) => whole);
    if (got.kind !== 'bytes') throw new Error(got.kind);
    expect(judge(got.bytes, vectors.V3.signature, [vectors.V3.token])).toMatchObject({ kind: 'proved' });
    expect(eventOf(got.bytes)).toMatchObject({ data: { metadata: { filename: '写真📷.png' } } });
  });

  it.each<[string, Uint8Array | string, string, string]>([
    ['invalid UTF-8', bodyOf('V12'), vectors.V12.signature, 'events'],
    ['nothing', '', vectors.V7.signature, 'unreadable'],
    ['no JSON', 'hello', sign('hello'), 'unreadable'],
    ['a BOM', bodyOf('V11'), vectors.V11.signature, 'events'],
    [
      'an update without changedMetadata',
      '{"type":"asset_update_metadata"}',
      sign('{"type":"asset_update_metadata"}'),
      'events',
    ],
  ])('%s in a signed body is proved, and its reading is a value', (_name, body, signature, kind) => {
    expect(judge(body, signature, [token, vectors.V12.token])).toMatchObject({ kind: 'proved' });
    expect(read(body).kind).toBe(kind);
  });

  it('an unsigned call without a body is not proved, and stops nobody', () => {
    expect(judge('', undefined)).toEqual({ kind: 'not-proved', why: 'no-signature' });
  });

  it.each([
    ['no signature', undefined],
    ['a malformed one', 'sha256=x'],
    ['a wrong one', '0'.repeat(64)],
  ])('%s is a call that was not proved, never one that is malformed', (_name, signature) => {
    // The door answers 401 to this kind; 400 is for what a sender should not send again.
    expect(judge(bodyOf('V1'), signature).kind).toBe('not-proved');
  });

  it.each(['V4', 'V5', 'V6', 'V8', 'V12'] as const)(
    'the signature of %s covers its bytes, and not what JSON.stringify makes of them',
    (name) => {
      const { signature, token: own } = vectors[name];
      const again = JSON.stringify(JSON.parse(bodyOf(name).toString()));
      expect(sign(again, own)).not.toBe(signature);
      expect(judge(again, signature, [own]).kind).toBe('not-proved');
      expect(judge(bodyOf(name), signature, [own]).kind).toBe('proved');
    },
  );
});
