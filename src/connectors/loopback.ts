import { isIP } from 'node:net';

/** Whether a host is this machine, by its name alone. @param host as it stands in an address, an IPv6 one with its brackets or without */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}
