import type { PreparedStream } from '../definition/refs.ts';
import type { RunReport } from './messages.ts';

/**
 * What a run's report says of `prepare`, which may have run twice: nothing of changes where nothing was made, changed or found
 * otherwise; the schema of each data set as it was prepared last.
 */
export function preparedReport(prepared: readonly PreparedStream[]): Pick<RunReport, 'prepared' | 'schemas'> {
  const changes = [...new Set(prepared.flatMap((stream) => stream.changes))];
  const warnings = [...new Set(prepared.flatMap((stream) => stream.warnings ?? []))];
  return {
    schemas: Object.fromEntries(prepared.map(({ dataset, schema }) => [dataset, schema])),
    ...(changes.length + warnings.length === 0 ? {} : { prepared: { changes, warnings } }),
  };
}
