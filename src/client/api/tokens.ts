import { createHash, timingSafeEqual } from 'node:crypto';
import bearerAuth from '@fastify/bearer-auth';
import type { FastifyRequest } from 'fastify';
import type { Api } from './context.ts';
import type { Listening } from './listening.ts';
import { RequestError } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether who asks may do more than look. */
    maySteer: boolean;
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Lets in only who has a token; one for looking lets nobody steer. Without a token everyone may do everything. Tokens are compared in
 * constant time.
 */
export async function wantToken(
  api: Api,
  { token, viewerToken }: Pick<Listening, 'token' | 'viewerToken'>,
): Promise<void> {
  api.decorateRequest('maySteer', true);
  if (token === undefined) return;
  const whole = digest(token);
  const viewing = viewerToken === undefined ? undefined : digest(viewerToken);
  await api.register(bearerAuth, {
    ...{ keys: new Set<string>(), addHook: false, verifyErrorLogLevel: 'warn' },
    // The scheme's name in any case (RFC 9110, 11.1).
    specCompliance: 'rfc6749',
    auth: (given, request) => {
      const sum = digest(given);
      request.maySteer = timingSafeEqual(sum, whole);
      return request.maySteer || (viewing !== undefined && timingSafeEqual(sum, viewing));
    },
  });
  api.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.open) return done();
    return api.verifyBearerAuth?.(request, reply, (error?: Error) => {
      if (error) reply.header('www-authenticate', 'Bearer');
      done(error ?? steering(request));
    });
  });
}

function steering({ maySteer, method }: FastifyRequest): RequestError | undefined {
  if (maySteer || method === 'GET' || method === 'HEAD') return undefined;
  return new RequestError(
    403,
    'RequestRefused',
    'This token lets look, and not steer: ask with that of SLUICE_API_TOKEN for this.',
  );
}
