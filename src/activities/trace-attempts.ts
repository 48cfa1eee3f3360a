import type { Context } from '@temporalio/activity';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInterceptors } from '@temporalio/worker';
import { subjectOf } from '../definition/log-record.ts';
import { stageOfActivity } from '../definition/stage-of-activity.ts';
import { readTraceHeaders, TRACE_HEADER, type TraceAttributes, type TraceContext } from '../definition/tracing.ts';
import type { Metrics } from '../stages/deps.ts';
import { tellSafely } from '../stages/tell-safely.ts';
import { traced, traceHere } from '../stages/traced.ts';
import { tellResult } from './measured-results.ts';

/** Lasts for days: what it lands is told of chunk by chunk instead. */
const ENDLESS = 'consume';

/**
 * Each attempt as a span within the stage of the run that it is for; of workflows whose own are not told of, attempts at stages alone, each a trace
 * of its own. It stands outside of what classifies errors. Lines that are logged meanwhile name the span.
 */
export function traceAttempts({ info }: Context): ActivityInterceptors {
  const { activityType: activity, attempt, workflowExecution } = info;
  return {
    inbound: {
      execute: (input, next) => {
        const parent = parentIn(input.headers);
        const told = activity !== ENDLESS && (parent !== undefined || stageOfActivity[activity] !== undefined);
        if (!told) return next(input);
        const attributes = attributesOf(info);
        return traced(`RunActivity:${activity}`, { parent: parent ?? 'none', attributes }, async (span) => {
          const result = await next(input);
          if (span) {
            const given = { activity, input: input.args[0], result };
            tellSafely(
              () => span.set(amountsOf(given)),
              () => {},
            );
          }
          return result;
        });
      },
    },
    outbound: {
      getLogAttributes: (input, next) => {
        const here = traceHere();
        return next(here?.sampled ? { trace_id: here.traceId, span_id: here.spanId, ...input } : input);
      },
    },
  };
  function attributesOf({ currentAttemptScheduledTimestampMs: scheduled }: Context['info']): TraceAttributes {
    const { workflowId, runId } = workflowExecution ?? {};
    const { pipeline, hour, stage } = subjectOf({ workflowId, runId, activityType: activity });
    return {
      ...{ 'sluice.pipeline': pipeline, 'sluice.hour': hour, 'sluice.run': runId, 'sluice.stage': stage },
      ...{ 'sluice.attempt': attempt, 'sluice.queued_ms': Math.max(0, Date.now() - scheduled) },
      ...{ 'temporal.workflow.id': workflowId, 'temporal.activity.type': activity },
    };
  }
}

function parentIn(headers: Headers): TraceContext | undefined {
  const given = headers[TRACE_HEADER];
  try {
    return given && readTraceHeaders(defaultPayloadConverter.fromPayload<object | null>(given) ?? {});
  } catch {
    return undefined;
  }
}

/** Rows and bytes of what an activity gave: what the metrics are told of it. */
function amountsOf(given: Parameters<typeof tellResult>[2]): TraceAttributes {
  const amounts: Record<string, number> = {};
  const add: Metrics['add'] = (metric, value, labels) => {
    const outcome = 'outcome' in labels ? String(labels.outcome) : '';
    const isRows = metric === 'sluice_rows_total';
    const name = isRows ? `sluice.rows.${outcome}` : metric === 'sluice_bytes_total' && 'sluice.bytes';
    if (name) amounts[name] = (amounts[name] ?? 0) + value;
  };
  // A run's report is about the whole of it.
  if (given.activity !== 'writeReport') tellResult({ add, observe: () => {}, set: () => {} }, '', given);
  return amounts;
}
