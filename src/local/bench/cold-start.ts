import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settings, startApp } from './app-process.ts';
import { Caller } from './caller.ts';
import { inTurn } from './measure.ts';

const hello = `
  import { app } from '@azure/functions';
  app.setup({ enableHttpStream: true });
  app.http('hello', { route: 'hello', methods: ['POST'], authLevel: 'anonymous', handler: () => ({ body: 'hello' }) });
`;

/** From process start to the first answered handshake, beside a hello-world app under the same host. */
export async function benchColdStart() {
  const folder = await mkdtemp(join(tmpdir(), 'hello-'));
  const bundle = join(folder, 'index.cjs');
  await build({
    stdin: { contents: hello, resolveDir: import.meta.dirname },
    outfile: bundle,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    external: ['@azure/functions-core'],
  });
  const env = settings('UseDevelopmentStorage=true', 'http://127.0.0.1:9');
  const first = (path: string, app?: string) => async (): Promise<number> => {
    const caller = new Caller(1);
    const startedAt = performance.now();
    const running = await startApp(env, { bundle: app });
    await caller.call(running.url + path, { method: 'POST' });
    const took = performance.now() - startedAt;
    caller.close();
    await running.stop();
    return took;
  };
  try {
    const ours = first('/webhooks/archive?challengeCode=c306c99ca3a736124fa711bec53c737d');
    const bare = first('/hello', bundle);
    await ours();
    await bare();
    const { a, b, ratio } = await inTurn(9, ours, bare);
    return { handshakeMs: a, helloMs: b, ratio };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
