/**
 * A text without these secrets, as they stand or as JSON, an address or a form has them: what a system says of an error
 * may repeat what it was sent.
 */
export function redactSecrets(text: string, secrets: Iterable<string>): string {
  // The longest first, so that nothing is left of one that begins as another does.
  const hidden = [...secrets].filter((each) => each !== '').toSorted((a, b) => b.length - a.length);
  return ways.reduce((left, { unit, written }) => without(left, hidden.map(written), unit), text);
}

const mark = '…';

/** The ways to write a text: what stands for one character of it, and what is another character there. */
const ways: readonly { unit: RegExp; written: (secret: string) => string }[] = [
  { unit: /[^]/g, written: (secret) => secret },
  { unit: /\\u[0-9a-f]{4}|\\[^]|[^]/gi, written: (secret) => secret },
  { unit: /%[0-9a-f]{2}|[^]/gi, written: (secret) => secret },
  { unit: /%[0-9a-f]{2}|[^]/gi, written: (secret) => secret.replaceAll(' ', '+') },
];

function without(text: string, secrets: readonly string[], unit: RegExp): string {
  const units = text.match(unit) ?? [];
  // One character a unit, so that a place in the one is a place in the other.
  let read = units.map(characterOf).join('');
  for (const secret of secrets) {
    for (let at = read.indexOf(secret); at !== -1; at = read.indexOf(secret, at + 1)) {
      units.splice(at, secret.length, mark);
      read = read.slice(0, at) + mark + read.slice(at + secret.length);
    }
  }
  return units.join('');
}

function characterOf(unit: string): string {
  if (unit.length <= 2) return unit.slice(-1);
  return String.fromCharCode(Number.parseInt(unit.replace(/^\\u|%/i, ''), 16));
}
