import type { SourceConfig } from '../pipeline/ports/source-config.ts';
import { UsageError } from './faults.ts';
import { webhookUrl, type Setup } from './setup.ts';

/** The address that a source is to call: the one given, else its own under `PUBLIC_URL`. Throws a UsageError where there is none. */
export function addressToCall(given: string | undefined, setup: Setup, source: SourceConfig): string {
  const address = given ?? webhookUrl(setup, source);
  if (address === undefined) throw new UsageError('Which address? Give --url, or set PUBLIC_URL.');
  checkAddress(address);
  return address;
}

/** Throws a UsageError where nothing could be called at that address. */
export function checkAddress(given: string): void {
  if (!URL.canParse(given) || !/^https?:/i.test(given))
    throw new UsageError('--url must be an http or https address.');
}
