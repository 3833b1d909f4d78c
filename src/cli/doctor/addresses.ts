import { sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import type { SourceConfig } from '../../config.ts';
import { samePlace, webhookUrl, type Setup } from '../setup.ts';
import { ok, type Check } from './check.ts';
import { findings } from './findings.ts';

interface Calling {
  readonly id: string;
  readonly url: string;
}

/** Which of a source's subscriptions call this app, and what there is to say of the others. */
export function byAddress<Each extends Calling>(
  setup: Setup,
  source: SourceConfig,
  { all, own }: { all: readonly Each[]; own: string },
): { ours: Each[]; checks: Check[] } {
  const ours = all.filter(({ url }) => samePlace(url, own));
  const addresses = [...setup.config.sources.values()].map((each) => webhookUrl(setup, each) ?? '');
  const others = all.filter(({ url }) => !addresses.some((address) => samePlace(url, address)));
  const strays = others.filter(({ url }) => URL.canParse(url) && new URL(url).origin === new URL(own).origin);
  const foreign = others.filter((each) => !strays.includes(each));
  return {
    ours,
    checks: [
      ...(strays.length === 0
        ? []
        : [findings.strays({ ...source, ids: strays.map(({ id }) => id), urls: shown(strays) })]),
      ...(foreign.length === 0
        ? []
        : [
            ok(
              `${source.name}: subscriptions`,
              `${foreign.length} more, of another application: ${shown(foreign).join(', ')}.`,
            ),
          ]),
    ],
  };
}

const mostShown = 5;

function shown(calling: readonly Calling[]): string[] {
  const urls = [...new Set(calling.map(({ url }) => sanitizeText(url, 200)))];
  return urls.length > mostShown ? [...urls.slice(0, mostShown), '…'] : urls;
}
