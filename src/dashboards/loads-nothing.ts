import type { Loader } from 'vega';

/** A chart's loader on the server: all that a panel shows is in its spec. */
export const loadsNothing = {
  load: (address: string) => refuse(address),
  http: (address: string) => refuse(address),
  file: (address: string) => refuse(address),
  // Where this rejects, Vega leaves a rejection that nobody handles.
  sanitize: () => Promise.resolve({ href: '' }),
} as unknown as Loader;

function refuse(address: string): Promise<never> {
  return Promise.reject(new Error(`a panel loads nothing, and was to load ${address}`));
}
