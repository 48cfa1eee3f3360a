import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { ContinueAsNew, proxySinks, workflowInfo, type WorkflowInterceptors } from '@temporalio/workflow';
import {
  nthSpan,
  readTraceHeaders,
  spanOfRun,
  TRACE_HEADER,
  tracedWorkflows,
  traceOfRun,
  writeTraceHeaders,
  type TraceContext,
  type TraceSinks,
  type WorkflowSpan,
} from '../definition/tracing.ts';
import { problemOf } from './failure.ts';

declare global {
  /** Said in front of the bundle by a worker that tells traces (`workers/worker-set.ts`): the part of those without a parent that is kept. */
  var sluiceTraceRatio: number | undefined;
}

// Each workflow has its modules to itself. Nothing here takes a step of its own, asks for a random number or makes a command: with or without
// traces a workflow does the same in the same order (test/replay).

/** The span of this run, and of the stage that it is in. */
let run: TraceContext | undefined;
let stage: TraceContext | undefined;
let stages = 0;

/** The trace that this run belongs to, where somebody keeps it. */
export const keptTrace = (): { readonly trace?: string } => (run?.sampled ? { trace: run.traceId } : {});

/** Runs a stage of the run as a span of its own: activities that it starts are within. */
export function tracedStage<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (!run) return work();
  const parent = run;
  stages += 1;
  const context = { ...parent, spanId: nthSpan(parent.spanId, stages) };
  stage = context;
  return told(work, { context, parent, name: `stage ${name}`, attributes: { 'sluice.stage': name } }, () => {
    if (stage === context) stage = undefined;
  });
}

/** Gives what `work` gives, as it is, and tells of it beside that. */
function told<T>(
  work: () => Promise<T>,
  span: Omit<WorkflowSpan, 'from' | 'to' | 'failed'>,
  over: () => void = () => {},
): Promise<T> {
  const from = Date.now();
  const tell = (failed?: WorkflowSpan['failed']): void => {
    over();
    if (globalThis.sluiceTraceRatio === undefined || !span.context.sampled) return;
    proxySinks<TraceSinks>().traces.over({ ...span, from, to: Date.now(), ...(failed ? { failed } : {}) });
  };
  const working = work();
  void working.then(
    () => tell(),
    (error: unknown) => tell(error instanceof ContinueAsNew ? undefined : problemOf(error)),
  );
  return working;
}

/** Where the run belongs: to whoever started it; else it begins a trace, if this worker tells any. */
function begin(headers: Headers): { readonly context: TraceContext; readonly parent?: TraceContext } | undefined {
  const { runId } = workflowInfo();
  const spanId = spanOfRun(runId);
  const given = headers[TRACE_HEADER];
  const parent = given && readGiven(given);
  if (parent) return { context: { ...parent, spanId }, parent };
  const ratio = globalThis.sluiceTraceRatio;
  const own = ratio === undefined ? undefined : traceOfRun(runId, ratio);
  return own && { context: { ...own, spanId } };
}

/** Undefined where somebody else's interceptor wrote it in a way of its own: a workflow task that failed of that would be tried for ever. */
function readGiven(given: Headers[string]): TraceContext | undefined {
  try {
    return readTraceHeaders(defaultPayloadConverter.fromPayload<object>(given) ?? {});
  } catch {
    return undefined;
  }
}

function withContext<Input extends { readonly headers: Headers }>(input: Input): Input {
  const context = stage ?? run;
  if (!context) return input;
  const header = defaultPayloadConverter.toPayload(writeTraceHeaders(context));
  return { ...input, headers: { ...input.headers, [TRACE_HEADER]: header } };
}

/** Hands on where a run belongs, and tells of it: nothing of OpenTelemetry is in the bundle. */
export const interceptors = (): WorkflowInterceptors => {
  const { workflowType, workflowId, attempt } = workflowInfo();
  if (!tracedWorkflows.has(workflowType)) return {};
  return {
    inbound: [
      {
        execute: (input, next) => {
          const begun = begin(input.headers);
          run = begun?.context;
          if (!begun) return next(input);
          const attributes = { 'temporal.workflow.id': workflowId, 'temporal.workflow.attempt': attempt };
          return told(() => next(input), { ...begun, name: `RunWorkflow:${workflowType}`, attributes });
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(withContext(input)),
        scheduleLocalActivity: (input, next) => next(withContext(input)),
        startChildWorkflowExecution: (input, next) => next(withContext(input)),
        getLogAttributes: (input, next) => {
          const context = stage ?? run;
          return next(context?.sampled ? { trace_id: context.traceId, span_id: context.spanId, ...input } : input);
        },
      },
    ],
  };
};
