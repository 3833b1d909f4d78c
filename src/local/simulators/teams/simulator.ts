import { randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod';
import { readJson } from '../../../pipeline/model/read-json.ts';
import { json, plain, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { serveSimulator, UnderWay, type SimulatorServer } from '../serve.ts';

// What a message may be as Teams itself writes it; that is about a fifth more than what was sent.
const mostBytes = 28_672;
const ownForm = 1.2;

/** What became of a message after the flow had said 202. */
export interface Posted {
  readonly outcome: 'posted' | 'failed in the flow';
  /** Why it failed. */
  readonly why: string | undefined;
  /** What people see of it, line by line. */
  readonly lines: readonly string[];
  readonly body: string;
}

/** A channel of Microsoft Teams with a flow that posts what it gets; it says 202 before it looks at it. */
export interface TeamsSimulator extends SimulatorServer {
  /** The address of the flow, which is a secret. */
  readonly flowUrl: string;
  readonly host: string;
  /** What came, in its order. */
  readonly posted: readonly Posted[];
  /** The flow as its owner left it. */
  readonly settings: { flow: 'on' | 'off' | 'gone' };
}

const Message = z.object({
  type: z.literal('message'),
  attachments: z.array(z.object({ contentType: z.string(), content: z.looseObject({}) })).min(1),
});

export async function startTeamsSimulator({ port }: { port?: number } = {}): Promise<TeamsSimulator> {
  const underWay = new UnderWay();
  const signature = randomBytes(24).toString('base64url');
  const workflow = randomUUID().replaceAll('-', '');
  const posted: Posted[] = [];
  const settings: TeamsSimulator['settings'] = { flow: 'on' };
  const path = ['powerautomate', 'automations', 'direct', 'workflows', workflow, 'triggers', 'manual'];

  const answer = ({ method, segments, query, headers, body }: Exchange): Answer => {
    if (method === 'GET' && segments.length === 0) return plain(200, shown(posted));
    const isFlow = [...path, 'paths', 'invoke'].every((part, index) => segments[index] === part);
    if (!isFlow || settings.flow === 'gone') return refusal(404, 'WorkflowNotFound');
    if (method !== 'POST') return plain(405);
    if (!query.has('api-version')) return refusal(400, 'MissingApiVersionParameter');
    if (query.get('sig') !== signature) return refusal(401, 'DirectApiAuthorizationRequired');
    if (settings.flow === 'off') return refusal(400, 'WorkflowTriggerIsNotEnabled');
    if (headers['content-type']?.toString().startsWith('application/json') !== true)
      return refusal(400, 'InvalidRequestContent');
    posted.push(afterwards(body));
    return plain(202);
  };
  const server = await serveSimulator(
    { latencyMs: () => 0, answer, ...(port === undefined ? {} : { port }) },
    underWay,
  );
  const query = `api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=${signature}`;
  return Object.assign(server, {
    flowUrl: `${server.url}/${[...path, 'paths', 'invoke'].join('/')}?${query}`,
    host: new URL(server.url).host,
    posted,
    settings,
  });
}

function refusal(status: number, code: string): Answer {
  return json({ error: { code, message: `The simulated flow says: ${code}.` } }, status);
}

/** What the flow does with a message once it has taken it. */
function afterwards(body: Buffer): Posted {
  const text = body.toString();
  const failed = (why: string): Posted => ({ outcome: 'failed in the flow', why, lines: [], body: text });
  const message = Message.safeParse(readJson(body));
  if (!message.success) return failed('It is no message with attachments.');
  if (body.byteLength * ownForm > mostBytes)
    return failed(`MessageSizeExceeded: more than ${mostBytes} bytes.`);
  const [attachment] = message.data.attachments;
  if (attachment?.contentType !== 'application/vnd.microsoft.card.adaptive')
    return failed('Its attachment is no Adaptive Card.');
  const { content: card } = attachment;
  if (card['type'] !== 'AdaptiveCard') return failed("Property 'type' must be 'AdaptiveCard'.");
  const version = Number(card['version']);
  if (!(version <= 1.4)) return failed(`It is a card of version ${String(card['version'])}.`);
  return { outcome: 'posted', why: undefined, lines: linesOf(card), body: text };
}

/** What a person would read of a card. */
function linesOf(element: unknown): string[] {
  if (Array.isArray(element)) return element.flatMap(linesOf);
  const known = z.looseObject({}).safeParse(element).data;
  if (known === undefined) return [];
  const { type, text, title, value, url, ...members } = known;
  const read = (given: unknown): string => String(given).replaceAll(/\\([\p{P}\p{S}])/gu, '$1');
  if (type === 'TextBlock') return read(text).split('\n\n');
  if (type === 'Action.OpenUrl') return [`[${read(title)}] ${String(url)}`];
  if (title !== undefined && value !== undefined) return [`${read(title)}: ${read(value)}`];
  return [
    members['body'],
    members['columns'],
    members['items'],
    members['facts'],
    members['actions'],
  ].flatMap(linesOf);
}

function shown(posted: readonly Posted[]): string {
  if (posted.length === 0) return 'Nothing was posted yet.\n';
  return posted
    .map(({ outcome, why, lines }) =>
      [outcome + (why === undefined ? '' : `: ${why}`), ...lines].join('\n  '),
    )
    .join('\n\n')
    .concat('\n');
}
