import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { jsonObject } from '../host/json-object.ts';
import { sentenceFor } from './sentence.ts';

/** How another process in this folder reaches the running `npm start`. */
export const Address = z.object({ pid: z.number(), url: z.url(), token: z.string().min(1) });
export type Address = z.infer<typeof Address>;

const Status = z.object({ pid: z.number(), appUrl: z.string().nullable() });
const Said = z.object({ lines: z.array(z.string()) });
const Wish = z.object({ system: z.string(), what: z.string() });
export type Wish = z.infer<typeof Wish>;

export interface Control {
  readonly address: Address;
  close(): void;
}

const longestBody = 10_000;

/** Answers on loopback to whoever has the token: what runs here, and wishes for something to happen. */
export async function startControl(about: {
  appUrl(): string | undefined;
  /** Lets something happen at a simulator; resolves with what came of it, for people. */
  simulate(wish: Wish): Promise<readonly string[]>;
}): Promise<Control> {
  const token = randomBytes(24).toString('base64url');
  const server = createServer((request, response) => {
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (!mayAsk(request, token)) return answer(403, {});
    if (request.method === 'GET') return answer(200, { pid: process.pid, appUrl: about.appUrl() ?? null });
    void wishOf(request)
      .then(async (wish) => answer(200, { lines: await about.simulate(wish) }))
      .catch((error: unknown) => answer(400, { lines: [sentenceFor(error)] }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    address: { pid: process.pid, url: `http://127.0.0.1:${port}`, token },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function mayAsk({ headers }: IncomingMessage, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function wishOf(request: IncomingMessage): Promise<Wish> {
  if (Number(request.headers['content-length'] ?? longestBody + 1) > longestBody)
    throw new Error('Too long.');
  return Wish.parse(jsonObject(await text(request)));
}

/** What runs behind that address; undefined where nobody answers to it any more. */
export async function statusAt({ pid, url, token }: Address): Promise<z.infer<typeof Status> | undefined> {
  try {
    const answer = await fetch(url, { headers: authorization(token), signal: AbortSignal.timeout(3_000) });
    return answer.ok ? Status.parse(await answer.json()) : undefined;
  } catch (error) {
    // Who is stopped, such as by Ctrl-Z, answers later.
    const late = error instanceof Error && error.name === 'TimeoutError';
    return late ? { pid, appUrl: null } : undefined;
  }
}

/** Lets something happen there. Throws with what was said where it could not. */
export async function simulateAt({ url, token }: Address, wish: Wish): Promise<string[]> {
  const headers = { ...authorization(token), 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(wish) });
  const { lines } = Said.parse(await answer.json());
  if (!answer.ok) throw new Error(lines.join('\n'));
  return lines;
}

function authorization(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}
