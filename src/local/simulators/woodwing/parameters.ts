import type { Exchange } from '../exchange.ts';

/** The parameters of a call, from its query and its form, urlencoded or multipart; undefined where the form cannot be read. */
export async function parametersOf({ query, headers, body }: Exchange): Promise<URLSearchParams | undefined> {
  const parameters = new URLSearchParams(query);
  const type = String(headers['content-type'] ?? '');
  if (body.byteLength === 0 || !/^(multipart\/form-data|application\/x-www-form-urlencoded)/i.test(type))
    return parameters;
  try {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
    for (const [name, value] of form)
      parameters.append(name, typeof value === 'string' ? value : await value.text());
  } catch {
    return undefined;
  }
  return parameters;
}

/** The values of a comma list. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
