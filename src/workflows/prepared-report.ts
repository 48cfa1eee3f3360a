import type { PreparedStream } from '../definition/refs.ts';
import type { RunReport } from './messages.ts';

/** What a run's report says of `prepare`, which may have run twice. Nothing where nothing was made, changed or found otherwise. */
export function preparedReport(prepared: readonly PreparedStream[]): Pick<RunReport, 'prepared'> {
  const changes = [...new Set(prepared.flatMap((stream) => stream.changes))];
  const warnings = [...new Set(prepared.flatMap((stream) => stream.warnings ?? []))];
  return changes.length + warnings.length === 0 ? {} : { prepared: { changes, warnings } };
}
