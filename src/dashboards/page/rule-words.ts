/** What each rule finds wrong, for people. A test holds that each rule has its words. */
const rules: Readonly<Record<string, string>> = {
  'run-failed': 'A run failed',
  'deadline-near': 'A deadline is near',
  'consumer-halted': 'A consumer has halted',
  'run-missed': 'A run never started',
  'schedule-paused': 'A schedule is paused',
  'worker-gone': 'No worker is there',
  'consumer-stuck': 'A consumer does not move',
  'index-stale': 'An index has stopped growing',
  'temporal-gone': 'Temporal does not answer',
  rows: 'Odd number of rows',
  rejected: 'Many rejected rows',
  missing: 'Odd share of missing values',
  distinct: 'Odd number of different values',
  distribution: 'Odd distribution',
  categories: 'New or vanished values',
  duration: 'A stage is slow',
  lag: 'Consumers are far behind',
  freshness: 'The data is old',
  unchanged: 'The source does not change',
  schema: 'Other columns',
  test: 'A test of the alerts',
};

/** A rule in words; one that this page does not know, as it is. */
export const ruleWords = (rule: string): string => (Object.hasOwn(rules, rule) ? (rules[rule] ?? rule) : rule);
