/** True for the same scheme, host, port and path; a query, a user or a slash at its end does not make it another place. */
export function samePlace(one: string, other: string): boolean {
  if (!URL.canParse(one) || !URL.canParse(other)) return false;
  const [a, b] = [new URL(one), new URL(other)];
  const path = ({ pathname }: URL): string => pathname.replace(/\/+$/, '');
  return a.origin === b.origin && path(a) === path(b);
}
