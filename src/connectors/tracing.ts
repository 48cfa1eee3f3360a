import { AsyncLocalStorage } from 'node:async_hooks';
import { sentenceOf, SluiceError } from '../definition/errors.ts';
import type { TraceAttributes, TraceContext, TraceFailure } from '../definition/tracing.ts';

// What everything else knows of traces. OpenTelemetry stands behind it (tracing-export.ts) where somebody asked for traces, and is not
// even loaded where nobody did: then each function here does the work that it was given, and nothing else.

/** As OpenTelemetry has it: who asks, who answers, who sends, who takes, or none of these. */
export type SpanKind = 'client' | 'server' | 'producer' | 'consumer' | 'internal';

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: TraceAttributes;
  /** What it is within; the work that it is asked for in where left out, `none` where it begins a trace. */
  readonly parent?: TraceContext | 'none';
  /** What it has to do with besides. */
  readonly links?: readonly TraceContext[];
  /** Milliseconds since 1970; now where left out. */
  readonly from?: number;
  /** Its own ids, where they are known elsewhere. */
  readonly ids?: Pick<TraceContext, 'traceId' | 'spanId'>;
}

/** Work that is told of. */
export interface Span {
  readonly context: TraceContext;
  set(attributes: TraceAttributes): void;
  fail(failure: TraceFailure): void;
  /** @param to milliseconds since 1970; now where left out */
  end(to?: number): void;
}

/** Who makes spans. */
export interface Tracer {
  /** Of the traces that begin here, how many are kept. */
  readonly ratio: number;
  start(name: string, options: SpanOptions & { readonly parent?: TraceContext }): Span;
  /** Sends what there is. @param withinMs is given up after */
  flush(withinMs: number): Promise<void>;
}

interface Place {
  readonly context: TraceContext;
  readonly span?: Span;
  /** Spans directly within it, by what they are about. */
  readonly within: Map<string, number>;
}

/** So many spans of one kind of request stand within one span: of thousands each alike nobody looks at more, and all are kept. */
const MOST_ALIKE = 100;

let tracer: Tracer | undefined;
const here = new AsyncLocalStorage<Place>();

/** Puts a tracer in force, or takes it out of it. */
export function useTracer(given: Tracer | undefined): void {
  tracer = given;
}

export const activeTracer = (): Tracer | undefined => tracer;

/** The work that this is called in, as others may be told of it; undefined where nobody tells of it. */
export const traceHere = (): TraceContext | undefined => (tracer ? here.getStore()?.context : undefined);

const placeOf = (context: TraceContext, span?: Span): Place => ({
  context,
  within: new Map(),
  ...(span ? { span } : {}),
});

/** Runs work within somebody else's span. */
export const within = <T>(context: TraceContext | undefined, work: () => T): T =>
  context ? here.run(placeOf(context), work) : work();

/** Runs work as a span: how long it took, and what failed it. */
export async function traced<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (!tracer) return work(undefined);
  const { parent = here.getStore()?.context, ...rest } = options;
  const span = tracer.start(name, { ...rest, ...(parent === undefined || parent === 'none' ? {} : { parent }) });
  try {
    return await here.run(placeOf(span.context, span), () => work(span));
  } catch (error) {
    span.fail(failureOf(error));
    throw error;
  } finally {
    span.end();
  }
}

/**
 * A request to a server, as a span within the work that it is made for. Where nobody tells of that, nobody tells of the request; of many alike only
 * the first hundred, and how many more there were.
 * @param about which requests are alike
 */
export async function tracedRequest<T>(
  about: string,
  name: string,
  attributes: TraceAttributes,
  work: (span: Span | undefined) => Promise<T>,
  kind: SpanKind = 'client',
): Promise<T> {
  const place = tracer && here.getStore();
  if (!place?.context.sampled) return work(undefined);
  const before = place.within.get(about) ?? 0;
  place.within.set(about, before + 1);
  if (before < MOST_ALIKE) return traced(name, { kind, attributes }, work);
  place.span?.set({ [`sluice.untold.${about}`]: before + 1 - MOST_ALIKE });
  return work(undefined);
}

/** What a trace says of a failure. */
export function failureOf(error: unknown): TraceFailure {
  const code = error instanceof SluiceError ? error.code : codeOf(error);
  return { code, message: sentenceOf(error) };
}

/** Failures of Temporal have their code as their type. */
function codeOf(error: unknown): string {
  const type = typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined;
  return typeof type === 'string' && type !== '' ? type : error instanceof Error ? error.name : 'Unexpected';
}
