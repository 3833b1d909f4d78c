import { randomBytes } from 'node:crypto';

const connections = 4;

/** Somebody who calls a door with junk and made-up signatures, from many connections, until told to stop. */
export function startAnonymousCaller(url: string, header: string, hexDigits: number) {
  const statuses: number[] = [];
  const end = new AbortController();
  const knock = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const signature = randomBytes(hexDigits / 2).toString('hex');
      const answer = await fetch(url, {
        method: 'POST',
        headers: { [header]: signature, 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'asset_remove', junk: randomBytes(200).toString('base64') }),
      });
      await answer.arrayBuffer();
      statuses.push(answer.status);
    }
  };
  const knocking = Promise.all(Array.from({ length: connections }, knock));
  return {
    /** What the stranger was answered so far. */
    statuses,
    async stop(): Promise<void> {
      end.abort();
      await knocking;
    },
  };
}
