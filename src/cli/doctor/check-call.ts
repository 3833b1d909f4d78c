import type { SourceConfig } from '../../config.ts';
import { tryHandshake } from '../../sources/preservica/try-handshake.ts';
import { whyEchoFails } from '../../sources/pywebhooks/try-echo.ts';
import { webhookUrl, type Setup } from '../setup.ts';
import { ok, type Check } from './check.ts';
import { findings } from './findings.ts';

/**
 * Calls the app as the source would, where that proves something and leaves nothing behind: a handshake of Preservica, an
 * echo of PyWebhooks. WoodWing Assets has no such call. Never throws.
 */
export async function checkCall(setup: Setup, source: SourceConfig): Promise<Check[]> {
  const address = webhookUrl(setup, source) ?? besideApp(setup, source);
  if (address === undefined) return [];
  if (source.kind === 'pywebhooks') {
    const text = await whyEchoFails(address);
    return [
      text === undefined
        ? ok(`${source.name}: handshake`, `The app at ${address} answers an echo.`)
        : findings.handshakeFails({ ...source, text }),
    ];
  }
  if (source.kind !== 'preservica') return [];
  const [secret] = (await setup.secrets.webhookSecrets(source.name)) ?? [];
  return secret === undefined ? [] : await shakeHands(setup, source, { address, secret });
}

async function shakeHands(
  setup: Setup,
  source: SourceConfig,
  { address, secret }: { address: string; secret: string },
): Promise<Check[]> {
  const fault = await tryHandshake(address, secret);
  if (fault === undefined)
    return [
      ok(`${source.name}: handshake`, `The app at ${address} answers with the secret that is kept here.`),
    ];
  if (fault.kind === 'other-secret') return [findings.otherSecretAnswers({ ...source, text: fault.text })];
  const other = besideApp(setup, source);
  if (fault.kind !== 'unreachable' || other === undefined || other === address)
    return [findings.handshakeFails({ ...source, text: fault.text })];
  // Where only the sources may call the app by its public address, its own shows the secret all the same.
  return [
    findings.handshakeUnseen({ ...source, text: fault.text }),
    ...(await shakeHands(setup, source, { address: other, secret })),
  ];
}

/** The source's address at the app as this command reaches it. */
function besideApp({ app: { url } }: Setup, { name }: SourceConfig): string | undefined {
  return url === undefined ? undefined : `${url}/webhooks/${name}`;
}
