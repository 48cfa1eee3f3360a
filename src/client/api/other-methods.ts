import type { HTTPMethods } from 'fastify';
import type { Api } from './context.ts';
import { RequestError } from './problem.ts';

/**
 * Says of an address that is asked in another way than it can be, in which ways it can (405 and Allow), where the framework would not know it.
 * @returns registers that, once all routes are there
 */
export function refuseOtherMethods(api: Api): () => void {
  const known = new Map<string, Set<string>>();
  api.addHook('onRoute', ({ url, method }) => {
    const methods = known.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    known.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...known]) {
      const allowed = [...methods].toSorted().join(', ');
      const others = api.supportedMethods.filter((method) => !methods.has(method)) as HTTPMethods[];
      api.route({
        url,
        method: others,
        schema: { hide: true },
        // Not in the handler: a body is not even looked at.
        onRequest: async (request, reply) => {
          reply.header('allow', allowed);
          throw new RequestError(405, 'RouteUnknown', `${request.method} is not for this address: ${allowed} is.`);
        },
        handler: () => undefined,
      });
    }
  };
}
