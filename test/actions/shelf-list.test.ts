import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { shelfList } from '../fixtures/shelf-list.ts';
import { actionTools, occasion, record } from '../support/action-tools.ts';

const root = join(import.meta.dirname, '..', '..');
const run = (() => {
  const read = shelfList.read({ URL: 'https://shelves.example.org/titles' });
  if ('error' in read) throw new Error('its settings are right');
  return read.run;
})();

it('the action in the README is this one, and has at most 25 lines', () => {
  const fixture = readFileSync(join(root, 'test', 'fixtures', 'shelf-list.ts'), 'utf8')
    .replaceAll('../../src/pipeline', '../pipeline')
    .replace('../../src/actions/', './');
  const chapter =
    readFileSync(join(root, 'README.md'), 'utf8').split('\n## Write your own action\n')[1] ?? '';
  const [, block] = /```ts\n([\s\S]*?)```/.exec(chapter) ?? [];
  expect(block).toBe(fixture);
  expect(fixture.trim().split('\n').length).toBeLessThanOrEqual(25);
});

it('does what the README says of it', async () => {
  const { tools, calls } = actionTools({ secrets: { 'api-key': ['k'] } });
  expect(await run(record, occasion, tools)).toMatchObject({ kind: 'done' });
  expect(calls).toMatchObject([
    {
      method: 'PUT',
      url: `https://shelves.example.org/titles/${record.assetId}`,
      headers: { authorization: 'Bearer k', 'idempotency-key': occasion.idempotencyKey },
      body: '{"title":"Harbour, looking north"}',
    },
  ]);
});

it.each([
  [
    { status: 429, retryAfterMs: 5_000 },
    { kind: 'again', retryAfterMs: 5_000, isBusy: true },
  ],
  [{ status: 503 }, { kind: 'again' }],
  [{ status: 410 }, { kind: 'failed', isGone: true }],
  [{ status: 302 }, { kind: 'failed' }],
])('an answer of %o is %o', async (answer, expected) => {
  expect(await run(record, occasion, actionTools({ answer }).tools)).toMatchObject(expected);
});

it('says what is wrong with its settings', () => {
  expect(shelfList.read({})).toHaveProperty('error');
});
