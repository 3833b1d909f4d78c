import { expect, it } from 'vitest';
import { signedHeaders, signingKey } from '../../src/actions/standard-webhooks.ts';

const first = 'whsec_YXNzZXQtd2ViaG9va3MtZGVtby1rZXktMDAwMQ==';
const second = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
const one =
  '{"type":"asset.stored","timestamp":"2026-01-01T00:00:02Z","data":{"source":"preservica","id":"11111111-2222-4333-8444-555555555555"}}';
const other =
  '{"type":"asset.stored","timestamp":"2026-01-01T00:00:03Z","data":{"source":"woodwing","id":"Lq8_0aZtR-xK2mVbNcYp7W","title":"Hafen bei Nördlingen – Möwe 🐦"}}';
const ofFirst = 'v1,cgSKPkqGMZJqWgssvcu2i8KaLbkI4YlQTDgd6ATvobM=';

it.each([
  [[first], 'msg_asset_0001', 1_767_225_602, one, ofFirst],
  [[second], 'msg_asset_0002', 1_767_225_603, other, 'v1,T4o3J+bCbZo0YYduMGiocRnSSihBm6DuiNjKFcTFWCI='],
  [
    [first, second],
    'msg_asset_0001',
    1_767_225_602,
    one,
    `${ofFirst} v1,HpfkFjAvEnzl03nWi+IqljkSc4VOfjc6AhqdqPmFDq4=`,
  ],
])('signs as others do (%#)', (secrets, id, seconds, body, expected) => {
  const keys = secrets.map((secret) => signingKey(secret) ?? Buffer.alloc(0));
  expect(signedHeaders(keys, { id, body, now: seconds * 1000 + 999 })).toEqual({
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': expected,
  });
});

it.each(['', 'whsec_', 'whsec_c2hvcnQ=', first.slice(6), `${first}!`, `whsec_${'A'.repeat(92)}`])(
  'takes no secret like "%s"',
  (secret) => {
    expect(signingKey(secret)).toBeUndefined();
  },
);
