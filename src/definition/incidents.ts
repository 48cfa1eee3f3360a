import type { LogicalHour } from './hour.ts';
import { hourOfRun } from './names.ts';
import type { Pipeline } from './pipeline.ts';

/**
 * How parts of Sluice tell each other what is wrong. A *problem* is a pipeline, a rule and a subject; while it lasts there is one incident of it,
 * however often it is observed. Plain JSON: it goes through workflows.
 */

/** What monitors judge by the history of runs. */
export const monitorRules = [
  'rows',
  'rejected',
  'missing',
  'distinct',
  'distribution',
  'categories',
  'duration',
  'lag',
  'freshness',
  'unchanged',
  'schema',
] as const;
export type MonitorRule = (typeof monitorRules)[number];

/** What may be found wrong. */
export const incidentRules = [
  'run-failed',
  'deadline-near',
  'consumer-halted',
  'run-missed',
  'schedule-paused',
  'worker-gone',
  'consumer-stuck',
  'index-stale',
  'temporal-gone',
  ...monitorRules,
  'test',
] as const;
export type IncidentRule = (typeof incidentRules)[number];

export const severities = ['warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** One problem: what there is one incident of at a time. */
export interface ProblemKey {
  readonly pipeline: string;
  readonly rule: IncidentRule;
  /** Which of several: an error's code, a column, a stream. */
  readonly subject?: string;
}

/** Something with a name and a value, both for people. */
export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** A problem was seen. */
export interface Observation extends ProblemKey {
  readonly severity: Severity;
  /** What was found, where, what to do: one or two sentences. */
  readonly sentence: string;
  readonly facts: readonly Fact[];
  /** The same for each attempt at telling of the same thing (an hour, a run), so that it is counted once. */
  readonly occurrence: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly hour?: LogicalHour;
  readonly workflowId?: string;
  readonly runId?: string;
}

/** A problem is over. Without a subject: all problems of the rule. */
export interface Clearing extends ProblemKey {
  readonly sentence: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** What was seen of this hour, or of an older one, is over; what was seen of a later hour is not. Left out: all of it. */
  readonly hour?: LogicalHour;
}

export const incidentStates = ['open', 'acknowledged', 'recovered', 'closed'] as const;
export type IncidentState = (typeof incidentStates)[number];

/** An incident as it stands. */
export interface Incident extends ProblemKey {
  /** Of its workflow, and so the same for each incident of the problem; with `openedAt` it is one of them. */
  readonly id: string;
  readonly severity: Severity;
  /** Its severity when it opened, where it has another one by now: who was told of that is told of the end. */
  readonly openedAs?: Severity;
  readonly state: IncidentState;
  readonly openedAt: string;
  readonly lastSeenAt: string;
  /** Set once it is recovered or closed. */
  readonly endedAt?: string;
  readonly occurrences: number;
  /** Hours it was seen in, the newest 50. */
  readonly hours: readonly LogicalHour[];
  /** The newest observation's. */
  readonly sentence: string;
  readonly facts: readonly Fact[];
  readonly workflowId?: string;
  readonly runId?: string;
  readonly acknowledged?: { readonly by: string; readonly at: string; readonly note?: string };
  /** Since when it is escalated; who was told then, is told of its end. */
  readonly escalatedAt?: string;
  /** Until when nobody is told of it. */
  readonly silencedUntil?: string;
}

/** The hour of the run that an incident names; where it names none, the newest that it was seen in. */
export function hourOfIncident({ workflowId, hours }: Pick<Incident, 'workflowId' | 'hours'>): LogicalHour | undefined {
  return (workflowId === undefined ? undefined : hourOfRun(workflowId)?.hour) ?? hours.at(-1);
}

export const transitions = ['opened', 'reminder', 'escalated', 'recovered', 'closed'] as const;
export type TransitionKind = (typeof transitions)[number];

/** A change of an incident that somebody may be told of. */
export interface Transition {
  /** The same for each attempt at telling of it; messages take their id from it. */
  readonly id: string;
  readonly kind: TransitionKind;
  readonly at: string;
  readonly incident: Incident;
  /** What ended it, where it has ended; why it escalates, where that is for what was seen and not for the time that has gone by. */
  readonly sentence?: string;
}

/** What one message tells: the transitions of a grouping window. */
export interface Notice {
  readonly id: string;
  readonly pipeline: string;
  readonly transitions: readonly Transition[];
}

/** Of a pipeline, what decides who is told of it. */
export type AlertedPipeline = Pick<Pipeline, 'name' | 'alerts'>;

/** An incident that has been told of an observation. */
export interface Followed {
  /** Of its workflow. */
  readonly id: string;
  /** The observation's time, ISO 8601, UTC. */
  readonly at: string;
}
