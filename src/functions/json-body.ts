import type { HttpRequest } from '@azure/functions';
import type * as z from 'zod';
import { readJson } from '../pipeline/model/read-json.ts';
import { sanitizeText } from '../pipeline/model/sanitize-text.ts';
import type { Bodies, Body } from './bodies.ts';
import type { StaffAnswer } from './staff-endpoint.ts';

export type ReadBody<T> = { kind: 'value'; value: T } | { kind: 'refused'; answer: StaffAnswer };

const longestBody = 10_000;

/** Reads what one of our own people asks for: a JSON object; no body is an empty one. What is wrong is told in words. */
export async function readObject<Shape extends z.ZodObject>(
  request: HttpRequest,
  shape: Shape,
  { bodies, example }: { bodies: Bodies; example: string },
): Promise<ReadBody<z.infer<Shape>>> {
  return await bodies.read(request, longestBody, async (body) => objectIn(body, shape, example));
}

function objectIn<Shape extends z.ZodObject>(
  body: Body,
  shape: Shape,
  example: string,
): ReadBody<z.infer<Shape>> {
  const send = `Send a JSON object such as ${example}.`;
  if (body.kind === 'too-large') return refused(413, `The body is longer than ${longestBody} bytes. ${send}`);
  if (body.kind === 'no-room')
    return refused(503, 'More is being uploaded than this app takes at one time. Try again.');
  if (body.kind === 'broken') return refused(400, `The body did not come to its end. ${send}`);
  const given = body.bytes.byteLength === 0 ? {} : readJson(body.bytes);
  if (given === undefined) return refused(400, `The body is no JSON. ${send}`);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return refused(400, `The body must be a JSON object. ${send}`);
  const read = shape.safeParse(given);
  if (read.success) return { kind: 'value', value: read.data };
  return refused(400, read.error.issues.map((issue) => faultIn(issue, shape)).join(' '));
}

function faultIn(issue: z.core.$ZodIssue, shape: z.ZodObject): string {
  const inside = issue.path.map(String).join('.');
  if (issue.code !== 'unrecognized_keys') return `"${inside}" ${issue.message}.`;
  const names = issue.keys.map((name) => `"${sanitizeText(name, 100)}"`).join(', ');
  if (inside !== '') return `There is no member ${names} in "${inside}".`;
  const known = Object.keys(shape.shape).map((name) => `"${name}"`);
  return `There is no member ${names}: only ${known.slice(0, -1).join(', ')} and ${known.at(-1)}.`;
}

function refused(status: 400 | 413 | 503, error: string): ReadBody<never> {
  const headers = status === 503 ? { headers: { 'retry-after': '30' } } : {};
  return { kind: 'refused', answer: { status, ...headers, jsonBody: { error } } };
}
