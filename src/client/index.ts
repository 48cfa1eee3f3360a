// What programs import: docs/operations.md shows it in use.
export { SluiceError, type ErrorCode } from '../definition/errors.ts';
export { loadDefinition } from '../definition/load.ts';
export {
  Backfills,
  type BackfillAsked,
  type BackfillEvent,
  type BackfillSummary,
  type BackfillWaitOptions,
} from './backfills.ts';
export type { BackfillProgress, BackfillReport } from '../workflows/backfill-messages.ts';
export { ConsumerControl, type ConsumerView } from './consumer-control.ts';
export { Incidents, type IncidentFilter } from './incidents.ts';
export type { Incident } from '../definition/incidents.ts';
export { MaintenanceRuns } from './maintenance-runs.ts';
export { Rebuilds } from './rebuilds.ts';
export type { LaunchOptions } from './launching.ts';
export type { RunEvent } from './run-events.ts';
export { runOutcomes, type RunFilter, type RunOutcome, type RunSummary } from './run-list.ts';
export type { ColumnsDiff } from './columns-diff.ts';
export { diffRuns, diffSections, type ComparedRun, type DiffSection, type RunDiff } from './run-diff.ts';
export { Runs, type RunAttempt, type RunOfHour, type WaitOptions } from './runs.ts';
export type { Difference } from './schedules/differences.ts';
export type { ScheduledStart, ScheduleListed, ScheduleView } from './schedules/describing.ts';
export {
  Schedules,
  type AppliedSchedules,
  type PipelineSchedules,
  type ScheduleState,
  type Triggered,
  type TriggerOptions,
} from './schedules/schedules.ts';
export type { SchedulePlan } from './schedules/standing.ts';
export { SluiceClient } from './sluice-client.ts';
export type { ReportSoFar, RunProgress, RunReport } from '../workflows/messages.ts';
