import { CancellationScope, patched } from '@temporalio/workflow';
import type { CleanResult, CommittedDataset, IndexResult, Landed } from '../activities/index.ts';
import type { CleanBatch, HourRecord, PreparedStream, PublishResult } from '../definition/refs.ts';
import { failure } from './failure.ts';
import type { RunLog } from './run-log.ts';

/** One data set on its way; each stage fills in what it made. */
export interface Dataset {
  readonly stream: PreparedStream;
  readonly batch: CleanBatch;
  published: PublishResult;
  landed: Landed;
  hourRecord: HourRecord;
  indexed: IndexResult;
}

/**
 * The data sets of a run, taken through each stage side by side: main and its aggregates go the very same way.
 * @param committed what there is of them where the run begins behind `commit`
 */
export function eachDataset(
  prepared: readonly PreparedStream[],
  cleaned: CleanResult,
  run: RunLog,
  committed: readonly CommittedDataset[] = [],
) {
  const datasets = prepared.map((stream) => {
    const batch = cleaned.batches.find(({ dataset }) => dataset === stream.dataset);
    if (!batch) throw failure({ code: 'Unexpected', message: `The clean stage made no batch of "${stream.dataset}".` });
    run.batch(stream.dataset, batch.batchId);
    return { ...committed.find(({ dataset }) => dataset === stream.dataset), stream, batch } as Dataset;
  });
  return {
    each: <T>(stage: (dataset: Dataset) => Promise<T>): Promise<T[]> => {
      // Runs that were on their way before it was so leave the others behind.
      const together = datasets.length > 1 && patched('data-sets-end');
      return together ? allOrNone(datasets, stage) : Promise.all(datasets.map(stage));
    },
  };
}

/**
 * The first that fails stops the others, and is told when these have ended: what follows a failure or a cancellation finds none of them
 * at work.
 */
async function allOrNone<T>(datasets: readonly Dataset[], stage: (dataset: Dataset) => Promise<T>): Promise<T[]> {
  const scope = new CancellationScope();
  const failures: unknown[] = [];
  const each = async (dataset: Dataset): Promise<T> => {
    try {
      return await stage(dataset);
    } catch (error) {
      failures.push(error);
      scope.cancel();
      throw error;
    }
  };
  const ends = await scope.run(() => Promise.allSettled(datasets.map(each)));
  if (failures.length > 0) throw failures[0];
  return ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
}
