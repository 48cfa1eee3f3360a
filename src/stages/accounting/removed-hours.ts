import type { LogicalHour } from '../../definition/hour.ts';
import { mainDataset, streamName } from '../../definition/names.ts';
import type { StageDeps } from '../deps.ts';
import { newestHour } from '../landing/hour-record.ts';

/** Says of hours whether retention has removed them, and reads the record of each once. */
export function removedHours(
  deps: Pick<StageDeps, 'store'>,
): (of: { readonly pipeline: string; readonly hour: LogicalHour }) => Promise<boolean> {
  const removed = new Map<string, Promise<boolean>>();
  return ({ pipeline, hour }) => {
    const name = `${pipeline} ${hour}`;
    const found =
      removed.get(name) ??
      newestHour(deps, streamName(pipeline, mainDataset), hour).then((newest) => newest?.removed !== undefined);
    removed.set(name, found);
    return found;
  };
}
