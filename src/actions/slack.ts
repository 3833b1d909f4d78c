import type { ActionResult, OutgoingAnswer } from '../pipeline/ports/action.ts';
import { cutText } from '../pipeline/model/sanitize-text.ts';
import type { Announcement } from './announcement.ts';
import { channelAction } from './channel-action.ts';

const mostInSection = 3_000;

/** Tells a channel of Slack of every asset, by the address of an incoming webhook. */
export const slack = channelAction({
  who: 'Slack',
  addressOf: 'a webhook',
  done: 'Posted.',
  messageOf: (announcement) => JSON.stringify(messageOf(announcement)),
  goneBy: noChannel,
});

function noChannel({ status, bytes }: OutgoingAnswer): ActionResult | undefined {
  if (status !== 403 && status !== 404 && status !== 410) return undefined;
  const [said] = /^[a-z_]{1,60}$/.exec(Buffer.from(bytes).toString('latin1').trim()) ?? [];
  const why = said === undefined ? '' : ` (${said})`;
  return {
    kind: 'failed',
    isGone: true,
    text: `Slack answered ${status}${why}: the webhook or its channel is gone, or may not be posted to. Make a new one, and keep its address as the secret url.`,
  };
}

/** The same as a card for Teams, as blocks: of a section Slack takes 3,000 characters, of a header 150. */
function messageOf({ heading, title, description, facts, page }: Announcement): object {
  const section = (text: string): object => ({ type: 'section', text: { type: 'mrkdwn', text } });
  const name =
    page === undefined ? `*${plain(title)}*` : `*<${page.replaceAll('|', '%7C')}|${plain(title)}>*`;
  return {
    text: plain(`${heading}: ${title}`),
    blocks: [
      { type: 'context', elements: [{ type: 'mrkdwn', text: plain(heading) }] },
      section(name),
      ...(description === undefined ? [] : [section(fitting(description))]),
      ...facts.map((fact) => section(`*${plain(fact.name)}* ${plain(fact.value)}`)),
    ],
  };
}

/** As much of a text as a section takes. */
function fitting(text: string): string {
  const whole = plain(text);
  if (whole.length <= mostInSection) return whole;
  return fitting(`${cutText(text, text.length - 100).trimEnd()}…`);
}

/** Text of which nothing is taken for markup; what would make bold or code of it is told apart by a mark of no width. */
function plain(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[*_~`]/g, '\u200b$&');
}
