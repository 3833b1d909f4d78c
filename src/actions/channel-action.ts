import * as z from 'zod';
import {
  actionKind,
  type ActionKind,
  type ActionResult,
  type OutgoingAnswer,
} from '../pipeline/ports/action.ts';
import { announcementOf, type Announcement } from './announcement.ts';
import { refusalOf } from './answered.ts';

interface Channel {
  /** Who answers, and what it is whose address we have; for people. */
  readonly who: string;
  readonly addressOf: string;
  /** What it means that a message was taken. */
  readonly done: string;
  readonly messageOf: (announcement: Announcement) => string;
  /** Where an answer says that nobody can be told there until a person does something: what to do. */
  readonly goneBy: (answer: OutgoingAnswer) => ActionResult | undefined;
}

/** A kind of action that tells a channel of every asset, by an address that is a secret: whoever has it may post. */
export function channelAction({ who, addressOf, done, messageOf, goneBy }: Channel): ActionKind {
  return actionKind({
    settings: z.object({ ALLOW_HOST: z.string().max(300, 'must be a host and its port').optional() }),
    secrets: { url: 'alone' },
    sendsOutside: true,
    // Whoever posts faster is refused, or loses messages without a word.
    mostPerSecond: 1,
    async run(record, occasion, { settings, call, secret }) {
      const [url] = await secret('url');
      if (url === undefined || !URL.canParse(url))
        return {
          kind: 'failed',
          isGone: true,
          text: `There is no address of ${addressOf}: set it as the secret url.`,
        };
      const answer = await call({
        method: 'POST',
        url,
        allowedHost: settings.ALLOW_HOST,
        headers: { 'content-type': 'application/json' },
        body: messageOf(announcementOf(record, occasion)),
      });
      return goneBy(answer) ?? refusalOf(who, answer) ?? { kind: 'done', text: done };
    },
  });
}
