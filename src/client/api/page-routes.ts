import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Asset } from '../../dashboards/assets.ts';
import { codedFor } from './compressed.ts';
import type { Api, ApiContext } from './context.ts';
import { PROBLEM_TYPE, problemSchema, RequestError } from './problem.ts';

const tags = ['page'];

/** Scripts, styles and data of this server alone; nothing in the page itself, nothing made from text. */
const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "font-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ');

const YEAR_S = 31_536_000;

const answersOf = (type: string, description: string, schema: z.ZodType) => ({
  200: { description, content: { [type]: { schema } } },
  304: { description: 'It is as it was.', content: { 'text/plain': { schema: z.string() } } },
  default: { description: 'Any error.', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
});

/** The built-in page and what it is made of. Neither holds data, so both are for everyone; what it shows it asks for with the token. */
export function pageRoutes(api: Api, { assets }: ApiContext): void {
  const open = { config: { open: true } };
  api.addHook('onListen', async () => {
    // Who comes first need not wait for it. Not awaited: it takes a second or so.
    void Promise.all([assets.page, ...assets.files.values()].map((asset) => codedFor('br', asset)));
  });
  api.get(
    '/dashboard',
    {
      ...open,
      schema: {
        ...{ operationId: 'getPage', tags, summary: 'The dashboards as a page for browsers', security: [] },
        response: answersOf('text/html', 'The page.', z.string()),
      },
    },
    (request, reply) => send(request, reply.header('content-security-policy', POLICY), assets.page, false),
  );
  api.get(
    '/dashboard/assets/:name',
    {
      ...open,
      schema: {
        ...{ operationId: 'getAsset', tags, summary: 'A part of the page: a script, a style, the shapes of a map' },
        ...{
          security: [],
          params: z.object({
            name: z
              .string()
              .max(100)
              .meta({ examples: ['us-states.json'] }),
          }),
        },
        querystring: z.object({
          v: z.string().max(100).optional().describe('Its version: with it, it never changes.'),
        }),
        response: answersOf('*/*', 'It.', z.unknown()),
      },
    },
    (request, reply) => {
      const asset = assets.files.get(request.params.name);
      if (asset === undefined) throw new RequestError(404, 'RouteUnknown', 'The page has no part of that name.');
      return send(request, reply, asset, request.query.v === assets.version);
    },
  );
}

// To the describing schema a reply is the text that it comes to.
/** @param fixed whether what stands at this address never changes */
async function send(request: FastifyRequest, reply: FastifyReply, asset: Asset, fixed: boolean): Promise<string> {
  const { body, coding } = await codedFor(request.headers['accept-encoding'], asset);
  const tag = `"${asset.hash}${coding === undefined ? '' : `-${coding}`}"`;
  reply
    .header('cache-control', fixed ? `public, max-age=${YEAR_S}, immutable` : 'public, no-cache')
    .header('etag', tag)
    .header('vary', 'accept-encoding');
  const known = request.headers['if-none-match']?.split(',').map((one) => one.trim().replace(/^W\//, ''));
  if (known?.includes(tag)) return reply.code(304).send() as unknown as string;
  if (coding !== undefined) reply.header('content-encoding', coding);
  return reply.type(asset.type).send(body) as unknown as string;
}
