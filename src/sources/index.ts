import type { SourceConfig } from '../pipeline/ports/source-config.ts';
import type { SourceKind } from '../pipeline/ports/source-kind.ts';
import { preservica } from './preservica/index.ts';
import { pywebhooks } from './pywebhooks/index.ts';
import { woodwing } from './woodwing/index.ts';

/** Every kind of source, by the name that `SOURCE_<NAME>_KIND` gives it. */
export const sourceKinds = { preservica, woodwing, pywebhooks } satisfies Record<string, SourceKind>;

export type SourceKindName = keyof typeof sourceKinds;

/** A configured source of that kind. */
export type SourceOf<Kind extends SourceKindName> = Parameters<(typeof sourceKinds)[Kind]['receiver']>[0] & {
  readonly kind: Kind;
};

export function isOfKind<Kind extends SourceKindName>(
  source: SourceConfig,
  kind: Kind,
): source is SourceOf<Kind> {
  return source.kind === kind;
}
