import { createHash, randomUUID } from 'node:crypto';

export type EntityCode = 'IO' | 'SO' | 'CO';

export interface StoredFile {
  readonly name: string;
  readonly size: number;
  /** Made-up content is made anew each time, so that a large library costs little. */
  readonly bytes: Uint8Array;
}

export interface Identifier {
  /** 32 lower-case hex characters. */
  readonly apiId: string;
  type: string;
  value: string;
}

export interface Fragment {
  readonly ref: string;
  schema: string;
  /** One XML element. */
  content: string;
}

export interface Generation {
  readonly active: boolean;
  readonly files: readonly StoredFile[];
}

export interface Representation {
  readonly type: string;
  readonly name: string;
  /** References of content objects, in their order. */
  readonly contentObjects: readonly string[];
}

/** A folder, an asset or a content object. */
export interface Entity {
  readonly ref: string;
  readonly code: EntityCode;
  title: string;
  description: string | undefined;
  securityTag: string;
  customType: string | undefined;
  parent: string | undefined;
  deleted: boolean;
  changedAt: Date;
  readonly identifiers: Identifier[];
  readonly fragments: Fragment[];
  readonly representations: readonly Representation[];
  readonly generations: readonly Generation[];
  /** `own` is drawn by the simulator; bytes are served as they are. */
  thumbnail: 'own' | 'none' | Uint8Array;
}

export interface NewEntity {
  readonly ref?: string;
  readonly title: string;
  readonly description?: string;
  readonly securityTag?: string;
  readonly customType?: string;
  readonly parent?: string;
  readonly identifiers?: readonly { type: string; value: string }[];
  readonly metadata?: readonly { schema: string; content: string }[];
  readonly thumbnail?: 'own' | 'none' | Uint8Array;
}

export interface NewAsset extends NewEntity {
  /** So many content objects of one made-up file each, in one Preservation representation. */
  readonly pages?: number;
  /** Each list of files is one content object with one generation; what `pages` says, or one file, if left out. */
  readonly representations?: readonly { type: string; contentObjects: readonly (readonly NewFile[])[] }[];
}

export interface NewFile {
  readonly name: string;
  /** Its content; made up if left out. */
  readonly bytes?: Uint8Array;
  /** The length of made-up content. */
  readonly size?: number;
}

/** What the simulated Preservica holds. */
export class Library {
  readonly #entities = new Map<string, Entity>();

  addFolder(given: NewEntity): Entity {
    return this.#add('SO', given, {});
  }

  addAsset(given: NewAsset): Entity {
    const ref = given.ref ?? randomUUID();
    const madeUp = given.pages === undefined ? [[{ name: `${given.title}.tif` }]] : pagesOf(given.pages);
    const wanted = given.representations ?? [{ type: 'Preservation', contentObjects: madeUp }];
    const counts = new Map<string, number>();
    const representations = wanted.map(({ type, contentObjects }): Representation => {
      const number = (counts.get(type) ?? 0) + 1;
      counts.set(type, number);
      return {
        type,
        name: `${type}-${number}`,
        contentObjects: contentObjects.map((files, index) => {
          const generations = [{ active: true, files: files.map((file) => storedFile(file, ref)) }];
          const content = {
            ref: derivedRef(`${ref}/${type}/${number}/${index}`),
            title: files[0]?.name ?? given.title,
            parent: ref,
          };
          return this.#add('CO', { ...content, securityTag: given.securityTag ?? 'open' }, { generations })
            .ref;
        }),
      };
    });
    return this.#add('IO', { ...given, ref }, { representations });
  }

  #add(
    code: EntityCode,
    given: NewEntity,
    parts: { representations?: readonly Representation[]; generations?: readonly Generation[] },
  ): Entity {
    const entity: Entity = {
      ref: given.ref ?? randomUUID(),
      code,
      title: given.title,
      description: given.description,
      securityTag: given.securityTag ?? 'open',
      customType: given.customType,
      parent: given.parent,
      deleted: false,
      changedAt: new Date(),
      identifiers: (given.identifiers ?? []).map((each) => ({ ...each, apiId: newApiId() })),
      fragments: (given.metadata ?? []).map((each) => ({ ...each, ref: randomUUID() })),
      representations: parts.representations ?? [],
      generations: parts.generations ?? [],
      thumbnail: given.thumbnail ?? 'own',
    };
    this.#entities.set(entity.ref, entity);
    return entity;
  }

  get(ref: string): Entity | undefined {
    return this.#entities.get(ref);
  }

  all(): Entity[] {
    return [...this.#entities.values()];
  }

  /** Folders and assets of a folder, or of the root, in the order in which they were added. */
  children(parent: string | undefined): Entity[] {
    return this.all().filter((each) => each.code !== 'CO' && each.parent === parent);
  }

  /** The content objects of an asset; for a folder, with `all`, everything in it at any depth. */
  below(entity: Entity, which: 'files' | 'all'): Entity[] {
    const files = entity.representations
      .flatMap(({ contentObjects }) => contentObjects)
      .flatMap((ref) => this.get(ref) ?? []);
    if (which === 'files' || entity.code !== 'SO') return files;
    return this.children(entity.ref).flatMap((child) => [child, ...this.below(child, 'all')]);
  }

  /** As an archive does it: the entity is still there, and says that it is deleted. */
  markDeleted(ref: string): void {
    this.#change(ref, { deleted: true });
  }

  rename(ref: string, title: string): void {
    this.#change(ref, { title });
  }

  /** No trace is left of it. */
  remove(ref: string): void {
    this.#entities.delete(ref);
  }

  #change(ref: string, change: Partial<Pick<Entity, 'title' | 'deleted'>>): void {
    const entity = this.#entities.get(ref);
    if (entity === undefined) throw new Error(`The library holds no ${ref}.`);
    Object.assign(entity, change, { changedAt: new Date() });
  }
}

export function newApiId(): string {
  return randomUUID().replaceAll('-', '');
}

function pagesOf(count: number): NewFile[][] {
  return Array.from({ length: count }, (_, page) => [
    { name: `page-${String(page + 1).padStart(3, '0')}.tif` },
  ]);
}

function storedFile({ name, bytes, size }: NewFile, ref: string): StoredFile {
  if (bytes !== undefined) return { name, bytes, size: bytes.byteLength };
  const words = `${name} of ${ref} `;
  const length = size ?? Buffer.byteLength(words);
  return {
    name,
    size: length,
    get bytes() {
      return Buffer.alloc(length, words);
    },
  };
}

/** The same reference for the same words, so that a library that is made again is the same one. */
function derivedRef(words: string): string {
  const hex = createHash('sha256').update(words).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
