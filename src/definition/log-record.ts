import { hourOfRun } from './names.ts';
import { pipelineOfWorkflow, stageOfActivity } from './stage-of-activity.ts';

/** From the least to the most. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Whether a level is `least` or more. */
export const isAtLeast = (level: LogLevel, least: LogLevel): boolean =>
  logLevels.indexOf(level) >= logLevels.indexOf(least);

/** A line of a worker's log, as JSON. What else stands in it is the line's own. */
export interface LogRecord {
  readonly level: LogLevel;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly msg: string;
  readonly pid?: number;
  readonly pipeline?: string;
  readonly hour?: string;
  /** Temporal's id of the run. */
  readonly run?: string;
  readonly stage?: string;
  readonly attempt?: number;
  readonly workflowId?: string;
  readonly activity?: string;
  /** A failure's sentence; its stack where SLUICE_DEBUG asks for it. */
  readonly error?: string;
}

/** What a line is about, from what Temporal's library says of it. */
export function subjectOf(meta: {
  readonly workflowId?: unknown;
  /** Of a line that a workflow says. */
  readonly runId?: unknown;
  /** Of a line that an activity says. */
  readonly workflowRunId?: unknown;
  readonly activityType?: unknown;
  readonly attempt?: unknown;
}): Partial<LogRecord> {
  const { workflowId, runId = meta.workflowRunId, activityType, attempt } = meta;
  const id = typeof workflowId === 'string' ? workflowId : '';
  const activity = typeof activityType === 'string' ? activityType : undefined;
  const pipeline = pipelineOfWorkflow(id);
  const hour = hourOfRun(id)?.hour;
  const stage = activity === undefined ? undefined : (stageOfActivity[activity] ?? activity);
  return {
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(hour === undefined ? {} : { hour }),
    ...(typeof runId === 'string' ? { run: runId } : {}),
    ...(stage === undefined ? {} : { stage }),
    ...(typeof attempt === 'number' ? { attempt } : {}),
    ...(id === '' ? {} : { workflowId: id }),
    ...(activity === undefined ? {} : { activity }),
  };
}
