import type { SourceConfig } from '../../pipeline/ports/source-config.ts';
import type { CallFault, SourceDoctor } from '../../pipeline/ports/source-doctor.ts';
import { webhookUrl, type Setup } from '../setup.ts';
import { ok, type Check } from './check.ts';
import { findings } from './findings.ts';

/** Calls the app as the source would, where that proves something and leaves nothing behind. Never throws. */
export async function checkCall(setup: Setup, source: SourceConfig, doctor: SourceDoctor): Promise<Check[]> {
  const beside = besideApp(setup, source);
  const address = webhookUrl(setup, source) ?? beside;
  const [secret] = (await setup.secrets.webhookSecrets(source.name)) ?? [];
  const trial = doctor.trialCall(secret);
  if (address === undefined || trial === undefined) return [];
  const { proves } = trial;
  const first = await trial.call(address);
  if (first?.kind !== 'unreachable' || beside === undefined || beside === address)
    return [outcome(source, { address, proves, fault: first, doctor })];
  // Where only the sources may call the app by its public address, its own shows the secret all the same.
  return [
    findings.handshakeUnseen({ ...source, text: first.text }),
    outcome(source, { address: beside, proves, fault: await trial.call(beside), doctor }),
  ];
}

function outcome(
  source: SourceConfig,
  {
    address,
    proves,
    fault,
    doctor,
  }: { address: string; proves: string; fault: CallFault | undefined; doctor: SourceDoctor },
): Check {
  if (fault === undefined) return ok(`${source.name}: handshake`, `The app at ${address} ${proves}.`);
  const { kind, text } = fault;
  return kind === 'other-secret'
    ? findings.otherSecretAnswers({ ...source, text, doctor })
    : findings.handshakeFails({ ...source, text });
}

/** The source's address at the app as this command reaches it. */
function besideApp({ app: { url } }: Setup, { name }: SourceConfig): string | undefined {
  return url === undefined ? undefined : `${url}/webhooks/${name}`;
}
