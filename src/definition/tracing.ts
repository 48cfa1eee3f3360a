// Where work belongs in a trace, as W3C Trace Context has it. What has an id from Temporal takes its trace's ids from that: then each process
// knows them without being told, and a replay comes to the same.

/** A span, as seen from elsewhere. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether anybody keeps it. */
  readonly sampled: boolean;
  /** What other makers of traces hand on, as it came (`tracestate`). */
  readonly state?: string;
}

/** The header of Temporal's calls that Temporal's own interceptors for OpenTelemetry use: a JSON object of what follows. */
export const TRACE_HEADER = '_tracer-data';

/** What stands in headers, of HTTP and of Kafka alike. */
export interface TraceHeaders {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** Values of attributes. */
export type TraceAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** What failed some work. */
export interface TraceFailure {
  readonly code: string;
  readonly message: string;
}

/** Something that a workflow did, told once it is over. */
export interface WorkflowSpan {
  readonly context: TraceContext;
  /** Absent where the trace begins with it. */
  readonly parent?: TraceContext;
  readonly name: string;
  /** Milliseconds since 1970, by the workflow's clock. */
  readonly from: number;
  readonly to: number;
  readonly attributes: TraceAttributes;
  readonly failed?: TraceFailure;
}

/** Where a worker hears of what its workflows did; never during a replay. */
export type TraceSinks = { readonly traces: { over(span: WorkflowSpan): void } };

/**
 * Workflows with an end that is soon: all that they start belongs to one trace. What has no end (consumers, incidents) or very many runs
 * (backfills) would make traces that nobody can look at; what they do begins traces of its own.
 */
export const tracedWorkflows: ReadonlySet<string> = new Set(['launch', 'pipeline', 'reindex', 'maintenance']);

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NONE = /^0+$/;
/** As much as W3C wants to see handed on. */
const MOST_STATE = 512;

/** Reads headers that came from anywhere; undefined where they say nothing that can be used. */
export function readTraceHeaders(headers: object): TraceContext | undefined {
  const { traceparent, tracestate } = headers as { readonly traceparent?: unknown; readonly tracestate?: unknown };
  const [, version, traceId = '', spanId = '', flags = '', more] =
    PARENT.exec(typeof traceparent === 'string' ? traceparent.trim() : '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (NONE.test(traceId) || NONE.test(spanId)) return undefined;
  const sampled = (Number.parseInt(flags, 16) & 1) === 1;
  const state = typeof tracestate === 'string' && /^[\x20-\x7e]+$/.test(tracestate) ? tracestate : '';
  return { traceId, spanId, sampled, ...(state !== '' && state.length <= MOST_STATE ? { state } : {}) };
}

export function writeTraceHeaders({ traceId, spanId, sampled, state }: TraceContext): TraceHeaders {
  const traceparent = `00-${traceId}-${spanId}-0${sampled ? 1 : 0}`;
  return { traceparent, ...(state === undefined ? {} : { tracestate: state }) };
}

/** The span of a workflow's run, by Temporal's id of it, which is a UUID. */
export function spanOfRun(runId: string): string {
  const id = runId.replaceAll('-', '').slice(16);
  return /^[0-9a-f]{16}$/.test(id) && !NONE.test(id) ? id : '0000000000000001';
}

/**
 * The trace that begins with a workflow's run.
 * @param ratio of such traces that are kept, from 0 to 1
 */
export function traceOfRun(runId: string, ratio: number): Omit<TraceContext, 'spanId'> | undefined {
  const traceId = runId.replaceAll('-', '');
  return /^[0-9a-f]{32}$/.test(traceId) ? { traceId, sampled: isSampled(traceId, ratio) } : undefined;
}

/** The nth span (from 1) within the one of a run. */
export const nthSpan = (spanId: string, nth: number): string =>
  BigInt.asUintN(64, BigInt(`0x${spanId}`) + BigInt(nth))
    .toString(16)
    .padStart(16, '0');

/** Whether a trace is kept, by its id alone: as OpenTelemetry's `traceidratio` in this language decides it. */
export function isSampled(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true;
  let mixed = 0;
  for (let at = 0; at < 32; at += 8) mixed = (mixed ^ Number.parseInt(traceId.slice(at, at + 8), 16)) >>> 0;
  return mixed < Math.floor(ratio * 0xffffffff);
}
