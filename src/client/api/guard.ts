import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { RequestError } from './problem.ts';

/**
 * Refuses what a page of another site could have a browser send.
 * - The Host must be an address, `localhost`, or a name that this API goes by: a foreign name that leads here (DNS rebinding) is none.
 * - Where there is an Origin, it must be this API itself.
 * That a body must be JSON is the third part: a form of another page cannot send that.
 * @param hosts further names, lower case
 * @throws RequestError 403
 */
export function guard(request: FastifyRequest, hosts: readonly string[]): void {
  const { host: given = '', origin } = request.headers;
  const here = hostOf(given);
  if (here === undefined || !isOurs(here.hostname, hosts)) {
    const message = `This API does not go by the name of "${printable(given)}": add it to SLUICE_API_HOSTS if it should.`;
    throw new RequestError(403, 'RequestRefused', message);
  }
  if (origin === undefined) return;
  const from = URL.canParse(origin) ? new URL(origin) : undefined;
  if (from?.host !== here.host) {
    throw new RequestError(
      403,
      'RequestRefused',
      `Pages of other sites may not use this API ("${printable(origin)}").`,
    );
  }
}

function isOurs(hostname: string, hosts: readonly string[]): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) !== 0 || hostname === 'localhost' || hosts.includes(hostname);
}

function hostOf(given: string): URL | undefined {
  if (!/^[\w.:[\]-]+$/.test(given)) return undefined;
  return URL.canParse(`http://${given}`) ? new URL(`http://${given}`) : undefined;
}

const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100);

/** A body of nothing has no type: `curl -X POST -d ''` says that it is a form. */
export function withoutEmptyBody({ raw }: FastifyRequest): void {
  if (raw.headers['content-length'] === '0') delete raw.headers['content-type'];
}
