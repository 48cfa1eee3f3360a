import type { IncidentRule, ProblemKey } from './incidents.ts';

/** What each rule finds, as it goes on behind the pipeline's name. */
const clauses: Readonly<Record<IncidentRule, string>> = {
  'run-failed': 'a run failed',
  'deadline-near': 'a run is near its deadline',
  'consumer-halted': 'a consumer has halted',
  'run-missed': 'a run did not start',
  'schedule-paused': 'the schedule is paused',
  'worker-gone': 'no worker answers',
  'consumer-stuck': 'a consumer does not move',
  'index-stale': 'the index does not grow',
  'temporal-gone': 'Temporal does not answer',
  rows: 'the number of rows is unusual',
  rejected: 'the share of rejected rows is unusual',
  missing: 'the share of missing values is unusual',
  distinct: 'the number of distinct values is unusual',
  distribution: 'values are distributed unusually',
  categories: 'categories are new or gone',
  duration: 'a run took unusually long',
  lag: 'consumers are unusually far behind',
  freshness: 'the data is old',
  unchanged: 'the source has not changed for long',
  schema: 'the columns of the source have changed',
  test: 'this is a test',
};

/** `demo: a run failed (SourceNotFound)` */
export function problemTitle({ pipeline, rule, subject }: ProblemKey): string {
  return `${pipeline}: ${clauses[rule]}${subject === undefined ? '' : ` (${subject})`}`;
}
