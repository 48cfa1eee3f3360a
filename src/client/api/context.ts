import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { PageAssets } from '../../dashboards/assets.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { Dashboards } from './dashboards.ts';
import type { RunLinks } from './links.ts';
import type { Streams } from './streams.ts';
import type { TemporalSession } from './temporal-session.ts';

/** A server whose routes have zod schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What routes work with. */
export interface ApiContext {
  readonly session: TemporalSession;
  readonly links: RunLinks;
  readonly streams: Streams;
  readonly dashboards: Dashboards;
  readonly assets: PageAssets;
  /** What says how to reach the servers. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly needsToken: boolean;
  /** Started where none is named, and where its name has no schedule. */
  readonly pipeline?: Pipeline;
  /** Aborts when the server stops: streams end then. */
  readonly stopping: AbortSignal;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Errors in the form of the user's plan, and not as problem details. */
    plainErrors?: boolean;
    /** Goes on for as long as there is something to tell. */
    stream?: boolean;
    /** Answered to whoever asks, by whatever name. */
    open?: boolean;
  }
}
