import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { plain, type Exchange } from './exchange.ts';
import { pause, sendAnswer, type Answer, type Fault } from './faults.ts';

/** One call that the simulator got. */
export interface Called {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** 0 as long as there is no answer. */
  status: number;
}

/** What every simulator has: an address on loopback, the calls it got, and things that go wrong. */
export interface SimulatorServer {
  readonly url: string;
  /** The calls so far, the latest 100,000. */
  readonly calls: readonly Called[];
  /** The most calls that were under way at one time. */
  readonly mostAtOnce: number;
  /** Makes something go wrong with the calls that fit. */
  fault(fault: Fault): void;
  clearFaults(): void;
  /** Leaves no connection, timer or delivery behind. */
  close(): Promise<void>;
}

export interface Simulated {
  /** A free one if left out. */
  readonly port?: number;
  readonly latencyMs: () => number;
  /** Answers a call; `base` is the simulator's own address. */
  answer(exchange: Exchange, base: string): Promise<Answer> | Answer;
}

const callsKept = 100_000;

/** Work of a simulator that goes on beside the calls, such as deliveries: it hears of the end, and the end waits for it. */
export class UnderWay {
  readonly #closed = new AbortController();
  readonly #works = new Set<Promise<void>>();

  constructor() {
    // Every call and delivery under way listens to it.
    setMaxListeners(0, this.#closed.signal);
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  async follow(work: Promise<void>): Promise<void> {
    this.#works.add(work);
    await work.finally(() => this.#works.delete(work));
  }

  async end(): Promise<void> {
    await Promise.allSettled(this.#works);
  }

  close(): void {
    this.#closed.abort();
  }
}

/** Serves a simulator on loopback. */
export async function serveSimulator(simulated: Simulated, underWay: UnderWay): Promise<SimulatorServer> {
  const calls: Called[] = [];
  const faults: Fault[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;

  // Longer than any client keeps an idle connection: one closed just as a request goes out would lose that.
  const server = createServer({ keepAliveTimeout: 130_000 }, (incoming, response) => {
    const call: Called = { method: incoming.method ?? '', target: incoming.url ?? '', status: 0 };
    if (calls.length === callsKept) calls.shift();
    calls.push(call);
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    const noteStatus = (): void => {
      if (response.headersSent) call.status = response.statusCode;
    };
    response.once('finish', noteStatus);
    const gone = new Promise<void>((resolve) => {
      response.once('close', () => {
        atOnce -= 1;
        noteStatus();
        resolve();
      });
    });
    const respond = async (): Promise<void> => {
      const body = await readAll(incoming);
      await pause(simulated.latencyMs(), underWay.closed);
      const exchange = exchangeOf(incoming, body);
      if (exchange === undefined) {
        await sendAnswer(response, plain(400, 'That is no address.'), undefined, underWay.closed);
        return;
      }
      const fault = takeFault(faults, exchange);
      // What is refused is not done; every other fault happens to the answer of something that is done.
      const refused = fault?.kind === 'status' || fault?.kind === 'redirect';
      const answered = refused
        ? plain(fault.kind === 'status' ? fault.status : 302)
        : await simulated.answer(exchange, addressOf(server));
      await sendAnswer(response, answered, fault, underWay.closed);
    };
    underWay.follow(respond()).catch(() => response.destroy());
    void underWay.follow(gone);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(simulated.port ?? 0, '127.0.0.1', resolve);
  });

  return {
    url: addressOf(server),
    calls,
    get mostAtOnce() {
      return mostAtOnce;
    },
    fault: (fault) => void faults.push({ ...fault }),
    clearFaults: () => void faults.splice(0),
    async close() {
      underWay.close();
      const ended = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await ended;
      await underWay.end();
    },
  };
}

function takeFault(faults: Fault[], { method, target }: Exchange): Fault | undefined {
  const fault = faults.find(
    (each) => each.path.test(target) && (each.method ?? method) === method && (each.times ?? 1) > 0,
  );
  if (fault?.times !== undefined) fault.times -= 1;
  return fault;
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function exchangeOf(incoming: IncomingMessage, body: Buffer): Exchange | undefined {
  const target = incoming.url ?? '/';
  const address = `http://simulator${target}`;
  if (!target.startsWith('/') || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  const segments: string[] = [];
  for (const segment of url.pathname.split('/')) {
    const plainText = decoded(segment);
    if (plainText === undefined) return undefined;
    if (plainText !== '') segments.push(plainText);
  }
  return {
    method: incoming.method ?? '',
    segments,
    query: url.searchParams,
    headers: incoming.headers,
    body,
    target,
  };
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function addressOf(server: Server): string {
  const address = server.address();
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
}
