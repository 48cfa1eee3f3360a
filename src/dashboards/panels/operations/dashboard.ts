import type { Dashboard } from '../../panel.ts';
import { anomalies } from './anomalies.ts';
import { brokenEquations } from './broken-equations.ts';
import { durations } from './durations.ts';
import { equations } from './equations.ts';
import { incidents } from './incidents.ts';
import { lag } from './lag.ts';
import { newestHour } from './newest-hour.ts';
import { over } from './panel.ts';
import { rejectedByReason } from './rejected-by-reason.ts';
import { rowsPerRun } from './rows-per-run.ts';
import { runCounts } from './run-counts.ts';

/** The dashboard of all pipelines' runs. */
export function operationsDashboard(): Dashboard {
  return {
    id: 'operations',
    title: 'Operations',
    description:
      'Runs of all pipelines: what became of their rows, how long they took, what was odd, and what went wrong.',
    ...over,
    filters: [{ field: 'pipeline', title: 'Pipeline' }],
    panels: [
      ...runCounts(),
      brokenEquations(),
      newestHour(),
      rowsPerRun(),
      rejectedByReason(),
      durations(),
      lag(),
      incidents(),
      anomalies(),
      equations(),
    ],
  };
}
