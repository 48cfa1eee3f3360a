import {
  createTraceState,
  ROOT_CONTEXT,
  SpanKind as Kind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import type { Attributes, Context, Link, Span as ApiSpan, SpanContext, Tracer as ApiTracer } from '@opentelemetry/api';
import { ExportResultCode, getNumberFromEnv } from '@opentelemetry/core';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  ParentBasedSampler,
  RandomIdGenerator,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type IdGenerator,
  type Sampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import { sentenceOf } from '../definition/errors.ts';
import type { TraceAttributes, TraceContext } from '../definition/tracing.ts';
import type { TraceProtocol, TracingSettings } from './tracing-settings.ts';
import type { Span, SpanOptions, Tracer } from './tracing.ts';

// The one module that loads OpenTelemetry's SDK. Nothing is registered globally: libraries that would make spans of their own (that of
// Elasticsearch, with addresses in them) make none.

/** Longer texts are cut. */
const MOST_CHARACTERS = 4_096;
const SAY_EVERY_MS = 600_000;

const kinds = {
  ...{ client: Kind.CLIENT, server: Kind.SERVER, producer: Kind.PRODUCER },
  ...{ consumer: Kind.CONSUMER, internal: Kind.INTERNAL },
} as const;

export interface TracingEnds {
  /** Takes secrets out of a text. */
  readonly redacted: (text: string) => string;
  /** Told once when traces cannot be sent, and once when they can be again. */
  readonly say: (sentence: string) => void;
  readonly version: string;
  /** For how long a collector is asked again that does not take them, where OTEL_EXPORTER_OTLP_TIMEOUT says nothing; ten seconds where left out. */
  readonly patienceMs?: number;
}

/** Makes spans by OpenTelemetry, and sends them where its variables say. */
export async function openTracer(settings: TracingSettings, ends: TracingEnds): Promise<Tracer> {
  const ids = new GivenIds();
  const known = { 'service.name': settings.serviceName, 'service.version': ends.version, 'process.pid': process.pid };
  const { OTEL_SERVICE_NAME: own } = process.env;
  const resource = defaultResource()
    .merge(resourceFromAttributes(known))
    // Which service it is stands in either of two variables; the one for that alone goes first.
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes(own?.trim() ? { 'service.name': own.trim() } : {}));
  const ways = await Promise.all(settings.exporters.map((one) => exporterOf(one, settings.protocol, ends.patienceMs)));
  const provider = new TracerProvider({
    resource,
    sampler: samplerOf(settings),
    idGenerator: ids,
    spanLimits: {
      attributeValueLengthLimit: getNumberFromEnv('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT') ?? MOST_CHARACTERS,
    },
    spanProcessors: ways.map(
      (exporter) => new BatchSpanProcessor({ exporter: new Told(exporter, ends), ...batches() }),
    ),
  });
  return new OtelTracer(provider, ids, settings.ratio, ends.redacted);
}

async function exporterOf(
  which: TracingSettings['exporters'][number],
  protocol: TraceProtocol,
  patienceMs: number | undefined,
): Promise<SpanExporter> {
  if (which === 'console') return new ConsoleSpanExporter();
  const given = ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'].some((name) => process.env[name]);
  const options = given || patienceMs === undefined ? {} : { timeoutMillis: patienceMs };
  const { OTLPTraceExporter } = await exporters[protocol]();
  return new OTLPTraceExporter(options);
}

const exporters = {
  'http/protobuf': () => import('@opentelemetry/exporter-trace-otlp-proto'),
  'http/json': () => import('@opentelemetry/exporter-trace-otlp-http'),
  grpc: () => import('@opentelemetry/exporter-trace-otlp-grpc'),
} as const;

function samplerOf({ ratio, parentBased }: TracingSettings): Sampler {
  const root =
    ratio >= 1 ? new AlwaysOnSampler() : ratio <= 0 ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
  return parentBased ? new ParentBasedSampler({ root }) : root;
}

function batches(): Partial<
  Record<'scheduledDelayMillis' | 'maxQueueSize' | 'maxExportBatchSize' | 'exportTimeoutMillis', number>
> {
  const given = {
    scheduledDelayMillis: getNumberFromEnv('OTEL_BSP_SCHEDULE_DELAY'),
    maxQueueSize: getNumberFromEnv('OTEL_BSP_MAX_QUEUE_SIZE'),
    maxExportBatchSize: getNumberFromEnv('OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
    exportTimeoutMillis: getNumberFromEnv('OTEL_BSP_EXPORT_TIMEOUT'),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value > 0));
}

class OtelTracer implements Tracer {
  readonly ratio: number;
  readonly #provider: TracerProvider;
  readonly #tracer: ApiTracer;
  readonly #ids: GivenIds;
  readonly #redacted: (text: string) => string;

  constructor(provider: TracerProvider, ids: GivenIds, ratio: number, redacted: (text: string) => string) {
    this.#provider = provider;
    this.#tracer = provider.getTracer('sluice');
    this.#ids = ids;
    this.ratio = ratio;
    this.#redacted = redacted;
  }

  start(name: string, options: SpanOptions & { readonly parent?: TraceContext }): Span {
    const { kind = 'internal', attributes = {}, parent, links = [], from, ids } = options;
    const clean = (given: TraceAttributes): Attributes => cleaned(given, this.#redacted);
    const span = this.#ids.with(ids, () =>
      this.#tracer.startSpan(
        name,
        {
          kind: kinds[kind],
          attributes: clean(attributes),
          links: links.map((context): Link => ({ context: spanContextOf(context) })),
          ...(from === undefined ? {} : { startTime: from }),
        },
        contextOf(parent),
      ),
    );
    return {
      context: contextIn(span, parent),
      set: (more) => void span.setAttributes(clean(more)),
      fail: ({ code, message }) => {
        span.setAttribute('error.type', this.#redacted(code));
        span.setStatus({ code: SpanStatusCode.ERROR, message: this.#redacted(message).slice(0, MOST_CHARACTERS) });
      },
      end: (to) => span.end(to),
    };
  }

  async flush(withinMs: number): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, withinMs).unref());
    await Promise.race([this.#provider.forceFlush({ timeoutMillis: withinMs }).catch(() => {}), late]);
  }
}

/** Ids that are known before their span is there; any other where there are none. Spans are made in one step, so nobody comes in between. */
class GivenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #next: SpanOptions['ids'];

  with<T>(ids: SpanOptions['ids'], make: () => T): T {
    this.#next = ids;
    try {
      return make();
    } finally {
      this.#next = undefined;
    }
  }

  generateTraceId(): string {
    return this.#next?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#next?.spanId ?? this.#random.generateSpanId();
  }
}

/** An exporter whose failures are told once, and are nobody else's. */
class Told implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #ends: TracingEnds;
  #failing = false;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(exporter: SpanExporter, ends: TracingEnds) {
    this.#exporter = exporter;
    this.#ends = ends;
  }

  export(...[spans, done]: Parameters<SpanExporter['export']>): void {
    const over = (error?: unknown): void => {
      this.#tell(error);
      done({ code: ExportResultCode.SUCCESS });
    };
    try {
      this.#exporter.export(spans, ({ code, error }) =>
        over(code === ExportResultCode.SUCCESS ? undefined : (error ?? new Error('it did not take them'))),
      );
    } catch (error) {
      over(error);
    }
  }

  #tell(error: unknown): void {
    const { say, redacted } = this.#ends;
    if (error === undefined) {
      if (this.#failing) say('Traces are sent again.');
      this.#failing = false;
      return;
    }
    // A collector that comes and goes is told of now and then.
    if (this.#failing || performance.now() - this.#saidAt < SAY_EVERY_MS) return;
    this.#failing = true;
    this.#saidAt = performance.now();
    const why = redacted(sentenceOf(error)).replaceAll(/\s+/g, ' ').slice(0, 300).replace(/\.$/, '');
    say(
      `Traces cannot be sent (${why}): they are lost meanwhile, and all else goes on. Look at OTEL_EXPORTER_OTLP_ENDPOINT.`,
    );
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }
}

function cleaned(attributes: TraceAttributes, redacted: (text: string) => string): Attributes {
  const all = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(all.map(([name, value]) => [name, typeof value === 'string' ? redacted(value) : value]));
}

const spanContextOf = ({ traceId, spanId, sampled, state }: TraceContext): SpanContext => ({
  ...{ traceId, spanId, isRemote: true, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE },
  ...(state === undefined ? {} : { traceState: createTraceState(state) }),
});

const contextOf = (parent: TraceContext | undefined): Context =>
  parent ? trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent)) : ROOT_CONTEXT;

function contextIn(span: ApiSpan, parent: TraceContext | undefined): TraceContext {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const state = parent?.state === undefined ? {} : { state: parent.state };
  return { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0, ...state };
}
