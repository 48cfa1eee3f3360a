import { ApplicationFailure, CancelledFailure, type Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import { tellSafely } from '../stages/tell-safely.ts';
import { sentenceOf } from '../definition/errors.ts';
import type { Metrics } from '../stages/deps.ts';
import { runOutcomes, type AttemptOutcome } from '../definition/metrics.ts';
import { pipelineOfWorkflow, stageOfActivity } from '../definition/stage-of-activity.ts';
import { tellResult } from './measured-results.ts';

/** Pipelines that this process has told of. */
const known = new Set<string>();

/** So that the first run of a pipeline is seen as one more, and not as the beginning of a series. */
function beginRuns(metrics: Metrics, pipeline: string): void {
  if (known.has(pipeline)) return;
  known.add(pipeline);
  for (const outcome of runOutcomes) metrics.add('sluice_runs_total', 0, { pipeline, outcome });
}

/** Measures attempts and what they give. The outermost interceptor: it sees errors as Temporal is told of them. */
export function measureActivities(metrics: Metrics): (context: Context) => ActivityInterceptors {
  return ({ info, log }) => ({
    inbound: {
      execute: async (input, next) => {
        const activity = info.activityType;
        const stage = stageOfActivity[activity];
        const pipeline = pipelineOfWorkflow(info.workflowExecution?.workflowId ?? '');
        if (stage === undefined || pipeline === undefined) return next(input);
        const tell = (what: () => void): void =>
          tellSafely(what, (error) =>
            log.warn('what this attempt came to is not in the metrics', { error: sentenceOf(error) }),
          );
        const whose = { pipeline, stage };
        const startedAt = Date.now();
        const over = (outcome: AttemptOutcome): void => {
          metrics.add('sluice_attempts_total', 1, { ...whose, outcome });
          const seconds = (Date.now() - startedAt) / 1_000;
          metrics.observe('sluice_attempt_duration_seconds', seconds, { ...whose, outcome });
        };
        tell(() => {
          beginRuns(metrics, pipeline);
          const waited = (startedAt - info.currentAttemptScheduledTimestampMs) / 1_000;
          metrics.observe('sluice_attempt_queue_seconds', waited, whose);
          if (info.attempt > 1) metrics.add('sluice_retries_total', 1, whose);
        });
        let result: unknown;
        try {
          result = await next(input);
        } catch (error) {
          tell(() => {
            const outcome = outcomeOf(error);
            over(outcome);
            if (outcome !== 'failed') return;
            metrics.add('sluice_attempt_failures_total', 1, { ...whose, code: codeOf(error) });
          });
          throw error;
        }
        tell(() => {
          over('completed');
          tellResult(metrics, pipeline, { activity, input: input.args[0], result });
        });
        return result;
      },
    },
  });
}

function outcomeOf(error: unknown): AttemptOutcome {
  if (error instanceof CancelledFailure) return 'cancelled';
  return codeOf(error) === 'WorkerShutdown' ? 'handed-over' : 'failed';
}

const codeOf = (error: unknown): string =>
  error instanceof ApplicationFailure ? (error.type ?? 'Unexpected') : 'Unexpected';
