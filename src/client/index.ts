// What programs import: docs/operations.md shows it in use.
export { ConsumerControl, type ConsumerView } from './consumer-control.ts';
export { MaintenanceRuns } from './maintenance-runs.ts';
export { Rebuilds } from './rebuilds.ts';
export { Runs, type RunSummary } from './runs.ts';
export { Schedules } from './schedules.ts';
export { SluiceClient } from './sluice-client.ts';
