import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { challengeAnswer, isAnswerableCode, verifyEvent } from '../../../src/sources/preservica/signature.ts';

const signedEvent = (...given: Parameters<typeof verifyEvent>): boolean =>
  verifyEvent(...given).kind === 'proved';

// What was signed, byte for byte.
const bodies = {
  B1: '{"subscriptionId":"0123456789abcdef0123456789abcdef","timestamp":"2024-03-05T09:08:07.065","tenant":"ACME","version":"8.1","events":[{"event":"FullTextIndexed","entityType":"IO","entityRef":"11111111-2222-4333-8444-555555555555","identifiers":[]}],"trigger":"FULL_TEXT_INDEXED"}',
  B2: '{"subscriptionId":"fedcba9876543210fedcba9876543210","timestamp":"2024-03-05T09:08:08.001","tenant":"ACME","version":"8.1","events":[{"event":"Moved","entityType":"SO","entityRef":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","identifiers":[{"BatchId":"B-0042"}]}],"trigger":"MOVED"}',
  B3: '{}',
  B4: '',
  B5: '{"tenant":"ACME","events":[{"entityType":"IO","entityRef":"11111111-2222-4333-8444-555555555555","identifiers":[{"Titre":"café"}]}],"trigger":"FULL_TEXT_INDEXED"}',
  B7: '{"tenant":"ACME","events":[{"entityType":"IO","entityRef":"11111111-2222-4333-8444-555555555555","identifiers":[{"Name":"東京 € 🖼"}]}],"trigger":"FULL_TEXT_INDEXED"}',
  B8: '{"subscriptionId": "0123456789abcdef0123456789abcdef", "timestamp": "2024-03-05T09:08:07.065", "tenant": "ACME", "version": "8.1", "events": [{"event": "FullTextIndexed", "entityType": "IO", "entityRef": "11111111-2222-4333-8444-555555555555", "identifiers": []}], "trigger": "FULL_TEXT_INDEXED"}',
  oracle: '{"events":[]}',
};
const shared = 'my_shared_secret';

describe('what everything rests on', () => {
  it('is HMAC-SHA256 as RFC 4231 has it (case 2)', () => {
    expect(challengeAnswer('Jefe', 'what do ya want for nothing?')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });
});

describe('the answer to a challenge', () => {
  it.each([
    ['C1', shared, '0', 'f35ac8cbb08f2c2bfd9a28e8533a3d292ffc1d1cf14396779f9799cd87a4a41b'],
    [
      'C2',
      shared,
      'c306c99ca3a736124fa711bec53c737d',
      '396e28f6420ee0d4da4bd0f92e413dcad467c51653e3a9e16dcea2b0bbf56678',
    ],
    [
      'C3',
      'my secret key!',
      '5d2f8c1e-7b44-4c0a-9f61-2a1f0b7e9d33',
      '686707a483be2fcfbf2b88bb91b529db3ca5e0d6adaddac8086f96f244132917',
    ],
    [
      'C4',
      's3cr3t+/=&%',
      'a+b c/d=e&f%20g',
      '7aad34e1f5131b9462eaa69939433a75e48e126653ddc66da119d4c243481e4b',
    ],
    [
      'C5, UTF-8',
      'café-secret',
      'c306c99ca3a736124fa711bec53c737d',
      '5f32b775b2a1c7a5ca3995d73a890e2c5787c719c994b9f88db118c45a2b542d',
    ],
    [
      'C6, UTF-8',
      'geheímnis-€',
      'c306c99ca3a736124fa711bec53c737d',
      '8c0070afd89315c962b290f44fa60fdbe8b22c759377059ebcd0f654b310eb35',
    ],
    ['C7, UTF-8', '秘密', 'naïve-code', '98b41be29384468670cb4cbbc069792257f3de23bdb9396369dbff3d7f7dbc52'],
    ['C8, UTF-8', shared, 'éèê', '9c70026cf3b5984294b1600b8de33eef3d01584e3552a2428bddf77e9b5eaa1f'],
    [
      'C9',
      'k'.repeat(64),
      'block-sized-key',
      'ef64338342ce8d9bb70081aa5e523637d9d8a5f696d0bba5d32ea56dc21fae12',
    ],
    [
      'C10',
      'k'.repeat(65),
      'longer-than-block-key',
      'e5d727b1ae4b547650c274273d7ba94e144742f7e6bc6ee16ecf073fc73e7390',
    ],
  ])('%s', (_id, secret, code, response) => {
    expect(challengeAnswer(secret, code)).toBe(response);
  });

  it.each([
    [
      'C5, Latin-1 key',
      'café-secret',
      'c306c99ca3a736124fa711bec53c737d',
      '1898f20caadb6cb7bbe89b76409404c22df1e3135fe213c3c70e0a8b4c0630fc',
    ],
    [
      'C6, low bytes as key',
      'geheímnis-€',
      'c306c99ca3a736124fa711bec53c737d',
      '971906936e7391e16b8c948b82d48eb2f3f2b1a2d5da5f1c42938d03a220c1f4',
    ],
    [
      'C6, key with a question mark put in',
      'geheímnis-€',
      'c306c99ca3a736124fa711bec53c737d',
      'e31290247c4365654eeacb1f8a4f5bb44d4b72db2fc1e7bd9240a647cdb79840',
    ],
    [
      'C7, Latin-1 code',
      '秘密',
      'naïve-code',
      '79f7f33b171b002acedaefdc9ce397df7f717bab6c190b6328f6a831a82255e9',
    ],
    ['C8, Latin-1 code', shared, 'éèê', 'ed7fad4dbfa43cc08c70b1567dcec02d1ddea969f53f06cbd0f999d3ba269f3d'],
  ])('is not made as %s', (_id, secret, code, response) => {
    expect(challengeAnswer(secret, code)).not.toBe(response);
  });

  it.each([
    ['0', true],
    ['c306c99ca3a736124fa711bec53c737d', true],
    ['5d2f8c1e-7b44-4c0a-9f61-2a1f0b7e9d33', true],
    ['a.b_c~d+e/f=g-h', true],
    ['x'.repeat(256), true],
    ['x'.repeat(257), false],
    ['', false],
    ['a+b c/d=e&f%20g', false],
    ['éèê', false],
    ['preservica-webhook-auth', false],
    ['preservica-webhook-authorised', false],
    ['preservica-webhook-auth{"events":[]}', false],
    ['a\n', false],
  ])('is given to %j: %s', (code, answerable) => {
    expect(isAnswerableCode(code)).toBe(answerable);
  });
});

describe('the signature of an event', () => {
  const vectors = [
    ['B1', shared, bodies.B1, 'a2d178ad57044494cd838505014c026efda3cc75e16f694f901ea37ee358b09d'],
    ['B2', shared, bodies.B2, 'f81f69e99afce5a198e9fdf5e9f5c8dcfcfd2419fc01e88c8dd896afea390f42'],
    ['B3', 'my secret key!', bodies.B3, 'eb8e94cc04215a0609100999f184575b645665abb5ba6f9e0c08ab4c5231d83f'],
    ['B4', 'my secret key!', bodies.B4, 'ec07c41fb32a04322f21a3daaaa430c505eef26f0e68c04dee8928ca8f2917ba'],
    ['B5, raw bytes', shared, bodies.B5, 'c44fb4ad95c30a90179da51e5fd30f19a37edd13990fa92bf157a774a7beae38'],
    [
      'B6, raw bytes',
      'café-secret',
      bodies.B5,
      '2187560c8848e1c64398e5d89c07e8390e7510fb989ebd05778d12584029ae1b',
    ],
    ['B7', '秘密', bodies.B7, 'ebbc8d326da8164824528606ce00d10cddb18b8c00808a4a5d007f333c825a4a'],
    ['B8', shared, bodies.B8, '767f45c2820da115ff6cb038e130d35b4f498543633c5b1df21bbe96553b300b'],
    ['oracle', shared, bodies.oracle, 'e45ed5f2516dbc0a475f27e2fac5336cd87b72571937516d3fb526757e7d2f4b'],
  ] as const;

  it.each(vectors)('%s', (_id, secret, body, signature) => {
    expect(signedEvent([secret], Buffer.from(body), signature)).toBe(true);
    expect(verifyEvent([secret], Buffer.from(body), signature)).toEqual({
      kind: 'proved',
      secret: 'current',
    });
    expect(verifyEvent(['another secret', secret], Buffer.from(body), signature)).toEqual({
      kind: 'proved',
      secret: 'previous',
    });
    expect(signedEvent(['another secret', undefined], Buffer.from(body), signature)).toBe(false);
  });

  it.each([
    ["another body's", shared, bodies.B1, 'f81f69e99afce5a198e9fdf5e9f5c8dcfcfd2419fc01e88c8dd896afea390f42'],
    ['upper case', shared, bodies.B1, 'A2D178AD57044494CD838505014C026EFDA3CC75E16F694F901EA37EE358B09D'],
    [
      'without the prefix',
      shared,
      bodies.B1,
      '3d0bd40007820103fa40e6de167758b21b55e9eea89d207e3c435d5e4c04da6c',
    ],
    [
      'over Latin-1 bytes',
      shared,
      bodies.B5,
      'a7378cdbb2a9b4f5e5dc5054fe979d7516363c434bf6645de8fd0bde3c1fa8c2',
    ],
    [
      'by a Latin-1 key',
      'café-secret',
      bodies.B5,
      '2a63dd26270e2631e9325baf2e12501e77ad0464778b8591ce37b6a4363d768c',
    ],
    [
      'by a UTF-8 key over Latin-1 bytes',
      'café-secret',
      bodies.B5,
      '6446ef02bfa7e69418e107b40d4e38497f950cd4c1a54944ee8ae4489ec9e989',
    ],
    [
      'by a Latin-1 key over Latin-1 bytes',
      'café-secret',
      bodies.B5,
      'c4890eb5aaebe881e0aac64c14ccf1df7acf2263c2db48ac694fd5ce47291272',
    ],
    ['longer', shared, bodies.B1, 'a2d178ad57044494cd838505014c026efda3cc75e16f694f901ea37ee358b09d0'],
    [
      'with letters whose low byte would fit',
      shared,
      bodies.B1,
      '\u01612d178ad57044494cd838505014c026efda3cc75e16f694f901ea37ee358b09d',
    ],
    ['empty', shared, bodies.B1, ''],
  ])('is not one that is %s', (_name, secret, body, signature) => {
    expect(signedEvent([secret], Buffer.from(body), signature)).toBe(false);
  });

  it('is made by no empty secret', () => {
    const byNothing = createHmac('sha256', '')
      .update('preservica-webhook-auth')
      .update(bodies.B1)
      .digest('hex');
    expect(signedEvent(['', undefined], Buffer.from(bodies.B1), byNothing)).toBe(false);
    expect(signedEvent([], Buffer.from(bodies.B1), byNothing)).toBe(false);
  });

  it('is refused after any change of one byte of body or signature', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (body, at, change) => {
          const signature = createHmac('sha256', shared)
            .update('preservica-webhook-auth')
            .update(body)
            .digest('hex');
          expect(signedEvent([shared], body, signature)).toBe(true);
          const changed = Uint8Array.from(body, (byte, index) =>
            index === at % body.length ? byte ^ change : byte,
          );
          expect(signedEvent([shared], changed, signature)).toBe(false);
          const bytes = Buffer.from(signature);
          bytes[at % 64] = (bytes[at % 64] ?? 0) ^ change;
          expect(signedEvent([shared], body, bytes.toString('latin1'))).toBe(false);
        },
      ),
    );
  });
});
