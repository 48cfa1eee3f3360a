import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { LogicalHour } from '../definition/hour.ts';
import { hourOfRun } from '../definition/names.ts';
import { attributes } from '../workflows/attributes.ts';

/** A run as Temporal's list has it. */
export interface RunSummary {
  readonly workflowId: string;
  readonly runId: string;
  readonly pipeline: string;
  readonly hour: LogicalHour;
  /** `running`, `completed`, `failed`, `cancelled`, `terminated`, `timed_out`. */
  readonly status: string;
  /** What it came to, by its own word; a run that was ended from outside has none. */
  readonly outcome?: string;
  /** The stage that it is in, or was in last. */
  readonly stage?: string;
  /** Rows of the main data set that are indexed. */
  readonly rows?: number;
  readonly startedAt: string;
  readonly closedAt?: string;
}

/** What a run came to, or that it runs. `failed` has those in it that were terminated or timed out. */
export const runOutcomes = ['running', 'completed', 'unchanged', 'failed', 'cancelled'] as const;
export type RunOutcome = (typeof runOutcomes)[number];

export interface RunFilter {
  readonly pipeline?: string;
  readonly outcome?: RunOutcome;
  /** Logical hours from this one on. */
  readonly from?: LogicalHour;
  /** Up to this logical hour, itself included. */
  readonly to?: LogicalHour;
  /** So many, the newest. @default 100 */
  readonly limit?: number;
}

const outcomeQueries: Readonly<Record<RunOutcome, string>> = {
  running: `ExecutionStatus = "Running"`,
  completed: `ExecutionStatus = "Completed" AND ${attributes.outcome.name} = "completed"`,
  unchanged: `ExecutionStatus = "Completed" AND ${attributes.outcome.name} = "unchanged"`,
  failed: `ExecutionStatus IN ("Failed", "TimedOut", "Terminated")`,
  cancelled: `ExecutionStatus = "Canceled"`,
};

/**
 * The filter in Temporal's query language. A run says its pipeline and hour in its first step, so one that no worker has taken up yet is
 * found by its id.
 */
export function listQuery({ pipeline, outcome, from, to }: RunFilter): string {
  const hour = attributes.hour.name;
  const orNew = (condition: string): string => `(${condition} OR ${hour} IS NULL)`;
  return [
    'WorkflowType = "pipeline"',
    // What is asked for has no quote in it, as no pipeline's name has one.
    ...(pipeline === undefined ? [] : [`WorkflowId STARTS_WITH "pipeline/${pipeline.replaceAll('"', '')}/"`]),
    ...(outcome === undefined ? [] : [outcomeQueries[outcome]]),
    ...(from === undefined ? [] : [orNew(`${hour} >= "${from}"`)]),
    ...(to === undefined ? [] : [orNew(`${hour} <= "${to}"`)]),
  ].join(' AND ');
}

/** The newest runs that a filter lets through. */
export async function listRuns(client: Client, filter: RunFilter): Promise<RunSummary[]> {
  const found: RunSummary[] = [];
  const { from = '', to = '~', limit = 100 } = filter;
  for await (const info of client.workflow.list({ query: listQuery(filter) })) {
    const run = summaryOf(info);
    if (!run || run.hour < from || run.hour > to) continue;
    found.push(run);
    if (found.length >= limit) break;
  }
  return found;
}

/** Undefined where it is no run of an hour. */
export function summaryOf(info: Omit<WorkflowExecutionInfo, 'raw'>): RunSummary | undefined {
  const run = hourOfRun(info.workflowId);
  if (!run) return undefined;
  const said = info.typedSearchAttributes;
  const [outcome, stage, rows] = [said.get(attributes.outcome), said.get(attributes.stage), said.get(attributes.rows)];
  return {
    workflowId: info.workflowId,
    runId: info.runId,
    ...run,
    status: info.status.name.toLowerCase(),
    ...(outcome === undefined ? {} : { outcome }),
    ...(stage === undefined ? {} : { stage }),
    ...(rows === undefined ? {} : { rows }),
    startedAt: info.startTime.toISOString(),
    ...(info.closeTime ? { closedAt: info.closeTime.toISOString() } : {}),
  };
}
