import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { typed } from '../../cli/typed.ts';

const file = join(import.meta.dirname, '..', '..', 'cli', 'asset-webhooks.mjs');

/** Runs `asset-webhooks` as a person would, and shows what was typed and what it said. Throws where it did not succeed. */
export async function typeCommand(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  console.log(`$ ${typed(args.join(' '))}`);
  const child = spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${typed(args.join(' '))} ended with ${String(code)}.`);
}
