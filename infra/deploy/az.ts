import { execFile } from 'node:child_process';

/** What `az` answered. */
export interface AzAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `az` could not do what it was asked; the message says what, and what helps. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
}

const windows = process.platform === 'win32';
const mostBytes = 33_554_432;

/** The Azure CLI of this machine. With `dryRun` nothing is run that changes anything: what would be is printed. */
export class Az {
  readonly #say: (line: string) => void;
  readonly #dryRun: boolean;

  constructor({ say, dryRun }: { say: (line: string) => void; dryRun: boolean }) {
    this.#say = say;
    this.#dryRun = dryRun;
  }

  /** Asks something; gives the answer whatever it is. */
  async ask(args: readonly string[]): Promise<AzAnswer> {
    if (this.#dryRun) this.#say(shown(args));
    return await run(args);
  }

  /** Asks something that must be answered; gives what was printed as JSON. Throws a DeployError. */
  async read(args: readonly string[], what: string): Promise<unknown> {
    const answer = await this.ask([...args, '--only-show-errors', '-o', 'json']);
    if (answer.code !== 0) throw new DeployError(`${what}: ${reasonOf(answer)}`);
    try {
      return JSON.parse(answer.stdout === '' ? 'null' : answer.stdout) as unknown;
    } catch {
      throw new DeployError(`${what}: az printed something that is no JSON.`);
    }
  }

  /** Changes something. Throws a DeployError. */
  async change(args: readonly string[], what: string, timeLimitMs?: number): Promise<AzAnswer> {
    this.#say(shown(args));
    if (this.#dryRun) return { code: 0, stdout: '', stderr: '' };
    const answer = await run([...args, '--only-show-errors', '-o', 'json'], timeLimitMs);
    if (answer.code !== 0) throw new DeployError(`${what}: ${reasonOf(answer)}`);
    return answer;
  }
}

/** A command as it is typed. */
export function shown(args: readonly string[]): string {
  return ['az', ...args].map(quoted).join(' ');
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_.,:/@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

async function run(args: readonly string[], timeLimitMs = 0): Promise<AzAnswer> {
  return await new Promise((resolve) => {
    // On Windows it is a batch file, which only a shell can start.
    const [file, given] = windows
      ? ['az.cmd', args.map((word) => `"${word.replaceAll('"', '""')}"`)]
      : ['az', args];
    execFile(
      file,
      [...given],
      { maxBuffer: mostBytes, timeout: timeLimitMs, shell: windows },
      (error, stdout, stderr) => {
        const missing = error !== null && 'code' in error && error.code === 'ENOENT';
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr: missing ? 'az is not installed' : stderr });
      },
    );
  });
}

/** The errors that Azure is known to give, and whom to ask for what. */
const known: readonly (readonly [RegExp, string])[] = [
  [/az is not installed/, 'Install the Azure CLI: https://learn.microsoft.com/cli/azure/install-azure-cli'],
  [/az login|AADSTS/, 'Log in with "az login".'],
  [
    /roleAssignments\/write/,
    'You may not assign roles here. Ask an owner or a user access administrator of the resource group for the role "Role Based Access Control Administrator" on it.',
  ],
  [
    /LinkedAuthorizationFailed/,
    'A right on another resource is missing, such as joining the subnet. Ask whoever owns that.',
  ],
  [
    /AuthorizationFailed/,
    'Ask an owner of the subscription for the role "Contributor" on the resource group.',
  ],
  [
    /RoleAssignmentUpdateNotPermitted/,
    'A role was given to an identity that is gone. Delete that assignment in the resource group, and deploy again.',
  ],
  [
    /RequestDisallowedByPolicy/,
    'A policy of your organisation forbids it. Ask the platform team; the message names the policy.',
  ],
  [/StorageAccountAlreadyTaken|AccountNameInvalid/, 'Choose another --name.'],
  [/VaultAlreadyExists|ConflictError/, 'The name of the vault is taken. Choose another --name.'],
  [/MissingSubscriptionRegistration/, 'Register the provider: az provider register --wait -n NAME'],
  [
    /quota/i,
    'The subscription has no room for it in this region. Open a support ticket, or choose another --location.',
  ],
  [/ScopeLocked/, 'The resource group is locked. Ask whoever locked it.'],
];

function reasonOf({ stderr, stdout }: AzAnswer): string {
  const text = (stderr.trim() || stdout.trim()).slice(0, 2_000);
  const help = known.find(([pattern]) => pattern.test(text))?.[1];
  return help === undefined ? text : `${text}\n${help}`;
}
