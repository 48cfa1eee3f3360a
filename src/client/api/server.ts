import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify, { LogController, type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { ASSETS, pageAssets, type PageAssets } from '../../dashboards/assets.ts';
import { shapeNames } from '../../dashboards/us.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { Api } from './context.ts';
import { backfillRoutes } from './backfill-routes.ts';
import { consumerRoutes } from './consumer-routes.ts';
import { dashboardRoutes } from './dashboard-routes.ts';
import { Dashboards } from './dashboards.ts';
import { eventRoutes } from './event-routes.ts';
import { guard, withoutEmptyBody } from './guard.ts';
import { healthRoutes } from './health-routes.ts';
import { incidentRoutes } from './incident-routes.ts';
import { RunLinks } from './links.ts';
import type { Listening } from './listening.ts';
import { describeApi } from './openapi.ts';
import { pageRoutes } from './page-routes.ts';
import { problemOf, PROBLEM_TYPE, RequestError } from './problem.ts';
import { quarantineRoutes } from './quarantine-routes.ts';
import { runRoutes } from './run-routes.ts';
import { scheduleRoutes } from './schedule-routes.ts';
import { sessionRoute } from './session-route.ts';
import { TemporalSession } from './temporal-session.ts';
import { wantToken } from './tokens.ts';
import { tracedRequests } from './traced-requests.ts';
import { triggerRoutes } from './trigger-pipeline.ts';
import { refuseOtherMethods } from './other-methods.ts';
import { Streams, STREAMS, type StreamLimits } from './streams.ts';

export interface ApiOptions extends Listening {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Triggered where no pipeline is named. */
  readonly pipeline?: Pipeline;
  /** Requests that one address may make a minute. */
  readonly rateLimit: number;
  /** Runs that may be followed at a time. */
  readonly streams?: StreamLimits;
  /** Where log lines go, JSON each; nowhere where left out. */
  readonly log?: { write(line: string): void };
}

const REQUEST_MS = 30_000;
const HANDLER_MS = 30_000;
/** A definition of a thousand columns has some 100 KiB. */
const BODY_LIMIT = 1024 * 1024;

/** The HTTP API, over one client. It listens once it is told to; closing it ends its streams and lets requests end. */
export async function createApi(options: ApiOptions): Promise<Api> {
  const { environment, token, hosts, log } = options;
  const session = new TemporalSession(environment);
  const stopping = new AbortController();
  const api = fastify({
    logger: log === undefined ? false : { level: 'info', stream: log, base: null, timestamp: isoTime },
    // A line of our own in its place.
    logController: new LogController({ disableRequestLogging: true }),
    // Whose address a request has, for limits and the log. Who it is for is another matter: see guard.
    trustProxy: options.proxies === undefined ? false : [...options.proxies],
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_MS,
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 300 },
  }).withTypeProvider<ZodTypeProvider>();
  api.setValidatorCompiler((route) => {
    const validate = validatorCompiler(route as Parameters<typeof validatorCompiler>[0]);
    // No body arrives as null, which no JSON comes to here.
    return (data: unknown) => validate(data ?? undefined);
  });
  api.setSerializerCompiler(serializerCompiler);
  api.addHook('onRoute', (route) => {
    if (!route.config?.stream) route.handlerTimeout ??= HANDLER_MS;
  });
  api.addHook('preClose', async () => stopping.abort());
  api.addHook('onClose', async () => session.close());
  api.addHook('onResponse', async (request, reply) => logAnswer(request, reply));
  api.setErrorHandler(tellError);
  api.setNotFoundHandler((request) => {
    throw new RequestError(
      404,
      'RouteUnknown',
      `There is no ${request.method} ${pathOf(request)} here: /openapi.json says what there is.`,
    );
  });
  readJsonAlone(api);

  await api.register(helmet, {
    contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] }, useDefaults: false },
    strictTransportSecurity: false,
  });
  await api.register(rateLimit, { global: false });
  const limit = api.rateLimit({
    max: options.rateLimit,
    timeWindow: '1 minute',
    errorResponseBuilder: (_request, { after }) =>
      new RequestError(429, 'TooManyRequests', `Too many requests from this address: try again in ${after}.`),
  });
  // Here and not at each route, so that whoever guesses tokens or addresses is slowed down too.
  api.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    withoutEmptyBody(request);
    if (request.routeOptions.config.open) return;
    guard(request, hosts);
    await limit.call(api, request, reply);
  });
  await wantToken(api, options);
  await tracedRequests(api);
  await describeApi(api, token !== undefined);
  const assets = await pageAssets();
  const own = options.pipeline === undefined ? {} : { pipeline: options.pipeline };
  const dashboards = new Dashboards({ environment, session, ...own, log: api.log, shapes: shapesOf(assets) });
  api.addHook('onClose', () => dashboards.close());
  const context = {
    session,
    links: new RunLinks(options.url, environment['SLUICE_TEMPORAL_UI_URL'], session.place),
    stopping: stopping.signal,
    streams: new Streams(options.streams ?? STREAMS),
    ...{ dashboards, assets, environment, needsToken: token !== undefined },
    ...own,
  };
  const routes = [triggerRoutes, runRoutes, eventRoutes, scheduleRoutes, backfillRoutes, consumerRoutes, healthRoutes];
  routes.push(incidentRoutes, dashboardRoutes, quarantineRoutes, pageRoutes, sessionRoute);
  await api.register(async (scope: Api) => {
    const refuse = refuseOtherMethods(scope);
    for (const register of routes) register(scope, context);
    refuse();
  });
  return api;
}

/** Where the shapes of maps are: relative to the page, which a proxy may have elsewhere. */
const shapesOf = ({ version }: PageAssets): Record<string, string> =>
  Object.fromEntries(shapeNames.map((name) => [name, `${ASSETS.slice(1)}${name}.json?v=${version}`]));

const isoTime = (): string => `,"time":"${new Date().toISOString()}"`;

const pathOf = ({ url }: FastifyRequest): string => (url.split('?')[0] ?? '').slice(0, 100);

/** A line a request: who asked for what, and what became of it. No header and no query: they may hold what is secret. */
function logAnswer(request: FastifyRequest, reply: FastifyReply): void {
  const { method, ip, log } = request;
  const { statusCode: status, elapsedTime } = reply;
  log.info({ method, path: pathOf(request), status, ms: Math.round(elapsedTime), from: ip }, 'answered');
}

function tellError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error);
  if (problem.code === 'Unexpected') request.log.error({ err: error }, problem.detail);
  else if (problem.status >= 500) request.log.warn({ code: problem.code }, problem.detail);
  // Where requests are too many their limit says it.
  if (problem.status === 503 || problem.status === 429) {
    if (!reply.hasHeader('retry-after')) reply.header('retry-after', '5');
  }
  if (!request.routeOptions.config.plainErrors) return reply.code(problem.status).type(PROBLEM_TYPE).send(problem);
  const { code, detail, status } = problem;
  // What the plan's own request, which asks for nothing, comes to is 200 or 500.
  const asked = request.body !== undefined || request.headers['idempotency-key'] !== undefined;
  const isRefused = error instanceof RequestError || code === 'RequestInvalid' || code === 'RequestRefused';
  const said = { status: 'error', message: `Failed to trigger pipeline: ${detail}`, code };
  return reply.code(status < 500 && (asked || isRefused) ? status : 500).send(said);
}

/** Nothing but JSON is read, and a body of nothing is none. */
function readJsonAlone(api: Api): void {
  const parse = api.getDefaultJsonParser('error', 'error');
  api.removeAllContentTypeParsers();
  api.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.trim() === '') done(null, undefined);
    else if (body.trim() === 'null')
      done(new RequestError(400, 'RequestInvalid', 'The body must be an object, not null.'));
    else void parse(request, body, done);
  });
}
