import type { Store } from '../connectors/object-store.ts';
import type { LogicalHour } from '../definition/hour.ts';
import type { StaleMark } from '../definition/refs.ts';
import { findStale } from '../stages/accounting/report.ts';

/** Since when an hour that ran to its end is stale; undefined where it is not. @throws SluiceError `StoreUnavailable` */
export function staleMark(store: Store, pipeline: string, hour: LogicalHour): Promise<StaleMark | undefined> {
  return findStale({ store }, { pipeline, hour });
}
