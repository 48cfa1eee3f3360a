import type { InjectedSinks } from '@temporalio/worker';
import type { Tracer } from '../connectors/tracing.ts';
import { subjectOf } from '../definition/log-record.ts';
import type { TraceAttributes, TraceSinks, WorkflowSpan } from '../definition/tracing.ts';

/** Where workflows tell of their runs and stages once they are over. A replay tells nothing again. */
export function workflowSpans(tracer: Tracer): InjectedSinks<TraceSinks> {
  return { traces: { over: { fn: (info, span) => tell(tracer, info, span), callDuringReplay: false } } };
}

function tell(
  tracer: Tracer,
  { workflowId, runId }: { readonly workflowId: string; readonly runId: string },
  span: WorkflowSpan,
): void {
  const { context, parent, name, from, to, attributes, failed } = span;
  const { pipeline, hour } = subjectOf({ workflowId });
  const whose: TraceAttributes = { 'sluice.pipeline': pipeline, 'sluice.hour': hour, 'sluice.run': runId };
  const made = tracer.start(name, {
    ...{ ids: context, from, attributes: { ...whose, ...attributes } },
    ...(parent ? { parent } : {}),
  });
  if (failed) made.fail(failed);
  made.end(Math.max(from, to));
}
