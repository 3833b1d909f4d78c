import { onTestFinished } from 'vitest';
import {
  startPreservicaSimulator,
  type PreservicaSimulator,
  type SimulatorOptions,
} from '../../../../src/local/simulators/preservica/simulator.ts';
import { at, readXml, type XmlElement } from '../../../../src/sources/preservica/xml.ts';

/** A simulator that ends with the test. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<PreservicaSimulator> {
  const simulator = await startPreservicaSimulator(options);
  onTestFinished(() => simulator.close());
  return simulator;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
}

/** Calls with the headers of somebody who is logged in. */
export type Client = (path: string, init?: RequestInit) => Promise<Answered>;

export async function answered(response: Response): Promise<Answered> {
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
}

export async function logIn(
  { url, settings }: PreservicaSimulator,
  form: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const { username, password } = settings.account;
  const body = new URLSearchParams({ username, password, ...form });
  return await answered(await fetch(`${url}/api/accesstoken/login`, { method: 'POST', body }));
}

export async function clientOf(simulator: PreservicaSimulator): Promise<Client> {
  const { token } = JSON.parse((await logIn(simulator)).text) as { token: string };
  return async (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('Preservica-Access-Token', token);
    const url = path.startsWith('http') ? path : simulator.url + path;
    return await answered(await fetch(url, { redirect: 'manual', ...init, headers }));
  };
}

/** The element down that path of local names of an XML answer. */
export function elementOf({ text }: Answered, ...path: string[]): XmlElement | undefined {
  const read = readXml(text);
  if (read.kind !== 'document') throw new Error(`${read.kind}: ${text.slice(0, 200)}`);
  return at(read.root, ...path);
}
