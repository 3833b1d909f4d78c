import type { Log } from '../pipeline/log.ts';
import type { Secrets, WebhookSecrets } from '../pipeline/secrets.ts';

export interface SecretVersion {
  readonly value: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** A vault as these rules need it. */
export interface SecretStore {
  /** The newest versions that are enabled and valid now, newest first; none where there is no such secret. Throws when it cannot be read. */
  newest(name: string, count: number): Promise<SecretVersion[]>;
}

export interface VaultDeps {
  readonly sources: readonly string[];
  /** How long a webhook secret's predecessor counts after its successor was made. */
  readonly overlapMs: number;
  readonly log: Log;
  now(): number;
}

const freshMs = 300_000;
// A secret that was not there is looked for sooner: somebody is probably about to make it.
const absentMs = 30_000;
const rememberedMs = 86_400_000;
const firstPauseMs = 10_000;
const longestPauseMs = 300_000;
const lookAgainMs = 5_000;

/** Secrets from a vault: remembered five minutes, then looked at again in the background; a day long while the vault is away. */
export function vaultSecrets(store: SecretStore, deps: VaultDeps): Secrets {
  const cached = (name: string, count: number): CachedSecret => new CachedSecret(name, count, store, deps);
  const webhook = new Map(deps.sources.map((source) => [source, cached(`source-${source}-secret`, 2)]));
  const password = new Map(deps.sources.map((source) => [source, cached(`source-${source}-password`, 1)]));
  const totpSeed = new Map(deps.sources.map((source) => [source, cached(`source-${source}-totp-seed`, 1)]));
  const lookedAgainAt = new Map<string, number>();

  const counting = (source: string, versions: readonly SecretVersion[]): string[] => {
    const [current, previous] = versions;
    if (current === undefined) return [];
    if (!isUsable(current)) {
      deps.log('error', 'secret-unusable', {
        secret: `source-${source}-secret`,
        wanted: '1 to 512 printable ASCII characters',
      });
      return [];
    }
    // A predecessor that is no secret was never in use: it takes nothing away from its successor.
    const overlaps = previous !== undefined && deps.now() < current.createdAt + deps.overlapMs;
    return overlaps && isUsable(previous) ? [current.value, previous.value] : [current.value];
  };
  const read = async (source: string): Promise<string[]> =>
    counting(source, (await webhook.get(source)?.read()) ?? []);

  return {
    async webhookSecrets(source): Promise<WebhookSecrets | undefined> {
      const [own, others] = await Promise.all([
        read(source),
        Promise.all(
          deps.sources
            .filter((name) => name !== source)
            .map(async (name) => ({ name, values: await read(name) })),
        ),
      ]);
      const [current, previous] = own;
      if (current === undefined) return undefined;
      // One secret on two sources would let what one of them signs pass for the other.
      const sharing = others.find(({ values }) => values.some((value) => own.includes(value)));
      if (sharing !== undefined) {
        deps.log('error', 'secret-shared', { sources: `${source}, ${sharing.name}` });
        return undefined;
      }
      return previous === undefined ? [current] : [current, previous];
    },
    async lookAgain(source) {
      const secret = webhook.get(source);
      if (secret === undefined) return false;
      const lastAt = lookedAgainAt.get(source) ?? -Infinity;
      if (!secret.looking && deps.now() < lastAt + lookAgainMs) return false;
      if (!secret.looking) lookedAgainAt.set(source, deps.now());
      return await secret.look();
    },
    password: async (source) => (await password.get(source)?.read())?.[0]?.value,
    totpSeed: async (source) => (await totpSeed.get(source)?.read())?.[0]?.value,
  };
}

function isUsable({ value }: SecretVersion): boolean {
  return /^[\x20-\x7e]{1,512}$/.test(value);
}

/** One secret of the vault, remembered. One look at it runs at a time. */
class CachedSecret {
  readonly #name: string;
  readonly #count: number;
  readonly #store: SecretStore;
  readonly #deps: VaultDeps;
  #known: { versions: SecretVersion[]; at: number } | undefined;
  #look: Promise<boolean> | undefined;
  #nextLookAt = 0;
  #pauseMs = firstPauseMs;

  constructor(name: string, count: number, store: SecretStore, deps: VaultDeps) {
    this.#name = name;
    this.#count = count;
    this.#store = store;
    this.#deps = deps;
  }

  get looking(): boolean {
    return this.#look !== undefined;
  }

  /** What is known; waits for a look only where nothing is. Never throws. */
  async read(): Promise<readonly SecretVersion[]> {
    const due = this.#deps.now() >= this.#nextLookAt;
    if (this.#remembered() === undefined && (due || this.looking)) await this.look();
    else if (due) void this.look();
    return this.#remembered()?.versions ?? [];
  }

  /** Looks now, or joins the look that runs. True when it found something else than was known. Never throws. */
  async look(): Promise<boolean> {
    this.#look ??= this.#lookOnce().finally(() => {
      this.#look = undefined;
    });
    return await this.#look;
  }

  async #lookOnce(): Promise<boolean> {
    try {
      const versions = await this.#store.newest(this.#name, this.#count);
      const now = this.#deps.now();
      const before = this.#known?.versions ?? [];
      this.#known = { versions, at: now };
      this.#pauseMs = firstPauseMs;
      this.#nextLookAt = now + (versions.length > 0 ? freshMs : absentMs);
      return JSON.stringify(versions) !== JSON.stringify(before);
    } catch (error) {
      const now = this.#deps.now();
      this.#nextLookAt = now + this.#pauseMs;
      this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
      this.#deps.log('warn', 'secrets-stale', {
        secret: this.#name,
        knownForSeconds: this.#known === undefined ? null : Math.round((now - this.#known.at) / 1000),
        error: error instanceof Error ? error.name : 'unknown',
      });
      return false;
    }
  }

  #remembered(): { versions: SecretVersion[]; at: number } | undefined {
    return this.#known !== undefined && this.#deps.now() - this.#known.at < rememberedMs
      ? this.#known
      : undefined;
  }
}
