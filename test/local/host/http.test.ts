import { createHash, randomBytes } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HostProcess } from '../../support/host-process.ts';
import { startFixture } from './fixture.ts';

interface Echo {
  url: string;
  method: string;
  headers: Record<string, string>;
  raw: string[];
  params: Record<string, string>;
  length: number;
  sha256: string;
  traceParent: string;
}

let host: HostProcess;
beforeAll(async () => {
  host = await startFixture();
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function echo(path: string, init?: RequestInit): Promise<Echo> {
  const echoed: Echo = JSON.parse(await (await fetch(host.url + path, init)).text());
  return echoed;
}

const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json; charset=utf-8', 'x-signature': 'signed' },
  body: JSON.stringify(body),
});

/** What comes back for exactly these bytes, once the connection ends. */
async function sendBytes(...parts: (string | Uint8Array)[]): Promise<string> {
  const socket = connect(Number(new URL(host.url).port), '127.0.0.1');
  for (const part of parts) socket.write(part);
  return await text(socket);
}

it('answers a caller that sends no more after its request', async () => {
  const socket = connect(Number(new URL(host.url).port), '127.0.0.1');
  socket.end('GET /echo/half-closed HTTP/1.1\r\nHost: localhost\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
});

/** Settled only if the answer overtakes the one to a later request. */
async function stillWaiting(answer: Promise<unknown>): Promise<boolean> {
  let settled = false;
  answer.then(
    () => (settled = true),
    () => (settled = true),
  );
  for (let later = 0; later < 20; later += 1) await echo('/echo/later');
  return !settled;
}

/** A request with one long header. */
const longHead = (bytes: number): string =>
  `GET /echo/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Long: ${'x'.repeat(bytes)}\r\n\r\n`;

describe('routes', () => {
  it('match without regard to case and to a slash at the end', async () => {
    expect((await echo('/ECHO/archive/')).params).toEqual({ source: 'archive' });
    expect((await echo('/echo')).params).toEqual({});
  });

  it('prefer what is written out', async () => {
    expect(await (await fetch(`${host.url}/echo/literal`)).text()).toBe('literal');
  });

  it('are not split by %2F, which the app sees encoded once more', async () => {
    const { url, params } = await echo('/echo/a%2Fb%41%20c');
    expect(url).toBe(`${host.url}/echo/a%252FbA%20c`);
    expect(params).toEqual({ source: 'a%2FbA c' });
  });

  it.each([
    ['GET', '/unknown'],
    ['GET', '/echo/a/b'],
    ['PUT', '/echo/a'],
    ['HEAD', '/echo/a'],
    ['OPTIONS', '/echo/a'],
    ['GET', '/admin/functions'],
  ])('answer %s %s with 404 and no body', async (method, path) => {
    const response = await fetch(host.url + path, { method });
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('');
  });
});

describe('a request body', () => {
  const bytes = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0xfe, 0]), randomBytes(200_000)]);

  it('arrives byte for byte in chunks with extensions and trailers', async () => {
    const chunks = [bytes.subarray(0, 1), bytes.subarray(1, 70_000), bytes.subarray(70_000)];
    const answer = await sendBytes(
      'POST /echo/archive HTTP/1.1\r\nHost: example\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n',
      ...chunks.flatMap((chunk) => [`${chunk.byteLength.toString(16)};ext="1"\r\n`, chunk, '\r\n']),
      '0\r\nX-End: yes\r\n\r\n',
    );
    expect(answer).toContain(sha256(bytes));
    expect(answer).toContain('"transfer-encoding","chunked"');
  });

  it('arrives byte for byte with its length, also when it is JSON by its name only', async () => {
    for (const type of ['application/octet-stream', 'application/json']) {
      const got = await echo('/echo/a', { method: 'POST', headers: { 'content-type': type }, body: bytes });
      expect(got).toMatchObject({ length: bytes.byteLength, sha256: sha256(bytes), params: { source: 'a' } });
      expect(got.raw).toContain(String(bytes.byteLength));
    }
  });

  it('may be empty in either framing', async () => {
    const chunked = await sendBytes(
      'POST /echo/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    expect(chunked).toContain('"length":0');
    expect((await echo('/echo/a', { method: 'POST' })).length).toBe(0);
  });
});

describe('binding data', () => {
  it('is everything the caller has no part in, for a plain request', async () => {
    const { headers, params } = await echo('/echo/archive', json({ n: 1, o: {}, list: ['a'] }));
    expect(headers['x-signature']).toBe('signed');
    expect(params).toEqual({ source: 'archive' });
  });

  it.each([['headers'], ['Headers'], ['HEADERS']])(
    'loses the headers to a body member named %s',
    async (name) => {
      const { headers, raw } = await echo('/echo/archive', json({ [name]: { 'x-signature': 'forged' } }));
      expect(headers).toEqual({});
      expect(raw).toContain('signed');
    },
  );

  it('keeps the headers when the body came in chunks, or has another type', async () => {
    const chunked = await sendBytes(
      'POST /echo/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\nX-Signature: signed\r\nTransfer-Encoding: chunked\r\n\r\n',
      'e\r\n{"headers":{}}\r\n0\r\n\r\n',
    );
    expect(chunked).toContain('"x-signature":"signed"');
    const plain = await echo('/echo/a', { ...json({ headers: {} }), headers: { 'x-signature': 'signed' } });
    expect(plain.headers['x-signature']).toBe('signed');
  });

  it.each([
    ['the query', '/echo/archive?Source=x', undefined],
    ['the body', '/echo/archive', json({ SOURCE: 'x' })],
  ])('spells the route parameter as %s does, with the value of the route', async (_by, path, init) => {
    const { params } = await echo(path, init);
    expect(params['source']).toBeUndefined();
    expect(Object.entries(params).map(([name, value]) => [name.toLowerCase(), value])).toEqual([
      ['source', 'archive'],
    ]);
  });

  it('puts texts of the body and the query into the parameters, and nothing else', async () => {
    const { params } = await echo('/echo/a?q=1&q=2', json({ text: 't', sys: { a: 1 }, query: 'x', n: 5 }));
    expect(params).toEqual({ q: '2', text: 't', query: 'x', source: 'a' });
  });
});

describe('headers', () => {
  it('that came twice arrive joined', async () => {
    const answer = await sendBytes(
      'GET /echo/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Dup: a\r\nX-Dup: b\r\n\r\n',
    );
    expect(answer).toContain('"x-dup":"a, b"');
  });

  it('of the caller about forwarding are believed', async () => {
    const headers = { 'x-forwarded-host': 'elsewhere.example', 'x-forwarded-proto': 'https' };
    expect((await echo('/echo/a', { headers })).url).toBe('https://elsewhere.example/echo/a');
  });

  it('of an answer pass, but for those of one connection', async () => {
    const response = await fetch(`${host.url}/echo/a`);
    expect(response.headers.get('x-kept')).toBe('yes');
    expect(response.headers.get('x-dropped')).toBeNull();
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('continue the caller’s trace, or begin one', async () => {
    const trace = 'a'.repeat(32);
    const headers = { traceparent: `00-${trace}-${'b'.repeat(16)}-01` };
    expect((await echo('/echo/a', { headers })).traceParent).toMatch(
      new RegExp(`^00-${trace}-(?!b{16})[0-9a-f]{16}-01$`),
    );
    expect((await echo('/echo/a')).traceParent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('over 32 kB get 431, a query over 8,100 characters 414', async () => {
    expect(await sendBytes(longHead(33_000))).toMatch(/^HTTP\/1.1 431 /);
    expect((await fetch(`${host.url}/echo/a?${'q'.repeat(8101)}`)).status).toBe(414);
    expect((await fetch(`${host.url}/echo/a?${'q'.repeat(8000)}`)).status).toBe(200);
  });
});

describe('what a function returns', () => {
  it.each([
    ['nothing', 204],
    ['bare', 500],
    ['impossible', 500],
  ])('%s is answered with %d and no body', async (name, status) => {
    const response = await fetch(`${host.url}/${name}`);
    expect(response.status).toBe(status);
    expect(await response.text()).toBe('');
  });

  it('nothing is answered with 204 to a body as well', async () => {
    expect((await fetch(`${host.url}/nothing`, json({ a: 1 }))).status).toBe(204);
  });
});

describe('a caller waits in vain', () => {
  it('when the function throws', async () => {
    const answer = fetch(`${host.url}/throws`);
    await host.waitForLine(/^throws \S+ failed/);
    expect(await stillWaiting(answer)).toBe(true);
  });

  it('when it names the invocation itself', async () => {
    const answer = fetch(`${host.url}/echo/a`, { headers: { 'x-ms-invocation-id': 'mine' } });
    expect(await stillWaiting(answer)).toBe(true);
  });

  it('when its headers are over 16 kB', async () => {
    const answer = fetch(`${host.url}/echo/a`, { headers: { 'x-long': 'x'.repeat(17_000) } });
    await host.waitForLine('refused on its way to the function, with 431');
    expect(await stillWaiting(answer)).toBe(true);
  });

  it('until the function’s time is over, and then gets 500', async () => {
    const hasty = await startFixture({ AzureFunctionsJobHost__functionTimeout: '00:00:01' });
    const mine = { headers: { 'x-ms-invocation-id': 'mine' } };
    const answers = await Promise.all([
      fetch(`${hasty.url}/throws`),
      fetch(`${hasty.url}/hangs`),
      fetch(`${hasty.url}/echo/a`, mine),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([500, 500, 500]);
  });
});

describe('an upload of 20 MB', () => {
  const total = 20 * 1024 * 1024;

  /** Sends a little, waits for the answer, and only then the rest. */
  async function upload(path: string, headers: Record<string, string>) {
    const sending = request(host.url + path, { method: 'POST', headers });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sending.once('response', resolve).once('error', reject);
    });
    sending.write(Buffer.alloc(100_000));
    const answer = await answered;
    const whole = await text(answer);
    const sent = new Promise<void>((resolve, reject) => {
      sending.once('finish', resolve).once('error', reject);
    });
    sending.end(Buffer.alloc(total - 100_000));
    await sent;
    return { status: answer.statusCode, whole };
  }

  it.each([
    ['/early', 'with its length', { 'content-length': String(total) }],
    ['/early', 'in chunks', { 'transfer-encoding': 'chunked' }],
    ['/reads-a-bit', 'with its length', { 'content-length': String(total) }],
    ['/reads-a-bit', 'in chunks', { 'transfer-encoding': 'chunked' }],
  ])('to %s is answered at once %s, and taken to its end', async (path, _how, headers) => {
    expect(await upload(path, headers)).toEqual({ status: 413, whole: 'too large' });
  });

  it('gets 500 when the function leaves it half read and it comes all the same', async () => {
    const answer = await fetch(`${host.url}/reads-a-bit`, { method: 'POST', body: Buffer.alloc(total) });
    expect(answer.status).toBe(500);
  });

  it('that was left half read, and was small enough to be sent, stands before the next request', async () => {
    const own = await startFixture();
    const pieces = new Blob([Buffer.alloc(300_000)]).stream();
    const init = { method: 'POST', body: pieces, duplex: 'half' as const };
    expect((await fetch(`${own.url}/reads-a-bit`, init)).status).toBe(413);
    const behind = fetch(`${own.url}/echo/behind`);
    expect(await stillWaiting(behind)).toBe(true);
    own.kill('SIGKILL');
    await expect(behind).rejects.toThrow();
  });

  it('gets 500 when the function tears its stream', async () => {
    const answer = await fetch(`${host.url}/tears`, { method: 'POST', body: Buffer.alloc(total) });
    expect(answer.status).toBe(500);
  });

  it('gets 500, not 413, over the platform’s own limit', async () => {
    const small = await startFixture({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '100000' });
    const to = `${small.url}/echo/a`;
    const declared = await fetch(to, { method: 'POST', body: Buffer.alloc(100_001) });
    const stream = new Blob([Buffer.alloc(100_001)]).stream();
    const counted = await fetch(to, { method: 'POST', body: stream, duplex: 'half' });
    const within = await fetch(to, { method: 'POST', body: Buffer.alloc(100_000) });
    expect([declared.status, counted.status, within.status]).toEqual([500, 500, 200]);
  });
});

describe('the log', () => {
  it('has the app’s lines as they are and one line an invocation', async () => {
    await fetch(`${host.url}/logs`);
    // Two streams, in no order among each other.
    await host.waitForLine(/^logs [0-9a-f]{8} succeeded \d+ ms$/);
    await host.waitForLine(/^\{"event":"one"\}$/);
    await host.waitForLine(/^two \| lines$/);
    expect(host.lines).not.toContain('nobody sees this');
  });
});
