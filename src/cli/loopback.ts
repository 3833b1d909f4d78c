/** True for an address whose calls never leave this machine. */
export function isLoopback(address: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(new URL(address).hostname);
}

/** True where what is sent there can be read by others on its way. */
export function isReadableOnTheWay(address: string): boolean {
  return new URL(address).protocol === 'http:' && !isLoopback(address);
}
