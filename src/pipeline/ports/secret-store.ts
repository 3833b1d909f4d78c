export interface SecretVersion {
  /** By which the vault knows it. */
  readonly id: string;
  readonly value: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** It came as an offer, and can be withdrawn. */
  readonly isOffered?: boolean;
}

/** A vault as the rules of secrets need it. */
export interface SecretStore {
  /** The newest versions that are enabled and valid now, newest first; none where there is no such secret. Throws when it cannot be read. */
  newest(name: string, count: number, options?: NewestOptions): Promise<SecretVersion[]>;
  /** Adds a version, which is then the newest; an offered one can be withdrawn. Throws when it could not be kept. */
  add(name: string, value: string, options?: AddOptions): Promise<void>;
  /** Makes an offered version count no more. False where it was not offered: then nothing is done to it. */
  withdraw(name: string, id: string): Promise<boolean>;
  /** Makes a version that was withdrawn count again. */
  restore(name: string, id: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

export interface NewestOptions {
  readonly signal?: AbortSignal;
  /** Told the newest one as soon as it is known: the others may take long to find. */
  onFirst?(this: void, version: SecretVersion): void;
}

export interface AddOptions {
  readonly signal?: AbortSignal;
  readonly isOffered?: true;
}
