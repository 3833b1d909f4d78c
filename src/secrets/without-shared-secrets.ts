import type { Log } from '../pipeline/ports/log.ts';
import type { WebhookSecrets } from '../pipeline/ports/secrets.ts';

/**
 * A source's webhook secrets among those that are known of all sources, unless another one holds one of them too: what
 * the one source signs would pass for the other's. Then there are none for either, and the log names both.
 */
export function withoutSharedSecrets(
  source: string,
  known: ReadonlyMap<string, readonly string[]>,
  log: Log,
): WebhookSecrets | undefined {
  const [current, previous] = known.get(source) ?? [];
  if (current === undefined) return undefined;
  const sharing = [...known].find(
    ([name, secrets]) =>
      name !== source && secrets.some((secret) => secret === current || secret === previous),
  );
  if (sharing !== undefined) {
    log('error', 'secret-shared', { sources: `${source}, ${sharing[0]}` });
    return undefined;
  }
  return previous === undefined ? [current] : [current, previous];
}
