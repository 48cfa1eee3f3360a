import type { WorkflowClientInterceptor } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { traced, traceHere } from '../connectors/tracing.ts';
import { pipelineOfWorkflow } from '../definition/stage-of-activity.ts';
import { readTraceHeaders, TRACE_HEADER, writeTraceHeaders } from '../definition/tracing.ts';

/** A start of a workflow as a span, which the workflow belongs to. It is within whatever asked for it: a request, or who started this process with TRACEPARENT. */
export const tracedStarts: WorkflowClientInterceptor = {
  startWithDetails: (input, next) => {
    const { workflowId } = input.options;
    const parent =
      traceHere() ??
      readTraceHeaders({ traceparent: process.env['TRACEPARENT'], tracestate: process.env['TRACESTATE'] });
    return traced(
      `StartWorkflow:${input.workflowType}`,
      {
        kind: 'client',
        attributes: { 'temporal.workflow.id': workflowId, 'sluice.pipeline': pipelineOfWorkflow(workflowId) },
        ...(parent ? { parent } : {}),
      },
      async (span) => {
        if (!span) return next(input);
        const header = defaultPayloadConverter.toPayload(writeTraceHeaders(span.context));
        const started = await next({ ...input, headers: { ...input.headers, [TRACE_HEADER]: header } });
        span.set({ 'sluice.run': started.runId });
        return started;
      },
    );
  },
};
