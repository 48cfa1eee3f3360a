import type { FastifyRequest } from 'fastify';
import { startTracing } from '../../connectors/start-tracing.ts';
import { activeTracer, within, type Span } from '../../connectors/tracing.ts';
import { readTraceHeaders } from '../../definition/tracing.ts';
import type { Api } from './context.ts';

/** What only looks at something: pages ask for it all the time. */
const LOOKS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Requests that change something, as spans within what their `traceparent` names; what they start is within them. Only of those who may ask: what is
 * refused at the door is in no trace.
 */
export async function tracedRequests(api: Api): Promise<void> {
  await startTracing({ say: (sentence) => api.log.warn(sentence) });
  const tracer = activeTracer();
  if (!tracer) return;
  const spans = new WeakMap<FastifyRequest, Span>();
  // Behind the reading of the body, whose events come from elsewhere.
  api.addHook('preValidation', (request, _reply, done) => {
    const { method, routeOptions, headers } = request;
    if (LOOKS.has(method)) return done();
    const parent = readTraceHeaders(headers);
    const route = routeOptions.url;
    const span = tracer.start(`${method} ${route ?? ''}`.trim(), {
      kind: 'server',
      attributes: { 'http.request.method': method, 'http.route': route },
      ...(parent ? { parent } : {}),
    });
    spans.set(request, span);
    within(span.context, done);
  });
  api.addHook('onResponse', async (request, { statusCode }) => {
    const span = spans.get(request);
    span?.set({ 'http.response.status_code': statusCode });
    if (statusCode >= 500) span?.fail({ code: String(statusCode), message: `answered with ${statusCode}` });
    span?.end();
  });
}
