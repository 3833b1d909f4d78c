/** The queue of work. Writing may throw a StorageError; so may everything below. */
export interface WorkQueue {
  /** Sends a message that is seen after `delayMs`, never expires, and is kept once this returns. */
  send(text: string, options?: { delayMs?: number; signal?: AbortSignal }): Promise<void>;
}

/** The body of a delivery, and what its call said of the event beside it. */
export interface DeliveryBody {
  readonly bytes: Uint8Array;
  readonly eventName?: string | undefined;
}

/** Bodies of deliveries: those too large for a message, and those nobody could read. */
export interface DeliveryStore {
  put(name: string, body: DeliveryBody, options?: { signal?: AbortSignal }): Promise<void>;
  get(name: string): Promise<DeliveryBody | undefined>;
}

/** Records and the pictures that they name. */
export interface AssetStore {
  /** Writes it, and gives its new etag; with `after` only as the successor of that state (null: of there being none), else undefined. */
  write(blob: AssetBlob, content: AssetContent & { after?: string | null }): Promise<string | undefined>;
  /** Undefined: there is none. */
  read(blob: AssetBlob): Promise<(AssetContent & { etag: string }) | undefined>;
  /** Deletes exactly that state of it; another one stays. */
  remove(blob: AssetBlob, etag: string): Promise<void>;
  /** Pictures written before that time whose record is not there, or may name another one. */
  unnamedPictures(writtenBefore: Date, signal: AbortSignal): AsyncIterable<UnnamedPicture>;
}

export interface UnnamedPicture {
  /** As in `AssetBlob`. */
  readonly name: string;
  /** The record beside it. */
  record(): Promise<AssetContent | undefined>;
  /** Deletes it, unless it was written again meanwhile. */
  remove(): Promise<void>;
}

export interface AssetContent {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** Of a record: the etag of the picture that it names. */
  readonly thumbnailEtag?: string | undefined;
}

export interface AssetBlob {
  readonly source: string;
  readonly assetId: string;
  /** A picture's name ends with the first 16 hex digits of its SHA-256. */
  readonly name: 'record.json' | `thumbnail-${string}`;
}

/** How much is in a queue. */
export interface QueueGauge {
  readonly name: string;
  /** `oldestAt`: when the first that can be taken came, or came back; undefined where none can. May throw a StorageError. */
  read(this: void): Promise<{ messages: number; oldestAt: Date | undefined }>;
}

export interface PoisonMessage {
  /** As it stands in the queue: not decoded, since it may be no base64 at all. */
  readonly text: string;
  readonly messageId: string;
  remove(): Promise<void>;
  /** Leaves it for five minutes. The platform lets it expire after seven days: this takes that from it. */
  putBack(): Promise<void>;
}

/** The queue that the platform puts what it gave up on into. Read with the SDK, because a trigger never sees what is no base64. */
export interface PoisonQueue {
  /** Some messages, hidden from others for five minutes; none where the queue is empty. */
  take(): Promise<PoisonMessage[]>;
}
