import { createHmac, randomBytes } from 'node:crypto';
import { verifyEvent } from '../../sources/preservica/signature.ts';
import { secret } from './app-process.ts';
import { inTurn } from './measure.ts';

/** The signature check beside a bare `createHmac` on the same bytes: how many times its time. */
export async function benchSignature() {
  const sizes = { '1 KiB': 1024, '64 KiB': 65_536, '1 MiB': 1_048_576 };
  const results: Record<string, { ratio: number }> = {};
  for (const [name, size] of Object.entries(sizes)) {
    const body = randomBytes(size);
    const signature = createHmac('sha256', secret)
      .update('preservica-webhook-auth')
      .update(body)
      .digest('hex');
    const times = Math.ceil(60_000_000 / (size + 20_000));
    const time = (work: () => void) => async (): Promise<number> => {
      const startedAt = performance.now();
      for (let index = 0; index < times; index += 1) work();
      return performance.now() - startedAt;
    };
    const ours = time(() => {
      if (verifyEvent([secret], body, signature).kind !== 'proved')
        throw new Error('a right signature was refused');
    });
    const bare = time(() => void createHmac('sha256', secret).update(body).digest('hex'));
    await ours();
    await bare();
    const { ratio } = await inTurn(9, ours, bare);
    results[name] = { ratio };
  }
  return results;
}
