// What programs import: docs/operations.md shows it in use.
export { ConsumerControl, type ConsumerView } from './consumer-control.ts';
export { MaintenanceRuns } from './maintenance-runs.ts';
export { Rebuilds } from './rebuilds.ts';
export type { LaunchOptions } from './launching.ts';
export type { RunEvent } from './run-events.ts';
export { runOutcomes, type RunFilter, type RunOutcome, type RunSummary } from './run-list.ts';
export { Runs, type RunAttempt, type WaitOptions } from './runs.ts';
export { Schedules } from './schedules.ts';
export { SluiceClient } from './sluice-client.ts';
