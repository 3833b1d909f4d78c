import { randomBytes } from 'node:crypto';
import { domainOf, extensionOf } from './kinds.ts';
import { dateValue } from './values.ts';

/** What is kept of an asset's metadata; what follows from its file is worked out when it is asked for. */
export interface Metadata {
  filename: string;
  folderPath: string;
  assetPath: string;
  [field: string]: unknown;
}

export interface Asset {
  readonly id: string;
  readonly metadata: Metadata;
  /** Its file; a picture is drawn where there is none. */
  original: Uint8Array | undefined;
  /** It exists, but the account does not see it. */
  hidden: boolean;
  /** Counts its changes. */
  version: number;
}

export interface NewAsset {
  /** 22 characters of A-Z, a-z, 0-9, _ and -. */
  readonly id?: string;
  readonly filename: string;
  readonly folderPath?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly rating?: number;
  readonly status?: string;
  /** `yes` if left out; anything else, and there is no preview yet. */
  readonly previewState?: string;
  /** As `previewState` if left out, but `no` for sounds. */
  readonly thumbnailState?: string;
  readonly original?: Uint8Array;
  readonly hidden?: boolean;
}

export type ChangedMetadata = Record<string, { oldValue?: unknown; newValue?: unknown }>;

/** One line of an asset's history. */
export interface Happened {
  readonly action: 'CREATE' | 'METADATA_UPDATE' | 'REMOVE';
  readonly at: number;
  readonly asset: Asset;
  readonly changedMetadata: ChangedMetadata | null;
}

/** What the simulated Assets Server holds, and what its search index knows of it. */
export class Library {
  readonly #assets = new Map<string, Asset>();
  readonly #removed = new Map<string, Asset>();
  readonly #history = new Map<string, Happened[]>();
  #frozen: readonly Asset[] | undefined;

  add(given: NewAsset): Asset {
    const id = given.id ?? newId();
    if (!/^[\w-]{22}$/.test(id)) throw new Error(`${id} is no asset id.`);
    const { filename, folderPath = '/Demo Zone', previewState = 'yes' } = given;
    const now = dateValue(Date.now());
    const domain = domainOf(filename);
    const asset: Asset = {
      id,
      metadata: {
        filename,
        folderPath,
        assetPath: `${folderPath}/${filename}`,
        assetDomain: domain,
        assetType: extensionOf(filename),
        status: given.status ?? 'New',
        rating: given.rating ?? 0,
        previewState,
        thumbnailState: given.thumbnailState ?? (domain === 'audio' ? 'no' : previewState),
        tags: [],
        assetCreated: now,
        assetModified: now,
        ...given.metadata,
      },
      original: given.original,
      hidden: given.hidden ?? false,
      version: 1,
    };
    this.#assets.set(id, asset);
    this.#note(asset, 'CREATE', null);
    return asset;
  }

  /** Changes fields, or empties those that are null; returns what changed. */
  update(id: string, fields: Readonly<Record<string, unknown>>): ChangedMetadata {
    const asset = this.#assets.get(id);
    if (asset === undefined) throw new Error(`The library holds no ${id}.`);
    const { metadata } = asset;
    const changed: ChangedMetadata = {};
    for (const [field, newValue] of Object.entries(fields)) {
      const oldValue = metadata[field] ?? null;
      if (JSON.stringify(oldValue) === JSON.stringify(newValue)) continue;
      changed[field] = { oldValue, newValue };
      if (newValue === null) delete metadata[field];
      else metadata[field] = newValue;
    }
    metadata.assetPath = `${metadata.folderPath}/${metadata.filename}`;
    // Both are made at one time, but of a sound there is no picture.
    if ('previewState' in changed && !('thumbnailState' in fields) && metadata['assetDomain'] !== 'audio')
      metadata['thumbnailState'] = metadata['previewState'];
    metadata['assetModified'] = dateValue(Date.now());
    asset.version += 1;
    this.#note(asset, 'METADATA_UPDATE', changed);
    return changed;
  }

  remove(id: string): void {
    const asset = this.#assets.get(id);
    if (asset === undefined) return;
    this.#assets.delete(id);
    this.#removed.set(id, asset);
    this.#note(asset, 'REMOVE', null);
  }

  get(id: string): Asset | undefined {
    return this.#assets.get(id);
  }

  /** As `get`, but the last state of one that is no more: events still tell of it. */
  last(id: string): Asset | undefined {
    return this.#assets.get(id) ?? this.#removed.get(id);
  }

  all(): Asset[] {
    return [...this.#assets.values()];
  }

  history(id: string): readonly Happened[] {
    return this.#history.get(id) ?? [];
  }

  /** From now on search tells the state of this moment, whatever happens. */
  freezeIndex(): void {
    this.#frozen = this.all().map(copyOf);
  }

  /** Search is up to date again. */
  thawIndex(): void {
    this.#frozen = undefined;
  }

  /** What search knows of. */
  indexed(): readonly Asset[] {
    return this.#frozen ?? this.all();
  }

  #note(asset: Asset, action: Happened['action'], changedMetadata: ChangedMetadata | null): void {
    const happened = { action, at: Date.now(), asset: copyOf(asset), changedMetadata };
    this.#history.set(asset.id, [happened, ...this.history(asset.id)]);
  }
}

/** 22 characters, as assets and webhooks have them. */
export function newId(): string {
  return randomBytes(16).toString('base64url');
}

function copyOf(asset: Asset): Asset {
  return { ...asset, metadata: { ...asset.metadata } };
}
