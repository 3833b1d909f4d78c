import { createHmac, randomUUID } from 'node:crypto';
import { Agent, request, type OutgoingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { startAppUnderTest, webhookSecret, type AppUnderTest } from '../support/app-under-test.ts';

const megabyte = 1024 * 1024;
const maxBytes = 4 * megabyte;

let app: AppUnderTest;
beforeAll(async () => {
  app = await startAppUnderTest({
    MAX_BODIES_BYTES: String(16 * megabyte),
    SOURCES: 'archive,scans',
    SOURCE_SCANS_KIND: 'pywebhooks',
  });
});

const sign = (body: Uint8Array): string =>
  createHmac('sha256', webhookSecret).update('preservica-webhook-auth').update(body).digest('hex');
const wrongSignature = '0'.repeat(64);

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Sends a request and gives its answer; undefined where the connection ended without one. */
async function call(
  path: string,
  given: {
    method?: string;
    headers?: OutgoingHttpHeaders;
    pieces?: readonly Uint8Array[];
    agent?: Agent;
  } = {},
): Promise<Answer | undefined> {
  const { method = 'GET', headers = {}, pieces = [], agent } = given;
  return await new Promise((resolve) => {
    const outgoing = request(app.host.url + path, { method, headers, agent: agent ?? false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
      );
    });
    outgoing.once('error', () => resolve(undefined));
    for (const piece of pieces) outgoing.write(piece);
    outgoing.end();
  });
}

/** So many calls, 50 at a time. */
async function many(count: number, one: () => Promise<unknown>): Promise<void> {
  let begun = 0;
  const hand = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: 50 }, hand));
}

const isAlive = async (): Promise<void> => {
  expect(await call('/health')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
};

describe('an invocation id of the caller’s own', () => {
  it.each<[string, string | string[]]>([
    ['error', 'error'],
    ['newListener', 'newListener'],
    ['removeListener', 'removeListener'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['empty', ''],
    ['a UUID in upper case', randomUUID().toUpperCase()],
    ['a UUID in braces', `{${randomUUID()}}`],
    ['doubled', [randomUUID(), randomUUID()]],
    ['12 KB long', 'x'.repeat(12_000)],
  ])('that is %s gets 400, and the app lives', async (_name, id) => {
    const answers = [];
    for (const path of ['/health', '/webhooks/archive?challengeCode=abc', '/events', '/sources'])
      answers.push((await call(path, { headers: { 'x-ms-invocation-id': id } }))?.status);
    // The webhook's route knows no GET of Preservica, and says so only to those whom it reads.
    expect(answers).toEqual([400, 400, 400, 400]);
    await isAlive();
  });

  it('that the host could have made gets its answer within seconds, alone or twice at once', async () => {
    const foreign = { headers: { 'x-ms-invocation-id': randomUUID() } };
    const answers = await Promise.all([
      call('/health', foreign),
      call('/health', foreign),
      call('/health', foreign),
    ]);
    for (const answer of answers) expect([400, 500]).toContain(answer?.status);
    await isAlive();
  });
});

const forwardingHeaders = [
  'host',
  'origin',
  'referer',
  'forwarded',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-for',
  'x-forwarded-prefix',
  'x-original-host',
  'x-original-url',
  'x-rewrite-url',
  'x-http-method-override',
  'x-ms-original-url',
  'x-ms-client-principal',
  'disguised-host',
  'was-default-hostname',
];

const windowsOf = async (): Promise<unknown> => {
  const { json } = await app.get('/sources');
  return (json as { sources: { name: string; windows: unknown }[] }).sources.map(({ name, windows }) => ({
    name,
    windows,
  }));
};

describe('what a caller says of forwarding', () => {
  it.each([
    ['another path', { 'x-forwarded-host': 'h/sources?' }],
    ['another path and a fragment', { 'x-forwarded-host': 'h/events#' }],
    ['a blank', { 'x-forwarded-host': 'a b' }],
    ['nothing', { 'x-forwarded-host': '' }],
    ['a user', { 'x-forwarded-host': 'user@h' }],
    ['a protocol that is none', { 'x-forwarded-proto': 'h ttp' }],
    ['two protocols', { 'x-forwarded-proto': ['https', 'http'] }],
    ['an original address', { 'x-original-url': '/sources', 'x-rewrite-url': '/sources' }],
    ['another method', { 'x-http-method-override': 'POST', 'x-method-override': 'DELETE' }],
  ])('decides nothing: %s', async (_name, headers) => {
    expect(await call('/health', { headers })).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    const events = await call('/events?limit=1', { headers });
    expect(Object.keys(JSON.parse(events?.body ?? '{}') as object)).toContain('events');
    const code = 'c306c99ca3a736124fa711bec53c737d';
    const handshake = await call(`/webhooks/archive?challengeCode=${code}`, { method: 'POST', headers });
    expect(JSON.parse(handshake?.body ?? '{}')).toMatchObject({ challengeCode: code });
  });

  it('in any header at all decides nothing about which record, event or window is meant', async () => {
    const before = await windowsOf();
    const name = fc.oneof(fc.constantFrom(...forwardingHeaders), fc.stringMatching(/^x-[a-z0-9-]{1,20}$/));
    const value = fc.oneof(
      fc.constantFrom(
        'h/sources/archive/window?',
        '/sources/archive/window',
        'h/events?x=',
        'POST',
        'a b',
        '//h/',
      ),
      fc.stringMatching(/^[\x21-\x7e]{0,40}$/),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 4 }), async (headers) => {
        // The local host refuses other names and origins than its own before the app sees the call.
        const { host: _host, origin: _origin, ...sent } = headers;
        const asset = await call('/assets/scans/harbour', { headers: sent });
        expect(asset).toMatchObject({ status: 404, body: '{"error":"There is no record of this asset."}' });
        const event = await call('/events/none', { headers: sent });
        expect(event).toMatchObject({ status: 404, body: '{"error":"There is no event with this id."}' });
        const body = Buffer.from('{"minutes":0}');
        const opened = await call('/sources/scans/window', { method: 'POST', headers: sent, pieces: [body] });
        expect(JSON.parse(opened?.body ?? '{}')).toMatchObject({ source: 'scans' });
      }),
      { numRuns: 50 },
    );
    expect(await windowsOf()).toEqual(before);
  });

  it('or of headers, in the query or the body, leaves nobody without an answer', async () => {
    const bad = '{"a b":"c"}';
    expect(await call(`/health?Headers=${encodeURIComponent(bad)}`)).toMatchObject({ status: 200 });
    for (const member of ['Headers', 'headers', 'HEADERS']) {
      const body = Buffer.from(JSON.stringify({ [member]: bad, minutes: 0 }));
      const answer = await call('/webhooks/archive', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': body.byteLength,
          'preservica-signature': wrongSignature,
        },
        pieces: [body],
      });
      expect(answer).toMatchObject({ status: 401 });
    }
  });
});

describe('memory', () => {
  // An invocation whose request never comes ends within seconds.
  const comesBackTo = async (before: number): Promise<void> => {
    await vi.waitFor(async () => expect((await app.host.memory()) - before).toBeLessThan(10 * megabyte), {
      timeout: 60_000,
      interval: 1000,
    });
  };

  it.each<[string, OutgoingHttpHeaders, readonly number[]]>([
    ['invocation ids of their own', { 'x-ms-invocation-id': 'mine' }, [400]],
    ['a forwarded host that is none', { 'x-forwarded-host': 'a b' }, [200]],
  ])('comes back after 2,000 calls with %s', async (_name, headers, statuses) => {
    const padding = { 'x-padding': 'x'.repeat(4000) };
    await many(200, async () => await call('/health', { headers: { ...padding } }));
    const before = await app.host.memory();
    await many(2000, async () => {
      expect(statuses).toContain((await call('/health', { headers: { ...headers, ...padding } }))?.status);
    });
    await comesBackTo(before);
  });

  it('comes back after 2,000 calls with UUIDs of their own, also where the callers go away', async () => {
    const { port } = new URL(app.host.url);
    const before = await app.host.memory();
    const sockets: Socket[] = [];
    await many(2000, async () => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      sockets.push(socket);
      const head = `GET /health HTTP/1.1\r\nHost: h\r\nX-MS-Invocation-Id: ${randomUUID()}\r\n`;
      await new Promise((sent) => socket.write(`${head}X-Padding: ${'x'.repeat(4000)}\r\n\r\n`, sent));
      if (sockets.length % 2 === 0) socket.destroy();
    });
    await isAlive();
    for (const socket of sockets) socket.destroy();
    await comesBackTo(before);
    await isAlive();
  });
});

describe('a body over the limit', () => {
  const signed = { 'preservica-signature': wrongSignature };

  it.each([
    ['5 MiB', 5],
    ['12 MiB', 12],
    ['40 MiB', 40],
  ])(
    'of %s in chunks gets 413, and the next call on the same connection its own answer',
    async (_name, size) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const pieces = Array.from({ length: size }, () => Buffer.alloc(megabyte, 'x'));
      for (let round = 0; round < 3; round += 1) {
        expect(
          await call('/webhooks/archive', { method: 'POST', headers: signed, pieces, agent }),
        ).toMatchObject({
          status: 413,
        });
        expect(await call('/health', { agent })).toMatchObject({ status: 200 });
      }
      agent.destroy();
    },
  );

  it('gets 413 at the route that opens a window too, and nobody waits behind it', async () => {
    for (const size of [20_000, 3 * megabyte, 12 * megabyte]) {
      const answer = await call('/sources/scans/window', {
        method: 'POST',
        pieces: [Buffer.alloc(size, 'x')],
      });
      expect(answer?.status).toBe(413);
      await Promise.all(Array.from({ length: 20 }, isAlive));
    }
  });

  it('beside a challenge is a few kilobytes already', async () => {
    const path = '/webhooks/archive?challengeCode=abc';
    const answer = await call(path, { method: 'POST', pieces: [Buffer.alloc(100_000, 'x')] });
    expect(answer).toMatchObject({ status: 413 });
  });
});

describe('uploads that do not end', () => {
  /** Begins an upload and leaves it. */
  function begin(head: string, bytes: number): { socket: Socket; answer: Promise<string> } {
    const socket = connect(Number(new URL(app.host.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    const answer = new Promise<string>((resolve) => {
      socket.once('data', (data: Buffer) => resolve(data.toString()));
      socket.once('close', () => resolve(''));
    });
    socket.write(`POST /webhooks/archive HTTP/1.1\r\nHost: h\r\n${head}\r\n\r\n`);
    socket.write(Buffer.alloc(bytes, 'x'));
    return { socket, answer };
  }

  it.each([
    ['no signature', ''],
    ['a malformed one', '\r\nPreservica-Signature: zz'],
    ['one in upper case', `\r\nPreservica-Signature: ${'A'.repeat(64)}`],
  ])('are refused before they are read where they have %s', async (_name, header) => {
    const { socket, answer } = begin(`Content-Length: ${maxBytes}${header}`, 1000);
    expect(await answer).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
  });

  it('hold no more than the budget of all bodies; over it 503 with Retry-After, and then there is room again', async () => {
    const before = await app.host.memory();
    const uploads = Array.from({ length: 40 }, () =>
      begin(`Content-Length: ${maxBytes}\r\nPreservica-Signature: ${wrongSignature}`, maxBytes - 1),
    );
    const first = await Promise.race(uploads.map(async ({ answer }) => await answer));
    expect(first).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 30/i);
    expect((await app.host.memory()) - before).toBeLessThan(40 * megabyte);
    await isAlive();
    // Those that were read make no progress, and get theirs.
    for (const { answer } of uploads) expect(await answer).toMatch(/^HTTP\/1\.1 503 /);
    for (const { socket } of uploads) socket.destroy();
    const body = Buffer.from(JSON.stringify({ padding: 'x'.repeat(megabyte) }));
    const headers = { 'preservica-signature': sign(body) };
    expect(await call('/webhooks/archive', { method: 'POST', headers, pieces: [body] })).toMatchObject({
      status: 200,
    });
  });

  /** Begins so many uploads, sends a little more of each every few seconds, and begins each again once it has an answer. */
  function keepUploading(
    count: number,
    { declared, first, more }: { declared: number; first: number; more: number },
  ): { hasAnswer: () => boolean; stop: () => void } {
    const stopped = new AbortController();
    let answers = 0;
    const open = new Map<Socket, NodeJS.Timeout>();
    const one = async (): Promise<void> => {
      while (!stopped.signal.aborted) {
        const { socket, answer } = begin(
          `Content-Length: ${declared}\r\nPreservica-Signature: ${wrongSignature}`,
          first,
        );
        const trickle = setInterval(() => socket.write(Buffer.alloc(more, 'x')), 2_000);
        open.set(socket, trickle);
        await answer;
        answers += 1;
        clearInterval(trickle);
        open.delete(socket);
        socket.destroy();
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    };
    for (let left = count; left > 0; left -= 1) void one();
    const stop = (): void => {
      stopped.abort();
      for (const [socket, trickle] of open) {
        clearInterval(trickle);
        socket.destroy();
      }
    };
    return { hasAnswer: () => answers > 0, stop };
  }

  it.each([
    ['large ones that stand nearly still', 8, { declared: maxBytes, first: 2.1 * megabyte, more: 17_000 }],
    ['large ones that are nearly whole', 8, { declared: maxBytes, first: 3.9 * megabyte, more: 2_000 }],
    ['large ones that come on steadily', 8, { declared: maxBytes, first: 2.1 * megabyte, more: 120_000 }],
    ['small ones', 200, { declared: 256 * 1024, first: 100_000, more: 9_500 }],
  ])('lock out nobody: %s', async (_what, count, plan) => {
    const signedCall = async (bytes: number): Promise<number | undefined> => {
      const body = Buffer.from(JSON.stringify({ padding: 'x'.repeat(bytes), at: randomUUID() }));
      const headers = { 'preservica-signature': sign(body), 'content-length': body.byteLength };
      return (await call('/webhooks/archive', { method: 'POST', headers, pieces: [body] }))?.status;
    };
    const uploads = keepUploading(count, plan);
    try {
      // There is no room any more.
      await vi.waitFor(() => expect(uploads.hasAnswer()).toBe(true), { timeout: 90_000 });
      for (let round = 0; round < 5; round += 1) {
        for (const bytes of [200, 5_000, 60_000, 1_000_000]) {
          // Who has just begun is left alone for a second; a sender comes again.
          await vi.waitFor(async () => expect(await signedCall(bytes)).toBe(200), {
            timeout: 20_000,
            interval: 500,
          });
        }
      }
      if (plan.declared !== maxBytes) return;
      const answers = [];
      for (let left = 10; left > 0; left -= 1) answers.push(await signedCall(60_000));
      expect(new Set(answers)).toEqual(new Set([200]));
    } finally {
      uploads.stop();
    }
  });

  it.each([
    ['of much that was sent', 2 * megabyte, 17_000],
    ['of much that was declared', 1000, 17_000],
  ])('must bring more of it in each five seconds: %s', async (_what, first, more) => {
    const head = `Content-Length: ${maxBytes}\r\nPreservica-Signature: ${wrongSignature}`;
    const { socket, answer } = begin(head, first);
    let pieces = 0;
    const trickle = setInterval(() => {
      pieces += 1;
      socket.write(Buffer.alloc(more, 'x'));
    }, 2_000);
    expect(await answer).toMatch(/^HTTP\/1\.1 503 /);
    clearInterval(trickle);
    socket.destroy();
    expect(pieces).toBeLessThan(10);
  });

  it('may come slowly, as long as they come steadily', async () => {
    const body = Buffer.from(JSON.stringify({ padding: 'x'.repeat(600_000) }));
    const socket = connect(Number(new URL(app.host.url).port), '127.0.0.1');
    const answer = new Promise<string>((resolve) => {
      socket.once('data', (data: Buffer) => resolve(data.toString()));
      socket.once('close', () => resolve(''));
      socket.once('error', () => undefined);
    });
    const head = `Content-Length: ${body.byteLength}\r\nPreservica-Signature: ${sign(body)}`;
    socket.write(`POST /webhooks/archive HTTP/1.1\r\nHost: h\r\n${head}\r\n\r\n`);
    for (let sent = 0; sent < body.byteLength; sent += 20_000) {
      socket.write(body.subarray(sent, sent + 20_000));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  it('may come in chunks of one byte each without taking more memory than others', async () => {
    const before = await app.host.memory();
    const bytes = 200_000;
    const { socket, answer } = begin(
      `Transfer-Encoding: chunked\r\nPreservica-Signature: ${wrongSignature}`,
      0,
    );
    socket.write('1\r\nx\r\n'.repeat(bytes));
    expect((await app.host.memory()) - before).toBeLessThan(10 * bytes);
    socket.write('0\r\n\r\n');
    expect(await answer).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
  });
});
