/** The queue of work. Writing may throw a StorageError; so may everything below. */
export interface WorkQueue {
  /** Sends a message that is seen after `delayMs`, never expires, and is kept once this returns. */
  send(text: string, options?: { delayMs?: number; signal?: AbortSignal }): Promise<void>;
}

/** Bytes of deliveries: those too large for a message, and those nobody could read. */
export interface DeliveryStore {
  put(name: string, bytes: Uint8Array, options?: { signal?: AbortSignal }): Promise<void>;
  get(name: string): Promise<Uint8Array | undefined>;
}

/** What a fetch wrote, or that a later fetch had already been there. */
export type Written = { kind: 'written'; etag: string } | { kind: 'later-one-there' };

/** Records and thumbnails. A write carries the number of its fetch and goes only over a lower one. */
export interface AssetStore {
  write(
    blob: AssetBlob,
    options: { bytes: Uint8Array; contentType: string; fetch: number; etag: string | undefined },
  ): Promise<Written>;
  /** Undefined: there is none. */
  read(blob: AssetBlob): Promise<{ bytes: Uint8Array; contentType: string; etag: string } | undefined>;
  /** Deletes exactly that state of it; another one stays. */
  remove(blob: AssetBlob, etag: string): Promise<void>;
}

export interface AssetBlob {
  readonly source: string;
  readonly assetId: string;
  readonly name: 'record.json' | 'thumbnail';
}

export interface PoisonMessage {
  /** As it stands in the queue: not decoded, since it may be no base64 at all. */
  readonly text: string;
  readonly messageId: string;
  remove(): Promise<void>;
}

/** The queue that the platform puts what it gave up on into. Read with the SDK, because a trigger never sees what is no base64. */
export interface PoisonQueue {
  /** Some messages, hidden from others for five minutes; none where the queue is empty. */
  take(): Promise<PoisonMessage[]>;
}
