import type { SourceConfig } from '../../config.ts';
import { tryHandshake } from '../../sources/preservica/manage/try-handshake.ts';
import { tryEcho } from '../../sources/pywebhooks/manage/try-echo.ts';
import { webhookUrl, type Setup } from '../setup.ts';
import { ok, type Check } from './check.ts';
import { findings } from './findings.ts';

type Fault = { readonly kind: 'unreachable' | 'other-secret' | 'other-answer'; readonly text: string };

/** Calls the app at an address as the source would; undefined where nothing is wrong. */
type Try = (address: string) => Promise<Fault | undefined>;

/**
 * Calls the app as the source would, where that proves something and leaves nothing behind: a handshake of Preservica, an
 * echo of PyWebhooks. WoodWing Assets has no such call. Never throws.
 */
export async function checkCall(setup: Setup, source: SourceConfig): Promise<Check[]> {
  const beside = besideApp(setup, source);
  const address = webhookUrl(setup, source) ?? beside;
  const calling = await callOf(setup, source);
  if (address === undefined || calling === undefined) return [];
  const { attempt, proves } = calling;
  const first = await attempt(address);
  if (first?.kind !== 'unreachable' || beside === undefined || beside === address)
    return [outcome(source, { address, proves, fault: first })];
  // Where only the sources may call the app by its public address, its own shows the secret all the same.
  return [
    findings.handshakeUnseen({ ...source, text: first.text }),
    outcome(source, { address: beside, proves, fault: await attempt(beside) }),
  ];
}

async function callOf(
  { secrets }: Setup,
  { name, kind }: SourceConfig,
): Promise<{ attempt: Try; proves: string } | undefined> {
  switch (kind) {
    case 'preservica': {
      const [secret] = (await secrets.webhookSecrets(name)) ?? [];
      if (secret === undefined) return undefined;
      const proves = 'answers with the secret that is kept here';
      return { attempt: async (address) => await tryHandshake(address, secret), proves };
    }
    case 'pywebhooks':
      return { attempt: tryEcho, proves: 'answers an echo' };
    case 'woodwing':
      return undefined;
    default:
      return kind satisfies never;
  }
}

function outcome(
  source: SourceConfig,
  { address, proves, fault }: { address: string; proves: string; fault: Fault | undefined },
): Check {
  if (fault === undefined) return ok(`${source.name}: handshake`, `The app at ${address} ${proves}.`);
  const { kind, text } = fault;
  return kind === 'other-secret'
    ? findings.otherSecretAnswers({ ...source, text })
    : findings.handshakeFails({ ...source, text });
}

/** The source's address at the app as this command reaches it. */
function besideApp({ app: { url } }: Setup, { name }: SourceConfig): string | undefined {
  return url === undefined ? undefined : `${url}/webhooks/${name}`;
}
