import fc from 'fast-check';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { lengthInWords } from '../../src/actions/announcement.ts';
import { slack } from '../../src/actions/slack.ts';
import { teams } from '../../src/actions/teams.ts';
import type { AssetFile, AssetRecord } from '../../src/pipeline/model/record.ts';
import type { ActionKind } from '../../src/pipeline/ports/action.ts';
import { actionTools, occasion, record } from '../support/action-tools.ts';

// Its module for Node does not resolve.
const { AdaptiveCard, SerializationContext } = createRequire(import.meta.url)(
  'adaptivecards/dist/adaptivecards.js',
) as {
  AdaptiveCard: new () => { parse(card: unknown, context: object): void };
  SerializationContext: new () => { readonly eventCount: number };
};

const address =
  'https://prod-1.example.environment.api.powerplatform.com:443/invoke?api-version=1&sig=s3cr3t';

async function run(kind: ActionKind, of: AssetRecord, answer: { status?: number; said?: unknown } = {}) {
  const read = kind.read({});
  if ('error' in read) throw new Error('its settings are right');
  const bytes = Buffer.from(
    typeof answer.said === 'string' ? answer.said : JSON.stringify(answer.said ?? ''),
  );
  const { tools, calls } = actionTools({
    secrets: { url: [address] },
    answer: { status: answer.status ?? 202, bytes },
  });
  const result = await read.run(of, occasion, tools);
  return { result, call: calls[0] };
}

interface Message {
  attachments: { contentType: string; content: { version: string; body: { text?: string }[] } }[];
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 20_000, size: 'max' }),
  fc.constantFrom(
    '# Heading **bold** [link](https://example.org) <b>x</b>',
    '\u202eright to left\u202c',
    '\ud800 lone',
    '1. list\n2. list',
    'x'.repeat(10_000),
    '東'.repeat(10_000),
    '&'.repeat(10_000),
    '*'.repeat(10_000),
  ),
);
const records = fc
  .record({
    title: fc.option(text),
    description: fc.option(text),
    identifiers: fc.array(fc.record({ type: text, value: text }), { maxLength: 30 }),
    files: fc.array(
      fc.record({ name: text, sizeBytes: fc.option(fc.nat()), fixity: fc.constant<AssetFile['fixity']>([]) }),
      {
        maxLength: 30,
      },
    ),
    links: fc.constantFrom(
      {},
      { page: 'https://archive.example.org/IO_1|x>y' },
      { page: 'javascript:alert(1)' },
      { page: 'https://e.org/' + 'é'.repeat(900) },
    ),
  })
  .map((given): AssetRecord => ({ ...record, ...given }));

describe('a card for Teams', () => {
  it('is one that Teams takes, whatever the record holds', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const { call } = await run(teams, given);
        const body = call?.body ?? '';
        expect(Buffer.byteLength(body)).toBeLessThanOrEqual(20_000);
        const [attachment] = (JSON.parse(body) as Message).attachments;
        expect(attachment?.contentType).toBe('application/vnd.microsoft.card.adaptive');
        expect(attachment?.content.version).toBe('1.4');
        const context = new SerializationContext();
        new AdaptiveCard().parse(attachment?.content, context);
        expect(context.eventCount).toBe(0);
        expect(body).not.toMatch(/\\u202e|\\ud800(?!\\ud[c-f])|javascript:/);
      }),
      { numRuns: 200 },
    );
  });

  it('shows what people want to know, and nothing of it as markup', async () => {
    const { call, result } = await run(teams, { ...record, title: '**Harbour** [x](https://evil.example)' });
    const content = JSON.stringify((JSON.parse(call?.body ?? '') as Message).attachments[0]?.content);
    expect(content).toContain(
      JSON.stringify(String.raw`\*\*Harbour\*\* \[x\]\(https://evil.example\)`).slice(1, -1),
    );
    expect(content).toContain('harbour.tif');
    expect(content).toContain('1,048,576 bytes');
    expect(content).toContain('MS/42/7');
    expect(content).toContain('https://archive.example.org/IO_1');
    expect(result).toMatchObject({ kind: 'done' });
    expect(call?.url).toBe(address);
  });

  it.each([
    [
      { status: 400, said: { error: { code: 'WorkflowTriggerIsNotEnabled' } } },
      { kind: 'failed', isGone: true },
    ],
    [
      { status: 400, said: { error: { code: 'TriggerInputSchemaMismatch' } } },
      { kind: 'failed', isGone: true },
    ],
    [
      { status: 400, said: { error: { code: 'MissingApiVersionParameter' } } },
      { kind: 'failed', isGone: true },
    ],
    [{ status: 400, said: 'else' }, { kind: 'failed' }],
    [{ status: 401 }, { kind: 'failed', isGone: true }],
    [
      { status: 404, said: { error: { code: 'WorkflowNotFound' } } },
      { kind: 'failed', isGone: true },
    ],
    [{ status: 410 }, { kind: 'failed', isGone: true }],
    [{ status: 429 }, { kind: 'again', isBusy: true }],
    [{ status: 502 }, { kind: 'again' }],
  ])('an answer of %o is %o', async (answer, expected) => {
    const { result } = await run(teams, record, answer);
    expect(result).toMatchObject(expected);
    expect(result.text).not.toContain('s3cr3t');
  });
});

describe('a message for Slack', () => {
  it('is one that Slack takes, whatever the record holds', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const { call } = await run(slack, given, { status: 200, said: 'ok' });
        const { blocks } = JSON.parse(call?.body ?? '') as { blocks: { text?: { text: string } }[] };
        expect(blocks.length).toBeLessThanOrEqual(50);
        for (const block of blocks) expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(3_000);
        for (const block of blocks) expect(block.text?.text ?? '').not.toMatch(/&(?!amp;|lt;|gt;)/);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    [{ status: 200, said: 'ok' }, { kind: 'done' }],
    [
      { status: 404, said: 'no_service' },
      { kind: 'failed', isGone: true },
    ],
    [
      { status: 410, said: 'channel_is_archived' },
      { kind: 'failed', isGone: true },
    ],
    [{ status: 400, said: 'invalid_payload' }, { kind: 'failed' }],
    [{ status: 429 }, { kind: 'again', isBusy: true }],
  ])('an answer of %o is %o', async (answer, expected) => {
    expect((await run(slack, record, answer)).result).toMatchObject(expected);
  });
});

it.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1_048_576, '1.0 MB, 1,048,576 bytes'],
  [5_000_000_000_000_000, '5000.0 TB, 5,000,000,000,000,000 bytes'],
])('%d bytes are %s', (bytes, words) => {
  expect(lengthInWords(bytes)).toBe(words);
});
