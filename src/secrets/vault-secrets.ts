import type { Clock } from '../pipeline/ports/clock.ts';
import { errorName } from '../pipeline/ports/errors.ts';
import type { Log } from '../pipeline/ports/log.ts';
import type { SecretStore, SecretVersion } from '../pipeline/ports/secret-store.ts';
import { digestOf, type StoredValue, type Secrets, type WebhookSecrets } from '../pipeline/ports/secrets.ts';
import { withoutSharedSecrets } from './without-shared-secrets.ts';

/** What a secret in a vault is remembered with. */
export interface CachedSecretDeps extends Clock {
  readonly log: Log;
}

export interface VaultDeps extends CachedSecretDeps {
  readonly sources: readonly string[];
  /** How long a webhook secret's predecessor counts after its successor was made. */
  readonly overlapMs: number;
}

const freshMs = 300_000;
// A secret that was not there is looked for sooner: somebody is probably about to make it.
const absentMs = 30_000;
// An offered key may be withdrawn, most of all in the time that a window can be open.
const offeredMs = 3_600_000;
const offeredFreshMs = 5_000;
const rememberedMs = 86_400_000;
const firstPauseMs = 10_000;
const longestPauseMs = 300_000;

/**
 * Secrets from a vault: remembered five minutes, then looked at again in the background; a day long while the vault is
 * away. A key that was offered lately counts only while a look of the last seconds has found it.
 */
export function vaultSecrets(store: SecretStore, deps: VaultDeps): Secrets {
  const cached = (name: string, count: number): CachedSecret => new CachedSecret(name, count, store, deps);
  const webhook = new Map(deps.sources.map((source) => [source, cached(`source-${source}-secret`, 2)]));
  const password = new Map(deps.sources.map((source) => [source, cached(`source-${source}-password`, 1)]));
  const totpSeed = new Map(deps.sources.map((source) => [source, cached(`source-${source}-totp-seed`, 1)]));
  const apiKey = new Map(deps.sources.map((source) => [source, cached(`source-${source}-api-key`, 1)]));
  const accountId = new Map(deps.sources.map((source) => [source, cached(`source-${source}-account-id`, 1)]));
  const changing = (source: string, which: StoredValue): CachedSecret | undefined =>
    ({ secret: webhook, 'api-key': apiKey, 'account-id': accountId })[which].get(source);

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
  return {
    async webhookSecrets(source): Promise<WebhookSecrets | undefined> {
      // Of the others what is known: a secret that is missing, or a look that hangs, must not hold up this source.
      for (const held of webhook.values()) held.refresh();
      const held = webhook.get(source);
      const [newest] = (await held?.read()) ?? [];
      const isDoubtful = isOfferedLately(newest, deps.now()) && !(await held?.isKnownSince(offeredFreshMs));
      const known = new Map([...webhook].map(([name, each]) => [name, counting(name, each.known())]));
      if (isDoubtful) known.set(source, counting(source, held?.known().slice(1) ?? []));
      return withoutSharedSecrets(source, known, deps.log);
    },
    async refresh(source) {
      await webhook.get(source)?.lookAnew();
    },
    password: async (source) => (await password.get(source)?.read())?.[0]?.value,
    totpSeed: async (source) => (await totpSeed.get(source)?.read())?.[0]?.value,
    apiKey: async (source) => (await apiKey.get(source)?.read())?.[0]?.value,
    accountId: async (source) => (await accountId.get(source)?.read())?.[0]?.value,
    async keep(source, which, value) {
      const secret = changing(source, which);
      // Offered again and added again, it would push out its predecessor, which still signs retries.
      if ((await secret?.read())?.[0]?.value === value) return;
      await store.add(`source-${source}-${which}`, value);
      secret?.add(value);
    },
    async take(source, which, value, { signal, withdrawn, begin }) {
      const name = `source-${source}-${which}`;
      const isCurrent = async (): Promise<boolean> =>
        (await store.newest(name, 1, { signal }))[0]?.value === value;
      if (!(await isCurrent())) {
        await begin();
        try {
          if (withdrawn === undefined) await store.add(name, value, { signal, isOffered: true });
          else await store.restore(name, withdrawn, { signal });
        } catch (error) {
          // The vault may have it all the same; a second version of it would push out its predecessor.
          if (signal.aborted || !(await isCurrent())) throw error;
        }
      }
      changing(source, which)?.add(value, { isOffered: true });
    },
    async withdraw(source, which, digest) {
      const name = `source-${source}-${which}`;
      const among = async (count: number): Promise<SecretVersion | undefined> =>
        (await store.newest(name, count)).find(({ value }) => digestOf(value) === digest);
      // Its successor may have come before it was withdrawn.
      const offered = (await among(1)) ?? (await among(2));
      if (offered === undefined || !(await store.withdraw(name, offered.id))) return undefined;
      changing(source, which)?.remove(digest);
      return offered.id;
    },
  };
}

function isUsable({ value }: SecretVersion): boolean {
  return /^[\x20-\x7e]{1,512}$/.test(value);
}

function isOfferedLately(version: SecretVersion | undefined, now: number): boolean {
  return version?.isOffered === true && now - version.createdAt < offeredMs;
}

/** One secret of the vault, remembered. One look at it runs at a time. */
export class CachedSecret {
  readonly #name: string;
  readonly #count: number;
  readonly #store: SecretStore;
  readonly #deps: CachedSecretDeps;
  #known: { versions: SecretVersion[]; at: number } | undefined;
  #firstKnown: Promise<void> | undefined;
  #added = 0;
  #look: Promise<Error | undefined> | undefined;
  #nextLookAt = 0;
  #pauseMs = firstPauseMs;

  constructor(name: string, count: number, store: SecretStore, deps: CachedSecretDeps) {
    this.#name = name;
    this.#count = count;
    this.#store = store;
    this.#deps = deps;
  }

  /** What is known; waits for a look only where nothing is, and then for the newest one only. Never throws. */
  async read(): Promise<readonly SecretVersion[]> {
    this.refresh();
    if (this.#remembered() === undefined) await Promise.race([this.#look, this.#firstKnown]);
    return this.known();
  }

  /** What is known now. */
  known(): readonly SecretVersion[] {
    return this.#remembered()?.versions ?? [];
  }

  /** Begins a look in the background where one is due. Never throws. */
  refresh(): void {
    if (this.#deps.now() >= this.#nextLookAt) void this.#shared();
  }

  /** What was added to the store is the newest version; what was there before it is looked at again soon. */
  add(value: string, { isOffered = false } = {}): void {
    const others = this.known().filter((version) => version.value !== value);
    const added = { id: '', value, createdAt: this.#deps.now(), isOffered };
    this.#change([added, ...others].slice(0, this.#count));
  }

  /** What was withdrawn counts no more. */
  remove(digest: string): void {
    this.#change(this.known().filter(({ value }) => digestOf(value) !== digest));
  }

  #change(versions: SecretVersion[]): void {
    const now = this.#deps.now();
    this.#known = { versions, at: now };
    this.#nextLookAt = now;
    this.#added += 1;
  }

  /** True where a look of so many milliseconds ago, or one that it waits for, found what is known. Never throws. */
  async isKnownSince(agoMs: number): Promise<boolean> {
    if (this.#deps.now() - (this.#known?.at ?? -Infinity) <= agoMs) return true;
    const isAway = this.#pauseMs > firstPauseMs && this.#deps.now() < this.#nextLookAt;
    return !isAway && (await this.#shared()) === undefined;
  }

  /** Looks, in a look that begins after this call. Throws where the store could not be read. */
  async lookAnew(): Promise<void> {
    if (this.#look !== undefined) await this.#look;
    const failure = await this.#shared();
    if (failure !== undefined) throw failure;
  }

  /** Looks now, or joins the look that runs; answers with what it failed by. */
  async #shared(): Promise<Error | undefined> {
    this.#look ??= this.#lookOnce().finally(() => {
      this.#look = undefined;
    });
    return await this.#look;
  }

  async #lookOnce(): Promise<Error | undefined> {
    const added = this.#added;
    const firstKnown = Promise.withResolvers<void>();
    this.#firstKnown = firstKnown.promise;
    try {
      const versions = await this.#store.newest(this.#name, this.#count, {
        onFirst: (version) => {
          // What is known counts beside it until the look is over.
          if (added !== this.#added || this.#remembered() !== undefined) return;
          this.#known = { versions: [version], at: this.#deps.now() };
          firstKnown.resolve();
        },
      });
      // It began before the newest one was there.
      if (added !== this.#added) return undefined;
      const now = this.#deps.now();
      this.#known = { versions, at: now };
      this.#pauseMs = firstPauseMs;
      this.#nextLookAt = now + (versions.length > 0 ? freshMs : absentMs);
      return undefined;
    } catch (error) {
      const now = this.#deps.now();
      this.#nextLookAt = now + this.#pauseMs;
      this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
      this.#deps.log('warn', 'secrets-stale', {
        secret: this.#name,
        knownForSeconds: this.#known === undefined ? null : Math.round((now - this.#known.at) / 1000),
        error: errorName(error),
      });
      return error instanceof Error ? error : new Error('the store could not be read');
    }
  }

  #remembered(): { versions: SecretVersion[]; at: number } | undefined {
    return this.#known !== undefined && this.#deps.now() - this.#known.at < rememberedMs
      ? this.#known
      : undefined;
  }
}
