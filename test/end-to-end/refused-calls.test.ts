import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { startAppUnderTest, until, webhookSecret, type AppUnderTest } from '../support/app-under-test.ts';
import { startHostProcess } from '../support/host-process.ts';

interface Shown {
  readonly name: string;
  readonly refused: { code: string; count: number; since: string; last: string }[];
  readonly proofs?: (string | null)[];
}

let app: AppUnderTest;
beforeAll(async () => {
  app = await startAppUnderTest({
    MAX_DELIVERY_BYTES: '1000',
    SOURCES: 'archive,photos',
    SOURCE_PHOTOS_KIND: 'woodwing',
    SOURCE_PHOTOS_URL: 'http://127.0.0.1:9',
    SOURCE_PHOTOS_SECRET: 'a short one',
  });
});

async function sources(query = '', url = app.host.url): Promise<Shown[]> {
  const answer = await fetch(`${url}/sources${query}`);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { sources: Shown[] }).sources;
}
const refusedOf = async (name: string, url = app.host.url): Promise<Record<string, number>> => {
  const source = (await sources('', url)).find((each) => each.name === name);
  return Object.fromEntries(source?.refused.map(({ code, count }) => [code, count]) ?? []);
};

async function call(
  path: string,
  {
    signature,
    body = '{"events":[]}',
    url = app.host.url,
  }: { signature?: string; body?: string; url?: string },
): Promise<number> {
  const answer = await fetch(`${url}/webhooks/${path}`, {
    method: 'POST',
    headers: signature === undefined ? {} : { 'preservica-signature': signature },
    body,
  });
  await answer.arrayBuffer();
  return answer.status;
}

describe('calls that are refused', () => {
  it('are counted for each source by a fixed reason, with the first and the last time', async () => {
    const before = new Date().toISOString();
    for (let nr = 0; nr < 3; nr += 1) expect(await call('archive', { signature: 'f'.repeat(64) })).toBe(401);
    expect(await call('archive', {})).toBe(401);
    expect(await call('archive', { signature: 'no hex' })).toBe(401);
    expect(await call('archive', { signature: 'f'.repeat(64), body: 'x'.repeat(1001) })).toBe(413);
    expect(await call('archive?challengeCode=preservica-webhook-auth', { body: '' })).toBe(400);
    expect(await call('attic', { signature: 'f'.repeat(64) })).toBe(404);
    const [archive, photos, ...more] = await sources();
    expect(more).toEqual([]);
    expect(photos?.refused).toEqual([]);
    expect(archive?.refused.map(({ code, count }) => [code, count])).toEqual([
      ['wrong-signature', 3],
      ['no-signature', 1],
      ['malformed-signature', 1],
      ['too-large', 1],
      ['challenge-code-not-answerable', 1],
    ]);
    for (const { since, last } of archive?.refused ?? []) {
      expect(since >= before).toBe(true);
      expect(last >= since).toBe(true);
    }
  });

  it('are those of all instances together, each adding its own, also when they do so at once', async () => {
    const other = await startHostProcess({ env: app.settings });
    try {
      const urls = [app.host.url, other.url];
      const { 'wrong-signature': before = 0 } = await refusedOf('archive');
      await Promise.all(
        urls.flatMap((url) =>
          Array.from({ length: 10 }, async () => await call('archive', { url, signature: 'e'.repeat(64) })),
        ),
      );
      await Promise.all(urls.map(async (url) => await sources('', url)));
      for (const url of urls)
        expect(await refusedOf('archive', url)).toMatchObject({ 'wrong-signature': before + 20 });
    } finally {
      other.kill('SIGKILL');
      await other.exited;
    }
  });

  it('outlive the instance', async () => {
    const before = await refusedOf('archive');
    await app.restart();
    expect(await until(async () => await refusedOf('archive'))).toEqual(before);
  });
});

describe('GET /sources?proof=', () => {
  const nonce = 'n'.repeat(22);

  it('shows which secret the app has to whoever has it too, and nothing of one that can be guessed', async () => {
    const expected = createHmac('sha512', webhookSecret)
      .update(`asset-webhooks-secret-proof\narchive\n${nonce}`)
      .digest('hex');
    const [archive, photos] = await sources(`?proof=${nonce}`);
    expect(archive?.proofs).toEqual([expected]);
    expect(photos?.proofs).toEqual([null]);
    expect((await sources())[0]).not.toHaveProperty('proofs');
  });

  it('is never a signature that the app takes', async () => {
    const [archive] = await sources(`?proof=${nonce}`);
    const proof = archive?.proofs?.[0] ?? '';
    const body = `asset-webhooks-secret-proof\narchive\n${nonce}`;
    for (const signature of [proof, proof.slice(0, 64), proof.slice(64)])
      expect(await call('archive', { signature, body })).toBe(401);
  });

  it.each(['', 'short', `${'n'.repeat(22)}%0A`, 'n'.repeat(65)])('refuses %j', async (given) => {
    expect((await fetch(`${app.host.url}/sources?proof=${given}`)).status).toBe(400);
  });
});
