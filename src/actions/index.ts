import type { ActionKind } from '../pipeline/ports/action.ts';
import { slack } from './slack.ts';
import { teams } from './teams.ts';
import { webhook } from './webhook.ts';

/** Every kind of action, by the name that `ACTION_<NAME>_KIND` gives it. */
export const actionKinds = { teams, slack, webhook } satisfies Record<string, ActionKind>;
