import * as z from 'zod';
import { readJson } from '../pipeline/model/read-json.ts';
import type { ActionResult, OutgoingAnswer } from '../pipeline/ports/action.ts';
import type { Announcement } from './announcement.ts';
import { channelAction } from './channel-action.ts';

// A flow takes about 28 KB as Teams itself writes a message, which is a fifth more than what was sent.
const mostBytes = 20_000;

const Refusal = z.object({ error: z.object({ code: z.string() }) });

/** Tells a channel of Microsoft Teams of every asset, by the address of a flow (Workflows). */
export const teams = channelAction({
  who: 'The flow',
  addressOf: 'a flow',
  done: 'Accepted by the flow. Whether it posted the card, its run history shows (Power Automate, My flows).',
  messageOf,
  goneBy: noFlow,
});

/** The flow is off or gone, or its address is wrong: somebody must do something. */
function noFlow({ status, bytes }: OutgoingAnswer): ActionResult | undefined {
  const said = Refusal.safeParse(readJson(bytes)).data?.error.code;
  const gone = (text: string): ActionResult => ({ kind: 'failed', isGone: true, text });
  const anew = 'Open it in Power Automate, or make a new one, and keep its address as the secret url.';
  if (said === 'WorkflowTriggerIsNotEnabled') return gone(`The flow is off, suspended or deleted. ${anew}`);
  if (said === 'TriggerInputSchemaMismatch')
    return gone('The flow wants a message of another shape: take the schema out of its trigger.');
  if (status === 404 || status === 410) return gone(`There is no flow at this address any more. ${anew}`);
  if (status === 401 || status === 403 || said === 'MissingApiVersionParameter')
    return gone(
      `The flow does not let us in: its address must be kept whole, with what follows the question mark, and its trigger be open to anyone. ${anew}`,
    );
  return undefined;
}

/** The message as text: where it is too large, facts go one after the other, then the description. */
export function messageOf(given: Announcement): string {
  for (let facts = given.facts.length; ; facts -= 1) {
    const less = { ...given, facts: given.facts.slice(0, Math.max(facts, 0)) };
    const text = JSON.stringify(wrapped(facts < 0 ? { ...less, description: undefined } : less, given));
    if (Buffer.byteLength(text) <= mostBytes || facts < 0) return text;
  }
}

function wrapped(shown: Announcement, whole: Announcement): object {
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: cardOf(shown, whole),
      },
    ],
  };
}

/** An Adaptive Card 1.4: of 1.5 flows have refused what Teams itself takes. */
function cardOf({ heading, title, description, facts, page }: Announcement, whole: Announcement): object {
  const left = whole.facts.length - facts.length;
  const isShort = left > 0 || (description === undefined && whole.description !== undefined);
  const text = (value: string, how: object = {}): object => ({
    type: 'TextBlock',
    text: plain(value),
    wrap: true,
    ...how,
  });
  return {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    fallbackText: title,
    msteams: { width: 'Full' },
    body: [
      text(heading, { isSubtle: true }),
      text(title, { size: 'Large', weight: 'Bolder', maxLines: 3 }),
      ...(description === undefined ? [] : [text(description)]),
      ...(facts.length === 0
        ? []
        : [
            {
              type: 'FactSet',
              facts: facts.map(({ name, value }) => ({ title: plain(name), value: plain(value) })),
            },
          ]),
      ...(isShort ? [text('Shortened: more is known of it than a card can hold.', { isSubtle: true })] : []),
    ],
    ...(page === undefined ? {} : { actions: [{ type: 'Action.OpenUrl', title: 'Open', url: page }] }),
  };
}

/** Text of which nothing is taken for Markdown. */
function plain(text: string): string {
  return text
    .replaceAll(/[\\`*_[\]()#>~+!|<-]/g, String.raw`\$&`)
    .replaceAll(/^(\s*\d+)\./gm, String.raw`$1\.`)
    .replaceAll('\n', '\n\n');
}
