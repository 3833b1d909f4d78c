import * as z from 'zod';
import { actionKind, type ActionResult, type OutgoingAnswer } from '../pipeline/ports/action.ts';
import { cutText } from '../pipeline/model/sanitize-text.ts';
import { announcementOf, type Announcement } from './announcement.ts';
import { refusalOf } from './answered.ts';

const mostInSection = 3_000;

/** Tells a channel of Slack of every asset, by the address of an incoming webhook. */
export const slack = actionKind({
  settings: z.object({ ALLOW_HOST: z.string().max(300, 'must be a host and its port').optional() }),
  // Whoever has the address may post.
  secrets: { url: 'alone' },
  sendsOutside: true,
  mostPerSecond: 1,
  async run(record, occasion, { settings, call, secret }) {
    const [url] = await secret('url');
    if (url === undefined || !URL.canParse(url))
      return {
        kind: 'failed',
        isGone: true,
        text: 'There is no address of a webhook: set it as the secret url.',
      };
    const answer = await call({
      method: 'POST',
      url,
      allowedHost: settings.ALLOW_HOST,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(messageOf(announcementOf(record, occasion))),
    });
    return noChannel(answer) ?? refusalOf('Slack', answer) ?? { kind: 'done', text: 'Posted.' };
  },
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
